"""Rounding, and division that rounds. Wherever a result moves in steps its derivative is 0, as in torch.

Whole numbers stay whole. Two operands broadcast; either may be a number. Raises ZeroDivisionError for whole numbers
divided by 0, TypeError for what is neither a tensor nor a number, ValueError for shapes that do not broadcast.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from tinyrnn.autograd.graph import Array, Gradient, Value
from tinyrnn.autograd.record import needs_grad, record
from tinyrnn.ops.operands import constant, operands, tensor_argument

if TYPE_CHECKING:
    from tinyrnn.tensor import Tensor

__all__ = ["ceil", "fix", "floor", "floor_divide", "fmod", "frac", "remainder", "round", "trunc"]


def floor(input: Tensor) -> Tensor:
    """y = the largest whole number <= x,  dx = 0."""
    return _rounded("floor", input, np.floor)


def ceil(input: Tensor) -> Tensor:
    """y = the smallest whole number >= x,  dx = 0."""
    return _rounded("ceil", input, np.ceil)


def trunc(input: Tensor) -> Tensor:
    """y = x without its fraction, towards 0,  dx = 0."""
    return _rounded("trunc", input, np.trunc)


def round(input: Tensor, *, decimals: int = 0) -> Tensor:
    """y = the nearest number with so many decimals, halves to the even one,  dx = 0."""
    return _rounded("round", input, np.rint if decimals == 0 else lambda x: np.round(x, decimals))


def frac(input: Tensor) -> Tensor:
    """y = x - trunc x,  dx = g."""
    x = tensor_argument("frac", input)

    def pullback(g: Array) -> tuple[Gradient]:
        return (g,)

    return record("frac", x - np.trunc(x), (input,), pullback)


def floor_divide(input: Any, other: Any) -> Tensor:
    """z = floor(x / y), which is x // y,  dx = dy = 0."""
    return divided("floor_divide", input, other, "floor")


def remainder(input: Any, other: Any) -> Tensor:
    """z = x - y floor(x / y), of the sign of y: x % y,  dx = g,  dy = -g floor(x / y)."""
    return _left_over("remainder", input, other, np.remainder, np.floor)


def fmod(input: Any, other: Any) -> Tensor:
    """z = x - y trunc(x / y), of the sign of x,  dx = g,  dy = -g trunc(x / y)."""
    return _left_over("fmod", input, other, np.fmod, np.trunc)


def rfloor_divide(input: Tensor, other: Any) -> Tensor:
    """z = y // x."""
    return floor_divide(other, input)


def rremainder(input: Tensor, other: Any) -> Tensor:
    """z = y % x."""
    return remainder(other, input)


def divided(name: str, input: Any, other: Any, rounding_mode: str) -> Tensor:
    """z = x / y rounded: "floor", down, or "trunc", towards 0,  dx = dy = 0. Raises ValueError for another mode."""
    if rounding_mode not in ("floor", "trunc"):
        raise ValueError(f"{name}: rounding_mode is {rounding_mode!r}, expected None, 'floor' or 'trunc'")
    input, x, y, second = _pair(name, input, other)
    if rounding_mode == "floor":
        z = np.floor_divide(x, y)
    else:  # whole numbers are exact: no quotient in between
        z = np.trunc(x / y) if x.dtype.kind == "f" else np.floor_divide(x - np.fmod(x, y), y)
    return _in_steps(name, z, (input, second))


def _pair(name: str, input: Any, other: Any) -> tuple[Tensor, Array, Any, Tensor | None]:
    """`operands`, of which the first may be a number too; divided by 0, whole numbers raise ZeroDivisionError."""
    if not isinstance(input, Value) and isinstance(other, Value):
        input = constant(name, other, input)  # type: ignore[arg-type]
    x, y, second = operands(name, input, other)
    if x.dtype.kind in "bui" and not np.all(y):
        raise ZeroDivisionError(f"{name}: whole numbers ({x.dtype}) divided by 0: .float() them for inf and NaN")
    return input, x, y, second


def _left_over(name: str, input: Any, other: Any, operation: np.ufunc, rounded: Callable[[Array], Array]) -> Tensor:
    input, x, y, second = _pair(name, input, other)
    kept_x = x if needs_grad(second) else None

    def pullback(g: Array) -> tuple[Gradient, Gradient]:
        return g, None if kept_x is None else -g * rounded(kept_x / y)

    saved = () if kept_x is None else (input, second)
    z: Tensor = record(name, operation(x, y), (input, second), pullback, saved=saved)
    return z


def _rounded(name: str, input: Tensor, operation: Callable[[Array], Array]) -> Tensor:
    x = tensor_argument(name, input)
    return _in_steps(name, x.copy() if x.dtype.kind in "bui" else operation(x), (input,))


def _in_steps(name: str, y: Array, inputs: tuple[Tensor | None, ...]) -> Tensor:
    n = len(inputs)

    def pullback(g: Array) -> list[Gradient]:
        return [np.zeros_like(g)] * n

    z: Tensor = record(name, y, inputs, pullback)
    return z


fix = trunc  # torch's other name
