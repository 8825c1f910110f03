"""What a kernel works in: arrays, and views of them for each step.

For a few units it takes as long to make a view as to compute with it. So for short single sequences a workspace is made
once for each size, and lent again and again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any, Generic, Protocol, TypeVar

FEW = 256  # steps, up to which a workspace is used again: the views of a step take up to 3 kB
SPARE = 4  # workspaces of one size that a thread keeps for later, at most
SIZES = 32  # sizes of which it keeps any


class Workspace(Protocol):
    """Arrays, as attributes, and `steps`: for each step one or several views of them."""

    steps: Iterable[Any]


W = TypeVar("W", bound=Workspace)


class Spare(threading.local):
    """The workspaces of a thread that nobody uses now, by their size; the size that was new first stands first."""

    def __init__(self) -> None:
        self.of: dict[Any, list[Any]] = {}


spare = Spare()


class Loan(Generic[W]):
    """`space` is its holder's alone as long as the Loan is held; then it may be lent again."""

    __slots__ = ("key", "space")

    def __init__(self, space: W, key: Any) -> None:
        self.space, self.key = space, key

    def __del__(self, spare: Spare = spare) -> None:
        # Garbage is collected at any moment, and by any thread: each call here and in `lend` is safe alone.
        if self.key is not None:
            same = spare.of.setdefault(self.key, [])
            if len(same) < SPARE:
                same.append(self.space)
            if len(spare.of) > SIZES:
                spare.of.pop(next(iter(list(spare.of))), None)


def lend(make: Callable[..., W], T: int, N: int, *sizes: Any) -> Loan[W]:
    """A workspace make(T, N, *sizes), whose arrays hold anything; for few steps of a single sequence a used one.

    Each has one holder at a time, so that two forward passes may come before a backward pass, one may run within
    another, and threads may share a layer.
    """
    if N != 1 or T > FEW:
        return Loan(make(T, N, *sizes), None)
    key = make, T, *sizes
    same = spare.of.get(key)
    if same:
        try:
            return Loan(same.pop(), key)
        except IndexError:  # while we looked, somebody else has taken the last
            pass
    space = make(T, N, *sizes)
    space.steps = list(space.steps)
    return Loan(space, key)


def release() -> None:
    """Lets go of what the calling thread keeps."""
    spare.of.clear()
