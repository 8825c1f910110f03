"""Modules: layers, cells and losses, with torch's names, arguments, shapes and numbers."""

from typing import TYPE_CHECKING, Any

from tinyrnn.absent import absent
from tinyrnn.nn import functional, init, modules, utils
from tinyrnn.nn.modules import *
from tinyrnn.nn.parameter import Parameter

__all__ = ["Parameter", "functional", "init", "modules", "utils"]
__all__ += modules.__all__

if not TYPE_CHECKING:  # a type checker would take every name for granted

    def __getattr__(name: str) -> Any:
        raise absent(__name__, name)
