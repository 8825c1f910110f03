"""Reading and writing parts of a tensor: x[index] and x[index] = y, with every kind of index that NumPy has.

An index is an int, a slice, None, ..., a mask, an array or tensor of whole numbers, a list of them, or a tuple of
these. Ints and slices give a view, the others a copy. Raises IndexError where NumPy does, before anything is changed.
"""

from __future__ import annotations

import math
from types import EllipsisType
from typing import TYPE_CHECKING, Any

import numpy as np

from tinyrnn.autograd.graph import Array, Gradient, Node, Patch, Value, make
from tinyrnn.autograd.modes import mode
from tinyrnn.autograd.record import record, sources_of
from tinyrnn.autograd.views import changed_in_place, check_in_place
from tinyrnn.ops.shaping import reshape

if TYPE_CHECKING:
    from tinyrnn.tensor import Tensor

_BASIC = (int, np.integer, slice, EllipsisType, type(None))


def _index(index: Any) -> tuple[Any, bool, bool]:
    """(index in NumPy's terms, whether it gives a view, whether it may name an element twice)."""
    parts = [_part(part) for part in (index if isinstance(index, tuple) else (index,))]
    basic = all(isinstance(part, _BASIC) and not isinstance(part, bool) for part in parts)
    repeats = any(isinstance(part, np.ndarray) and part.dtype != bool for part in parts)
    return tuple(parts), basic, repeats


def _part(part: Any) -> Any:
    if isinstance(part, Value):
        part = part.array
    if isinstance(part, slice):
        return slice(*(n.array.item() if isinstance(n, Value) else n for n in (part.start, part.stop, part.step)))
    if isinstance(part, list | range):
        part = np.asarray(part, dtype=None if len(part) else np.int64)
    if isinstance(part, np.ndarray):
        if part.dtype.kind not in "bui":
            raise IndexError(f"indexing: an index is of dtype {part.dtype}, expected whole numbers or bool")
        return int(part) if part.ndim == 0 and part.dtype.kind in "ui" else part
    return part


def getitem(input: Tensor, index: Any) -> Tensor:
    """y = x[index],  dx = zero, with g added at the index."""
    where, basic, repeats = _index(index)

    def pullback(g: Array) -> tuple[Gradient]:
        return (Patch(where, g, repeats),)

    return record("getitem", input.array[where], (input,), pullback, view_of=input if basic else None)


def setitem(input: Tensor, index: Any, value: Any) -> None:
    """x[index] = y in place,  dx = g with zero at the index,  dy = g at the index.

    y is a tensor, an array or a number that broadcasts to x[index], and takes its dtype. Raises RuntimeError for a
    leaf that requires a gradient, ValueError if y does not fit.
    """
    where, _, _ = _index(index)
    y: Any = value if isinstance(value, Value) else make(input.result, np.asarray(value))
    place = input.array[where].shape
    if y.array.ndim > len(place) and y.array.size == math.prod(place):
        y = reshape(y, place)  # NumPy, too, lets go of leading axes of size 1
    try:
        np.broadcast_to(y.array, place)
    except ValueError:
        raise ValueError(
            f"x[...] = y: y has shape {y.shape}, x[...] has {place}: expected y to broadcast to it"
        ) from None
    sources = sources_of((input, y)) if mode.grad else None
    check_in_place("x[...] = y", input, None if sources is None else sources[1])

    def pullback(g: Array) -> tuple[Gradient, Gradient]:
        dx = g.copy()
        dx[where] = 0
        return dx, g[where]

    input.array[where] = y.array
    node = None if sources is None else Node("setitem", sources, pullback, input.shape, input.dtype)
    changed_in_place(input, node)
