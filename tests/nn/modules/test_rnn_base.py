"""LSTM and GRU layers, and what all recurrent layers share: against the unrolled cells and torch, packed and padded."""

from __future__ import annotations

import itertools
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import tinyrnn
from textbook import error
from tinyrnn import nn
from tinyrnn.autograd import backward, gradcheck
from tinyrnn.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

KINDS = ["RNN", "LSTM", "GRU"]
T, N, I, H = 5, 4, 2, 3
LENGTHS = [2, 5, 1, 2]


def several(states: Any) -> tuple[Any, ...]:
    return tuple(states) if isinstance(states, tuple | list) else (states,)


def one_or_pair(states: list[Any]) -> Any:
    return states[0] if len(states) == 1 else tuple(states)


def leaves(*shapes: tuple[int, ...]) -> list[tinyrnn.Tensor]:
    return [tinyrnn.randn(*shape, dtype=tinyrnn.float64, requires_grad=True) for shape in shapes]


def gradients(outputs: list[Any], inputs: Any) -> list[Any]:
    """The gradients of the inputs for random cotangents, the same each time."""
    rng = np.random.default_rng(1)
    backward(outputs, [tinyrnn.tensor(rng.standard_normal(y.shape)) for y in outputs])
    return [x.grad.array for x in inputs]


def cells_of(layer: Any) -> list[Any]:
    """A cell with the weights of each layer and direction, in the order of h_n."""
    cells = []
    for k, end in itertools.product(range(layer.num_layers), layer._directions()):
        weights = {name.removesuffix(f"_l{k}{end}"): p for name, p in layer.named_parameters()}
        cell = getattr(nn, type(layer).__name__ + "Cell")(weights["weight_ih"].shape[1], H, dtype=tinyrnn.float64)
        for name, _ in list(cell.named_parameters()):
            setattr(cell, name, weights[name])
        cells.append(cell)
    return cells


def unrolled(layer: Any, x: Any, states: tuple[Any, ...], lengths: list[int]) -> tuple[Any, list[Any]]:
    """Each sequence (T, I) of x (T, N, I) by itself, one cell and one step at a time on the tape."""
    D, cells = len(layer._directions()), cells_of(layer)
    ys, lasts = [], []
    for n, length in enumerate(lengths):
        xs, last = list(x[:length, n].unbind()), []
        for k in range(layer.num_layers):
            ways = []
            for way in range(D):
                h, outs = one_or_pair([state[k * D + way, n] for state in states]), {}
                for t in range(length)[:: -1 if way else 1]:
                    h = cells[k * D + way](xs[t], h)
                    outs[t] = several(h)[0]
                last.append(several(h))
                ways.append(outs)
            xs = [tinyrnn.cat([outs[t] for outs in ways]) for t in range(length)]
        padding = [tinyrnn.zeros(len(xs[0]), dtype=x.dtype)] * (len(x) - length)
        ys.append(tinyrnn.stack(xs + padding))
        lasts.append([tinyrnn.stack(hs) for hs in zip(*last, strict=True)])
    return tinyrnn.stack(ys, 1), [tinyrnn.stack(hs, 1) for hs in zip(*lasts, strict=True)]


@pytest.mark.parametrize("form", ["batch", "batch_first", "lengths", "lengths_batch_first", "packed"])
@pytest.mark.parametrize(("num_layers", "bidirectional"), [(1, False), (1, True), (2, True), (3, False)])
@pytest.mark.parametrize("kind", KINDS)
def test_a_layer_is_its_cells_unrolled(kind: str, num_layers: int, bidirectional: bool, form: str) -> None:
    first = form.endswith("batch_first")
    layer = getattr(nn, kind)(I, H, num_layers, bidirectional=bidirectional, batch_first=first, dtype=tinyrnn.float64)
    rows = num_layers * (1 + bidirectional)
    x, *states = leaves((T, N, I), *[(rows, N, H)] * len(layer.state_names))
    lengths = [T] * N if form.startswith("batch") else LENGTHS
    inputs = [x, *states, *layer.parameters()]

    y, expected_states = unrolled(layer, x, tuple(states), lengths)
    expected = [y.array, *[h.array for h in expected_states]]
    expected += gradients([y, *expected_states], inputs)
    for leaf in inputs:
        leaf.grad = None

    given, hx = x.transpose(0, 1) if first else x, one_or_pair(states)
    if form == "packed":
        packed, last = layer(pack_padded_sequence(x, lengths, enforce_sorted=False), hx)
        y, found_lengths = pad_packed_sequence(packed)
        assert found_lengths.tolist() == lengths
    else:
        y, last = layer(given, hx, lengths=None if form.startswith("batch") else lengths)
    y = y.transpose(0, 1) if first else y
    found = [y.array, *[h.array for h in several(last)]]
    found += gradients([y, *several(last)], inputs)
    for a, b in zip(found, expected, strict=True):
        assert error(a, b) < 1e-12


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")  # torch's own
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("form", ["batch", "single", "sorted", "unsorted"])
@pytest.mark.parametrize("given", [False, True])
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("RNN", {}),
        ("RNN", {"nonlinearity": "relu", "num_layers": 2, "bidirectional": True, "batch_first": True}),
        ("LSTM", {}),
        ("LSTM", {"bias": False, "batch_first": True, "bidirectional": True}),
        ("LSTM", {"proj_size": 2, "num_layers": 2, "bidirectional": True}),
        ("GRU", {}),
        ("GRU", {"bias": False, "batch_first": True, "num_layers": 2}),
        ("GRU", {"bidirectional": True, "num_layers": 2}),
    ],
    ids=str,
)
def test_a_layer_is_torchs(
    torch: ModuleType, kind: str, options: dict[str, Any], given: bool, form: str, dtype: str
) -> None:
    ours = getattr(nn, kind)(I, H, **options, dtype=getattr(tinyrnn, dtype))
    theirs = getattr(torch.nn, kind)(I, H, **options, dtype=getattr(torch, dtype))
    assert [name for name, _ in ours.named_parameters()] == [name for name, _ in theirs.named_parameters()]
    assert repr(ours) == repr(theirs)
    theirs.load_state_dict({name: torch.tensor(p.numpy()) for name, p in ours.state_dict().items()})
    rng = np.random.default_rng(0)
    first, rows = ours.batch_first, ours.num_layers * len(ours._directions())
    shape = (T, I) if form == "single" else (N, T, I) if first else (T, N, I)
    arrays = [rng.standard_normal(shape).astype(dtype)]
    batch = () if form == "single" else (N,)
    arrays += [rng.standard_normal((rows, *batch, size)).astype(dtype) for size in ours._state_sizes()]
    lengths = {"sorted": [5, 5, 3, 1], "unsorted": LENGTHS}.get(form)

    results = []
    for module, layer, rnn in ((tinyrnn, ours, nn.utils.rnn), (torch, theirs, torch.nn.utils.rnn)):
        x, *states = [module.tensor(a, requires_grad=True) for a in arrays]
        hx = one_or_pair(states) if given else None
        if lengths is None:
            y, last = layer(x, hx)
        else:
            packed, last = layer(rnn.pack_padded_sequence(x, lengths, first, form == "sorted"), hx)
            y, _ = rnn.pad_packed_sequence(packed, first)
        outs = [y, *several(last)]
        rng = np.random.default_rng(1)
        module.autograd.backward(outs, [module.tensor(rng.standard_normal(tuple(o.shape)).astype(dtype)) for o in outs])
        leaves = [x, *(states if given else []), *layer.parameters()]
        results.append([o.detach().numpy() for o in outs] + [leaf.grad.numpy() for leaf in leaves])
    for found, expected in zip(*results, strict=True):
        assert found.dtype == expected.dtype
        assert error(found, expected) < (1e-12 if dtype == "float64" else 1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_the_first_weights_are_torchs_after_the_same_seed(torch: ModuleType, kind: str) -> None:
    tinyrnn.manual_seed(3)
    torch.manual_seed(3)
    ours = getattr(nn, kind)(I, H, 2, bidirectional=True)
    theirs = getattr(torch.nn, kind)(I, H, 2, bidirectional=True)
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_array_equal(p.detach().numpy(), q.detach().numpy())


@pytest.mark.parametrize(
    ("kind", "options"), [("LSTM", {}), ("LSTM", {"proj_size": 2}), ("GRU", {}), ("GRU", {"bias": False})], ids=str
)
def test_gradcheck_of_a_layer_and_its_parameters(kind: str, options: dict[str, Any]) -> None:
    layer = getattr(nn, kind)(I, H, **options, dtype=tinyrnn.float64)
    x, *states = leaves((3, 2, I), *[(1, 2, size) for size in layer._state_sizes()])

    def run(x: Any, *others: Any) -> tuple[Any, ...]:
        y, last = layer(x, one_or_pair(list(others[: len(states)])), lengths=[2, 3])
        return (y, *several(last))

    assert gradcheck(run, [x, *states, *layer.parameters()])


@pytest.mark.parametrize("cotangent", [0, 1, 2])
def test_an_lstm_of_which_only_one_result_is_used(cotangent: int) -> None:
    layer = nn.LSTM(I, H, dtype=tinyrnn.float64)
    x, h, c = leaves((T, N, I), (1, N, H), (1, N, H))
    inputs, found = [x, h, c, *layer.parameters()], []
    for run in (layer, lambda x, states: unrolled(layer, x, states, [T] * N)):
        y, (h_n, c_n) = run(x, (h, c))
        found.append(gradients([(y, h_n, c_n)[cotangent]], inputs))
        for leaf in inputs:
            leaf.grad = None
    for a, b in zip(*found, strict=True):
        assert error(a, b) < 1e-12


@pytest.mark.parametrize("kind", KINDS)
def test_learned_initial_states_start_at_zero_and_learn(kind: str) -> None:
    tinyrnn.manual_seed(0)
    plain = getattr(nn, kind)(I, H, 2, bidirectional=True, dtype=tinyrnn.float64)
    layer = getattr(nn, kind)(I, H, 2, bidirectional=True, dtype=tinyrnn.float64, learn_initial_state=True)
    assert not layer.load_state_dict(plain.state_dict(), strict=False).unexpected_keys
    x = tinyrnn.randn(T, N, I, dtype=tinyrnn.float64)
    initial = {name: p for name, p in layer.named_parameters() if name.startswith("initial_")}
    assert {name: p.shape for name, p in initial.items()} == dict.fromkeys(
        ["initial_h", "initial_c"][: len(layer.state_names)], (4, H)
    )
    np.testing.assert_array_equal(layer(x)[0].array, plain(x)[0].array)
    zeros = [tinyrnn.zeros(4, N, H, dtype=tinyrnn.float64, requires_grad=True) for _ in initial]
    for run in (lambda: layer(x), lambda: layer(x, one_or_pair(zeros))):
        backward([run()[0].sum()])
    for p, h in zip(initial.values(), zeros, strict=True):
        assert error(p.grad.array, h.grad.array.sum(1)) < 1e-12
    for form in (layer(x, lengths=LENGTHS), layer(x[:, 0])):
        assert form[0].requires_grad


def test_the_forget_bias_counts_both_bias_vectors() -> None:
    for module in (nn.LSTM(I, H, 2, bidirectional=True, forget_bias=1.5), nn.LSTMCell(I, H, forget_bias=1.5)):
        biases = {name: p.detach().numpy() for name, p in module.named_parameters() if name.startswith("bias")}
        for name, b in biases.items():
            if name.startswith("bias_ih"):
                other = biases[name.replace("_ih", "_hh")]
                np.testing.assert_array_equal((b + other)[H : 2 * H], 1.5)
                assert (np.abs(b + other)[:H] > 0).all()
    with pytest.raises(ValueError, match="and bias is False"):
        nn.LSTM(I, H, bias=False, forget_bias=1.0)


@pytest.mark.parametrize("kind", KINDS)
def test_what_torch_programs_touch_is_there(kind: str) -> None:
    layer = getattr(nn, kind)(I, H, 2)
    layer.flatten_parameters()
    assert [len(weights) for weights in layer.all_weights] == [4, 4]
    assert layer.all_weights[1][1] is layer.weight_hh_l1
    assert isinstance(layer, nn.RNNBase)
    assert layer.mode == {"RNN": "RNN_TANH"}.get(kind, kind)
    assert getattr(nn.modules.rnn, kind) is type(layer)


@pytest.mark.parametrize(
    ("call", "exception", "message"),
    [
        (lambda x, h: nn.LSTM(I, H)(x, h), TypeError, "LSTM: the states are a Tensor, expected (h_0, c_0)"),
        (lambda x, h: nn.LSTM(I, H)(x, (h,)), TypeError, "LSTM: the states are 1 of them, expected (h_0, c_0)"),
        (lambda x, h: nn.LSTM(I, H)(x, (h, h[:, :2])), ValueError, "LSTM: c_0 has shape (1, 2, 3), expected (1, 4, 3)"),
        (lambda x, h: nn.LSTM(I, H)(x, (h, None)), TypeError, "LSTM: of the states one is None, expected all"),
        (lambda x, h: nn.GRU(I, H)(x, h.double()), TypeError, "GRU: h_0 is float64, the weights are float32"),
        (lambda x, h: nn.GRU(I, H)(x[..., :1]), ValueError, "GRU: the input has shape (5, 4, 1), expected (T, N, 2)"),
        (lambda x, h: nn.GRU(I, H)(x, lengths=[5, 4]), ValueError, "the lengths have shape (2,), expected (4,)"),
        (lambda x, h: nn.GRU(I, H)(x, lengths=[5, 4, 6, 1]), ValueError, "expected at least one, each from 1 to 5"),
        (lambda x, h: nn.GRU(I, H)(x[:, 0], lengths=[5]), ValueError, "GRU: lengths are given, expected a padded"),
        (lambda x, h: nn.GRU(I, H, learn_initial_state="no"), TypeError, "GRU: learn_initial_state is 'no'"),
        (lambda x, h: nn.LSTM(I, H, proj_size=3), ValueError, "LSTM: proj_size is 3, expected a whole number from 0"),
        (lambda x, h: nn.LSTM(I, H, proj_size=-1), ValueError, "LSTM: proj_size is -1"),
        (lambda x, h: nn.LSTM(I, 0), ValueError, "LSTM: hidden_size is 0, expected at least 1"),
        (
            lambda x, h: nn.GRU(I, H)(pack_padded_sequence(x, [5, 4, 2, 1]), h[:, :3]),
            ValueError,
            "GRU: h_0 has shape (1, 3, 3), expected (1, 4, 3)",
        ),
    ],
)
def test_a_layer_says_what_does_not_fit(call: Any, exception: type[Exception], message: str) -> None:
    with pytest.raises(exception) as caught:
        call(tinyrnn.randn(T, N, I), tinyrnn.randn(1, N, H))
    assert message in str(caught.value)


@pytest.mark.parametrize("layer", [nn.RNN, nn.LSTM, nn.GRU])
def test_a_weight_may_be_computed_from_another_but_not_be_missing(layer):
    net, x = layer(2, 3), tinyrnn.randn(4, 1, 2)
    expected = net(x)[0].array
    raw = nn.Parameter(net.weight_hh_l0.detach() / 2)
    del net.weight_hh_l0
    with pytest.raises(ValueError, match=f"{layer.__name__}: a weight was deleted or is None"):
        net(x)
    net.weight_hh_l0 = 2 * raw
    y, _ = net(x)
    assert np.allclose(y.array, expected, rtol=0, atol=1e-6)
    y.sum().backward()
    assert raw.grad.array.any()


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_learned_initial_states_of_an_empty_batch_get_a_gradient_of_zero(kind):
    layer = getattr(nn, kind)(3, 4, learn_initial_state=True)
    layer(tinyrnn.randn(6, 0, 3))[0].sum().backward()
    np.testing.assert_array_equal(layer.initial_h.grad.numpy(), np.zeros((1, 4)))
