"""Packed sequences through a kernel are each sequence through it alone, in both directions, gradients too."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from textbook import error
from tinyrnn.kernels.gru import gru
from tinyrnn.kernels.lstm import lstm
from tinyrnn.kernels.packed import packed
from tinyrnn.kernels.rnn import rnn

KERNELS = {"rnn": (rnn, 1, 1), "gru": (gru, 3, 1), "lstm": (lstm, 4, 2)}  # rows of H in the weights; states
LENGTHS = [[4, 4, 2, 1], [3, 3, 3], [5], [3, 2, 1, 1]]


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("lengths", LENGTHS)
@pytest.mark.parametrize("name", KERNELS)
def test_packed_is_each_sequence_alone(name: str, lengths: list[int], reverse: bool) -> None:
    kernel, G, S = KERNELS[name]
    rng = np.random.default_rng(len(lengths))
    N, I, H = len(lengths), 2, 3
    batch_sizes = [sum(length > t for length in lengths) for t in range(max(lengths))]
    starts = np.cumsum([0, *batch_sizes])
    rows = [[starts[t] + n for t in range(length)] for n, length in enumerate(lengths)]
    x, states = rng.standard_normal((sum(lengths), I)), [rng.standard_normal((N, H)) for _ in range(S)]
    weights = [rng.standard_normal(shape) for shape in ((G * H, I), (G * H, H), (G * H,), (G * H,))]
    needs = [True] * (1 + S + 4)

    (y, *last), pullback = packed(kernel, x, batch_sizes, states, weights, reverse)
    dy, *dlast = [rng.standard_normal(out.shape) for out in (y, *last)]
    dx, *others = pullback(dy, *dlast, needs)
    dstates, dweights = others[:S], others[S:]

    totals: list[Any] = [0] * 4
    for n, own in enumerate(rows):
        (y_n, *last_n), pull = kernel(x[own][:, None], *[h[n : n + 1] for h in states], *weights, reverse=reverse)
        assert error(y[own], y_n[:, 0]) < 1e-14
        found = pull(dy[own][:, None], *[dh[n : n + 1] for dh in dlast], [*needs, False][: len(needs) + (S == 2)])
        assert error(dx[own], found[0][:, 0]) < 1e-13
        for k in range(S):
            assert error(last[k][n : n + 1], last_n[k]) < 1e-14
            assert error(dstates[k][n : n + 1], found[1 + k]) < 1e-13
        totals = [total + g for total, g in zip(totals, found[1 + S :], strict=False)]
    for dw, total in zip(dweights, totals, strict=True):
        assert error(dw, total) < 1e-13


def test_what_is_not_needed_is_not_given() -> None:
    x, h = np.ones((4, 2)), np.ones((2, 3))
    weights = [np.ones((3, 2)), np.ones((3, 3)), None, None]
    (y, h_n), pullback = packed(rnn, x, [2, 1, 1], [h], weights)
    found = pullback(y, h_n, [False, True, False, True, False, False])
    assert [g is None for g in found[2:]] == [True, False, True, True]
    assert found[0] is None
    np.testing.assert_array_equal(h, 1)
