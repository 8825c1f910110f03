"""RMSprop: gradients divided by a running average of their size."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from tinyrnn.autograd.graph import Array
from tinyrnn.optim.moments import approach, decay_square, zeros
from tinyrnn.optim.optimizer import Optimizer
from tinyrnn.optim.settings import Group, check_loop, check_numbers
from tinyrnn.tensor import Tensor


class RMSprop(Optimizer):
    """One step, for each parameter w with gradient g (-g with maximize):

        g <- g + weight_decay w
        v <- alpha v + (1 - alpha) g^2
        a <- alpha a + (1 - alpha) g                  (if centered: v - a^2, the variance, takes the place of v below)
        d  = g / (sqrt(v) + eps)
        b <- momentum b + d                           (without momentum, b = d)
        w <- w - lr b

    params as in Optimizer; foreach, capturable: accepted as torch's, without effect on the numbers.
    state: step; square_avg, v; if centered grad_avg, a; with momentum momentum_buffer, b.
    Raises ValueError for negative settings, TypeError for what are no numbers, NotImplementedError for differentiable.
    Source: Hinton, lecture 6e of his course, 2012; centered: Graves 2013, equations 38-45; conventions:
    torch.optim.RMSprop, where eps stands outside of the root.

    >>> import tinyrnn
    >>> w = tinyrnn.tensor([1.0], requires_grad=True)
    >>> (1000 * w).sum().backward()
    >>> RMSprop([w], lr=0.1, alpha=0.75).step()
    >>> w
    tensor([0.8000], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        settings = {"lr": lr, "momentum": momentum, "alpha": alpha, "eps": eps, "centered": centered}
        loop = {"capturable": capturable, "foreach": foreach, "maximize": maximize, "differentiable": differentiable}
        super().__init__(params, {**settings, "weight_decay": weight_decay, **loop})

    def check_group(self, group: Group) -> None:
        name = type(self).__name__
        check_loop(name, group)
        check_numbers(name, group, "lr", "alpha", "eps", "weight_decay", "momentum")

    def first_state(self, w: Array, group: Group) -> dict[str, Any]:
        """v, and a and b where they are needed, all 0."""
        state: dict[str, Any] = {"step": 0, "square_avg": zeros(w)}
        if group["momentum"]:
            state["momentum_buffer"] = zeros(w)
        if group["centered"]:
            state["grad_avg"] = zeros(w)
        return state

    def numbers(self, group: Group, t: int) -> Sequence[float]:
        """alpha, 1 - alpha, eps, momentum, -lr."""
        alpha = float(group["alpha"])
        return alpha, 1 - alpha, float(group["eps"]), float(group["momentum"]), -float(group["lr"])

    def update(self, w: Array, g: Array, state: dict[str, Any], group: Group, numbers: Sequence[Array]) -> None:
        """The equations above, for one parameter."""
        keep, weight, eps, momentum, size = numbers
        v = state["square_avg"].array
        s = np.empty_like(w)
        decay_square(v, g, keep, weight, out=s)
        if group["centered"]:
            a = state["grad_avg"].array
            approach(a, g, weight)
            np.multiply(a, a, out=s)
            v = np.subtract(v, s, out=s)
        np.sqrt(v, out=s)
        s += eps
        if group["momentum"]:
            b = state["momentum_buffer"].array
            b *= momentum
            b += np.divide(g, s, out=s)
            w += np.multiply(b, size, out=s)
        else:
            r = np.asarray(g * size)
            r /= s
            w += r
