"""Products of matrices and vectors. Those of more operands, or along other axes, are in contraction.py.

In all of them the operands have one dtype.
Raises ValueError if the shapes do not fit, TypeError if the dtypes differ, or for what is no tensor.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from tinyrnn.autograd.graph import Array, Gradient
from tinyrnn.autograd.record import needs_grad, record
from tinyrnn.ops.arithmetic import add, mul
from tinyrnn.ops.diagonals import diagonal
from tinyrnn.ops.operands import check_broadcast, check_same_dtype, number, tensor_argument
from tinyrnn.ops.reduction import sum
from tinyrnn.ops.shaping import reshape, transpose

if TYPE_CHECKING:
    from tinyrnn.tensor import Tensor

__all__ = [
    "addbmm",
    "addmm",
    "addmv",
    "addr",
    "baddbmm",
    "bmm",
    "dot",
    "ger",
    "inner",
    "matmul",
    "mm",
    "mv",
    "outer",
    "trace",
    "vdot",
]


def matmul(input: Tensor, other: Tensor) -> Tensor:
    """Z = X Y,  dX = G Y^T,  dY = X^T G.

    input (..., n, k), other (..., k, m) -> (..., n, m), where the leading axes broadcast. A 1-d input counts as one
    row, a 1-d other as one column, and the axis this adds is taken away from the result.
    Raises ValueError if the shapes do not fit, TypeError if the dtypes differ.
    """
    x, y = tensor_argument("matmul", input), tensor_argument("matmul", other)
    check_same_dtype("matmul", x, y)
    if x.ndim == y.ndim == 2 and x.shape[1] == y.shape[0]:
        return _product_of_matrices(input, other)
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


def _product_of_matrices(input: Tensor, other: Tensor) -> Tensor:
    """`matmul` where nothing has to be broadcast, which is most of the time."""
    x, y = input.array, other.array
    kept_x, kept_y = x if needs_grad(other) else None, y if needs_grad(input) else None

    def pullback(g: Array) -> tuple[Gradient, Gradient]:
        return None if kept_y is None else g.dot(kept_y.T), None if kept_x is None else kept_x.T.dot(g)

    saved = (None if kept_y is None else other, None if kept_x is None else input)
    return record("matmul", x.dot(y), (input, other), pullback, saved=saved)


def rmatmul(input: Tensor, other: Tensor) -> Tensor:
    """other @ input."""
    return matmul(other, input)


def mm(input: Tensor, mat2: Tensor) -> Tensor:
    """`matmul` of two matrices: (n, k), (k, m) -> (n, m)."""
    x, y = tensor_argument("mm", input), tensor_argument("mm", mat2)
    if not (x.ndim == y.ndim == 2 and x.shape[1] == y.shape[0] and x.dtype == y.dtype):
        _check_shapes("mm", ("n k", input), ("k m", mat2))
    return _product_of_matrices(input, mat2)


def bmm(input: Tensor, mat2: Tensor) -> Tensor:
    """`matmul` of two batches of matrices, which do not broadcast: (b, n, k), (b, k, m) -> (b, n, m)."""
    _check_shapes("bmm", ("b n k", input), ("b k m", mat2))
    return matmul(input, mat2)


def mv(input: Tensor, vec: Tensor) -> Tensor:
    """`matmul` of a matrix and a vector: (n, k), (k,) -> (n,)."""
    _check_shapes("mv", ("n k", input), ("k", vec))
    return matmul(input, vec)


def dot(input: Tensor, tensor: Tensor) -> Tensor:
    """`matmul` of two vectors: (k,), (k,) -> ()."""
    _check_shapes("dot", ("k", input), ("k", tensor))
    return matmul(input, tensor)


def vdot(input: Tensor, other: Tensor) -> Tensor:
    """`dot`: for real numbers there is nothing to conjugate."""
    _check_shapes("vdot", ("k", input), ("k", other))
    return matmul(input, other)


def inner(input: Tensor, other: Tensor) -> Tensor:
    """The products over the last axes: (..., k), (*, k) -> (..., *); with a 0-d tensor it is `mul`."""
    x, y = tensor_argument("inner", input), tensor_argument("inner", other)
    check_same_dtype("inner", x, y)
    if not x.ndim or not y.ndim:
        return mul(input, other)
    k = x.shape[-1]
    if k != y.shape[-1]:
        raise ValueError(f"inner: shapes {x.shape} and {y.shape}, expected last axes of one size")
    rows, columns = reshape(input, math.prod(x.shape[:-1]), k), reshape(other, math.prod(y.shape[:-1]), k)
    return reshape(matmul(rows, transpose(columns, 0, 1)), x.shape[:-1] + y.shape[:-1])


def outer(input: Tensor, vec2: Tensor) -> Tensor:
    """z_ij = x_i y_j,  dx = G y,  dy = G^T x: (n,), (m,) -> (n, m). The dtypes may differ."""
    _check_shapes("outer", ("n", input), ("m", vec2), one_dtype=False)
    return mul(reshape(input, -1, 1), vec2)


ger = outer


def addmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """beta X + alpha A B: (n, k), (k, m) -> (n, m), to which X expands. With beta 0 X is not looked at."""
    _check_shapes("addmm", ("n k", mat1), ("k m", mat2))
    return _plus("addmm", input, matmul(mat1, mat2), beta, alpha)


def addmv(input: Tensor, mat: Tensor, vec: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """beta x + alpha A v: (n, k), (k,) -> (n,), to which x expands. With beta 0 x is not looked at."""
    _check_shapes("addmv", ("n k", mat), ("k", vec))
    return _plus("addmv", input, matmul(mat, vec), beta, alpha)


def addr(input: Tensor, vec1: Tensor, vec2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """beta X + alpha v w^T: (n,), (m,) -> (n, m), to which X expands. With beta 0 X is not looked at."""
    return _plus("addr", input, outer(vec1, vec2), beta, alpha)


def baddbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """beta X + alpha A_b B_b: (b, n, k), (b, k, m) -> (b, n, m), to which X expands. With beta 0 X is not looked at."""
    _check_shapes("baddbmm", ("b n k", batch1), ("b k m", batch2))
    return _plus("baddbmm", input, matmul(batch1, batch2), beta, alpha)


def addbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """beta X + alpha sum_b A_b B_b: (b, n, k), (b, k, m) -> (n, m), to which X expands; not looked at with beta 0."""
    _check_shapes("addbmm", ("b n k", batch1), ("b k m", batch2))
    return _plus("addbmm", input, sum(matmul(batch1, batch2), 0), beta, alpha)


def trace(input: Tensor) -> Tensor:
    """The sum of a matrix's diagonal,  dX = g on the diagonal; whole numbers are summed in int64."""
    _check_shapes("trace", ("n m", input))
    return sum(diagonal(input))


def _check_shapes(name: str, *operands: tuple[str, Any], one_dtype: bool = True) -> None:
    """Raises ValueError unless each operand has the axes that its letters say, and equal letters equal sizes."""
    arrays = [tensor_argument(name, tensor) for _, tensor in operands]
    sizes: dict[str, int] = {}
    for (letters, _), x in zip(operands, arrays, strict=True):
        axes = letters.split()
        if len(axes) != x.ndim or any(sizes.setdefault(axis, n) != n for axis, n in zip(axes, x.shape, strict=True)):
            wanted = " and ".join([f"({', '.join(letters.split())})" for letters, _ in operands])
            given = " and ".join([str(x.shape) for x in arrays])
            raise ValueError(f"{name}: shapes {given} do not fit, expected {wanted}")
    for x in arrays[1:]:
        if one_dtype:
            check_same_dtype(name, arrays[0], x)


def _plus(name: str, input: Tensor, product: Tensor, beta: Any, alpha: Any) -> Tensor:
    """beta X + alpha P, for an X that expands to P."""
    x, p = tensor_argument(name, input), product.array
    check_same_dtype(name, x, p)
    beta, alpha = number(name, "beta", beta), number(name, "alpha", alpha)
    extra = p.ndim - x.ndim
    if extra < 0 or any(n not in (1, m) for n, m in zip(x.shape, p.shape[extra:], strict=True)):
        raise ValueError(f"{name}: input has shape {x.shape}, the product {p.shape}: expected input to expand to that")
    scaled = product if alpha == 1 else mul(product, alpha)
    if beta == 0:  # NaN or infinity in X, as in memory from empty(), goes nowhere
        return scaled
    return add(input if beta == 1 else mul(input, beta), scaled)
