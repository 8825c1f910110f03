"""The backward pass: the recorded program run in reverse, without recursion, in time linear in its length.

    for every node, each after all of its consumers:
        dL/d(input_1), ..., dL/d(input_n)  +=  pullback(dL/d(output))

Gradients travel in a table outside the graph. They reach `.grad` of the leaves when the whole pass went well, so a
pass that fails changes none of them. A node frees what it saved as soon as it was visited.

Source: the order is Kahn's (Topological sorting of large networks, 1962).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from tinyrnn.autograd.graph import Array, Hook, ManyNode, Node, Owned, Part, Patch, Source
from tinyrnn.kernels.sums import sum_axes, sum_rows


class Pending:
    """What a pass knows of one node or leaf: how many consumers are still to come, and the sum of what came.

    A pullback may return an array that it, or somebody else, still holds. So the sum is written into only if its array
    was made here (`own`). This keeps two leaves from ever sharing one array.
    """

    __slots__ = ("consumers", "dtype", "own", "shape", "source", "total")

    def __init__(self, source: Source) -> None:
        self.source = source
        self.shape = source.shape
        self.dtype = source.dtype
        self.consumers = 0
        self.total: Any = None  # an array; for a ManyNode {k: array}
        self.own = False

    def add(self, g: Any, name: str) -> None:
        """total += g, in the shape and dtype of the source; `name` is the operation that computed g."""
        if type(g) is not np.ndarray:
            if isinstance(g, Part):
                self.total = self.total or {}
                self.total[g.k] = g.g
                return
            if isinstance(g, Patch):
                if not self.own:
                    self.total = np.zeros(self.shape, self.dtype) if self.total is None else self.total.copy()
                    self.own = True
                g.add_to(self.total)
                return
            if isinstance(g, Owned):  # nobody else's: it becomes the sum without a copy
                g = g.g
                if self.total is None and g.shape == self.shape and g.dtype == self.dtype:
                    self.total, self.own = g, True
                    return
            g = np.asarray(g)
        if g.shape != self.shape:
            g = unbroadcast(g, self.shape, name)
        if self.total is None:
            self.total = g if g.dtype is self.dtype else g.astype(self.dtype)
        elif self.own:
            self.total += g
        else:
            self.total = np.add(self.total, g, out=np.empty(self.shape, self.dtype))
            self.own = True


def run_backward(
    roots: Sequence[tuple[Source, Array]], retain_graph: bool = False, watched: Iterable[Source] = ()
) -> dict[Source, Array]:
    """The gradients of all leaves below the roots, and of the nodes in `watched`; each array is nobody else's.

    roots         where to begin, and with which gradient
    retain_graph  whether the graph may be gone through again
    """
    pending = explore([source for source, _ in roots])
    for source, g in roots:
        pending[source].add(g, "backward")
    watched = set(watched)
    found: dict[Source, Array] = {}
    kept: list[tuple[Hook, Array]] = []
    hooked = False
    ready = [entry for entry in pending.values() if not entry.consumers]
    while ready:
        entry = ready.pop()
        source, total = entry.source, entry.total
        entry.total = None
        if total is not None and source.hooks:
            total = run_hooks(source.hooks, total, kept)
            hooked = True
        if not isinstance(source, Node):
            if total is not None:
                found[source] = total if entry.own else total.copy()
            continue
        if watched and source in watched and total is not None:
            found[source] = total.copy()
        if hooked:  # a hook may have changed a value, or begun another pass
            check_usable(source)
        name, parents, pullback = source.name, source.parents, source.pullback
        assert pullback is not None
        if not retain_graph:
            source.parents, source.pullback, source.saved = (), None, ()
        if total is None:  # the loss does not depend on it after all
            gradients: Sequence[Any] = [None] * len(parents)
        elif type(source) is Node:
            gradients = pullback(total)
        elif isinstance(source, ManyNode):
            gradients = pullback(*source.filled(total))
        else:  # an OwningNode
            gradients = pullback(total if entry.own and not source.hooks else total.copy())
        if len(gradients) != len(parents):
            raise RuntimeError(f"backward: {name!r} returned {len(gradients)} gradients for {len(parents)} inputs")
        for parent, g in zip(parents, gradients):  # noqa: B905 (strict=True takes longer than the check)
            if parent is not None:
                entry = pending[parent]
                if g is not None:
                    entry.add(g, name)
                entry.consumers -= 1
                if not entry.consumers:
                    ready.append(entry)
    for hook, g in kept:
        hook.call(g)
    return found


def explore(roots: Sequence[Source]) -> dict[Source, Pending]:
    """All nodes and leaves below the roots, with the number of their consumers.

    Raises RuntimeError, before anything is computed, where the pass would fail or its numbers would be wrong.
    """
    pending = {source: Pending(source) for source in roots}
    stack = list(pending)
    while stack:
        node = stack.pop()
        if not isinstance(node, Node):
            continue
        check_usable(node)
        for parent in node.parents:
            if parent is not None:
                entry = pending.get(parent)
                if entry is None:
                    entry = pending[parent] = Pending(parent)
                    stack.append(parent)
                entry.consumers += 1
    return pending


def check_usable(node: Node) -> None:
    """Raises RuntimeError if the node was freed, or if a value that it saved was changed."""
    if node.pullback is None:
        raise RuntimeError(
            f"backward: a second time through {node.name!r}, whose graph the first pass has freed. Give the first "
            "backward retain_graph=True, or compute the loss again; a state that is carried from one training step to "
            "the next needs detach() in between"
        )
    if node.saved and sum([version[0] for version in node.saved]) != node.saved_at:
        raise RuntimeError(
            f"backward: a tensor that {node.name!r} needs was changed in place after {node.name!r} had used it. "
            "Change a clone() of it, or change it after backward"
        )


def run_hooks(hooks: Sequence[Hook], g: Array, kept: list[tuple[Hook, Array]]) -> Array:
    """Shows a finished gradient to each hook in turn, and returns what they make of it; notes what is to be `kept`."""
    for hook in tuple(hooks):  # one may remove itself
        replacement = None if hook.keeps else hook.call(g)
        g = g if replacement is None else replacement
    kept += [(hook, g.copy()) for hook in hooks if hook.keeps]
    return g


def unbroadcast(g: Array, shape: tuple[int, ...], name: str) -> Array:
    """The sum of `g` over the axes along which an operand of `shape` was repeated: the pullback of broadcasting."""
    extra = g.ndim - len(shape)
    if extra < 0 or any(n not in (1, m) for n, m in zip(shape, g.shape[extra:], strict=True)):
        raise RuntimeError(f"backward: {name!r} returned a gradient of shape {g.shape} for an input of shape {shape}")
    repeated = [extra + i for i, n in enumerate(shape) if n != g.shape[extra + i]]
    if not repeated:
        return sum_rows(g.reshape(-1, math.prod(shape))).reshape(shape) if g.size else np.zeros(shape, g.dtype)
    return sum_axes(g, (*range(extra), *repeated), g.dtype, keepdims=True).reshape(shape)
