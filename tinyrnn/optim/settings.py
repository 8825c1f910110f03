"""Checks of the settings of groups, which all optimizers share."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyrnn.tensor import Tensor

Group = dict[str, Any]


def check_number(
    name: str, what: str, value: Any, low: float = 0.0, high: float = float("inf"), closed: bool = False
) -> None:
    """Raises TypeError or ValueError unless `value` is a number with low <= value < high; <= high where `closed`.

    A tensor of one element is a number too, as torch has it.
    """
    if isinstance(value, Tensor):
        if value.numel() != 1:
            raise ValueError(f"{name}: {what} is a tensor of shape {tuple(value.shape)}, expected one element")
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        raise TypeError(f"{name}: {what} is {value!r}, expected a number")
    if not (low <= value < high or (closed and value == high)):
        raise ValueError(f"{name}: {what} is {value}, expected {low} <= {what} {'<=' if closed else '<'} {high}")


def check_numbers(name: str, group: Group, *whats: str) -> None:
    """Raises TypeError or ValueError unless each of these settings is a number of at least 0."""
    for what in whats:
        check_number(name, what, group[what])


def check_whole(name: str, what: str, value: Any) -> None:
    """Raises TypeError or ValueError unless `value` is a whole number of at least 1."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name}: {what} is {value!r}, expected a whole number")
    if value < 1:
        raise ValueError(f"{name}: {what} is {value}, expected at least 1")


def check_pair(name: str, group: Group, what: str) -> tuple[Any, Any]:
    """The two numbers that the setting is. Raises ValueError for another number of them, TypeError for no numbers."""
    pair = group[what]
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise ValueError(f"{name}: {what} is {pair!r}, expected two numbers")
    for i, value in enumerate(pair):
        check_number(name, f"{what}[{i}]", value, low=-float("inf"), closed=True)
    return pair[0], pair[1]


def check_betas(name: str, group: Group) -> None:
    """Raises ValueError unless betas are two numbers in [0, 1), TypeError for what are no numbers."""
    for i, beta in enumerate(check_pair(name, group, "betas")):
        check_number(name, f"betas[{i}]", beta, high=1.0)


def check_loop(name: str, group: Group) -> None:
    """Of torch's settings on how to loop over parameters, foreach, fused and capturable change no number.

    Raises NotImplementedError for differentiable, RuntimeError for foreach and fused at once.
    """
    if group.get("differentiable"):
        raise NotImplementedError(f"{name}: differentiable=True is not supported: the steps are not recorded")
    if group.get("foreach") and group.get("fused"):
        raise RuntimeError(f"{name}: foreach and fused are both True, expected one of them at most")
