"""Losses of regression, as functions: each with its derivative with respect to the input, and the three reductions.

In all of them: reduction "mean" divides the sum of the losses by their number (over nothing the mean is NaN), "sum"
leaves the division out, "none" the summing too; size_average and reduce are torch's older words for these, translated
with a warning. input x and target y: one shape -> (), or that shape for "none". Shapes that differ but broadcast are
taken with a warning, as in torch: it is a mistake more often than a wish.
Raises ValueError for shapes that do not broadcast and for another reduction, TypeError for what are no floating tensors
(one of the two may be of whole numbers). Source: torch.nn.functional.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from tinyrnn.autograd.graph import Array, Gradient
from tinyrnn.autograd.modes import no_grad
from tinyrnn.autograd.record import needs_grad
from tinyrnn.creation import full as filled
from tinyrnn.nn.arguments import check_reduction, in_one_dtype
from tinyrnn.nn.reductions import reduce_losses, reduced, reduction_of
from tinyrnn.ops.operands import check_broadcast, check_floating, tensor_argument
from tinyrnn.tensor import Tensor

__all__ = ["gaussian_nll_loss", "huber_loss", "l1_loss", "mse_loss", "poisson_nll_loss", "smooth_l1_loss"]


def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """L = mean of (x - y)^2,  dx = 2 g (x - y) / n,  dy = -dx.

    With a weight w of x's shape: L = sum of w (x - y)^2 over the sum of w.
    """
    reduction = reduction_of("mse_loss", size_average, reduce, reduction)
    if weight is not None:
        return _weighted("mse_loss", mse_loss, input, target, weight, reduction, True)
    return _of_difference("mse_loss", input, target, reduction, lambda d: d * d, lambda g, d: 2 * g * d)


def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """L = mean of |x - y|,  dx = g sign(x - y) / n  (0 where x = y),  dy = -dx.

    With a weight w of x's shape: L = sum of w |x - y| over the sum of w.
    """
    reduction = reduction_of("l1_loss", size_average, reduce, reduction)
    if weight is not None:
        return _weighted("l1_loss", l1_loss, input, target, weight, reduction, True)
    return _of_difference("l1_loss", input, target, reduction, np.abs, lambda g, d: g * np.sign(d))


def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """L = mean of d^2 / 2b where |d| < b, |d| - b/2 elsewhere,  dx = g min(max(d / b, -1), 1) / n,  for d = x - y.

    beta b, at least 0 (at 0 this is l1_loss), else ValueError.
    """
    reduction = reduction_of("smooth_l1_loss", size_average, reduce, reduction)
    if not beta >= 0:
        raise ValueError(f"smooth_l1_loss: beta is {beta}, expected at least 0")
    if beta == 0:
        return _of_difference("smooth_l1_loss", input, target, reduction, np.abs, lambda g, d: g * np.sign(d))

    def losses(d: Array) -> Array:
        size = np.abs(d)
        return np.where(size < beta, d * d * (0.5 / beta), size - 0.5 * beta)

    return _of_difference(
        "smooth_l1_loss", input, target, reduction, losses, lambda g, d: g * np.clip(d * (1 / beta), -1, 1)
    )


def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0, weight: Tensor | None = None
) -> Tensor:
    """L = mean of d^2 / 2 where |d| <= delta, delta (|d| - delta/2) elsewhere,  dx = g min(max(d, -delta), delta) / n.

    d = x - y; the result has x's dtype. With a weight w of x's shape: L = mean of w times that.
    Raises ValueError unless delta > 0.
    """
    check_reduction("huber_loss", reduction)
    if not delta > 0:
        raise ValueError(f"huber_loss: delta is {delta}, expected more than 0")
    if weight is not None:
        return _weighted("huber_loss", huber_loss, input, target, weight, reduction, False, delta=delta)
    x, y = tensor_argument("huber_loss", input), tensor_argument("huber_loss", target)
    if x.dtype != y.dtype and x.dtype.kind == "f":
        target = target.to(x.dtype)

    def losses(d: Array) -> Array:
        size = np.abs(d)
        return np.where(size <= delta, 0.5 * d * d, delta * (size - 0.5 * delta))

    return _of_difference("huber_loss", input, target, reduction, losses, lambda g, d: g * np.clip(d, -delta, delta))


def _of_difference(
    name: str,
    input: Tensor,
    target: Tensor,
    reduction: str,
    losses: Callable[[Array], Array],
    derivative: Callable[[Array, Array], Array],
) -> Tensor:
    """L = the reduction of losses(d),  dx = derivative(g, d),  dy = -dx,  for d = x - y."""
    x, y = in_one_dtype(name, input, target)
    if x.shape != y.shape:
        check_broadcast(name, x.shape, y.shape)
        warnings.warn(
            f"{name}: the input is {x.shape}, the target {y.shape}: they are broadcast against each other, "
            "which is seldom meant. Give them one shape",
            UserWarning,
            stacklevel=3,
        )
    d = np.asarray(x - y)
    need_y = needs_grad(target)

    def pullback(g: Array) -> tuple[Gradient, Gradient]:
        dx = derivative(g, d)
        return dx, -dx if need_y else None

    return reduced(name, losses(d), reduction, (input, target), pullback)


def _weighted(
    name: str,
    loss: Callable[..., Tensor],
    input: Tensor,
    target: Tensor,
    weight: Tensor,
    reduction: str,
    by_weight: bool,
    **options: Any,
) -> Tensor:
    """The losses times w, reduced; by_weight: the mean divides by the sum of w, not by their number."""
    x, w = tensor_argument(name, input), tensor_argument(name, weight)
    if w.shape != x.shape:
        raise ValueError(f"{name}: the weight is {w.shape}, the input {x.shape}, expected one shape")
    losses = loss(input, target, reduction="none", **options) * weight
    if by_weight and reduction == "mean":
        return losses.sum() / weight.sum()
    return reduce_losses(name, losses, reduction)


def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-8,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """L = mean of e^x - y x, for y ~ Poisson(e^x); without log_input, of x - y log(x + eps), for y ~ Poisson(x).

    full adds log y! by Stirling's formula, y log y - y + log(2 pi y) / 2, where y > 1.
    """
    reduction = reduction_of("poisson_nll_loss", size_average, reduce, reduction)
    check_floating("poisson_nll_loss", tensor_argument("poisson_nll_loss", input))
    tensor_argument("poisson_nll_loss", target)
    losses = input.exp() - target * input if log_input else input - target * (input + eps).log()
    if full:
        y = (target if target.is_floating_point() else target.to(input.dtype)).clamp(min=1)
        losses = losses + (y * y.log() - y + 0.5 * (2 * math.pi * y).log()) * (target > 1)
    return reduce_losses("poisson_nll_loss", losses, reduction)


def gaussian_nll_loss(
    input: Tensor, target: Tensor, var: Tensor | float, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Tensor:
    """L = mean of (log v + (x - y)^2 / v) / 2, for y ~ N(x, v); full adds log(2 pi) / 2.

    var v, a number, or a tensor of x's shape, of x's shape but for one axis of size 1, or of x's shape without the last
    axis. Where it is below eps it counts as eps, but its gradient passes. Raises ValueError for another shape, or if v
    is negative anywhere.
    """
    check_reduction("gaussian_nll_loss", reduction)
    x = tensor_argument("gaussian_nll_loss", input)
    check_floating("gaussian_nll_loss", x)
    tensor_argument("gaussian_nll_loss", target)
    if isinstance(var, int | float):
        var = filled(x.shape, float(var), dtype=x.dtype)
    v = tensor_argument("gaussian_nll_loss", var)
    if (v < 0).any():
        raise ValueError("gaussian_nll_loss: var is negative somewhere, expected variances: .exp() it, or square it")
    if v.shape != x.shape:
        differ = [n for m, n in zip(x.shape, v.shape, strict=False) if m != n]
        if x.shape[:-1] == v.shape:
            var = var.unsqueeze(-1)
        elif x.ndim != v.ndim or differ != [1]:
            raise ValueError(
                f"gaussian_nll_loss: var is {v.shape}, expected {x.shape} as the input, one axis of it 1, or "
                f"{x.shape[:-1]}"
            )
    var = var.clone()
    with no_grad():
        var.clamp_(min=eps)
    losses = 0.5 * (var.log() + (input - target).square() / var)
    if full:
        losses = losses + 0.5 * math.log(2 * math.pi)
    return reduce_losses("gaussian_nll_loss", losses, reduction)
