"""The same elements in another shape or order; several tensors joined to one, one taken apart into several.

What can be a view of the input's memory is one, as in torch: a change of either is seen in both.
Raises IndexError for an axis that is not there, ValueError for a shape that does not fit, TypeError for other types.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinyrnn.autograd.graph import Array, Gradient
from tinyrnn.autograd.record import record, record_many
from tinyrnn.dtypes import promote
from tinyrnn.ops.operands import normal_axis, sizes, tensor_argument

if TYPE_CHECKING:
    from tinyrnn.tensor import Tensor

__all__ = [
    "cat",
    "chunk",
    "flatten",
    "permute",
    "reshape",
    "split",
    "squeeze",
    "stack",
    "t",
    "transpose",
    "unbind",
    "unsqueeze",
]


def _filled(name: str, shape: tuple[int, ...], x: Array) -> tuple[int, ...]:
    """`shape` with the size that follows in the place of -1."""
    known = math.prod([n for n in shape if n != -1])
    if shape.count(-1) == 1 and known and min(shape) == -1 and x.size % known == 0:
        return tuple([x.size // known if n == -1 else n for n in shape])
    if (shape and min(shape) < 0) or known != x.size:
        raise ValueError(
            f"{name}: a tensor of shape {x.shape} has {x.size} elements, which do not make {shape}: expected sizes "
            "with that product, at most one of them -1"
        )
    return shape


def _reordered(name: str, input: Tensor, y: Array, back: Any) -> Tensor:
    """Records `y`, which shows the elements of `input` once each, in its memory or in a copy; `back` undoes it."""

    def pullback(g: Array) -> tuple[Gradient]:
        return (back(g),)

    shares = y.base is not None and np.may_share_memory(y, input.array)
    return record(name, y, (input,), pullback, view_of=input if shares else None)


def _reshaped(name: str, input: Tensor, y: Array) -> Tensor:
    before = input.array.shape
    return _reordered(name, input, y, lambda g: g.reshape(before))


def reshape(input: Tensor, *shape: Any) -> Tensor:
    """The elements, in row-major order, in another shape; -1 stands for the size that follows.  dx = g in x's shape."""
    x = tensor_argument("reshape", input)
    return _reshaped("reshape", input, x.reshape(_filled("reshape", sizes("reshape", shape), x)))


def view(input: Tensor, *shape: Any) -> Tensor:
    """`reshape`, but always a view: raises ValueError where the elements would have to be copied."""
    x = tensor_argument("view", input)
    y = x.reshape(_filled("view", sizes("view", shape), x))
    if y.size and not np.may_share_memory(x, y):
        raise ValueError(
            f"view: this tensor of shape {x.shape} is not contiguous, and cannot be seen as {y.shape} without a copy: "
            "use reshape"
        )
    return _reshaped("view", input, y)


def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """The axes from start_dim to end_dim as one."""
    shape = tensor_argument("flatten", input).shape or (1,)
    first, last = normal_axis("flatten", start_dim, len(shape)), normal_axis("flatten", end_dim, len(shape))
    if first > last:
        raise ValueError(f"flatten: start_dim {start_dim} comes after end_dim {end_dim}, expected it before, or equal")
    return reshape(input, *shape[:first], math.prod(shape[first : last + 1]), *shape[last + 1 :])


def permute(input: Tensor, *dims: Any) -> Tensor:
    """The axes in another order: axis i of y is axis dims[i] of x.  dx = g with the axes put back."""
    x = tensor_argument("permute", input)
    order = tuple([normal_axis("permute", dim, x.ndim) for dim in sizes("permute", dims)])
    if sorted(order) != list(range(x.ndim)):
        raise ValueError(f"permute: dims {order} for a tensor of {x.ndim} axes, expected each of them once")
    back = tuple(np.argsort(order))
    return _reordered("permute", input, x.transpose(order), lambda g: g.transpose(back))


def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Two axes exchanged.  dx = g with them exchanged back."""
    x = tensor_argument("transpose", input)
    a, b = normal_axis("transpose", dim0, x.ndim), normal_axis("transpose", dim1, x.ndim)
    if x.ndim == 0:
        return view(input)
    return _reordered("transpose", input, x.swapaxes(a, b), lambda g: g.swapaxes(a, b))


def t(input: Tensor) -> Tensor:
    """The transpose of a matrix; tensors of fewer axes as they are. Raises ValueError for more than two axes."""
    ndim = tensor_argument("t", input).ndim
    if ndim > 2:
        raise ValueError(f"t: the tensor has {ndim} axes, expected at most 2: use transpose(dim0, dim1), or .mT")
    return transpose(input, 0, 1) if ndim == 2 else view(input, *input.shape)


def squeeze(input: Tensor, dim: int | Sequence[int] | None = None) -> Tensor:
    """Without the axes of size 1: all of them, or those in dim."""
    x = tensor_argument("squeeze", input)
    dims = range(x.ndim) if dim is None else dim if isinstance(dim, tuple | list) else (dim,)
    axes = {normal_axis("squeeze", d, x.ndim) for d in dims}
    return _reshaped("squeeze", input, x.reshape([n for axis, n in enumerate(x.shape) if n != 1 or axis not in axes]))


def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """With a new axis of size 1 at dim."""
    x = tensor_argument("unsqueeze", input)
    axis = normal_axis("unsqueeze", dim, x.ndim + 1)
    return _reshaped("unsqueeze", input, x.reshape(*x.shape[:axis], 1, *x.shape[axis:]))


def expand(input: Tensor, *shape: Any) -> Tensor:
    """Axes of size 1 (and new ones in front) repeated to `shape` without a copy; -1 leaves one as it is.

    dx = g summed over the repetitions. The result cannot be written to: one element of memory is many of its.
    Raises ValueError for any other change of shape.
    """
    x = tensor_argument("expand", input)
    wanted = sizes("expand", shape)
    new = len(wanted) - x.ndim
    before = (1,) * new + x.shape
    full = tuple([m if n == -1 and i >= new else n for i, (m, n) in enumerate(zip(before, wanted, strict=False))])
    if new < 0 or min(full, default=0) < 0 or any(m not in (1, n) for m, n in zip(before, full, strict=True)):
        raise ValueError(
            f"expand: shape {x.shape} does not expand to {wanted}: expected sizes to differ only where they are 1"
        )

    def pullback(g: Array) -> tuple[Gradient]:
        return (g,)  # the engine sums it back

    return record("expand", np.broadcast_to(x, full), (input,), pullback, view_of=input)


def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """The tensors one after the other along dim; their other sizes agree.  dx_i = the part of g that x_i became.

    A 1-d tensor without elements is passed over, as in torch.
    """
    arrays, tensors = _joined("cat", tensors)
    if len({x.ndim for x in arrays}) > 1:
        kept = [i for i, x in enumerate(arrays) if x.shape != (0,)]
        tensors, arrays = [tensors[i] for i in kept], [arrays[i] for i in kept]
    first = arrays[0]
    axis = normal_axis("cat", dim, first.ndim)
    for i, x in enumerate(arrays):
        if (
            x.ndim == 0
            or x.ndim != first.ndim
            or x.shape[:axis] + x.shape[axis + 1 :] != first.shape[:axis] + first.shape[axis + 1 :]
        ):
            raise ValueError(
                f"cat: tensors[{i}] has shape {x.shape}, the first has {first.shape}: expected the same number of axes "
                f"(at least 1), and the same sizes but for axis {axis}"
            )
    ends = np.cumsum([x.shape[axis] for x in arrays])[:-1]

    def pullback(g: Array) -> Sequence[Gradient]:
        return np.split(g, ends, axis)

    return record("cat", np.concatenate(arrays, axis), tensors, pullback)


def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """The tensors, all of one shape, side by side along a new axis.  dx_i = g at i."""
    arrays, tensors = _joined("stack", tensors)
    axis = normal_axis("stack", dim, arrays[0].ndim + 1)
    for i, x in enumerate(arrays):
        if x.shape != arrays[0].shape:
            raise ValueError(
                f"stack: tensors[{i}] has shape {x.shape}, the first has {arrays[0].shape}: expected one shape"
            )

    def pullback(g: Array) -> Sequence[Gradient]:
        return list(np.moveaxis(g, axis, 0))

    return record("stack", np.stack(arrays, axis), tensors, pullback)


def _joined(name: str, tensors: Sequence[Tensor]) -> tuple[list[Array], list[Tensor]]:
    """The tensors to be joined, and their arrays in one dtype."""
    given = list(tensors)
    arrays = [tensor_argument(f"{name}: tensors[{i}]", x) for i, x in enumerate(given)]
    if not given:
        raise ValueError(f"{name}: there are no tensors, expected at least one")
    for i in range(1, len(arrays)):
        if arrays[i].dtype != arrays[0].dtype:
            arrays[0], arrays[i] = promote(arrays[0], arrays[i])
    return [x.astype(arrays[0].dtype, copy=False) for x in arrays], given


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

    slices = np.moveaxis(x, axis, 0)
    views = [slices[i, ...] for i in range(len(slices))]  # slices[i] of a 1-d array would be a copy
    return tuple(record_many("unbind", views, (input,), pullback, view_of=input))


def split(input: Tensor, split_size_or_sections: int | Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """Parts along dim, as views: of one size (the last may be smaller), or of the sizes listed, which add up.

    dx = the parts' gradients, one after the other. Raises ValueError for sizes that do not fit.
    """
    x = tensor_argument("split", input)
    n, axis = _axis_to_split("split", x, dim)
    parts = sizes("split", (split_size_or_sections,))
    if not isinstance(split_size_or_sections, tuple | list):
        size = parts[0]
        if size < 0 or (size == 0 and n):
            raise ValueError(f"split: parts of size {size}, expected at least 1")
        parts = tuple([min(size, n - start) for start in range(0, n, size)]) if n else (0,)
    elif sum(parts) != n or min(parts, default=0) < 0:
        raise ValueError(f"split: sizes {parts} for an axis of size {n}, expected sizes that add up to it")
    if not parts:
        return ()

    def pullback(*gs: Array) -> tuple[Gradient]:
        return (np.concatenate(gs, axis),)

    ends = np.cumsum(parts)[:-1]
    return tuple(record_many("split", np.split(x, ends, axis), (input,), pullback, view_of=input))


def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """At most `chunks` parts of one size along dim, the last possibly smaller, as views; of an empty axis, as many."""
    n, axis = _axis_to_split("chunk", tensor_argument("chunk", input), dim)
    if chunks <= 0:
        raise ValueError(f"chunk: {chunks} chunks, expected at least 1")
    return split(input, -(-n // chunks) if n else [0] * chunks, axis)


def _axis_to_split(name: str, x: Array, dim: int) -> tuple[int, int]:
    if x.ndim == 0:
        raise ValueError(f"{name}: a 0-d tensor has no parts: expected at least one axis")
    axis = normal_axis(name, dim, x.ndim)
    return x.shape[axis], axis
