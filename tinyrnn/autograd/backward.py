"""Asking for gradients: `backward` fills `.grad` of the leaves, `grad` returns the gradients of what you name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from tinyrnn.autograd.engine import accumulate, explore, run_backward
from tinyrnn.autograd.graph import Array, Edge, Value, make
from tinyrnn.autograd.views import edge_of


def backward(
    tensors: Value | Sequence[Value],
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Value | Sequence[Value] | None = None,
) -> None:
    """Adds dL/dx to `x.grad` of every leaf x below the tensors, for L = sum_i <grad_tensors_i, tensors_i>.

    tensors       one or several, of any shape
    grad_tensors  for each, a tensor of its shape, dL/d(it); None stands for 1 where the tensor has one element
    retain_graph  keep what was saved, so that another pass may follow; by default it is freed
    create_graph  must be False: the backward pass is not itself recorded
    inputs        fill only these leaves' `.grad`
    Unlike torch's, a freed graph is refused also where nothing had been saved in it.
    Raises RuntimeError (no graph; several elements and no gradient), ValueError (shapes), TypeError (types) and
    NotImplementedError (create_graph) before any arithmetic; RuntimeError where the pass arrives at an operation that
    was used and freed, or whose saved tensor was changed in place: then no `.grad` has changed.
    Source: torch.autograd.backward.

    >>> import tinyrnn
    >>> x = tinyrnn.tensor([1.0, 2.0, 3.0], requires_grad=True)
    >>> backward((x * x).sum())
    >>> x.grad
    tensor([2., 4., 6.])
    """
    roots = _roots("backward", tensors, grad_tensors, create_graph)
    if inputs is None:
        found = run_backward(roots, bool(retain_graph))
        accumulate({leaf: g for (leaf, _), g in found.items()})
        return
    only = {_edge("backward", x): x for x in _several("backward", "inputs", inputs)}
    found = run_backward(roots, bool(retain_graph), only)
    accumulate({only[edge]: g for edge, g in found.items()})


def grad(
    outputs: Value | Sequence[Value],
    inputs: Value | Sequence[Value],
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool = False,
) -> tuple[Any, ...]:
    """dL/dx for each x in `inputs`, leaf or not, where L = sum_i <grad_outputs_i, outputs_i>; leaves' `.grad` stays.

    Arguments and errors as in `backward`. An input that the outputs do not depend on raises RuntimeError, or gives
    None with allow_unused=True. Returns a tuple, each of the shape of its input. Source: torch.autograd.grad.

    >>> import tinyrnn
    >>> h = tinyrnn.tensor([1.0, 2.0], requires_grad=True)
    >>> y = h * h
    >>> grad((3 * y).sum(), [h, y])
    (tensor([ 6., 12.]), tensor([3., 3.]))
    """
    values = _several("grad", "inputs", inputs)
    edges = [_edge("grad", x) for x in values]
    roots = _roots("grad", outputs, grad_outputs, create_graph)
    if not allow_unused:
        below = explore([edge for edge, _ in roots], edges)[1]
        for i, edge in enumerate(edges):
            if edge not in below:
                raise RuntimeError(
                    f"grad: the outputs do not depend on inputs[{i}], of shape {values[i].shape}: "
                    "leave it out, or say allow_unused=True to get None for it"
                )
    found = run_backward(roots, bool(retain_graph), edges)
    return tuple([make(Value.result, found[edge].copy()) if edge in found else None for edge in edges])


def _several(name: str, what: str, values: Value | Sequence[Value] | Any) -> list[Any]:
    several = [values] if isinstance(values, Value) or not isinstance(values, Iterable) else list(values)
    for i, value in enumerate(several):
        if not isinstance(value, Value):
            raise TypeError(f"{name}: {what}[{i}] is {type(value).__name__}, expected a tensor")
    if not several:
        raise ValueError(f"{name}: {what} is empty, expected at least one tensor")
    return several


def _edge(name: str, value: Value) -> Edge:
    edge = edge_of(value)
    if edge is None:
        raise RuntimeError(
            f"{name}: a tensor of shape {value.shape} does not require a gradient: nothing that it was computed "
            "from had requires_grad=True, or it was computed under no_grad(), detached, or made from an array"
        )
    return edge


def _roots(name: str, outputs: Value | Sequence[Value], gradients: Any, create_graph: bool) -> list[tuple[Edge, Array]]:
    """(edge, dL/d output) of each output, all checked."""
    if create_graph:
        raise NotImplementedError(
            f"{name}: create_graph=True is not supported: the backward pass works on arrays and is not recorded. "
            "For second derivatives, difference the gradient: (grad at x + h) - (grad at x - h), over 2h"
        )
    if isinstance(outputs, Value) and (gradients is None or isinstance(gradients, Value)):  # most often
        return [(_edge(name, outputs), _gradient(name, outputs, gradients))]
    tensors = _several(name, "outputs", outputs)
    given = [None] * len(tensors) if gradients is None else gradients
    given = list(given) if isinstance(given, list | tuple) else [given]
    if len(given) != len(tensors):
        raise ValueError(f"{name}: {len(given)} gradients for {len(tensors)} outputs, expected one for each")
    return [(_edge(name, y), _gradient(name, y, g)) for y, g in zip(tensors, given, strict=True)]


def _gradient(name: str, output: Value, gradient: Any) -> Array:
    shape, dtype = output.array.shape, output.array.dtype
    if gradient is None:
        if output.array.size != 1:
            raise RuntimeError(
                f"{name}: the output has shape {shape}, and only for a single element is the gradient known to be 1: "
                f"reduce it first, as in loss.sum(), or pass the gradient, a tensor of shape {shape}"
            )
        return np.ones(shape, dtype)
    if not isinstance(gradient, Value):
        raise TypeError(f"{name}: the gradient is {type(gradient).__name__}, expected a tensor of shape {shape}")
    if gradient.array.shape != shape:
        raise ValueError(f"{name}: the gradient has shape {gradient.shape}, the output has shape {shape}")
    return gradient.array.astype(dtype, copy=False)
