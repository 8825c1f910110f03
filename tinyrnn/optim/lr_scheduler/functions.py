"""Rates that functions of the user's give: LambdaLR, MultiplicativeLR."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any

from tinyrnn.optim.lr_scheduler.scheduler import LRScheduler, Rates, check_optimizer, per_group
from tinyrnn.optim.optimizer import Optimizer

Function = Callable[[int], float]


class FunctionLR(LRScheduler):
    """What both share: a function for every group, or one for each.

    The state_dict has the attributes of functions that are objects of a class; functions themselves it leaves out:
    give the same ones again before load_state_dict.
    """

    def __init__(self, optimizer: Optimizer, lr_lambda: Function | Sequence[Function], last_epoch: int = -1) -> None:
        name = type(self).__name__
        self.lr_lambdas: list[Function] = per_group(name, "lr_lambda", lr_lambda, check_optimizer(name, optimizer))
        for function in self.lr_lambdas:
            if not callable(function):
                raise TypeError(f"{name}: lr_lambda is a {type(function).__name__}, expected a function of the epoch")
        super().__init__(optimizer, last_epoch)

    def _factors(self) -> list[float]:
        return [function(self.last_epoch) for function in self.lr_lambdas]

    def state_dict(self) -> dict[str, Any]:
        """As LRScheduler's, with the attributes of each function that is an object; None for a plain function."""
        return {**super().state_dict(), "lr_lambdas": [attributes(function) for function in self.lr_lambdas]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """As LRScheduler's; the functions that this scheduler was made with stay, and get their attributes back."""
        super().load_state_dict({**state_dict, "lr_lambdas": self.lr_lambdas})
        for function, saved in zip(self.lr_lambdas, state_dict["lr_lambdas"], strict=True):
            if saved is not None:
                vars(function).update(saved)


class LambdaLR(FunctionLR):
    """lr(t) = initial_lr * lr_lambda(t).

    lr_lambda: a function of the epoch, or a list of one for each group.
    Raises TypeError for what is no function, ValueError for another number of them, and as LRScheduler.
    Source: torch.optim.lr_scheduler.LambdaLR.

    >>> import tinyrnn
    >>> optimizer = tinyrnn.optim.SGD([tinyrnn.zeros(2, requires_grad=True)], lr=0.8)
    >>> scheduler = LambdaLR(optimizer, lambda epoch: 1 / (1 + epoch))
    >>> optimizer.step()
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.4]
    """

    def get_lr(self) -> Rates:
        """The initial rates times the functions at last_epoch."""
        self._check_call()
        return [lr * factor for lr, factor in zip(self.base_lrs, self._factors(), strict=True)]


class MultiplicativeLR(FunctionLR):
    """lr(t) = lr(t - 1) * lr_lambda(t), from the initial rates at t = 0.

    lr_lambda: a function of the epoch, or a list of one for each group.
    Raises TypeError for what is no function, ValueError for another number of them, and as LRScheduler.
    Source: torch.optim.lr_scheduler.MultiplicativeLR.
    """

    def get_lr(self) -> Rates:
        """The rates of now times the functions at last_epoch."""
        self._check_call()
        if self._is_initial:
            return self._rates_now()
        return [lr * factor for lr, factor in zip(self._rates_now(), self._factors(), strict=True)]


def attributes(function: Any) -> dict[str, Any] | None:
    """What a callable object holds; None for a function, and for what holds nothing."""
    if isinstance(function, FunctionType) or not hasattr(function, "__dict__"):
        return None
    return dict(vars(function))
