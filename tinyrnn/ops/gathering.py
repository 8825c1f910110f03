"""Reading elements by tensors of whole numbers, or by masks: gather, index_select, take, masked_select, nonzero ...

An index is a tensor of whole numbers, each from 0 up to the size of its axis (`take` alone counts from the end too).
The gradient of what is read several times is the sum: dx = zero, with g added at the index.
Raises IndexError for a number that is out of range, ValueError for shapes that do not fit, TypeError for an index that
is no tensor of whole numbers, or a mask that is none of bools.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tinyrnn.autograd.graph import Array, Gradient, Patch, Value, make
from tinyrnn.autograd.record import record
from tinyrnn.ops.indexing import _by_slice, getitem
from tinyrnn.ops.operands import (
    check_broadcast,
    check_index,
    check_same_dtype,
    element_places,
    normal_axis,
    number,
    slices_along,
    tensor_argument,
    whole_numbers,
)
from tinyrnn.ops.repeating import broadcast_to
from tinyrnn.ops.shaping import ravel, reshape

if TYPE_CHECKING:
    from tinyrnn.tensor import Tensor

__all__ = [
    "argwhere",
    "bucketize",
    "gather",
    "index_select",
    "masked_select",
    "nonzero",
    "searchsorted",
    "take",
    "take_along_dim",
]


def gather(input: Tensor, dim: int, index: Tensor, *, sparse_grad: bool = False) -> Tensor:
    """y[i][j][k] = x[index[i][j][k]][j][k] for dim 0, and so for the other axes.  dx = zero, with g added at the index.

    index has as many axes as x, none of them longer but for dim; y has its shape. sparse_grad has no effect.

    >>> import tinyrnn
    >>> tinyrnn.gather(tinyrnn.tensor([[1, 2], [3, 4]]), 1, tinyrnn.tensor([[0, 0], [1, 0]]))
    tensor([[1, 1],
            [4, 3]])
    """
    x = tensor_argument("gather", input)
    where = element_places("gather", x, dim, index)
    if not x.ndim:
        return gather(reshape(input, 1), dim, index)
    shape = index.array.shape

    def pullback(g: Array) -> tuple[Gradient]:
        return (Patch(where, g.reshape(shape or (1,)), True),)

    return record("gather", x[where].reshape(shape), (input,), pullback)


def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """The slices along dim whose numbers the vector `index` says.  dx = zero, with g added at the index."""
    x = tensor_argument("index_select", input)
    axis, numbers = slices_along("index_select", x, dim, index)
    check_index("index_select", numbers, 0, x.shape[axis] if x.ndim else 1, axis)
    if not x.ndim:
        if len(numbers) != 1:
            raise ValueError(f"index_select: {len(numbers)} slices of a 0-d tensor, expected one")
        return reshape(index_select(reshape(input, 1), 0, index), ())

    def pullback(g: Array) -> tuple[Gradient]:
        return (_by_slice(numbers, g, axis),)

    return record("index_select", x.take(numbers, axis), (input,), pullback)


def take(input: Tensor, index: Tensor) -> Tensor:
    """The elements whose numbers `index` says, counted through as if x had one axis; the result has its shape."""
    x, numbers = tensor_argument("take", input), whole_numbers("take", index)
    check_index("take", numbers, -x.size, x.size, 0)
    return reshape(getitem(ravel(input), numbers.reshape(-1)), numbers.shape)


def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None) -> Tensor:
    """`gather`, where the other axes broadcast; without dim, of the flattened tensors: what argsort's result is for."""
    x, index = tensor_argument("take_along_dim", input), tensor_argument("take_along_dim", indices)
    if dim is None:
        return gather(ravel(input), 0, ravel(indices))
    axis = normal_axis("take_along_dim", dim, x.ndim)
    if x.ndim != index.ndim:
        raise ValueError(f"take_along_dim: shapes {x.shape} and {index.shape}, expected as many axes")
    others = [shape[:axis] + shape[axis + 1 :] for shape in (x.shape, index.shape)]
    check_broadcast("take_along_dim", *others)
    common = np.broadcast_shapes(*others)
    ends = [(*common[:axis], *shape[axis : axis + 1], *common[axis:]) for shape in (x.shape, index.shape)]
    return gather(broadcast_to(input, ends[0]), axis, broadcast_to(indices, ends[1]))


def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    """The elements where the mask holds, one after the other; both broadcast.  dx = g there, else zero."""
    x, chosen = tensor_argument("masked_select", input), tensor_argument("masked_select", mask)
    if chosen.dtype != bool:
        raise TypeError(f"masked_select: the mask is {chosen.dtype}, expected bool: compare it, or .bool() it")
    check_broadcast("masked_select", x.shape, chosen.shape)
    shape = np.broadcast_shapes(x.shape, chosen.shape)
    return getitem(broadcast_to(input, shape), np.broadcast_to(chosen, shape))


def nonzero(input: Tensor, *, as_tuple: bool = False) -> Any:
    """Where x is not zero: a row of indices for each such element; with as_tuple a vector for each axis, as an index.

    >>> import tinyrnn
    >>> tinyrnn.tensor([[0, 5], [6, 0]]).nonzero()
    tensor([[0, 1],
            [1, 0]])
    """
    x = tensor_argument("nonzero", input)
    if not as_tuple:
        return make(input.result, np.argwhere(x))
    return tuple([make(input.result, found) for found in (x if x.ndim else x.reshape(1)).nonzero()])


def argwhere(input: Tensor) -> Tensor:
    """`nonzero`, a row for each element that is not zero."""
    rows: Tensor = nonzero(input)
    return rows


def searchsorted(
    sorted_sequence: Tensor,
    input: Any,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
) -> Tensor:
    """Before which element of the sorted last axis each number belongs: s[i-1] < x <= s[i] (right: s[i-1] <= x < s[i]).

    sorted_sequence (n,) and a number or any shape, or (..., n) and (..., m) -> the shape of `input`.
    Raises ValueError for other shapes, or another side than "left" and "right"; TypeError for two dtypes.
    """
    if side not in (None, "left", "right"):
        raise ValueError(f"searchsorted: side is {side!r}, expected 'left' or 'right'")
    return _search("searchsorted", sorted_sequence, input, "right" if right else side or "left", out_int32)


def bucketize(input: Any, boundaries: Tensor, *, out_int32: bool = False, right: bool = False) -> Tensor:
    """`searchsorted` of one sequence of boundaries, with the arguments the other way round."""
    if tensor_argument("bucketize", boundaries).ndim != 1:
        raise ValueError(f"bucketize: boundaries has {boundaries.array.ndim} axes, expected one")
    return _search("bucketize", boundaries, input, "right" if right else "left", out_int32)


def _search(name: str, sequence: Tensor, input: Any, side: Any, short: bool) -> Tensor:
    s = tensor_argument(name, sequence)
    if isinstance(input, Value):
        x = input.array
        check_same_dtype(name, s, x)
    else:
        x = np.asarray(number(name, "input", input))
    if s.ndim != 1 and (not s.ndim or s.shape[:-1] != x.shape[:-1]):
        raise ValueError(f"{name}: shapes {s.shape} and {x.shape}, expected (n,) and any, or (..., n) and (..., m)")
    if s.ndim == 1:
        found = s.searchsorted(x, side)
    else:
        rows = zip(s.reshape(-1, s.shape[-1]), x.reshape(-1, x.shape[-1]), strict=True)
        found = np.array([row.searchsorted(of_row, side) for row, of_row in rows], np.int64).reshape(x.shape)
    place: Tensor = make(sequence.result, np.asarray(found, np.int32 if short else np.int64))
    return place
