"""Circular and hyperbolic functions, angles in radians. tanh, the nonlinearity, is in pointwise.py.

In those of one operand: input (any shape) -> the same shape; atan2 and hypot take two that broadcast. Whole numbers are
taken in the default dtype, as torch does. Outside of their domain the inverse ones are NaN, with NumPy's warning.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from tinyrnn.autograd.graph import Array, Gradient
from tinyrnn.autograd.record import needs_grad, record
from tinyrnn.ops.operands import floating, floating_operands

if TYPE_CHECKING:
    from tinyrnn.tensor import Tensor

__all__ = [
    "acos",
    "acosh",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cos",
    "cosh",
    "deg2rad",
    "hypot",
    "rad2deg",
    "sin",
    "sinh",
    "tan",
]


def sin(input: Tensor) -> Tensor:
    """y = sin x,  dx = g cos x."""
    x = floating("sin", input)

    def pullback(g: Array) -> tuple[Gradient]:
        return (g * np.cos(x),)

    return record("sin", np.sin(x), (input,), pullback, saved=(input,))


def cos(input: Tensor) -> Tensor:
    """y = cos x,  dx = -g sin x."""
    x = floating("cos", input)

    def pullback(g: Array) -> tuple[Gradient]:
        return (-g * np.sin(x),)

    return record("cos", np.cos(x), (input,), pullback, saved=(input,))


def tan(input: Tensor) -> Tensor:
    """y = tan x,  dx = g (1 + y^2)."""
    y = np.tan(floating("tan", input))

    def pullback(g: Array) -> tuple[Gradient]:
        return (g * (1 + y * y),)

    return record("tan", y, (input,), pullback, saves_output=True)


def asin(input: Tensor) -> Tensor:
    """y = arcsin x,  dx = g / (1 - x^2)^(1/2)."""
    x = floating("asin", input)

    def pullback(g: Array) -> tuple[Gradient]:
        return (g / np.sqrt(1 - x * x),)

    return record("asin", np.arcsin(x), (input,), pullback, saved=(input,))


def acos(input: Tensor) -> Tensor:
    """y = arccos x,  dx = -g / (1 - x^2)^(1/2)."""
    x = floating("acos", input)

    def pullback(g: Array) -> tuple[Gradient]:
        return (-g / np.sqrt(1 - x * x),)

    return record("acos", np.arccos(x), (input,), pullback, saved=(input,))


def atan(input: Tensor) -> Tensor:
    """y = arctan x,  dx = g / (1 + x^2)."""
    x = floating("atan", input)

    def pullback(g: Array) -> tuple[Gradient]:
        return (g / (1 + x * x),)

    return record("atan", np.arctan(x), (input,), pullback, saved=(input,))


def sinh(input: Tensor) -> Tensor:
    """y = sinh x,  dx = g cosh x."""
    x = floating("sinh", input)

    def pullback(g: Array) -> tuple[Gradient]:
        return (g * np.cosh(x),)

    return record("sinh", np.sinh(x), (input,), pullback, saved=(input,))


def cosh(input: Tensor) -> Tensor:
    """y = cosh x,  dx = g sinh x."""
    x = floating("cosh", input)

    def pullback(g: Array) -> tuple[Gradient]:
        return (g * np.sinh(x),)

    return record("cosh", np.cosh(x), (input,), pullback, saved=(input,))


def asinh(input: Tensor) -> Tensor:
    """y = arsinh x,  dx = g / (x^2 + 1)^(1/2)."""
    x = floating("asinh", input)

    def pullback(g: Array) -> tuple[Gradient]:
        return (g / np.sqrt(x * x + 1),)

    return record("asinh", np.arcsinh(x), (input,), pullback, saved=(input,))


def acosh(input: Tensor) -> Tensor:
    """y = arcosh x,  dx = g / (x^2 - 1)^(1/2)."""
    x = floating("acosh", input)

    def pullback(g: Array) -> tuple[Gradient]:
        return (g / np.sqrt(x * x - 1),)

    return record("acosh", np.arccosh(x), (input,), pullback, saved=(input,))


def atanh(input: Tensor) -> Tensor:
    """y = artanh x,  dx = g / (1 - x^2)."""
    x = floating("atanh", input)

    def pullback(g: Array) -> tuple[Gradient]:
        return (g / (1 - x * x),)

    return record("atanh", np.arctanh(x), (input,), pullback, saved=(input,))


def atan2(input: Tensor, other: Any) -> Tensor:
    """z = the angle of the point (x, y), y = input, x = other,  dy = g x / r^2,  dx = -g y / r^2;  0 at the origin."""
    y, x, second = floating_operands("atan2", input, other)

    def pullback(g: Array) -> tuple[Gradient, Gradient]:
        square = x * x + y * y
        s = g / np.where(square == 0, 1, square)
        return s * x, -s * y

    return record("atan2", np.arctan2(y, x), (input, second), pullback, saved=(input, second))


def hypot(input: Tensor, other: Any) -> Tensor:
    """z = (x^2 + y^2)^(1/2),  dx = g x / z,  dy = g y / z."""
    x, y, second = floating_operands("hypot", input, other)
    z = np.hypot(x, y)
    need_x, need_y = needs_grad(input), needs_grad(second)
    saved = (input if need_x else None, second if need_y else None)

    def pullback(g: Array) -> tuple[Gradient, Gradient]:
        return g * (x / z) if need_x else None, g * (y / z) if need_y else None

    return record("hypot", z, (input, second), pullback, saved=saved, saves_output=True)


def deg2rad(input: Tensor) -> Tensor:
    """y = x pi / 180,  dx = g pi / 180."""
    return _scaled("deg2rad", input, math.pi / 180)


def rad2deg(input: Tensor) -> Tensor:
    """y = x 180 / pi,  dx = g 180 / pi."""
    return _scaled("rad2deg", input, 180 / math.pi)


def _scaled(name: str, input: Tensor, factor: float) -> Tensor:
    def pullback(g: Array) -> tuple[Gradient]:
        return (g * factor,)

    return record(name, floating(name, input) * factor, (input,), pullback)


# torch's other names
arcsin, arccos, arctan, arctan2 = asin, acos, atan, atan2
arcsinh, arccosh, arctanh = asinh, acosh, atanh
