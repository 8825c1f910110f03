"""Schedulers made of others: one after another (SequentialLR), or all at once (ChainedScheduler)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from tinyrnn.optim.lr_scheduler.loading import check_mapping
from tinyrnn.optim.lr_scheduler.plateau import ReduceLROnPlateau
from tinyrnn.optim.lr_scheduler.scheduler import LRScheduler, check_real
from tinyrnn.optim.optimizer import Optimizer


class CombinedLR(LRScheduler):
    """What both share: schedulers of one optimizer, and their states as one."""

    def _hold(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None) -> None:
        name = type(self).__name__
        if not schedulers:
            raise ValueError(f"{name}: got no schedulers, expected at least one")
        for i, scheduler in enumerate(schedulers):
            if not hasattr(scheduler, "optimizer"):
                raise TypeError(f"{name}: schedulers[{i}] is a {type(scheduler).__name__}, expected a scheduler")
            if isinstance(scheduler, ReduceLROnPlateau):
                raise ValueError(
                    f"{name}: schedulers[{i}] is a ReduceLROnPlateau, whose step() needs a metric: step it by itself"
                )
            if scheduler.optimizer is not (optimizer or schedulers[0].optimizer):
                raise ValueError(f"{name}: schedulers[{i}] has another optimizer, expected one and the same for all")
        self.optimizer = schedulers[0].optimizer
        self._schedulers = list(schedulers)

    def state_dict(self) -> dict[str, Any]:
        """As LRScheduler's, with the states of the schedulers under "_schedulers"."""
        return {**super().state_dict(), "_schedulers": [scheduler.state_dict() for scheduler in self._schedulers]}

    def _changes(self, state_dict: dict[str, Any]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        check_mapping(type(self).__name__, state_dict)
        name = f"{type(self).__name__}: load_state_dict"
        saved = state_dict.get("_schedulers", [])
        if not isinstance(saved, list | tuple) or len(saved) != len(self._schedulers):
            count = len(saved) if isinstance(saved, list | tuple) else f"{saved!r} as"
            raise ValueError(f"{name}: got the states of {count} schedulers, expected {len(self._schedulers)}")
        changes = super()._changes({**state_dict, "_schedulers": self._schedulers})
        for scheduler, state in zip(self._schedulers, saved, strict=True):
            changes += scheduler._changes(state)
        return changes


class SequentialLR(CombinedLR):
    """The schedulers one after another: schedulers[i] until epoch milestones[i], where schedulers[i + 1] begins.

    schedulers: made for the optimizer, in their order; milestones: one fewer, in ascending order.
    Each begins from the rates that its closed form has at 0; one without a closed form goes on from the rates of now.
    Raises ValueError for none, for another number of milestones or a wrong order of them, for ReduceLROnPlateau and
    for schedulers of another optimizer, TypeError for what is no scheduler.
    Source: torch.optim.lr_scheduler.SequentialLR.

    >>> import tinyrnn
    >>> from tinyrnn.optim.lr_scheduler import ConstantLR, ExponentialLR
    >>> optimizer = tinyrnn.optim.SGD([tinyrnn.zeros(2, requires_grad=True)], lr=0.8)
    >>> parts = [ConstantLR(optimizer, factor=0.25), ExponentialLR(optimizer, gamma=0.5)]
    >>> scheduler = SequentialLR(optimizer, parts, milestones=[2])
    >>> for epoch in range(4):
    ...     print(scheduler.get_last_lr())
    ...     optimizer.step()
    ...     scheduler.step()
    [0.2]
    [0.2]
    [0.8]
    [0.4]
    """

    def __init__(
        self, optimizer: Optimizer, schedulers: Sequence[LRScheduler], milestones: Sequence[int], last_epoch: int = -1
    ) -> None:
        self._hold(schedulers, optimizer)
        if len(milestones) != len(schedulers) - 1 or list(milestones) != sorted(milestones):
            raise ValueError(
                f"SequentialLR: milestones is {milestones}, expected {len(schedulers) - 1} of them in ascending order, "
                f"one between each two of {len(schedulers)} schedulers"
            )
        for i, milestone in enumerate(milestones):
            check_real("SequentialLR", f"milestones[{i}]", milestone, 0)
        self._milestones = list(milestones)
        self.last_epoch = last_epoch + 1
        # Each scheduler made its first step when it was made. Here only the first of them is to have made one.
        for group in self._groups:
            group["lr"] = group["initial_lr"]
        undo(self)
        first = self._schedulers[bisect_right(self._milestones, 0)]
        first._initial_step()
        self._last_lr = first.get_last_lr()

    def step(self) -> None:  # type: ignore[override]
        """Goes on by one epoch: steps the scheduler whose turn it is."""
        self.last_epoch += 1
        i = bisect_right(self._milestones, self.last_epoch)
        scheduler = self._schedulers[i]
        if i and self._milestones[i - 1] == self.last_epoch:
            scheduler._update_lr(0)
        else:
            scheduler.step()
        self._last_lr = scheduler.get_last_lr()

    def _update_lr(self, epoch: int | None = None) -> None:
        # Only another SequentialLR calls this, where the turn comes to this one: epoch is 0.
        self.last_epoch = 0
        first = self._schedulers[bisect_right(self._milestones, 0)]
        first._update_lr(0)
        self._last_lr = first.get_last_lr()


class ChainedScheduler(CombinedLR):
    """All the schedulers at every step, each from the rates that the one before left.

    Raises ValueError for none, for ReduceLROnPlateau and for schedulers of different optimizers, TypeError for what
    is no scheduler.
    Source: torch.optim.lr_scheduler.ChainedScheduler.
    """

    def __init__(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None) -> None:
        self._hold(schedulers, optimizer)
        self._last_lr = self._rates_now()

    def step(self) -> None:  # type: ignore[override]
        """Goes on by one epoch, with each scheduler in turn."""
        for scheduler in self._schedulers:
            scheduler.step()
        self._last_lr = self._rates_now()

    def _update_lr(self, epoch: int | None = None) -> None:
        # Only a SequentialLR calls this, where the turn comes to this one: epoch is 0.
        for scheduler in self._schedulers:
            scheduler._update_lr(epoch)
        self._last_lr = self._rates_now()


def undo(scheduler: LRScheduler) -> None:
    """Takes back the epoch that schedulers counted when they were made: those in a combined one, or this one."""
    if isinstance(scheduler, CombinedLR):
        for part in scheduler._schedulers:
            undo(part)
    else:
        scheduler.last_epoch -= 1
