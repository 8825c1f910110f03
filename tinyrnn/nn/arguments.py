"""Checks of arguments that modules and their helpers share."""

from __future__ import annotations

from typing import Any


def positive(name: str, what: str, value: Any) -> int:
    """`value`, a whole number of at least 1. Raises TypeError or ValueError."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{name}: {what} is {value!r}, expected a whole number")
    if value.__index__() < 1:
        raise ValueError(f"{name}: {what} is {value}, expected at least 1")
    return int(value)


def number(name: str, what: str, value: Any) -> float:
    """`value` as a float: a number, a tensor of one element, or "inf". Raises TypeError."""
    try:
        return float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name}: {what} is {value!r}, expected a number") from None
