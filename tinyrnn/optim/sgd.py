"""SGD: gradient descent, with momentum."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tinyrnn.autograd.graph import Array
from tinyrnn.optim.optimizer import Group, Optimizer, check_loop, check_number


class SGD(Optimizer):
    """One step, for each parameter w with gradient g (-g with maximize):

        g <- g + weight_decay w
        b <- momentum b + (1 - dampening) g         (b = g at the first step)
        g <- g + momentum b  with nesterov,  b  without; as it is if momentum = 0
        w <- w - lr g

    params as in Optimizer; foreach, fused: accepted as torch's, without effect on the numbers.
    Raises ValueError for negative settings, and for nesterov without momentum or with dampening; TypeError for what
    are no numbers, NotImplementedError for differentiable.
    Source: Polyak 1964; Nesterov 1983, in the form of Sutskever et al. 2013; conventions: torch.optim.SGD.

    >>> import tinyrnn
    >>> w = tinyrnn.tensor([1.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> SGD([w], lr=0.1).step()
    >>> w
    tensor([0.8000], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_loop("SGD", differentiable)
        settings = {"lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay}
        super().__init__(params, {**settings, "nesterov": nesterov, "maximize": maximize})

    def check(self, group: Group) -> None:
        for what in ("lr", "momentum", "weight_decay"):
            check_number("SGD", what, group[what])
        check_number("SGD", "dampening", group["dampening"], low=-float("inf"))
        if group["nesterov"] and (group["momentum"] == 0 or group["dampening"] != 0):
            raise ValueError(
                f"SGD: nesterov with momentum {group['momentum']} and dampening {group['dampening']}, expected a "
                "momentum above 0 and no dampening"
            )

    def update(self, w: Array, g: Array, state: dict[str, Any], group: Group) -> None:
        momentum = group["momentum"]
        if group["weight_decay"]:
            g = g + group["weight_decay"] * w
        if momentum:
            b = state.get("momentum_buffer")
            if b is None:
                b = state["momentum_buffer"] = np.array(g)
            else:
                b *= momentum
                b += (1 - group["dampening"]) * g
            g = g + momentum * b if group["nesterov"] else b
        w -= group["lr"] * g
