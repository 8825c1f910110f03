"""`record`: an operation's result, with a node behind it when one is needed. Every op ends with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinyrnn.autograd.graph import Array, ManyNode, Node, PartNode, Pullback, Source, V, Value, make
from tinyrnn.autograd.modes import state
from tinyrnn.autograd.views import share, source_of


def needs_grad(value: Value | None) -> bool:
    """Whether the pullback of an operation on `value` has to provide a gradient for it, if it is recorded."""
    if value is None:
        return False
    if value.base is not None:  # a view, whose node may be out of date
        return source_of(value) is not None
    return value.node is not None or value.wants_grad


def record(
    name: str,
    array: Any,
    inputs: Sequence[V | None],
    pullback: Pullback,
    *,
    saved: Sequence[V | None] = (),
    saves_output: bool = False,
    view_of: V | None = None,
) -> V:
    """The result of an operation, as a value that knows where it came from.

    name          what error messages call the operation
    array         its result
    inputs        what it was computed from; None stands for a constant
    pullback      g -> a gradient for each of the inputs (an array, a Patch, or None; in a `Fresh` if nobody else
                  holds any of them), where g has the result's shape. Where the operation broadcast an input, the
                  engine sums the gradient back
    saved         those of the inputs that the pullback reads; changing one of them in place later makes a
                  backward pass through here an error instead of a wrong number
    saves_output  whether the pullback reads the result, likewise
    view_of       the input whose memory the result shows, if it does
    """
    try:
        sources = sources_of(inputs) if state.grad else None
        out: V = make(inputs[0].result, array)  # type: ignore[union-attr]
    except AttributeError:  # the first input is None, or one is no tensor
        out = make(first_value(name, inputs).result, array)
    if view_of is not None:
        share(out, view_of)
    if sources is not None:
        array = out.array
        node = out.node = Node(name, sources, pullback, array.shape, array.dtype)
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
) -> list[V]:
    """`record` for several results: the pullback takes a gradient for each, zeros for those the loss never used."""
    try:
        sources = sources_of(inputs) if state.grad else None
        cls: type[V] = inputs[0].result  # type: ignore[union-attr]
    except (AttributeError, IndexError):  # the first input is None, or one is no tensor, or there is none
        cls = first_value(name, inputs).result
    outs: list[V] = [make(cls, array) for array in arrays]
    if view_of is not None:
        for out in outs:
            share(out, view_of)
    if sources is not None:
        node = connect(name, outs, sources, pullback)
        save(node, saved)
        if saved_outputs:
            save(node, [outs[k] for k in saved_outputs])
    return outs


def connect(name: str, outs: Sequence[V], sources: Sequence[Source | None], pullback: Pullback) -> ManyNode:
    """The node that has made several values, once each of them has its part of it."""
    node = ManyNode(name, sources, pullback, [(y.array.shape, y.array.dtype) for y in outs])
    for k, out in enumerate(outs):
        out.node = PartNode(node, k)
    return node


def first_value(name: str, inputs: Sequence[V | None]) -> V:
    """The first of the inputs that is not None. Raises TypeError for those that are no values, ValueError for none."""
    for i, value in enumerate(inputs):
        if not isinstance(value, Value | None):
            raise TypeError(
                f"{name}: inputs[{i}] of record() is {type(value).__name__}, expected a tensor, or None for a constant"
            )
    for value in inputs:
        if value is not None:
            return value
    raise ValueError(f"{name}: record() was given no tensor among its inputs, expected at least one")


def sources_of(inputs: Sequence[Value | None]) -> list[Source | None] | None:
    """The source of each input; None if no input needs a gradient."""
    sources: list[Source | None] = []
    needed = False
    for value in inputs:
        source: Source | None = None
        if value is not None:
            source = value.node if value.base is None else source_of(value)
            if source is None and value.wants_grad:
                source = value
            if source is not None:
                needed = True
        sources.append(source)
    return sources if needed else None


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
