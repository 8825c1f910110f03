"""The graph that a program leaves behind as it runs: values, and the nodes that made them.

    Value    an array, and the node that made it (a leaf has none)
    Node     one operation that ran: the sources of its inputs, and its pullback
    source   where a gradient goes next: the node that made a value, or the value itself if it is a leaf

A pullback is the derivative of one operation, used backwards. For y = f(x_1, ..., x_n) and a loss L it takes
g = dL/dy and returns (dL/dx_1, ..., dL/dx_n), where dL/dx_i = (dy/dx_i)^T g. It is a closure over *arrays*,
never over values, so that no reference cycle arises: a graph is gone as soon as nobody holds its result.

Source: reverse mode over a recorded program, Linnainmaa 1970; Griewank and Walther, Evaluating Derivatives, 2008.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
Source: TypeAlias = "Node | Value"
Gradient: TypeAlias = "Array | Patch | Owned | None"  # None: no gradient reaches this input
Pullback: TypeAlias = "Callable[..., Sequence[Gradient]]"
V = TypeVar("V", bound="Value")
new, ndarray = object.__new__, np.ndarray  # found faster here, where every result passes
numbers = itertools.count(1)


class Value:
    """What the engine knows of a tensor: its array, what made it, and its gradient if it is a leaf."""

    array: Array
    node: Node | None
    wants_grad: bool  # for a leaf: whether backward() shall fill .grad
    number: ClassVar[int] = 0  # see Node
    total_grad: Any = None  # what .grad shows: a value like this one, dL/d(this). Its array belongs to it alone
    result: ClassVar[type[Any]]  # the class that operations on this one return

    # later (hooks.py): what to call with its gradient
    hooks: list[Hook] | None = None  # for a leaf; a node has its own
    retained: Hook | None = None  # what retain_grad has attached, if it was called

    # later (views.py): values that share memory, and are changed in place
    version: list[int] | None  # [number of changes], one list for all that share a memory; None: 0
    base: Value | None  # for a view: the value whose memory it shows
    node_version: int = 0  # for a view: the version at which its node was right; UNTRACKED if made under no_grad

    @property
    def shape(self) -> tuple[int, ...]:
        """The size of each axis."""
        return self.array.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """What kind of number the elements are."""
        return self.array.dtype


Value.result = Value
UNTRACKED = -1


class Node:
    """One operation that ran: where its inputs came from, and how to send a gradient back to them."""

    __slots__ = ("dtype", "hooks", "name", "number", "parents", "pullback", "saved", "saved_at", "shape")

    def __init__(
        self,
        name: str,
        parents: Sequence[Source | None],
        pullback: Pullback,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
    ) -> None:
        self.number = next(numbers)  # in the order of their making: larger than those of its parents
        self.name = name
        self.parents = parents  # the source of each input; None: a constant
        self.pullback: Pullback | None = pullback  # None once used and freed
        self.shape = shape  # of the result, so of its gradient
        self.dtype = dtype
        self.saved: tuple[list[int], ...] = ()  # the versions of the values that the pullback reads
        self.saved_at = 0  # their sum when it saved them: versions only grow, so any change shows in it
        self.hooks: list[Hook] | None = None

    def __repr__(self) -> str:
        return f"<{self.name}>"


def make(cls: type[V], array: Any) -> V:
    """A leaf of class `cls` around `array`, without a copy (NumPy's scalars become 0-d arrays)."""
    value = new(cls)
    value.array = array if type(array) is ndarray else np.asarray(array)
    value.node = None
    value.wants_grad = False
    value.base = None
    value.version = None
    return value


# Later: what only some operations need.


class ManyNode(Node):
    """One operation with several results. Each of them has a `PartNode` of its own, which hands its gradient on."""

    __slots__ = ("parts",)

    def __init__(
        self,
        name: str,
        parents: Sequence[Source | None],
        pullback: Pullback,
        parts: Sequence[tuple[tuple[int, ...], Any]],
    ) -> None:
        Node.__init__(self, name, parents, pullback, *parts[0])  # super() would cost 0.1 us more
        self.parts = parts  # (shape, dtype) of each result

    def filled(self, gradients: dict[int, Array]) -> list[Array]:
        """A gradient for each result: zeros for those that the loss never used."""
        return [gradients[k] if k in gradients else np.zeros(*spec) for k, spec in enumerate(self.parts)]


class PartNode(Node):
    """Result `k` of a ManyNode, its only parent."""

    __slots__ = ("k",)

    def __init__(self, node: ManyNode, k: int) -> None:
        Node.__init__(self, node.name, (node,), handed_on, *node.parts[k])
        self.k = k


def handed_on(g: Array) -> Sequence[Gradient]:
    """In place of the pullback of a PartNode."""
    raise AssertionError("a PartNode's gradient is handed on by run_backward itself")


class StandIn(ManyNode):
    """One node in place of a graph that is made only when the backward pass arrives, and is gone when it has passed.

    Its pullback takes the totals of the pass, the parents, and {k: gradient of result k}. It adds to the totals of the
    parents itself, in the order in which a pass through the graph would have done so.
    """

    __slots__ = ()


class OwningNode(Node):
    """An operation whose pullback may write into the gradient that it is given, as nobody else holds it.

    This is why writing x[t] = y at each of T steps costs O(T) in the backward pass: each write zeroes its part of one
    gradient, and passes it on as `Owned`.
    """

    __slots__ = ()


class Elsewhere(tuple[Any, ...]):
    """Gradients that code of the user's has computed: meanwhile it may have changed values, or begun another pass."""

    __slots__ = ()


class Owned(NamedTuple):
    """A gradient that nobody else holds, so that others may be added into it."""

    g: Array


class Fresh(tuple[Any, ...]):
    """What a pullback returns if each of its gradients is an array that nobody else holds: they need no copies."""

    __slots__ = ()


class Patch(NamedTuple):
    """A gradient that is zero but for one place: `g` at `index`. It adds into a buffer, filling nothing.

    This is why reading x[t] at each of T steps costs O(T) in the backward pass, and not O(T^2).
    """

    index: Any
    g: Array
    repeats: bool  # whether an element may be named twice, as integer arrays can: += would lose one

    def add_to(self, buffer: Array) -> None:
        if self.repeats:
            np.add.at(buffer, self.index, self.g)
        else:
            buffer[self.index] += self.g


class Hook(NamedTuple):
    """What to call when a gradient is complete; an array that it returns replaces the gradient."""

    call: Callable[[Array], Array | None]
    keeps: bool = False  # retain_grad's: called when the whole pass went well, with the gradient that went on
