"""Comparisons and choices. A comparison gives bool and carries no gradient; both operands broadcast."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from tinyrnn.autograd.graph import Array, Gradient, Value, make
from tinyrnn.autograd.record import record
from tinyrnn.ops.operands import check_broadcast, constant, operands, tensor_argument

if TYPE_CHECKING:
    from tinyrnn.tensor import Tensor

__all__ = ["allclose", "eq", "ge", "gt", "le", "lt", "ne", "where"]


def _bools(like: Tensor, array: Array) -> Tensor:
    bools: Tensor = make(like.result, array)
    return bools


def eq(input: Tensor, other: Any) -> Tensor:
    """x == y."""
    x, y, _ = operands("eq", input, other)
    return _bools(input, x == y)


def ne(input: Tensor, other: Any) -> Tensor:
    """x != y."""
    x, y, _ = operands("ne", input, other)
    return _bools(input, x != y)


def lt(input: Tensor, other: Any) -> Tensor:
    """x < y."""
    x, y, _ = operands("lt", input, other)
    return _bools(input, x < y)


def le(input: Tensor, other: Any) -> Tensor:
    """x <= y."""
    x, y, _ = operands("le", input, other)
    return _bools(input, x <= y)


def gt(input: Tensor, other: Any) -> Tensor:
    """x > y."""
    x, y, _ = operands("gt", input, other)
    return _bools(input, x > y)


def ge(input: Tensor, other: Any) -> Tensor:
    """x >= y."""
    x, y, _ = operands("ge", input, other)
    return _bools(input, x >= y)


def where(condition: Tensor, input: Any, other: Any) -> Tensor:
    """z = x where the condition holds, else y,  dx = g where it holds, else 0,  dy = g where it does not, else 0.

    condition (bool), input and other (tensors or numbers) -> the shape that all three broadcast to. Raises TypeError
    for a condition that is not bool, ValueError if the shapes do not broadcast.
    """
    c = tensor_argument("where", condition)
    if c.dtype != bool:
        raise TypeError(f"where: the condition is {c.dtype}, expected bool: a comparison, such as x > 0")
    like = other if isinstance(other, Value) else condition
    first = cast("Tensor", input) if isinstance(input, Value) else constant("where", cast("Tensor", like), input)
    x, y, second = operands("where", first, other)
    check_broadcast("where", c.shape, np.broadcast_shapes(x.shape, np.shape(y)))

    def pullback(g: Array) -> tuple[Gradient, Gradient]:
        return np.where(c, g, 0), np.where(c, 0, g)

    return record("where", np.where(c, x, y), (first, second), pullback, saved=(condition,))


def allclose(input: Tensor, other: Tensor, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> bool:
    """Whether |x - y| <= atol + rtol |y| holds everywhere."""
    x, y, _ = operands("allclose", input, other)
    return bool(np.allclose(x, y, rtol, atol, equal_nan))
