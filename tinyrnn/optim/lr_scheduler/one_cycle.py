"""OneCycleLR: one rise to a large rate, and a long fall to a very small one; and momenta that move the other way."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tinyrnn.optim.lr_scheduler.scheduler import LRScheduler, Rates, check_optimizer, check_real, per_group
from tinyrnn.optim.optimizer import Optimizer
from tinyrnn.optim.settings import Group


class OneCycleLR(LRScheduler):
    """Rates from max_lr / div_factor up to max_lr, in the part pct_start of all steps, then down to `min_lr`.

        min_lr = max_lr / div_factor / final_div_factor
        three_phase: down to max_lr / div_factor in as many steps as up, and from there to min_lr
        anneal_strategy 'cos': along half a cosine;  'linear': on straight lines

    total_steps     or epochs and steps_per_epoch, of which it is the product
    cycle_momentum  the momentum (of Adam and its kin: beta1) moves the other way, from max_momentum to base_momentum
    max_lr, base_momentum, max_momentum: numbers, or lists of one for each group. To be stepped after every batch.
    Raises TypeError or ValueError for settings of other kinds and numbers, ValueError at the step after total_steps,
    and as LRScheduler. A phase of no steps, where torch divides by zero, is at its end.
    Source: Smith and Topin, Super-convergence, 2018, as fastai has it; conventions: torch's OneCycleLR.

    >>> import tinyrnn
    >>> optimizer = tinyrnn.optim.SGD([tinyrnn.zeros(2, requires_grad=True)], lr=0.1, momentum=0.9)
    >>> scheduler = OneCycleLR(optimizer, max_lr=1.0, total_steps=5, pct_start=0.4, anneal_strategy="linear")
    >>> for step in range(5):
    ...     print("%.4f %.4f" % (optimizer.param_groups[0]["lr"], optimizer.param_groups[0]["momentum"]))
    ...     optimizer.step()
    ...     scheduler.step()
    0.0400 0.9500
    1.0000 0.8500
    0.6667 0.8833
    0.3333 0.9167
    0.0000 0.9500
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | Sequence[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | Sequence[float] = 0.85,
        max_momentum: float | Sequence[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        self.optimizer = check_optimizer("OneCycleLR", optimizer)
        if total_steps is None and (epochs is None or steps_per_epoch is None):
            raise ValueError("OneCycleLR: got no total_steps, expected it, or epochs and steps_per_epoch")
        counts = {"epochs": epochs, "steps_per_epoch": steps_per_epoch}
        for what, count in (counts if total_steps is None else {"total_steps": total_steps}).items():
            check_real("OneCycleLR", what, count, 1)
            if not isinstance(count, int):
                raise ValueError(f"OneCycleLR: {what} is {count}, expected an integer")
        check_real("OneCycleLR", "pct_start", pct_start, 0, 1)
        for what, factor in [("div_factor", div_factor), ("final_div_factor", final_div_factor)]:
            check_real("OneCycleLR", what, factor, 0, above=True)
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"OneCycleLR: anneal_strategy is {anneal_strategy!r}, expected 'cos' or 'linear'")
        max_lrs = per_group("OneCycleLR", "max_lr", max_lr, optimizer)
        for lr in max_lrs:
            check_real("OneCycleLR", "max_lr", lr, 0)

        self.total_steps = total_steps or (epochs or 0) * (steps_per_epoch or 0)
        self._anneal_func_type = anneal_strategy
        self._schedule_phases = phases(self.total_steps, float(pct_start), three_phase)
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            begin_momentum("OneCycleLR", optimizer, base_momentum, max_momentum, last_epoch)
        if last_epoch == -1:
            for group, lr in zip(self._groups, max_lrs, strict=True):
                first = lr / div_factor
                group.update(initial_lr=first, max_lr=lr, min_lr=first / final_div_factor)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> Rates:
        """The rates at step last_epoch. Writes the momenta of that step."""
        self._check_call()
        t = self.last_epoch
        if t > self.total_steps:
            raise ValueError(f"OneCycleLR: this is step {t}, but total_steps is {self.total_steps}")
        start = 0.0
        for phase in self._schedule_phases[:-1]:
            if t <= phase["end_step"]:
                break
            start = phase["end_step"]
        else:
            phase = self._schedule_phases[-1]
        end = phase["end_step"]
        part = (t - start) / (end - start) if end != start else 1.0
        if self.cycle_momentum:
            for group in self._groups:
                ends = group[phase["start_momentum"]], group[phase["end_momentum"]]
                set_momentum(group, self._between(*ends, part))
        return [self._between(group[phase["start_lr"]], group[phase["end_lr"]], part) for group in self._groups]

    def _between(self, start: float, end: float, part: float) -> float:
        if self._anneal_func_type == "linear":
            return (end - start) * part + start
        return end + (start - end) / 2 * (1 + math.cos(math.pi * part))


def phases(total: int, part: float, three: bool) -> list[dict[str, Any]]:
    """The phases of one cycle: the step at which each ends, and the settings that it leads from and to."""
    keys = ("end_step", "start_lr", "end_lr", "start_momentum", "end_momentum")
    rise = (part * total - 1, "initial_lr", "max_lr", "max_momentum", "base_momentum")
    fall = (total - 1, "max_lr", "min_lr", "base_momentum", "max_momentum")
    back = (2 * part * total - 2, "max_lr", "initial_lr", "base_momentum", "max_momentum")
    tail = (total - 1, "initial_lr", "min_lr", "max_momentum", "max_momentum")
    return [dict(zip(keys, phase, strict=True)) for phase in ([rise, back, tail] if three else [rise, fall])]


def begin_momentum(
    name: str, optimizer: Optimizer, base: float | Sequence[float], high: float | Sequence[float], last_epoch: int
) -> tuple[list[float], list[float]]:
    """The bounds of the momenta for each group, which a fresh schedule writes into the groups.

    Raises ValueError for an optimizer that has no momentum, and for another number of bounds, TypeError for others.
    """
    if not {"momentum", "betas"} & set(optimizer.defaults):
        raise ValueError(
            f"{name}: {type(optimizer).__name__} has neither momentum nor betas, which cycle_momentum=True would "
            "change: say cycle_momentum=False"
        )
    bounds = {"base_momentum": base, "max_momentum": high}
    for what, given in bounds.items():
        for momentum in per_group(name, what, given, optimizer):
            check_real(name, what, momentum, 0)
    lows, highs = (per_group(name, what, given, optimizer) for what, given in bounds.items())
    if last_epoch == -1:
        for group, low, momentum in zip(optimizer.param_groups, lows, highs, strict=True):
            set_momentum(group, momentum)
            group.update(max_momentum=momentum, base_momentum=low)
    return lows, highs


def set_momentum(group: Group, momentum: float) -> None:
    """Writes the group's momentum: where it has betas, the first of them."""
    if "betas" in group:
        group["betas"] = (momentum, *group["betas"][1:])
    else:
        group["momentum"] = momentum
