"""Sums and means: torch's values, dtypes, shapes and gradients over any axes, and its refusals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinyrnn
from tinyrnn import tensor

ANY = [None, 0, 1, 2, -1, -3, (0,), (0, 2), (-1, 0), (0, 1, 2), (), [1, -1]]


@pytest.mark.parametrize("name", ["sum", "mean"])
@settings(max_examples=80)
@given(
    st.sampled_from(ANY),
    st.lists(st.integers(1, 4), min_size=3, max_size=3),
    st.integers(0, 2**32 - 1),
    st.sampled_from(["float32", "float64"]),
    st.booleans(),
)
def test_value_dtype_shape_and_gradient_are_torchs(
    agree: Callable[..., None], name: str, dim: Any, shape: list[int], seed: int, dtype: str, keepdim: bool
) -> None:
    x = np.random.default_rng(seed).uniform(1, 2, shape).astype(dtype)
    agree(lambda m, x: getattr(m, name)(x, dim, keepdim), x)
    agree(lambda m, x: getattr(x, name)(dim=dim, keepdim=keepdim), x)


@pytest.mark.parametrize("name", ["sum", "mean"])
@pytest.mark.parametrize("dim", [None, 0, -1, (), (0,)])
def test_a_0d_tensor_counts_as_having_one_axis(agree: Callable[..., None], name: str, dim: Any) -> None:
    agree(lambda m, x: getattr(m, name)(x, dim), np.array(2.5))
    agree(lambda m, x: getattr(m, name)(x, dim, keepdim=True), np.array(2.5))


@pytest.mark.parametrize("dim", [None, 0, 1, 2, (0, 1)])
def test_the_sum_of_nothing_is_0(agree: Callable[..., None], dim: Any) -> None:
    agree(lambda m, x: m.sum(x, dim), np.ones((2, 0, 3)))
    agree(lambda m, x: m.sum(x, dim), np.ones((2, 0, 3), np.int32))


@pytest.mark.filterwarnings("ignore:invalid value")
def test_the_mean_of_nothing_is_nan(agree: Callable[..., None]) -> None:
    agree(lambda m, x: m.mean(x), np.ones((2, 0)))
    agree(lambda m, x: m.mean(x, 0), np.ones((0, 2)))


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", "int32", "int64"])
@pytest.mark.parametrize("dim", [None, 0, (0, 1)])
def test_whole_numbers_are_summed_in_int64(agree: Callable[..., None], dtype: str, dim: Any) -> None:
    agree(lambda m, x: m.sum(x, dim), np.array([[100, 100, 100], [0, 1, 100]]).astype(dtype))


@pytest.mark.parametrize("to", ["float16", "float32", "float64", "int64", "int32"])
@pytest.mark.parametrize("of", ["float32", "float64", "int64", "bool"])
def test_a_dtype_may_be_asked_for(agree: Callable[..., None], of: str, to: str) -> None:
    x = np.array([[1, 2, 3], [4, 5, 6.75]]).astype(of)
    if of.startswith("float") and to.startswith("int"):  # torch refuses while a gradient is wanted
        y = tinyrnn.tensor(x, requires_grad=True).sum(dtype=to)
        assert (y.item(), y.dtype, y.requires_grad) == (21, to, False)
    else:
        agree(lambda m, x: m.sum(x, 0, dtype=getattr(m, to)), x)
    if to.startswith("float"):
        agree(lambda m, x: m.mean(x, 0, dtype=getattr(m, to)), x)


def test_float32_stays_float32_over_many_numbers() -> None:
    x = tinyrnn.full((1000, 1000), 0.1)
    assert x.sum().dtype == x.mean().dtype == tinyrnn.float32
    assert abs(x.mean().item() - 0.1) < 1e-7


def test_a_result_shares_no_memory() -> None:
    x = tensor(2.0)
    y, z = x.sum(), x.mean()
    x.zero_()
    assert y.item() == z.item() == 2


@pytest.mark.parametrize("name", ["sum", "mean"])
def test_axes_that_are_not_there_are_refused(name: str) -> None:
    x = tinyrnn.ones(2, 3)
    with pytest.raises(IndexError, match=f"^{name}: dim 2 is out of range for a tensor of 2 axes, expected -2 to 1"):
        getattr(x, name)(2)
    with pytest.raises(ValueError, match=rf"^{name}: dim \(0, -2\) names an axis twice"):
        getattr(x, name)((0, -2))
    with pytest.raises(TypeError, match=f"^{name}: dim is 1.5, expected a whole number"):
        getattr(x, name)(1.5)
    with pytest.raises(TypeError, match=f"^{name}: 'float99' is not a dtype"):
        getattr(x, name)(dtype="float99")
    with pytest.raises(TypeError, match=f"^{name}: expected a tensor, got ndarray"):
        getattr(tinyrnn, name)(np.ones(2))


@pytest.mark.parametrize("dtype", ["int64", "bool"])
def test_whole_numbers_have_no_mean(dtype: str) -> None:
    with pytest.raises(TypeError, match=rf"^mean: the tensor is {dtype}, expected a floating dtype: use \.float\(\)"):
        tinyrnn.ones(2, dtype=dtype).mean()
    assert tinyrnn.ones(2, dtype=dtype).mean(dtype=tinyrnn.float32).item() == 1


@pytest.mark.parametrize("dim", [0, (0,), (0, 1)])
def test_float32_is_summed_without_losing_digits(dim: Any) -> None:
    """Along a leading axis NumPy adds one by one: 1.5 % off here."""
    x = tinyrnn.full((2_000_000, 2), 0.1)
    exact = 200000.0 * (2 if dim == (0, 1) else 1)
    assert np.abs(x.sum(dim).array / exact - 1).max() < 1e-6
    assert np.abs(x.mean(dim).array / 0.1 - 1).max() < 1e-6
    assert x.sum(dim).dtype == x.mean(dim).dtype == tinyrnn.float32


@pytest.mark.parametrize(("n", "value"), [(100_000, 1.0), (200, 1000.0)])
def test_a_float16_mean_does_not_overflow(n: int, value: float) -> None:
    mean = (tinyrnn.ones(n, dtype=tinyrnn.float16) * value).mean()
    assert (mean.item(), mean.dtype) == (value, tinyrnn.float16)


def test_the_gradient_of_what_was_broadcast_loses_no_digits() -> None:
    b = tinyrnn.zeros(2, requires_grad=True)
    (tinyrnn.zeros(1_000_000, 2) + b).backward(tinyrnn.full((1_000_000, 2), 0.1))
    assert np.abs(b.grad.array / 1e5 - 1).max() < 1e-6


@pytest.mark.parametrize("name", ["sum", "mean"])
def test_numpys_names_are_understood(agree: Callable[..., None], name: str) -> None:
    x = np.random.default_rng(0).random((2, 3, 4))
    agree(lambda m, x: getattr(x, name)(axis=1), x)
    agree(lambda m, x: getattr(m, name)(x, axis=(0, 2)), x)
    assert getattr(tensor(x), name)(axis=1, keepdims=True).shape == (2, 1, 4)
    with pytest.raises(TypeError, match="axis"):
        getattr(tensor(x), name)(axis=1, dim=0)
