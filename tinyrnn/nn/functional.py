"""What the modules compute, as functions: nothing here has parameters of its own."""

from __future__ import annotations

import math
import warnings

import numpy as np

from tinyrnn.autograd.graph import Array, Gradient
from tinyrnn.autograd.record import needs_grad, record
from tinyrnn.autograd.views import check_in_place
from tinyrnn.kernels.sums import sum_axes, sum_rows
from tinyrnn.ops.operands import check_same_dtype, operands, tensor_argument
from tinyrnn.ops.pointwise import relu, sigmoid, tanh
from tinyrnn.random import default_generator
from tinyrnn.tensor import Tensor

__all__ = ["dropout", "linear", "mse_loss", "relu", "sigmoid", "tanh"]


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


def mse_loss(input: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """L = mean of (x - y)^2,  dx = 2 g (x - y) / n,  dy = -dx;  "sum" leaves the division out, "none" the summing too.

    input, target: one shape -> (), or that shape for "none". Shapes that differ but broadcast are taken with a
    warning, as in torch: it is a mistake more often than a wish.
    The mean over nothing is NaN. Raises ValueError for shapes that do not broadcast, or another reduction, TypeError
    for what are no floating tensors. Source: torch.nn.functional.mse_loss.
    """
    check_reduction("mse_loss", reduction)
    tensor_argument("mse_loss", target)
    x, y, _ = operands("mse_loss", input, target)
    _check_floating("mse_loss", x)
    if x.shape != y.shape:
        warnings.warn(
            f"mse_loss: the input is {x.shape}, the target {y.shape}: they are broadcast against each other, "
            "which is seldom meant. Give them one shape",
            UserWarning,
            stacklevel=2,
        )
    difference = x - y
    square = difference * difference
    n = 1 if reduction != "mean" else square.size or math.nan

    def pullback(g: Array) -> tuple[Gradient, Gradient]:
        dx = (g * (2 / n)).astype(difference.dtype, copy=False) * difference
        return dx, -dx

    every = tuple(range(square.ndim))
    loss = square if reduction == "none" else sum_axes(square, every, square.dtype, n=n)
    return record("mse_loss", loss, (input, target), pullback)


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """y = x m / (1 - p),  dx = g m / (1 - p): each element of m is 0 with probability p, else 1, drawn anew.

    In evaluation (training=False) y = x. input: any shape -> the same; with inplace it is changed, and returned.
    After manual_seed(n) m is torch's after its own.
    Raises ValueError unless 0 <= p <= 1, TypeError for what is no floating tensor.
    Source: Srivastava et al., Dropout, 2014; the scaling in training, not in evaluation, is torch's.
    """
    x = tensor_argument("dropout", input)
    check_probability("dropout", p)
    if not training or p == 0:
        return input
    _check_floating("dropout", x)
    if inplace:
        check_in_place("dropout", input)
    scale = np.zeros_like(x)
    if p < 1:  # torch's draws fill the memory, laid out as that of x, from end to end; for p = 1 there are none
        scale.ravel("K")[:] = default_generator.bernoulli(1 - p, x.size)
        scale /= 1 - p

    def pullback(g: Array) -> tuple[Gradient]:
        return (g * scale,)

    y = record("dropout", x * scale, (input,), pullback)
    return input.copy_(y) if inplace else y


def check_probability(name: str, p: float) -> None:
    """Raises ValueError unless p is a number and 0 <= p <= 1."""
    if isinstance(p, bool) or not isinstance(p, int | float | np.number) or not 0 <= p <= 1:
        raise ValueError(f"{name}: the probability is {p!r}, expected a number from 0 to 1")


def _check_floating(name: str, x: Array) -> None:
    if x.dtype.kind != "f":
        raise TypeError(f"{name}: the input is {x.dtype}, expected a floating dtype: .float() it")


def check_reduction(name: str, reduction: str) -> None:
    """Raises ValueError unless the reduction is one of torch's three."""
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"{name}: the reduction is {reduction!r}, expected 'mean', 'sum' or 'none'")
