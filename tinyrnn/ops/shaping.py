"""The same elements in another shape, or with their axes in another order.

What can be a view of the input's memory is one, as in torch: a change of either is seen in both. A shape is given as
f(2, 3), f((2, 3)) or f([2, 3]), or under torch's name for it.
Raises IndexError for an axis that is not there, ValueError for a shape that does not fit, TypeError for other types.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinyrnn.autograd.graph import Array, Gradient, make
from tinyrnn.autograd.record import record
from tinyrnn.autograd.views import version_of
from tinyrnn.devices import contiguous_format, preserve_format
from tinyrnn.dtypes import as_dtype
from tinyrnn.ops.operands import normal_axis, numpy_names, sizes, tensor_argument

if TYPE_CHECKING:
    from tinyrnn.tensor import Tensor

__all__ = [
    "flatten",
    "moveaxis",
    "movedim",
    "permute",
    "ravel",
    "reshape",
    "squeeze",
    "swapaxes",
    "swapdims",
    "t",
    "transpose",
    "unflatten",
    "unsqueeze",
]


def _in_shape(name: str, x: Array, shape: tuple[int, ...]) -> Array:
    """The elements of `x` in another shape, in its memory if that is possible."""
    try:
        if not shape or min(shape) >= -1:  # NumPy takes any negative number for -1
            return x.reshape(shape)
    except ValueError:
        pass
    raise ValueError(
        f"{name}: a tensor of shape {x.shape} has {x.size} elements, which do not make {shape}: expected sizes "
        "with that product, at most one of them -1"
    )


def _shares(x: Array, y: Array) -> bool:
    """Whether `y`, which was made of `x`, shows its memory."""
    return y.base is not None and (y.base is x or y.base is x.base)


def _reordered(name: str, input: Tensor, y: Array, back: Any) -> Tensor:
    """Records `y`, which shows the elements of `input` once each, in its memory or in a copy; `back` undoes it."""

    def pullback(g: Array) -> tuple[Gradient]:
        return (back(g),)

    return record(name, y, (input,), pullback, view_of=input if _shares(input.array, y) else None)


def _reshaped(name: str, input: Tensor, y: Array) -> Tensor:
    before = input.array.shape
    return _reordered(name, input, y, lambda g: g.reshape(before))


def reshape(input: Tensor, *dims: Any, shape: Sequence[int] | None = None) -> Tensor:
    """The elements, in row-major order, in another shape; -1 stands for the size that follows.  dx = g in x's shape."""
    x = tensor_argument("reshape", input)
    y = _in_shape("reshape", x, sizes("reshape", dims if shape is None else (shape,)))
    return _reshaped("reshape", input, y)


def reshape_as(input: Tensor, other: Tensor) -> Tensor:
    """`reshape` to the shape of another tensor."""
    return reshape(input, tensor_argument("reshape_as", other).shape)


def view(input: Tensor, *shape: Any, size: Sequence[int] | None = None, dtype: Any = None) -> Tensor:
    """`reshape`, but always a view: raises ValueError where the elements would have to be copied.

    view(dtype) shows the same bytes as numbers of a dtype, outside the graph, as in torch: the last axis grows or
    shrinks with the size of an element.
    """
    x = tensor_argument("view", input)
    if dtype is not None or (len(shape) == 1 and isinstance(shape[0], _DTYPES)):
        return _bytes_as(input, x, as_dtype("view", shape[0] if dtype is None else dtype))
    y = _in_shape("view", x, sizes("view", shape if size is None else (size,)))
    if not _shares(x, y):
        raise ValueError(
            f"view: this tensor of shape {x.shape} is not contiguous, and cannot be seen as {y.shape} without a copy: "
            "use reshape"
        )
    return _reshaped("view", input, y)


_DTYPES = (np.dtype, type)


def _bytes_as(input: Tensor, x: Array, dtype: np.dtype[Any]) -> Tensor:
    try:
        y: Tensor = make(input.result, x.view(dtype))
    except ValueError as error:
        raise ValueError(f"view: shape {x.shape} of {x.dtype} cannot be seen as {dtype}: {error}") from None
    y.version = version_of(input)
    return y


def view_as(input: Tensor, other: Tensor) -> Tensor:
    """`view` in the shape of another tensor."""
    return view(input, tensor_argument("view_as", other).shape)


def ravel(input: Tensor) -> Tensor:
    """All axes as one; a view where the elements lie in order."""
    return reshape(input, -1)


def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """The axes from start_dim to end_dim as one."""
    shape = tensor_argument("flatten", input).shape or (1,)
    first, last = normal_axis("flatten", start_dim, len(shape)), normal_axis("flatten", end_dim, len(shape))
    if first > last:
        raise ValueError(f"flatten: start_dim {start_dim} comes after end_dim {end_dim}, expected it before, or equal")
    return reshape(input, *shape[:first], math.prod(shape[first : last + 1]), *shape[last + 1 :])


def unflatten(input: Tensor, dim: int, sizes: Sequence[int]) -> Tensor:
    """The axis dim as several, of the sizes given, one of which may be -1: what `flatten` undoes. A view."""
    shape = tensor_argument("unflatten", input).shape
    if not isinstance(sizes, tuple | list) or not sizes:
        raise TypeError(f"unflatten: sizes is {sizes!r}, expected a tuple of at least one whole number")
    axis = normal_axis("unflatten", dim, len(shape))
    n = (shape or (1,))[axis]
    known = math.prod([size for size in sizes if size != -1])
    fits = list(sizes).count(-1) == 1 and known and n % known == 0 if -1 in sizes else n == known
    if not fits:
        raise ValueError(f"unflatten: sizes {tuple(sizes)} for an axis of size {n}, expected sizes with that product")
    full = [n // known if size == -1 else size for size in sizes]
    return view(input, *shape[:axis], *full, *shape[axis + 1 :])


def contiguous(input: Tensor, memory_format: Any = None) -> Tensor:
    """The tensor itself if its elements lie in row-major order, else a copy in which they do.  dx = g.

    memory_format  contiguous_format or preserve_format, which mean the same here
    """
    x = tensor_argument("contiguous", input)
    if memory_format not in (None, contiguous_format, preserve_format):
        raise ValueError(f"contiguous: memory_format {memory_format!r} is not supported: leave it out")

    def pullback(g: Array) -> tuple[Gradient]:
        return (g,)

    return input if x.flags.c_contiguous else record("contiguous", x.copy(), (input,), pullback)


def is_contiguous(input: Tensor) -> bool:
    """Whether the elements lie in row-major order without gaps."""
    return bool(tensor_argument("is_contiguous", input).flags.c_contiguous)


def permute(input: Tensor, *order: Any, dims: Sequence[int] | None = None) -> Tensor:
    """The axes in another order: axis i of y is axis dims[i] of x.  dx = g with the axes put back."""
    x = tensor_argument("permute", input)
    given = sizes("permute", order if dims is None else (dims,))
    axes = tuple([normal_axis("permute", dim, x.ndim) for dim in given])
    if sorted(axes) != list(range(x.ndim)):
        raise ValueError(f"permute: dims {given} for a tensor of {x.ndim} axes, expected each of them once")
    back = sorted(range(len(axes)), key=axes.__getitem__)
    return _reordered("permute", input, x.transpose(axes), lambda g: g.transpose(back))


def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Two axes exchanged.  dx = g with them exchanged back."""
    x = tensor_argument("transpose", input)
    a, b = normal_axis("transpose", dim0, x.ndim), normal_axis("transpose", dim1, x.ndim)
    if x.ndim == 0:
        return view(input)
    return _reordered("transpose", input, x.swapaxes(a, b), lambda g: g.swapaxes(a, b))


def swapaxes(input: Tensor, axis0: int, axis1: int) -> Tensor:
    """`transpose` under NumPy's name."""
    return transpose(input, axis0, axis1)


swapdims = transpose


def movedim(input: Tensor, source: int | Sequence[int], destination: int | Sequence[int]) -> Tensor:
    """The axes `source` at the places `destination`; the others stay in their order. A view."""
    ndim = tensor_argument("movedim", input).ndim
    pairs = []
    for name, given in (("source", source), ("destination", destination)):
        axes = [normal_axis("movedim", dim, ndim) for dim in (given if isinstance(given, tuple | list) else (given,))]
        if len(set(axes)) < len(axes):
            raise ValueError(f"movedim: {name} {given} names an axis twice")
        pairs.append(axes)
    if len(pairs[0]) != len(pairs[1]):
        raise ValueError(f"movedim: source {source} and destination {destination}, expected as many of each")
    order = [axis for axis in range(ndim) if axis not in pairs[0]]
    for place, axis in sorted(zip(pairs[1], pairs[0], strict=True)):
        order.insert(place, axis)
    return permute(input, order[:ndim])


moveaxis = movedim


def t(input: Tensor) -> Tensor:
    """The transpose of a matrix; tensors of fewer axes as they are. Raises ValueError for more than two axes."""
    ndim = tensor_argument("t", input).ndim
    if ndim > 2:
        raise ValueError(f"t: the tensor has {ndim} axes, expected at most 2: use transpose(dim0, dim1), or .mT")
    return transpose(input, 0, 1) if ndim == 2 else view(input, *input.shape)


@numpy_names
def squeeze(input: Tensor, dim: int | Sequence[int] | None = None) -> Tensor:
    """Without the axes of size 1: all of them, or those in dim. A view."""
    x = tensor_argument("squeeze", input)
    dims = range(x.ndim) if dim is None else dim if isinstance(dim, tuple | list) else (dim,)
    axes = {normal_axis("squeeze", d, x.ndim) for d in dims}
    return _reshaped("squeeze", input, x.reshape([n for axis, n in enumerate(x.shape) if n != 1 or axis not in axes]))


@numpy_names
def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """With a new axis of size 1 at dim. A view."""
    x = tensor_argument("unsqueeze", input)
    axis = normal_axis("unsqueeze", dim, x.ndim + 1)
    return _reshaped("unsqueeze", input, x.reshape(*x.shape[:axis], 1, *x.shape[axis:]))
