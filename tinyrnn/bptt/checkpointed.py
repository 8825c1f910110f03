"""Back-propagation through a long sequence in the memory of a short one: segments, computed again when they are due."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from tinyrnn.nn import Module
from tinyrnn.ops import cat
from tinyrnn.tensor import Tensor
from tinyrnn.utils.checkpoint import checkpoint
from tinyrnn.utils.nested import each, tensors_in


def checkpointed(
    function: Callable[..., tuple[Any, Any]],
    inputs: Tensor | Sequence[Tensor],
    hx: Any = None,
    segments: int | None = None,
    dim: int = 0,
) -> tuple[Any, Any]:
    """(out, h) = function(*inputs, h_0), segment by segment, with the activations of one segment at a time in memory.

        (out_k, h_k) = function(*inputs of segment k, h_{k-1}),   out = sum out_k, or all out_k joined;   h = h_S

    function  a layer, as it is: layer(x, hx) -> (y, states). Or a function of your own; where it returns the loss of
              the segment, a single number, and not y, nothing as long as the sequence remains
    inputs    a tensor, or several of equal length, such as (x, target), cut along dim: 0 for (T, N, ...), 1 for
              batch_first
    hx        the states at the beginning, in the form in which the function takes and returns them, or None
    segments  S, from 1 to T; by default T/256, rounded up, for in short segments the kernels are fastest, but no more
              than sqrt(T), for S states are kept too: fewer save the price of a call, more save memory
    out       numbers (tensors without axes) are added up: for a mean over the sequence let the function divide by T
              (a mean of its own over a segment is right only as long as there is one, up to 256 steps). Others are
              joined along dim. There may be several, in a tuple, list or dict

    Memory: O(T/S) activations and O(S) states, O(sqrt T) by default, beside inputs and out. Time: all segments but the
    last are computed twice, forward. Numbers and gradients are to the last bit those of the same
    loop over segments without recomputation; they differ from those of one call for the whole sequence by rounding, for
    a kernel adds up all T steps in one product of matrices, and here one for each segment.
    Raises TypeError and ValueError for inputs and segments that do not fit, for a function that returns no pair, and
    for a module with a layer that is bidirectional, whose way back would end at each segment's end, or whose
    batch_first does not fit dim (of layers that a function calls nothing is known); and as checkpoint does, which see
    for what a function may do.
    Source: Chen et al., Training deep nets with sublinear memory cost, 2016; Gruslys et al., Memory-efficient
    backpropagation through time, 2016.

    >>> import tinyrnn
    >>> from tinyrnn import bptt, nn
    >>> layer, readout = nn.LSTM(3, 4), nn.Linear(4, 1)
    >>> x, target = tinyrnn.randn(100, 5, 3), tinyrnn.randn(100, 5, 1)  # T = 100, N = 5
    >>> y, (h_n, c_n) = bptt.checkpointed(layer, x)
    >>> y.shape, c_n.shape
    ((100, 5, 4), (1, 5, 4))
    >>> def squared_error(x, target, hx):
    ...     y, hx = layer(x, hx)
    ...     return ((readout(y) - target) ** 2).sum() / 500, hx
    >>> loss, hx = bptt.checkpointed(squared_error, (x, target))
    >>> loss.backward()
    """
    several = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    T = _length(several, dim)
    _check_layers(function, dim)
    S = math.ceil(min(T / 256, math.sqrt(T))) if segments is None else segments
    if isinstance(S, bool) or not isinstance(S, int) or not 1 <= S <= T:
        raise ValueError(f"checkpointed: segments is {S!r}, expected a whole number from 1 to the number of steps, {T}")
    sizes = [T * (k + 1) // S - T * k // S for k in range(S)]
    outs = []
    for k, parts in enumerate(zip(*[x.split(sizes, dim) for x in several], strict=True)):
        # The backward pass begins with the last one, whose activations may as well be kept.
        made = checkpoint(function, *parts, hx, use_reentrant=False) if k < S - 1 else function(*parts, hx)
        if not isinstance(made, tuple) or len(made) != 2:
            got = f"{len(made)} values" if isinstance(made, tuple) else f"a {type(made).__name__}"
            raise TypeError(f"checkpointed: the function has returned {got}, expected (out, hx)")
        out, hx = made
        outs.append(out)
    columns = zip(*[tensors_in(out) for out in outs], strict=True)
    together = iter([_together(column, dim) for column in columns])
    return each(lambda _: next(together), outs[0]), hx


def _check_layers(function: Any, dim: int) -> None:
    """Raises ValueError for a module whose layers cannot go through a sequence in segments along dim."""
    for module in function.modules() if isinstance(function, Module) else ():
        name, batch_first = type(module).__name__, getattr(module, "batch_first", None)
        if getattr(module, "bidirectional", False):
            raise ValueError(
                f"checkpointed: the {name} is bidirectional, and its way back needs the whole sequence: recompute the "
                "layer whole, with utils.checkpoint.checkpoint"
            )
        if batch_first is not None and dim != int(batch_first):
            raise ValueError(
                f"checkpointed: the {name} has batch_first={batch_first}, and the inputs are cut along dim={dim}: "
                f"expected dim={int(batch_first)}, the axis of time"
            )


def _length(inputs: list[Any], dim: int) -> int:
    """The T that all inputs share."""
    for k, x in enumerate(inputs):
        if not isinstance(x, Tensor):
            raise TypeError(f"checkpointed: inputs[{k}] is a {type(x).__name__}, expected a tensor")
    shapes = [x.shape for x in inputs]
    lengths = {shape[dim] if -len(shape) <= dim < len(shape) else 0 for shape in shapes}
    if len(lengths) != 1 or 0 in lengths:
        raise ValueError(
            f"checkpointed: the inputs have shapes {shapes}, expected the same number of steps, at least 1, along axis "
            f"{dim} of each, and one input at least"
        )
    return int(lengths.pop())


def _together(parts: Sequence[Tensor], dim: int) -> Tensor:
    """The sum of numbers, in their order; all else joined."""
    if parts[0].ndim:
        return cat(parts, dim)
    total, *others = parts
    for part in others:
        total = total + part
    return total
