"""Adagrad: gradients divided by the root of the sum of all their squares so far."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from tinyrnn.autograd.graph import Array, make
from tinyrnn.optim.optimizer import Optimizer
from tinyrnn.optim.settings import Group, check_loop, check_numbers
from tinyrnn.tensor import Tensor


class Adagrad(Optimizer):
    """One step, the t-th, for each parameter w with gradient g (-g with maximize):

        g <- g + weight_decay w
        v <- v + g^2                                  (at first v = initial_accumulator_value)
        w <- w - lr / (1 + (t - 1) lr_decay)  g / (sqrt(v) + eps)

    params as in Optimizer; foreach, fused: accepted as torch's, without effect on the numbers.
    state: step, t; sum, v. It is there from the first step on, and begins with the initial_accumulator_value of the
    parameter's group (torch: from the beginning, with that of the constructor).
    Raises ValueError for negative settings, TypeError for what are no numbers, NotImplementedError for differentiable.
    Source: Duchi, Hazan and Singer 2011; conventions: torch.optim.Adagrad.

    >>> import tinyrnn
    >>> w = tinyrnn.tensor([1.0], requires_grad=True)
    >>> (1000 * w).sum().backward()
    >>> Adagrad([w], lr=0.1).step()
    >>> w
    tensor([0.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        settings = {"lr": lr, "lr_decay": lr_decay, "eps": eps, "weight_decay": weight_decay}
        loop = {"foreach": foreach, "maximize": maximize, "differentiable": differentiable, "fused": fused}
        super().__init__(params, {**settings, "initial_accumulator_value": initial_accumulator_value, **loop})

    def check_group(self, group: Group) -> None:
        name = type(self).__name__
        check_loop(name, group)
        check_numbers(name, group, "lr", "lr_decay", "eps", "weight_decay", "initial_accumulator_value")

    def first_state(self, w: Array, group: Group) -> dict[str, Any]:
        """t = 0, and v as the group wants it."""
        return {"step": 0, "sum": make(Tensor, np.full_like(w, float(group["initial_accumulator_value"])))}

    def numbers(self, group: Group, t: int) -> Sequence[float]:
        """eps, -lr / (1 + (t - 1) lr_decay)."""
        return float(group["eps"]), -float(group["lr"]) / (1 + (t - 1) * float(group["lr_decay"]))

    def update(self, w: Array, g: Array, state: dict[str, Any], group: Group, numbers: Sequence[Array]) -> None:
        """The equations above, for one parameter."""
        eps, size = numbers
        v = state["sum"].array
        s = np.asarray(g * g)
        v += s
        np.sqrt(v, out=s)
        s += eps
        r = np.asarray(g * size)
        r /= s
        w += r
