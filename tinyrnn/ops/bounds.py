"""The larger and the smaller of two, and what keeps numbers between bounds. All operands broadcast.

In all of them an operand may be a number. Raises TypeError for what is neither a tensor nor a number, ValueError for
shapes that do not broadcast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tinyrnn.autograd.graph import Array, Gradient, Value, make
from tinyrnn.autograd.record import needs_grad, record
from tinyrnn.dtypes import get_default_dtype
from tinyrnn.ops.compare import where
from tinyrnn.ops.operands import check_fits, number, operands, tensor_argument, where_it_passes

if TYPE_CHECKING:
    from tinyrnn.tensor import Tensor

__all__ = ["clamp", "clamp_max", "clamp_min", "clip", "fmax", "fmin", "maximum", "minimum"]


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


def fmax(input: Tensor, other: Any) -> Tensor:
    """z = max(x, y), the number where one is NaN,  dx = g where z is x, or both are equal,  dy = g elsewhere."""
    return _number_first("fmax", input, other, np.fmax, np.greater_equal)


def fmin(input: Tensor, other: Any) -> Tensor:
    """z = min(x, y), the number where one is NaN,  dx = g where z is x, or both are equal,  dy = g elsewhere."""
    return _number_first("fmin", input, other, np.fmin, np.less_equal)


def _number_first(name: str, input: Tensor, other: Any, pick: np.ufunc, wins: np.ufunc) -> Tensor:
    x, y, second = operands(name, input, other)
    of_x = wins(x, y) | np.isnan(y)

    def pullback(g: Array) -> tuple[Gradient, Gradient]:
        return where_it_passes(g, of_x), where_it_passes(g, ~of_x)

    return record(name, pick(x, y), (input, second), pullback)


def clamp(input: Tensor, min: Any = None, max: Any = None) -> Tensor:
    """y = min(max(x, lowest), highest),  dx = g where lowest <= x <= highest, else 0.

    The bounds are numbers or tensors (one of each is allowed here, unlike in torch); where they cross, y is max. To a
    bound that is a tensor goes the g of the places where it is y. Raises ValueError if neither is given.
    """
    x = tensor_argument("clamp", input)
    if min is None and max is None:
        raise ValueError("clamp: neither min nor max is given, expected at least one")
    if isinstance(min, Value) or isinstance(max, Value):
        return _clamp_between("clamp", input, min, max)
    return _clamp("clamp", input, x, min, max)


def clamp_min(input: Tensor, min: Any) -> Tensor:
    """y = max(x, lowest),  dx = g where x >= lowest, else 0; a bound that is a tensor gets the rest of g."""
    x = tensor_argument("clamp_min", input)
    if isinstance(min, Value):
        return _clamp_between("clamp_min", input, min, None)
    return _clamp("clamp_min", input, x, min, None)


def clamp_max(input: Tensor, max: Any) -> Tensor:
    """y = min(x, highest),  dx = g where x <= highest, else 0; a bound that is a tensor gets the rest of g."""
    x = tensor_argument("clamp_max", input)
    if isinstance(max, Value):
        return _clamp_between("clamp_max", input, None, max)
    return _clamp("clamp_max", input, x, None, max)


def _clamp(name: str, input: Tensor, x: Array, min: Any, max: Any) -> Tensor:
    """Between bounds that are numbers, or None."""
    min, max = (n if n is None else number(name, "a bound", n) for n in (min, max))
    if x.dtype.kind in "bui":
        if isinstance(min, float) or isinstance(max, float):
            x = x.astype(get_default_dtype())
        for n in (min, max):
            check_fits(name, n, x.dtype)
    y = np.clip(x, min, max)

    def pullback(g: Array) -> tuple[Gradient]:
        inside = (True if min is None else x >= min) & (True if max is None else x <= max)
        return (where_it_passes(g, np.asarray(inside)),)

    return record(name, y, (input,), pullback, saved=(input,))


def _clamp_between(name: str, input: Tensor, min: Any, max: Any) -> Tensor:
    """Between bounds of which one is a tensor at least: first the lower one, then the upper one."""
    for bound, inside in ((min, np.greater_equal), (max, np.less_equal)):
        if bound is not None:
            x, y, _ = operands(name, input, bound)
            kept: Tensor = make(input.result, inside(x, y) | np.isnan(x))
            input = where(kept, input, bound)
    return input


clip = clamp  # torch's other name
