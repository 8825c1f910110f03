"""What the kernels with gates share: the input's share, memory whose columns lie side by side, and sums of these."""

from __future__ import annotations

import numpy as np
import pytest

from textbook import error
from tinyrnn.kernels import gates


@pytest.mark.parametrize("N", [1, 3])
def test_the_inputs_share_is_an_affine_map_of_each_step(N: int) -> None:
    rng = np.random.default_rng(0)
    x, w, b = rng.standard_normal((5, N, 2)), rng.standard_normal((4, 2)), rng.standard_normal(4)
    for view in (x, x[::-1], np.asfortranarray(x)):
        for bias in (b, None):
            out = np.empty((5, 4, N))
            gates.input_share(view, w, bias, out)
            expected = view @ w.T + (0 if bias is None else bias)
            assert error(out.transpose(0, 2, 1), expected) < 1e-15


@pytest.mark.parametrize("N", [1, 3])
def test_columns_lie_side_by_side_without_a_copy(N: int) -> None:
    d = gates.columns(5, 4, N, np.float32)
    assert d.shape == (5, 4, N)
    assert d.dtype == np.float32
    d[...] = np.random.default_rng(0).standard_normal(d.shape)
    side = gates.side_by_side(d)
    assert np.shares_memory(side, d)
    np.testing.assert_array_equal(side, np.stack([d[t, :, n] for t in range(5) for n in range(N)], 1))
    assert error(gates.sum_columns(side), d.astype(np.float64).sum((0, 2))) < 1e-6


@pytest.mark.parametrize("N", [1, 7])
def test_a_sum_of_many_columns_keeps_its_digits(N: int) -> None:
    d = gates.columns(200_000, 2, N, np.float32)
    d[...] = 0.1
    assert error(gates.sum_columns(gates.side_by_side(d)), np.full(2, np.float64(np.float32(0.1)) * 200_000 * N)) < 1e-6


def test_blocks_are_of_one_step_at_least() -> None:
    assert gates.block_of_steps(3, 2) == gates.BLOCK // 6
    assert gates.block_of_steps(10**6, 50) == 1
    assert gates.block_of_steps(5, 0) > 0
