"""What the losses share: the three reductions, torch's older words for them, and the node of a reduced loss."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from tinyrnn.autograd.graph import Array, Gradient
from tinyrnn.autograd.modes import state
from tinyrnn.autograd.record import needs_grad, record
from tinyrnn.kernels.sums import sum_axes
from tinyrnn.nn.arguments import check_reduction
from tinyrnn.ops.operands import check_broadcast
from tinyrnn.tensor import Tensor


def reduction_of(
    name: str, size_average: bool | None, reduce: bool | None, reduction: str, also: tuple[str, ...] = ()
) -> str:
    """The reduction, "mean", "sum" or "none", out of it and of the two flags that torch had before, which win.

    also: what else the reduction may be.

    Warns of the flags, and of "elementwise_mean", as torch does. Raises ValueError for another reduction, TypeError
    for a flag that is none: torch's MSELoss("sum") is the mean, since what comes first is size_average.
    """
    if size_average is not None or reduce is not None:
        for what, given in (("size_average", size_average), ("reduce", reduce)):
            if not (given is None or isinstance(given, bool)):
                raise TypeError(f"{name}: {what} is {given!r}, expected True, False or None: say reduction={given!r}?")
        reduction = "none" if reduce is False else "sum" if size_average is False else "mean"
        warnings.warn(
            f"{name}: size_average and reduce args will be deprecated, please use reduction='{reduction}' instead.",
            UserWarning,
            stacklevel=3,
        )
    elif reduction == "elementwise_mean":
        warnings.warn(f"{name}: reduction='elementwise_mean' is deprecated: say 'mean'", UserWarning, stacklevel=3)
        reduction = "mean"
    if reduction not in also:
        check_reduction(name, reduction)
    return reduction


def reduced(
    name: str,
    losses: Array,
    reduction: str,
    inputs: Sequence[Tensor],
    pullback: Callable[[Array], Sequence[Gradient]],
    *,
    saved: Sequence[Tensor | None] = (),
    n: float | None = None,
) -> Tensor:
    """L = (1/n) sum of the losses for "mean", their sum for "sum", all of them for "none": recorded, as one operation.

    pullback  takes dL/d(losses), which is one number for all of them (0-d), or of their shape for "none"
    n         what the mean divides by, if not the number of losses; the mean over nothing is NaN
    """
    if reduction == "none":
        return record(name, losses, inputs, pullback, saved=saved)
    every, dtype = tuple(range(losses.ndim)), losses.dtype
    if reduction == "sum":
        return record(name, sum_axes(losses, every, dtype), inputs, pullback, saved=saved)
    n = (losses.size if n is None else n) or math.nan
    return record(name, sum_axes(losses, every, dtype, n=n), inputs, lambda g: pullback(g * (1 / n)), saved=saved)


def reduce_losses(name: str, losses: Tensor, reduction: str) -> Tensor:
    """`reduced` for losses that are a tensor, computed by other operations."""
    shape = losses.shape

    def pullback(g: Array) -> tuple[Gradient]:
        return (g if g.shape == shape else g.repeat(math.prod(shape)).reshape(shape),)

    return losses if reduction == "none" else reduced(name, losses.array, reduction, (losses,), pullback)


def check_constant(name: str, what: str, weight: Any) -> None:
    """Raises TypeError unless `weight` is a tensor, RuntimeError if a gradient is wanted for it: losses have none."""
    if not isinstance(weight, Tensor):
        raise TypeError(f"{name}: the {what} is {type(weight).__name__}, expected a tensor: tinyrnn.tensor(...)")
    if state.grad and needs_grad(weight):
        raise RuntimeError(f"{name}: the {what} requires a gradient, and none is computed for it: .detach() it")


def check_weight(name: str, what: str, weight: Any, shape: tuple[int, ...]) -> None:
    """check_constant; raises ValueError too, unless the weight broadcasts to `shape`."""
    check_constant(name, what, weight)
    check_broadcast(f"{name}: the {what} and the input", weight.shape, shape)
    if weight.ndim > len(shape) or any(n > m for n, m in zip(weight.shape[::-1], shape[::-1], strict=False)):
        raise ValueError(f"{name}: the {what} is {weight.shape}, expected it to broadcast to the input's {shape}")
