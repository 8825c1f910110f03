"""The engine: a graph recorded as the program runs, and the backward pass over it. Depends on NumPy alone.

To read in this order: graph.py (what is recorded), record.py (how), engine.py (the backward pass); then views.py
(memory that is shared or changed in place), backward.py and hooks.py (asking for gradients), gradcheck.py (checking
them).
"""

from tinyrnn.autograd.backward import backward, grad
from tinyrnn.autograd.gradcheck import gradcheck
from tinyrnn.autograd.modes import enable_grad, is_grad_enabled, no_grad, set_grad_enabled

__all__ = ["backward", "enable_grad", "grad", "gradcheck", "is_grad_enabled", "no_grad", "set_grad_enabled"]
