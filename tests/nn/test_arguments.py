"""The sizes that constructors take: whole numbers of at least 1; and what counts as a number."""

import re

import numpy as np
import pytest

import tinyrnn
from tinyrnn.nn.arguments import as_float, positive, several_tensors


@pytest.mark.parametrize("value", [3, np.int64(3), np.uint8(3), np.array(3)])
def test_a_whole_number_becomes_an_int(value):
    size = positive("Layer", "size", value)
    assert (size, type(size)) == (3, int)


@pytest.mark.parametrize(
    ("value", "exception", "message"),
    [
        (0, ValueError, "Layer: size is 0, expected at least 1"),
        (np.int64(-3), ValueError, "Layer: size is -3, expected at least 1"),
        (2.0, TypeError, "Layer: size is 2.0, expected a whole number"),
        (True, TypeError, "Layer: size is True, expected a whole number"),
        ("3", TypeError, "Layer: size is '3', expected a whole number"),
        (None, TypeError, "Layer: size is None, expected a whole number"),
        ((3,), TypeError, "Layer: size is (3,), expected a whole number"),
    ],
)
def test_anything_else_is_refused(value, exception, message):
    with pytest.raises(exception, match=re.escape(message)):
        positive("Layer", "size", value)


@pytest.mark.parametrize("value", [2, 2.0, np.float32(2), np.array(2), tinyrnn.tensor(2.0), "2"])
def test_a_number_becomes_a_float(value):
    x = as_float("clip", "max_norm", value)
    assert (x, type(x)) == (2.0, float)


def test_infinity_may_be_written_out():
    assert as_float("clip", "norm_type", "inf") == float("inf")


@pytest.mark.parametrize("value", [None, "two", [1.0]])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(TypeError, match=re.escape(f"clip: max_norm is {value!r}, expected a number")):
        as_float("clip", "max_norm", value)


def test_one_tensor_counts_as_several():
    x = tinyrnn.zeros(3)
    assert several_tensors("op", x)[0] is several_tensors("op", iter([x]))[0] is x
    with pytest.raises(TypeError, match="op: got a float, expected tensors"):
        several_tensors("op", [x, 1.0])
