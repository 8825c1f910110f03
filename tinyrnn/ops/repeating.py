"""The same elements several times over: expand and its kin without a copy, repeat and its kin with one.

Raises ValueError for a shape that does not fit, TypeError for what is no whole number.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinyrnn.autograd.graph import Array, Gradient, Value, make
from tinyrnn.autograd.record import record
from tinyrnn.kernels.sums import sum_axes
from tinyrnn.ops.indexing import getitem
from tinyrnn.ops.operands import check_broadcast, normal_axis, sizes, tensor_argument
from tinyrnn.ops.shaping import ravel, reshape, view

if TYPE_CHECKING:
    from tinyrnn.tensor import Tensor

__all__ = ["broadcast_tensors", "broadcast_to", "meshgrid", "repeat_interleave", "tile"]


def expand(input: Tensor, *shape: Any, size: Sequence[int] | None = None) -> Tensor:
    """Axes of size 1 (and new ones in front) repeated to `shape` without a copy; -1 leaves one as it is.

    dx = g summed over the repetitions. What repeats cannot be written to: one element of memory is many of its.
    Raises ValueError for any other change of shape.
    """
    x = tensor_argument("expand", input)
    wanted = sizes("expand", shape if size is None else (size,))
    new = len(wanted) - x.ndim
    before = (1,) * new + x.shape
    full = tuple([m if n == -1 and i >= new else n for i, (m, n) in enumerate(zip(before, wanted, strict=False))])
    if new < 0 or min(full, default=0) < 0 or any(m not in (1, n) for m, n in zip(before, full, strict=True)):
        raise ValueError(
            f"expand: shape {x.shape} does not expand to {wanted}: expected sizes to differ only where they are 1"
        )

    def pullback(g: Array) -> tuple[Gradient]:
        return (g,)  # the engine sums it back

    y = x[(None,) * new + (...,)] if full == before else np.broadcast_to(x, full)
    return record("expand", y, (input,), pullback, view_of=input)


def expand_as(input: Tensor, other: Tensor) -> Tensor:
    """`expand` to the shape of another tensor."""
    return expand(input, tensor_argument("expand_as", other).shape)


def broadcast_to(input: Tensor, size: Sequence[int]) -> Tensor:
    """`expand` under NumPy's name."""
    return expand(input, size)


def broadcast_tensors(*tensors: Tensor) -> tuple[Tensor, ...]:
    """The tensors, each expanded to the shape that all of them broadcast to."""
    given: Any = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], tuple | list) else tensors
    shape: tuple[int, ...] = ()
    for i, x in enumerate(given):
        another = tensor_argument(f"broadcast_tensors: tensors[{i}]", x).shape
        check_broadcast("broadcast_tensors", shape, another)
        shape = np.broadcast_shapes(shape, another)
    return tuple([expand(x, shape) for x in given])


def repeat(input: Tensor, *times: Any, repeats: Sequence[int] | None = None) -> Tensor:
    """The whole tensor so many times along each axis, a number for each; numbers in front are of new axes. A copy.

    dx = g summed over the repetitions.

    >>> import tinyrnn
    >>> tinyrnn.tensor([1, 2]).repeat(2, 3)
    tensor([[1, 2, 1, 2, 1, 2],
            [1, 2, 1, 2, 1, 2]])
    """
    x = tensor_argument("repeat", input)
    counts = sizes("repeat", times if repeats is None else (repeats,))
    if len(counts) < x.ndim:
        raise ValueError(
            f"repeat: {len(counts)} numbers {counts} for a tensor of {x.ndim} axes, expected one for each axis, or more"
        )
    if min(counts, default=0) < 0:
        raise ValueError(f"repeat: {counts} has a negative number, expected 0 or more")
    shape = (1,) * (len(counts) - x.ndim) + x.shape
    apart = [n for pair in zip(counts, shape, strict=True) for n in pair]  # (times, n) for each axis
    y = np.broadcast_to(x.reshape([n if i % 2 else 1 for i, n in enumerate(apart)]), apart)

    def pullback(g: Array) -> tuple[Gradient]:
        return (sum_axes(g.reshape(apart), tuple(range(0, len(apart), 2)), g.dtype).reshape(x_shape),)

    x_shape = x.shape
    y = y.reshape([m * n for m, n in zip(counts, shape, strict=True)])
    return record("repeat", y.copy() if np.may_share_memory(x, y) else y, (input,), pullback)


def tile(input: Tensor, *times: Any, dims: Sequence[int] | None = None) -> Tensor:
    """`repeat`, where numbers that are missing in front are 1, as in numpy.tile."""
    counts = sizes("tile", times if dims is None else (dims,))
    return repeat(input, (1,) * (tensor_argument("tile", input).ndim - len(counts)) + counts)


def repeat_interleave(
    input: Tensor, repeats: int | Tensor | None = None, dim: int | None = None, *, output_size: int | None = None
) -> Tensor:
    """Each slice along dim repeated by itself, all equally often or each as often as repeats says.

    repeats      a whole number, or a tensor of one for each slice. Left out, `input` is taken for it, and the result is
                 the number of each slice, repeated
    dim          None: the elements of the flattened tensor are repeated
    output_size  the size of dim that results, if it is known; it is checked
    dx = g summed over the repetitions. Raises ValueError for numbers that do not fit.

    >>> import tinyrnn
    >>> tinyrnn.tensor([5, 6, 7]).repeat_interleave(tinyrnn.tensor([1, 0, 2]))
    tensor([5, 7, 7])
    """
    tensor_argument("repeat_interleave", input)
    if repeats is None:
        numbers: Tensor = make(input.result, _numbers(input.array, None, output_size))
        return numbers
    x = ravel(input) if dim is None else input if input.array.ndim else reshape(input, 1)
    axis = 0 if dim is None else normal_axis("repeat_interleave", dim, x.array.ndim)
    counts = repeats.array if isinstance(repeats, Value) else np.array(sizes("repeat_interleave", (repeats,)))
    where = _numbers(counts, x.array.shape[axis], output_size)
    return getitem(x, (slice(None),) * axis + (where,))


def _numbers(counts: Array, n: int | None, expected: int | None) -> Array:
    """The numbers 0, 1 ... n-1, each as often as counts says."""
    if counts.dtype.kind not in "ui" or counts.ndim > 1:
        raise ValueError(
            f"repeat_interleave: repeats has shape {counts.shape} of {counts.dtype}, expected one axis, whole numbers"
        )
    if n is not None and counts.size != n and counts.size != 1:
        raise ValueError(f"repeat_interleave: {counts.size} repeats for an axis of size {n}, expected as many, or one")
    if counts.size and counts.min() < 0:
        raise ValueError("repeat_interleave: repeats has a negative number, expected 0 or more")
    counts = counts.reshape(-1)
    numbers: Array = np.repeat(np.arange(len(counts) if n is None else n), counts)
    if expected is not None and len(numbers) != expected:
        raise ValueError(f"repeat_interleave: output_size is {expected}, but repeats makes {len(numbers)}")
    return numbers


def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple[Tensor, ...]:
    """For tensors of n_1, ..., n_k elements, k grids of shape (n_1, ..., n_k): the i-th varies along axis i only.

    indexing  "ij", or "xy", which exchanges the first two axes of the grids. Left out it is "ij", with torch's warning
    The grids are expanded, and cannot be written to. Raises ValueError for tensors of more than one axis, or another
    indexing, TypeError for several dtypes.
    """
    given = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], tuple | list) else tensors
    arrays = [tensor_argument(f"meshgrid: tensors[{i}]", x) for i, x in enumerate(given)]
    if not given or any(x.ndim > 1 for x in arrays):
        raise ValueError(f"meshgrid: got shapes {[x.shape for x in arrays]}, expected at least one tensor, of one axis")
    if any(x.dtype != arrays[0].dtype for x in arrays):
        raise TypeError(f"meshgrid: got dtypes {[str(x.dtype) for x in arrays]}, expected one dtype")
    if indexing not in (None, "ij", "xy"):
        raise ValueError(f"meshgrid: indexing is {indexing!r}, expected 'ij' or 'xy'")
    if indexing is None:
        text = "meshgrid: in an upcoming release, it will be required to pass the indexing argument: 'ij' is as now"
        warnings.warn(text, UserWarning, stacklevel=2)
    axes = list(range(len(arrays)))
    if indexing == "xy" and len(arrays) > 1:
        axes[:2] = 1, 0
    shape = [arrays[axes.index(axis)].size for axis in range(len(arrays))]
    return tuple(
        [
            expand(view(x, [n if axis == along else 1 for axis, n in enumerate(shape)]), shape)
            for x, along in zip(given, axes, strict=True)
        ]
    )
