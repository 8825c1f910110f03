"""Whether operations are recorded: a switch for each thread, always restored on the way out.

Source: the convention is torch's (`torch.no_grad`, `torch.enable_grad`, `torch.set_grad_enabled`).
"""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable
from typing import Any, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])


class _Mode(threading.local):
    grad = True  # the class attribute is what a new thread starts with


state = _Mode()


def is_grad_enabled() -> bool:
    """Whether operations on this thread are being recorded for a backward pass.

    >>> is_grad_enabled()
    True
    """
    return state.grad


class GradMode:
    """A context, or a decorator of functions and generators, in which recording is on or off.

    It nests, may be entered again, and restores what was there before, also after an exception.
    """

    def __init__(self, enabled: bool) -> None:
        self._enabled = enabled
        self._previous: list[bool] = []

    def __enter__(self) -> None:
        self._previous.append(state.grad)
        state.grad = self._enabled

    def __exit__(self, *exception: object) -> None:
        state.grad = self._previous.pop()

    def __call__(self, function: F) -> F:
        enabled = self._enabled  # each call has a context of its own: several threads may be in one function

        @functools.wraps(function)
        def within(*args: Any, **kwargs: Any) -> Any:
            with GradMode(enabled):
                return function(*args, **kwargs)

        @functools.wraps(function)
        def within_each_step(*args: Any, **kwargs: Any) -> Any:
            generator = function(*args, **kwargs)
            advance = functools.partial(next, generator)
            try:
                while True:
                    with GradMode(enabled):
                        produced = advance()
                    try:
                        advance = functools.partial(generator.send, (yield produced))
                    except GeneratorExit:
                        with GradMode(enabled):
                            generator.close()
                        raise
                    except BaseException as error:
                        advance = functools.partial(generator.throw, error)
            except StopIteration as end:
                return end.value

        return cast(F, within_each_step if inspect.isgeneratorfunction(function) else within)


class no_grad(GradMode):  # noqa: N801 (torch's name)
    """Inside, nothing is recorded: results need no gradient and keep nothing alive for a backward pass.

    >>> import tinyrnn
    >>> w = tinyrnn.ones(2, requires_grad=True)
    >>> with no_grad():
    ...     y = 2 * w
    >>> y.requires_grad
    False

    Also @no_grad() over a function, or, as torch allows, @no_grad.
    """

    def __new__(cls, orig_func: Callable[..., Any] | None = None) -> Any:
        return object.__new__(cls) if orig_func is None else GradMode(False)(orig_func)

    def __init__(self) -> None:
        super().__init__(False)


class inference_mode(GradMode):  # noqa: N801 (torch's name)
    """no_grad under the name of a mode of torch's that is stricter: here its results may be used with a gradient later.

    inference_mode(False) is enable_grad. Also @inference_mode() over a function, or @inference_mode.

    >>> import tinyrnn
    >>> with inference_mode():
    ...     y = 2 * tinyrnn.ones(2, requires_grad=True)
    >>> y.requires_grad
    False
    """

    def __new__(cls, mode: bool | Callable[..., Any] = True) -> Any:
        return GradMode(False)(mode) if callable(mode) else object.__new__(cls)

    def __init__(self, mode: bool = True) -> None:
        super().__init__(not mode)


class enable_grad(GradMode):  # noqa: N801 (torch's name)
    """Inside, operations are recorded again, whatever surrounds it. Also @enable_grad() or @enable_grad.

    >>> with no_grad(), enable_grad():
    ...     is_grad_enabled()
    True
    """

    def __new__(cls, orig_func: Callable[..., Any] | None = None) -> Any:
        return object.__new__(cls) if orig_func is None else GradMode(True)(orig_func)

    def __init__(self) -> None:
        super().__init__(True)


class set_grad_enabled(GradMode):  # noqa: N801 (torch's name)
    """Turns recording on or off: at once when called, and until the end of the block when used as a context.

    >>> with set_grad_enabled(False):
    ...     is_grad_enabled()
    False
    """

    def __init__(self, mode: bool) -> None:
        super().__init__(bool(mode))
        self._before: bool | None = state.grad
        state.grad = self._enabled

    def __enter__(self) -> None:
        super().__enter__()
        if self._before is not None:  # entered for the first time: the way back leads to before the call
            self._previous[-1], self._before = self._before, None

    def __call__(self, function: F) -> F:
        if self._before is not None:  # to decorate a function is not to call it
            state.grad = self._before
        return super().__call__(function)
