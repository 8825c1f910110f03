"""What the kernels with gates share: the input's share, and the pieces in which the backward loop goes."""

from __future__ import annotations

import numpy as np
import pytest

from textbook import error
from tinyrnn.kernels import gates


@pytest.mark.parametrize("N", [1, 3])
def test_the_inputs_share_is_a_product_for_each_step(N: int) -> None:
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((5, N, 2)), rng.standard_normal((4, 2))
    for view in (x, x[::-1], np.asfortranarray(x)):
        for weights in (w, np.asfortranarray(w), w[1:]):
            out = np.full((5, 1 + len(weights), N), 7.0)  # of whose rows only some are meant
            gates.share(view, weights, out[:, 1:])
            assert error(out[:, 1:].transpose(0, 2, 1), view @ weights.T) < 1e-15
            assert (out[:, 0] == 7).all()


@pytest.mark.parametrize("N", [1, 3])
def test_columns_lie_side_by_side_without_a_copy(N: int) -> None:
    d = gates.room_for(5, 4, N, np.float32)
    assert d.shape == (5, 4, N)
    assert d.dtype == np.float32
    d[...] = np.random.default_rng(0).standard_normal(d.shape)
    side = gates.side_by_side(d)
    assert np.shares_memory(side, d)
    np.testing.assert_array_equal(side, np.stack([d[t, :, n] for t in range(5) for n in range(N)], 1))


def test_steps_of_the_same_memory_forget() -> None:
    steps = gates.same_memory(4, (2, 3), np.float32)
    assert steps.shape == (4, 2, 3)
    steps[0] = 7
    np.testing.assert_array_equal(steps, np.full((4, 2, 3), 7, np.float32))


def test_the_first_part_of_a_total_is_the_total() -> None:
    first, second = np.ones(3), np.arange(3.0)
    total = gates.plus(gates.plus(None, first), second)
    np.testing.assert_array_equal(total, [1, 2, 3])
    assert total is first


@pytest.mark.parametrize(("T", "H", "N"), [(1, 3, 2), (5, 2**13, 200), (900, 50, 1), (1000, 256, 64), (7, 2**16, 1)])
def test_the_pieces_are_all_steps_from_the_last_to_the_first(T: int, H: int, N: int) -> None:
    visited = []
    size = gates.block_of_steps(H, N)
    for start, stop, parts in gates.pieces(T, H, N):
        steps = [t for first, end in parts for t in range(end - 1, first - 1, -1)]
        assert steps == list(range(stop - 1, start - 1, -1))
        assert all(end - first <= size for first, end in parts)
        assert start == 0 or (stop - start) * N >= gates.COLUMNS
        visited += steps
    assert visited == list(range(T - 1, -1, -1))


def test_blocks_are_of_one_step_at_least() -> None:
    assert gates.block_of_steps(3, 2) == gates.BLOCK // 6
    assert gates.block_of_steps(10**6, 50) == 1
    assert gates.block_of_steps(5, 0) > 0


@pytest.mark.parametrize("N", [1, 7])
def test_a_sum_of_many_columns_keeps_its_digits(N: int) -> None:
    d = gates.room_for(200_000, 2, N, np.float32)
    d[...] = 0.1
    assert error(gates.sum_columns(gates.side_by_side(d)), np.full(2, np.float64(np.float32(0.1)) * 200_000 * N)) < 1e-6
