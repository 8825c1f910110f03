"""Checks of arguments that modules and their helpers share."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyrnn.autograd.graph import Array, Value
from tinyrnn.ops.operands import tensor_argument


def positive(name: str, what: str, value: Any) -> int:
    """`value`, a whole number of at least 1. Raises TypeError or ValueError."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{name}: {what} is {value!r}, expected a whole number")
    if value.__index__() < 1:
        raise ValueError(f"{name}: {what} is {value}, expected at least 1")
    return int(value)


def flag(name: str, what: str, value: Any) -> bool:
    """`value`, True or False, or 1 or 0. Raises TypeError: of "False", say, which would count as true."""
    if not (isinstance(value, bool | np.bool_) or (type(value) is int and value in (0, 1))):
        raise TypeError(f"{name}: {what} is {value!r}, expected True or False")
    return bool(value)


def number(name: str, what: str, value: Any) -> float:
    """`value` as a float: a number, a tensor of one element, or "inf". Raises TypeError."""
    try:
        return float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name}: {what} is {value!r}, expected a number") from None


def check_probability(name: str, p: float) -> None:
    """Raises ValueError unless p is a number and 0 <= p <= 1."""
    if isinstance(p, bool) or not isinstance(p, int | float | np.number) or not 0 <= p <= 1:
        raise ValueError(f"{name}: the probability is {p!r}, expected a number from 0 to 1")


def check_floating(name: str, x: Array) -> None:
    """Raises TypeError unless the array is of a floating dtype."""
    if x.dtype.kind != "f":
        raise TypeError(f"{name}: the input is {x.dtype}, expected a floating dtype: .float() it")


def floating_tensor(name: str, input: Any) -> Array:
    """The array of a tensor of a floating dtype. Raises TypeError."""
    x = tensor_argument(name, input)
    check_floating(name, x)
    return x


def check_reduction(name: str, reduction: str) -> None:
    """Raises ValueError unless the reduction is one of torch's three."""
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"{name}: the reduction is {reduction!r}, expected 'mean', 'sum' or 'none'")


def check_dtype(name: str, what: str, x: Value, weight: Value) -> None:
    """Raises TypeError unless a tensor has the dtype of the weights."""
    if x.dtype != weight.dtype:
        raise TypeError(
            f"{name}: {what} is {x.dtype}, the weights are {weight.dtype}, expected one dtype: cast the tensor with "
            ".float() or .double(), or the whole module"
        )
