"""Variances, standard deviations and norms over axes. dim: an axis, several, or None for all.

keepdim leaves axes of size 1 in their place. Raises TypeError for whole numbers (.float() them), IndexError for an axis
that is not there, ValueError for one named twice.
"""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike

from tinyrnn.autograd.graph import Array, Gradient
from tinyrnn.autograd.record import record
from tinyrnn.dtypes import as_dtype
from tinyrnn.kernels.sums import sum_axes
from tinyrnn.ops.operands import floating_tensor, normal_axes, number, numpy_names
from tinyrnn.ops.pointwise import cast
from tinyrnn.ops.reduction import mean

if TYPE_CHECKING:
    from tinyrnn.tensor import Tensor

__all__ = ["norm", "std", "std_mean", "var", "var_mean"]


@numpy_names
def var(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Tensor:
    """v = (sum of d^2) / (n - c), d = x - mean,  dx = 2 g d / (n - c).

    c is the correction: 1, or 0 for unbiased=False, which may also stand alone: x.var(False). Warns, as torch does,
    if n <= c: the result is NaN or inf then.
    """
    return _spread("var", input, dim, unbiased, keepdim, correction)


@numpy_names
def std(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Tensor:
    """s = (var of x)^(1/2),  dx = g d / ((n - c) s), 0 where s = 0. Arguments and warning as var's."""
    return _spread("std", input, dim, unbiased, keepdim, correction)


@numpy_names
def var_mean(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Tensor, Tensor]:
    """(var, mean), with the arguments and the warning of var."""
    y = _spread("var_mean", input, dim, unbiased, keepdim, correction)
    return y, mean(input, None if isinstance(dim, bool) else dim, keepdim)


@numpy_names
def std_mean(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Tensor, Tensor]:
    """(std, mean), with the arguments and the warning of var."""
    y = _spread("std_mean", input, dim, unbiased, keepdim, correction)
    return y, mean(input, None if isinstance(dim, bool) else dim, keepdim)


def _spread(
    name: str, input: Tensor, dim: Any, unbiased: bool | None, keepdim: bool, correction: float | None
) -> Tensor:
    if isinstance(dim, bool):  # var(x, False)
        dim, unbiased = None, dim
    if correction is not None and unbiased is not None:
        raise TypeError(f"{name}: both unbiased and correction are given, expected one of them")
    x = floating_tensor(name, input)
    axes = normal_axes(name, dim, x.ndim)
    correction = float(unbiased is not False) if correction is None else number(name, "correction", correction)
    n = math.prod([x.shape[axis] for axis in axes])
    free = max(n - correction, 0)
    if n <= correction:
        warnings.warn(
            f"{name}(): degrees of freedom is <= 0. Correction should be strictly less than the reduction factor "
            "(input numel divided by output numel).",
            stacklevel=4,
        )
    with np.errstate(divide="ignore", invalid="ignore"):
        d = x.astype(np.promote_types(x.dtype, np.float32), copy=False)  # squares of float16 overflow
        d = d - sum_axes(d, axes, d.dtype, True, n)
        scale = d.dtype.type(1) / d.dtype.type(free)  # 1/0 is inf
        y = sum_axes(d * d, axes, d.dtype, True) * scale
    root = name.startswith("std")
    y = np.sqrt(y) if root else y

    def pullback(g: Array) -> tuple[Gradient]:
        g = g.reshape(y.shape) * scale
        with np.errstate(divide="ignore", invalid="ignore"):
            return (d * (np.where(y == 0, 0, g / y) if root else 2 * g),)

    out = (y if keepdim else np.squeeze(y, axes)).astype(x.dtype, copy=False)
    return record(name, out, (input,), pullback, saves_output=root)


@numpy_names
def norm(
    input: Tensor, p: Any = "fro", dim: Any = None, keepdim: bool = False, *, dtype: DTypeLike | None = None
) -> Tensor:
    """y = (sum of |x|^p)^(1/p) over dim,  dx = g sign(x) (|x| / y)^(p-1), 0 where x or y = 0.

    p = "fro" or None: 2. p = inf, -inf: the largest and the smallest |x|; those that equal it share g. p = 0: how many
    are not 0. Raises ValueError for "nuc", which torch has, and for p < 0 of nothing.
    """
    if dtype is not None:
        input = cast(input, as_dtype("norm", dtype))
    x = floating_tensor("norm", input)
    if isinstance(p, str) and p != "fro":
        raise ValueError(f"norm: p is {p!r}, expected a number, inf, -inf or 'fro'")
    p = 2 if p in ("fro", None) else number("norm", "p", p)
    axes = normal_axes("norm", dim, x.ndim)
    x, dtype = x.astype(np.promote_types(x.dtype, np.float32), copy=False), x.dtype  # squares of float16 overflow
    size = np.abs(x)
    y = _length(size, p, axes)

    def pullback(g: Array) -> tuple[Gradient]:
        g = g.reshape(y.shape)
        if p == 0:
            return (np.zeros_like(x),)
        if abs(p) == math.inf:
            equal = size == y
            return (np.where(equal, g / np.add.reduce(equal, axes, g.dtype, keepdims=True), 0) * np.sign(x),)
        if p == 2:
            return (x * (g / np.where(y == 0, 1, y)),)
        nowhere = (x == 0) | (y == 0)  # y = 0 beside other x: p < 0, and one x = 0 decides
        slope = np.where(nowhere, 1, size / np.where(y == 0, 1, y)) ** (p - 1)
        return (np.where(nowhere, 0, g * np.sign(x) * slope),)

    out = (y if keepdim else np.squeeze(y, axes)).astype(dtype, copy=False)
    return record("norm", out, (input,), pullback, saved=(input,), saves_output=True)


def _length(size: Array, p: float, axes: tuple[int, ...]) -> Array:
    """Of |x|, with the axes kept."""
    if p < 0 and 0 in [size.shape[axis] for axis in axes]:
        raise ValueError(f"norm: a tensor of shape {size.shape} has no norm with p = {p}, expected elements, or p >= 0")
    if p == math.inf:
        return np.asarray(np.maximum.reduce(size, axes, keepdims=True, initial=0))
    if p == -math.inf:
        return np.asarray(np.minimum.reduce(size, axes, keepdims=True))
    if p == 0:
        return sum_axes(size != 0, axes, size.dtype, True)
    if p == 2:
        return np.sqrt(sum_axes(size * size, axes, size.dtype, True))
    with np.errstate(divide="ignore"):  # where p < 0, one x = 0 makes the sum inf, and the norm 0
        return np.asarray(sum_axes(size**p, axes, size.dtype, True) ** (1 / p))
