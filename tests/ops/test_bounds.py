"""The larger and the smaller of two, and clamping: torch's numbers at ties, at NaN and where bounds cross."""

from __future__ import annotations

import math
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes

import tinyrnn
from tinyrnn import tensor


@pytest.mark.parametrize("bounds", [(-1, 1), (-1, None), (None, 1), (1, -1), (-0.5, 0.5), (0, 0), (np.float64(-1), 1)])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
def test_clamp_is_torchs_inside_outside_and_at_the_bounds(agree: Callable[..., None], bounds: Any, dtype: str) -> None:
    low, high = bounds
    x = np.array([[-2, -1, -0.75, 0], [0, 0.25, 1, 2]]).astype(dtype)
    agree(lambda m, x: m.clamp(x, low, high), x)
    agree(lambda m, x: x.clamp(min=low, max=high), x)


def test_clamp_refuses_bounds_that_are_no_numbers() -> None:
    x = tinyrnn.ones(2)
    with pytest.raises(ValueError, match=r"^clamp: neither min nor max is given, expected at least one"):
        tinyrnn.clamp(x)
    for name in ("clamp", "clamp_min", "clamp_max"):
        with pytest.raises(TypeError, match=rf"^{name}: a bound is str, expected a number"):
            getattr(x, name)("a")
        with pytest.raises(ValueError, match=rf"^{name}: shapes \(2,\) and \(3,\) do not broadcast"):
            getattr(x, name)(tinyrnn.ones(3))
        with pytest.raises(ValueError, match=rf"^{name}: -1 does not fit uint8"):
            getattr(tensor([1], dtype=tinyrnn.uint8), name)(-1)
        with pytest.raises(TypeError, match=rf"^{name}: expected a tensor, got list"):
            getattr(tinyrnn, name)([1.0], 1)


@pytest.mark.parametrize("name", ["maximum", "minimum"])
def test_equal_operands_share_the_gradient(agree: Callable[..., None], name: str) -> None:
    agree(lambda m, x, y: getattr(m, name)(x, y), np.array([1.0, 2.0, 3.0]), np.array([1.0, 5.0, 0.0]))
    x, y = tensor([1.0, 2.0], requires_grad=True), tensor([1.0, 2.0], requires_grad=True)
    getattr(tinyrnn, name)(x, y).backward(tensor([3.0, 5.0]))
    assert x.grad is not None
    assert x.grad.tolist() == [1.5, 2.5]


def test_maximum_keeps_its_choice_in_single_bytes() -> None:
    x = tinyrnn.ones(100, requires_grad=True)
    held = [cell.cell_contents for cell in tinyrnn.maximum(x, x * 2).node.pullback.__closure__ or ()]
    assert {a.dtype for a in held if isinstance(a, np.ndarray)} == {np.dtype(bool)}


@pytest.mark.parametrize("op", ["maximum", "minimum"])
def test_at_nan_the_gradient_goes_to_both_as_in_torch(op: str, torch: ModuleType) -> None:
    grads = []
    for m in (tinyrnn, torch):
        x, y = (m.tensor(v, requires_grad=True) for v in ([math.nan, 1.0, 2.0, 3.0], [0.0, math.nan, 2.0, 1.0]))
        getattr(m, op)(x, y).backward(m.tensor([2.0, 3.0, 5.0, 7.0]))
        grads.append((x.grad.tolist(), y.grad.tolist()))
    assert grads[0] == grads[1]


@pytest.mark.parametrize("name", ["fmax", "fmin"])
def test_fmax_and_fmin_prefer_numbers_to_nan(agree: Callable[..., None], name: str) -> None:
    x, y = np.array([1.0, math.nan, 2.0, math.nan]), np.array([[1.0, 5.0, math.nan, math.nan], [3.0, 0.0, 2.0, -1.0]])
    agree(lambda m, x, y: getattr(m, name)(x, y), x, y)
    agree(lambda m, x, y: getattr(x, name)(y), x.astype(np.float32), y)
    agree(lambda m, x, y: getattr(m, name)(x, y), np.array([1, 2]), np.array([2, 1]))
    assert getattr(tensor([1.0, 3.0]), name)(2).tolist() == ([2, 3] if name == "fmax" else [1, 2])


BOUNDED = [
    "a.clamp(b, b + 1)",
    "a.clamp(b + 1, b)",  # they cross: the upper one counts
    "m.clamp(a, min=b)",
    "m.clamp(a, max=b)",
    "a.clip(None, b)",
    "a.clamp_min(b)",
    "a.clamp_max(b)",
    "m.clamp_min(a, 0.5)",
    "m.clamp_max(a, -0.5)",
    "m.clip(a, -0.5, 0.5)",
]


@pytest.mark.parametrize("expression", BOUNDED)
@given(
    mutually_broadcastable_shapes(num_shapes=2, min_side=0, max_side=3, max_dims=3),
    st.integers(0, 2**32 - 1),
    st.sampled_from(["float32", "float64"]),
)
def test_tensors_may_be_bounds(agree: Callable[..., None], expression: str, shapes: Any, seed: int, dtype: str) -> None:
    rng = np.random.default_rng(seed)
    a, b = (np.asarray(rng.standard_normal(shape)).astype(dtype) for shape in shapes.input_shapes)
    agree(lambda m, a, b: eval(expression), a, b)


@pytest.mark.parametrize("expression", [*BOUNDED[:7], "a.clamp(b, b)"])
def test_at_a_bound_and_at_nan_it_is_torchs(agree: Callable[..., None], expression: str) -> None:
    a, b = np.array([1.0, 2.0, math.nan, 1.0, math.inf]), np.array([1.0, 1.0, 1.0, math.nan, 1.0])
    agree(lambda m, a, b: eval(expression).detach(), a, b)
    if expression != "a.clamp(b, b)":  # torch gives no gradient to equal bounds
        agree(lambda m, a, b: eval(expression), a[:2], b[:2])


def test_a_number_and_a_tensor_may_bound_together() -> None:
    x, low = tensor([-2.0, 0.0, 2.0], requires_grad=True), tensor([-1.0, 1.0, 0.0], requires_grad=True)
    y = x.clamp(low, 1.5)
    assert y.tolist() == [-1, 1, 1.5]
    y.backward(tensor([2.0, 3.0, 5.0]))
    assert x.grad is not None
    assert low.grad is not None
    assert (x.grad.tolist(), low.grad.tolist()) == ([0, 0, 0], [2, 3, 0])


@pytest.mark.parametrize("dtype", ["int64", "uint8"])
def test_whole_numbers_stay_whole_between_whole_bounds(agree: Callable[..., None], dtype: str) -> None:
    x, low = np.array([1, 2, 3]).astype(dtype), np.array([2, 2, 2]).astype(dtype)
    agree(lambda m, x, low: x.clamp(low), x, low)
    agree(lambda m, x, low: x.clamp_min(2), x, low)
    agree(lambda m, x, low: x.clamp(max=2.5), x, low)
