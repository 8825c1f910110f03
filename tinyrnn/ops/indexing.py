"""Reading and writing parts of a tensor: x[index] and x[index] = y, with every kind of index that NumPy has.

An index is an int, a slice, None, ..., a mask, an array or tensor of whole numbers, a list of them, or a tuple of
these. Ints (also as 0-d tensors), slices, None and ... give a view, the others a copy. In one index, the ints come
first, as in torch and unlike in NumPy: x[0, :, [1, 2]] is x[0][:, [1, 2]].
Raises IndexError, naming the shape, for what does not fit, before anything is changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tinyrnn.autograd.graph import Array, Gradient, Node, Patch, Value, make
from tinyrnn.autograd.modes import state
from tinyrnn.autograd.record import record, sources_of
from tinyrnn.autograd.views import changed_in_place, check_in_place
from tinyrnn.dtypes import as_dtype
from tinyrnn.ops.shaping import reshape

if TYPE_CHECKING:
    from tinyrnn.tensor import Tensor

Index = tuple[Any, ...]


def _index(index: Any) -> tuple[Index, Index | None, bool]:
    """(where, rest, repeats): x[index] is x[where][rest] in NumPy's terms, or x[where] if rest is None.

    repeats: whether the last of them may name an element twice.
    """
    parts = [_part(part) for part in (index if isinstance(index, tuple) else (index,))]
    arrays = [part for part in parts if isinstance(part, np.ndarray)]
    if not arrays:
        whole = () if ... in parts else (...,)  # NumPy's x[0] can be a copy, x[0, ...] is a view
        return (*parts, *whole), None, False
    repeats = any(array.dtype != bool for array in arrays)
    if not any(isinstance(part, int) for part in parts):
        return tuple(parts), None, repeats
    where: list[Any] = []
    for part in parts:
        if isinstance(part, np.ndarray):
            where += [slice(None)] * (part.ndim if part.dtype == bool else 1)  # the axes that it will pick from
        else:
            where.append(part)
    rest = [p if isinstance(p, np.ndarray) or p is ... else slice(None) for p in parts if not isinstance(p, int)]
    return tuple(where), tuple(rest), repeats


def _part(part: Any) -> Any:
    """One part of an index as an int, a slice, None, ..., or an array (of our own: the caller may change theirs)."""
    if type(part) is int or part is None or part is ...:
        return part
    if isinstance(part, slice):
        return slice(*[n.array.item() if isinstance(n, Value) else n for n in (part.start, part.stop, part.step)])
    array = part.array if isinstance(part, Value) else np.asarray(part)
    if array.size == 0 and isinstance(part, list | tuple):
        array = array.astype(np.int64)
    if array.dtype == np.uint8 and isinstance(part, Value | np.ndarray):
        raise IndexError("x[...]: an index is of dtype uint8, which torch takes for a mask: .bool() or .long() it")
    if array.dtype.kind not in "bui":
        what = type(part).__name__ if array.ndim == 0 and not isinstance(part, Value) else f"of dtype {array.dtype}"
        raise IndexError(
            f"x[...]: an index is {what}, expected whole numbers, bools, slices, None or ... (a tensor: .long() it)"
        )
    return int(array) if array.ndim == 0 and array.dtype.kind in "ui" else array.copy()


def _look_up(x: Array, where: Index) -> Array:
    try:
        found: Array = x[where]
    except IndexError as error:
        raise IndexError(f"x[...]: {error} (x has shape {x.shape})") from None
    return found


def getitem(input: Tensor, index: Any) -> Tensor:
    """y = x[index],  dx = zero, with g added at the index."""
    where, rest, repeats = _index(index)
    if rest is not None:
        return getitem(getitem(input, where), rest)
    y = _look_up(input.array, where)

    def pullback(g: Array) -> tuple[Gradient]:
        return (Patch(where, g, repeats),)

    is_view = not any(isinstance(part, np.ndarray) for part in where)
    return record("getitem", y, (input,), pullback, view_of=input if is_view else None)


def setitem(input: Tensor, index: Any, value: Any) -> None:
    """x[index] = y in place,  dx = g with zero at the index,  dy = g at the index.

    Each write costs a backward pass over the whole of x: to fill it step by step, collect the steps and stack them.

    y is a tensor, an array or a number that broadcasts to x[index], and takes its dtype. If the index names an
    element twice, the last value stays, and it alone gets the gradient. Raises RuntimeError for a leaf that requires
    a gradient, ValueError if y does not fit, TypeError if it is no number.
    """
    where, rest, repeats = _index(index)
    if rest is not None:
        return setitem(getitem(input, where), rest, value)
    y: Any = value if isinstance(value, Value) else make(input.result, np.asarray(value))
    as_dtype("x[...] = y", y.dtype)
    place = _look_up(input.array, where).shape
    extra = len(y.shape) - len(place)
    if extra > 0 and y.shape[:extra] == (1,) * extra:
        y = reshape(y, y.shape[extra:])  # NumPy, too, lets go of leading axes of size 1
    try:
        np.broadcast_to(y.array, place)
    except ValueError:
        raise ValueError(
            f"x[...] = y: y has shape {y.shape}, x[...] has {place}: expected y to broadcast to it"
        ) from None
    sources = sources_of((input, y)) if state.grad and input.dtype.kind == "f" else None
    check_in_place("x[...] = y", input, None if sources is None else sources[1])

    def pullback(g: Array) -> tuple[Gradient, Gradient]:
        dx, dy = g.copy(), g[where]
        dx[where] = 0
        if repeats:
            order = np.arange(dy.size).reshape(place)
            written = np.empty(g.shape, order.dtype)
            written[where] = order
            dy = dy * (written[where] == order)
        return dx, dy

    input.array[where] = y.array
    node = None if sources is None else Node("setitem", sources, pullback, input.shape, input.dtype)
    changed_in_place(input, node)
    return None
