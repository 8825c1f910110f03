"""SGD: gradient descent, with momentum."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from tinyrnn.autograd.graph import Array, make
from tinyrnn.optim.optimizer import Optimizer
from tinyrnn.optim.settings import Group, check_loop, check_number, check_numbers
from tinyrnn.tensor import Tensor


class SGD(Optimizer):
    """One step, for each parameter w with gradient g (-g with maximize):

        g <- g + weight_decay w
        b <- momentum b + (1 - dampening) g         (b = g at the first step)
        g <- g + momentum b  with nesterov,  b  without; as it is if momentum = 0
        w <- w - lr g

    params as in Optimizer; foreach, fused: accepted as torch's, without effect on the numbers.
    state: momentum_buffer, b.
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
        lr: float | Tensor = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float | Tensor = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        settings = {"lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay}
        loop = {"maximize": maximize, "foreach": foreach, "differentiable": differentiable, "fused": fused}
        super().__init__(params, {**settings, "nesterov": nesterov, **loop})

    def check_group(self, group: Group) -> None:
        name = type(self).__name__
        check_loop(name, group)
        check_numbers(name, group, "lr", "momentum", "weight_decay")
        check_number(name, "dampening", group["dampening"], low=-float("inf"))
        if group["nesterov"] and (group["momentum"] == 0 or group["dampening"] != 0):
            raise ValueError(
                f"{name}: nesterov with momentum {group['momentum']} and dampening {group['dampening']}, expected a "
                "momentum above 0 and no dampening"
            )

    def first_state(self, w: Array, group: Group) -> dict[str, Any]:
        """No b so far, or no need of any."""
        return {"momentum_buffer": None} if group["momentum"] else {}

    def numbers(self, group: Group, t: int) -> Sequence[float]:
        """-lr, momentum, 1 - dampening."""
        return -float(group["lr"]), float(group["momentum"]), 1 - float(group["dampening"])

    def update(self, w: Array, g: Array, state: dict[str, Any], group: Group, numbers: Sequence[Array]) -> None:
        """The equations above, for one parameter."""
        size, momentum, weight = numbers
        if group["momentum"]:
            if state["momentum_buffer"] is None:
                b = np.array(g)
                state["momentum_buffer"] = make(Tensor, b)
            else:
                b = state["momentum_buffer"].array
                b *= momentum
                b += weight * g if group["dampening"] else g
            g = g + momentum * b if group["nesterov"] else b
        w += size * g
