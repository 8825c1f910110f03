"""A tensor that gets another shape in place: torch's shapes and gradients, the same memory, no change counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinyrnn
from tinyrnn import tensor

CHANGES = ["squeeze_()", "squeeze_(1)", "unsqueeze_(0)", "unsqueeze_(dim=-1)", "transpose_(0, 2)", "swapaxes_(0, 1)"]
CHANGES += ["swapdims_(dim0=0, dim1=1)", "squeeze_(dim=1).t_()"]


@pytest.mark.parametrize("change", CHANGES)
def test_the_change_is_torchs(agree: Callable[..., None], change: str) -> None:
    """Of what was used before, and of a view that is changed itself afterwards."""

    def run(m: Any, x: Any) -> Any:
        y = x * 1
        used = y * 2
        assert eval(f"y.{change}") is y
        view = (x * 1)[1:]
        eval(f"view.{change}")
        view.mul_(3)
        return y.tanh(), used, view * 2

    agree(run, np.arange(6.0).reshape(2, 1, 3))


@pytest.mark.parametrize("change", CHANGES)
def test_the_memory_stays_and_no_element_has_changed(change: str) -> None:
    w = tinyrnn.ones(2, 1, 3, requires_grad=True)
    x = w * 1
    z = (x * x).sum()
    array, other = x.array, x[0]
    eval(f"x.{change}")
    assert x._version == 0
    assert np.shares_memory(x.array, array)
    assert other.shape == (1, 3)
    x.mul_(2)
    assert other.tolist() == [[2, 2, 2]]
    with pytest.raises(RuntimeError, match="changed in place"):
        z.backward()


def test_a_product_from_before_keeps_its_gradient() -> None:
    w = tensor([[1.0, 2.0]], requires_grad=True)
    x = w * 1
    z = (x * x).sum()
    x.squeeze_()
    z.backward()
    assert w.grad is not None
    assert w.grad.tolist() == [[2, 4]]


def test_without_recording_the_gradient_still_finds_its_way() -> None:
    w = tensor([[1.0, 2.0]], requires_grad=True)
    x = w * 3
    with tinyrnn.no_grad():
        x.squeeze_()
        w.unsqueeze_(0)
    assert w.is_leaf
    assert w.shape == (1, 1, 2)
    v = tensor([[1.0, 2.0]], requires_grad=True)
    y = v * 3
    with tinyrnn.no_grad():
        y.squeeze_()
    y.sum().backward()
    assert v.grad is not None
    assert v.grad.tolist() == [[3, 3]]


def test_a_kept_gradient_has_the_new_shape() -> None:
    w = tensor([[1.0, 2.0]], requires_grad=True)
    x = w * 3
    x.retain_grad()
    x.squeeze_()
    (x * tensor([5.0, 7.0])).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [5, 7]


def test_a_leaf_that_requires_a_gradient_is_refused() -> None:
    x = tinyrnn.ones(1, 2, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"^squeeze_: a leaf that requires a gradient.*use squeeze, or.*no_grad\(\)"):
        x.squeeze_()
    assert x.shape == (1, 2)
    with pytest.raises(IndexError, match=r"^unsqueeze: dim 5 is out of range"):
        tinyrnn.ones(1).unsqueeze_(5)
