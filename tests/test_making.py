"""What a new tensor is made of: keywords that are checked together, shapes, data, and the constructors of old."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinyrnn
from tinyrnn import making
from tinyrnn.size import Size


def test_the_dtype_is_the_one_asked_for_else_that_of_another_else_the_default() -> None:
    x = np.ones(2, np.int64)
    assert making.wanted("f", tinyrnn.float64, {}, x) == tinyrnn.float64
    assert making.wanted("f", None, {}, x) == tinyrnn.int64
    assert making.wanted("f", None, {}) == tinyrnn.float32


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"device": "cpu"},
        {"layout": tinyrnn.strided, "pin_memory": False, "out": None, "memory_format": tinyrnn.preserve_format},
        {"requires_grad": True},
        {"requires_grad": False, "pin_memory": None, "device": None},
    ],
)
def test_what_is_so_anyway_may_be_said(options: Any) -> None:
    assert making.wanted("f", None, options) == tinyrnn.float32
    assert making.leaf(tinyrnn.Tensor, np.ones(2), options).requires_grad is options.get("requires_grad", False)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"colour": 1}, TypeError, r"^f\(\) got an unexpected keyword argument 'colour'"),
        ({"size": 1}, TypeError, r"^f\(\) got an unexpected keyword argument 'size'"),
        ({"device": "cuda"}, ValueError, "^f: device 'cuda' is not available"),
        ({"layout": "sparse"}, ValueError, "^f: layout='sparse' is not supported, expected tinyrnn.strided"),
        ({"memory_format": 1}, ValueError, "^f: memory_format=1 is not supported, expected tinyrnn.contiguous_format"),
        ({"pin_memory": True}, ValueError, "^f: pin_memory=True is not supported, expected False"),
        ({"out": np.ones(2)}, ValueError, "^f: out=.* is not supported, expected None: copy_ or fill_"),
        ({"requires_grad": True}, RuntimeError, "^requires_grad: a tensor of int64 carries no gradient"),
    ],
)
def test_what_is_not_so_is_refused(options: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        making.wanted("f", tinyrnn.int64, options)


def test_a_shape_is_given_once() -> None:
    options = {"size": [2, 3], "device": "cpu"}
    assert making.shape_of("f", (), options) == (2, 3)
    assert options == {"device": "cpu"}
    assert making.shape_of("f", (2, tinyrnn.tensor(3)), {}) == (2, 3)
    assert making.shape_of("f", ((),), {}) == ()
    with pytest.raises(TypeError, match=r"^f: got the shape twice, \(2,\) and size=3"):
        making.shape_of("f", (2,), {"size": 3})
    with pytest.raises(ValueError, match=r"^f: the shape is \(2, -1\), expected sizes of at least 0"):
        making.shape_of("f", (2, -1), {})


def test_data_are_copied_only_where_they_have_to_change() -> None:
    x = np.ones(2)
    assert making.as_array("f", x, None) is x
    assert making.as_array("f", tinyrnn.from_numpy(x), None) is x
    assert making.as_array("f", x, np.float32).dtype == np.float32
    assert making.as_array("f", [[tinyrnn.tensor(1), 2], [3, 4]], None).tolist() == [[1, 2], [3, 4]]


def test_numbers_fit_their_dtype() -> None:
    making.check_range("f", np.dtype("uint8"), 0, 255)
    making.check_range("f", np.dtype("float32"), -1e9, 1e9)
    with pytest.raises(ValueError, match=r"^f: not all numbers fit uint8, whose range is 0 to 255"):
        making.check_range("f", np.dtype("uint8"), -1, 3)


def test_a_constructor_of_old_tells_sizes_from_data() -> None:
    def made(*args: Any, **options: Any) -> Any:
        return making.construct(tinyrnn.Tensor, "f", args, np.dtype("int64"), options)

    for x in (made(2, 3), made(Size((2, 3))), made(size=(2, 3))):
        assert (x.shape, x.dtype) == ((2, 3), tinyrnn.int64)
    for x in (made([2, 3]), made((2, 3)), made(np.array([2, 3])), made(tinyrnn.tensor([2, 3]))):
        assert x.tolist() == [2, 3]
    assert (made().shape, made(3).shape, made(()).shape) == ((0,), (3,), (0,))
