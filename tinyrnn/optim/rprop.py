"""Rprop: steps that grow while the gradient's sign stays and shrink when it changes; its size does not count."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from tinyrnn.autograd.graph import Array, make
from tinyrnn.optim.moments import zeros
from tinyrnn.optim.optimizer import Optimizer
from tinyrnn.optim.settings import Group, check_loop, check_numbers, check_pair
from tinyrnn.tensor import Tensor


class Rprop(Optimizer):
    """One step, for each element of a parameter w with gradient g (-g with maximize), g' being the one before:

        d <- eta_plus d  if g g' > 0,   eta_minus d  if g g' < 0,   d  if g g' = 0;   then into the bounds step_sizes
        g <- 0  if g g' < 0, so that the step after a change of sign is not counted as another
        w <- w - d sign(g)

    At first g' = 0 and d = lr. etas = (eta_minus, eta_plus).
    params as in Optimizer; foreach, capturable: accepted as torch's, without effect on the numbers.
    state: step; prev, g'; step_size, d.
    Raises ValueError for a negative lr, for etas without 0 < eta_minus < 1 < eta_plus, for step_sizes in the wrong
    order; TypeError for what are no numbers, NotImplementedError for differentiable.
    Source: Riedmiller and Braun 1993, without weight-backtracking; conventions: torch.optim.Rprop.

    >>> import tinyrnn
    >>> w = tinyrnn.tensor([1.0], requires_grad=True)
    >>> (1000 * w).sum().backward()
    >>> optimizer = Rprop([w], lr=0.1)
    >>> optimizer.step()
    >>> optimizer.step()
    >>> w
    tensor([0.7800], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        settings = {"lr": lr, "etas": etas, "step_sizes": step_sizes}
        loop = {"foreach": foreach, "maximize": maximize, "differentiable": differentiable, "capturable": capturable}
        super().__init__(params, {**settings, **loop})

    def check_group(self, group: Group) -> None:
        name = type(self).__name__
        check_loop(name, group)
        check_numbers(name, group, "lr")
        minus, plus = check_pair(name, group, "etas")
        if not 0 < minus < 1 < plus:
            raise ValueError(f"{name}: etas is {group['etas']!r}, expected 0 < etas[0] < 1 < etas[1]")
        low, high = check_pair(name, group, "step_sizes")
        if not low <= high:
            raise ValueError(f"{name}: step_sizes is {group['step_sizes']!r}, expected the smallest, then the largest")

    def first_state(self, w: Array, group: Group) -> dict[str, Any]:
        """g' = 0, d = lr."""
        return {"step": 0, "prev": zeros(w), "step_size": make(Tensor, np.full_like(w, float(group["lr"])))}

    def numbers(self, group: Group, t: int) -> Sequence[float]:
        """eta_minus, eta_plus, the smallest and the largest step."""
        return *map(float, group["etas"]), *map(float, group["step_sizes"])

    def update(self, w: Array, g: Array, state: dict[str, Any], group: Group, numbers: Sequence[Array]) -> None:
        """The equations above, for one parameter."""
        minus, plus, low, high = numbers
        before, d = state["prev"].array, state["step_size"].array
        product = np.asarray(g * before)
        changed = product < 0
        factor = np.ones_like(w)
        np.copyto(factor, plus, where=product > 0)
        np.copyto(factor, minus, where=changed)
        d *= factor
        np.clip(d, low, high, out=d)
        np.copyto(before, g)
        np.copyto(before, 0, where=changed)
        np.sign(before, out=factor)
        factor *= d
        w -= factor
