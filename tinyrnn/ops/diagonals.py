"""Diagonals and triangles of matrices, which two of the axes make.

Raises IndexError for an axis that is not there, ValueError for a tensor of too few axes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tinyrnn.autograd.graph import Array, Gradient
from tinyrnn.autograd.record import record
from tinyrnn.ops.operands import normal_axis, sizes, tensor_argument
from tinyrnn.ops.pointwise import clone

if TYPE_CHECKING:
    from tinyrnn.tensor import Tensor

__all__ = ["diag", "diag_embed", "diagonal", "tril", "triu"]


def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """The elements x[i, i + offset] of the axes dim1 and dim2, as the last axis, a view.

    dx = zero, with g on the diagonal.
    """
    x = tensor_argument("diagonal", input)
    axes = _axes("diagonal", dim1, dim2, x.ndim)
    shape = x.shape
    y = _of(x, offset, *axes)

    def pullback(g: Array) -> tuple[Gradient]:
        dx = np.zeros(shape, g.dtype)
        _of(dx, offset, *axes)[...] = g
        return (dx,)

    return record("diagonal", y, (input,), pullback, view_of=input)


def _axes(name: str, dim1: int, dim2: int, ndim: int) -> tuple[int, int]:
    """The two axes of a diagonal. Raises ValueError if they are one, or if the tensor has but one."""
    a, b = normal_axis(name, dim1, ndim), normal_axis(name, dim2, ndim)
    if a == b or ndim < 2:
        raise ValueError(f"{name}: dim1 {dim1} and dim2 {dim2} of a tensor of {ndim} axes, expected two of them")
    return a, b


def _of(x: Array, offset: int, axis1: int, axis2: int) -> Array:
    """The diagonal, in the memory of `x`."""
    y = x.diagonal(offset, axis1, axis2)
    y.flags.writeable = x.flags.writeable  # NumPy's is never
    return y


def tril(input: Tensor, diagonal: int = 0) -> Tensor:
    """The lower triangle of the last two axes, with zeros above its diagonal.  dx = that of g."""
    return _triangle("tril", input, np.tril, diagonal)


def triu(input: Tensor, diagonal: int = 0) -> Tensor:
    """The upper triangle of the last two axes, with zeros below its diagonal.  dx = that of g."""
    return _triangle("triu", input, np.triu, diagonal)


def _triangle(name: str, input: Tensor, of: Any, diagonal: int) -> Tensor:
    x = tensor_argument(name, input)
    if x.ndim < 2:
        raise ValueError(f"{name}: a tensor of {x.ndim} axes has no triangle, expected at least 2")
    (k,) = sizes(name, (diagonal,))

    def pullback(g: Array) -> tuple[Gradient]:
        return (of(g, k),)

    return record(name, of(x, k), (input,), pullback)


def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Matrices with the last axis of x as their diagonal, else zero, in the axes dim1 and dim2.  dx = g's diagonal.

    x (..., n) -> (..., n + |offset|, n + |offset|).
    """
    x = tensor_argument("diag_embed", input)
    if not x.ndim:
        raise ValueError("diag_embed: a 0-d tensor is no diagonal, expected at least one axis")
    axes = _axes("diag_embed", dim1, dim2, x.ndim + 1)
    shape = list(x.shape[:-1])
    for axis in sorted(axes):
        shape.insert(axis, x.shape[-1] + abs(offset))
    y = np.zeros(shape, x.dtype)
    _of(y, offset, *axes)[...] = x

    def pullback(g: Array) -> tuple[Gradient]:
        return (_of(g, offset, *axes),)

    return record("diag_embed", y, (input,), pullback)


def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """The matrix with a 1-d x as its diagonal, or the diagonal of a matrix x, as a copy; `diagonal`: 1 above it, ..."""
    x = tensor_argument("diag", input)
    if x.ndim not in (1, 2):
        raise ValueError(f"diag: got {x.ndim} axes, expected a vector or a matrix: use diag_embed, or diagonal")
    return diag_embed(input, diagonal) if x.ndim == 1 else _copied(input, diagonal)


def _copied(input: Tensor, offset: int) -> Tensor:
    return clone(diagonal(input, offset))
