"""Five witnesses of one gradient agree for every recurrent layer; a planted fault stands out in the table."""

from __future__ import annotations

import importlib.util
import sys
from typing import Any

import pytest

import tinyrnn
from tinyrnn import nn
from tinyrnn.testing import Witnesses, witnesses

NAMES = ["fused kernel", "tape over unrolled cells", "real-time recurrent learning", "complex step", "torch"]


DEEP = {"num_layers": 2, "bidirectional": True, "batch_first": True}


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")  # torch's own
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        *[(kind, options) for kind in ("RNN", "LSTM", "GRU") for options in ({}, DEEP)],
        ("RNN", {"nonlinearity": "relu", "bias": False}),
        ("LSTM", {"proj_size": 2}),
        ("LSTM", {"proj_size": 2, "bias": False, **DEEP}),
    ],
    ids=str,
)
def test_five_witnesses_agree(kind: str, options: dict[str, Any]) -> None:
    layer = getattr(nn, kind)(2, 3, **options, dtype=tinyrnn.float64)
    table = witnesses(layer, tinyrnn.randn(4, 3, 2, dtype=tinyrnn.float64))
    assert [w.name for w in table] == NAMES
    assert table[0].difference == 0
    assert table.worst < 1e-12
    asked = [w for w in table if w.difference is not None]
    assert len(asked) == 4 + (importlib.util.find_spec("torch") is not None)
    assert all(w.seconds > 0 and w.bytes > 1000 for w in asked)
    assert all(p.grad is None for p in layer.parameters())


def test_the_states_that_are_given_are_used() -> None:
    layer = nn.LSTM(2, 3, dtype=tinyrnn.float64)
    x, h, c = (tinyrnn.randn(*shape, dtype=tinyrnn.float64) for shape in ((4, 3, 2), (1, 3, 3), (1, 3, 3)))
    assert witnesses(layer, x, (h, c)).worst < 1e-12
    assert witnesses(nn.GRU(2, 3, dtype=tinyrnn.float64), x, h).worst < 1e-12


@pytest.mark.parametrize("fault", ["rtrl", "complex_steps"])
def test_a_fault_stands_out(monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    module = importlib.import_module("tinyrnn.testing.witnesses")
    right = getattr(module, fault)

    def planted(*args: Any) -> Any:
        found = right(*args)
        (found if fault == "complex_steps" else found[1]["weight_hh_l0"])[...] *= 1.001
        return found

    monkeypatch.setattr(module, fault, planted)
    table = witnesses(nn.RNN(2, 3, dtype=tinyrnn.float64), tinyrnn.randn(4, 3, 2, dtype=tinyrnn.float64))
    off = [w.name for w in table if w.difference is not None and w.difference > 1e-4]
    assert off == ["real-time recurrent learning" if fault == "rtrl" else "complex step"]


def test_what_is_frozen_is_asked_for_too_and_stays_frozen() -> None:
    layer = nn.GRU(2, 3, dtype=tinyrnn.float64)
    layer.weight_hh_l0.requires_grad_(False)
    with tinyrnn.no_grad():
        assert witnesses(layer, tinyrnn.randn(4, 3, 2, dtype=tinyrnn.float64)).worst < 1e-12
    assert [p.requires_grad for p in layer.parameters()] == [True, False, True, True]


def test_without_torch_its_row_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    table = witnesses(nn.RNN(2, 3, dtype=tinyrnn.float64), tinyrnn.randn(4, 3, 2, dtype=tinyrnn.float64))
    assert table[-1].difference is None
    assert str(table).splitlines()[-1].split() == ["torch", "not", "installed"]
    assert isinstance(table, Witnesses)
    assert len(str(table).splitlines()) == 6


@pytest.mark.parametrize("nonlinearity", ["sigmoid", "identity"])
def test_what_torch_has_not_the_four_others_are_asked(nonlinearity: str) -> None:
    layer = nn.RNN(2, 3, nonlinearity=nonlinearity, dtype=tinyrnn.float64)
    table = witnesses(layer, tinyrnn.randn(4, 3, 2, dtype=tinyrnn.float64))
    assert str(table).splitlines()[-1].split() == ["torch", "has", "no", nonlinearity]
    assert [w.difference is None for w in table] == [False] * 4 + [True]
    assert table.worst < 1e-12


class Own(nn.GRU):
    """A layer of one's own, whose forward the other witnesses would not know of."""


def tied() -> nn.Module:
    layer = nn.GRU(3, 3, 2).double()
    layer.weight_hh_l1 = layer.weight_hh_l0
    return layer


def test_states_and_inputs_that_do_not_fit_are_refused() -> None:
    layer, x = nn.LSTM(2, 3).double(), tinyrnn.randn(4, 3, 2, dtype=tinyrnn.float64)
    with pytest.raises(ValueError, match=r"hx has shapes .*, expected \[\(1, 3, 3\), \(1, 3, 3\)\]"):
        witnesses(layer, x, x[:1])
    with pytest.raises(ValueError, match=r"x has shape \(4, 2\), expected a batch"):
        witnesses(layer, x[:, 0])
    with pytest.raises(TypeError, match="x is a ndarray, expected float64"):
        witnesses(layer, x.numpy())
    with pytest.raises(TypeError, match="hx is of float32"):
        witnesses(layer, x, (x[:1].float(), x[:1].float()))


@pytest.mark.parametrize(
    ("layer", "dtype", "exception", "message"),
    [
        (lambda: nn.RNN(2, 3), "float64", TypeError, "float64"),
        (lambda: nn.RNN(2, 3).double(), "float32", TypeError, "float64"),
        (lambda: nn.Linear(2, 3).double(), "float64", TypeError, "expected an RNN, LSTM or GRU"),
        (lambda: Own(2, 3).double(), "float64", TypeError, "the layer is a Own, expected an RNN, LSTM or GRU itself"),
        (lambda: nn.GRU(2, 3, learn_initial_state=True).double(), "float64", ValueError, "learns its initial states"),
        (tied, "float64", ValueError, "two names of the layer share a parameter"),
        (lambda: nn.GRU(2, 3, 2, dropout=0.5).double(), "float64", ValueError, "dropout is 0.5"),
    ],
)
def test_what_does_not_fit_is_said(layer: Any, dtype: str, exception: type[Exception], message: str) -> None:
    with pytest.raises(exception, match=message):
        witnesses(layer(), tinyrnn.randn(4, 3, 2, dtype=getattr(tinyrnn, dtype)))
