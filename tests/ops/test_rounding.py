"""Rounding and division that rounds: torch's values, dtypes and gradients, and exact for whole numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinyrnn
from tinyrnn import tensor

ROUNDED = ["floor", "ceil", "trunc", "fix", "round", "frac"]
DIVIDED = ["floor_divide", "remainder", "fmod"]
STEPS = np.array([-2.5, -1.5, -0.5, -0.0, 0.5, 1.5, 2.5, 2.4, -2.6, 1e10, 3.0, math.inf, -math.inf, math.nan])


@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize("name", ROUNDED)
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "int64", "uint8"])
def test_rounding_is_torchs(agree: Callable[..., None], name: str, dtype: str) -> None:
    if name == "frac" and dtype in ("int64", "uint8"):  # which torch lacks
        assert tensor([1, 2]).frac().tolist() == [0, 0]
        return
    x = (STEPS if dtype == "float64" else np.array([0, 1.5, 2.25])).astype(dtype)
    for shape in (x.shape, (1, *x.shape), (*x.shape, 1)):
        agree(lambda m, x: getattr(m, name)(x), x.reshape(shape))
    agree(lambda m, x: getattr(x, name)(), x[0])
    agree(lambda m, x: getattr(x, name)(), x[:0])


@pytest.mark.parametrize("decimals", [0, 1, 3, -1])
def test_decimals_are_torchs(agree: Callable[..., None], decimals: int) -> None:
    agree(lambda m, x: m.round(x, decimals=decimals), np.array([0.12345, 27.5, -1.05, 15.0, 25.0]))
    agree(lambda m, x: x.round(decimals=decimals), np.array([0.12345, 27.5, -1.05, 15.0, 25.0], np.float32))


@pytest.mark.parametrize("name", DIVIDED)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([((2, 3), (3,)), ((2, 1), (1, 3)), ((), (2,)), ((0, 2), (1,)), ((), ())]),
    st.sampled_from(["float64", "float32", "int64", "int8"]),
)
def test_division_that_rounds_is_torchs(
    agree: Callable[..., None], name: str, seed: int, shapes: Any, dtype: str
) -> None:
    rng = np.random.default_rng(seed)
    x, y = (np.asarray(rng.integers(1, 100, s) * rng.choice([-1, 1], s)) for s in shapes)
    x, y = (v.astype(dtype) / 8 if dtype[0] == "f" else v.astype(dtype) for v in (x, y))  # exact, and often on a step
    x, y = x.astype(dtype), y.astype(dtype)

    def op(m: Any, x: Any, y: Any) -> Any:  # torch has no derivative for a rounded quotient under this name
        x, y = (x.detach(), y.detach()) if name == "floor_divide" else (x, y)
        return getattr(m, name)(x, y), getattr(x, name)(3)

    agree(op, x, y)


@pytest.mark.parametrize("mode", [None, "floor", "trunc"])
@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "int32", "uint8"])
def test_rounding_modes_of_div_are_torchs(agree: Callable[..., None], mode: Any, dtype: str) -> None:
    sign = 1 if dtype == "uint8" else -1
    x, y = np.array([5, 7 * sign, 6, 0]).astype(dtype), np.array([[2], [3 * sign]]).astype(dtype)
    agree(lambda m, x, y: m.div(x, y, rounding_mode=mode), x, y)
    agree(lambda m, x, y: x.divide(2, rounding_mode=mode), x, y)
    agree(lambda m, x, y: m.true_divide(x, y) if mode is None else x.div(2.5, rounding_mode=mode), x, y)


def test_quotients_of_large_whole_numbers_are_exact() -> None:
    x, y = tensor([2**62 + 1, -(2**62) - 1]), tensor([2, 2])
    assert x.div(y, rounding_mode="trunc").tolist() == [2**61, -(2**61)]
    assert (x // y).tolist() == [2**61, -(2**61) - 1]
    assert (x % 5).tolist() == [(2**62 + 1) % 5, (-(2**62) - 1) % 5]


@pytest.mark.parametrize("expression", ["a // 2", "a % 2", "7 // a", "7 % a", "a // -1.5", "a % -1.5", "7.5 // a"])
@pytest.mark.parametrize("dtype", ["float64", "int64", "float32"])
def test_operators_are_torchs_and_pythons(agree: Callable[..., None], expression: str, dtype: str) -> None:
    x = np.array([-5, 3, 2, 7]).astype(dtype)
    agree(lambda m, a: eval(expression, {"a": a.detach()}), x)
    np.testing.assert_allclose(eval(expression, {"a": tensor(x)}).numpy(), [eval(expression) for a in x.tolist()])


def test_a_rounded_quotient_has_slope_0_and_a_remainder_that_of_its_terms() -> None:
    x, y = tensor([7.5], requires_grad=True), tensor([2.0], requires_grad=True)
    (x // y).backward()
    assert (x.grad.tolist(), y.grad.tolist()) == ([0], [0])
    (x % y).backward()
    assert (x.grad.tolist(), y.grad.tolist()) == ([1], [-3])


@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")
def test_division_by_0(agree: Callable[..., None]) -> None:
    for name in DIVIDED:
        x = np.array([1.0, -1.0, 0.0])
        agree(lambda m, x, name=name: getattr(m, name)(x.detach(), 0.0), x)
        for zero in (0, tensor([1, 0])):
            with pytest.raises(ZeroDivisionError, match=rf"^{name}: whole numbers \(int64\) divided by 0: .float\(\)"):
                getattr(tinyrnn, name)(tensor([1, 2]), zero)


def test_what_cannot_be_divided_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^div: rounding_mode is 'up', expected None, 'floor' or 'trunc'"):
        tinyrnn.ones(2).div(2, rounding_mode="up")
    with pytest.raises(ValueError, match=r"^remainder: shapes \(2,\) and \(3,\) do not broadcast"):
        tinyrnn.ones(2) % tinyrnn.ones(3)
    with pytest.raises(TypeError, match=r"^floor_divide: cannot combine a tensor with str"):
        tinyrnn.ones(2) // "a"
    with pytest.raises(TypeError, match=r"^fmod: expected a tensor, got float"):
        tinyrnn.fmod(1.0, 2.0)
    with pytest.raises(TypeError, match=r"^floor: expected a tensor, got float"):
        tinyrnn.floor(1.0)  # type: ignore[arg-type]
