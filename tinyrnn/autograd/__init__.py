"""The engine: a graph recorded as the program runs, and the backward pass over it. Depends on NumPy alone.

To read in this order: graph.py (what is recorded), record.py (how), engine.py (the backward pass), backward.py (asking
for it). What remains can wait: hooks.py, modes.py, gradcheck.py with quotients.py, function.py, variable.py, and
views.py, on memory that is shared or changed in place, from which `share`, `edge_of` and `version_of` come.
"""

from typing import TYPE_CHECKING, Any

from tinyrnn.absent import absent
from tinyrnn.autograd.backward import backward, grad
from tinyrnn.autograd.function import Function
from tinyrnn.autograd.gradcheck import gradcheck, step_sweep
from tinyrnn.autograd.modes import enable_grad, inference_mode, is_grad_enabled, no_grad, set_grad_enabled
from tinyrnn.autograd.record import record
from tinyrnn.autograd.variable import Variable

__all__ = [
    "Function",
    "Variable",
    "backward",
    "enable_grad",
    "grad",
    "gradcheck",
    "inference_mode",
    "is_grad_enabled",
    "no_grad",
    "record",
    "set_grad_enabled",
    "step_sweep",
]

if not TYPE_CHECKING:  # a type checker would take every name for granted

    def __getattr__(name: str) -> Any:
        raise absent(__name__, name)
