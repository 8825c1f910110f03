"""Around training: data, in tinyrnn.utils.data, and recomputation, in tinyrnn.utils.checkpoint."""

from typing import TYPE_CHECKING, Any

from tinyrnn.absent import absent
from tinyrnn.utils import checkpoint, data

if not TYPE_CHECKING:  # a type checker would take every name for granted

    def __getattr__(name: str) -> Any:
        raise absent(__name__, name)


__all__ = ["checkpoint", "data"]
