"""The engine: a graph recorded as the program runs, and the backward pass over it. Depends on NumPy alone.

To read in this order: graph.py (what is recorded), record.py (how), engine.py (the backward pass), backward.py (asking
for it). What remains can wait: hooks.py, modes.py, gradcheck.py, and views.py, on memory that is shared or changed in
place, from which `share`, `source_of` and `version_of` come.
"""

from tinyrnn.autograd.backward import backward, grad
from tinyrnn.autograd.gradcheck import gradcheck
from tinyrnn.autograd.modes import enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from tinyrnn.autograd.record import record

__all__ = [
    "backward",
    "enable_grad",
    "grad",
    "gradcheck",
    "is_grad_enabled",
    "no_grad",
    "record",
    "set_grad_enabled",
]
