"""Exponentials that share a sum: logsumexp, softmax and log_softmax, without overflow: the largest is taken out first.

dim: an axis (for logsumexp also several). Raises IndexError for one that is not there, TypeError for what is no whole
number. softmax and log_softmax raise TypeError for whole numbers, unless dtype= says in what to compute.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import DTypeLike

from tinyrnn.autograd.graph import Array, Gradient
from tinyrnn.autograd.record import record
from tinyrnn.dtypes import as_dtype
from tinyrnn.ops.operands import floating, normal_axes, normal_axis, numpy_names, tensor_argument
from tinyrnn.ops.pointwise import cast

if TYPE_CHECKING:
    from tinyrnn.tensor import Tensor

__all__ = ["log_softmax", "logsumexp", "softmax"]


@numpy_names
def softmax(input: Tensor, dim: int, dtype: DTypeLike | None = None) -> Tensor:
    """y = e^x / (sum of e^x along dim),  dx = y (g - sum of g y along dim)."""
    input, axes = _arguments("softmax", input, dim, dtype)
    y = _from_largest(input.array, axes)
    np.exp(y, out=y)
    y /= np.add.reduce(y, axes, keepdims=True)

    def pullback(g: Array) -> tuple[Gradient]:
        return (y * (g - np.add.reduce(g * y, axes, keepdims=True)),)

    return record("softmax", y, (input,), pullback, saves_output=True)


@numpy_names
def log_softmax(input: Tensor, dim: int, dtype: DTypeLike | None = None) -> Tensor:
    """y = x - log(sum of e^x along dim),  dx = g - e^y (sum of g along dim)."""
    input, axes = _arguments("log_softmax", input, dim, dtype)
    y = _from_largest(input.array, axes)
    if y.size:  # of nothing the sum is 0, which has no logarithm
        y -= np.log(np.add.reduce(np.exp(y), axes, keepdims=True))

    def pullback(g: Array) -> tuple[Gradient]:
        return (g - np.exp(y) * np.add.reduce(g, axes, keepdims=True),)

    return record("log_softmax", y, (input,), pullback, saves_output=True)


@numpy_names
def logsumexp(input: Tensor, dim: int | Sequence[int], keepdim: bool = False) -> Tensor:
    """y = log(sum of e^x along dim),  dx = g e^(x - y). Whole numbers are taken in the default dtype."""
    x = floating("logsumexp", input)
    axes = normal_axes("logsumexp", dim, x.ndim)
    largest = np.maximum.reduce(x, axes, keepdims=True, initial=-np.inf)
    largest = np.where(np.isfinite(largest), largest, 0)  # infinite ones need no help, and inf - inf is NaN
    with np.errstate(divide="ignore"):  # the logarithm of nothing is -inf
        y = np.log(np.add.reduce(np.exp(x - largest), axes, keepdims=True)) + largest
    shape = y.shape

    def pullback(g: Array) -> tuple[Gradient]:
        return (g.reshape(shape) * np.exp(x - np.where(y == -np.inf, 0, y)),)

    out = y if keepdim else np.squeeze(y, axes)
    return record("logsumexp", out, (input,), pullback, saved=(input,), saves_output=True)


def _arguments(name: str, input: Tensor, dim: int, dtype: DTypeLike | None) -> tuple[Tensor, tuple[int, ...]]:
    """The tensor in the dtype that is asked for, and the axis, of which a 0-d tensor has none."""
    x = tensor_argument(name, input)
    axes = (normal_axis(name, dim, x.ndim),)[: x.ndim]
    if dtype is not None:
        input = cast(input, as_dtype(name, dtype))
    if input.array.dtype.kind != "f":
        raise TypeError(f"{name}: the tensor is {input.dtype}, expected a floating dtype: .float() it, or say dtype=")
    return input, axes


def _from_largest(x: Array, axes: tuple[int, ...]) -> Array:
    """x - the largest along the axes, in memory of its own."""
    return np.asarray(x - np.maximum.reduce(x, axes, keepdims=True, initial=-np.inf))
