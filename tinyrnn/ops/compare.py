"""Comparisons and choices. A comparison gives bool and carries no gradient; both operands broadcast.

Raises TypeError for what is neither a tensor nor a number, ValueError for shapes that do not broadcast. A number beyond
the range of whole numbers is compared as it is: uint8 < 300 (in torch it wraps).
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from tinyrnn.autograd.graph import Array, Gradient, Value, make
from tinyrnn.autograd.record import record
from tinyrnn.ops.operands import check_broadcast, constant, operands, tensor_argument

if TYPE_CHECKING:
    from tinyrnn.tensor import Tensor

__all__ = [
    "allclose",
    "eq",
    "equal",
    "ge",
    "greater",
    "greater_equal",
    "gt",
    "isclose",
    "isfinite",
    "isinf",
    "isnan",
    "isneginf",
    "isposinf",
    "le",
    "less",
    "less_equal",
    "lt",
    "ne",
    "not_equal",
    "where",
]


def _bools(like: Tensor, array: Any) -> Tensor:
    bools: Tensor = make(like.result, array)
    return bools


def eq(input: Tensor, other: Any) -> Tensor:
    """x == y."""
    x, y, _ = operands("eq", input, other, any_number=True)
    return _bools(input, x == y)


def ne(input: Tensor, other: Any) -> Tensor:
    """x != y."""
    x, y, _ = operands("ne", input, other, any_number=True)
    return _bools(input, x != y)


def lt(input: Tensor, other: Any) -> Tensor:
    """x < y."""
    x, y, _ = operands("lt", input, other, any_number=True)
    return _bools(input, x < y)


def le(input: Tensor, other: Any) -> Tensor:
    """x <= y."""
    x, y, _ = operands("le", input, other, any_number=True)
    return _bools(input, x <= y)


def gt(input: Tensor, other: Any) -> Tensor:
    """x > y."""
    x, y, _ = operands("gt", input, other, any_number=True)
    return _bools(input, x > y)


def ge(input: Tensor, other: Any) -> Tensor:
    """x >= y."""
    x, y, _ = operands("ge", input, other, any_number=True)
    return _bools(input, x >= y)


def isnan(input: Tensor) -> Tensor:
    """Where x is NaN."""
    return _bools(input, np.isnan(tensor_argument("isnan", input)))


def isinf(input: Tensor) -> Tensor:
    """Where x is inf or -inf."""
    return _bools(input, np.isinf(tensor_argument("isinf", input)))


def isposinf(input: Tensor) -> Tensor:
    """Where x is inf."""
    return _bools(input, np.isposinf(tensor_argument("isposinf", input)))


def isneginf(input: Tensor) -> Tensor:
    """Where x is -inf."""
    return _bools(input, np.isneginf(tensor_argument("isneginf", input)))


def isfinite(input: Tensor) -> Tensor:
    """Where x is neither NaN nor infinite."""
    return _bools(input, np.isfinite(tensor_argument("isfinite", input)))


def where(condition: Tensor, input: Any = None, other: Any = None) -> Any:
    """z = x where the condition holds, else y,  dx = g where it holds, else 0,  dy = g where it does not, else 0.

    condition (bool), input and other (tensors or numbers) -> the shape that all three broadcast to. Raises TypeError
    for a condition that is not bool (uint8 counts as such, with torch's warning), ValueError if the shapes do not
    broadcast. where(condition) alone: for each axis the indices of what is not 0, as nonzero(as_tuple=True).
    """
    c = tensor_argument("where", condition)
    if input is None and other is None:
        return tuple([_bools(condition, index) for index in np.nonzero(np.atleast_1d(c))])
    if c.dtype == np.uint8:
        warnings.warn("where received a uint8 condition tensor. Use a boolean condition instead.", stacklevel=2)
        c = c != 0
    if c.dtype != bool:
        raise TypeError(f"where: the condition is {c.dtype}, expected bool: a comparison, such as x > 0")
    like = other if isinstance(other, Value) else condition
    first = cast("Tensor", input) if isinstance(input, Value) else constant("where", cast("Tensor", like), input)
    x, y, second = operands("where", first, other)
    check_broadcast("where", c.shape, np.broadcast_shapes(x.shape, np.shape(y)))

    def pullback(g: Array) -> tuple[Gradient, Gradient]:
        return np.where(c, g, 0), np.where(c, 0, g)

    return record("where", np.where(c, x, y), (first, second), pullback, saved=(condition,))


def choose(input: Tensor, condition: Tensor, other: Any) -> Tensor:
    """x.where(c, y): where(c, x, y), as a method of the first choice."""
    chosen: Tensor = where(condition, input, other)
    return chosen


def isclose(input: Tensor, other: Tensor, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Tensor:
    """Where |x - y| <= atol + rtol |y|, or both are the same infinity, or, with equal_nan, both NaN."""
    x, y, _ = operands("isclose", input, other)
    return _bools(input, np.isclose(x, y, rtol, atol, equal_nan))


def allclose(input: Tensor, other: Tensor, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> bool:
    """Whether |x - y| <= atol + rtol |y| holds everywhere."""
    x, y, _ = operands("allclose", input, other)
    return bool(np.allclose(x, y, rtol, atol, equal_nan))


def equal(input: Tensor, other: Tensor) -> bool:
    """Whether both have one shape and the same elements; NaN equals nothing."""
    x, y = tensor_argument("equal", input), tensor_argument("equal", other)
    return bool(np.array_equal(x, y))


# torch's other names
not_equal, less, less_equal, greater, greater_equal = ne, lt, le, gt, ge
