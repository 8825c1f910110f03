"""The backward pass: the recorded program run in reverse, without recursion, in time linear in its length.

    for every node, the last one recorded first:
        dL/d(input_1), ..., dL/d(input_n)  +=  pullback(dL/d(output))

A node is made after those that its inputs come from, so in this order it comes after all of its consumers. Gradients
travel in a table outside the graph. They reach `.grad` of the leaves when the whole pass went well, so a pass that
fails changes none of them. A node frees what it saved as soon as it was visited.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any

import numpy as np

from tinyrnn.autograd.graph import (
    Array,
    Elsewhere,
    Fresh,
    Hook,
    ManyNode,
    Node,
    Owned,
    PartNode,
    Patch,
    Source,
    StandIn,
    Value,
    ndarray,
)
from tinyrnn.kernels.sums import sum_axes, sum_rows

_number = attrgetter("number")


class Totals:
    """The gradient of each source: the sum of what its consumers have sent so far.

    A pullback may return an array that it, or somebody else, still holds. So a sum is written into only if its array
    was made here, or is `Fresh` (`own`). This keeps two leaves from ever sharing one array.
    """

    __slots__ = ("of", "own")

    def __init__(self) -> None:
        self.of: dict[Source, Any] = {}  # an array each; for a ManyNode {k: array}
        self.own: set[Source] = set()

    def add(self, source: Source, g: Any, name: str) -> None:
        """of[source] += g, in the shape and dtype of the source; `name` is the operation that computed g."""
        like = source if isinstance(source, Node) else source.array
        total = self.of.get(source)
        if type(g) is not ndarray:
            if isinstance(g, Patch):
                if source not in self.own:
                    self.of[source] = np.zeros(like.shape, like.dtype) if total is None else total.copy()
                    self.own.add(source)
                g.add_to(self.of[source])
                return
            if isinstance(g, Owned):  # nobody else's: it becomes the sum without a copy
                g = g.g
                if total is None and g.shape == like.shape and g.dtype == like.dtype:
                    self.of[source] = g
                    self.own.add(source)
                    return
            g = np.asarray(g)
        if g.shape != like.shape:
            g = unbroadcast(g, like.shape, name)
        if total is None:
            self.of[source] = g if g.dtype is like.dtype else g.astype(like.dtype)
        elif source in self.own:
            total += g
        else:
            self.of[source] = np.add(total, g, out=np.empty(like.shape, like.dtype))
            self.own.add(source)


def run_backward(
    roots: Sequence[tuple[Source, Array]],
    retain_graph: bool = False,
    watched: Iterable[Source] = (),
    totals: Totals | None = None,
    outside: Sequence[Source] = (),
) -> dict[Source, Array]:
    """The gradients of all leaves below the roots, and of the nodes in `watched`; each array is nobody else's.

    roots         where to begin, and with which gradient
    retain_graph  whether the graph may be gone through again
    totals        of a pass that this one is a part of: to these goes what reaches the sources `outside`, where it ends
    """
    nodes, leaves = explore([source for source, _ in roots], outside)
    nodes.sort(key=_number, reverse=True)
    if totals is None:
        totals = Totals()
    of, own, add = totals.of, totals.own, totals.add
    for source, g in roots:
        add(source, g, "backward")
    watched = set(watched)
    found: dict[Source, Array] = {}
    kept: list[tuple[Hook, Array]] = []
    hooked = False
    for node in nodes:
        total = of.pop(node, None)
        if node.hooks and total is not None:
            total = run_hooks(node.hooks, total, kept)
            hooked = True
        if watched and node in watched and total is not None:
            found[node] = total.copy()
        if hooked:  # a hook may have changed a value, or begun another pass
            check_usable(node)
        parents, kind = node.parents, type(node)
        pullback: Any = node.pullback
        if not retain_graph:
            node.parents, node.pullback, node.saved = (), None, ()
        if total is None:  # the loss does not depend on it after all
            continue
        if kind is Node:
            gradients = pullback(total)
        elif kind is PartNode:  # from here on later: operations with several results, and those that own their gradient
            of.setdefault(parents[0], {})[node.k] = total  # type: ignore[arg-type, attr-defined]
            continue
        elif kind is StandIn:
            pullback(totals, parents, total)
            hooked = True  # what ran then may have done the same
            continue
        elif kind is ManyNode:
            gradients = pullback(*node.filled(total))  # type: ignore[attr-defined]
        else:  # an OwningNode
            gradients = pullback(total if node in own and not node.hooks else total.copy())
        if len(gradients) != len(parents):
            raise RuntimeError(f"backward: {node.name!r} returned {len(gradients)} gradients for {len(parents)} inputs")
        fresh = type(gradients) is Fresh
        if type(gradients) is Elsewhere:
            hooked = True
        for parent, g in zip(parents, gradients):  # noqa: B905 (strict=True takes longer than the check)
            if parent is None or g is None:
                continue
            if parent not in of and type(g) is ndarray:  # most often: the first gradient, and it is as it should be
                like = parent if isinstance(parent, Node) else parent.array
                if g.shape == like.shape and g.dtype is like.dtype:
                    of[parent] = g
                    if fresh:
                        own.add(parent)
                    continue
            add(parent, g, node.name)
    for leaf in leaves:
        total = of.pop(leaf, None)
        if total is not None:
            if leaf.hooks:
                total = run_hooks(leaf.hooks, total, kept)
            found[leaf] = total if leaf in own and total.flags.c_contiguous else total.copy()
    for hook, g in kept:
        hook.call(g)
    if outside:
        own.difference_update(nodes, leaves)  # the other pass goes on without them
    return found


def explore(roots: Sequence[Source], outside: Sequence[Source] = ()) -> tuple[list[Node], list[Value]]:
    """All nodes and all leaves below the roots, and these themselves; not those outside, nor what is below them alone.

    Raises RuntimeError, before anything is computed, where the pass would fail or its numbers would be wrong.
    """
    seen = set(outside)
    nodes: list[Node] = []
    leaves: list[Value] = []
    stack: list[Source | None] = list(roots)
    while stack:
        source = stack.pop()
        if source is None or source in seen:
            continue
        seen.add(source)
        if not isinstance(source, Node):
            leaves.append(source)
            continue
        nodes.append(source)
        if source.pullback is None:
            check_usable(source)
        for version in source.saved:
            if version[0]:  # versions only grow: where all are 0, none has changed
                check_usable(source)
                break
        stack += source.parents
    return nodes, leaves


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
            f"backward: a tensor that {node.name!r} needs was changed in place after {node.name!r} had used it, by an "
            "optimizer's step perhaps. Change it after backward, or a clone() of it; a state that is carried from one "
            "training step to the next needs detach() in between"
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
    if extra == 1 and g.shape[1:] == shape and g.size:  # a bias that was added to every row, most often
        return sum_rows(g.reshape(len(g), -1)).reshape(shape)
    if extra < 0 or any(n not in (1, m) for n, m in zip(shape, g.shape[extra:], strict=True)):
        raise RuntimeError(f"backward: {name!r} returned a gradient of shape {g.shape} for an input of shape {shape}")
    repeated = [extra + i for i, n in enumerate(shape) if n != g.shape[extra + i]]
    if not repeated:
        return sum_rows(g.reshape(-1, math.prod(shape))).reshape(shape) if g.size else np.zeros(shape, g.dtype)
    return sum_axes(g, (*range(extra), *repeated), g.dtype, keepdims=True).reshape(shape)
