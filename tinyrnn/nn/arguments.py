"""Checks that the constructors of modules share."""

from __future__ import annotations

from typing import Any


def positive(name: str, what: str, value: Any) -> int:
    """`value`, a whole number of at least 1. Raises TypeError or ValueError."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{name}: {what} is {value!r}, expected a whole number")
    if value.__index__() < 1:
        raise ValueError(f"{name}: {what} is {value}, expected at least 1")
    return int(value)
