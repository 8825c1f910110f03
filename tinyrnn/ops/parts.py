"""Parts of a tensor, as views: narrow, select, and the windows of unfold.

Each shows the memory of the tensor: a change of either is seen in both. x[...] of indexing.py is the general form.
Raises IndexError for an axis or a place that is not there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tinyrnn.autograd.graph import Array, Gradient
from tinyrnn.autograd.record import record
from tinyrnn.ops.indexing import getitem
from tinyrnn.ops.operands import existing_axis, normal_axis, sizes, tensor_argument
from tinyrnn.ops.shaping import reshape

if TYPE_CHECKING:
    from tinyrnn.tensor import Tensor

__all__ = ["narrow", "select"]


def narrow(input: Tensor, dim: int, start: int | Tensor, length: int) -> Tensor:
    """x[start : start + length] along dim; start may count from the end. Raises ValueError if it is not all there."""
    n, axis = _axis("narrow", input, dim)
    first, length = sizes("narrow", (start, length))
    if not -n <= first <= n:
        raise IndexError(f"narrow: start {first} for an axis of size {n}, expected {-n} to {n}")
    first += n * (first < 0)
    if length < 0 or first + length > n:
        raise ValueError(f"narrow: {length} elements from {first} on, of an axis of size {n}")
    return getitem(input, (slice(None),) * axis + (slice(first, first + length),))


def select(input: Tensor, dim: int, index: int) -> Tensor:
    """x[index] along dim, without that axis."""
    n, axis = _axis("select", input, dim)
    (i,) = sizes("select", (index,))
    if not -n <= i < n:
        raise IndexError(f"select: index {i} for an axis of size {n}, expected {-n} to {n - 1}")
    return getitem(input, (slice(None),) * axis + (i,))


def _axis(name: str, input: Tensor, dim: int) -> tuple[int, int]:
    """The size of the axis, and its number."""
    x = tensor_argument(name, input)
    axis = existing_axis(name, dim, x.ndim)
    return x.shape[axis], axis


def unfold(input: Tensor, dimension: int, size: int, step: int = 1) -> Tensor:
    """All windows of `size` elements along an axis, each `step` further than the one before, as a new last axis.

    x (..., n, ...) -> (..., (n - size) // step + 1, ..., size).  dx = the sum of g over the windows an element is in.
    Windows that overlap cannot be written to. Raises ValueError for size > n or < 0, step < 1.

    >>> import tinyrnn
    >>> tinyrnn.arange(5).unfold(0, 3, 1)
    tensor([[0, 1, 2],
            [1, 2, 3],
            [2, 3, 4]])
    """
    x = tensor_argument("unfold", input)
    if not x.ndim:
        return unfold(reshape(input, 1), dimension, size, step)[0] if size else reshape(input, 1)[:0]
    axis, shape = normal_axis("unfold", dimension, x.ndim), x.shape
    if not 0 <= size <= shape[axis] or step < 1:
        raise ValueError(
            f"unfold: size {size} and step {step} for an axis of size {shape[axis]}, expected a size of at most that, "
            "a step of at least 1"
        )
    before = (slice(None),) * axis
    if size:
        windows = sliding_window_view(x, size, axis, writeable=x.flags.writeable and step >= size)
        y = windows[(*before, slice(None, None, step))]
    else:
        y = np.empty((*shape[:axis], shape[axis] // step + 1, *shape[axis + 1 :], 0), x.dtype)

    def pullback(g: Array) -> tuple[Gradient]:
        dx, last = np.zeros(shape, g.dtype), step * (y_shape[axis] - 1) + 1
        for k in range(size):  # the k-th elements of all windows
            dx[(*before, slice(k, k + last, step))] += g[..., k]
        return (dx,)

    y_shape = y.shape
    return record("unfold", y, (input,), pullback, view_of=input if size else None)
