"""LRScheduler: what all schedulers share. Each subclass says its rates, in `get_lr`."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from tinyrnn.autograd.interrupts import held
from tinyrnn.optim.lr_scheduler.loading import check_mapping, check_saved
from tinyrnn.optim.optimizer import Optimizer
from tinyrnn.optim.settings import Group

Rates = list[float]  # one for each group of the optimizer


class LRScheduler:
    """Writes the learning rates of an optimizer's groups: once when it is made, and then at every step().

    optimizer   whose groups get the rates; each keeps the rate that it started from as "initial_lr"
    last_epoch  -1 to begin; to go on with groups that have an "initial_lr", the number of the last step done
    base_lrs    the groups' initial rates
    A schedule of your own says in get_lr() the rates at self.last_epoch, from self.base_lrs, or from the rates that
    the groups have now: then it composes with other schedulers, and with rates changed by hand.
    Raises TypeError for what is no optimizer, KeyError where last_epoch is given and a group has no "initial_lr".
    Source: torch.optim.lr_scheduler.LRScheduler.

    >>> import tinyrnn
    >>> class Halving(LRScheduler):
    ...     def get_lr(self):
    ...         return [lr / 2**self.last_epoch for lr in self.base_lrs]
    >>> optimizer = tinyrnn.optim.SGD([tinyrnn.zeros(2, requires_grad=True)], lr=0.8)
    >>> scheduler = Halving(optimizer)
    >>> for epoch in range(3):
    ...     optimizer.step()
    ...     scheduler.step()
    ...     print(scheduler.get_last_lr())
    [0.4]
    [0.2]
    [0.1]
    """

    _get_lr_called_within_step = False
    _is_initial = False  # within the step that __init__ makes

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        self.optimizer = check_optimizer(type(self).__name__, optimizer)
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise KeyError(
                    f"{type(self).__name__}: last_epoch is {last_epoch}, but group {i} has no 'initial_lr': load the "
                    "optimizer's state_dict first, or begin with last_epoch -1"
                )
        self.base_lrs: Rates = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._initial_step()

    def _initial_step(self) -> None:
        self._step_count = 0
        self._is_initial = True
        try:
            self.step()
        finally:
            self._is_initial = False

    def get_lr(self) -> Rates:
        """The rates at last_epoch, one for each group. For step() to call; get_last_lr() is for everybody else."""
        raise NotImplementedError(f"{type(self).__name__} has no get_lr()")

    def get_last_lr(self) -> Rates:
        """The rates that the last step wrote, one for each group."""
        return self._last_lr

    def step(self, epoch: int | None = None) -> None:
        """Goes on by one epoch, or to the epoch that is given: then with the closed form, where a schedule has one.

        Warns where the optimizer has made no step so far, since its first rate would never be used, and of epoch,
        which is deprecated, as torch does.
        """
        if self._step_count == 1 and not self.optimizer._opt_called:
            warnings.warn(
                f"{type(self).__name__}: step() comes before the first step of the optimizer, so that the first "
                "learning rate is never used: call optimizer.step() first",
                stacklevel=2,
            )
        self._step_count += 1
        if epoch is not None:
            warn_of_epoch(type(self).__name__)
        self._update_lr(epoch)

    def _update_lr(self, epoch: int | None = None) -> None:
        closed = None if epoch is None else getattr(self, "_get_closed_form_lr", None)
        before, self.last_epoch = self.last_epoch, self.last_epoch + 1 if epoch is None else epoch
        self._get_lr_called_within_step = True
        try:
            rates = (closed or self.get_lr)()
        except BaseException:
            self.last_epoch = before
            raise
        finally:
            self._get_lr_called_within_step = False
        self._write(rates)

    def _write(self, rates: Rates) -> None:
        for group, lr in zip(self._groups, rates, strict=True):
            group["lr"] = lr
        self._last_lr = list(rates)

    @property
    def _groups(self) -> list[Group]:
        return self.optimizer.param_groups

    def _rates_now(self) -> Rates:
        return [group["lr"] for group in self._groups]

    def _check_call(self) -> None:
        """Warns whoever calls get_lr() outside of step(): it gives the rates to come, or scales them once more."""
        if not self._get_lr_called_within_step:
            warnings.warn(
                f"{type(self).__name__}: get_lr() is for step() to call: get_last_lr() gives the rates in use",
                stacklevel=3,
            )

    def state_dict(self) -> dict[str, Any]:
        """What it takes to go on later: all attributes but the optimizer, whose state_dict is its own."""
        return {key: value for key, value in vars(self).items() if key != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes on from what state_dict() gave. The rates themselves come with the optimizer's state_dict.

        Raises ValueError or TypeError, before anything is changed, for what another kind of scheduler gave, or one of
        an optimizer with other groups, and for what is of another kind or no number where one is expected.
        """
        changes = self._changes(state_dict)
        with held():
            for attributes, saved in changes:
                attributes.update(saved)

    def _changes(self, state_dict: dict[str, Any]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """[(attributes, what is to be written into them)]: of this scheduler, and of what it holds."""
        check_mapping(type(self).__name__, state_dict)
        own = {key: vars(self).get(key, value) for key, value in self.state_dict().items()}
        check_saved(type(self).__name__, own, state_dict, type(self))
        return [(vars(self), dict(state_dict))]


class ScaledLR(LRScheduler):
    """Rates that are a factor f(t) times the initial ones: a subclass says f, and its ratio f(t) / f(t - 1).

    step() multiplies the rates of now by the ratio, so that what others do to them stays; step(epoch) computes anew.
    """

    def _factor(self, t: int) -> float:
        """f(t)."""
        raise NotImplementedError

    def _ratio(self, t: int) -> float | None:
        """f(t) / f(t - 1): 1 where nothing changes; at t = 0, f(0). None where f(t - 1) = 0 and f(t) is not."""
        raise NotImplementedError

    def get_lr(self) -> Rates:
        """The rates of now times the ratio at last_epoch."""
        self._check_call()
        ratio = self._ratio(self.last_epoch)
        if ratio is None:
            return self._get_closed_form_lr()
        return [lr * ratio for lr in self._rates_now()]

    def _get_closed_form_lr(self) -> Rates:
        factor = self._factor(self.last_epoch)
        return [lr * factor for lr in self.base_lrs]


def warn_of_epoch(name: str) -> None:
    """The warning of step(epoch), which torch deprecates."""
    warnings.warn(f"{name}: step(epoch) is deprecated: call step() once an epoch, without a number", stacklevel=3)


def check_optimizer(name: str, optimizer: Any) -> Optimizer:
    """Raises TypeError unless it is an optimizer."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{name}: got a {type(optimizer).__name__}, expected an optimizer")
    return optimizer


def check_real(name: str, what: str, value: Any, low: float, high: float = math.inf, above: bool = False) -> None:
    """Raises TypeError or ValueError unless low <= value <= high; with `above`, low < value."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        raise TypeError(f"{name}: {what} is {value!r}, expected a number")
    if not low <= value <= high or (above and value == low):
        upper = f" <= {high}" if high < math.inf else ""
        raise ValueError(f"{name}: {what} is {value}, expected {low} {'<' if above else '<='} {what}{upper}")


def per_group(name: str, what: str, value: Any, optimizer: Optimizer) -> list[Any]:
    """`value` for every group: a list or tuple has one for each. Raises ValueError for another number of them."""
    n = len(optimizer.param_groups)
    values = list(value) if isinstance(value, list | tuple) else [value] * n
    if len(values) != n:
        raise ValueError(f"{name}: {what} has {len(values)} entries, but the optimizer has {n} groups")
    return values
