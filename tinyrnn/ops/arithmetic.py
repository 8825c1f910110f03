"""+ - * / ** and their kin: two operands that broadcast. The engine sums each gradient back to its operand's shape.

In all of them: input (any shape), other (a shape that broadcasts with it, or a number) -> the broadcast shape.
Raises ValueError if the shapes do not broadcast, or for a number beyond the range of a tensor of whole numbers (torch
lets it wrap: uint8 + 300), and TypeError for what is neither a tensor nor a number.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from tinyrnn.autograd.graph import Array, Gradient, Value
from tinyrnn.autograd.record import needs_grad, record
from tinyrnn.dtypes import get_default_dtype
from tinyrnn.ops.operands import (
    check_broadcast,
    check_fits,
    check_same_dtype,
    constant,
    floating_operands,
    number,
    operands,
    tensor_argument,
)
from tinyrnn.ops.pointwise import cast
from tinyrnn.ops.rounding import divided

if TYPE_CHECKING:
    from tinyrnn.tensor import Tensor

__all__ = [
    "add",
    "addcdiv",
    "addcmul",
    "div",
    "divide",
    "float_power",
    "lerp",
    "logaddexp",
    "mul",
    "multiply",
    "neg",
    "negative",
    "pow",
    "square",
    "sub",
    "subtract",
    "true_divide",
]


def add(input: Tensor, other: Any, after_alpha: Any = None, *, alpha: float = 1) -> Tensor:
    """z = x + alpha y,  dx = g,  dy = alpha g. add(x, alpha, y), as old programs write it, warns as in torch."""
    if after_alpha is not None:
        warnings.warn("add: add(x, alpha, y) is deprecated: say add(x, y, alpha=alpha)", UserWarning, stacklevel=3)
        other, alpha = after_alpha, number("add", "alpha", other)
    x, y, second = operands("add", input, other)
    if alpha == 1:
        return record("add", x + y, (input, second), _same_to_both)
    alpha = _alpha("add", alpha, x)

    def pullback(g: Array) -> tuple[Gradient, Gradient]:
        return g, alpha * g

    return record("add", x + alpha * y, (input, second), pullback)


def _same_to_both(g: Array) -> tuple[Gradient, Gradient]:
    """The pullback of x + y, which keeps nothing: one function for all sums."""
    return g, g


def sub(input: Tensor, other: Any, *, alpha: float = 1) -> Tensor:
    """z = x - alpha y,  dx = g,  dy = -alpha g. Raises TypeError for two bools."""
    x, y, second = operands("sub", input, other)
    alpha = alpha if alpha == 1 else _alpha("sub", alpha, x)
    try:
        z = x - y if alpha == 1 else x - alpha * y
    except TypeError:
        raise TypeError("sub: two bools have no difference: use ^ (logical_xor), or ~ to negate a mask") from None
    if alpha == 1:
        return record("sub", z, (input, second), _opposite_to_both)

    def pullback(g: Array) -> tuple[Gradient, Gradient]:
        return g, -alpha * g

    return record("sub", z, (input, second), pullback)


def _opposite_to_both(g: Array) -> tuple[Gradient, Gradient]:
    """The pullback of x - y, likewise."""
    return g, -g


def _alpha(name: str, alpha: Any, x: Array) -> Any:
    alpha = number(name, "alpha", alpha)
    if isinstance(alpha, float) and x.dtype.kind in "bui":
        raise TypeError(
            f"{name}: alpha is {alpha} for tensors of {x.dtype}: expected a whole number, or .float() tensors"
        )
    check_fits(name, alpha, x.dtype)
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


def div(input: Tensor, other: Any, *, rounding_mode: str | None = None) -> Tensor:
    """z = x / y,  dx = g / y,  dy = -g x / y^2. Whole numbers are divided in the default dtype.

    rounding_mode: "floor" (as //) or "trunc" (towards 0), with a derivative of 0; whole numbers then stay whole.
    """
    if rounding_mode is not None:
        return divided("div", input, other, rounding_mode)
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


def pow(input: Any, exponent: Any) -> Tensor:
    """z = x^y,  dx = g y x^(y-1),  dy = g z log x  (dy = 0 where x = 0 and y >= 0: the limit).

    Either may be a number. Raises ValueError for whole numbers to the power of a negative one: .float() them.
    """
    if not isinstance(input, Value) and isinstance(exponent, Value):
        input = constant("pow", exponent, input)  # type: ignore[arg-type]
    x, y, second = operands("pow", input, exponent)
    if x.dtype.kind in "bui":
        _check_whole_power(x, y)
        x = x.astype(np.int64) if x.dtype == bool else x  # NumPy would say int8
    if second is None:
        return _power(input, x, y)
    need_x, need_y = needs_grad(input), needs_grad(second)
    z = x**y
    dtype, kept_z = z.dtype, z if need_y else None

    def pullback(g: Array) -> tuple[Gradient, Gradient]:
        flat = np.equal(y, 0)  # x^0 is 1 everywhere, at 0, inf and NaN too
        slope = y * x ** np.where(flat, 0, y - 1).astype(dtype) if need_x else None
        dx = None if slope is None else np.where(flat, 0, g) * slope
        dy = None if kept_z is None else g * (kept_z * np.log(np.where((x == 0) & (y >= 0), 1, x)))
        return dx, dy

    power: Tensor = record("pow", z, (input, second), pullback, saved=(second, input), saves_output=need_y)
    return power


def _power(input: Tensor, x: Array, n: float) -> Tensor:
    def pullback(g: Array) -> tuple[Gradient]:
        return (g * (n * x ** (n - 1)) if n else np.zeros_like(g),)  # x^0 is 1 everywhere, at 0, inf and NaN too

    return record("pow", x**n, (input,), pullback, saved=(input,))


def _check_whole_power(x: Array, y: Any) -> None:
    if np.any(np.less(y, 0)):
        raise ValueError(f"pow: whole numbers ({x.dtype}) to a negative power are fractions: .float() them")
    if x.dtype.kind == "b" and np.asarray(y).dtype == bool:
        raise TypeError("pow: bools have no powers, expected numbers: .long() them, or combine them with &")


def float_power(input: Any, exponent: Any) -> Tensor:
    """z = x^y in float64, whatever the dtypes; derivatives as pow's."""
    double = np.dtype(np.float64)
    x, y = (cast(v, double) if isinstance(v, Value) else v for v in (input, exponent))  # type: ignore[arg-type]
    return pow(x, y)


def square(input: Tensor) -> Tensor:
    """y = x^2,  dx = 2 g x.  The squares of bools are int64, as in torch."""
    x = tensor_argument("square", input)
    x = x.astype(np.int64) if x.dtype == bool else x

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


def addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: float = 1) -> Tensor:
    """z = x + v a b,  dx = g,  da = v g b,  db = v g a."""
    _check_three("addcmul", input, tensor1, tensor2)
    return add(input, mul(tensor1, tensor2), alpha=value)


def addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: float = 1) -> Tensor:
    """z = x + v a / b,  dx = g,  da = v g / b,  db = -v g a / b^2."""
    _check_three("addcdiv", input, tensor1, tensor2)
    return add(input, div(tensor1, tensor2), alpha=value)


def _check_three(name: str, input: Tensor, tensor1: Tensor, tensor2: Tensor) -> None:
    x, a, b = (tensor_argument(name, tensor).shape for tensor in (input, tensor1, tensor2))
    check_broadcast(name, a, b)
    check_broadcast(name, x, np.broadcast_shapes(a, b))


def lerp(input: Tensor, end: Tensor, weight: Any) -> Tensor:
    """z = x + w (y - x): x at w = 0, y at w = 1,  dx = g (1 - w),  dy = g w,  dw = g (y - x).

    weight: a number, or a tensor of the dtype of x. Raises TypeError for another dtype.
    """
    x, y, second = floating_operands("lerp", input, end)
    third = weight if isinstance(weight, Value) else None
    w = number("lerp", "weight", weight) if third is None else third.array
    if third is not None:
        check_same_dtype("lerp", x, w)
        check_broadcast("lerp", w.shape, np.broadcast_shapes(x.shape, np.shape(y)))
    way = y - x
    z = np.where(np.abs(w) < 0.5, x + w * way, y - way * (1 - w))  # exact at both ends
    kept_way = way if needs_grad(third) else None

    def pullback(g: Array) -> tuple[Gradient, Gradient, Gradient]:
        return g * (1 - w), g * w, None if kept_way is None else g * kept_way

    saved = (third, *((input, second) if kept_way is not None else ()))
    between: Tensor = record("lerp", z, (input, second, third), pullback, saved=saved)
    return between


def logaddexp(input: Tensor, other: Any) -> Tensor:
    """z = log(e^x + e^y), without overflow,  dx = g / (1 + e^(y-x)),  dy = g / (1 + e^(x-y))."""
    x, y, second = floating_operands("logaddexp", input, other)

    def pullback(g: Array) -> tuple[Gradient, Gradient]:
        with np.errstate(over="ignore", invalid="ignore"):
            d = np.where(x == y, 0, x - y)  # of two infinities, too
            return g / (1 + np.exp(-d)), g / (1 + np.exp(d))

    return record("logaddexp", np.logaddexp(x, y), (input, second), pullback, saved=(input, second))


# torch's other names
subtract, multiply, negative = sub, mul, neg
divide = true_divide = div
