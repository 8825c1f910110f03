"""Adam: steps of the size of the learning rate, whatever the size of the gradients."""

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


class Adam(Optimizer):
    """One step, the t-th, for each parameter w with gradient g (-g with maximize):

        g <- g + weight_decay w                       (with decoupled_weight_decay, w <- w - lr weight_decay w instead)
        m <- beta1 m + (1 - beta1) g
        v <- beta2 v + (1 - beta2) g^2                (with amsgrad, the largest v so far takes its place below)
        w <- w - lr  m / (1 - beta1^t)  /  (sqrt(v / (1 - beta2^t)) + eps)

    params as in Optimizer; foreach, fused, capturable: accepted as torch's, without effect on the numbers.
    state: step, t; exp_avg, m; exp_avg_sq, v; with amsgrad max_exp_avg_sq.
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
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        settings = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "amsgrad": amsgrad}
        loop = {"maximize": maximize, "foreach": foreach, "capturable": capturable, "differentiable": differentiable}
        decoupled = {"fused": fused, "decoupled_weight_decay": decoupled_weight_decay}
        super().__init__(params, {**settings, **loop, **decoupled})

    def check_group(self, group: Group) -> None:
        name = type(self).__name__
        check_loop(name, group)
        check_numbers(name, group, "lr", "eps", "weight_decay")
        check_betas(name, group)

    def first_state(self, w: Array, group: Group) -> dict[str, Any]:
        """t, m and v, and the largest v, all 0."""
        state = {"step": 0, "exp_avg": zeros(w), "exp_avg_sq": zeros(w)}
        return {**state, "max_exp_avg_sq": zeros(w)} if group["amsgrad"] else state

    def numbers(self, group: Group, t: int) -> Sequence[float]:
        """1 - beta1, beta2, 1 - beta2, sqrt(1 - beta2^t), eps, -lr / (1 - beta1^t)."""
        beta1, beta2 = map(float, group["betas"])
        size = -float(group["lr"]) / (1 - beta1**t)
        return 1 - beta1, beta2, 1 - beta2, math.sqrt(1 - beta2**t), float(group["eps"]), size

    def update(self, w: Array, g: Array, state: dict[str, Any], group: Group, numbers: Sequence[Array]) -> None:
        """The equations above, for one parameter."""
        weight1, keep2, weight2, root, eps, size = numbers
        m, v = state["exp_avg"].array, state["exp_avg_sq"].array
        s = approach(m, g, weight1)
        decay_square(v, g, keep2, weight2, out=s)
        if group["amsgrad"]:
            largest = state["max_exp_avg_sq"].array
            v = np.maximum(largest, v, out=largest)
        np.sqrt(v, out=s)
        s /= root
        s += eps
        r = np.asarray(m * size)
        r /= s
        w += r
