"""pad: what stands before and after, and what is cut off."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinyrnn
from nn_checks import check_gradients
from tinyrnn.nn.functional import pad


@given(st.lists(st.integers(0, 3), min_size=0, max_size=6).filter(lambda p: len(p) % 2 == 0), st.floats(-3, 3))
def test_it_is_numpys_padding_from_the_last_axis_on(sizes, value):
    x = np.random.default_rng(0).standard_normal((2, 3, 4))
    pairs = [(0, 0)] * (3 - len(sizes) // 2) + [tuple(sizes[k : k + 2]) for k in range(len(sizes) - 2, -1, -2)]
    y = pad(tinyrnn.tensor(x), sizes, value=value)
    assert np.array_equal(y.array, np.pad(x, pairs, constant_values=value))


@pytest.mark.parametrize("sizes", [(1, 2), (-1, 2), (1, -2), (-1, -1, 2, 0), (0, 0, 1, 1, -1, 0), ()])
def test_gradients(sizes):
    check_gradients(lambda x: pad(x, sizes), (3, 4, 5))
    check_gradients(lambda x: pad(x, sizes, "constant", 7.5), (3, 4, 5))


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool"])
def test_against_torch(agree, dtype):
    x = np.random.default_rng(0).standard_normal((3, 4, 5)).astype(dtype)
    for sizes in [(1, 2), (-1, 2), (1, -2), (-1, -1, 2, 0), (0, 0, 1, 1, -1, 0), (2, -5)]:
        agree(lambda m, x, sizes=sizes: m.nn.functional.pad(x, sizes), x)
        agree(lambda m, x, sizes=sizes: m.nn.functional.pad(x, sizes, "constant", 1), x)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((1, 2, 3),), "pad: got 3 numbers, (1, 2, 3), expected a pair for each of at most 2 axes"),
        (((1,) * 6,), "pad: got 6 numbers"),
        (((-3, -2),), "pad: (-3, -2) cuts off more than there is of (3, 4)"),
        (((2, -5),), "pad: (2, -5) cuts off more"),
        (((1, 1), "reflect"), "pad: the mode is 'reflect', expected 'constant', the only one here"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        pad(tinyrnn.zeros(3, 4), *arguments)
    with pytest.raises(TypeError, match="pad: expected a tensor, got int"):
        pad(3, (1, 1))
