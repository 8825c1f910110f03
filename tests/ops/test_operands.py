"""What operations are given: broadcasting as NumPy's, dtypes as torch's, dims as Python's indices, the rest refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinyrnn
from tinyrnn import tensor
from tinyrnn.ops import operands as ops

SHAPES = st.lists(st.integers(0, 3), max_size=3).map(tuple)


@given(SHAPES, SHAPES)
def test_shapes_broadcast_or_are_refused_as_in_numpy(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    try:
        np.broadcast_shapes(a, b)
    except ValueError:
        with pytest.raises(ValueError, match=r"^f: shapes .* do not broadcast.*meets.*expected equal sizes or 1"):
            ops.check_broadcast("f", a, b)
    else:
        ops.check_broadcast("f", a, b)


def test_operands_come_in_one_dtype() -> None:
    x, y, second = ops.operands("f", tensor([1, 2]), tensor([0.5, 1.5]))
    assert x.dtype == y.dtype == np.float32
    assert second is not None
    x, y, second = ops.operands("f", tensor([1, 2]), 0.5)
    assert (x.dtype, y, second) == (np.float32, 0.5, None)
    x, y, second = ops.operands("f", tensor([1.0, 2.0]), np.float64(0.5))
    assert (x.dtype, type(y), second) == (np.float32, float, None)


def test_an_array_counts_as_a_tensor() -> None:
    array = np.ones(2)
    _, y, second = ops.operands("f", tensor([1.0, 2.0], requires_grad=True), array)
    assert second is not None
    assert second.tolist() == array.tolist()
    assert not np.shares_memory(second.array, array), "a change of the array would go uncounted"
    assert y.dtype == np.float64


@pytest.mark.parametrize(
    ("input", "other", "message"),
    [
        (1, tensor([1.0]), r"^f: expected a tensor, got int: make one with tinyrnn.tensor"),
        (np.ones(2), tensor([1.0]), r"^f: expected a tensor, got ndarray"),
        (tensor([1.0]), "a", r"^f: cannot combine a tensor with str, expected a tensor or a number"),
        (tensor([1.0]), None, r"^f: .*NoneType"),
        (tensor([1.0]), [1.0], r"^f: .*list"),
    ],
)
def test_what_is_no_tensor_and_no_number_is_refused(input: Any, other: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        ops.operands("f", input, other)


@pytest.mark.parametrize("value", [2, 2.5, True, np.float64(2.5), np.int32(2), np.bool_(True)])
def test_a_number_is_pythons_own(value: Any) -> None:
    assert type(ops.number("f", "alpha", value)) in (bool, int, float)
    assert ops.number("f", "alpha", value) == value


@pytest.mark.parametrize("value", ["1", None, tensor(1.0), np.ones(1)])
def test_what_is_no_number_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match=f"^f: alpha is {type(value).__name__}, expected a number"):
        ops.number("f", "alpha", value)


@pytest.mark.parametrize(
    ("like", "value", "dtype"),
    [
        (tensor([1.0]), 2, "float32"),
        (tensor([1.0]), np.float64(2), "float32"),
        (tensor([1.0], dtype=tinyrnn.float64), 2.5, "float64"),
        (tensor([1]), 2, "int64"),
        (tensor([1]), 2.5, "float32"),
        (tensor([True]), 2, "int64"),
        (tensor([True]), True, "bool"),
    ],
)
def test_a_number_on_the_left_becomes_a_0d_tensor_of_the_dtype_of_the_result(like: Any, value: Any, dtype: str) -> None:
    constant = ops.constant("f", like, value)
    assert (constant.shape, constant.dtype, constant.item()) == ((), dtype, value)


def test_a_tensor_on_the_left_stays_itself() -> None:
    x = tensor([1.0])
    assert ops.constant("f", tensor([2]), x) is x


def test_two_dtypes_are_refused_where_one_is_expected() -> None:
    x = np.ones(2, np.float32)
    ops.check_same_dtype("f", x, x.copy())
    with pytest.raises(TypeError, match=r"^f: the operands are float32 and float64, expected one dtype.*\.double\(\)"):
        ops.check_same_dtype("f", x, np.ones(2))


@pytest.mark.parametrize(("given", "expected"), [("int64", "float32"), ("bool", "float32"), ("float64", "float64")])
def test_floating_makes_whole_numbers_the_default_dtype(given: str, expected: str) -> None:
    assert ops.floating("f", tinyrnn.ones(2, dtype=given)).dtype == expected


def test_floating_follows_the_default_dtype() -> None:
    tinyrnn.set_default_dtype(tinyrnn.float64)
    try:
        assert ops.floating("f", tensor([1])).dtype == np.float64
    finally:
        tinyrnn.set_default_dtype(tinyrnn.float32)


@pytest.mark.parametrize(("shape", "expected"), [((2, 3), (2, 3)), (([2, 3],), (2, 3)), (((),), ()), ((), ())])
def test_sizes_are_given_one_by_one_or_in_a_sequence(shape: Any, expected: tuple[int, ...]) -> None:
    assert ops.sizes("f", shape) == expected


def test_sizes_may_be_tensors_and_numpys_numbers() -> None:
    assert ops.sizes("f", (tensor(2), np.int64(3))) == (2, 3)


@pytest.mark.parametrize("shape", [(2.0,), ("2",), (None,), ([2, 1.5],)])
def test_sizes_that_are_no_whole_numbers_are_refused(shape: Any) -> None:
    with pytest.raises(TypeError, match=r"^f: got \(.*\), expected whole numbers"):
        ops.sizes("f", shape)


@given(st.integers(1, 4), st.integers(-6, 6))
def test_a_dim_counts_from_either_end(ndim: int, dim: int) -> None:
    if -ndim <= dim < ndim:
        assert ops.normal_axis("f", dim, ndim) == range(ndim)[dim]
    else:
        with pytest.raises(IndexError, match=f"^f: dim {dim} is out of range for a tensor of {ndim} axes, expected"):
            ops.normal_axis("f", dim, ndim)


def test_a_0d_tensor_counts_as_having_one_axis() -> None:
    assert [ops.normal_axis("f", dim, 0) for dim in (0, -1)] == [0, 0]
    with pytest.raises(IndexError, match="dim 1 is out of range for a tensor of 0 axes, expected -1 to 0"):
        ops.normal_axis("f", 1, 0)


@pytest.mark.parametrize("dim", [1.0, "0", True, None])
def test_a_dim_that_is_no_whole_number_is_refused(dim: Any) -> None:
    with pytest.raises(TypeError, match=r"^f: dim is .*, expected a whole number"):
        ops.normal_axis("f", dim, 2)


@pytest.mark.parametrize(
    ("dim", "expected"),
    [(None, (0, 1, 2)), ((), (0, 1, 2)), ([], (0, 1, 2)), (-1, (2,)), ((2, 0), (2, 0)), ([-1, -3], (2, 0))],
)
def test_dims_are_one_several_or_all(dim: Any, expected: tuple[int, ...]) -> None:
    assert ops.normal_axes("f", dim, 3) == expected


def test_no_dim_is_named_twice() -> None:
    with pytest.raises(ValueError, match=r"^f: dim \(0, -2\) names an axis twice"):
        ops.normal_axes("f", (0, -2), 2)


def test_the_axis_of_a_0d_tensor_is_none_of_numpys() -> None:
    assert ops.normal_axes("f", 0, 0) == ()


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "int64"])
def test_a_number_has_to_fit_whole_ones(dtype: str) -> None:
    limits = np.iinfo(dtype)
    for fits in (limits.min, limits.max, 0, 127, 2.5):
        ops.check_fits("f", fits, np.dtype(dtype))
    for beyond in (limits.min - 1, limits.max + 1):
        with pytest.raises(ValueError, match=rf"^f: {beyond} does not fit {dtype}, which holds {limits.min} to"):
            ops.check_fits("f", beyond, np.dtype(dtype))
        with pytest.raises(ValueError, match=f"^f: {beyond} does not fit"):
            ops.operands("f", tinyrnn.ones(2, dtype=dtype), beyond)
        assert ops.operands("f", tinyrnn.ones(2, dtype=dtype), beyond, any_number=True)[1] == beyond
    for dtype in ("bool", "float32"):
        ops.check_fits("f", 2**70, np.dtype(dtype))


def test_floating_operands_are_both_of_the_default_dtype_at_least() -> None:
    x, y, _ = ops.floating_operands("f", tensor([1, 2]), tensor([3]))
    assert x.dtype == y.dtype == np.float32
    x, y, _ = ops.floating_operands("f", tensor([1, 2]), 3)
    assert (x.dtype, y) == (np.float32, 3)
    x, y, _ = ops.floating_operands("f", tensor([1, 2]), tensor([3.0], dtype=tinyrnn.float64))
    assert x.dtype == y.dtype == np.float64


def test_numpys_names_stand_for_torchs() -> None:
    @ops.numpy_names
    def op(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
        return input, dim, keepdim

    assert op(1, axis=2, keepdims=True) == op(1, 2, True) == op(1, dim=2, keepdim=True) == (1, 2, True)
    for both in ({"axis": 1, "dim": 2}, {"keepdim": True, "keepdims": True}):
        with pytest.raises(TypeError, match="unexpected keyword"):
            op(1, **both)


def test_a_floating_tensor_shows_its_array() -> None:
    x = tinyrnn.zeros(3)
    assert ops.floating_tensor("op", x) is x.array
    with pytest.raises(TypeError, match="op: expected a tensor, got ndarray"):
        ops.floating_tensor("op", np.zeros(3))
    with pytest.raises(TypeError, match="op: the input is int64, expected a floating dtype"):
        ops.floating_tensor("op", tinyrnn.arange(3))
