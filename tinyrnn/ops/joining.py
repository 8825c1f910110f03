"""Several tensors joined to one, and one taken apart into several: cat, stack, split and their kin.

The parts of a tensor are views of it: a change of either is seen in both. Tensors that are joined may differ in dtype;
the result has the one that holds them all, and each gets its gradient in its own.
Raises IndexError for an axis that is not there, ValueError for shapes or sizes that do not fit, TypeError for what is
no tensor.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from tinyrnn.autograd.graph import Array, Gradient, Value
from tinyrnn.autograd.record import record, record_many
from tinyrnn.dtypes import promote
from tinyrnn.ops.indexing import getitem
from tinyrnn.ops.operands import normal_axis, numpy_names, sizes, tensor_argument
from tinyrnn.ops.shaping import reshape

if TYPE_CHECKING:
    from tinyrnn.tensor import Tensor

__all__ = [
    "cat",
    "chunk",
    "column_stack",
    "concat",
    "concatenate",
    "hstack",
    "split",
    "split_with_sizes",
    "stack",
    "tensor_split",
    "unbind",
    "vstack",
]

Sections = int | Sequence[int]


@numpy_names
def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """The tensors one after the other along dim; their other sizes agree.  dx_i = the part of g that x_i became.

    A 1-d tensor without elements is passed over, as in torch.
    """
    arrays, tensors = _joined("cat", tensors)
    if len({x.ndim for x in arrays}) > 1:
        kept = [i for i, x in enumerate(arrays) if x.shape != (0,)]
        tensors, arrays = [tensors[i] for i in kept], [arrays[i] for i in kept]
    axis = normal_axis("cat", dim, arrays[0].ndim)
    try:
        y = np.concatenate(arrays, axis)
    except ValueError:
        raise _misfit(arrays, axis) from None
    lengths = [x.shape[axis] for x in arrays]

    def pullback(g: Array) -> Sequence[Gradient]:
        return _cut(g, lengths, axis)

    return record("cat", y, tensors, pullback)


concat = concatenate = cat


def _misfit(arrays: list[Array], axis: int) -> ValueError:
    """What to say of the first array that does not go with arrays[0]."""
    first = arrays[0].shape
    i, other = next(
        (i, x.shape)
        for i, x in enumerate(arrays)
        if not x.shape
        or len(first) != x.ndim
        or first[:axis] + first[axis + 1 :] != x.shape[:axis] + x.shape[axis + 1 :]
    )
    return ValueError(
        f"cat: tensors[{i}] has shape {other}, the first has {first}: expected the same number of axes "
        f"(at least 1), and the same sizes but for axis {axis}"
    )


@numpy_names
def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """The tensors, all of one shape, side by side along a new axis.  dx_i = g at i."""
    arrays, tensors = _joined("stack", tensors)
    shape = arrays[0].shape
    axis = normal_axis("stack", dim, len(shape) + 1)
    for i, x in enumerate(arrays):
        if x.shape != shape:
            raise ValueError(f"stack: tensors[{i}] has shape {x.shape}, the first has {shape}: expected one shape")
    widened = (..., None, *[slice(None)] * (len(shape) - axis))

    def pullback(g: Array) -> Sequence[Gradient]:
        return list(np.moveaxis(g, axis, 0))

    return record("stack", np.concatenate([x[widened] for x in arrays], axis), tensors, pullback)


def hstack(tensors: Sequence[Tensor]) -> Tensor:
    """`cat` along axis 1, or axis 0 of 1-d tensors; a 0-d one counts as 1-d."""
    arrays, tensors = _joined("hstack", tensors)
    lined = [x if x.array.ndim else reshape(x, 1) for x in tensors]
    return cat(lined, 0 if arrays[0].ndim < 2 else 1)


def vstack(tensors: Sequence[Tensor]) -> Tensor:
    """`cat` along axis 0; a 1-d or 0-d tensor counts as one row."""
    _, tensors = _joined("vstack", tensors)
    return cat([x if x.array.ndim > 1 else reshape(x, 1, -1) for x in tensors])


def column_stack(tensors: Sequence[Tensor]) -> Tensor:
    """`cat` along axis 1; a 1-d or 0-d tensor counts as one column."""
    _, tensors = _joined("column_stack", tensors)
    return cat([x if x.array.ndim > 1 else reshape(x, -1, 1) for x in tensors], 1)


def _joined(name: str, tensors: Sequence[Tensor]) -> tuple[list[Array], list[Tensor]]:
    """The tensors to be joined, and their arrays in one dtype."""
    if isinstance(tensors, Value):
        raise TypeError(f"{name}: got a tensor, expected a list or tuple of tensors (list(x) gives the slices of one)")
    given = list(tensors)
    if not given:
        raise ValueError(f"{name}: there are no tensors, expected at least one")
    try:
        arrays = [x.array for x in given]
    except AttributeError:
        arrays = [tensor_argument(f"{name}: tensors[{i}]", x) for i, x in enumerate(given)]
    first = arrays[0]
    for i, x in enumerate(arrays):
        if x.dtype is not first.dtype:
            first, arrays[i] = promote(first, x)
    if first is not arrays[0]:
        arrays = [x.astype(first.dtype, copy=False) for x in arrays]
    return arrays, given


@numpy_names
def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """The slices along dim, as views, without that axis: what a `for` loop over a tensor goes through.

    dx = the slices' gradients, stacked.
    """
    x = tensor_argument("unbind", input)
    if x.ndim == 0:
        raise ValueError("unbind: a 0-d tensor has no slices: expected at least one axis (item() gives its number)")
    axis = normal_axis("unbind", dim, x.ndim)
    if not x.shape[axis]:
        return ()

    def pullback(*gs: Array) -> tuple[Gradient]:
        return (np.stack(gs, axis),)

    slices = x if axis == 0 else np.moveaxis(x, axis, 0)
    views = [slices[i, ...] for i in range(len(slices))]  # slices[i] of a 1-d array would be a copy
    return tuple(record_many("unbind", views, (input,), pullback, view_of=input))


def split(
    tensor: Tensor, split_size_or_sections: Sections | None = None, dim: int = 0, *, split_size: Sections | None = None
) -> tuple[Tensor, ...]:
    """Parts along dim, as views: of one size (the last may be smaller), or of the sizes listed, which add up.

    dx = the parts' gradients, one after the other. Raises ValueError for sizes that do not fit.
    split_size is torch's other name for split_size_or_sections, that of the method.
    """
    n, axis = _axis_to_split("split", tensor, dim)
    wanted = split_size if split_size_or_sections is None else split_size_or_sections
    lengths = sizes("split", (wanted,))
    if not isinstance(wanted, tuple | list):
        size = lengths[0]
        if size < 0 or (size == 0 and n):
            raise ValueError(f"split: parts of size {size}, expected at least 1")
        lengths = tuple([min(size, n - start) for start in range(0, n, size)]) if n else (0,)
    return _split("split", tensor, lengths, axis)


def split_with_sizes(input: Tensor, split_sizes: Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """`split` into parts of the sizes listed."""
    _, axis = _axis_to_split("split_with_sizes", input, dim)
    return _split("split_with_sizes", input, sizes("split_with_sizes", (tuple(split_sizes),)), axis)


def chunk(input: Tensor, chunks: int, dim: int = 0, *, axis: int | None = None) -> tuple[Tensor, ...]:
    """At most `chunks` parts of one size along dim, the last possibly smaller, as views; of an empty axis, as many."""
    n, along = _axis_to_split("chunk", input, dim if axis is None else axis)
    if chunks <= 0:
        raise ValueError(f"chunk: {chunks} chunks, expected at least 1")
    size = -(-n // chunks)
    lengths = [min(size, n - start) for start in range(0, n, size)] if n else [0] * chunks
    return _split("chunk", input, lengths, along)


def tensor_split(
    input: Tensor,
    indices_or_sections: Any = None,
    dim: int = 0,
    *,
    indices: Sequence[int] | None = None,
    sections: int | None = None,
) -> tuple[Tensor, ...]:
    """Parts along dim: so many that differ in size by at most one, or cut at the indices listed, as x[i:j] cuts.

    dx = the parts' gradients, each added where the part lies (indices that go back show elements twice).
    """
    n, axis = _axis_to_split("tensor_split", input, dim)
    given = next((g for g in (indices_or_sections, indices, sections) if g is not None), None)
    given = given.array.tolist() if isinstance(given, Value) else given
    if isinstance(given, tuple | list):
        ends = [0, *sizes("tensor_split", (given,)), n]
        where = [(slice(None),) * axis + (slice(start, end),) for start, end in pairwise(ends)]
        return tuple([getitem(input, index) for index in where])
    count = sizes("tensor_split", (given,))[0]
    if count <= 0:
        raise ValueError(f"tensor_split: {count} sections, expected at least 1")
    return _split("tensor_split", input, [n // count + (i < n % count) for i in range(count)], axis)


def _axis_to_split(name: str, input: Tensor, dim: int) -> tuple[int, int]:
    """The size of the axis, and its number."""
    x = tensor_argument(name, input)
    if x.ndim == 0:
        raise ValueError(f"{name}: a 0-d tensor has no parts: expected at least one axis")
    axis = normal_axis(name, dim, x.ndim)
    return x.shape[axis], axis


def _split(name: str, input: Tensor, lengths: Sequence[int], axis: int) -> tuple[Tensor, ...]:
    """The parts of `lengths` along the axis, as views."""
    x = input.array
    if sum(lengths) != x.shape[axis] or min(lengths, default=0) < 0:
        raise ValueError(
            f"{name}: sizes {tuple(lengths)} for an axis of size {x.shape[axis]}, expected sizes that add up to it"
        )
    if not lengths:
        return ()

    def pullback(*gs: Array) -> tuple[Gradient]:
        return (np.concatenate(gs, axis),)

    return tuple(record_many(name, _cut(x, lengths, axis), (input,), pullback, view_of=input))


def _cut(x: Array, lengths: Sequence[int], axis: int) -> list[Array]:
    """The parts of `lengths` along the axis, which they fill."""
    before, end = (slice(None),) * axis, 0
    return [x[(*before, slice(end, end := end + n))] for n in lengths]
