"""Interrupts that wait: what must be whole is done before the handler of a signal, such as that of Ctrl-C, runs."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # 0.3 us a call; signal.signal() takes 6
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

NAMES = ("SIGINT", "SIGTERM", "SIGALRM", "SIGHUP", "SIGBREAK")
SIGNALS = tuple([int(getattr(signal, name)) for name in NAMES if hasattr(signal, name)])
get, put = _signal.getsignal, _signal.signal


class held:  # noqa: N801 (a context like no_grad)
    """Within it no handler of a signal is called; at its end the handlers of the signals that came are.

    This concerns handlers written in Python, KeyboardInterrupt's among them. Python calls them in the main thread
    alone: in another thread nothing has to wait. It takes about a microsecond.

    >>> try:
    ...     with held():
    ...         signal.raise_signal(signal.SIGINT)
    ...         print("the block is done")
    ... except KeyboardInterrupt:
    ...     print("then comes the interrupt")
    the block is done
    then comes the interrupt
    """

    __slots__ = ("_arrived", "_handlers")

    def __enter__(self) -> held:
        self._arrived: dict[int, Any] = {}
        self._handlers: dict[int, Any] = {}
        try:
            for number in SIGNALS:
                if callable(handler := get(number)):
                    self._handlers[number] = handler
                    put(number, self._note)
        except BaseException:
            if threading.current_thread() is threading.main_thread():
                self._restore(dict(self._handlers))
                raise
            self._handlers = {}  # no other thread can set one
        return self

    def __exit__(self, *_: object) -> None:
        if self._handlers:
            self._restore(dict(self._handlers))
            if self._arrived:
                self._deliver()

    @contextmanager
    def lifted(self) -> Iterator[None]:
        """Within it interrupts come at once: for code of the user's, which may take long."""
        self.__exit__()
        try:
            yield
        finally:
            self.__enter__()

    def _note(self, number: int, frame: Any) -> None:
        self._arrived[number] = frame

    def _restore(self, left: dict[int, Any]) -> None:
        """Gives each signal its handler back. One that is called meanwhile may raise: the others are restored first."""
        try:
            while left:
                number = next(iter(left))
                put(number, left[number])
                del left[number]
        finally:
            if left:
                self._restore(left)

    def _deliver(self) -> None:
        try:
            while self._arrived:
                number, frame = self._arrived.popitem()
                self._handlers[number](number, frame)
        finally:
            if self._arrived:
                self._deliver()
