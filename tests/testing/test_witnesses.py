"""Five witnesses of one gradient agree for every recurrent layer; a planted fault stands out in the table."""

from __future__ import annotations

import importlib.util
from typing import Any

import pytest

import tinyrnn
from tinyrnn import nn
from tinyrnn.testing import Witnesses, witnesses

NAMES = ["fused kernel", "tape over unrolled cells", "real-time recurrent learning", "complex step", "torch"]


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
@pytest.mark.parametrize("options", [{}, {"num_layers": 2, "bidirectional": True, "batch_first": True}], ids=str)
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


def test_without_torch_its_row_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    table = witnesses(nn.RNN(2, 3, dtype=tinyrnn.float64), tinyrnn.randn(4, 3, 2, dtype=tinyrnn.float64))
    assert table[-1].difference is None
    assert str(table).splitlines()[-1].split() == ["torch", "not", "installed"]
    assert isinstance(table, Witnesses)
    assert len(str(table).splitlines()) == 6


@pytest.mark.parametrize(
    ("layer", "dtype", "exception", "message"),
    [
        (lambda: nn.RNN(2, 3), "float64", TypeError, "float64"),
        (lambda: nn.RNN(2, 3).double(), "float32", TypeError, "float64"),
        (lambda: nn.Linear(2, 3).double(), "float64", TypeError, "expected an RNN, LSTM or GRU"),
        (lambda: nn.GRU(2, 3, 2, dropout=0.5).double(), "float64", ValueError, "dropout is 0.5"),
    ],
)
def test_what_does_not_fit_is_said(layer: Any, dtype: str, exception: type[Exception], message: str) -> None:
    with pytest.raises(exception, match=message):
        witnesses(layer(), tinyrnn.randn(4, 3, 2, dtype=getattr(tinyrnn, dtype)))
