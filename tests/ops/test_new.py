"""x.new_zeros and its kin: torch's dtypes, shapes and values."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

import tinyrnn
from tinyrnn import tensor

EXPRESSIONS = [
    "x.new_tensor([1.5, 2])", "x.new_tensor(3)", "x.new_tensor([[1], [2]], dtype=m.float64)", "x.new_tensor(x)",
    "x.new_tensor(np.ones(2))", "x.new_zeros(2, 3)", "x.new_zeros((2, 3))", "x.new_zeros(size=(2,))", "x.new_zeros(0)",
    "x.new_zeros(2, dtype=m.bool)", "x.new_ones([2])", "x.new_ones(m.tensor(2), 3)", "x.new_ones(2, device='cpu')",
    "x.new_full((2,), 3)", "x.new_full((2,), 3.5)", "x.new_full([2, 1], 1, dtype=m.int32)", "x.new_ones(())",
    "x.new_full(size=(2,), fill_value=2)", "x.new([1, 2])", "x.new([[1.5], [2]])", "x.new()", "x.new(np.ones(2))",
    "x.new(x)",
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:To copy construct")
@pytest.mark.parametrize("expression", EXPRESSIONS)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
def test_shape_dtype_and_values_are_torchs(torch: ModuleType, expression: str, dtype: str) -> None:
    results = []
    for m in (tinyrnn, torch):
        x = m.ones(2, 3, dtype=getattr(m, dtype))
        results.append(eval(expression, {"m": m, "x": x, "np": np}))
    ours, theirs = results
    assert f"torch.{ours.dtype}" == str(theirs.dtype)
    np.testing.assert_array_equal(ours.numpy(), theirs.numpy(), strict=True)


def test_what_is_empty_has_a_shape_and_the_dtype() -> None:
    x = tensor([1, 2])
    for y in (x.new_empty(2, 3), x.new(2, 3), x.new_empty((2, 3), device="cpu"), x.new(tinyrnn.ones(2, 3).size())):
        assert (y.shape, y.dtype) == ((2, 3), tinyrnn.int64)
    assert x.new(3).shape == (3,)


def test_they_are_leaves_that_share_nothing() -> None:
    x = tinyrnn.ones(2, requires_grad=True) * 2
    for y in (x.new_tensor(x), x.new_zeros(2), x.new_ones(2), x.new_full((2,), 1)):
        assert (y.is_leaf, y.requires_grad) == (True, False)
        assert not np.shares_memory(y.array, x.array)
    assert x.new_zeros(2, requires_grad=True).requires_grad


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda x: x.new_zeros(-1), ValueError, r"^new_zeros: the shape is \(-1,\)"),
        (lambda x: x.new_ones(2.5), TypeError, "^new_ones: got"),
        (lambda x: x.new_full((2,), [1]), TypeError, "^new_full: fill_value is list"),
        (lambda x: x.new_tensor([1], device="cuda"), ValueError, "^new_tensor: device 'cuda'"),
        (lambda x: x.new_tensor(["a"]), TypeError, "^new_tensor: dtype <U1"),
        (lambda x: x.new_empty(2, colour=1), TypeError, r"^new_empty\(\) got an unexpected keyword"),
        (lambda x: x.new(1.5), TypeError, "^new: got float, expected sizes, or a list of numbers"),
        (lambda x: x.new(x.double()), TypeError, "^new: got a tensor of float64, expected one of float32"),
        (lambda x: x.long().new_zeros(2, requires_grad=True), RuntimeError, "carries no gradient"),
    ],
)
def test_what_makes_no_tensor_is_refused(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make(tinyrnn.ones(2))
