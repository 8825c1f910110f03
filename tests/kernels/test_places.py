"""Which of the numbers written are still there: what a loop finds."""

from __future__ import annotations

import numpy as np
import pytest

from tinyrnn.kernels.places import last_written


@pytest.mark.parametrize("seed", range(5))
def test_it_is_what_a_loop_finds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows, columns = rng.integers(0, 3, (4, 5)), rng.integers(-2, 2, 5)
    owner = {}
    for i, j in np.ndindex(4, 5):
        owner[rows[i, j], columns[j] % 2] = (i, j)
    expected = np.zeros((4, 5), bool)
    for i, j in owner.values():
        expected[i, j] = True
    np.testing.assert_array_equal(last_written((rows, columns), (4, 5), (3, 2)), expected)


def test_nothing_written_is_nothing_left() -> None:
    assert last_written(([],), (0,), (3,)).shape == (0,)
    assert last_written((np.zeros(0, int),), (0, 2), (3, 2)).shape == (0, 2)
