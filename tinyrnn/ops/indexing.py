"""Reading and writing parts of a tensor: x[index] and x[index] = y, with every kind of index that NumPy has.

An index is an int, a slice, None, ..., a mask, an array or tensor of whole numbers, a list of them, or a tuple of
these. Ints (also as 0-d tensors), slices, None and ... give a view, the others a copy. In one index, the ints come
first, as in torch and unlike in NumPy: x[0, :, [1, 2]] is x[0][:, [1, 2]]. Uint8 is taken for a mask, as in torch.
A list is one part of an index, also if it holds lists or tensors, as in NumPy: x[[[0, 1], [1, 0]]] has the shape
(2, 2, ...). torch takes such a list for a tuple, and warns that it will not always; here the warning says the same.
Raises IndexError, naming the shape, for what does not fit, before anything is changed.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from tinyrnn.autograd.graph import FRESH, IN_PLACE, Array, Edge, Gradient, Node, Patch, Value, make
from tinyrnn.autograd.modes import state
from tinyrnn.autograd.record import edges_of, record
from tinyrnn.autograd.views import changed_in_place, check_in_place, share
from tinyrnn.kernels.places import last_written
from tinyrnn.kernels.rows import sum_by_row
from tinyrnn.ops.operands import numbers_for
from tinyrnn.ops.shaping import reshape

if TYPE_CHECKING:
    from tinyrnn.tensor import Tensor

Index = tuple[Any, ...]


def _index(index: Any) -> tuple[Index, Index | None, bool | None]:
    """(where, rest, repeats): x[index] is x[where][rest] in NumPy's terms, or x[where] if rest is None.

    repeats: whether the last of them may name an element twice; None: it is a view.
    """
    if type(index) is int:
        return (index, ...), None, None  # NumPy's x[0] can be a copy, x[0, ...] is a view
    if isinstance(index, list):
        _warn_if_nested(index)
    parts = [_part(part) for part in (index if isinstance(index, tuple) else (index,))]
    arrays = [part for part in parts if isinstance(part, np.ndarray)]
    if not arrays:
        whole = () if ... in parts else (...,)
        return (*parts, *whole), None, None
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


def _warn_if_nested(index: list[Any]) -> None:
    kinds = set(map(type, index))
    if kinds != {int} and any(not issubclass(kind, int | float | np.generic) for kind in kinds):
        text = "x[...]: a list is one index of whole numbers or bools here, as in NumPy; torch takes one that holds "
        text += "lists or tensors for a tuple, as yet: say x[tuple(index)] for that, x[tensor(index)] for this"
        warnings.warn(text, UserWarning, stacklevel=4)


def _part(part: Any) -> Any:
    """One part of an index as an int, a slice, None, ..., or an array (of our own: the caller may change theirs)."""
    if type(part) is int or part is None or part is ...:
        return part
    if isinstance(part, slice):
        return slice(*[n.array.item() if isinstance(n, Value) else n for n in (part.start, part.stop, part.step)])
    try:
        array = part.array if isinstance(part, Value) else np.asarray(part)
    except ValueError as error:  # a list of lists of several lengths
        raise IndexError(f"x[...]: an index is no array: {error}") from None
    if array.size == 0 and isinstance(part, list | tuple):
        array = array.astype(np.int64)
    if array.dtype == np.uint8 and (isinstance(part, Value) or array.ndim):
        text = "x[...]: indexing with uint8, which counts as a mask, is deprecated: use bool, or .long() it for numbers"
        warnings.warn(text, UserWarning, stacklevel=4)
        return array.astype(bool)
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


def _check_masks(x: Array, where: Index) -> None:
    """Raises IndexError for a mask of another shape than the axes it picks from: NumPy lets an empty one pass."""
    if not any(isinstance(part, np.ndarray) and part.dtype.kind == "b" for part in where):
        return
    masks = [part.ndim if isinstance(part, np.ndarray) and part.dtype == bool else 1 for part in where]
    used = sum(n for n, part in zip(masks, where, strict=True) if part is not None and part is not ...)
    axis = 0
    for n, part in zip(masks, where, strict=True):
        if isinstance(part, np.ndarray) and part.dtype == bool and part.shape != x.shape[axis : axis + n]:
            raise IndexError(
                f"x[...]: boolean index did not match: a mask has shape {part.shape}, expected "
                f"{x.shape[axis : axis + n]} (x has shape {x.shape})"
            )
        axis += 0 if part is None else max(x.ndim - used, 0) if part is ... else n


def getitem(input: Tensor, index: Any) -> Tensor:
    """y = x[index],  dx = zero, with g added at the index."""
    where, rest, repeats = _index(index)
    if rest is not None:
        return getitem(getitem(input, where), rest)
    if repeats is not None:
        _check_masks(input.array, where)
    x = input.array
    y, n, rows = _look_up(x, where), len(x) if x.ndim else 1, repeats and len(where) == 1 and x.ndim > 1

    def pullback(g: Array) -> tuple[Gradient]:
        if rows:
            numbers = where[0].reshape(-1) % n
            return (_by_slice(numbers, g.reshape(len(numbers), *g.shape[where[0].ndim :]), 0),)
        return (Patch(where, g, bool(repeats)),)

    return record("getitem", y, (input,), pullback, view_of=input if repeats is None else None)


def _by_slice(numbers: Array, g: Array, axis: int) -> Patch:
    """The gradient of slices along an axis, some of them read several times, whose sums are what goes to each."""
    moved = np.moveaxis(g, axis, 0)
    there, sums = sum_by_row(numbers, moved.reshape(len(numbers), math.prod(moved.shape[1:])))
    part = np.moveaxis(sums.reshape(len(there), *moved.shape[1:]), 0, axis)
    return Patch((*[slice(None)] * axis, there), part, False)


def setitem(input: Tensor, index: Any, value: Any) -> None:
    """x[index] = y in place,  dx = g with zero at the index,  dy = g at the index.

    y is a tensor, an array, a list or a number that broadcasts to x[index], and takes its dtype: a tensor of fractions
    is cut to whole numbers and one of larger numbers wraps, as in torch. If the index names an element twice, the last
    value stays, and it alone gets the gradient. To fill x step by step, x[t] = y, costs as much as the steps: the
    gradient of x is kept in one buffer, in which each step zeroes its part.

    Raises RuntimeError for a leaf that requires a gradient; ValueError if y does not fit, for a number (not a tensor)
    that the dtype cannot hold too; TypeError if it is no number, or a complex one for a real x.
    """
    where, rest, repeats = _index(index)
    if rest is not None:
        return setitem(getitem(input, where), rest, value)
    if repeats is not None:
        _check_masks(input.array, where)
    y: Any = value
    if not isinstance(y, Value):
        y = make(input.result, numbers_for("x[...] = y", value, input.dtype))
    place = _look_up(input.array, where)
    if y.dtype.kind == "c" and input.dtype.kind != "c":
        raise TypeError(f"x[...] = y: y is {y.dtype}, which does not fit {input.dtype}: take .real of it")
    extra = len(y.shape) - place.ndim
    if extra > 0 and y.shape[:extra] == (1,) * extra:
        y = reshape(y, y.shape[extra:])  # NumPy, too, lets go of leading axes of size 1
    _check_broadcast(y.shape, place.shape)
    target = input
    if repeats is None and input.base is not None:  # then it is a part of the base that changes, not all of the view
        target, where = make(input.result, place), (...,)
        share(target, input)
    before = input if target is input else None
    edges = edges_of("x[...] = y", (before, y)) if state.grad and input.dtype.kind == "f" else None
    check_in_place("x[...] = y", input, None if edges is None else edges[1])
    if y.base is not None and y.base is (input if input.base is None else input.base) and _is_same(y.array, place):
        return None  # as in x[0] += 1, which has changed x[0] already
    target.array[where] = y.array
    edge: Edge | None = None
    if edges is not None:
        need_x, need_y = edges[0] is not None, edges[1] is not None
        pullback = _writing(where, repeats, place.shape, need_x, need_y)
        memory = IN_PLACE if need_x else FRESH
        edge = Node("setitem", edges, pullback, target.array.shape, target.dtype, memory), 0
    changed_in_place(target, edge)
    return None


def _writing(
    where: Index, repeats: bool | None, place: tuple[int, ...], need_x: bool, need_y: bool
) -> Callable[[Array], tuple[Gradient, Gradient]]:
    """The pullback of x[where] = y, which returns new arrays, or g itself. Only what is needed is computed."""

    def at(g: Array) -> Gradient:
        dy = g[where]
        return dy * last_written(where, place, g.shape) if repeats else dy.copy() if repeats is None else dy

    def pullback(g: Array) -> tuple[Gradient, Gradient]:
        dy = at(g) if need_y else None
        g[where] = 0
        return g, dy

    return pullback if need_x else lambda g: (None, at(g))


def _is_same(x: Array, y: Array) -> bool:
    """Whether both show the same memory in the same way."""
    return x.shape == y.shape and x.strides == y.strides and x.ctypes.data == y.ctypes.data


def _check_broadcast(shape: tuple[int, ...], place: tuple[int, ...]) -> None:
    extra = len(place) - len(shape)
    if extra < 0 or any(n not in (1, m) for n, m in zip(shape, place[extra:], strict=True)):
        raise ValueError(f"x[...] = y: y has shape {shape}, x[...] has {place}: expected y to broadcast to it")
