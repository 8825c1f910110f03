"""`record`: an operation's result, with a node behind it when a gradient is needed. Every operation ends with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinyrnn.autograd.graph import SHARED, Array, Edge, Gradient, Node, Pullback, V, Value, make
from tinyrnn.autograd.modes import state
from tinyrnn.autograd.views import edge_of, share


def record(
    name: str,
    array: Any,
    inputs: Sequence[V | None],
    pullback: Pullback,
    *,
    saved: Sequence[V | None] = (),
    saves_output: bool = False,
    view_of: V | None = None,
    memory: int = SHARED,
) -> V:
    """The result of an operation, as a value with the edge to the operation.

    name          what error messages call the operation
    array         its result
    inputs        what it was computed from; None stands for a constant
    pullback      g -> a gradient for each of the inputs (an array, a Patch, or None), where g has the result's shape.
                  Where the operation broadcast an input, the engine sums the gradient back
    saved         the inputs that the pullback reads; changing one of them in place later makes a backward pass
                  through here an error instead of a wrong number
    saves_output  whether the pullback reads the result, likewise
    view_of       the input whose memory the result shows, if it does
    memory        FRESH if all arrays that the pullback returns are new, and nothing else refers to them: the engine
                  may then add into them, or make them the `.grad` of a leaf, without a copy
    Raises TypeError if an input is neither a tensor nor None.
    """
    edges = edges_of(name, inputs) if state.grad else None
    out: V = make(Value.result, array)
    if view_of is not None:
        share(out, view_of)
    if edges is not None:
        array = out.array
        node = Node(name, edges, pullback, array.shape, array.dtype, memory)
        out.edge = (node, 0)
        if saved:
            save(node, saved)
        if saves_output:
            save(node, (out,))
    return out


def record_many(
    name: str,
    arrays: Sequence[Array],
    inputs: Sequence[V | None],
    pullback: Pullback,
    *,
    saved: Sequence[V | None] = (),
    saved_outputs: Sequence[int] = (),
    view_of: V | None = None,
    memory: int = SHARED,
    zeros: bool = True,
) -> list[V]:
    """`record` for several results. The pullback takes a gradient for each of them.

    zeros  whether it takes zeros for a result that the loss never used; otherwise it takes None for that
    """
    edges = edges_of(name, inputs) if state.grad else None
    outs: list[V] = [make(Value.result, array) for array in arrays]
    if view_of is not None:
        for out in outs:
            share(out, view_of)
    if edges is not None:
        specs = [(y.array.shape, y.array.dtype) for y in outs]

        def filled(*gs: Array | None) -> Sequence[Gradient]:
            return pullback(*[np.zeros(*spec) if g is None else g for g, spec in zip(gs, specs, strict=True)])

        node = Node(name, edges, filled if zeros else pullback, *specs[0], memory)
        node.more = specs[1:]
        for k, out in enumerate(outs):
            out.edge = (node, k)
        save(node, saved)
        save(node, [outs[k] for k in saved_outputs])
    return outs


def edges_of(name: str, inputs: Sequence[Value | None]) -> list[Edge | None] | None:
    """Where the gradient of each input goes, None for a constant; None instead of the list if all are constants."""
    edges: list[Edge | None] = []
    needed, tensor = False, Value.result
    for value in inputs:
        edge: Edge | None = None
        if value is not None:
            if type(value) is not tensor and not isinstance(value, Value):
                raise TypeError(f"{name}: record() was given a {type(value).__name__}, expected tensors or None")
            edge = value.edge if value.base is None else edge_of(value)  # the edge of a view may be out of date
            if edge is None and value.wants_grad:
                edge = (value, 0)
            if edge is not None:
                needed = True
        edges.append(edge)
    return edges if needed else None


def needs_grad(value: Value | None) -> bool:
    """Whether the pullback of an operation on `value` has to return a gradient for it, if it is recorded."""
    if value is None:
        return False
    if value.base is not None:
        return edge_of(value) is not None
    return value.edge is not None or value.wants_grad


def save(node: Node, values: Sequence[Value | None]) -> None:
    """Notes the versions of the values that the pullback reads."""
    for value in values:
        if value is not None:
            version = value.version
            if version is None:
                version = value.version = [0]
            elif version[0]:
                node.saved_at += version[0]
            node.saved += (version,)
