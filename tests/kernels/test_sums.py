"""sum_rows beside exact sums, around the sizes of its blocks."""

import math

import numpy as np
import pytest

from tinyrnn.kernels.sums import BLOCK, sum_axes, sum_rows, sum_to


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


@pytest.mark.parametrize(
    ("shape", "of_g"),
    [
        *[((), (2, 3)), ((1,), (3,)), ((3,), (2, 3)), ((2, 1), (2, 3)), ((1, 1, 1), (4, 2, 3)), ((2, 3), (2, 3))],
        *[((1, 3), (5, 2, 3)), ((2, 1, 4), (6, 2, 3, 4)), ((0,), (2, 0)), ((1,), (0,)), ((3, 1), (3, 0))],
    ],
)
def test_sum_to_undoes_broadcasting(shape: tuple[int, ...], of_g: tuple[int, ...]) -> None:
    """<g, broadcast(x)> = <sum_to(shape, g), x> for every x: it is the adjoint."""
    rng = np.random.default_rng(0)
    g, x = rng.normal(size=of_g), rng.normal(size=shape)
    dx = sum_to(shape, g, "probe")
    assert dx.shape == shape
    np.testing.assert_allclose((dx * x).sum(), (g * np.broadcast_to(x, of_g)).sum(), rtol=1e-12)


@pytest.mark.parametrize("of_g", [(1, 3), (5, 3), (200, 3), (7, 2, 3), (4,)])
def test_sum_to_over_rows_is_the_plain_sum_in_every_layout(of_g: tuple[int, ...]) -> None:
    g = np.random.default_rng(1).normal(size=of_g[::-1]).T
    for g_in in (g, np.ascontiguousarray(g), np.broadcast_to(g[:1], of_g)):
        np.testing.assert_allclose(sum_to(of_g[1:], g_in, "probe"), g_in.sum(0), rtol=1e-12, atol=1e-14)
