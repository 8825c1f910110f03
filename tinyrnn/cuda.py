"""What CPU programs ask of CUDA: whether it is there. It is not, and what would only concern it has nothing to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinyrnn.absent import absent

__all__ = ["device_count", "empty_cache", "is_available", "is_initialized", "manual_seed", "manual_seed_all"]
__all__ += ["synchronize"]


def is_available() -> bool:
    """False."""
    return False


def is_initialized() -> bool:
    """False."""
    return False


def device_count() -> int:
    """0."""
    return 0


def manual_seed(seed: int) -> None:
    """Has no generator to seed: tinyrnn.manual_seed(seed) seeds the one there is."""


def manual_seed_all(seed: int) -> None:
    """Has no generator to seed: tinyrnn.manual_seed(seed) seeds the one there is."""


def synchronize(device: Any = None) -> None:
    """Has nothing to wait for: every operation has ended when it returns. (torch's raises without CUDA.)"""


def empty_cache() -> None:
    """Has no cache to empty."""


if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        raise absent(__name__, name)
