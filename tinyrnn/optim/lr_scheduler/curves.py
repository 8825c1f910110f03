"""Rates that change a little at every epoch: LinearLR, ExponentialLR, PolynomialLR, CosineAnnealingLR."""

from __future__ import annotations

import math

from tinyrnn.optim.lr_scheduler.scheduler import LRScheduler, Rates, ScaledLR, check_real
from tinyrnn.optim.optimizer import Optimizer


class LinearLR(ScaledLR):
    """lr(t) = initial_lr * f(t), f on a straight line from start_factor at 0 to end_factor at total_iters, then level.

    Raises TypeError or ValueError unless 0 < start_factor <= 1 and 0 <= end_factor <= 1, and as LRScheduler.
    Source: torch.optim.lr_scheduler.LinearLR.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        check_real("LinearLR", "start_factor", start_factor, 0, 1, above=True)
        check_real("LinearLR", "end_factor", end_factor, 0, 1)
        check_real("LinearLR", "total_iters", total_iters, 0)
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def _factor(self, t: int) -> float:
        rise = self.end_factor - self.start_factor
        return self.start_factor + (rise * min(self.total_iters, t) / self.total_iters if self.total_iters else 0)

    def _ratio(self, t: int) -> float:
        if t == 0:
            return self.start_factor
        if self._is_initial or t > self.total_iters:
            return 1.0
        rise = self.end_factor - self.start_factor
        # No rounding takes it below zero: an optimizer refuses rates that are.
        return max(0.0, 1 + rise / (self.total_iters * self.start_factor + (t - 1) * rise))


class ExponentialLR(ScaledLR):
    """lr(t) = initial_lr * gamma^t.

    Raises TypeError or ValueError unless gamma >= 0, and as LRScheduler.
    Source: torch.optim.lr_scheduler.ExponentialLR.
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        check_real("ExponentialLR", "gamma", gamma, 0)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _factor(self, t: int) -> float:
        return self.gamma**t

    def _ratio(self, t: int) -> float:
        return 1.0 if self._is_initial else self.gamma


class PolynomialLR(ScaledLR):
    """lr(t) = initial_lr * (1 - t / total_iters)^power, and 0 from total_iters on.

    Raises TypeError or ValueError unless total_iters and power are numbers and >= 0, and as LRScheduler.
    Source: torch.optim.lr_scheduler.PolynomialLR.
    """

    def __init__(self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1) -> None:
        check_real("PolynomialLR", "total_iters", total_iters, 0)
        check_real("PolynomialLR", "power", power, 0)
        self.total_iters = total_iters
        self.power = power
        super().__init__(optimizer, last_epoch)

    def _factor(self, t: int) -> float:
        left = 1 - min(self.total_iters, t) / self.total_iters if self.total_iters else 1
        return float(left**self.power)

    def _ratio(self, t: int) -> float:
        if self._is_initial or t > self.total_iters:
            return 1.0
        left, before = (1 - s / self.total_iters for s in (t, t - 1))
        return float((left / before) ** self.power)


class CosineAnnealingLR(LRScheduler):
    """lr(t) = eta_min + (initial_lr - eta_min) (1 + cos(pi t / T_max)) / 2: down to eta_min at T_max, then up again.

    step() scales the distance of the rates of now from eta_min, so that what others do to them stays.
    Raises TypeError or ValueError unless T_max > 0 and eta_min is a number, and as LRScheduler.
    Source: Loshchilov and Hutter, SGDR, 2017, without restarts; conventions: torch.optim.lr_scheduler.
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        check_real("CosineAnnealingLR", "T_max", T_max, 0, above=True)
        check_real("CosineAnnealingLR", "eta_min", eta_min, -math.inf)
        self.T_max = T_max
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def _height(self, t: int) -> float:
        return 1 + math.cos(math.pi * t / self.T_max)

    def get_lr(self) -> Rates:
        """The rates of now, their distances from eta_min scaled as the cosine goes from the last epoch to this one."""
        self._check_call()
        t, low = self.last_epoch, self.eta_min
        if self._is_initial:
            return self._rates_now()
        if (t - 1 - self.T_max) % (2 * self.T_max) == 0:  # from the bottom, where there is no distance to scale
            rise = (1 - math.cos(math.pi / self.T_max)) / 2
            return [lr + (base - low) * rise for lr, base in zip(self._rates_now(), self.base_lrs, strict=True)]
        ratio = self._height(t) / self._height(t - 1)
        return [ratio * (lr - low) + low for lr in self._rates_now()]

    def _get_closed_form_lr(self) -> Rates:
        low = self.eta_min
        return [low + (base - low) * self._height(self.last_epoch) / 2 for base in self.base_lrs]
