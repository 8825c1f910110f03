"""Rates that come back again and again: CyclicLR, CosineAnnealingWarmRestarts."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from tinyrnn.optim.lr_scheduler.functions import attributes, attributes_of
from tinyrnn.optim.lr_scheduler.loading import check_mapping
from tinyrnn.optim.lr_scheduler.one_cycle import begin_momentum, set_momentum
from tinyrnn.optim.lr_scheduler.scheduler import LRScheduler, Rates, check_optimizer, check_real, per_group
from tinyrnn.optim.optimizer import Optimizer


class CyclicLR(LRScheduler):
    """Rates that rise from base_lr to max_lr in step_size_up steps, and fall in step_size_down, again and again.

        lr(t) = base_lr + (max_lr - base_lr) h(t) s,     h a triangle between 0 and 1
        mode 'triangular': s = 1;  'triangular2': s = 1 / 2^(cycle - 1), cycle = 1, 2, ...;  'exp_range': s = gamma^t

    step_size_down  None: the same as step_size_up
    scale_fn        in place of a mode: s = scale_fn(cycle), or, with scale_mode 'iterations', scale_fn(t)
    cycle_momentum  the momentum (of Adam and its kin: beta1) moves the other way, from max_momentum to base_momentum
    base_lr, max_lr, base_momentum, max_momentum: numbers, or lists of one for each group.
    To be stepped after every batch. What it needs of scale_fn goes into the state_dict as LambdaLR's functions do.
    Raises TypeError or ValueError for settings of other kinds and numbers, and as LRScheduler.
    Source: Smith, Cyclical learning rates for training neural networks, 2017; conventions: torch's CyclicLR.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | Sequence[float],
        max_lr: float | Sequence[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float | Sequence[float] = 0.8,
        max_momentum: float | Sequence[float] = 0.9,
        last_epoch: int = -1,
    ) -> None:
        self.optimizer = check_optimizer("CyclicLR", optimizer)
        base_lrs = per_group("CyclicLR", "base_lr", base_lr, optimizer)
        self.max_lrs = per_group("CyclicLR", "max_lr", max_lr, optimizer)
        for what, rates in [("base_lr", base_lrs), ("max_lr", self.max_lrs)]:
            for rate in rates:
                check_real("CyclicLR", what, rate, 0)
        check_real("CyclicLR", "step_size_up", step_size_up, 0, above=True)
        down = step_size_up if step_size_down is None else step_size_down
        check_real("CyclicLR", "step_size_down", down, 0)
        check_real("CyclicLR", "gamma", gamma, 0)
        if scale_fn is None and mode not in ("triangular", "triangular2", "exp_range"):
            raise ValueError(f"CyclicLR: mode is {mode!r}, expected 'triangular', 'triangular2' or 'exp_range'")
        if scale_fn is not None and not callable(scale_fn):
            raise TypeError(f"CyclicLR: scale_fn is a {type(scale_fn).__name__}, expected a function")
        if scale_mode not in ("cycle", "iterations"):
            raise ValueError(f"CyclicLR: scale_mode is {scale_mode!r}, expected 'cycle' or 'iterations'")
        self.total_size = float(step_size_up + down)
        self.step_ratio = step_size_up / self.total_size
        self.mode = mode
        self.gamma = gamma
        self._scale_fn_custom = scale_fn
        by_mode = "iterations" if mode == "exp_range" else "cycle"
        self.scale_mode = by_mode if scale_fn is None else scale_mode
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            momenta = begin_momentum("CyclicLR", optimizer, base_momentum, max_momentum, last_epoch)
            self.base_momentums, self.max_momentums = momenta
        if last_epoch == -1:
            for group, lr in zip(self._groups, base_lrs, strict=True):
                group["lr"] = lr
        super().__init__(optimizer, last_epoch)
        self.base_lrs = base_lrs

    def scale_fn(self, x: float) -> float:
        """s, given the cycle or the step."""
        if self._scale_fn_custom is not None:
            return self._scale_fn_custom(x)
        if self.mode == "exp_range":
            return float(self.gamma**x)
        return float(0.5 ** (x - 1)) if self.mode == "triangular2" else 1.0

    def get_lr(self) -> Rates:
        """The rates at step last_epoch. Writes the momenta of that step."""
        self._check_call()
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        x = 1 + self.last_epoch / self.total_size - cycle  # which part of the cycle is done
        height = x / self.step_ratio if x <= self.step_ratio else (x - 1) / (self.step_ratio - 1)
        s = self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            for group, low, high in zip(self._groups, self.base_momentums, self.max_momentums, strict=True):
                set_momentum(group, high - (high - low) * height * s)
        return [low + (high - low) * height * s for low, high in zip(self.base_lrs, self.max_lrs, strict=True)]

    def state_dict(self) -> dict[str, Any]:
        """As LRScheduler's, with the attributes of a scale_fn that is an object; None for a plain function."""
        return {**super().state_dict(), "_scale_fn_custom": attributes(self._scale_fn_custom)}

    def _changes(self, state_dict: dict[str, Any]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        check_mapping(type(self).__name__, state_dict)
        # The scale_fn that this scheduler was made with stays, and gets its attributes back.
        changes = super()._changes({**state_dict, "_scale_fn_custom": self._scale_fn_custom})
        saved = [state_dict.get("_scale_fn_custom")]
        return changes + attributes_of("CyclicLR", "scale_fn", [self._scale_fn_custom], saved)


class CosineAnnealingWarmRestarts(LRScheduler):
    """lr = eta_min + (initial_lr - eta_min) (1 + cos(pi T_cur / T_i)) / 2, from initial_lr anew after T_i epochs.

    T_cur counts the epochs since the last restart; the first period T_i is T_0, each next one T_mult times as long.
    step(epoch) may be given parts of epochs, as in `scheduler.step(epoch + i / batches)`.
    Raises TypeError or ValueError unless T_0 and T_mult are integers > 0 and eta_min is a number, ValueError for a
    negative epoch, and as LRScheduler. Differs from torch in step(epoch) at those restarts that torch misses by
    the rounding of a logarithm, as with T_mult 3 at epoch 121 T_0.
    Source: Loshchilov and Hutter, SGDR, 2017; conventions: torch.optim.lr_scheduler.CosineAnnealingWarmRestarts.
    """

    def __init__(
        self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        for what, value in [("T_0", T_0), ("T_mult", T_mult)]:
            check_real("CosineAnnealingWarmRestarts", what, value, 1)
            if not isinstance(value, int):
                raise ValueError(f"CosineAnnealingWarmRestarts: {what} is {value}, expected an integer")
        check_real("CosineAnnealingWarmRestarts", "eta_min", eta_min, -math.inf)
        self.T_0 = T_0
        self.T_i = T_0
        self.T_mult = T_mult
        self.eta_min = eta_min
        self.T_cur: float = last_epoch
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> Rates:
        """The rates at T_cur."""
        self._check_call()
        height = 1 + math.cos(math.pi * self.T_cur / self.T_i)
        return [self.eta_min + (base - self.eta_min) * height / 2 for base in self.base_lrs]

    def step(self, epoch: float | None = None) -> None:
        """Goes on by one epoch, or to the epoch that is given, which may be a part of one."""
        if epoch is None and self.last_epoch < 0:
            epoch = 0
        if epoch is None:
            self.last_epoch += 1
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur %= self.T_i
                self.T_i *= self.T_mult
        else:
            if epoch < 0:
                raise ValueError(f"CosineAnnealingWarmRestarts: step: epoch is {epoch}, expected epoch >= 0")
            self.last_epoch = math.floor(epoch)
            self.T_cur, self.T_i = epoch, self.T_0
            if self.T_mult == 1:
                self.T_cur = epoch % self.T_0
            while self.T_cur >= self.T_i:
                self.T_cur -= self.T_i
                self.T_i *= self.T_mult
        self._get_lr_called_within_step = True
        try:
            self._write(self.get_lr())
        finally:
            self._get_lr_called_within_step = False
