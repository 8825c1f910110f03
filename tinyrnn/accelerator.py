"""What programs ask of accelerators of any kind: whether there is one. There is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinyrnn.absent import absent

__all__ = ["current_accelerator", "device_count", "is_available"]


def is_available() -> bool:
    """False."""
    return False


def device_count() -> int:
    """0."""
    return 0


def current_accelerator(check_available: bool = False) -> None:
    """None."""


if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        raise absent(__name__, name)
