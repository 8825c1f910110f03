"""The graph that a program leaves behind as it runs.

    Value   an array, and the edge to the operation that computed it (a leaf was not computed, and has none)
    Node    one operation that ran: the edges of its inputs, and its pullback
    Edge    (node, k): output k of this node; (leaf, 0): a value that requires a gradient and was not computed

A pullback is the derivative of one operation, used backwards. For y = f(x_1, ..., x_n) and a loss L it takes
g = dL/dy and returns (dL/dx_1, ..., dL/dx_n), where dL/dx_i = (dy/dx_i)^T g. It is a closure over *arrays*,
never over values: no reference cycle arises, and a graph is freed as soon as nothing refers to its result.

Source: reverse mode over a recorded program, Linnainmaa 1970; Griewank and Walther, Evaluating Derivatives, 2008.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
Edge: TypeAlias = "tuple[Node | Value, int]"
Spec: TypeAlias = tuple[tuple[int, ...], np.dtype[Any]]  # the shape and dtype of an array
Gradient: TypeAlias = "Array | Patch | None"  # None: no gradient for this input
Pullback: TypeAlias = "Callable[..., Sequence[Gradient]]"
V = TypeVar("V", bound="Value")
new, ndarray = object.__new__, np.ndarray  # local names: every result passes here
numbers = itertools.count(1)


class Value:
    """What the engine knows of a tensor: its array, the operation that computed it, and its gradient."""

    array: Array
    edge: Edge | None  # the output of a node that this is; None for a leaf
    wants_grad: bool  # for a leaf: whether backward() fills .grad
    total_grad: Any = None  # what .grad shows: dL/d(this value), a value of the same class. No other has its array
    result: ClassVar[type[Any]]  # the class of what operations return
    hooks: list[Hook] | None = None  # of a leaf: see hooks.py
    retained: Hook | None = None  # the hook that retain_grad has attached

    # Values that share memory and are changed in place: see views.py.
    version: list[int] | None  # [number of changes], one list for all values in the same memory; None: no change
    base: Value | None  # for a view: the value whose memory it shows
    node_version: int = 0  # for a view: the version for which `edge` is right; UNTRACKED if made under no_grad

    @property
    def node(self) -> Node | None:
        """The operation that computed this value; None for a leaf."""
        return self.edge[0] if self.edge else None  # type: ignore[return-value]

    @property
    def shape(self) -> tuple[int, ...]:
        """The size of each axis."""
        return self.array.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the elements."""
        return self.array.dtype


Value.result = Value
UNTRACKED = -1


# What the engine may do with the arrays that a pullback returns. Each choice permits more than the one before.
SHARED = 0  # read them: something else may refer to them
FRESH = 1  # add into them, or make them the `.grad` of a leaf: they are new, and nothing else refers to them
IN_PLACE = 2  # the same; and the pullback writes into the gradient that it is given


class Node:
    """One operation that ran: where its inputs came from, and how to send a gradient back to them."""

    __slots__ = (
        "dtype",
        "hooks",
        "memory",
        "more",
        "name",
        "number",
        "parents",
        "pullback",
        "saved",
        "saved_at",
        "shape",
    )

    def __init__(
        self,
        name: str,
        parents: Sequence[Edge | None],
        pullback: Pullback,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        memory: int = SHARED,
    ) -> None:
        self.number = next(numbers)  # nodes are numbered as they are made: a node has a larger number than its parents
        self.name = name
        self.parents = parents  # the edge of each input; None: a constant
        self.pullback: Pullback | None = pullback  # None once the graph was freed
        self.shape = shape  # of the result, and of its gradient
        self.dtype = dtype
        self.more: Sequence[Spec] = ()  # of an operation with several results: those of the outputs 1, 2, ...
        self.memory = memory  # SHARED, FRESH or IN_PLACE
        self.saved: tuple[list[int], ...] = ()  # the versions of the values that the pullback reads
        self.saved_at = 0  # their sum when they were saved: versions only grow, so it is larger after any change
        self.hooks: list[Hook] | None = None

    def __repr__(self) -> str:
        return f"<{self.name}>"


def make(cls: type[V], array: Any) -> V:
    """A leaf of class `cls` around `array`, without a copy (NumPy's scalars become 0-d arrays)."""
    value = new(cls)
    value.array = array if type(array) is ndarray else np.asarray(array)
    value.edge = None
    value.wants_grad = False
    value.base = None
    value.version = None
    return value


class Patch(NamedTuple):
    """A gradient that is zero but for one place: `g` at `index`.

    It is added into an existing array, so that reading x[t] at each of T steps costs O(T) in the backward pass instead
    of O(T^2).
    """

    index: Any
    g: Array
    repeats: bool  # whether the index may name an element twice, as integer arrays can: += would add only one of them

    def add_to(self, total: Array) -> None:
        """total[index] += g."""
        if self.repeats:
            np.add.at(total, self.index, self.g)
        else:
            total[self.index] += self.g


class Hook(NamedTuple):
    """What to call when the gradient of output `k` is complete; an array that it returns replaces the gradient."""

    call: Callable[[Array], Array | None]
    k: int = 0
    keeps: bool = False  # retain_grad's: called after a pass without error, with the gradient that was passed on
