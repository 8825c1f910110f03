"""The affine map, and the one that is affine in each of two inputs, as functions."""

from __future__ import annotations

import math

import numpy as np

from tinyrnn.autograd.graph import FRESH, Array, Gradient
from tinyrnn.autograd.record import needs_grad, record
from tinyrnn.kernels.sums import sum_rows
from tinyrnn.ops.operands import check_same_dtype, tensor_argument
from tinyrnn.tensor import Tensor

__all__ = ["bilinear", "linear"]


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """y = x W^T + b,  dx = g W,  dW = sum over all rows of g^T x,  db = sum over all rows of g.

    input (..., I), weight (O, I), bias (O,), or (1,) for all outputs, or None -> (..., O).
    Raises ValueError if the shapes do not fit, TypeError if the dtypes differ. Source: torch.nn.functional.linear.
    """
    x, W = tensor_argument("linear", input), tensor_argument("linear", weight)
    check_same_dtype("linear", x, W)
    shape = x.shape
    if W.ndim != 2 or not shape or shape[-1] != W.shape[1]:
        raise ValueError(
            f"linear: the input is {shape}, the weight {W.shape}: expected (..., I) and (O, I), with one I"
        )
    if bias is not None:
        b = tensor_argument("linear", bias)
        check_same_dtype("linear", x, b)
        if b.shape not in (W.shape[:1], (1,)):
            raise ValueError(f"linear: the bias is {b.shape}, expected {W.shape[:1]}, since the weight is {W.shape}")
    O, I = W.shape
    n = math.prod(shape[:-1])
    y = (x if len(shape) == 2 else x.reshape(n, I)).dot(W.T)
    if bias is not None:
        y += b
    kept_x, kept_w = x if needs_grad(weight) else None, W if needs_grad(input) else None
    need_b = needs_grad(bias)

    def pullback(g: Array) -> tuple[Gradient, ...]:
        g = g.reshape(n, O)
        dx = None if kept_w is None else g.dot(kept_w).reshape(shape)
        dw = None if kept_x is None else g.T.dot(kept_x.reshape(n, I))
        return dx, dw, sum_rows(g) if need_b else None

    saved = (None if kept_w is None else weight, None if kept_x is None else input)
    y = y if len(shape) == 2 else y.reshape(*shape[:-1], O)
    return record("linear", y, (input, weight, bias), pullback, saved=saved, memory=FRESH)


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """y_o = a^T W_o b + b_o,  da = sum_o g_o W_o b,  db = sum_o g_o W_o^T a,  dW_o = sum over all rows of g_o a b^T.

    input1 a (..., I), input2 b (..., J), weight (O, I, J), bias (O,) or None -> (..., O).
    Raises ValueError if the shapes do not fit, TypeError if the dtypes differ. Source: torch.nn.functional.bilinear.
    """
    a, b, W = (tensor_argument("bilinear", x) for x in (input1, input2, weight))
    for x in (b, W, a if bias is None else tensor_argument("bilinear", bias)):
        check_same_dtype("bilinear", a, x)
    if W.ndim != 3 or not a.ndim or a.shape[:-1] != b.shape[:-1] or (a.shape[-1], b.shape[-1]) != W.shape[1:]:
        raise ValueError(
            f"bilinear: the inputs are {a.shape} and {b.shape}, the weight {W.shape}: expected (..., I), (..., J), "
            "with the same axes before, and (O, I, J)"
        )
    if bias is not None and bias.shape != W.shape[:1]:
        raise ValueError(f"bilinear: the bias is {bias.shape}, expected {W.shape[:1]}, since the weight is {W.shape}")
    leading, (O, I, J) = a.shape[:-1], W.shape
    n = math.prod(leading)
    a, b = a.reshape(n, I), b.reshape(n, J)
    wide = W.transpose(1, 0, 2).reshape(I, O * J)  # so that each product below is one of matrices
    aW = a.dot(wide).reshape(n, O, J)
    y = np.matmul(aW, b[:, :, None])[:, :, 0]
    if bias is not None:
        y += bias.array
    needs = [needs_grad(x) for x in (input1, input2, weight, bias)]

    def pullback(g: Array) -> tuple[Gradient, ...]:
        g = g.reshape(n, O)
        gb = (g[:, :, None] * b[:, None, :]).reshape(n, O * J)
        return (
            gb.dot(wide.T).reshape(*leading, I) if needs[0] else None,
            np.matmul(g[:, None, :], aW)[:, 0].reshape(*leading, J) if needs[1] else None,
            a.T.dot(gb).reshape(I, O, J).transpose(1, 0, 2) if needs[2] else None,
            sum_rows(g) if needs[3] else None,
        )

    inputs = (input1, input2, weight, bias)
    return record("bilinear", y.reshape(*leading, O), inputs, pullback, saved=(input1, input2, weight))
