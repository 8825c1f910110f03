"""The switches of torch's backends: those that programs set for other devices are accepted, and have no effect here."""

from typing import TYPE_CHECKING, Any

from tinyrnn.absent import absent
from tinyrnn.backends import cuda, cudnn, mps

__all__ = ["cuda", "cudnn", "mps"]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        raise absent(__name__, name)
