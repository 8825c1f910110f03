"""`record`: an operation's result, with a node behind it when one is needed. Every op ends with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinyrnn.autograd.graph import Array, ManyNode, Node, Part, Pullback, Source, V, Value, make
from tinyrnn.autograd.modes import mode
from tinyrnn.autograd.views import share, source_of, version_of


def needs_grad(value: Value | None) -> bool:
    """Whether an operation that runs now has to provide a gradient for `value`."""
    return value is not None and mode.grad and source_of(value) is not None


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
    pullback      g -> a gradient for each of the inputs (an array, a Patch, or None), where g has the result's
                  shape. Where the operation broadcast an input, the engine sums the gradient back
    saved         those of the inputs that the pullback reads; changing one of them in place later makes a
                  backward pass through here an error instead of a wrong number
    saves_output  whether the pullback reads the result, likewise
    view_of       the input whose memory the result shows, if it does
    """
    out: V = make(inputs[0].result, array)  # type: ignore[union-attr]
    if view_of is not None:
        share(out, view_of)
    sources = sources_of(inputs) if mode.grad else None
    if sources is not None:
        out.node = Node(name, sources, pullback, out.array.shape, out.array.dtype)
        for value in saved:
            if value is not None:
                _save(out.node, value)
        if saves_output:
            _save(out.node, out)
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
    outs: list[V] = [make(inputs[0].result, array) for array in arrays]  # type: ignore[union-attr]
    if view_of is not None:
        for out in outs:
            share(out, view_of)
    sources = sources_of(inputs) if mode.grad else None
    if sources is not None:
        node = ManyNode(name, sources, pullback, [(y.shape, y.dtype) for y in arrays])
        for value in (*saved, *[outs[k] for k in saved_outputs]):
            if value is not None:
                _save(node, value)
        for k, out in enumerate(outs):
            out.node = Node(name, (node,), lambda g, k=k: (Part(k, g),), *node.parts[k])
    return outs


def sources_of(inputs: Sequence[Value | None]) -> list[Source | None] | None:
    """The source of each input; None if no input needs a gradient."""
    sources: list[Source | None] = []
    needed = False
    for value in inputs:
        source = None if value is None else source_of(value)
        sources.append(source)
        if source is not None:
            needed = True
    return sources if needed else None


def _save(node: Node, value: Value) -> None:
    """Notes the version of a value that the pullback reads."""
    version = version_of(value)
    node.saved = (*node.saved, version)
    node.saved_at += version[0]
