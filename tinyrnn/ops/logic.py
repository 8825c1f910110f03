"""Truth, and the bits of whole numbers. Nothing here carries a gradient.

logical_*: of any dtype, where what is not 0 is true -> bool. bitwise_* and the operators & | ^ ~ << >>: of bools and
whole numbers, in their common dtype; TypeError for floating ones. Two operands broadcast; either may be a number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tinyrnn.autograd.graph import Value, make
from tinyrnn.ops.operands import constant, normal_axes, numpy_names, operands, tensor_argument

if TYPE_CHECKING:
    from tinyrnn.tensor import Tensor

__all__ = [
    "all",
    "any",
    "bitwise_and",
    "bitwise_left_shift",
    "bitwise_not",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "count_nonzero",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
]


def logical_and(input: Tensor, other: Any) -> Tensor:
    """Where both are true."""
    x, y, _ = operands("logical_and", input, other, any_number=True)
    return _made(input, np.logical_and(x, y))


def logical_or(input: Tensor, other: Any) -> Tensor:
    """Where one is true, or both."""
    x, y, _ = operands("logical_or", input, other, any_number=True)
    return _made(input, np.logical_or(x, y))


def logical_xor(input: Tensor, other: Any) -> Tensor:
    """Where just one is true."""
    x, y, _ = operands("logical_xor", input, other, any_number=True)
    return _made(input, np.logical_xor(x, y))


def logical_not(input: Tensor) -> Tensor:
    """Where x is 0."""
    return _made(input, np.logical_not(tensor_argument("logical_not", input)))


def bitwise_and(input: Any, other: Any) -> Tensor:
    """x & y."""
    return _bitwise("bitwise_and", input, other, np.bitwise_and)


def bitwise_or(input: Any, other: Any) -> Tensor:
    """x | y."""
    return _bitwise("bitwise_or", input, other, np.bitwise_or)


def bitwise_xor(input: Any, other: Any) -> Tensor:
    """x ^ y."""
    return _bitwise("bitwise_xor", input, other, np.bitwise_xor)


def bitwise_not(input: Tensor) -> Tensor:
    """~x: of a bool, its negation."""
    x = tensor_argument("bitwise_not", input)
    _check_bits("bitwise_not", x.dtype)
    return _made(input, np.invert(x))


def bitwise_left_shift(input: Any, other: Any) -> Tensor:
    """x << y, which is x 2^y."""
    return _bitwise("bitwise_left_shift", input, other, np.left_shift)


def bitwise_right_shift(input: Any, other: Any) -> Tensor:
    """x >> y, which is floor(x / 2^y)."""
    return _bitwise("bitwise_right_shift", input, other, np.right_shift)


def rleft_shift(input: Tensor, other: Any) -> Tensor:
    """y << x."""
    return bitwise_left_shift(other, input)


def rright_shift(input: Tensor, other: Any) -> Tensor:
    """y >> x."""
    return bitwise_right_shift(other, input)


def _bitwise(name: str, input: Any, other: Any, operation: np.ufunc) -> Tensor:
    if not isinstance(input, Value) and isinstance(other, Value):
        input = constant(name, other, input)  # type: ignore[arg-type]
    x, y, _ = operands(name, input, other)
    _check_bits(name, x.dtype)
    return _made(input, operation(x, y))


def _check_bits(name: str, dtype: np.dtype[Any]) -> None:
    if dtype.kind not in "bui":
        raise TypeError(f"{name}: the operands are {dtype}, expected bools or whole numbers: .long() them")


def _made(like: Tensor, array: Any) -> Tensor:
    tensor: Tensor = make(like.result, array)
    return tensor


@numpy_names
def any(input: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
    """Whether one element along dim (an axis, several, or None for all) is not 0 -> bool; uint8 gives uint8."""
    return _truth("any", input, dim, keepdim, np.logical_or)


@numpy_names
def all(input: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
    """Whether no element along dim (an axis, several, or None for all) is 0 -> bool; uint8 gives uint8."""
    return _truth("all", input, dim, keepdim, np.logical_and)


def _truth(name: str, input: Tensor, dim: Any, keepdim: bool, operation: np.ufunc) -> Tensor:
    x = tensor_argument(name, input)
    axes = () if dim in ((), []) else normal_axes(name, dim, x.ndim)  # as in torch; elsewhere () stands for all
    y = operation.reduce(x, axes, keepdims=keepdim)
    return _made(input, np.asarray(y, np.uint8 if x.dtype == np.uint8 else bool))


@numpy_names
def count_nonzero(input: Tensor, dim: Any = None) -> Tensor:
    """How many elements along dim (an axis, several, or None for all) are not 0 -> int64."""
    x = tensor_argument("count_nonzero", input)
    return _made(input, np.asarray(np.count_nonzero(x, normal_axes("count_nonzero", dim, x.ndim)), np.int64))
