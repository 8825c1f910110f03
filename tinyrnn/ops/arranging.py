"""The same elements in other places: flip, roll, rot90. All of them copy.

Raises IndexError for an axis that is not there, ValueError for one named twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinyrnn.autograd.graph import Array, Gradient
from tinyrnn.autograd.record import record
from tinyrnn.ops.operands import normal_axis, sizes, tensor_argument
from tinyrnn.ops.shaping import ravel, transpose, view

if TYPE_CHECKING:
    from tinyrnn.tensor import Tensor

__all__ = ["flip", "fliplr", "flipud", "roll", "rot90"]


def flip(input: Tensor, *axes: Any, dims: Sequence[int] | int | None = None) -> Tensor:
    """The axes named in reverse order.  dx = g with them reversed back."""
    x = tensor_argument("flip", input)
    given = sizes("flip", axes if dims is None else (dims,))
    along = [normal_axis("flip", dim, x.ndim) for dim in given]
    if len(set(along)) < len(along):
        raise ValueError(f"flip: dims {given} names an axis twice")
    index = tuple([slice(None, None, -1) if axis in along else slice(None) for axis in range(x.ndim)])

    def pullback(g: Array) -> tuple[Gradient]:
        return (g[index],)

    return record("flip", x[index].copy(), (input,), pullback)


def fliplr(input: Tensor) -> Tensor:
    """`flip` of axis 1."""
    return flip(input, 1)


def flipud(input: Tensor) -> Tensor:
    """`flip` of axis 0."""
    return flip(input, 0)


def roll(input: Tensor, shifts: int | Sequence[int], dims: int | Sequence[int] | None = None) -> Tensor:
    """Each axis moved on by its shift; what falls off the end comes in at the front.  dx = g moved back.

    Without dims the elements are moved on as if they lay in one row.
    Raises ValueError for other than one shift for each of dims.
    """
    x = tensor_argument("roll", input)
    steps = sizes("roll", (shifts,))
    if dims is None or (isinstance(dims, tuple | list) and not dims):
        if len(steps) != 1:
            raise ValueError(f"roll: {len(steps)} shifts {steps} without dims, expected one shift")
        return view(roll(ravel(input), steps, 0), x.shape) if x.ndim != 1 else roll(input, steps, 0)
    if not x.ndim:
        raise IndexError(f"roll: a 0-d tensor has no axes, and so no dims {dims}")
    axes = tuple([normal_axis("roll", dim, x.ndim) for dim in sizes("roll", (dims,))])
    if len(steps) != len(axes):
        raise ValueError(f"roll: {len(steps)} shifts {steps} for dims {dims}, expected as many")
    back = tuple([-step for step in steps])

    def pullback(g: Array) -> tuple[Gradient]:
        return (np.roll(g, back, axes),)

    return record("roll", np.roll(x, steps, axes), (input,), pullback)


def rot90(input: Tensor, k: int = 1, dims: Sequence[int] = (0, 1)) -> Tensor:
    """The plane of the two axes turned by k quarters, from the first of them to the second."""
    ndim = tensor_argument("rot90", input).ndim
    axes = [normal_axis("rot90", dim, ndim) for dim in sizes("rot90", (dims,))]
    if len(axes) != 2 or axes[0] == axes[1]:
        raise ValueError(f"rot90: dims {dims} of a tensor of {ndim} axes, expected two of them")
    a, b = axes
    k %= 4
    if k == 1:
        return transpose(flip(input, b), a, b)
    if k == 3:
        return flip(transpose(input, a, b), b)
    return flip(input, (a, b) if k else ())
