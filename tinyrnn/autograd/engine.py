"""The backward pass: the recorded program run in reverse, without recursion, in time linear in its length.

    for every node that a gradient reaches, the one recorded last first:
        dL/d(input_1), ..., dL/d(input_n)  +=  pullback(dL/d(output))

A node has a larger number than those that its inputs come from. So the node with the largest number has received all
of its gradient: nodes that are still to be visited have smaller numbers, and send theirs to still smaller ones.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from heapq import heappop, heappush
from typing import Any

import numpy as np

from tinyrnn.autograd.graph import IN_PLACE, SHARED, Array, Edge, Hook, Node, Patch, Value, make, ndarray
from tinyrnn.autograd.traversal import FREED, check_unchanged, leading_nowhere
from tinyrnn.kernels.sums import sum_to


class Table:
    """The gradients on their way, each the sum of what was sent so far, and the nodes that they have reached."""

    __slots__ = ("grads", "owned", "queue")

    def __init__(self) -> None:
        # The key of output 0 of a node is the node, which has a faster hash; that of another output is its edge.
        self.grads: dict[Node | Value | Edge, Array] = {}
        self.owned: set[Node | Value | Edge] = set()  # sums to whose arrays nothing else refers: they can be written to
        self.queue: list[tuple[int, Node]] = []  # a heap: the node with the largest number comes first

    def add(self, edge: Edge, g: Any, memory: int, name: str) -> None:
        """Adds g at the edge, in the shape and dtype of its source; `name` is the operation that computed g."""
        source, k = edge
        key = edge if k else source
        total = self.grads.get(key)
        if type(source) is Node:
            if total is None:
                heappush(self.queue, (-source.number, source))
            shape, dtype = source.more[k - 1] if k else (source.shape, source.dtype)
        else:
            shape, dtype = source.array.shape, source.array.dtype  # type: ignore[union-attr]
        if type(g) is not ndarray:
            if type(g) is Patch:
                if key not in self.owned:
                    self.grads[key] = np.zeros(shape, dtype) if total is None else total.copy()
                    self.owned.add(key)
                g.add_to(self.grads[key])
                return
            g = np.asarray(g)
        if g.shape != shape:
            g = sum_to(shape, g, name)  # the operation broadcast this input
        if total is None:
            self.grads[key] = g if g.dtype is dtype else g.astype(dtype)
            if memory:
                self.owned.add(key)
        elif key in self.owned:
            total += g
        else:
            self.grads[key] = np.add(total, g, out=np.empty(shape, dtype))
            self.owned.add(key)


def run_backward(
    roots: Sequence[tuple[Edge, Array]], retain_graph: bool = False, wanted: Iterable[Edge] = ()
) -> dict[Edge, Array]:
    """The gradients of all leaves below the roots, or of the edges in `wanted` alone; nothing else has their arrays.

    roots         where to begin, and with which gradient
    retain_graph  whether the graph may be used again; otherwise each node is freed as soon as it was visited
    Raises RuntimeError where the pass arrives at a freed node, or at one that saved a value which was changed since.
    """
    table, wanted = Table(), set(wanted)
    closed = leading_nowhere([edge for edge, _ in roots], wanted) if wanted else ()
    found: dict[Edge, Array] = {}
    kept: list[tuple[Hook, Array]] = []
    for edge, g in roots:
        table.add(edge, g, SHARED, "backward")
    queue, add, pop = table.queue, table.add, table.grads.pop
    while queue:
        node = heappop(queue)[1]
        if node in closed:
            continue
        grads: list[Array | None] = [pop(node, None)]
        if node.more:
            grads += [pop((node, k), None) for k in range(1, 1 + len(node.more))]
            if all(g is None for g in grads):  # visited already: it is queued once for each output
                continue
        if node.hooks:
            grads = run_hooks(node.hooks, grads, kept)
        if wanted:
            found |= {(node, k): g.copy() for k, g in enumerate(grads) if (node, k) in wanted and g is not None}
        pullback, parents, name, memory = node.pullback, node.parents, node.name, node.memory
        if pullback is None:
            raise RuntimeError(FREED.format(name))
        for version in node.saved:
            if version[0]:
                check_unchanged(node)
        if memory == IN_PLACE and (node.hooks or node not in table.owned):
            grads = [np.array(grads[0])]
        if not retain_graph:
            node.pullback, node.parents, node.saved = None, (), ()
        gradients = pullback(*grads)
        if len(gradients) != len(parents):
            raise RuntimeError(f"backward: {name!r} returned {len(gradients)} gradients for {len(parents)} inputs")
        for parent, gradient in zip(parents, gradients):  # noqa: B905 (strict=True takes longer than the check)
            if parent is not None and gradient is not None:
                add(parent, gradient, memory, name)
    found |= arrived(table, wanted, kept)
    for hook, g in kept:
        hook.call(g)
    return found


def arrived(table: Table, wanted: set[Edge], kept: list[tuple[Hook, Array]]) -> dict[Edge, Array]:
    """What is left in the table when the queue is empty: the gradients of leaves, and of `wanted` nodes in `closed`.

    A leaf that requires no gradient any more gets none.
    """
    found: dict[Edge, Array] = {}
    for key, g in table.grads.items():
        source, k = edge = key if isinstance(key, tuple) else (key, 0)
        if edge not in wanted if wanted else not source.wants_grad:  # type: ignore[union-attr]
            continue
        if source.hooks:
            replaced = run_hooks([hook for hook in source.hooks if hook.k == k], [None] * k + [g], kept)[k]
            table.owned -= {key} if replaced is not g else set()
            g = replaced
        found[edge] = g if key in table.owned and g.flags.c_contiguous else g.copy()
    return found


def run_hooks(hooks: Sequence[Hook], grads: Sequence[Any], kept: list[tuple[Hook, Array]]) -> list[Any]:
    """Calls the hooks, each with its finished gradient, and returns the gradients after that; adds to `kept`."""
    grads = list(grads)
    for hook in tuple(hooks):  # a hook may remove itself
        if grads[hook.k] is not None and not hook.keeps:
            replacement = hook.call(grads[hook.k])
            grads[hook.k] = grads[hook.k] if replacement is None else replacement
    kept += [(hook, grads[hook.k].copy()) for hook in hooks if hook.keeps and grads[hook.k] is not None]
    return grads


_accumulating = threading.Lock()


def accumulate(found: dict[Any, Array]) -> None:
    """value.grad += g for each value and g. Nothing else may refer to the arrays: they may become the gradients."""
    with _accumulating:  # threads may share leaves
        for value, g in found.items():
            total = value.total_grad
            if total is None:
                value.total_grad = make(Value.result, g)
            else:
                total.array += g
                if total.version is None:
                    total.version = [0]
                total.version[0] += 1
