"""Functions of one number, element by element. In all of them: input (any shape) -> the same shape.

Whole numbers are taken in the default dtype, as torch does. TypeError for what is not a tensor. Where torch is silent
about log 0, 1/0 or an overflow, NumPy's RuntimeWarning is let through.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tinyrnn.autograd.graph import Array, Gradient, make
from tinyrnn.autograd.record import record
from tinyrnn.dtypes import get_default_dtype
from tinyrnn.ops.operands import floating, number, tensor_argument, where_it_passes

if TYPE_CHECKING:
    from tinyrnn.tensor import Tensor

__all__ = ["abs", "clamp", "clone", "cos", "exp", "log", "relu", "sigmoid", "sin", "sqrt", "tanh"]


def exp(input: Tensor) -> Tensor:
    """y = e^x,  dx = g y."""
    y = np.exp(floating("exp", input))

    def pullback(g: Array) -> tuple[Gradient]:
        return (g * y,)

    return record("exp", y, (input,), pullback, saves_output=True)


def log(input: Tensor) -> Tensor:
    """y = log x,  dx = g / x."""
    x = floating("log", input)

    def pullback(g: Array) -> tuple[Gradient]:
        return (g / x,)

    return record("log", np.log(x), (input,), pullback, saved=(input,))


def sqrt(input: Tensor) -> Tensor:
    """y = x^(1/2),  dx = g / (2 y)."""
    y = np.sqrt(floating("sqrt", input))

    def pullback(g: Array) -> tuple[Gradient]:
        return (g / (2 * y),)

    return record("sqrt", y, (input,), pullback, saves_output=True)


def sin(input: Tensor) -> Tensor:
    """y = sin x,  dx = g cos x  (x in radians)."""
    x = floating("sin", input)

    def pullback(g: Array) -> tuple[Gradient]:
        return (g * np.cos(x),)

    return record("sin", np.sin(x), (input,), pullback, saved=(input,))


def cos(input: Tensor) -> Tensor:
    """y = cos x,  dx = -g sin x  (x in radians)."""
    x = floating("cos", input)

    def pullback(g: Array) -> tuple[Gradient]:
        return (-g * np.sin(x),)

    return record("cos", np.cos(x), (input,), pullback, saved=(input,))


def tanh(input: Tensor) -> Tensor:
    """y = tanh x,  dx = g (1 - y^2)."""
    y = np.tanh(floating("tanh", input))

    def pullback(g: Array) -> tuple[Gradient]:
        return (g * (1 - y * y),)

    return record("tanh", y, (input,), pullback, saves_output=True)


def sigmoid(input: Tensor) -> Tensor:
    """y = 1 / (1 + e^-x),  dx = g y (1 - y).

    Not tanh(x/2)/2 + 1/2, though it is faster: far below 0 that leaves nothing of y, and its logarithm is wanted.
    """
    x = floating("sigmoid", input)
    with np.errstate(over="ignore"):  # where e^-x is inf, y is 0
        y = 1 / (1 + np.exp(-x))

    def pullback(g: Array) -> tuple[Gradient]:
        return (g * (y * (1 - y)),)

    return record("sigmoid", y, (input,), pullback, saves_output=True)


def relu(input: Tensor) -> Tensor:
    """y = max(x, 0),  dx = g where x > 0, else 0  (0 at x = 0: torch's choice)."""
    y = np.maximum(tensor_argument("relu", input), 0)

    def pullback(g: Array) -> tuple[Gradient]:
        return (where_it_passes(g, y != 0),)

    return record("relu", y, (input,), pullback, saves_output=True)


def abs(input: Tensor) -> Tensor:
    """y = |x|,  dx = g sign x  (0 at x = 0)."""
    x = tensor_argument("abs", input)

    def pullback(g: Array) -> tuple[Gradient]:
        return (g * np.sign(x),)

    return record("abs", np.abs(x), (input,), pullback, saved=(input,))


def clamp(input: Tensor, min: float | None = None, max: float | None = None) -> Tensor:
    """y = min(max(x, lowest), highest),  dx = g where lowest <= x <= highest, else 0.

    The bounds are numbers; where they cross, y is max. Raises ValueError if neither is given, TypeError for a tensor
    (use minimum and maximum).
    """
    x = tensor_argument("clamp", input)
    if min is None and max is None:
        raise ValueError("clamp: neither min nor max is given, expected at least one")
    min, max = (n if n is None else number("clamp", "a bound", n) for n in (min, max))
    if x.dtype.kind in "bui" and (isinstance(min, float) or isinstance(max, float)):
        x = x.astype(get_default_dtype())
    y = np.clip(x, min, max)

    def pullback(g: Array) -> tuple[Gradient]:
        inside = (True if min is None else x >= min) & (True if max is None else x <= max)
        return (where_it_passes(g, np.asarray(inside)),)

    return record("clamp", y, (input,), pullback, saved=(input,))


def clone(input: Tensor) -> Tensor:
    """y = x, in memory of its own,  dx = g."""
    y = tensor_argument("clone", input).copy()

    def pullback(g: Array) -> tuple[Gradient]:
        return (g,)

    return record("clone", y, (input,), pullback)


def cast(input: Tensor, dtype: np.dtype[Any]) -> Tensor:
    """y = x in another dtype (x itself if it has it),  dx = g in x's dtype. Whole numbers carry no gradient."""
    x = tensor_argument("to", input)
    if x.dtype == dtype:
        return input
    if dtype.kind != "f" or x.dtype.kind != "f":
        whole: Tensor = make(input.result, x.astype(dtype))
        return whole

    def pullback(g: Array) -> tuple[Gradient]:
        return (g,)

    return record("to", x.astype(dtype), (input,), pullback)
