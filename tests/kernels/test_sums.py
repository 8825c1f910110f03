"""sum_rows beside exact sums, around the sizes of its blocks."""

import math

import numpy as np
import pytest

from tinyrnn.kernels.sums import BLOCK, sum_axes, sum_rows


@pytest.mark.parametrize("n", [0, 1, 2, BLOCK - 1, BLOCK, 2 * BLOCK - 1, 2 * BLOCK, 2 * BLOCK + 1, 5 * BLOCK + 7])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_it_is_the_exact_sum_rounded(n, dtype):
    g = np.random.default_rng(n).standard_normal((n, 3)).astype(dtype)
    s = sum_rows(g)
    assert (s.shape, s.dtype) == ((3,), dtype)
    exact = np.array([math.fsum(column) for column in g.T])
    assert np.abs(s - exact).max() <= 4 * np.finfo(dtype).eps * np.abs(g).sum(0).max(initial=0)


def test_a_million_times_a_tenth_keeps_its_digits():
    s = sum_rows(np.full((1_000_000, 2), 0.1, np.float32))
    assert np.abs(s / (1e6 * float(np.float32(0.1))) - 1).max() < 1e-6


def test_rows_may_lie_anywhere_in_memory():
    g = np.random.default_rng(0).standard_normal((3, 2000))
    np.testing.assert_allclose(sum_rows(g.T), g.sum(1), rtol=1e-12)
    np.testing.assert_allclose(sum_rows(g.T[::-2]), g[:, ::-2].sum(1), rtol=1e-12)


def test_complex_numbers_are_summed_whole():
    g = np.full((1000, 2), 1 + 2j)
    np.testing.assert_array_equal(sum_rows(g), [1000 + 2000j] * 2)


@pytest.mark.parametrize("axes", [(), (0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2)])
@pytest.mark.parametrize("layout", [lambda x: x, lambda x: x.transpose(2, 0, 1).copy().transpose(1, 2, 0)])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_sums_and_means_over_axes_keep_their_digits(axes, layout, dtype):
    x = layout((np.random.default_rng(0).random((30, 20, 40)) + 1).astype(dtype))
    exact = x.astype(np.float64)
    n = int(np.prod([x.shape[axis] for axis in axes]))
    for keepdims in (False, True):
        s = sum_axes(x, axes, np.dtype(dtype), keepdims, n)
        expected = exact.sum(axes, keepdims=keepdims) / n
        assert (s.shape, s.dtype) == (expected.shape, dtype)
        assert np.abs(s / expected - 1).max() <= 2 * np.finfo(dtype).eps


@pytest.mark.parametrize("axes", [(0,), (0, 1), (0, 1, 2), (), (1, 0)])
@pytest.mark.parametrize("keepdims", [False, True])
def test_large_ones_of_float32_keep_their_digits_too(axes, keepdims):
    x = (np.random.default_rng(0).random((90, 21, 101)) + 1).astype(np.float32)
    exact = x.astype(np.float64).sum(axes, keepdims=keepdims)
    n = int(np.prod([x.shape[axis] for axis in axes]))
    for s, expected in (
        (sum_axes(x, axes, x.dtype, keepdims), exact),
        (sum_axes(x, axes, x.dtype, keepdims, n), exact / n),
    ):
        assert (s.shape, s.dtype) == (expected.shape, np.float32)
        assert np.abs(s / expected - 1).max() <= 4 * np.finfo(np.float32).eps
