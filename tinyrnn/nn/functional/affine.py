"""The affine map, as a function."""

from __future__ import annotations

import math

from tinyrnn.autograd.graph import Array, Gradient
from tinyrnn.autograd.record import needs_grad, record
from tinyrnn.kernels.sums import sum_rows
from tinyrnn.ops.operands import check_same_dtype, tensor_argument
from tinyrnn.tensor import Tensor

__all__ = ["linear"]


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """y = x W^T + b,  dx = g W,  dW = sum over all rows of g^T x,  db = sum over all rows of g.

    input (..., I), weight (O, I), bias (O,) or None -> (..., O).
    Raises ValueError if the shapes do not fit, TypeError if the dtypes differ. Source: torch.nn.functional.linear.
    """
    x, W = tensor_argument("linear", input), tensor_argument("linear", weight)
    check_same_dtype("linear", x, W)
    if W.ndim != 2 or x.ndim == 0 or x.shape[-1] != W.shape[1]:
        raise ValueError(
            f"linear: the input is {x.shape}, the weight {W.shape}: expected (..., I) and (O, I), with one I"
        )
    if bias is not None:
        b = tensor_argument("linear", bias)
        check_same_dtype("linear", x, b)
        if b.shape != W.shape[:1]:
            raise ValueError(f"linear: the bias is {b.shape}, expected {W.shape[:1]}, since the weight is {W.shape}")
    shape, (O, I) = x.shape, W.shape
    n = math.prod(shape[:-1])
    y = x.reshape(n, I).dot(W.T)
    if bias is not None:
        y += b
    kept_x, kept_w = x if needs_grad(weight) else None, W if needs_grad(input) else None
    need_b = needs_grad(bias)

    def pullback(g: Array) -> tuple[Gradient, Gradient, Gradient]:
        g = g.reshape(n, O)
        return (
            None if kept_w is None else g.dot(kept_w).reshape(shape),
            None if kept_x is None else g.T.dot(kept_x.reshape(n, I)),
            sum_rows(g) if need_b else None,
        )

    saved = (None if kept_w is None else weight, None if kept_x is None else input)
    return record("linear", y.reshape(*shape[:-1], O), (input, weight, bias), pullback, saved=saved)
