"""Around training: data, in tinyrnn.utils.data."""

from typing import TYPE_CHECKING, Any

from tinyrnn.absent import absent
from tinyrnn.utils import data

if not TYPE_CHECKING:  # a type checker would take every name for granted

    def __getattr__(name: str) -> Any:
        raise absent(__name__, name)


__all__ = ["data"]
