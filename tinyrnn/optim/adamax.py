"""Adamax: Adam with the largest gradient in place of their mean square."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from tinyrnn.autograd.graph import Array
from tinyrnn.optim.moments import approach, zeros
from tinyrnn.optim.optimizer import Optimizer
from tinyrnn.optim.settings import Group, check_betas, check_loop, check_numbers
from tinyrnn.tensor import Tensor


class Adamax(Optimizer):
    """One step, the t-th, for each parameter w with gradient g (-g with maximize):

        g <- g + weight_decay w
        m <- beta1 m + (1 - beta1) g
        u <- max(beta2 u, |g| + eps)
        w <- w - lr / (1 - beta1^t)  m / u

    params as in Optimizer; foreach, capturable: accepted as torch's, without effect on the numbers.
    state: step, t; exp_avg, m; exp_inf, u.
    Raises ValueError for negative settings and for betas outside [0, 1), TypeError for what are no numbers,
    NotImplementedError for differentiable.
    Source: Kingma and Ba, Adam, 2015, section 7.1; conventions: torch.optim.Adamax.

    >>> import tinyrnn
    >>> w = tinyrnn.tensor([1.0], requires_grad=True)
    >>> (1000 * w).sum().backward()
    >>> Adamax([w], lr=0.1).step()
    >>> w
    tensor([0.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        settings = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        loop = {"foreach": foreach, "maximize": maximize, "differentiable": differentiable, "capturable": capturable}
        super().__init__(params, {**settings, **loop})

    def check_group(self, group: Group) -> None:
        name = type(self).__name__
        check_loop(name, group)
        check_numbers(name, group, "lr", "eps", "weight_decay")
        check_betas(name, group)

    def first_state(self, w: Array, group: Group) -> dict[str, Any]:
        """t, m and u, all 0."""
        return {"step": 0, "exp_avg": zeros(w), "exp_inf": zeros(w)}

    def numbers(self, group: Group, t: int) -> Sequence[float]:
        """1 - beta1, beta2, eps, -lr / (1 - beta1^t)."""
        beta1, beta2 = map(float, group["betas"])
        return 1 - beta1, beta2, float(group["eps"]), -float(group["lr"]) / (1 - beta1**t)

    def update(self, w: Array, g: Array, state: dict[str, Any], group: Group, numbers: Sequence[Array]) -> None:
        """The equations above, for one parameter."""
        weight1, keep2, eps, size = numbers
        m, u = state["exp_avg"].array, state["exp_inf"].array
        s = approach(m, g, weight1)
        np.abs(g, out=s)
        s += eps
        u *= keep2
        np.maximum(u, s, out=u)
        np.multiply(m, size, out=s)
        s /= u
        w += s
