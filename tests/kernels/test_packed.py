"""Packed sequences through a kernel are each sequence through the reference loop alone, in both directions."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest

from textbook import error, outputs_and_gradients
from tinyrnn.kernels.gru import gru
from tinyrnn.kernels.lstm import lstm
from tinyrnn.kernels.packed import packed
from tinyrnn.kernels.rnn import NONLINEARITIES, rnn

KERNELS = {"rnn": (rnn, 1, 1), "gru": (gru, 3, 1), "lstm": (lstm, 4, 2)}  # rows of H in the weights; states
LENGTHS = [[4, 4, 2, 1], [3, 3, 3], [5], [3, 2, 1, 1], [30, *[12] * 19, 1]]
CASES: list[tuple[str, dict[str, Any]]] = [("rnn", {"nonlinearity": f}) for f in NONLINEARITIES]
CASES += [("gru", {}), ("lstm", {}), ("lstm", {"P": 2})]


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("lengths", LENGTHS)
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize(("name", "options"), CASES)
def test_packed_is_each_sequence_alone(
    name: str, options: dict[str, Any], bias: bool, lengths: list[int], reverse: bool
) -> None:
    kernel, G, S = KERNELS[name]
    P = options.get("P", 3)
    rng = np.random.default_rng(len(lengths))
    N, I, H = len(lengths), 2, 3
    batch_sizes = [sum(length > t for length in lengths) for t in range(max(lengths))]
    starts = np.cumsum([0, *batch_sizes])
    rows = [[starts[t] + n for t in range(length)] for n, length in enumerate(lengths)]
    x = rng.normal(size=(sum(lengths), I))
    states = [rng.normal(size=(N, size)) for size in (P, H)[:S]]
    shapes = [(G * H, I), (G * H, P), (G * H,), (G * H,)]
    weights: list[Any] = [rng.normal(scale=0.5, size=shape) for shape in shapes]
    weights[2:] = weights[2:] if bias else [None, None]
    weights += [rng.normal(scale=0.5, size=(P, H))] if P != H else []
    if name == "rnn":
        kernel = partial(rnn, **options)
    else:
        options = {}

    (y, *last), pullback = packed(kernel, x, batch_sizes, states, weights, reverse)
    dy, *dlast = [rng.standard_normal(out.shape) for out in (y, *last)]
    needs = [*[True] * (1 + S), *[w is not None for w in weights]]
    dx, *others = pullback(dy, *dlast, needs)

    totals: list[Any] = [0] * len(weights)
    for n, own in enumerate(rows):
        given = [x[own][:, None], *[h[n : n + 1] for h in states], *weights]
        gs = [dy[own][:, None], *[dh[n : n + 1] for dh in dlast]]
        expected = outputs_and_gradients(name, given, gs, reverse=reverse, **options)
        found = [y[own][:, None], *[h[n : n + 1] for h in last], dx[own][:, None]]
        found += [dh[n : n + 1] for dh in others[:S]]
        for f, e in zip(found, expected[: len(found)], strict=True):
            assert error(f, e) < 1e-12
        totals = [total if g is None else total + g for total, g in zip(totals, expected[len(found) :], strict=False)]
    for dw, w, total in zip(others[S:], weights, totals, strict=True):
        assert (dw is None) == (w is None)
        assert dw is None or error(dw, total) < 1e-12


def test_what_is_not_needed_is_not_given() -> None:
    x, h = np.ones((4, 2)), np.ones((2, 3))
    weights = [np.ones((3, 2)), np.ones((3, 3)), None, None]
    (y, h_n), pullback = packed(rnn, x, [2, 1, 1], [h], weights)
    found = pullback(y, h_n, [False, True, False, True, False, False])
    assert [g is None for g in found[2:]] == [True, False, True, True]
    assert found[0] is None
    np.testing.assert_array_equal(h, 1)
