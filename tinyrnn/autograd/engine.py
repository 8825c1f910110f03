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

from tinyrnn.autograd.graph import Array, Edge, Hook, Node, Patch, Value, make, ndarray
from tinyrnn.kernels.sums import sum_axes, sum_rows


class Table:
    """The gradients on their way, each the sum of what was sent so far, and the nodes that they have reached."""

    def __init__(self) -> None:
        self.grads: dict[Node | Value, list[Any]] = {}  # for each output of a node; None where nothing was sent
        self.owned: set[Edge] = set()  # sums to whose array nothing else refers: they may be written into
        self.queue: list[tuple[int, Node]] = []  # a heap: the node with the largest number comes first

    def add(self, edge: Edge, g: Any, fresh: bool, name: str) -> None:
        """grads[edge] += g, in the shape and dtype of what the edge names; `name` is the operation that computed g."""
        source, k = edge
        grads = self.grads.get(source)
        if type(source) is Node:
            shape, dtype = source.outputs[k]
            if grads is None:
                grads = self.grads[source] = [None] * len(source.outputs)
                heappush(self.queue, (-source.number, source))
        else:
            shape, dtype = source.array.shape, source.array.dtype  # type: ignore[union-attr]
            if grads is None:
                grads = self.grads[source] = [None]
        total = grads[k]
        if type(g) is Patch:
            if edge not in self.owned:
                grads[k] = np.zeros(shape, dtype) if total is None else total.copy()
                self.owned.add(edge)
            g.add_to(grads[k])
            return
        if type(g) is not ndarray:
            g = np.asarray(g)
        if g.shape != shape:
            g = unbroadcast(g, shape, name)
        if total is None:
            grads[k] = g if g.dtype is dtype else g.astype(dtype)
            if fresh:
                self.owned.add(edge)
        elif edge in self.owned:
            total += g
        else:
            grads[k] = np.add(total, g, out=np.empty(shape, dtype))
            self.owned.add(edge)


def run_backward(
    roots: Sequence[tuple[Edge, Array]], retain_graph: bool = False, wanted: Iterable[Edge] = ()
) -> dict[Edge, Array]:
    """The gradients of all leaves below the roots, or of the edges in `wanted` alone; nothing else has their arrays.

    roots         where to begin, and with which gradient
    retain_graph  whether the graph may be used again; otherwise each node is freed as soon as it was visited
    Raises RuntimeError where the pass arrives at a freed node, or at one that saved a value which was changed since.
    """
    table, wanted = Table(), set(wanted)
    if wanted:
        close(table, [edge for edge, _ in roots], wanted)
    for edge, g in roots:
        table.add(edge, g, False, "backward")
    found: dict[Edge, Array] = {}
    kept: list[tuple[Hook, Array]] = []
    while table.queue:
        node = heappop(table.queue)[1]
        grads = table.grads.pop(node)
        if node.hooks:
            grads = run_hooks(node.hooks, grads, kept)
        if wanted:
            found |= {(node, k): g.copy() for k, g in enumerate(grads) if (node, k) in wanted and g is not None}
        for version, number in node.saved:
            if version[0] != number:
                raise RuntimeError(CHANGED.format(node.name))
        pullback, parents = node.pullback, node.parents
        if pullback is None:
            raise RuntimeError(FREED.format(node.name))
        if node.overwrites and (node.hooks or (node, 0) not in table.owned):
            grads = [grads[0].copy()]
        if not retain_graph:
            node.pullback, node.parents, node.saved = None, (), ()
        gradients = pullback(*grads)
        if len(gradients) != len(parents):
            raise RuntimeError(f"backward: {node.name!r} returned {len(gradients)} gradients for {len(parents)} inputs")
        for parent, gradient in zip(parents, gradients):  # noqa: B905 (strict=True takes longer than the check)
            if parent is not None and gradient is not None:
                table.add(parent, gradient, node.fresh, node.name)
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


def arrived(table: Table, wanted: set[Edge], kept: list[tuple[Hook, Array]]) -> dict[Edge, Array]:
    """What is left in the table when no node is: the gradients of leaves, and of `wanted` nodes that lead to no other.

    A leaf that requires no gradient any more gets none.
    """
    found: dict[Edge, Array] = {}
    for source, grads in table.grads.items():
        edges = [(source, k) for k, g in enumerate(grads) if g is not None]
        if not any(edge in wanted for edge in edges) if wanted else not getattr(source, "wants_grad", False):
            continue
        if source.hooks:
            grads, table.owned = run_hooks(source.hooks, grads, kept), table.owned - set(edges)
        for edge in edges:
            g = grads[edge[1]]
            found[edge] = g if edge in table.owned and g.flags.c_contiguous else g.copy()
    return {edge: g for edge, g in found.items() if edge in wanted} if wanted else found


def close(table: Table, roots: Iterable[Edge], wanted: set[Edge]) -> None:
    """Closes the nodes that lead to no `wanted` edge: with an entry in the table from the start, none enters the queue.

    So neither their pullbacks run nor their hooks, and they are not freed.
    """
    below, _ = explore(roots, wanted)
    leading: set[Node | Value] = set()
    for node in sorted(below, key=lambda node: node.number):  # parents first
        if any(edge is not None and (edge in wanted or edge[0] in leading) for edge in node.parents):
            leading.add(node)
        else:
            table.grads[node] = [None] * len(node.outputs)


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
