"""Derivatives without a backward pass, for gradcheck: difference quotients, complex steps, slopes along directions.

Throughout, evaluate() runs the function on the arrays that its leaves hold at the moment and gives the outputs' arrays,
v_k are the cotangents, and L = sum_k <v_k, y_k>. Arrays are changed for a moment, and always put back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinyrnn.autograd.graph import Array, Value

Evaluate = Callable[[], list[Array]]
EPS = float(np.finfo(np.float64).eps)
COMPLEX_STEP = 1e-30


def central_differences(evaluate: Evaluate, x: Array, cotangents: Sequence[Array], eps: float) -> Array:
    """dL/dx_j = (L(x + h e_j) - L(x - h e_j)) / 2h for each element j, where h = eps max(1, |x_j|).

    The error is about (h^2/6) L''' + EPS |L| / h. The outputs are subtracted before they are summed: what stays as it
    is adds no rounding.
    """
    return np.asarray(central_differences_of_each(evaluate, x, cotangents, eps).sum(0))


def central_differences_of_each(evaluate: Evaluate, x: Array, cotangents: Sequence[Array], eps: float) -> Array:
    """The same, for each output by itself: (number of outputs, *x.shape), whose sum is dL/dx."""
    numeric = np.empty((len(cotangents), *x.shape))
    for j in np.ndindex(x.shape):
        above, below, step = _both_sides(evaluate, x, j, eps)
        numeric[(..., *j)] = _changes(cotangents, above, below) / step
    return numeric


def is_a_kink(evaluate: Evaluate, x: Array, u: Array, cotangents: Sequence[Array], h: float) -> bool:
    """Whether there is a kink within h of x along u, as of relu at 0.

    The slopes of the two sides differ by h L'' where the function is smooth: by half as much at half the step. At a
    kink they differ by a jump, which stays; beside one, by a jump that is gone once the step no longer reaches it.
    """
    here = evaluate()
    size = sum(float(np.sum(np.abs(v * y))) for v, y in zip(cotangents, here, strict=True))

    def jump(h: float) -> float:
        above, below = _along(evaluate, x, u, h)
        return abs(float(np.sum(_changes(cotangents, above, here) - _changes(cotangents, here, below)))) / h

    first = jump(h)
    shares = [(part, abs(jump(h / part) - first / part)) for part in (2, 16)]  # 0 where it is smooth
    return any(off > 0.25 * first / part + 32 * EPS * size * part / h for part, off in shares)


def complex_steps(evaluate: Evaluate, leaves: Sequence[Value], x: Value, cotangents: Sequence[Array]) -> Array:
    """dL/dx_j = Im L(x + i h e_j) / h, with h = 1e-30: nothing is subtracted, so the error is that of rounding alone.

    All floating leaves hold complex numbers meanwhile. Raises TypeError for a function that does not carry these.
    Source: Squire and Trapp, Using complex variables to estimate derivatives of real functions, 1998.
    """
    return np.asarray(complex_steps_of_each(evaluate, leaves, x, cotangents).sum(0))


def complex_steps_of_each(evaluate: Evaluate, leaves: Sequence[Value], x: Value, cotangents: Sequence[Array]) -> Array:
    """The same, for each output by itself: (number of outputs, *x.shape), whose sum is dL/dx."""
    before = [leaf.array for leaf in leaves]
    numeric = np.empty((len(cotangents), *x.shape))
    try:
        for leaf in leaves:
            if leaf.array.dtype.kind == "f":
                leaf.array = leaf.array.astype(np.complex128)
        for j in np.ndindex(x.shape):
            real = x.array[j]
            x.array[j] = real + 1j * COMPLEX_STEP
            outputs = evaluate()
            x.array[j] = real
            if not all(np.iscomplexobj(y) for y in outputs):
                raise TypeError("an output is real for complex inputs")
            slopes = [float(np.sum(v * y.imag)) for v, y in zip(cotangents, outputs, strict=True)]
            numeric[(..., *j)] = np.array(slopes) / COMPLEX_STEP
    finally:
        for leaf, array in zip(leaves, before, strict=True):
            leaf.array = array
    return numeric


def slopes_along(evaluate: Evaluate, x: Array, u: Array, cotangents: Sequence[Array], h: float) -> Array:
    """<dL/dx, u> = (L(x + h u) - L(x - h u)) / 2h, for each output by itself, whose sum is that of L.

    One number for all elements at once, at the cost of two runs.
    """
    return _changes(cotangents, *_along(evaluate, x, u, h)) / (2 * h)


def _along(evaluate: Evaluate, x: Array, u: Array, h: float) -> tuple[list[Array], list[Array]]:
    """The outputs at x + h u and x - h u."""
    before = x.copy()
    try:
        x[...] = before + h * u
        above = evaluate()
        x[...] = before - h * u
        below = evaluate()
    finally:
        x[...] = before
    return above, below


def _both_sides(evaluate: Evaluate, x: Array, j: tuple[int, ...], eps: float) -> tuple[list[Array], list[Array], Any]:
    """The outputs at x_j + h and x_j - h, and the difference of these two, as rounding has left it."""
    before = float(x[j])
    h = eps * max(1.0, abs(before))
    high, low = before + h, before - h
    try:
        x[j] = high
        above = evaluate()
        x[j] = low
        below = evaluate()
    finally:
        x[j] = before
    return above, below, high - low


def _changes(cotangents: Sequence[Array], above: Sequence[Array], below: Sequence[Array]) -> Array:
    """<v_k, the change of y_k> for each output."""
    terms = zip(cotangents, above, below, strict=True)
    return np.array([float(np.sum(v * np.subtract(up, down, dtype=np.float64))) for v, up, down in terms])
