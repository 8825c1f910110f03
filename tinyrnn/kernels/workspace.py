"""What a kernel works in: arrays, and views of them for each step.

For a few units it takes as long to make a view as to compute with it. So for short single sequences a workspace is made
once for each size, and lent again and again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any, Generic, Protocol, TypeVar

STEPS = 256  # up to which a workspace is lent again: the views of a step take up to 1.6 kB
BYTES = 2**21  # of its arrays, those that are parts of others counted too, up to which it is
SPARE = 4  # workspaces of one size that a thread keeps for later, at most
TOTAL = 32  # workspaces that it keeps when it makes another one, at most


class Workspace(Protocol):
    """Arrays, and `steps`: for each step one or several views of them.

    Unless the workspace is lent again, `steps` is an iterator: it can be gone through once.
    """

    steps: Iterable[Any]


W = TypeVar("W", bound=Workspace)


class Spare(threading.local):
    """The workspaces of a thread that nobody uses now, by their size; the size that was new first stands first."""

    def __init__(self) -> None:
        self.of: dict[Any, list[Any]] = {}


spare = Spare()


class Lent(Generic[W]):
    """`space` is its holder's alone as long as this is held; then it goes back to the thread that it came from."""

    __slots__ = ("key", "of", "space")

    def __init__(self, space: W, key: Any) -> None:
        self.space, self.key, self.of = space, key, spare.of

    def __del__(self, most: int = SPARE) -> None:
        # Garbage is collected at any moment, and by any thread: each call here and in `lend` is safe alone.
        if self.key is not None:
            same = self.of.setdefault(self.key, [])
            if len(same) < most:
                same.append(self.space)


def lend(make: Callable[..., W], T: int, N: int, *sizes: Any) -> Lent[W]:
    """A workspace make(T, N, *sizes), whose arrays hold anything; for a few small steps of one sequence a used one.

    Each has one holder at a time, so that two forward passes may come before a backward pass, one may run within
    another, and threads may share a layer.
    """
    if N != 1 or T > STEPS:
        return Lent(make(T, N, *sizes), None)
    key = make, T, *sizes
    same = spare.of.get(key)
    if same:
        try:
            return Lent(same.pop(), key)
        except IndexError:  # while we looked, somebody else has taken the last
            pass
    space = make(T, N, *sizes)
    if size_of(vars(space).values()) > BYTES:
        return Lent(space, None)
    space.steps = list(space.steps)
    while sum(map(len, list(spare.of.values()))) >= TOTAL:
        spare.of.pop(next(iter(list(spare.of))), None)
    return Lent(space, key)


def size_of(values: Iterable[Any]) -> int:
    """The bytes of the arrays among the values, and in tuples among them."""
    return sum([size_of(value) if isinstance(value, tuple) else getattr(value, "nbytes", 0) for value in values])


def release() -> None:
    """Lets go of what the calling thread keeps."""
    spare.of.clear()
