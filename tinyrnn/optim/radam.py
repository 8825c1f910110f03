"""RAdam: Adam that waits until it knows the size of the gradients."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from tinyrnn.autograd.graph import Array
from tinyrnn.optim.moments import approach, decay_square, zeros
from tinyrnn.optim.optimizer import Optimizer
from tinyrnn.optim.settings import Group, check_betas, check_loop, check_numbers
from tinyrnn.tensor import Tensor


class RAdam(Optimizer):
    """One step, the t-th, for each parameter w with gradient g (-g with maximize):

        g <- g + weight_decay w                       (with decoupled_weight_decay, w <- w - lr weight_decay w instead)
        m <- beta1 m + (1 - beta1) g
        v <- beta2 v + (1 - beta2) g^2
        rho_t = rho - 2 t beta2^t / (1 - beta2^t)     with rho = 2 / (1 - beta2) - 1: how many gradients v has seen
        if rho_t > 5:
            r = sqrt((rho_t - 4) (rho_t - 2) rho / ((rho - 4) (rho - 2) rho_t))
            w <- w - lr  m / (1 - beta1^t)  r sqrt(1 - beta2^t) / (sqrt(v) + eps)
        else:
            w <- w - lr  m / (1 - beta1^t)

    params as in Optimizer; foreach, capturable: accepted as torch's, without effect on the numbers.
    state: step, t; exp_avg, m; exp_avg_sq, v.
    Raises ValueError for negative settings and for betas outside [0, 1), TypeError for what are no numbers,
    NotImplementedError for differentiable.
    Source: Liu et al., On the variance of the adaptive learning rate and beyond, 2020; conventions: torch.optim.RAdam.

    >>> import tinyrnn
    >>> w = tinyrnn.tensor([1.0], requires_grad=True)
    >>> (2 * w).sum().backward()
    >>> RAdam([w], lr=0.1).step()
    >>> w
    tensor([0.8000], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        settings = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "maximize": maximize}
        loop = {"foreach": foreach, "capturable": capturable, "decoupled_weight_decay": decoupled_weight_decay}
        super().__init__(params, {**settings, **loop, "differentiable": differentiable})

    def check_group(self, group: Group) -> None:
        name = type(self).__name__
        check_loop(name, group)
        check_numbers(name, group, "lr", "eps", "weight_decay")
        check_betas(name, group)

    def first_state(self, w: Array, group: Group) -> dict[str, Any]:
        """t, m and v, all 0."""
        return {"step": 0, "exp_avg": zeros(w), "exp_avg_sq": zeros(w)}

    def numbers(self, group: Group, t: int) -> Sequence[float]:
        """1 - beta1, beta2, 1 - beta2, 1 - beta1^t, -lr; where rho_t > 5, eps, sqrt(1 - beta2^t) and r too."""
        beta1, beta2 = map(float, group["betas"])
        rho = 2 / (1 - beta2) - 1
        rho_t = rho - 2 * t * beta2**t / (1 - beta2**t)
        always = 1 - beta1, beta2, 1 - beta2, 1 - beta1**t, -float(group["lr"])
        if rho_t <= 5:
            return always
        r = math.sqrt((rho_t - 4) * (rho_t - 2) * rho / ((rho - 4) * (rho - 2) * rho_t))
        return *always, float(group["eps"]), math.sqrt(1 - beta2**t), r

    def update(self, w: Array, g: Array, state: dict[str, Any], group: Group, numbers: Sequence[Array]) -> None:
        """The equations above, for one parameter."""
        weight1, keep2, weight2, correction, size, *rectified = numbers
        m, v = state["exp_avg"].array, state["exp_avg_sq"].array
        s = approach(m, g, weight1)
        decay_square(v, g, keep2, weight2, out=s)
        step = np.asarray(m / correction)
        step *= size
        if rectified:
            eps, root, r = rectified
            np.sqrt(v, out=s)
            s += eps
            np.divide(root, s, out=s)
            step *= s
            step *= r
        w += step
