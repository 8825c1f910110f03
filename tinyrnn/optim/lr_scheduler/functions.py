"""Rates that functions of the user's give: LambdaLR, MultiplicativeLR."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any

from tinyrnn.optim.lr_scheduler.loading import check_mapping
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

    def _changes(self, state_dict: dict[str, Any]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        check_mapping(type(self).__name__, state_dict)
        # The functions that this scheduler was made with stay, and get their attributes back.
        changes = super()._changes({**state_dict, "lr_lambdas": self.lr_lambdas})
        return changes + attributes_of(type(self).__name__, "lr_lambdas", self.lr_lambdas, state_dict.get("lr_lambdas"))


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


def attributes_of(
    name: str, what: str, functions: list[Any], saved: Any
) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """[(the attributes of each function, those that were saved)], of the functions that have any."""
    if not isinstance(saved, list | tuple) or len(saved) != len(functions):
        raise ValueError(f"{name}: load_state_dict: {what} is {saved!r}, expected a list of {len(functions)}")
    changes = []
    for k, (function, entries) in enumerate(zip(functions, saved, strict=True)):
        if entries is not None:
            if not isinstance(entries, dict) or attributes(function) is None:
                raise TypeError(
                    f"{name}: load_state_dict: {what}[{k}] is {entries!r}, expected the attributes of {function!r}"
                )
            changes.append((vars(function), entries))
    return changes


def attributes(function: Any) -> dict[str, Any] | None:
    """What a callable object holds; None for a function, and for what holds nothing."""
    if isinstance(function, FunctionType) or not hasattr(function, "__dict__"):
        return None
    return dict(vars(function))
