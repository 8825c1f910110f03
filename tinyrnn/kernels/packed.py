"""Sequences of different lengths, through the kernels that know only one length."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

import numpy as np

from tinyrnn.kernels.rnn import Array, Gradients, Pullback, not_kept

Kernel = Callable[..., tuple[tuple[Array, ...], Pullback]]


def packed(
    kernel: Kernel,
    x: Array,
    batch_sizes: Sequence[int],
    states: Sequence[Array],
    weights: Sequence[Array | None],
    reverse: bool = False,
    keep: bool = True,
) -> tuple[tuple[Array, ...], Pullback]:
    """`kernel` over packed sequences: step t holds the first batch_sizes[t] of them, the longest ones first.

    Runs of steps with one batch size are sequences of one length, which the kernel takes as they are. Between them
    stands `now`, a state for each sequence: a run starts from the rows that it works on, and leaves its last states
    there. Those of sequences that have ended, and with `reverse` of those that have not begun, stay. So `now` begins
    as h_0 and ends as h_n. The backward pass goes through the runs the other way, with dL/dnow in the place of now.

    Shapes: x (sum of batch_sizes, I), y (sum of batch_sizes, .), each of the states (N, .), where N = batch_sizes[0]
        and batch_sizes never grows. kernel(x, *states, *weights, reverse, keep) as in rnn.py, lstm.py and gru.py.
    Returns (y, *last states) and pullback(dy, *dlast, needs): the gradients of x, the states and the weights, None
        where `needs` is False.
    """
    runs: list[tuple[slice, int, int]] = []  # the rows, the number of steps and the number of sequences of each run
    row = 0
    for n, steps in groupby(batch_sizes):
        T = len(list(steps))
        runs.append((slice(row, row + T * n), T, n))
        row += T * n
    if reverse:
        runs.reverse()

    now = [state.copy() for state in states]
    ys: list[Array] = []
    pullbacks: list[Pullback] = []
    for rows, T, n in runs:
        (y, *last), pull = kernel(
            x[rows].reshape(T, n, -1), *[h[:n] for h in now], *weights, reverse=reverse, keep=keep
        )
        for h, h_last in zip(now, last, strict=True):
            h[:n] = h_last
        ys.append(y.reshape(T * n, -1))
        pullbacks.append(pull)
    results = np.concatenate(ys[::-1] if reverse else ys), *now
    if not keep:
        return results, not_kept

    def pullback(dy: Array, *last_and_needs: Any) -> Gradients:
        *dlast, needs = last_and_needs
        dnow = [np.array(dh) for dh in dlast]
        dx = np.empty_like(x) if needs[0] else None
        dweights: list[Array | None] = [None] * len(weights)
        wanted = (needs[0], *[True] * len(dnow), *needs[1 + len(dnow) :])
        for (rows, T, n), pull in zip(runs[::-1], pullbacks[::-1], strict=True):
            dx_run, *found = pull(dy[rows].reshape(T, n, -1), *[dh[:n] for dh in dnow], wanted)
            if dx is not None and dx_run is not None:
                dx[rows] = dx_run.reshape(T * n, -1)
            for dh, g in zip(dnow, found, strict=False):
                dh[:n] = g
            for i, g in enumerate(found[len(dnow) :]):
                if g is not None:
                    before = dweights[i]
                    dweights[i] = g if before is None else before + g
        return (dx, *dnow, *dweights)

    return results, pullback
