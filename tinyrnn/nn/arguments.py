"""Checks of arguments that modules and their helpers share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tinyrnn.autograd.graph import Array, Value
from tinyrnn.ops.operands import check_floating, tensor_argument
from tinyrnn.tensor import Tensor


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


def as_float(name: str, what: str, value: Any) -> float:
    """`value` as a float: a number, a tensor of one element, or "inf". Raises TypeError."""
    try:
        return float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name}: {what} is {value!r}, expected a number") from None


def check_probability(name: str, p: float) -> None:
    """Raises ValueError unless p is a number and 0 <= p <= 1."""
    if isinstance(p, bool) or not isinstance(p, int | float | np.number) or not 0 <= p <= 1:
        raise ValueError(f"{name}: the probability is {p!r}, expected a number from 0 to 1")


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


def in_one_dtype(name: str, input: Any, other: Any) -> tuple[Array, Array]:
    """The arrays of two tensors in one floating dtype, the wider of the two, or the only one. Raises TypeError."""
    x, y = tensor_argument(name, input), tensor_argument(name, other)
    if x.dtype is not y.dtype:
        dtype = x.dtype if y.dtype.kind in "bui" else y.dtype if x.dtype.kind in "bui" else np.result_type(x, y)
        x, y = x.astype(dtype, copy=False), y.astype(dtype, copy=False)
    check_floating(name, x)
    return x, y


def several_tensors(name: str, given: Tensor | Iterable[Tensor]) -> list[Tensor]:
    """One tensor, or several, as a list. Raises TypeError for what is none."""
    several = [given] if isinstance(given, Tensor) else list(given)
    for tensor in several:
        if not isinstance(tensor, Tensor):
            raise TypeError(f"{name}: got a {type(tensor).__name__}, expected tensors, as in model.parameters()")
    return several
