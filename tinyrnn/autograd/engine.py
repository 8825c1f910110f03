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

from tinyrnn.autograd.graph import Array, Hook, ManyNode, Node, Owned, Part, Patch, Source, StandIn
from tinyrnn.kernels.sums import sum_axes, sum_rows

_number = attrgetter("number")


class Totals:
    """The gradient of each source: the sum of what its consumers have sent so far.

    A pullback may return an array that it, or somebody else, still holds. So a sum is written into only if its array
    was made here (`own`). This keeps two leaves from ever sharing one array.
    """

    __slots__ = ("of", "own")

    def __init__(self) -> None:
        self.of: dict[Source, Any] = {}  # an array each; for a ManyNode {k: array}
        self.own: set[Source] = set()

    def add(self, source: Source, g: Any, name: str) -> None:
        """of[source] += g, in the shape and dtype of the source; `name` is the operation that computed g."""
        like = source if isinstance(source, Node) else source.array
        total = self.of.get(source)
        if type(g) is not np.ndarray:
            if isinstance(g, Part):
                self.of.setdefault(source, {})[g.k] = g.g
                return
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
    sources = explore([source for source, _ in roots], outside)
    sources.sort(key=_number, reverse=True)  # the leaves, whose number is 0, come last
    totals = totals or Totals()
    add, own = totals.add, totals.own
    for source, g in roots:
        add(source, g, "backward")
    watched = set(watched)
    found: dict[Source, Array] = {}
    kept: list[tuple[Hook, Array]] = []
    hooked = False
    for source in sources:
        total = totals.of.pop(source, None)
        if source.hooks and total is not None:
            total = run_hooks(source.hooks, total, kept)
            hooked = True
        if not isinstance(source, Node):
            if total is not None:
                found[source] = total if source in own else total.copy()
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
            continue
        if type(source) is Node:
            gradients = pullback(total)
        elif type(source) is StandIn:
            pullback(totals, parents, total)
            hooked = True  # what ran then may have done the same
            continue
        elif isinstance(source, ManyNode):
            gradients = pullback(*source.filled(total))
        else:  # an OwningNode
            gradients = pullback(total if source in own and not source.hooks else total.copy())
        if len(gradients) != len(parents):
            raise RuntimeError(f"backward: {name!r} returned {len(gradients)} gradients for {len(parents)} inputs")
        for parent, sent in zip(parents, gradients):  # noqa: B905 (strict=True takes longer than the check)
            if parent is not None and sent is not None:
                add(parent, sent, name)
    for hook, g in kept:
        hook.call(g)
    if outside:
        own.difference_update(sources)  # the other pass goes on without them
    return found


def explore(roots: Sequence[Source], outside: Sequence[Source] = ()) -> list[Source]:
    """All nodes and leaves below the roots, and these themselves; not those outside, nor what is below them alone.

    Raises RuntimeError, before anything is computed, where the pass would fail or its numbers would be wrong.
    """
    seen = set(outside)
    below = [source for source in dict.fromkeys(roots) if source not in seen]
    seen.update(below)
    stack = list(below)
    while stack:
        node = stack.pop()
        if isinstance(node, Node):
            if node.saved or node.pullback is None:
                check_usable(node)
            for parent in node.parents:
                if parent is not None and parent not in seen:
                    seen.add(parent)
                    below.append(parent)
                    stack.append(parent)
    return below


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
    if extra == 1 and g.shape[1:] == shape and g.size:  # a bias that was added to every row, most often
        return sum_rows(g.reshape(len(g), -1)).reshape(shape)
    if extra < 0 or any(n not in (1, m) for n, m in zip(shape, g.shape[extra:], strict=True)):
        raise RuntimeError(f"backward: {name!r} returned a gradient of shape {g.shape} for an input of shape {shape}")
    repeated = [extra + i for i, n in enumerate(shape) if n != g.shape[extra + i]]
    if not repeated:
        return sum_rows(g.reshape(-1, math.prod(shape))).reshape(shape) if g.size else np.zeros(shape, g.dtype)
    return sum_axes(g, (*range(extra), *repeated), g.dtype, keepdims=True).reshape(shape)
