"""Losses between probabilities, as functions: binary cross entropy, from probabilities or logits, and KL divergence.

In all of them: reduction "mean" divides the sum of the losses by their number (over nothing the mean is NaN), "sum"
leaves the division out, "none" the summing too; size_average and reduce are torch's older words for these, translated
with a warning. Raises ValueError for shapes that do not fit and another reduction, TypeError for what are no floating
tensors, RuntimeError for a weight that requires a gradient, as there is none for it. Source: torch.nn.functional.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from tinyrnn.autograd.graph import Array, Gradient
from tinyrnn.autograd.record import needs_grad
from tinyrnn.nn.reductions import check_weight, reduced, reduction_of
from tinyrnn.ops.operands import check_broadcast, check_floating, check_same_dtype, tensor_argument
from tinyrnn.tensor import Tensor

__all__ = ["binary_cross_entropy", "binary_cross_entropy_with_logits", "kl_div"]


def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """L = mean of -w (y log x + (1 - y) log(1 - x)),  dx = g w (x - y) / (x (1 - x) n).

    Both logarithms are at least -100, and x (1 - x) in dx at least 1e-12, so that x = 0 and 1 are finite: torch's
    convention. dy = g w (log(1 - x) - log x) / n, with these logarithms (torch's are infinite there).
    input x and target y: one shape, one dtype, 0 to 1, else ValueError, also for NaN; weight w broadcasts to it.
    """
    name = "binary_cross_entropy"
    reduction = reduction_of(name, size_average, reduce, reduction)
    x, y = _pair(name, input, target)
    check_same_dtype(name, x, y)
    for what, p in (("input", x), ("target", y)):
        if p.size and not (p.min() >= 0 and p.max() <= 1):
            raise ValueError(
                f"{name}: the {what} has values from {p.min()} to {p.max()}, expected 0 to 1"
                + (": for logits, use binary_cross_entropy_with_logits" if p is x else "")
            )
    w = _weights(name, "weight", weight, x)
    with np.errstate(divide="ignore"):
        log_x, log_rest = np.maximum(np.log(x), -100), np.maximum(np.log1p(-x), -100)
    losses = (y - 1) * log_rest - y * log_x
    need_x, need_y = needs_grad(input), needs_grad(target)

    def pullback(g: Array) -> tuple[Gradient, Gradient]:
        g = g if w is None else g * w
        dx = g * (x - y) / np.maximum(x * (1 - x), 1e-12) if need_x else None
        return dx, g * (log_rest - log_x) if need_y else None

    losses = losses if w is None else losses * w
    return reduced(name, losses, reduction, (input, target), pullback, saved=(input, target, weight))


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """L = mean of w (p y log(1 + e^-x) + (1 - y) log(1 + e^x)),  dx = g w ((1 - y) s - p y (1 - s)) / n.

    This is binary_cross_entropy of s = sigmoid x, without overflow. dy = g w (p log(1 + e^-x) - log(1 + e^x)) / n.
    input x and target y: one shape; weight w and pos_weight p (of the positive ones) broadcast to it.
    """
    name = "binary_cross_entropy_with_logits"
    reduction = reduction_of(name, size_average, reduce, reduction)
    x, y = _pair(name, input, target)
    dtype = np.result_type(x, y)
    w, p = _weights(name, "weight", weight, x, dtype), _weights(name, "pos_weight", pos_weight, x, dtype)
    e = np.exp(-np.abs(x))  # at most 1
    tail = np.log1p(e)
    if_one, if_zero = np.maximum(-x, 0) + tail, np.maximum(x, 0) + tail
    if_one = if_one if p is None else if_one * p
    losses = y * if_one + (1 - y) * if_zero
    need_y = needs_grad(target)

    def pullback(g: Array) -> tuple[Gradient, Gradient]:
        g = g if w is None else g * w
        s, rest = np.where(x >= 0, 1, e) / (1 + e), np.where(x >= 0, e, 1) / (1 + e)
        dx = g * ((1 - y) * s - y * (rest if p is None else rest * p))
        return dx, g * (if_one - if_zero) if need_y else None

    losses = losses if w is None else losses * w
    return reduced(name, losses, reduction, (input, target), pullback, saved=(input, target, weight, pos_weight))


def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """L = mean of q (log q - x),  dx = -g q / n,  dq = g (log q + 1 - x) / n,  for x = log p.

    target q, probabilities (q log q is 0 at 0, and so is its derivative; torch's is NaN); with log_target, log q. The
    shapes broadcast. reduction "batchmean" divides by the length of x's first axis, as the divergence is defined;
    "mean", by the number of all elements, warns.
    """
    if reduction == "mean" and size_average is None and reduce is None:
        warnings.warn(
            "kl_div: reduction: 'mean' divides the total loss by both the batch size and the support size. 'batchmean' "
            "divides only by the batch size, and aligns with the KL div math definition.",
            UserWarning,
            stacklevel=2,
        )
    reduction = reduction_of("kl_div", size_average, reduce, reduction, ("batchmean",))
    x, t = tensor_argument("kl_div", input), tensor_argument("kl_div", target)
    check_floating("kl_div", x)
    check_floating("kl_div", t)
    if x.shape != t.shape:
        check_broadcast("kl_div", x.shape, t.shape)
        x, t = np.broadcast_arrays(x, t)
    q = np.exp(t) if log_target else t
    log_q = t if log_target else np.log(np.where(t == 0, 1, t))
    need_q = needs_grad(target)

    def pullback(g: Array) -> tuple[Gradient, Gradient]:
        dq = g * (log_q + np.not_equal(q, 0) - x) if need_q else None
        return -g * q, dq if dq is None or not log_target else dq * q

    losses = np.asarray(q * (log_q - x))
    n = None
    if reduction == "batchmean":
        reduction, n = "mean", input.shape[0] if input.ndim else 1
    return reduced("kl_div", losses, reduction, (input, target), pullback, saved=(input, target), n=n)


def _pair(name: str, input: Tensor, target: Tensor) -> tuple[Array, Array]:
    x, y = tensor_argument(name, input), tensor_argument(name, target)
    check_floating(name, x)
    if y.dtype.kind != "f":
        raise TypeError(f"{name}: the target is {y.dtype}, expected a floating dtype: .float() it")
    if x.shape != y.shape:
        raise ValueError(f"{name}: the target is {y.shape}, the input {x.shape}, expected one shape")
    return x, y


def _weights(name: str, what: str, weight: Tensor | None, x: Array, dtype: np.dtype[Any] | None = None) -> Array | None:
    if weight is None:
        return None
    check_weight(name, what, weight, x.shape)
    return weight.array.astype(x.dtype if dtype is None else dtype, copy=False)
