"""Recurrent against the fused layers and hand-written loops, with users' cells; LayerNormLSTMCell by its equations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinyrnn
from textbook import error
from tinyrnn import nn
from tinyrnn.autograd import backward, gradcheck
from tinyrnn.kernels.reference import sigmoid
from tinyrnn.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

T, N, I, H = 5, 4, 2, 3
LENGTHS = [2, 5, 1, 2]
F64 = {"dtype": tinyrnn.float64}


def several(states: Any) -> tuple[Any, ...]:
    return tuple(states) if isinstance(states, tuple | list) else (states,)


def gradients(outs: list[Any], leaves: list[Any]) -> list[Any]:
    rng = np.random.default_rng(1)
    for leaf in leaves:
        leaf.grad = None
    backward(outs, [tinyrnn.tensor(rng.standard_normal(o.shape)) for o in outs])
    return [o.array for o in outs] + [leaf.grad.array for leaf in leaves]


def twin(layer: Any) -> nn.Recurrent:
    """Recurrent over cells that own the very parameters of a fused layer."""
    cells = []
    for k in range(layer.num_layers):
        for end in layer._directions():
            names = {
                name: getattr(layer, f"{name}_l{k}{end}") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            }
            cell = getattr(nn, type(layer).__name__ + "Cell")(names["weight_ih"].shape[1], H, **F64)
            for name, p in names.items():
                setattr(cell, name, p)
            cells.append(cell)
    return nn.Recurrent(cells, bidirectional=layer.bidirectional, batch_first=layer.batch_first)


@pytest.mark.parametrize("given", [False, True])
@pytest.mark.parametrize("form", ["batch", "single", "lengths", "packed", "sorted"])
@pytest.mark.parametrize("options", [{}, {"num_layers": 2, "bidirectional": True}, {"batch_first": True}], ids=str)
@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_recurrent_over_cells_is_the_fused_layer(kind: str, options: dict[str, Any], form: str, given: bool) -> None:
    layer = getattr(nn, kind)(I, H, **options, **F64)
    first, rows = layer.batch_first, layer.num_layers * len(layer._directions())
    shape = (T, I) if form == "single" else (N, T, I) if first else (T, N, I)
    x = tinyrnn.randn(*shape, **F64, requires_grad=True)
    batch = () if form == "single" else (N,)
    hs = [tinyrnn.randn(rows, *batch, H, **F64, requires_grad=True) for _ in layer.state_names]
    hx = None if not given else hs[0] if len(hs) == 1 else tuple(hs)
    leaves = [x, *(hs if given else []), *layer.parameters()]
    lengths = [5, 4, 4, 1] if form == "sorted" else LENGTHS
    results = []
    for module in (layer, twin(layer)):
        if form in ("batch", "single"):
            y, last = module(x, hx)
        elif form == "lengths":
            y, last = module(x, hx, lengths=lengths)
        else:
            packed, last = module(pack_padded_sequence(x, lengths, first, enforce_sorted=form == "sorted"), hx)
            y = pad_packed_sequence(packed, first)[0]
        assert type(last) is (tuple if kind == "LSTM" else tinyrnn.Tensor)
        results.append(gradients([y, *several(last)], leaves))
    for found, expected in zip(*results, strict=True):
        assert error(found, expected) < 1e-12


class Leaky(nn.Module):
    """A user's cell: h' = (1 - a) h + a tanh(W [x, h]), the leak a learned, its first state made by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(I + H, H, **F64)
        self.leak = nn.Parameter(tinyrnn.tensor(0.3, **F64))

    def forward(self, x: Any, h: Any) -> Any:
        if h is None:
            h = tinyrnn.ones(*x.shape[:-1], H, **F64)
        return (1 - self.leak) * h + self.leak * self.linear(tinyrnn.cat([x, h], -1)).tanh()


@pytest.mark.parametrize("lengths", [None, LENGTHS])
def test_a_users_cell_is_called_step_by_step(lengths: list[int] | None) -> None:
    layer = nn.Recurrent(Leaky())
    names = {f"cells.0.{name}" for name in ("leak", "linear.weight", "linear.bias")}
    assert {name for name, _ in layer.named_parameters()} == names
    x = tinyrnn.randn(T, N, I, **F64)
    y, h_n = layer(x, lengths=lengths)
    for n, length in enumerate(lengths or [T] * N):
        h = None
        for t in range(length):
            h = layer.cells[0](x[t, n], h)
            assert error(y.detach().array[t, n], h.detach().array) < 1e-14
        assert h is not None
        assert error(h_n.detach().array[0, n], h.detach().array) < 1e-14
        assert (y.array[length:, n] == 0).all()
    assert gradcheck(lambda x, *_: layer(x, lengths=lengths), [x.requires_grad_(), *layer.parameters()])


def test_the_backward_direction_of_a_users_cell_begins_at_each_end() -> None:
    cells = [Leaky(), Leaky()]
    layer = nn.Recurrent(cells, bidirectional=True)
    x = tinyrnn.randn(T, N, I, **F64)
    y, h_n = layer(x, lengths=LENGTHS)
    assert y.shape == (T, N, 2 * H)
    assert h_n.shape == (2, N, H)
    for n, length in enumerate(LENGTHS):
        h = None
        for t in reversed(range(length)):
            h = cells[1](x[t, n], h)
            assert error(y.detach().array[t, n, H:], h.detach().array) < 1e-14


def test_dropout_acts_between_layers_in_training_only() -> None:
    layer = nn.Recurrent([nn.RNNCell(I, H), nn.RNNCell(H, H)], dropout=1.0)
    x = tinyrnn.randn(T, N, I)
    b = layer.cells[1](tinyrnn.zeros(N, H))
    np.testing.assert_allclose(layer(x)[0][0].detach().numpy(), b.detach().numpy(), rtol=1e-6)
    layer.eval()
    assert not np.allclose(layer(x)[0][0].detach().numpy(), b.detach().numpy())


def layer_norm(a: Any, gain: Any, bias: Any = 0) -> Any:
    return (a - a.mean(-1, keepdims=True)) / np.sqrt(a.var(-1, keepdims=True) + 1e-5) * gain + bias


def test_layer_norm_lstm_cell_computes_its_equations() -> None:
    cell = nn.LayerNormLSTMCell(I, H, forget_bias=1.0, **F64)
    assert cell.bias.tolist() == [0.0] * H + [1.0] * H + [0.0] * 2 * H
    for p in cell.parameters():
        p.data.copy_(tinyrnn.randn(*p.shape, **F64))
    p = {name: value.detach().numpy() for name, value in cell.named_parameters()}
    x, h, c = (tinyrnn.randn(N, size, **F64, requires_grad=True) for size in (I, H, H))
    a = layer_norm(x.array @ p["weight_ih"].T, p["ln_ih.weight"])
    a = a + layer_norm(h.array @ p["weight_hh"].T, p["ln_hh.weight"]) + p["bias"]
    i, f, g, o = np.split(a, 4, -1)
    expected_c = sigmoid(f) * c.array + sigmoid(i) * np.tanh(g)
    expected_h = sigmoid(o) * np.tanh(layer_norm(expected_c, p["ln_c.weight"], p["ln_c.bias"]))
    found_h, found_c = cell(x, (h, c))
    assert error(found_h.detach().array, expected_h) < 1e-13
    assert error(found_c.detach().array, expected_c) < 1e-13
    assert gradcheck(lambda x, h, c, *_: cell(x, [h, c]), [x, h, c, *cell.parameters()])


def test_a_layer_of_layer_norm_lstm_cells_learns() -> None:
    layer = nn.Recurrent([nn.LayerNormLSTMCell(I, H), nn.LayerNormLSTMCell(H, H)], batch_first=True)
    y, (h_n, c_n) = layer(tinyrnn.randn(N, T, I), lengths=LENGTHS)
    assert (y.shape, h_n.shape, c_n.shape) == ((N, T, H), (2, N, H), (2, N, H))
    (y.sum() + c_n.sum()).backward()
    assert all(p.grad is not None for p in layer.parameters())


@pytest.mark.parametrize(
    ("call", "exception", "message"),
    [
        (lambda x: nn.Recurrent([]), ValueError, "Recurrent: 0 cells"),
        (lambda x: nn.Recurrent([Leaky()], bidirectional=True), ValueError, "an even number, as bidirectional is True"),
        (lambda x: nn.Recurrent([len]), TypeError, "cells[0] is a builtin_function_or_method, expected a module"),
        (lambda x: nn.Recurrent(len), TypeError, "cells[0] is a builtin_function_or_method, expected a module"),
        (lambda x: nn.Recurrent(Leaky), TypeError, "cells[0] is the class Leaky, expected a module: make one, Leaky("),
        (lambda x: nn.Recurrent(Leaky(), dropout=2.0), ValueError, "Recurrent: the probability is 2.0"),
        (lambda x: nn.Recurrent(Leaky())(x[0, 0]), TypeError, "the input is of shape (2,), expected a tensor (T, N"),
        (lambda x: nn.Recurrent(Leaky())([1]), TypeError, "the input is a list"),
        (lambda x: nn.Recurrent(Leaky())(x[:0]), ValueError, "whose sequence has no steps"),
        (lambda x: nn.Recurrent(Leaky())(x, x), ValueError, "expected a tensor (1, ...), one row a cell"),
        (lambda x: nn.Recurrent(Leaky())(x, lengths=[1]), ValueError, "expected (4,)"),
        (
            lambda x: nn.Recurrent([nn.GRUCell(I, H, **F64), nn.GRUCell(H, 2, **F64)])(x),
            ValueError,
            "expected the same of each",
        ),
        (lambda x: nn.LayerNormLSTMCell(I, H)(x[0]), TypeError, "LayerNormLSTMCell: the input is float64"),
        (lambda x: nn.LayerNormLSTMCell(I, H)(x[0].float(), x), TypeError, "the states are a Tensor, expected (h, c)"),
    ],
)
def test_what_does_not_fit_is_said(call: Any, exception: type[Exception], message: str) -> None:
    with pytest.raises(exception) as caught:
        call(tinyrnn.randn(T, N, I, **F64))
    assert message in str(caught.value)
