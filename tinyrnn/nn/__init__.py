"""Modules: layers, cells and losses, with torch's names, arguments, shapes and numbers."""

from tinyrnn.nn import functional, init, modules, utils
from tinyrnn.nn.modules import *
from tinyrnn.nn.parameter import Parameter

__all__ = ["Parameter", "functional", "init", "modules", "utils"]
__all__ += modules.__all__
