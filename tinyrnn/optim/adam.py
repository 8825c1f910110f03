"""Adam: steps of the size of the learning rate, whatever the size of the gradients."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from tinyrnn.autograd.graph import Array
from tinyrnn.optim.optimizer import Group, Optimizer, check_loop, check_number


class Adam(Optimizer):
    """One step, the t-th, for each parameter w with gradient g (-g with maximize):

        g <- g + weight_decay w
        m <- beta1 m + (1 - beta1) g
        v <- beta2 v + (1 - beta2) g^2                (with amsgrad, the largest v so far takes its place below)
        w <- w - lr  m / (1 - beta1^t)  /  (sqrt(v / (1 - beta2^t)) + eps)

    params as in Optimizer; foreach, fused, capturable: accepted as torch's, without effect on the numbers.
    Raises ValueError for negative settings and for betas outside [0, 1), TypeError for what are no numbers,
    NotImplementedError for differentiable.
    Source: Kingma and Ba, Adam, 2015; Reddi et al. 2018 for amsgrad; conventions: torch.optim.Adam.

    >>> import tinyrnn
    >>> w = tinyrnn.tensor([1.0], requires_grad=True)
    >>> (1000 * w).sum().backward()
    >>> Adam([w], lr=0.1).step()
    >>> w
    tensor([0.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_loop("Adam", differentiable)
        settings = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        super().__init__(params, {**settings, "amsgrad": amsgrad, "maximize": maximize})

    def check(self, group: Group) -> None:
        for what in ("lr", "eps", "weight_decay"):
            check_number("Adam", what, group[what])
        if not isinstance(group["betas"], tuple | list) or len(group["betas"]) != 2:
            raise ValueError(f"Adam: betas is {group['betas']!r}, expected two numbers")
        for i, beta in enumerate(group["betas"]):
            check_number("Adam", f"betas[{i}]", beta, high=1.0)

    def update(self, w: Array, g: Array, state: dict[str, Any], group: Group) -> None:
        beta1, beta2 = map(float, group["betas"])
        if not state:
            state.update(step=0, exp_avg=np.zeros_like(w), exp_avg_sq=np.zeros_like(w))
            if group["amsgrad"]:
                state["max_exp_avg_sq"] = np.zeros_like(w)
        state["step"] += 1
        m, v, t = state["exp_avg"], state["exp_avg_sq"], state["step"]
        if group["weight_decay"]:
            g = g + group["weight_decay"] * w

        # One scratch array s; in the order of torch's operations, to round as it does.
        s = np.asarray(g - m)
        s *= 1 - beta1
        m += s
        np.multiply(g, g, out=s)
        s *= 1 - beta2
        v *= beta2
        v += s
        if group["amsgrad"]:
            v = np.maximum(state["max_exp_avg_sq"], v, out=state["max_exp_avg_sq"])
        np.sqrt(v, out=s)
        s /= math.sqrt(1 - beta2**t)
        s += group["eps"]
        np.divide(m, s, out=s)
        s *= group["lr"] / (1 - beta1**t)
        w -= s
