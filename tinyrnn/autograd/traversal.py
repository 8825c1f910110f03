"""Walks over a recorded graph that compute nothing: what lies below a result, and whether it can still be used."""

from __future__ import annotations

from collections.abc import Iterable

from tinyrnn.autograd.graph import Edge, Node, Value

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
