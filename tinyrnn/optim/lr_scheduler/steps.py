"""Rates that change at single epochs: StepLR, MultiStepLR, ConstantLR."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from tinyrnn.optim.lr_scheduler.scheduler import ScaledLR, check_real
from tinyrnn.optim.optimizer import Optimizer


class StepLR(ScaledLR):
    """lr(t) = initial_lr * gamma^(t // step_size): times gamma every step_size epochs.

    Raises TypeError or ValueError unless step_size > 0 and gamma >= 0, and as LRScheduler.
    Source: torch.optim.lr_scheduler.StepLR.

    >>> import tinyrnn
    >>> optimizer = tinyrnn.optim.SGD([tinyrnn.zeros(2, requires_grad=True)], lr=0.8)
    >>> scheduler = StepLR(optimizer, step_size=2, gamma=0.5)
    >>> for epoch in range(4):
    ...     optimizer.step()
    ...     scheduler.step()
    ...     print(optimizer.param_groups[0]["lr"])
    0.8
    0.4
    0.4
    0.2
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        check_real("StepLR", "step_size", step_size, 0, above=True)
        check_real("StepLR", "gamma", gamma, 0)
        self.step_size = step_size
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _factor(self, t: int) -> float:
        return self.gamma ** (t // self.step_size)

    def _ratio(self, t: int) -> float:
        return self.gamma if t and t % self.step_size == 0 else 1.0


class MultiStepLR(ScaledLR):
    """lr(t) = initial_lr * gamma^n, n the number of milestones up to t: times gamma at each of them.

    milestones: the epochs, in any order; one that is there n times counts n times.
    Raises TypeError or ValueError for milestones that are no numbers and unless gamma >= 0, and as LRScheduler.
    Source: torch.optim.lr_scheduler.MultiStepLR.
    """

    def __init__(
        self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        check_real("MultiStepLR", "gamma", gamma, 0)
        self.milestones = Counter(milestones)
        for i, milestone in enumerate(self.milestones):
            check_real("MultiStepLR", f"milestones[{i}]", milestone, 0)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _factor(self, t: int) -> float:
        return self.gamma ** sum(n for milestone, n in self.milestones.items() if milestone <= t)

    def _ratio(self, t: int) -> float:
        return self.gamma ** self.milestones.get(t, 0)


class ConstantLR(ScaledLR):
    """lr(t) = initial_lr * factor for t < total_iters, and initial_lr from then on.

    Raises TypeError or ValueError unless 0 <= factor <= 1, and as LRScheduler. With factor 0 the rates come back at
    total_iters as the initial ones, where torch divides by zero.
    Source: torch.optim.lr_scheduler.ConstantLR.
    """

    def __init__(self, optimizer: Optimizer, factor: float = 1 / 3, total_iters: int = 5, last_epoch: int = -1) -> None:
        check_real("ConstantLR", "factor", factor, 0, 1)
        check_real("ConstantLR", "total_iters", total_iters, 0)
        self.factor = factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def _factor(self, t: int) -> float:
        return self.factor if t < self.total_iters else 1.0

    def _ratio(self, t: int) -> float | None:
        if t == 0:
            return self.factor
        if t != self.total_iters:
            return 1.0
        return 1 / self.factor if self.factor else None
