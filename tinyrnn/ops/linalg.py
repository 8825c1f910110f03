"""Matrix products."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tinyrnn.autograd.graph import Array, Gradient
from tinyrnn.autograd.record import needs_grad, record
from tinyrnn.ops.operands import check_broadcast, check_same_dtype, tensor_argument

if TYPE_CHECKING:
    from tinyrnn.tensor import Tensor

__all__ = ["matmul"]


def matmul(input: Tensor, other: Tensor) -> Tensor:
    """Z = X Y,  dX = G Y^T,  dY = X^T G.

    input (..., n, k), other (..., k, m) -> (..., n, m), where the leading axes broadcast. A 1-d input counts as one
    row, a 1-d other as one column, and the axis this adds is taken away from the result.
    Raises ValueError if the shapes do not fit, TypeError if the dtypes differ.
    """
    x, y = tensor_argument("matmul", input), tensor_argument("matmul", other)
    check_same_dtype("matmul", x, y)
    rows, columns = x[None] if x.ndim == 1 else x, y[:, None] if y.ndim == 1 else y
    if not x.ndim or not y.ndim or rows.shape[-1] != columns.shape[-2]:
        raise ValueError(
            f"matmul: shapes {x.shape} and {y.shape} do not fit: expected (..., n, k) and (..., k, m), the last axis "
            "of the first as long as the last but one of the second (transpose one of them with .mT?)"
        )
    check_broadcast("matmul", rows.shape[:-2], columns.shape[:-2])
    batch = np.broadcast_shapes(rows.shape[:-2], columns.shape[:-2]) if 1 in (x.ndim, y.ndim) else ()
    row, column, n, m = x.ndim == 1, y.ndim == 1, rows.shape[-2], columns.shape[-1]
    kept_x = rows.swapaxes(-1, -2) if needs_grad(other) else None  # only what will be read is kept
    kept_y = columns.swapaxes(-1, -2) if needs_grad(input) else None

    def pullback(g: Array) -> tuple[Gradient, Gradient]:
        if row or column:  # give the axes of size 1 back
            g = g.reshape(*batch, n, m)
        dx = None if kept_y is None else np.matmul(g, kept_y)
        dy = None if kept_x is None else np.matmul(kept_x, g)
        if row and dx is not None:
            dx = dx[..., 0, :]
        if column and dy is not None:
            dy = dy[..., 0]
        return dx, dy

    saved = (None if kept_y is None else other, None if kept_x is None else input)
    return record("matmul", np.matmul(x, y), (input, other), pullback, saved=saved)


def rmatmul(input: Tensor, other: Tensor) -> Tensor:
    """other @ input."""
    return matmul(other, input)
