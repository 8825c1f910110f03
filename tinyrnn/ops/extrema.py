"""The largest and the smallest elements, and where they are. NaN counts as larger and as smaller than any number.

dim: an axis (for amax and amin also several), or None for all; keepdim leaves axes of size 1 in their place. Raises
ValueError where there is no element to choose, IndexError for an axis that is not there, TypeError for what is no whole
number.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tinyrnn.autograd.graph import Array, Gradient, Value, make
from tinyrnn.autograd.record import record
from tinyrnn.ops.bounds import maximum, minimum
from tinyrnn.ops.operands import normal_axes, normal_axis, numpy_names, tensor_argument

if TYPE_CHECKING:
    from tinyrnn.tensor import Tensor

__all__ = ["amax", "amin", "argmax", "argmin", "max", "median", "min"]


class ValuesIndices(NamedTuple):
    """Chosen elements, and their places along the axis; each operation has a subclass, which prints its name."""

    values: Tensor
    indices: Tensor

    def __repr__(self) -> str:
        name = type(self).__name__.lower()
        return f"tinyrnn.return_types.{name}(\nvalues={self.values!r},\nindices={self.indices!r})"


class Max(ValuesIndices):
    """What max(dim) returns."""


class Min(ValuesIndices):
    """What min(dim) returns."""


class Median(ValuesIndices):
    """What median(dim) returns."""


@numpy_names
def max(input: Tensor, dim: Any = None, keepdim: bool = False, *, other: Tensor | None = None) -> Any:
    """max(): the largest element,  dx = g, shared evenly by those that equal it.

    max(dim): (values, indices) along an axis,  dx = g at the indices, the first of equal ones. max(other): maximum.
    """
    other = dim if isinstance(dim, Value) else other  # type: ignore[assignment]
    if other is not None:
        return maximum(input, other)
    if dim is None:
        return _extreme("max", input, None, keepdim, np.maximum)
    return Max(*_at(np.argmax, "max", input, dim, keepdim))


@numpy_names
def min(input: Tensor, dim: Any = None, keepdim: bool = False, *, other: Tensor | None = None) -> Any:
    """min(): the smallest element; min(dim): (values, indices) along an axis; min(other): minimum. As max."""
    other = dim if isinstance(dim, Value) else other  # type: ignore[assignment]
    if other is not None:
        return minimum(input, other)
    if dim is None:
        return _extreme("min", input, None, keepdim, np.minimum)
    return Min(*_at(np.argmin, "min", input, dim, keepdim))


@numpy_names
def amax(input: Tensor, dim: Any = (), keepdim: bool = False) -> Tensor:
    """y = the largest element along dim, an axis, several, or () for all,  dx = g, shared evenly by equal ones."""
    return _extreme("amax", input, dim, keepdim, np.maximum)


@numpy_names
def amin(input: Tensor, dim: Any = (), keepdim: bool = False) -> Tensor:
    """y = the smallest element along dim, an axis, several, or () for all,  dx = g, shared evenly by equal ones."""
    return _extreme("amin", input, dim, keepdim, np.minimum)


@numpy_names
def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Where the largest element is: its index along dim, or in the flattened tensor; the first of equal ones."""
    return _where("argmax", input, dim, keepdim, np.argmax)


@numpy_names
def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Where the smallest element is: its index along dim, or in the flattened tensor; the first of equal ones."""
    return _where("argmin", input, dim, keepdim, np.argmin)


@numpy_names
def median(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """The element in the middle, the lower one of two; NaN where there is one. dim and derivatives as max's."""
    if dim is not None:
        return Median(*_at(_middle, "median", input, dim, keepdim))
    x = tensor_argument("median", input)
    axes = tuple(range(x.ndim))
    _check_size("median", x, axes)
    flat = x.reshape(-1)
    return _shared("median", input, flat[_middle(flat, 0)].reshape([1] * x.ndim), axes, keepdim)


def chosen(name: str, input: Tensor, index: Array, axis: int, keepdim: bool = True) -> tuple[Tensor, Tensor]:
    """(values, indices): y = x at index along the axis,  dx = g there, else 0. No element may be named twice.

    index: of the shape of the result with the axis kept; a 0-d tensor counts as having one.
    """
    x = input.array
    shape, rows = x.shape, x if x.ndim else x.reshape(1)
    values = np.take_along_axis(rows, index, axis)
    full = rows.shape

    def pullback(g: Array) -> tuple[Gradient]:
        dx = np.zeros(full, g.dtype)
        np.put_along_axis(dx, index, g.reshape(index.shape), axis)
        return (dx.reshape(shape),)

    drop = None if (keepdim and x.ndim) or index.shape[axis] != 1 else axis
    indices: Tensor = make(input.result, index if drop is None else index.squeeze(drop))
    # the indices are the caller's too: a change of them would move the gradient
    return record(name, values if drop is None else values.squeeze(drop), (input,), pullback, saved=(indices,)), indices


def _at(
    find: Callable[[Array, int], Array], name: str, input: Tensor, dim: Any, keepdim: bool
) -> tuple[Tensor, Tensor]:
    x = tensor_argument(name, input)
    axis = normal_axis(name, dim, x.ndim)
    _check_size(name, x, (axis,)[: x.ndim])
    index = np.expand_dims(find(x if x.ndim else x.reshape(1), axis), axis)
    return chosen(name, input, index, axis, keepdim)


def _extreme(name: str, input: Tensor, dim: Any, keepdim: bool, pick: np.ufunc) -> Tensor:
    x = tensor_argument(name, input)
    axes = normal_axes(name, dim, x.ndim)
    _check_size(name, x, axes)
    return _shared(name, input, np.asarray(pick.reduce(x, axes, keepdims=True)), axes, keepdim)


def _shared(name: str, input: Tensor, y: Array, axes: tuple[int, ...], keepdim: bool) -> Tensor:
    """y, of x with its axes kept, is what some elements equal: they share the gradient."""
    x = input.array

    def pullback(g: Array) -> tuple[Gradient]:
        equal = (x == y) | (np.isnan(x) & np.isnan(y))
        share = g.reshape(y.shape) / np.add.reduce(equal, axes, g.dtype, keepdims=True)
        return (np.where(equal, share, 0),)

    out = y if keepdim else y.squeeze(axes)
    return record(name, out, (input,), pullback, saved=(input,), saves_output=True)


def _where(name: str, input: Tensor, dim: Any, keepdim: bool, find: Callable[..., Any]) -> Tensor:
    x = tensor_argument(name, input)
    axes = tuple(range(x.ndim)) if dim is None else (normal_axis(name, dim, x.ndim),)[: x.ndim]
    _check_size(name, x, axes)
    index: Tensor = make(input.result, find(x, axes[0] if dim is not None and axes else None, keepdims=keepdim))
    return index


def _middle(x: Array, axis: int) -> Array:
    """The index of the median, which is that of the first NaN if there is one."""
    middle = np.take(np.argsort(x, axis, kind="stable"), (x.shape[axis] - 1) // 2, axis)
    nan = np.isnan(x)
    first: Array = np.where(nan.any(axis), nan.argmax(axis), middle)
    return first


def _check_size(name: str, x: Array, axes: tuple[int, ...]) -> None:
    if not all(x.shape[axis] for axis in axes):
        raise ValueError(f"{name}: of a tensor of shape {x.shape} there is no element to choose along dim {axes}")
