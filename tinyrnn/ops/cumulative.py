"""Running sums, and products: of everything, along an axis, and up to each element.

Whole numbers and bools become int64. dtype: the tensor is cast to it first. Raises IndexError for an axis that is not
there, TypeError for what is no whole number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import DTypeLike

from tinyrnn.autograd.graph import Array, Gradient
from tinyrnn.autograd.record import record
from tinyrnn.dtypes import as_dtype
from tinyrnn.ops.operands import normal_axis, numpy_names, tensor_argument
from tinyrnn.ops.pointwise import cast, clone

if TYPE_CHECKING:
    from tinyrnn.tensor import Tensor

__all__ = ["cumprod", "cumsum", "prod"]


@numpy_names
def cumsum(input: Tensor, dim: int, *, dtype: DTypeLike | None = None) -> Tensor:
    """y_k = x_1 + ... + x_k along dim,  dx_k = g_k + ... + g_n. Added in float64."""
    input, x = _counted("cumsum", input, dtype)
    axis = normal_axis("cumsum", dim, x.ndim)
    if not x.ndim:
        return clone(input)

    def pullback(g: Array) -> tuple[Gradient]:
        return (np.flip(_running(np.add, np.flip(g, axis), axis), axis),)

    return record("cumsum", _running(np.add, x, axis), (input,), pullback)


@numpy_names
def cumprod(input: Tensor, dim: int, *, dtype: DTypeLike | None = None) -> Tensor:
    """y_k = x_1 ... x_k along dim,  dx_k = x_1 ... x_(k-1) s_k,  s_k = g_k + x_(k+1) s_(k+1): right at zeros too."""
    input, x = _counted("cumprod", input, dtype)
    axis = normal_axis("cumprod", dim, x.ndim)
    if not x.ndim:
        return clone(input)
    rows = np.moveaxis(x, axis, 0)

    def pullback(g: Array) -> tuple[Gradient]:
        s = np.moveaxis(g, axis, 0).copy()
        for k in range(len(s) - 2, -1, -1):
            s[k] += rows[k + 1] * s[k + 1]
        return (np.moveaxis(_product_before(rows) * s, 0, axis),)

    return record("cumprod", _running(np.multiply, x, axis), (input,), pullback, saved=(input,))


@numpy_names
def prod(input: Tensor, dim: int | None = None, keepdim: bool = False, *, dtype: DTypeLike | None = None) -> Tensor:
    """y = product of x along dim, or of all of x,  dx = g times the product of the others: right at zeros too."""
    input, x = _counted("prod", input, dtype)
    axis = None if dim is None else normal_axis("prod", dim, x.ndim)
    if not x.ndim:
        return clone(input)
    rows = x.reshape(-1) if axis is None else np.moveaxis(x, axis, 0)

    def pullback(g: Array) -> tuple[Gradient]:
        others = _product_before(rows) * _product_before(rows[::-1])[::-1]
        dx = g.reshape(rows.shape[1:]) * others
        return (dx.reshape(x.shape) if axis is None else np.moveaxis(dx, 0, axis),)

    y = np.prod(x, axis, x.dtype, keepdims=keepdim)
    return record("prod", y, (input,), pullback, saved=(input,))


def _counted(name: str, input: Tensor, dtype: DTypeLike | None) -> tuple[Tensor, Array]:
    """The tensor in the dtype of the result, and its array."""
    x = tensor_argument(name, input)
    if dtype is not None:
        input = cast(input, as_dtype(name, dtype))
    elif x.dtype.kind in "bui":
        input = cast(input, np.dtype(np.int64))
    return input, input.array


def _running(operation: np.ufunc, x: Array, axis: int) -> Array:
    y: Array = operation.accumulate(x, axis, np.float64 if x.dtype.kind == "f" else None)
    return y.astype(x.dtype, copy=False)


def _product_before(rows: Array) -> Array:
    """For each row the product of those before it, 1 for the first."""
    y = np.ones_like(rows)
    np.multiply.accumulate(rows[:-1], 0, out=y[1:])
    return y
