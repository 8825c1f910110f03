"""How time and memory grow with the number of time steps, and what memory a training step needs, by count of bytes."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np

from work import fastest

QUICK, FULL = (100, 1000, 10_000, 100_000), (100, 316, 1000, 3162, 10_000, 31_623, 100_000)
# Numbers for each unit and step: those that backward needs, h | r, z, n, U_n h and h | i, f, g, o, c and h; and y,
# which its owner may write into, so that it is not h.
KEPT = {"RNN": 2, "GRU": 6, "LSTM": 7}


def passes(kind: str, T: int, N: int, I: int, H: int) -> tuple[Callable[[], None], Callable[[], Any]]:
    """A training step of a layer, and its forward pass alone; the input and the output's gradient are there before."""
    import tinyrnn

    tinyrnn.manual_seed(0)
    module = getattr(tinyrnn.nn, kind)(I, H)
    x, g = tinyrnn.randn(T, N, I), tinyrnn.randn(T, N, H)

    def step() -> None:
        module.zero_grad()
        y, _ = module(x)
        y.backward(g)

    @tinyrnn.no_grad()
    def forward() -> Any:
        return module(x)

    return step, forward


def settle() -> None:
    """Nothing is kept of what ran before: neither garbage nor memory to be used again."""
    from tinyrnn.kernels import memory

    gc.collect()
    memory.release()


def peak(step: Callable[[], None]) -> int:
    """The most bytes that were in use at once in two steps, beyond what was there before: gradients, workspaces."""
    settle()
    tracemalloc.start()
    try:
        step()
        step()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def held(forward: Callable[[], Any]) -> int:
    """The bytes that stay in use after a forward pass, beyond those of its results."""
    settle()
    tracemalloc.start()
    try:
        y, state = forward()
        results = y.numpy().nbytes + sum(
            part.numpy().nbytes for part in (state if isinstance(state, tuple) else (state,))
        )
        settle()
        return max(0, tracemalloc.get_traced_memory()[0] - results)
    finally:
        tracemalloc.stop()


def measure(T: int) -> dict[str, float]:
    """A training step of an RNN 1 to 16 over T time steps: its seconds, and its peak of bytes."""
    step, _ = passes("RNN", T, 1, 1, 16)
    bytes_ = peak(step)
    return {"T": T, "seconds": fastest(step, 0.2, 3), "bytes": bytes_}


def exponent(points: list[dict[str, float]], what: str) -> float:
    """p of what = a T^p, by least squares of the logarithms."""
    T, y = (np.log([point[name] for point in points]) for name in ("T", what))
    return float(np.polyfit(T, y, 1)[0])


def per_step(points: list[dict[str, float]], what: str) -> float:
    """b of what = a + b T, from the first point to the last."""
    first, last = points[0], points[-1]
    return (last[what] - first[what]) / (last["T"] - first["T"])


def memory(T: int = 500, N: int = 32, I: int = 64, H: int = 128) -> list[dict[str, Any]]:
    """The peak of training steps, the bytes of what backward needs (KEPT), and what a forward under no_grad leaves."""
    rows = []
    for kind, kept in KEPT.items():
        step, forward = passes(kind, T, N, I, H)
        found = {"bytes": peak(step), "kept": 4 * kept * T * N * H, "held": held(forward)}
        rows.append({"kind": kind, "shape": [T, N, I, H], **found})
    return rows
