"""The backward pass: the recorded program run in reverse, without recursion, in time linear in its length.

    for every node, each after all of its consumers:
        dL/d(input_1), ..., dL/d(input_n)  +=  pullback(dL/d(output))

Gradients travel in a table outside the graph. They reach `.grad` of the leaves when the whole pass went well, so a
pass that fails changes none of them. A node frees what it saved as soon as it was visited.

Source: the order is Kahn's (Topological sorting of large networks, 1962).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from tinyrnn.autograd.graph import Array, ManyNode, Node, Part, Patch, Source


def run_backward(
    roots: Sequence[tuple[Source, Array]], retain_graph: bool = False, watched: Iterable[Source] = ()
) -> dict[Source, Array]:
    """The gradients of all leaves below the roots, and of the nodes in `watched`; each array is nobody else's.

    roots         where to begin, and with which gradient
    retain_graph  whether the graph may be gone through again
    """
    waiting = count_consumers([source for source, _ in roots])
    table, watched = Table(), set(watched)
    for source, g in roots:
        table.add(source, g, "backward")
    found: dict[Source, Array] = {}
    ready = [source for source, consumers in waiting.items() if consumers == 0]
    while ready:
        source = ready.pop()
        total = table.sums.pop(source, None)  # None: the loss does not depend on it after all
        if total is not None:
            if source.hooks:
                total = run_hooks(source, total)
            if not isinstance(source, Node) or source in watched:
                found[source] = total if source in table.own else total.copy()
        if isinstance(source, Node):
            parents = source.parents
            for parent, g in zip(parents, apply_pullback(source, total, retain_graph), strict=True):
                if parent is not None:
                    if g is not None:
                        table.add(parent, g, source.name)
                    left = waiting[parent] = waiting[parent] - 1
                    if not left:
                        ready.append(parent)
    return found


def apply_pullback(node: Node, g: Any, retain_graph: bool) -> Sequence[Any]:
    """The gradients of the node's inputs, given that of its result; the node is freed unless it is to be used again."""
    pullback, parents = node.pullback, node.parents
    assert pullback is not None
    if not retain_graph:
        node.parents, node.pullback, node.saved = (), None, ()
    if g is None:
        return [None] * len(parents)
    return pullback(*node.filled(g)) if isinstance(node, ManyNode) else pullback(g)


def count_consumers(roots: Sequence[Source]) -> dict[Source, int]:
    """All nodes and leaves below the roots, each with the number of times that it is a parent of another.

    Raises RuntimeError, before anything is computed, where the pass would fail or its numbers would be wrong.
    """
    count: dict[Source, int] = dict.fromkeys(roots, 0)
    stack = [source for source in count if isinstance(source, Node)]
    while stack:
        node = stack.pop()
        if node.pullback is None:
            raise RuntimeError(
                f"backward: a second time through {node.name!r}, whose graph the first pass has freed. Give the "
                "first backward retain_graph=True, or compute the loss again; a state that is carried from one "
                "training step to the next needs detach() in between"
            )
        if node.saved and sum([version[0] for version in node.saved]) != node.saved_at:
            raise RuntimeError(
                f"backward: a tensor that {node.name!r} needs was changed in place after {node.name!r} had used it. "
                "Change a clone() of it, or change it after backward"
            )
        for parent in node.parents:
            if parent is not None:
                if parent in count:
                    count[parent] += 1
                else:
                    count[parent] = 1
                    if isinstance(parent, Node):
                        stack.append(parent)
    return count


class Table:
    """The gradients under way: for each node and leaf the sum of those that have arrived.

    A pullback may return arrays that it, or somebody else, still holds. So a sum is written into only if it was made
    here: then its source is in `own`. This keeps two leaves from ever sharing one array.
    """

    def __init__(self) -> None:
        self.sums: dict[Source, Any] = {}
        self.own: set[Source] = set()

    def add(self, source: Source, g: Any, name: str) -> None:
        """sum of the source += g, in the source's shape and dtype. `name` is the operation that computed g."""
        before = self.sums.get(source)
        if isinstance(g, Part):
            self.sums.setdefault(source, {})[g.k] = g.g
            return
        if isinstance(g, Patch):
            self._add_patch(source, before, g)
            return
        if g.shape != source.shape:
            g = unbroadcast(g, source.shape, name)
        if before is None:
            self.sums[source] = g if type(g) is np.ndarray and g.dtype is source.dtype else np.asarray(g, source.dtype)
        elif source in self.own:
            before += g
        else:
            self.sums[source] = np.add(before, g, out=np.empty(source.shape, source.dtype))
            self.own.add(source)

    def _add_patch(self, source: Source, before: Any, patch: Patch) -> None:
        if source not in self.own:
            before = self.sums[source] = np.zeros(source.shape, source.dtype) if before is None else before.copy()
            self.own.add(source)
        patch.add_to(before)


def run_hooks(source: Source, g: Array) -> Array:
    """Shows a finished gradient to each hook in turn; what a hook returns takes its place."""
    for hook in sorted(source.hooks or (), key=lambda hook: hook.last):
        replacement = hook.call(g)
        g = g if replacement is None else replacement
    return g


def unbroadcast(g: Array, shape: tuple[int, ...], name: str) -> Array:
    """The sum of `g` over the axes along which an operand of `shape` was repeated: the pullback of broadcasting."""
    extra = g.ndim - len(shape)
    if extra < 0 or any(n not in (1, m) for n, m in zip(shape, g.shape[extra:], strict=True)):
        raise RuntimeError(f"backward: {name!r} returned a gradient of shape {g.shape} for an input of shape {shape}")
    repeated = [extra + i for i, n in enumerate(shape) if n != g.shape[extra + i]]
    return np.asarray(g.sum((*range(extra), *repeated), keepdims=True)).reshape(shape)
