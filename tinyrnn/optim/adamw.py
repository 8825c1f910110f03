"""AdamW: Adam with a weight decay that the gradients' size does not touch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tinyrnn.optim.adam import Adam
from tinyrnn.tensor import Tensor


class AdamW(Adam):
    """One step, the t-th, for each parameter w with gradient g (-g with maximize):

        w <- w - lr weight_decay w
        and then as Adam, without a weight decay of its own

    Arguments, state and what is raised as Adam's; weight_decay is 0.01 if it is not given.
    Source: Loshchilov and Hutter, Decoupled weight decay regularization, 2019; conventions: torch.optim.AdamW.

    >>> import tinyrnn
    >>> w = tinyrnn.tensor([1.0], requires_grad=True)
    >>> (1000 * w).sum().backward()
    >>> AdamW([w], lr=0.1, weight_decay=0.5).step()
    >>> w
    tensor([0.8500], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        loop: dict[str, Any] = {"maximize": maximize, "foreach": foreach, "capturable": capturable, "fused": fused}
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            differentiable=differentiable,
            decoupled_weight_decay=True,
            **loop,
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:  # whatever was loaded: torch's older AdamW does not say, Adam says no
            group["decoupled_weight_decay"] = True
