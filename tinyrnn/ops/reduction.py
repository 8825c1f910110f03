"""Sums and means over axes. dim: an axis, several, or None for all; keepdim leaves axes of size 1 in their place.

Raises IndexError for an axis that is not there, ValueError for one named twice, TypeError for what is no whole number.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import DTypeLike

from tinyrnn.autograd.graph import Array, Gradient, make
from tinyrnn.autograd.record import record
from tinyrnn.dtypes import as_dtype
from tinyrnn.kernels.sums import sum_axes
from tinyrnn.ops.operands import normal_axes, numpy_names, tensor_argument

if TYPE_CHECKING:
    from tinyrnn.tensor import Tensor

__all__ = ["mean", "sum"]

Dim = int | Sequence[int] | None


@numpy_names
def sum(input: Tensor, dim: Dim = None, keepdim: bool = False, *, dtype: DTypeLike | None = None) -> Tensor:
    """y = sum of x over dim,  dx = g, repeated along dim.

    Whole numbers, and bools, are summed in int64. A sum in a dtype of whole numbers carries no gradient.
    """
    x = tensor_argument("sum", input)
    axes = normal_axes("sum", dim, x.ndim)
    whole = x.dtype.kind in "bui"
    kind = as_dtype("sum", dtype) if dtype is not None else np.dtype(np.int64) if whole else x.dtype
    y, shape = sum_axes(x, axes, kind, keepdim), x.shape
    if kind.kind != "f":
        count: Tensor = make(input.result, y)
        return count

    def pullback(g: Array) -> tuple[Gradient]:
        return (_repeat(g, shape, axes),)

    return record("sum", y, (input,), pullback)


@numpy_names
def mean(input: Tensor, dim: Dim = None, keepdim: bool = False, *, dtype: DTypeLike | None = None) -> Tensor:
    """y = (1/n) sum of x over dim,  dx = g / n, repeated along dim; n elements share one mean.

    Raises TypeError for whole numbers, whose mean is none: .float() them.
    """
    x = tensor_argument("mean", input)
    axes = normal_axes("mean", dim, x.ndim)
    kind = x.dtype if dtype is None else as_dtype("mean", dtype)
    if kind.kind not in "fc":
        raise TypeError(
            f"mean: the tensor is {kind}, expected a floating dtype: use .float(), or dtype=tinyrnn.float32"
        )
    n = math.prod([x.shape[axis] for axis in axes])
    y, shape = sum_axes(x, axes, kind, keepdim, n), x.shape

    def pullback(g: Array) -> tuple[Gradient]:
        return (_repeat(g / max(n, 1), shape, axes),)

    return record("mean", y, (input,), pullback)


def _repeat(g: Array, shape: tuple[int, ...], axes: tuple[int, ...]) -> Array:
    """`g`, whose shape lacks `axes` (or has 1 there), repeated along them to `shape`."""
    dx = np.empty(shape, g.dtype)
    dx[...] = g.reshape([1 if axis in axes else n for axis, n in enumerate(shape)])
    return dx
