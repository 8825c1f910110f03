"""The backward pass: the recorded program run in reverse, without recursion, in time linear in its length.

    for every node that a gradient reaches, the one recorded last first:
        dL/d(input_1), ..., dL/d(input_n)  +=  pullback(dL/d(output))

A node has a larger number than those that its inputs come from. So the node with the largest number has received all
of its gradient: nodes that are still to be visited have smaller numbers, and send theirs to still smaller ones.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Sequence
from heapq import heappop, heappush
from typing import Any

import numpy as np

from tinyrnn.autograd.graph import IN_PLACE, SHARED, Array, Edge, Hook, Node, Patch, Value, make, ndarray
from tinyrnn.kernels.sums import sum_axes, sum_rows


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
            g = unbroadcast(g, shape, name)
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


CHANGED = (
    "backward: a tensor that {0!r} needs was changed in place after {0!r} had used it, by an optimizer's step perhaps. "
    "Change it after backward, or a clone() of it; a state that is carried from one training step to the next needs "
    "detach() in between"
)
FREED = (
    "backward: a second time through {0!r}, whose graph the first pass has freed. Give the first backward "
    "retain_graph=True, or compute the loss again; a state that is carried from one training step to the next needs "
    "detach() in between"
)


def check_unchanged(node: Node) -> None:
    """Raises RuntimeError if a value that the node saved was changed in place since."""
    for version in node.saved:
        if version[0]:  # versions only grow: where all are 0, none has changed
            if sum([version[0] for version in node.saved]) != node.saved_at:
                raise RuntimeError(CHANGED.format(node.name))
            return


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


def leading_nowhere(roots: Iterable[Edge], wanted: set[Edge]) -> set[Node]:
    """The nodes below the roots from which no `wanted` edge is reached: neither pullbacks nor hooks of theirs run."""
    nodes, _ = explore(roots, wanted)
    leading: set[Node | Value] = set()
    for node in sorted(nodes, key=lambda node: node.number):  # parents first
        if any(edge is not None and (edge in wanted or edge[0] in leading) for edge in node.parents):
            leading.add(node)
    return nodes - leading


def explore(roots: Iterable[Edge | None], wanted: Iterable[Edge] = ()) -> tuple[set[Node], set[Edge]]:
    """All nodes below the roots, and all edges: the roots' own, and those that lead from these nodes.

    Raises RuntimeError at a freed node, whose edges are not known any more, unless it is `wanted` itself.
    """
    nodes: set[Node] = set()
    edges: set[Edge] = set()
    stack = list(roots)
    while stack:
        edge = stack.pop()
        if edge is None or edge in edges:
            continue
        edges.add(edge)
        node = edge[0]
        if isinstance(node, Node) and node not in nodes:
            nodes.add(node)
            if node.pullback is None and edge not in wanted:
                raise RuntimeError(FREED.format(node.name))
            stack += node.parents
    return nodes, edges


def run_hooks(hooks: Sequence[Hook], grads: Sequence[Any], kept: list[tuple[Hook, Array]]) -> list[Any]:
    """Calls the hooks, each with its finished gradient, and returns the gradients after that; adds to `kept`."""
    grads = list(grads)
    for hook in tuple(hooks):  # a hook may remove itself
        if grads[hook.k] is not None and not hook.keeps:
            replacement = hook.call(grads[hook.k])
            grads[hook.k] = grads[hook.k] if replacement is None else replacement
    kept += [(hook, grads[hook.k].copy()) for hook in hooks if hook.keeps and grads[hook.k] is not None]
    return grads


def unbroadcast(g: Array, shape: tuple[int, ...], name: str) -> Array:
    """The sum of `g` over the axes along which an operand of `shape` was repeated: the pullback of broadcasting."""
    extra = g.ndim - len(shape)
    if extra == 1 and g.shape[1:] == shape and g.size:  # a bias that was added to every row, most often
        return sum_rows(g.reshape(len(g), -1)).reshape(shape)
    if extra < 0 or any(n not in (1, m) for n, m in zip(shape, g.shape[extra:], strict=True)):
        raise RuntimeError(f"backward: {name!r} returned a gradient of shape {g.shape} for an input of shape {shape}")
    repeated = [extra + i for i, n in enumerate(shape) if n != g.shape[extra + i]]
    if not repeated:
        return sum_rows(g.reshape(-1, math.prod(shape))).reshape(shape) if g.size else np.zeros(shape, g.dtype)
    return sum_axes(g, (*range(extra), *repeated), g.dtype, keepdims=True).reshape(shape)


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
