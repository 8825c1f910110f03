"""Witnesses of the kernels: the loops of kernels/reference.py as lists of arrays, gradients by complex step, errors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinyrnn.kernels import reference
from tinyrnn.kernels.records import Backward, Forward

Arrays = list[Any]
CELLS: dict[str, tuple[Callable[..., Forward], Callable[..., Backward]]] = {
    "rnn": (reference.rnn_forward, reference.rnn_backward),
    "lstm": (reference.lstm_forward, reference.lstm_backward),
    "gru": (reference.gru_forward, reference.gru_backward),
}
WEIGHTS = {cell: ("w_ih", "w_hh", "b_ih", "b_hh", "w_hr")[: 5 if cell == "lstm" else 4] for cell in CELLS}


def outputs(cell: str, *given: Any, **options: Any) -> Arrays:
    """y and the last states, as the kernel of this cell returns them."""
    return _outputs(CELLS[cell][0](*given, **options))


def outputs_and_gradients(cell: str, given: Sequence[Any], cotangents: Sequence[Any], **options: Any) -> Arrays:
    """y, the last states, and the gradients of all arguments in their order: those of the kernel and its pullback."""
    run = CELLS[cell][0](*given, **options)
    back = CELLS[cell][1](run, *cotangents)
    states = [getattr(back, name) for name in ("dh0", "dc0") if hasattr(back, name)]
    return [*_outputs(run), back.dx, *states, *[back.dweights.get(name) for name in WEIGHTS[cell]]]


def _outputs(run: Forward) -> Arrays:
    return [run.h, run.h_n, *([run.c_n] if hasattr(run, "c_n") else [])]


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
