"""What a kernel works in: arrays, and views of them for each step.

For a few units it takes as long to make a view as to compute with it. So for short single sequences a workspace is made
once for each size, and lent again and again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

STEPS = 256  # up to which a workspace is lent again: the views of a step take up to 1.6 kB
BYTES = 2**21  # of its arrays, those that are parts of others counted too, up to which it is
TOTAL = 32  # workspaces of a thread that are elsewhere, to be lent again, and that it keeps when it makes another one


class Workspace(Protocol):
    """Arrays, and `steps`: for each step one or several views of them.

    Unless the workspace is lent again, `steps` is an iterator: it can be gone through once.
    """

    steps: Iterable[Any]


W = TypeVar("W", bound=Workspace)


class Store(threading.local):
    """The workspaces of a thread that nobody uses now, by their size; the size that was new first stands first."""

    def __init__(self) -> None:
        self.of: dict[Any, list[Any]] = {}
        self.lent: list[None] = []  # as long as there are elsewhere: a list grows and shrinks safely in any thread


store = Store()


class Lent(Generic[W]):
    """`space` is its holder's alone as long as this is held; then it goes back to the others of its size, `same`."""

    __slots__ = ("lent", "same", "space")

    def __init__(self, space: W, same: list[Any] | None, lent: list[None]) -> None:
        self.space, self.same, self.lent = space, same, lent  # its thread's, which may have ended when this goes
        if same is not None:
            lent.append(None)

    def __del__(self) -> None:
        # Garbage is collected at any moment, and by any thread: each call here and in `lend` is safe alone.
        if self.same is not None:
            self.lent.pop()
            self.same.append(self.space)


def lend(make: Callable[..., W], T: int, N: int, *sizes: Any) -> Any:
    """A workspace make(T, N, *sizes), whose arrays hold anything; for a few small steps of one sequence a used one.

    Each has one holder at a time, so that two forward passes may come before a backward pass, one may run within
    another, and threads may share a layer. Who holds the result holds the workspace: `at(result)`. The result is an
    array around a Lent, for the garbage collector does not look into arrays: of what lies in a cycle it calls all
    __del__ first, when others that lie there can still use the workspace.
    """
    held = np.empty((), object)
    if N != 1 or T > STEPS:
        held[()] = Lent(make(T, N, *sizes), None, store.lent)
        return held
    key = make, T, *sizes
    same = store.of.get(key)
    if same:
        try:
            held[()] = Lent(same.pop(), same, store.lent)
            return held
        except IndexError:  # while we looked, somebody else has taken the last
            pass
    space = make(T, N, *sizes)
    if len(store.lent) >= TOTAL or size_of(vars(space).values()) > BYTES:
        held[()] = Lent(space, None, store.lent)
        return held
    space.steps = list(space.steps)
    while sum(map(len, list(store.of.values()))) >= TOTAL:
        store.of.pop(next(iter(list(store.of))), None)
    held[()] = Lent(space, store.of.setdefault(key, []), store.lent)
    return held


def at(held: Any) -> Any:
    """The workspace that is lent."""
    return held.item().space


def forward_done(held: Any) -> None:
    """Lets go of what the forward pass alone needs (weights, scratch, steps), unless the workspace is lent again."""
    lent = held.item()
    if lent.same is None:
        lent.space.weights = lent.space.scratch = lent.space.steps = ()


def size_of(values: Iterable[Any]) -> int:
    """The bytes of the arrays among the values, and in tuples among them."""
    return sum([size_of(value) if isinstance(value, tuple) else getattr(value, "nbytes", 0) for value in values])


def release() -> None:
    """Lets go of what the calling thread keeps."""
    store.of.clear()
