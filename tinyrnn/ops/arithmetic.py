"""+ - * / ** and their kin: two operands that broadcast. The engine sums each gradient back to its operand's shape.

In all of them: input (any shape), other (a shape that broadcasts with it, or a number) -> the broadcast shape.
Raises ValueError if the shapes do not broadcast and TypeError for what is neither a tensor nor a number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tinyrnn.autograd.graph import Array, Gradient
from tinyrnn.autograd.record import needs_grad, record
from tinyrnn.dtypes import get_default_dtype
from tinyrnn.ops.operands import constant, number, operands, tensor_argument, where_it_passes

if TYPE_CHECKING:
    from tinyrnn.tensor import Tensor

__all__ = ["add", "div", "maximum", "minimum", "mul", "neg", "pow", "square", "sub"]


def add(input: Tensor, other: Any, *, alpha: float = 1) -> Tensor:
    """z = x + alpha y,  dx = g,  dy = alpha g."""
    x, y, second = operands("add", input, other)
    alpha = alpha if alpha == 1 else _alpha("add", alpha, x)
    z = x + y if alpha == 1 else x + alpha * y

    def pullback(g: Array) -> tuple[Gradient, Gradient]:
        return g, g if alpha == 1 else alpha * g

    return record("add", z, (input, second), pullback)


def sub(input: Tensor, other: Any, *, alpha: float = 1) -> Tensor:
    """z = x - alpha y,  dx = g,  dy = -alpha g."""
    x, y, second = operands("sub", input, other)
    alpha = alpha if alpha == 1 else _alpha("sub", alpha, x)
    z = x - y if alpha == 1 else x - alpha * y

    def pullback(g: Array) -> tuple[Gradient, Gradient]:
        return g, -g if alpha == 1 else -alpha * g

    return record("sub", z, (input, second), pullback)


def _alpha(name: str, alpha: Any, x: Array) -> Any:
    alpha = number(name, "alpha", alpha)
    if isinstance(alpha, float) and x.dtype.kind in "bui":
        raise TypeError(
            f"{name}: alpha is {alpha} for tensors of {x.dtype}: expected a whole number, or .float() tensors"
        )
    return alpha


def neg(input: Tensor) -> Tensor:
    """y = -x,  dx = -g."""
    x = tensor_argument("neg", input)
    if x.dtype == bool:
        raise TypeError("neg: a bool has no negative, expected numbers: .long() it, or compare with == False")

    def pullback(g: Array) -> tuple[Gradient]:
        return (-g,)

    return record("neg", -x, (input,), pullback)


def mul(input: Tensor, other: Any) -> Tensor:
    """z = x y,  dx = g y,  dy = g x."""
    x, y, second = operands("mul", input, other)
    kept_x = x if needs_grad(second) else None  # only what will be read is kept
    kept_y = y if needs_grad(input) else None

    def pullback(g: Array) -> tuple[Gradient, Gradient]:
        return None if kept_y is None else g * kept_y, None if kept_x is None else g * kept_x

    saved = (None if kept_x is None else input, None if kept_y is None else second)
    return record("mul", x * y, (input, second), pullback, saved=saved)


def div(input: Tensor, other: Any) -> Tensor:
    """z = x / y,  dx = g / y,  dy = -g x / y^2. Whole numbers are divided in the default dtype."""
    x, y, second = operands("div", input, other)
    if x.dtype.kind in "bui":
        x = x.astype(get_default_dtype())
        y = y.astype(x.dtype) if second is not None else y
    need_x, need_y = needs_grad(input), needs_grad(second)
    kept_x = x if need_y else None

    def pullback(g: Array) -> tuple[Gradient, Gradient]:
        dx = g / y
        return dx if need_x else None, None if kept_x is None else -dx * (kept_x / y)

    saved = (second, input if need_y else None)
    return record("div", x / y, (input, second), pullback, saved=saved)


def pow(input: Tensor, exponent: Any) -> Tensor:
    """z = x^y,  dx = g y x^(y-1),  dy = g z log x  (dy = 0 where x = 0 and y >= 0: the limit).

    Raises ValueError for whole numbers to the power of a negative one: .float() them.
    """
    x, y, second = operands("pow", input, exponent)
    if x.dtype.kind in "ui" and np.any(np.less(y, 0)):
        raise ValueError(f"pow: whole numbers ({x.dtype}) to a negative power are fractions: .float() them")
    need_x, need_y = needs_grad(input), needs_grad(second)
    z = x**y
    dtype, kept_z = z.dtype, z if need_y else None

    def pullback(g: Array) -> tuple[Gradient, Gradient]:
        flat = np.equal(y, 0)  # x^0 is 1 everywhere, at 0, inf and NaN too
        slope = y * x ** np.where(flat, 0, y - 1).astype(dtype) if need_x else None
        dx = None if slope is None else np.where(flat, 0, g) * slope
        dy = None if kept_z is None else g * (kept_z * np.log(np.where((x == 0) & (y >= 0), 1, x)))
        return dx, dy

    return record("pow", z, (input, second), pullback, saved=(second, input), saves_output=need_y)


def square(input: Tensor) -> Tensor:
    """y = x^2,  dx = 2 g x."""
    x = tensor_argument("square", input)

    def pullback(g: Array) -> tuple[Gradient]:
        return (2 * g * x,)

    return record("square", x * x, (input,), pullback, saved=(input,))


def rsub(input: Tensor, other: Any) -> Tensor:
    """z = y - x."""
    return sub(constant("rsub", input, other), input)


def rdiv(input: Tensor, other: Any) -> Tensor:
    """z = y / x."""
    return div(constant("rdiv", input, other), input)


def rpow(input: Tensor, other: Any) -> Tensor:
    """z = y^x."""
    return pow(constant("rpow", input, other), input)


def maximum(input: Tensor, other: Any) -> Tensor:
    """z = max(x, y),  dx = g where x > y,  dy = g where x < y;  half to each where they are equal, g to both at NaN."""
    return _extremum("maximum", input, other, np.maximum, np.less, np.greater)


def minimum(input: Tensor, other: Any) -> Tensor:
    """z = min(x, y),  dx = g where x < y,  dy = g where x > y;  half to each where they are equal, g to both at NaN."""
    return _extremum("minimum", input, other, np.minimum, np.greater, np.less)


def _extremum(name: str, input: Tensor, other: Any, pick: np.ufunc, loses: np.ufunc, wins: np.ufunc) -> Tensor:
    x, y, second = operands(name, input, other)
    need_x, need_y = needs_grad(input), needs_grad(second)
    equal, x_loses, y_loses = np.equal(x, y), loses(x, y), wins(x, y)

    def pullback(g: Array) -> tuple[Gradient, Gradient]:
        if equal.any():
            g = np.where(equal, 0.5 * g, g)
        return where_it_passes(g, ~x_loses) if need_x else None, where_it_passes(g, ~y_loses) if need_y else None

    return record(name, pick(x, y), (input, second), pullback)
