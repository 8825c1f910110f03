"""Adadelta: steps of the size of the steps before, with no learning rate to choose."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from tinyrnn.autograd.graph import Array
from tinyrnn.optim.moments import decay_square, zeros
from tinyrnn.optim.optimizer import Optimizer
from tinyrnn.optim.settings import Group, check_loop, check_number, check_numbers
from tinyrnn.tensor import Tensor


class Adadelta(Optimizer):
    """One step, for each parameter w with gradient g (-g with maximize):

        g <- g + weight_decay w
        v <- rho v + (1 - rho) g^2
        d  = g  sqrt(u + eps) / sqrt(v + eps)
        u <- rho u + (1 - rho) d^2
        w <- w - lr d

    params as in Optimizer; foreach, capturable: accepted as torch's, without effect on the numbers.
    state: step; square_avg, v; acc_delta, u.
    Raises ValueError for negative settings and for rho outside [0, 1], TypeError for what are no numbers,
    NotImplementedError for differentiable.
    Source: Zeiler, ADADELTA, 2012; conventions: torch.optim.Adadelta.

    >>> import tinyrnn
    >>> w = tinyrnn.tensor([1.0], requires_grad=True)
    >>> (1000 * w).sum().backward()
    >>> Adadelta([w], rho=0.75, eps=0.01).step()
    >>> w
    tensor([0.8000], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        settings = {"lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay}
        loop = {"maximize": maximize, "capturable": capturable, "foreach": foreach, "differentiable": differentiable}
        super().__init__(params, {**settings, **loop})

    def check_group(self, group: Group) -> None:
        name = type(self).__name__
        check_loop(name, group)
        check_numbers(name, group, "lr", "eps", "weight_decay")
        check_number(name, "rho", group["rho"], high=1.0, closed=True)

    def first_state(self, w: Array, group: Group) -> dict[str, Any]:
        """v and u, both 0."""
        return {"step": 0, "square_avg": zeros(w), "acc_delta": zeros(w)}

    def numbers(self, group: Group, t: int) -> Sequence[float]:
        """rho, 1 - rho, eps, -lr."""
        rho = float(group["rho"])
        return rho, 1 - rho, float(group["eps"]), -float(group["lr"])

    def update(self, w: Array, g: Array, state: dict[str, Any], group: Group, numbers: Sequence[Array]) -> None:
        """The equations above, for one parameter."""
        keep, weight, eps, size = numbers
        v, u = state["square_avg"].array, state["acc_delta"].array
        s, d = np.empty_like(w), np.asarray(u + eps)
        decay_square(v, g, keep, weight, out=s)
        np.add(v, eps, out=s)
        np.sqrt(s, out=s)
        np.sqrt(d, out=d)
        d /= s
        d *= g
        decay_square(u, d, keep, weight, out=s)
        d *= size
        w += d
