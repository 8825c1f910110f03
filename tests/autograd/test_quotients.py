"""Derivatives without a backward pass: each of the three ways finds a known one, and puts everything back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tinyrnn.autograd.graph import Array, make
from tinyrnn.autograd.quotients import (
    central_differences,
    central_differences_of_each,
    complex_steps,
    complex_steps_of_each,
    is_a_kink,
    slopes_along,
)
from tinyrnn.tensor import Tensor

X = np.array([[0.5, -1.0, 2.0], [0.1, 0.0, -0.3]])
V = np.random.default_rng(0).standard_normal(X.shape)
EXPECTED = V * 3 * X**2 * np.cos(X**3)  # of sum v sin x^3


def curve(x: Tensor) -> Any:
    return lambda: [np.sin(x.array**3)]


def test_central_differences() -> None:
    x = make(Tensor, X.copy())
    found = central_differences(curve(x), x.array, [V], 6e-6)
    np.testing.assert_allclose(found, EXPECTED, rtol=0, atol=1e-8)
    np.testing.assert_array_equal(x.array, X)


def test_complex_steps_are_exact() -> None:
    x, other = make(Tensor, X.copy()), make(Tensor, np.arange(3))
    array = x.array
    found = complex_steps(curve(x), [x, other], x, [V])
    np.testing.assert_allclose(found, EXPECTED, rtol=1e-14, atol=1e-16)
    assert x.array is array
    assert other.array.dtype.kind == "i"
    with pytest.raises(TypeError, match="real for complex inputs"):
        complex_steps(lambda: [np.abs(x.array)], [x], x, [V])
    assert x.array is array


def test_the_slope_along_a_direction() -> None:
    x, u = make(Tensor, X.copy()), np.sign(V)
    assert slopes_along(curve(x), x.array, u, [V], 6e-6) == pytest.approx(np.sum(EXPECTED * u), rel=1e-8)
    np.testing.assert_array_equal(x.array, X)


@pytest.mark.parametrize(
    ("func", "at", "kink"),
    [
        (lambda x: np.maximum(x, 0), 0.0, True),
        (lambda x: np.maximum(x, 0), 1e-8, True),
        (lambda x: np.maximum(x, 0), 3e-7, True),  # less than a sixteenth of the step away
        (lambda x: np.maximum(x, 0), 1e-6, True),  # within the step, but not within its sixteenth
        (lambda x: np.maximum(x, 0), 2e-6, True),  # a third of the step: its jump halves as a smooth one does
        (lambda x: np.maximum(x, 0), -5e-6, True),
        (lambda x: np.maximum(x, 0), 7e-6, False),
        (lambda x: 1.0 * (x >= 0), 0.0, True),
        (lambda x: x**2 + 1e4, 1.0, False),
        (lambda x: np.maximum(x, 0), 1.0, False),
        (np.abs, 0.0, True),
        (lambda x: x**2, 0.0, False),
        (lambda x: np.tanh(100 * x), 0.0, False),
        (lambda x: 1e6 + x, 0.0, False),
    ],
)
def test_kinks(func: Any, at: float, kink: bool) -> None:
    x: Array = np.array([at])
    assert is_a_kink(lambda: [func(x)], x, np.ones(1), [np.array([1.5])], 6e-6) is kink
    assert x[0] == at


def test_each_output_by_itself() -> None:
    x = make(Tensor, X.copy())

    def both() -> Any:
        return [np.sin(x.array**3), 2 * x.array[0]]

    second = np.zeros(X.shape)
    second[0] = 2 * V[1]
    for found in (
        central_differences_of_each(both, x.array, [V, V[1]], 6e-6),
        complex_steps_of_each(both, [x], x, [V, V[1]]),
    ):
        np.testing.assert_allclose(found, [EXPECTED, second], rtol=0, atol=1e-8)
    u = np.sign(V)
    along = slopes_along(both, x.array, u, [V, V[1]], 6e-6)
    np.testing.assert_allclose(along, [np.sum(EXPECTED * u), np.sum(second * u)], rtol=1e-8)
