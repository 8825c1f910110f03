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
    numeric = np.empty(x.shape)
    for j in np.ndindex(x.shape):
        above, below, step = _both_sides(evaluate, x, j, eps)
        numeric[j] = _change(cotangents, above, below) / step
    return numeric


def is_a_kink(evaluate: Evaluate, x: Array, j: tuple[int, ...], cotangents: Sequence[Array], eps: float) -> bool:
    """Whether the slopes on the two sides of element j differ, and still do at a step 16 times smaller.

    Where the function is smooth they differ by h L'', which shrinks with h; at a kink, as of relu at 0, by a jump.
    """
    here = evaluate()
    jumps, noise = [], 0.0
    for h in (eps, eps / 16):
        above, below, step = _both_sides(evaluate, x, j, h)
        up, down = _change(cotangents, above, here), _change(cotangents, here, below)
        jumps.append(abs(up - down) / (step / 2))
        size = sum(float(np.sum(np.abs(v * y))) for v, y in zip(cotangents, here, strict=True))
        noise = 8 * EPS * size / h
    return bool(jumps[1] > 0.5 * jumps[0] and jumps[1] > noise)


def complex_steps(evaluate: Evaluate, leaves: Sequence[Value], x: Value, cotangents: Sequence[Array]) -> Array:
    """dL/dx_j = Im L(x + i h e_j) / h, with h = 1e-30: nothing is subtracted, so the error is that of rounding alone.

    All floating leaves hold complex numbers meanwhile. Raises TypeError for a function that does not carry these.
    Source: Squire and Trapp, Using complex variables to estimate derivatives of real functions, 1998.
    """
    before = [leaf.array for leaf in leaves]
    numeric = np.empty(x.shape)
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
            numeric[j] = sum(float(np.sum(v * y.imag)) for v, y in zip(cotangents, outputs, strict=True)) / COMPLEX_STEP
    finally:
        for leaf, array in zip(leaves, before, strict=True):
            leaf.array = array
    return numeric


def slope_along(evaluate: Evaluate, x: Array, u: Array, cotangents: Sequence[Array], eps: float) -> float:
    """<dL/dx, u> = (L(x + h u) - L(x - h u)) / 2h: one number for all elements at once, at the cost of two runs."""
    before = x.copy()
    h = eps * max(1.0, float(np.max(np.abs(before), initial=0)))
    try:
        x[...] = before + h * u
        above = evaluate()
        x[...] = before - h * u
        below = evaluate()
    finally:
        x[...] = before
    return _change(cotangents, above, below) / (2 * h)


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


def _change(cotangents: Sequence[Array], above: Sequence[Array], below: Sequence[Array]) -> float:
    terms = zip(cotangents, above, below, strict=True)
    return sum(float(np.sum(v * np.subtract(up, down, dtype=np.float64))) for v, up, down in terms)
