"""ReduceLROnPlateau: smaller rates when a loss has stopped falling."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import SupportsFloat

from tinyrnn.optim.lr_scheduler.scheduler import (
    LRScheduler,
    check_optimizer,
    check_real,
    per_group,
    warn_of_epoch,
)
from tinyrnn.optim.optimizer import Optimizer


class ReduceLROnPlateau(LRScheduler):
    """lr <- max(lr * factor, min_lr) when the metric was no better than its best for more than `patience` steps.

    mode            'min': less is better; 'max': more is
    threshold       how much better it has to be: by the part `threshold` of the best so far (threshold_mode 'rel'),
                    or by `threshold` itself ('abs')
    cooldown        the steps after a change that do not count
    min_lr          a number, or a list of one for each group
    eps             changes of a rate that are no larger are left out
    Raises TypeError or ValueError unless 0 <= factor < 1, for other modes, and for another number of min_lr.
    Source: torch.optim.lr_scheduler.ReduceLROnPlateau.

    >>> import tinyrnn
    >>> optimizer = tinyrnn.optim.SGD([tinyrnn.zeros(2, requires_grad=True)], lr=0.8)
    >>> scheduler = ReduceLROnPlateau(optimizer, factor=0.5, patience=1)
    >>> for loss in [1.0, 1.1, 1.2]:
    ...     scheduler.step(loss)
    ...     print(scheduler.get_last_lr())
    [0.8]
    [0.8]
    [0.4]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | Sequence[float] = 0,
        eps: float = 1e-8,
    ) -> None:
        name = "ReduceLROnPlateau"
        check_real(name, "factor", factor, 0)
        if factor >= 1:
            raise ValueError(f"{name}: factor is {factor}, expected factor < 1")
        for what, given, known in [("mode", mode, ("min", "max")), ("threshold_mode", threshold_mode, ("rel", "abs"))]:
            if given not in known:
                raise ValueError(f"{name}: {what} is {given!r}, expected {known[0]!r} or {known[1]!r}")
        for what, value in [("patience", patience), ("cooldown", cooldown), ("eps", eps)]:
            check_real(name, what, value, 0)
        check_real(name, "threshold", threshold, -math.inf)
        self.optimizer = check_optimizer(name, optimizer)
        self.min_lrs = per_group(name, "min_lr", min_lr, optimizer)
        self.default_min_lr = None if isinstance(min_lr, list | tuple) else min_lr
        self.mode = mode
        self.factor = factor
        self.patience = patience
        self.threshold = threshold
        self.threshold_mode = threshold_mode
        self.cooldown = cooldown
        self.eps = eps
        self.last_epoch = 0
        self.mode_worse = math.inf if mode == "min" else -math.inf
        self._last_lr = self._rates_now()
        self._reset()

    def _reset(self) -> None:
        self.best = self.mode_worse
        self.cooldown_counter = 0
        self.num_bad_epochs = 0

    @property
    def in_cooldown(self) -> bool:
        """Whether the steps do not count yet, after a change."""
        return self.cooldown_counter > 0

    def _is_better(self, a: float, best: float) -> bool:
        sign = 1 if self.mode == "max" else -1
        bound = best * (1 + sign * self.threshold) if self.threshold_mode == "rel" else best + sign * self.threshold
        return a > bound if self.mode == "max" else a < bound

    def step(self, metrics: SupportsFloat, epoch: int | None = None) -> None:  # type: ignore[override]
        """Hears the metric of one more epoch: a number, or a tensor of one."""
        current = float(metrics)
        if epoch is not None:
            warn_of_epoch("ReduceLROnPlateau")
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        better = self._is_better(current, self.best)
        self.best = current if better else self.best
        self.num_bad_epochs = 0 if better else self.num_bad_epochs + 1
        if self.in_cooldown:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce()
            self.cooldown_counter = self.cooldown
            self.num_bad_epochs = 0
        self._last_lr = self._rates_now()

    def _reduce(self) -> None:
        if len(self._groups) != len(self.min_lrs):  # a group has come since
            if self.default_min_lr is None:
                raise RuntimeError(
                    f"ReduceLROnPlateau: min_lr has {len(self.min_lrs)} entries, but the optimizer has "
                    f"{len(self._groups)} groups: add the new ones' to min_lrs"
                )
            self.min_lrs = [self.default_min_lr] * len(self._groups)
        for group, low in zip(self._groups, self.min_lrs, strict=True):
            lr = max(group["lr"] * self.factor, low)
            if group["lr"] - lr > self.eps:
                group["lr"] = lr
