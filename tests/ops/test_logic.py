"""Truth and bits: torch's values and dtypes, Python's operators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes

import tinyrnn
from tinyrnn import tensor

BINARY = ["logical_and", "logical_or", "logical_xor"]
BITS = [
    *("a & b", "a | b", "a ^ b", "~a", "a << b", "a >> b", "a & 3", "4 | a", "5 ^ a", "a << 2", "2 << a", "100 >> a"),
    *("m.bitwise_and(a, b)", "m.bitwise_or(a, 3)", "m.bitwise_xor(3, a)", "m.bitwise_not(a)"),
    *("a.bitwise_left_shift(b)", "a.bitwise_right_shift(1)"),
]


@pytest.mark.parametrize("name", BINARY)
@given(
    mutually_broadcastable_shapes(num_shapes=2, min_side=0, max_side=3, max_dims=3),
    st.integers(0, 2**32 - 1),
    st.sampled_from(["bool", "uint8", "int64", "float32", "float64"]),
)
def test_what_is_not_0_is_true(agree: Callable[..., None], name: str, shapes: Any, seed: int, dtype: str) -> None:
    rng = np.random.default_rng(seed)
    x, y = (np.asarray(rng.integers(0, 3, s)) for s in shapes.input_shapes)
    agree(lambda m, x, y: getattr(m, name)(x, y), x.astype(dtype), y)
    agree(lambda m, x, y: getattr(x, name)(y), x.astype(dtype), y.astype(bool))
    agree(lambda m, x, y: m.logical_not(x), x.astype(dtype), y)


def test_numbers_and_nan_have_a_truth_too() -> None:
    x = tensor([0.0, -0.0, 1.0, np.nan])
    assert tinyrnn.logical_and(x, 300).tolist() == [False, False, True, True]
    assert x.logical_or(0).tolist() == [False, False, True, True]
    assert tensor([0, 1], dtype=tinyrnn.uint8).logical_xor(-1).tolist() == [True, False]
    assert not tinyrnn.ones(2, requires_grad=True).logical_not().requires_grad


@pytest.mark.parametrize("expression", BITS)
@pytest.mark.parametrize("dtype", ["int64", "int32", "int8", "uint8"])
def test_bits_are_torchs_and_pythons(agree: Callable[..., None], expression: str, dtype: str) -> None:
    a, b = np.array([[1, 2, 3], [4, 5, 6]]).astype(dtype), np.array([2, 1, 3]).astype(dtype)
    agree(lambda m, a, b: eval(expression), a, b)
    if "m." not in expression and "bitwise" not in expression and dtype == "int64":
        ours = eval(expression, {"a": tensor(a), "b": tensor(b)}).tolist()
        pythons = [
            [eval(expression, {"a": x, "b": y}) for x, y in zip(row, b.tolist(), strict=True)] for row in a.tolist()
        ]
        assert ours == pythons


@pytest.mark.parametrize("expression", [*BITS[:4], "a & True", "False | a", "a ^ True", "a & 1", "a << 1", "a & c"])
def test_bits_of_bools_are_torchs(agree: Callable[..., None], expression: str) -> None:
    a, b, c = np.array([True, False, True]), np.array([[True], [False]]), np.array([3, 4, 5])
    agree(lambda m, a, b, c: eval(expression), a, b, c)


def test_floating_numbers_have_no_bits() -> None:
    for operation in (lambda x: x & x, lambda x: x | 1, lambda x: 1 ^ x, lambda x: x << 1, lambda x: x >> 1):
        with pytest.raises(TypeError, match=r"^bitwise_\w+: the operands are float32, expected bools or whole numbers"):
            operation(tensor([1.0]))
    with pytest.raises(TypeError, match=r"^bitwise_and: the operands are float32"):
        tensor([1]) & 1.5
    with pytest.raises(TypeError, match=r"^bitwise_not: the operands are float64"):
        ~tensor([1.0], dtype=tinyrnn.float64)
    with pytest.raises(ValueError, match=r"^bitwise_or: 300 does not fit uint8, which holds 0 to 255"):
        tensor([1], dtype=tinyrnn.uint8) | 300


@pytest.mark.parametrize("dim", [None, 0, -1, (0, 1), (2, 0), ()])
@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float32"])
def test_any_and_all_are_torchs(agree: Callable[..., None], dim: Any, dtype: str) -> None:
    x = np.array([[[0, 1, 0], [0, 2, 2]], [[3, 1, 0], [0, 1, 2]]]).astype(dtype)
    dims = {} if dim is None else {"dim": dim}
    for name in ("any", "all"):
        agree(lambda m, x, name=name: getattr(m, name)(x, **dims), x)
        agree(lambda m, x, name=name: getattr(x, name)(**dims), x[:0])
        if dims:
            agree(lambda m, x, name=name: getattr(x, name)(dim, True), x)
    agree(lambda m, x: m.count_nonzero(x, **dims), x)


def test_any_and_all_of_a_single_number_and_under_numpys_names(agree: Callable[..., None]) -> None:
    for name in ("any", "all"):
        agree(
            lambda m, x, name=name: (getattr(x, name)(), getattr(x, name)(0), getattr(x, name)(-1, True)), np.array(2)
        )
        agree(lambda m, x, name=name: getattr(x, name)(axis=0, keepdims=True), np.array([[0.0, np.nan]]))
        with pytest.raises(IndexError, match=f"^{name}: dim 1 is out of range"):
            getattr(tensor([1]), name)(1)
        with pytest.raises(TypeError, match=f"^{name}: expected a tensor, got list"):
            getattr(tinyrnn, name)([True])
    assert (tensor([1.0, 2.0]) > 0).all()
