"""The recurrences as textbooks write them, a step at a time in plain NumPy, and their gradients by complex step.

Nothing here knows of the package: these are the witnesses of its kernels. They take complex numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Arrays = list[Any]


def sigmoid(a: Any) -> Any:
    return 1 / (1 + np.exp(-a))


def affine(x: Any, W: Any, b: Any) -> Any:
    return x @ W.T if b is None else x @ W.T + b


def rnn(x: Any, h: Any, W: Any, U: Any, b: Any = None, c: Any = None, f: Callable[[Any], Any] = np.tanh) -> Arrays:
    ys = []
    for x_t in x:
        h = f(affine(x_t, W, b) + affine(h, U, c))
        ys.append(h)
    return [np.array(ys), h]


def lstm(x: Any, h: Any, c: Any, W: Any, U: Any, b: Any = None, b_hh: Any = None, P: Any = None) -> Arrays:
    ys = []
    for x_t in x:
        i, f, g, o = np.split(affine(x_t, W, b) + affine(h, U, b_hh), 4, -1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        if P is not None:
            h = h @ P.T
        ys.append(h)
    return [np.array(ys), h, c]


def gru(x: Any, h: Any, W: Any, U: Any, b: Any = None, c: Any = None) -> Arrays:
    ys = []
    for x_t in x:
        a_r, a_z, a_n = np.split(affine(x_t, W, b), 3, -1)
        u_r, u_z, u_n = np.split(affine(h, U, c), 3, -1)
        r, z = sigmoid(a_r + u_r), sigmoid(a_z + u_z)
        n = np.tanh(a_n + r * u_n)
        h = (1 - z) * n + z * h
        ys.append(h)
    return [np.array(ys), h]


def backwards(run: Callable[..., Arrays]) -> Callable[..., Arrays]:
    """`run` for t = T..1."""

    def reverse(x: Any, *others: Any) -> Arrays:
        y, *last = run(x[::-1], *others)
        return [y[::-1], *last]

    return reverse


def complex_step(run: Callable[..., Arrays], arrays: Sequence[Any], cotangents: Sequence[Any]) -> Arrays:
    """dL/d(each array) for L = the sum of <cotangent, output>: Im L(x + i e) / e, but for rounding; None stays."""
    gradients: Arrays = []
    for k, array in enumerate(arrays):
        if array is None:
            gradients.append(None)
            continue
        gradient = np.empty(array.shape)
        for index in np.ndindex(array.shape):
            moved = list(arrays)
            moved[k] = array.astype(complex)
            moved[k][index] += 1e-30j
            L = sum((g * out).sum() for g, out in zip(cotangents, run(*moved), strict=True))
            gradient[index] = L.imag / 1e-30
        gradients.append(gradient)
    return gradients


def error(found: Any, expected: Any) -> float:
    """The largest difference, relative to the largest entry expected."""
    assert found.shape == expected.shape
    largest = np.abs(expected).max(initial=0)
    return float(np.abs(found - expected).max(initial=0) / (largest if largest > 0 else 1))
