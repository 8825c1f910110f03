"""Padding, as a function."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinyrnn.autograd.graph import Array, Gradient
from tinyrnn.autograd.record import record
from tinyrnn.nn.arguments import as_float
from tinyrnn.ops.operands import tensor_argument
from tinyrnn.tensor import Tensor

__all__ = ["pad"]


def pad(input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor:
    """y = x with `value`, 0 if not given, before and after it,  dx = g without these places.

    pad   (before, after) for the last axis, then for the one before it, and so on; a negative number cuts off instead
    mode  "constant"; the others of torch's are not here
    Raises ValueError for another mode, for pads that are no pairs, more than there are axes, or cut off too much.
    Source: torch.nn.functional.pad.

    >>> import tinyrnn
    >>> tinyrnn.nn.functional.pad(tinyrnn.ones(3), (1, 2))
    tensor([0., 1., 1., 1., 0., 0.])
    """
    x, sizes = tensor_argument("pad", input), [int(n) for n in pad]
    if mode != "constant":
        raise ValueError(f"pad: the mode is {mode!r}, expected 'constant', the only one here")
    if len(sizes) % 2 or len(sizes) > 2 * x.ndim:
        raise ValueError(
            f"pad: got {len(sizes)} numbers, {tuple(sizes)}, expected a pair for each of at most {x.ndim} axes, from "
            "the last one on"
        )
    pairs = [(0, 0)] * (x.ndim - len(sizes) // 2) + list(zip(sizes[-2::-2], sizes[::-2], strict=True))
    if any(n + min(before, 0) + min(after, 0) < 0 for n, (before, after) in zip(x.shape, pairs, strict=True)):
        raise ValueError(f"pad: {tuple(sizes)} cuts off more than there is of {x.shape}")
    shape = [n + before + after for n, (before, after) in zip(x.shape, pairs, strict=True)]
    ends = list(zip(x.shape, shape, pairs, strict=True))
    inner = tuple([slice(max(-before, 0), n - max(-after, 0)) for n, _, (before, after) in ends])
    place = tuple([slice(max(before, 0), m - max(after, 0)) for _, m, (before, after) in ends])
    y = np.full(shape, 0 if value is None else as_float("pad", "value", value), x.dtype)
    y[place] = x[inner]
    before_shape = x.shape

    def pullback(g: Array) -> tuple[Gradient]:
        dx = np.zeros(before_shape, g.dtype)
        dx[inner] = g[place]
        return (dx,)

    return record("pad", y, (input,), pullback)
