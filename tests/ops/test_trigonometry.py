"""Circular and hyperbolic functions: Python's values, torch's dtypes and gradients."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinyrnn
from tinyrnn import tensor

SHAPES = st.lists(st.integers(0, 4), max_size=3).map(tuple)
ONE = [
    *("sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "asinh", "acosh", "atanh", "deg2rad", "rad2deg"),
    *("arcsin", "arccos", "arctan", "arcsinh", "arccosh", "arctanh"),
]
PYTHONS = {"deg2rad": "radians", "rad2deg": "degrees"}


def within_domain(name: str, x: np.ndarray) -> np.ndarray:
    return x + 2 if name in ("acosh", "arccosh") else x


@pytest.mark.parametrize("name", ONE)
@given(SHAPES, st.integers(0, 2**32 - 1), st.sampled_from(["float32", "float64"]))
def test_value_dtype_and_gradient_are_torchs(
    agree: Callable[..., None], name: str, shape: tuple[int, ...], seed: int, dtype: str
) -> None:
    x = within_domain(name, np.asarray(np.random.default_rng(seed).uniform(-0.9, 0.9, shape)))
    agree(lambda m, x: getattr(m, name)(x), x.astype(dtype))
    agree(lambda m, x: getattr(x, name)(), x.astype(dtype))


@pytest.mark.parametrize("name", ONE)
def test_values_are_pythons(name: str) -> None:
    x = within_domain(name, np.linspace(-0.9, 0.9, 7))
    expected = [getattr(math, PYTHONS.get(name, name.replace("arc", "a")))(v) for v in x.tolist()]
    np.testing.assert_allclose(getattr(tinyrnn, name)(tensor(x)).numpy(), expected, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("name", ONE)
def test_whole_numbers_are_taken_in_the_default_dtype(agree: Callable[..., None], name: str) -> None:
    agree(lambda m, x: getattr(m, name)(x), np.array([0, 0] if "tanh" in name else [1, 1]))


@pytest.mark.filterwarnings("ignore:invalid value", "ignore:divide by zero", "ignore:overflow")
@pytest.mark.parametrize("name", ONE)
def test_the_ends_of_the_domain_are_torchs(agree: Callable[..., None], name: str) -> None:
    agree(lambda m, x: getattr(m, name)(x), np.array([-1.0, 1.0, 0.0, 2.0, -2.0, math.inf, -math.inf, math.nan]))


@pytest.mark.parametrize("name", ["atan2", "arctan2", "hypot"])
@given(st.integers(0, 2**32 - 1), st.sampled_from([((2, 3), (3,)), ((2, 1), (1, 3)), ((), (2,)), ((0, 2), (1,))]))
def test_two_operands_are_torchs(agree: Callable[..., None], name: str, seed: int, shapes: tuple) -> None:
    rng = np.random.default_rng(seed)
    x, y = (np.asarray(rng.standard_normal(shape)) for shape in shapes)
    agree(lambda m, x, y: getattr(m, name)(x, y), x, y)
    f = getattr(math, name.replace("arc", "a"))
    x, y = np.broadcast_arrays(
        x, y
    )  # float32 without sums, whose terms may cancel to something far below their rounding
    agree(lambda m, x, y: getattr(x, name)(y), x.astype(np.float32), y.astype(np.float32))
    expected = [f(a, b) for a, b in zip(x.ravel().tolist(), y.ravel().tolist(), strict=True)]
    np.testing.assert_allclose(getattr(tinyrnn, name)(tensor(x), tensor(y)).numpy().ravel(), expected, rtol=1e-14)


def test_a_distance_lets_go_of_what_needs_no_gradient() -> None:
    x, y = tensor([3.0], requires_grad=True), tensor([4.0])
    z = x.hypot(y)
    y.zero_()
    z.backward()
    assert x.grad.tolist() == pytest.approx([0.6])


def test_angles_of_whole_numbers_and_with_numbers(agree: Callable[..., None]) -> None:
    agree(lambda m, x, y: m.atan2(x, y), np.array([1, -2, 0]), np.array([0, 1, -1]))
    agree(lambda m, x, y: m.atan2(x, y), np.zeros(2), np.array([0.0, 1]))
    assert tensor([3.0]).hypot(4).item() == 5
    with pytest.raises(ValueError, match=r"^hypot: shapes \(2,\) and \(3,\) do not broadcast"):
        tinyrnn.ones(2).hypot(tinyrnn.ones(3))


@pytest.mark.parametrize("name", ONE)
def test_what_is_no_tensor_is_refused(name: str) -> None:
    with pytest.raises(TypeError, match=f"^{name.replace('arc', 'a')}: expected a tensor, got float"):
        getattr(tinyrnn, name)(1.0)
