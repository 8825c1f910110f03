"""What public programs lean on, one short program each: under tinyrnn it ends as it does under torch.

A program takes the framework, as `import torch` would have named it, and returns what is compared: numbers, lists of
them, strings. Where torch is not installed, it runs under tinyrnn alone, against what is written beside it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import tinyrnn

PROGRAMS: dict[str, tuple[Callable[[Any], Any], Any]] = {}


def program(expected: Any) -> Callable[[Callable[[Any], Any]], Callable[[Any], Any]]:
    """Registers a program with what it returns."""

    def register(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
        PROGRAMS[function.__name__] = function, expected
        return function

    return register


# memory


@program([[[1, 1], [5, 1]], [[7, 1], [1, 8]], [[9, 9], [1, 1]]])
def views_share_memory(torch):
    """One-hot by item: t[i][0][j] = 1, and through every other view."""
    t = torch.ones(3, 2, 2)
    t[0][1][0] = 5
    t.view(3, 4)[1, 0] = 7
    t.select(0, 1)[1, 1] = 8
    t.narrow(0, 2, 1)[:, 0] = 9
    for row in t[:0].unbind():
        row.zero_()
    return t.tolist()


@program([[[0, 0, 1, 0]], [[1, 0, 0, 0]]])
def letters_to_one_hot(torch):
    """The character-level tutorials' line to tensor."""
    letters = "abcd"
    t = torch.zeros(2, 1, len(letters))
    for i, letter in enumerate("ca"):
        t[i][0][letters.find(letter)] = 1
    return t.tolist()


@program([[3, 4], 0, True])
def items_of_a_fresh_tensor_carry_gradients(torch):
    """scores[i] = f(x): the assignment is recorded."""
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    scores = torch.zeros(3)
    for i in range(2):
        scores[i] = w[i] * (i + 3)
    scores.sum().backward()
    x = torch.zeros(2, 2)
    x[0] = w
    return [w.grad.tolist(), scores[2].item(), x.requires_grad]


@program([[0.5, 1.5], True, [0.4, 1.4], [0.3, 1.3]])
def data_are_changed_by_hand(torch):
    """The updates of programs that have no optimizer."""
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    w.sum().backward()
    w.data.add_(w.grad.data, alpha=-0.5)
    first = w.tolist()
    w.data -= 0.1 * w.grad
    second = [round(x, 6) for x in w.tolist()]
    w.data = w.data - 0.1
    w.grad.zero_()
    return [first, w.requires_grad, second, [round(x, 6) for x in w.tolist()]]


@program([[0.0, 1.0], [1.0, 1.0]])
def the_old_two_argument_add(torch):
    """p.data.add_(-lr, p.grad), from before alpha had a name."""
    p = torch.tensor([1.0, 2.0], requires_grad=True)
    p.sum().backward()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        p.data.add_(-1.0, p.grad.data)
    return [p.tolist(), p.grad.tolist()]


@program([[[1, 1], [1, 1]], 2.0, None, True])
def weights_are_assigned(torch):
    """layer.weight.data = ..., and requires_grad as an assignment."""
    layer = torch.nn.Linear(2, 2)
    layer.weight.data = torch.Tensor([[1, 1], [1, 1]])
    layer.bias.data.fill_(0)
    y = layer(torch.Tensor([1.5, 0.5]))
    x = torch.zeros(2)
    x.requires_grad = True
    for p in layer.parameters():
        p.requires_grad = False
    return [layer.weight.tolist(), y[0].item(), layer.weight.grad, x.requires_grad]


# sizes and indices


@program([[2, 4], [3, 2], [2, 3], 6, "c", 30, [0, 1, 2]])
def tensors_are_sizes_and_indices(torch):
    """zeros(n, lengths.max()), words[best], range(n)."""
    lengths = torch.tensor([4, 2])
    padded = torch.zeros(len(lengths), lengths.max())
    best = torch.tensor([0.1, 0.2, 0.7]).argmax()
    return [
        list(padded.shape),
        list(torch.zeros(torch.tensor(3), 2).size()),
        list(padded.new_zeros((2, torch.tensor(3))).shape),
        padded[:, : lengths[1] + 1].numel(),
        "abcd"[best],
        [10, 20, 30][best.item()],
        list(range(torch.tensor(3))),
    ]


@program([[1.0, 2.5], [[1, 2], [3, 4]], [3, 4]])
def tensors_inside_lists(torch):
    """Losses collected in a list, scores that become a tensor."""
    x = torch.tensor([1.0, 2.5])
    t = torch.LongTensor([[torch.tensor(1), 2], [3, torch.tensor(4)]])
    return [torch.tensor([x[0], x[1]]).tolist(), t.tolist(), torch.tensor([t[1, 0], t[1, 1]]).tolist()]


# numbers and text


@program(["0.3333", "2", "3", "0.33|", "loss 0.333", "1.50", "tensor([1.])", 3, 0.5, True])
def numbers_are_formatted(torch):
    """The prints of training loops."""
    loss, n = torch.tensor(1 / 3), torch.tensor(2.7)
    return [
        "{:.4f}".format(loss),  # noqa: UP032
        "%d" % n,  # noqa: UP031
        f"{torch.tensor(3):d}",
        "%.2f|" % loss,  # noqa: UP031
        f"loss {loss:.3f}",
        "%.2f" % torch.tensor([1.5]),  # noqa: UP031
        f"{torch.ones(1)}",
        int(torch.tensor([3])),
        float(torch.tensor(0.5)),
        bool(torch.tensor([[1]])),
    ]  # fmt: skip


@program(["torch.FloatTensor", "torch.LongTensor", [1, 2], [1.0, 2.0], True, False])
def types_of_old(torch):
    """t.type(torch.FloatTensor) and its kin."""
    x = torch.Tensor([1, 2])
    y = x.type(torch.LongTensor)
    return [
        x.type(), y.type(), y.tolist(), y.type("torch.FloatTensor").tolist(), isinstance(x, torch.FloatTensor),
        isinstance(y, torch.FloatTensor),
    ]  # fmt: skip


# the words that CPU programs carry along


@program([False, False, "cpu", 3, "cpu", [2.0], False])
def a_program_that_would_use_a_gpu(torch):
    """The device boilerplate, whole."""
    use_cuda = torch.cuda.is_available()
    device = torch.device("cuda:0" if use_cuda else "cpu")
    torch.manual_seed(1)
    torch.cuda.manual_seed(1)
    torch.cuda.manual_seed_all(1)
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
    torch.use_deterministic_algorithms(False)
    model = torch.nn.Linear(2, 3).to(device)
    if use_cuda:
        model = model.cuda()
    x = torch.ones(1, 2, device=device).to(device, non_blocking=True)
    kind = torch.cuda.FloatTensor if use_cuda else torch.FloatTensor
    torch.cuda.empty_cache()
    return [
        use_cuda, torch.accelerator.is_available(), str(x.device), model(x).cpu().detach().numpy().shape[1],
        device.type, kind([2]).tolist(), x.is_cuda or torch.backends.mps.is_available(),
    ]  # fmt: skip


@program([[4.0, 6.0], [False, False], True])
def variables_of_old(torch):
    """from torch.autograd import Variable."""
    variable = torch.autograd.Variable
    x = variable(torch.Tensor([2, 3]), requires_grad=True)
    h = variable(x.data.new(2, 2).zero_())
    (x * x + h.sum()).sum().backward()
    return [x.grad.data.tolist(), [h.requires_grad, variable(x * 2).requires_grad], isinstance(h, variable)]


@program([False, False, False, True])
def modes_decorate(torch):
    """@torch.no_grad() over evaluate, @torch.inference_mode over predict."""
    model = torch.nn.Linear(2, 1)

    @torch.no_grad()
    def evaluate(x):
        return model(x)

    @torch.inference_mode()
    def predict(x):
        return model(x)

    with torch.set_grad_enabled(False):
        third = model(torch.ones(2))
    x = torch.ones(2)
    return [evaluate(x).requires_grad, predict(x).requires_grad, third.requires_grad, model(x).requires_grad]


@program([[1.0, 0.0, 4.0], [[0.0, 1.0], [2.0, 3.0]], "float32", 6.0, [2.0, 2.0], "float32"])
def numpy_in_between(torch):
    """from_numpy and back, arrays beside tensors, NumPy's functions on tensors."""
    a = np.zeros(3, np.float32)
    t = torch.from_numpy(a)
    a[0], t[2] = 1, 4
    x = torch.tensor(np.arange(4.0).reshape(2, 2), dtype=torch.float)
    w = torch.ones(2, requires_grad=True)
    (w * np.float64(2)).sum().backward()
    found = [np.asarray(x).tolist(), str(x.numpy().dtype), float(np.sum(x.numpy()))]
    return [t.numpy().tolist(), *found, w.grad.tolist(), str(w.detach().numpy().dtype)]


@program([True, True, True])
def seeds_and_states(torch):
    """The same seed, a generator of one's own, a state that is kept."""
    torch.manual_seed(3)
    state = torch.get_rng_state()
    x = torch.randn(4)
    torch.set_rng_state(state)
    y = torch.randn(4)
    g = torch.Generator().manual_seed(5)
    a = torch.rand(3, generator=g)
    b = torch.rand(3, generator=torch.Generator().manual_seed(5))
    torch.manual_seed(3)
    return [x.tolist() == y.tolist(), a.tolist() == b.tolist(), torch.randn(4).tolist() == x.tolist()]


@program([[0.0, 0.5, 1.0], "1.0000", 2])
def drawing_the_next_letter(torch):
    """Sampling with a temperature: softmax, multinomial, an index of a string."""
    torch.manual_seed(0)
    scores = torch.tensor([[1.0, -50.0, -50.0]])
    p = (scores / 0.8).exp()
    p = p / p.sum(1, keepdim=True)
    i = torch.multinomial(p, num_samples=1)
    word = "abc"[i.item()] + "abc"[torch.multinomial(p.view(-1), 1)[0]]
    return [torch.linspace(0, 1, 3).tolist(), f"{p[0, 0]:.4f}", word.count("a")]


def same(ours: Any, theirs: Any) -> bool:
    if isinstance(theirs, float):
        return bool(ours == pytest.approx(theirs, rel=1e-5, abs=1e-7))
    if isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    return bool(ours == theirs)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_ends_as_it_should(name: str) -> None:
    run, expected = PROGRAMS[name]
    assert same(run(tinyrnn), expected)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_ends_as_under_torch(torch: ModuleType, name: str) -> None:
    run, expected = PROGRAMS[name]
    assert same(run(torch), expected)
