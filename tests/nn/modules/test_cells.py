"""LSTMCell and GRUCell (RNNCell: see test_rnn.py): one step of the reference, torch's numbers, gradients, bad input."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

import tinyrnn
from textbook import error, outputs
from tinyrnn import nn
from tinyrnn.autograd import backward, gradcheck

N, I, H = 4, 2, 3
KINDS = ["RNNCell", "LSTMCell", "GRUCell"]


def states_of(kind: str, batch: tuple[int, ...]) -> list[Any]:
    rng = np.random.default_rng(2)
    return [rng.standard_normal((*batch, H)) for _ in range(2 if kind == "LSTMCell" else 1)]


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("kind", ["LSTMCell", "GRUCell"])
def test_a_cell_is_one_step_of_the_reference(kind: str, bias: bool) -> None:
    cell = getattr(nn, kind)(I, H, bias, dtype=tinyrnn.float64)
    x, states = np.random.default_rng(0).standard_normal((N, I)), states_of(kind, (N,))
    weights = [p.detach().numpy() for p in cell.parameters()]
    _, *expected = outputs(kind.removesuffix("Cell").lower(), x[None], *states, *weights)
    given = [tinyrnn.tensor(h) for h in states]
    found = cell(tinyrnn.tensor(x), given[0] if len(given) == 1 else given)
    for h, e in zip([found] if len(given) == 1 else found, expected, strict=True):
        assert error(h.detach().numpy(), e) < 1e-14


@pytest.mark.parametrize("batch", [(N,), ()], ids=["batch", "single"])
@pytest.mark.parametrize("given", [False, True])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_cell_is_torchs(
    torch: ModuleType, kind: str, dtype: str, bias: bool, given: bool, batch: tuple[int, ...]
) -> None:
    ours = getattr(nn, kind)(I, H, bias, dtype=getattr(tinyrnn, dtype))
    theirs = getattr(torch.nn, kind)(I, H, bias, dtype=getattr(torch, dtype))
    assert repr(ours) == repr(theirs)
    theirs.load_state_dict({name: torch.tensor(p.numpy()) for name, p in ours.state_dict().items()})
    x = np.random.default_rng(0).standard_normal((*batch, I)).astype(dtype)
    results = []
    for module, cell in ((tinyrnn, ours), (torch, theirs)):
        leaves = [module.tensor(a.astype(dtype), requires_grad=True) for a in (x, *states_of(kind, batch))]
        hx = None if not given else leaves[1] if len(leaves) == 2 else tuple(leaves[1:])
        out = cell(leaves[0], hx)
        outs = list(out) if isinstance(out, tuple) else [out]
        rng = np.random.default_rng(1)
        module.autograd.backward(outs, [module.tensor(rng.standard_normal(tuple(o.shape)).astype(dtype)) for o in outs])
        kept = [*(leaves if given else leaves[:1]), *cell.parameters()]
        results.append([o.detach().numpy() for o in outs] + [leaf.grad.numpy() for leaf in kept])
    for found, expected in zip(*results, strict=True):
        assert found.dtype == expected.dtype
        assert error(found, expected) < (1e-12 if dtype == "float64" else 1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_gradcheck_of_a_cell_and_its_parameters(kind: str) -> None:
    cell = getattr(nn, kind)(I, H, dtype=tinyrnn.float64)
    leaves = [tinyrnn.tensor(a, requires_grad=True) for a in (np.ones((N, I)), *states_of(kind, (N,)))]

    def run(x: Any, *others: Any) -> Any:
        hs = others[: len(leaves) - 1]
        return cell(x, hs[0] if len(hs) == 1 else hs)

    assert gradcheck(run, [*leaves, *cell.parameters()])


@pytest.mark.parametrize("name", ["bias_ih", "bias_hh"])
@pytest.mark.parametrize("kind", KINDS)
def test_one_bias_without_the_other_counts(kind: str, name: str) -> None:
    cell = getattr(nn, kind)(I, H)
    x = tinyrnn.randn(N, I)
    nn.init.zeros_(getattr(cell, name))
    expected = cell(x)
    setattr(cell, name, None)
    for found, e in zip(cell(x), expected, strict=True):
        np.testing.assert_array_equal(found.detach().numpy(), e.detach().numpy())


@pytest.mark.parametrize("kind", ["LSTMCell", "GRUCell"])
def test_a_change_of_what_a_cell_read_is_refused(kind: str) -> None:
    cell = getattr(nn, kind)(I, H)
    h = tinyrnn.randn(N, H)
    out = cell(tinyrnn.randn(N, I), (h, h) if kind == "LSTMCell" else h)
    h.add_(1)
    with pytest.raises(RuntimeError, match="changed in place"):
        backward([out[0].sum()])


@pytest.mark.parametrize(
    ("call", "exception", "message"),
    [
        (lambda x, h: nn.LSTMCell(I, H)(x, h), TypeError, "LSTMCell: the states are a Tensor, expected (h, c) or None"),
        (lambda x, h: nn.LSTMCell(I, H)(x, (h, h, h)), TypeError, "LSTMCell: the states are 3 of them"),
        (lambda x, h: nn.LSTMCell(I, H)(x, (h, h[:2])), ValueError, "LSTMCell: the state has shape (2, 3)"),
        (lambda x, h: nn.LSTMCell(I, H)(x.double()), TypeError, "LSTMCell: the input is float64, the weights are"),
        (lambda x, h: nn.GRUCell(I, H)(x[None]), ValueError, "the cell takes one step, GRU a sequence"),
        (lambda x, h: nn.GRUCell(I, H)([1.0]), TypeError, "GRUCell: the input is a list, expected a tensor"),
        (lambda x, h: nn.GRUCell(I, H)(x, 0), TypeError, "GRUCell: the state is a int, expected a tensor or None"),
        (lambda x, h: nn.LSTMCell(I, H, forget_bias="one"), TypeError, "LSTMCell: forget_bias is 'one'"),
        (
            lambda x, h: nn.LSTMCell(I, H, bias=False, forget_bias=1),
            ValueError,
            "LSTMCell: forget_bias is 1.0 and bias",
        ),
    ],
)
def test_a_cell_says_what_does_not_fit(call: Any, exception: type[Exception], message: str) -> None:
    with pytest.raises(exception) as caught:
        call(tinyrnn.randn(N, I), tinyrnn.randn(N, H))
    assert message in str(caught.value)


@pytest.mark.parametrize("cell", [nn.LSTMCell, nn.LayerNormLSTMCell])
def test_one_state_of_two_is_refused_and_not_left_out(cell):
    for states in ((tinyrnn.ones(2, 4), None), (None, tinyrnn.ones(2, 4))):
        with pytest.raises(TypeError, match=r"LSTMCell: of the states \(h, c\) one is None"):
            cell(3, 4)(tinyrnn.ones(2, 3), states)
