"""Whether operations are recorded: a switch for each thread, always restored on the way out.

Source: the convention is torch's (`torch.no_grad`, `torch.enable_grad`, `torch.set_grad_enabled`).
"""

from __future__ import annotations

import threading
from contextlib import ContextDecorator


class _Mode(threading.local):
    grad = True  # the class attribute is what a new thread starts with


mode = _Mode()


def is_grad_enabled() -> bool:
    """Whether operations on this thread are being recorded for a backward pass.

    >>> is_grad_enabled()
    True
    """
    return mode.grad


class _GradMode(ContextDecorator):
    """A context, or a decorator, in which recording is on or off; nests, re-enters, survives exceptions."""

    def __init__(self, enabled: bool) -> None:
        self._enabled = enabled
        self._previous: list[bool] = []

    def __enter__(self) -> None:
        self._previous.append(mode.grad)
        mode.grad = self._enabled

    def __exit__(self, *exception: object) -> None:
        mode.grad = self._previous.pop()


class no_grad(_GradMode):  # noqa: N801 (torch's name)
    """Inside, nothing is recorded: results need no gradient and keep nothing alive for a backward pass.

    >>> import tinyrnn as rnn
    >>> w = rnn.ones(2, requires_grad=True)
    >>> with no_grad():
    ...     y = 2 * w
    >>> y.requires_grad
    False
    """

    def __init__(self) -> None:
        super().__init__(False)


class enable_grad(_GradMode):  # noqa: N801 (torch's name)
    """Inside, operations are recorded again, whatever surrounds it.

    >>> with no_grad(), enable_grad():
    ...     is_grad_enabled()
    True
    """

    def __init__(self) -> None:
        super().__init__(True)


class set_grad_enabled(_GradMode):  # noqa: N801 (torch's name)
    """Turns recording on or off: at once when called, and until the end of the block when used as a context.

    >>> with set_grad_enabled(False):
    ...     is_grad_enabled()
    False
    """

    def __init__(self, mode_on: bool) -> None:
        super().__init__(bool(mode_on))
        self._previous.append(mode.grad)
        mode.grad = self._enabled

    def __enter__(self) -> None:
        mode.grad = self._enabled
