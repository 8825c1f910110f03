"""NAdam: Adam with Nesterov's momentum."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from tinyrnn.autograd.graph import Array, make
from tinyrnn.dtypes import float32, float64, get_default_dtype
from tinyrnn.optim.moments import approach, decay_square, zeros
from tinyrnn.optim.optimizer import Optimizer
from tinyrnn.optim.settings import Group, check_betas, check_loop, check_numbers
from tinyrnn.tensor import Tensor


class NAdam(Optimizer):
    """One step, the t-th, for each parameter w with gradient g (-g with maximize):

        g <- g + weight_decay w                       (with decoupled_weight_decay, w <- w - lr weight_decay w instead)
        m <- beta1 m + (1 - beta1) g
        v <- beta2 v + (1 - beta2) g^2
        mu_t = beta1 (1 - 0.96^(t momentum_decay) / 2),    p_t = mu_1 mu_2 ... mu_t
        w <- w - lr  ((1 - mu_t) g / (1 - p_t)  +  mu_(t+1) m / (1 - p_(t+1)))  /  (sqrt(v / (1 - beta2^t)) + eps)

    params as in Optimizer; foreach, capturable: accepted as torch's, without effect on the numbers.
    state: step, t; exp_avg, m; exp_avg_sq, v; mu_product, p, which is float32 unless the default dtype is float64.
    Raises ValueError for negative settings and for betas outside [0, 1), TypeError for what are no numbers,
    NotImplementedError for differentiable.
    Source: Dozat, Incorporating Nesterov momentum into Adam, 2016; conventions: torch.optim.NAdam.

    >>> import tinyrnn
    >>> w = tinyrnn.tensor([1.0], requires_grad=True)
    >>> (1000 * w).sum().backward()
    >>> NAdam([w], lr=0.1).step()
    >>> w
    tensor([0.8944], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        settings = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        decay = {"momentum_decay": momentum_decay, "decoupled_weight_decay": decoupled_weight_decay}
        loop = {"maximize": maximize, "foreach": foreach, "capturable": capturable, "differentiable": differentiable}
        super().__init__(params, {**settings, **decay, **loop})

    def check_group(self, group: Group) -> None:
        name = type(self).__name__
        check_loop(name, group)
        check_numbers(name, group, "lr", "eps", "weight_decay", "momentum_decay")
        check_betas(name, group)

    def first_state(self, w: Array, group: Group) -> dict[str, Any]:
        """t, m and v, all 0, and p = 1."""
        product = np.ones((), float64 if get_default_dtype() == float64 else float32)
        return {"step": 0, "mu_product": make(Tensor, product), "exp_avg": zeros(w), "exp_avg_sq": zeros(w)}

    def numbers(self, group: Group, t: int) -> Sequence[float]:
        """1 - beta1, beta2, 1 - beta2, 1 - beta2^t, eps, -lr, mu_t, mu_(t+1)."""
        (beta1, beta2), decay = map(float, group["betas"]), float(group["momentum_decay"])
        mu, mu_next = (beta1 * (1 - 0.5 * math.pow(0.96, k * decay)) for k in (t, t + 1))
        return 1 - beta1, beta2, 1 - beta2, 1 - beta2**t, float(group["eps"]), -float(group["lr"]), mu, mu_next

    def update(self, w: Array, g: Array, state: dict[str, Any], group: Group, numbers: Sequence[Array]) -> None:
        """The equations above, for one parameter."""
        weight1, keep2, weight2, correction, eps = numbers[:5]
        size, mu, mu_next = (number.item() for number in numbers[5:])
        m, v, product = state["exp_avg"].array, state["exp_avg_sq"].array, state["mu_product"].array
        product *= mu
        p = product.item()

        s = approach(m, g, weight1)
        decay_square(v, g, keep2, weight2, out=s)
        np.divide(v, correction, out=s)
        np.sqrt(s, out=s)
        s += eps
        for part, weight in ((g, (1 - mu) / (1 - p)), (m, mu_next / (1 - p * mu_next))):
            r = np.asarray(part * (size * weight))
            r /= s
            w += r
