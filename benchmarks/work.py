"""What is timed: a piece of work that can be repeated, with the arrays that tell what it has computed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

TOLERANCE = {"float32": 2e-4, "float64": 1e-9}  # of an array's norm, after STEPS steps
STEPS = 3


class Work(NamedTuple):
    """step() does it once and returns its result (a loss, an output); arrays() are what else it left: gradients."""

    step: Callable[[], Any]
    arrays: Callable[[], Sequence[Any]]


def gradients(parameters: Sequence[Any]) -> Callable[[], Sequence[Any]]:
    """The gradients of those parameters that have one."""
    return lambda: [p.grad for p in parameters if p.grad is not None]


def fingerprint(array: Any) -> tuple[float, float]:
    """Two numbers in which an array's size and order show: its norm, and its product with cos 0, cos 1, cos 2, ..."""
    if hasattr(array, "detach"):
        array = array.detach()
    flat = np.asarray(array, np.float64).ravel()
    return float(np.linalg.norm(flat)), float(flat @ np.cos(np.arange(flat.size)))


def numbers(work: Work, steps: int = STEPS) -> list[tuple[float, float]]:
    """The fingerprints of all that the first steps computed: short enough to travel from process to process."""
    seen = []
    for _ in range(steps):
        seen += [fingerprint(array) for array in (work.step(), *work.arrays())]
    return seen


def compare(case: str, dtype: str, names: tuple[str, str], ours: Sequence[Any], theirs: Sequence[Any]) -> None:
    """Raises RuntimeError, with the numbers, where two libraries did not compute the same."""
    where = f"{case}, {dtype}: {names[0]} and {names[1]} did not compute the same"
    if len(ours) != len(theirs):
        raise RuntimeError(f"{where}: {len(ours)} arrays here, {len(theirs)} there")
    for k, (mine, other) in enumerate(zip(ours, theirs, strict=True)):
        error = max(abs(a - b) for a, b in zip(mine, other, strict=True))
        if not error <= TOLERANCE[dtype] * max(mine[0], other[0]):  # so written, a NaN fails
            raise RuntimeError(
                f"{where}: array {k} of {len(ours)} has norm and projection {mine[0]:.9g}, "
                f"{mine[1]:.9g} here and {other[0]:.9g}, {other[1]:.9g} there"
            )


def fastest(step: Callable[[], Any], seconds: float, at_least: int = 2) -> float:
    """The shortest time of one step, of as many as fit into `seconds`, in seconds: all else only makes it slower."""
    clock, best, done, end = time.perf_counter, float("inf"), 0, time.perf_counter() + seconds
    while (start := clock()) < end or done < at_least:
        step()
        best, done = min(best, clock() - start), done + 1
    return best
