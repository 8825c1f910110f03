"""sum_by_row: against adding one by one, few rows and many, few and many to a place."""

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyrnn.kernels import rows
from tinyrnn.kernels.rows import FEW, PRODUCT, sum_by_row
from tinyrnn.kernels.sums import BLOCK


def scattered(index, g, n):
    """What the rows and sums give in a table of n rows."""
    places, sums = sum_by_row(index, g)
    assert set(places.tolist()) == set(index.tolist())
    assert sums.dtype == g.dtype
    table = np.zeros((n, g.shape[1]), np.float64)
    table[places] += sums
    return table


def expected(index, g, n):
    table = np.zeros((n, g.shape[1]), np.float64)
    for k, row in zip(index.tolist(), g.astype(np.float64), strict=True):
        table[k] += row
    return table


@given(st.lists(st.integers(0, 5), max_size=80), st.integers(0, 2**16), st.booleans())
def test_it_is_the_sum_one_by_one(index, above, by_product):
    index = np.array(index, np.int64) + above
    g = np.random.default_rng(0).standard_normal((len(index), 3))
    with patch.object(rows, "PRODUCT", PRODUCT if by_product else 0):
        found = scattered(index, g, above + 6)
    np.testing.assert_allclose(found, expected(index, g, above + 6), rtol=0, atol=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("cache", [0, 2**30])
@pytest.mark.parametrize("counts", [[FEW, FEW + 1, 1], [2 * BLOCK, 2 * BLOCK + 1, 3 * BLOCK, 2], [1] * 9, [500], []])
def test_few_and_many_rows_to_a_place(counts, cache, dtype, monkeypatch):
    monkeypatch.setattr(rows, "PRODUCT", 0)
    monkeypatch.setattr(rows, "CACHE", cache)
    rng = np.random.default_rng(1)
    index = rng.permutation(np.repeat(np.arange(len(counts)), counts)).astype(np.int64)
    g = rng.standard_normal((len(index), 5)).astype(dtype)
    tolerance = 1e-13 if dtype is np.float64 else 2e-5
    np.testing.assert_allclose(scattered(index, g, 9), expected(index, g, 9), rtol=0, atol=tolerance)


def test_the_gradient_is_left_as_it_is():
    index, g = np.array([1, 0, 1, 1]), np.arange(8.0).reshape(4, 2)
    sum_by_row(index, g)
    assert np.array_equal(g, np.arange(8.0).reshape(4, 2))


def test_many_rows_keep_the_digits():
    """0.1 summed 10^5 times in float32 would be off by 1e-3."""
    places, sums = sum_by_row(np.zeros(10**5, np.int64), np.full((10**5, 2), 0.1, np.float32))
    assert places.tolist() == [0]
    np.testing.assert_allclose(sums, 1e4, rtol=2e-6)
