"""erf beside Python's own, over its whole range."""

import math

import numpy as np
import pytest

from tinyrnn.kernels.erf import BLOCK, erf


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
def test_it_is_pythons_to_a_few_ulp(dtype):
    x = np.concatenate([np.linspace(-7, 7, 3 * BLOCK + 5), np.logspace(-30, 1, 500)]).astype(dtype)
    y = erf(x)
    assert y.dtype == dtype
    exact = np.array([math.erf(v) for v in x.tolist()])
    error = np.abs(y.astype(np.float64) - exact)
    assert (error <= 5 * np.finfo(dtype).eps * np.abs(exact) + np.finfo(dtype).smallest_subnormal).all()
    assert np.abs(y).max() == 1


@pytest.mark.parametrize("shape", [(), (0,), (2, 0), (2, 3, 4), (2 * BLOCK,)])
def test_it_keeps_the_shape_and_leaves_its_argument(shape):
    x = np.asarray(np.random.default_rng(0).standard_normal(shape)).T
    before = x.copy()
    y = erf(x)
    assert (y.shape, y.dtype) == (x.shape, x.dtype)
    np.testing.assert_array_equal(x, before)
    np.testing.assert_array_equal(y, erf(np.ascontiguousarray(x)).reshape(x.shape))


def test_infinities_nan_and_the_sign_of_0():
    y = erf(np.array([np.inf, -np.inf, np.nan, 0.0, -0.0]))
    np.testing.assert_array_equal(y, [1, -1, np.nan, 0, 0])
    assert np.signbit(y[4])
