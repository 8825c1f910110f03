"""Losses, as functions: each with its derivative with respect to the input, and the three reductions."""

from __future__ import annotations

import math
import warnings

from tinyrnn.autograd.graph import Array, Gradient
from tinyrnn.autograd.record import record
from tinyrnn.kernels.sums import sum_axes
from tinyrnn.nn.arguments import check_floating, check_reduction
from tinyrnn.ops.operands import operands, tensor_argument
from tinyrnn.tensor import Tensor

__all__ = ["mse_loss"]


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
    check_floating("mse_loss", x)
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
