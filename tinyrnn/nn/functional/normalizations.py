"""Normalizations, as functions: to mean 0 and variance 1, or to length 1. In all: input -> the same shape.

Raises TypeError for what is no floating tensor and for dtypes that differ, ValueError for shapes that do not fit.
Source: torch.nn.functional.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinyrnn.autograd.graph import Array, Gradient
from tinyrnn.autograd.record import needs_grad, record
from tinyrnn.autograd.views import version_of
from tinyrnn.kernels.sums import sum_axes, sum_rows
from tinyrnn.nn.arguments import as_float
from tinyrnn.ops.operands import check_same_dtype, floating_tensor, tensor_argument
from tinyrnn.size import sizes
from tinyrnn.tensor import Tensor

__all__ = ["batch_norm", "layer_norm", "normalize", "rms_norm"]


def layer_norm(
    input: Tensor,
    normalized_shape: int | Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """y = n w + b,  n = (x - mean) / sqrt(var + eps), over the last axes together, those of normalized_shape.

    With dn = g w:  dx = (dn - mean(dn) - n mean(dn n)) / sqrt(var + eps);  dw = sum of g n, db = sum of g.
    input (..., *normalized_shape); weight and bias of normalized_shape, or None. var divides by the number of elements.
    Source: Ba, Kiros and Hinton, Layer normalization, 2016.
    """
    shape, rows = _rows("layer_norm", input, normalized_shape, weight, bias)
    D = rows.shape[1] or 1
    ones = np.ones((rows.shape[1], 1), rows.dtype)  # a product with it is a sum, and faster
    n = rows - rows.dot(ones) / D
    r = 1 / np.sqrt(np.einsum("nd,nd->n", n, n)[:, None] / D + eps)
    n *= r
    w = None if weight is None else weight.array.reshape(-1)
    y = n if w is None else n * w
    if bias is not None:
        y = np.add(y, bias.array.reshape(-1), out=None if y is n else y)
    needs = [needs_grad(x) for x in (input, weight, bias)]

    def pullback(g: Array) -> tuple[Gradient, Gradient, Gradient]:
        g = g.reshape(rows.shape)
        dx = None
        if needs[0]:
            dn = g if w is None else g * w
            along = np.einsum("nd,nd->n", dn, n)[:, None] / D
            dx = n * along
            dx += dn.dot(ones) / D
            np.subtract(dn, dx, out=dx)
            dx *= r
            dx = dx.reshape(before)
        dw = sum_rows(g * n).reshape(shape) if needs[1] else None
        return dx, dw, sum_rows(g).reshape(shape) if needs[2] else None

    before = input.shape
    saved = (weight if needs[0] else None,)
    inputs = (input, weight, bias)
    return record("layer_norm", y.reshape(before), inputs, pullback, saved=saved, saves_output=y is n)


def rms_norm(
    input: Tensor, normalized_shape: int | Sequence[int], weight: Tensor | None = None, eps: float | None = None
) -> Tensor:
    """y = n w,  n = x / sqrt(mean(x^2) + eps), over the last axes together, those of normalized_shape.

    With dn = g w:  dx = (dn - n mean(dn n)) / sqrt(mean(x^2) + eps);  dw = sum of g n.
    eps: None for the distance from 1 to the next number of the dtype. Shapes as for layer_norm.
    Source: Zhang and Sennrich, Root mean square layer normalization, 2019.
    """
    shape, rows = _rows("rms_norm", input, normalized_shape, weight, None)
    D = rows.shape[1] or 1
    small = float(np.finfo(rows.dtype).eps) if eps is None else eps
    r = 1 / np.sqrt(np.einsum("nd,nd->n", rows, rows)[:, None] / D + small)
    n = rows * r
    w = None if weight is None else weight.array.reshape(-1)
    needs = [needs_grad(x) for x in (input, weight)]

    def pullback(g: Array) -> tuple[Gradient, Gradient]:
        g = g.reshape(rows.shape)
        dx = None
        if needs[0]:
            dn = g if w is None else g * w
            dx = dn - n * (np.einsum("nd,nd->n", dn, n)[:, None] / D)
            dx *= r
            dx = dx.reshape(before)
        return dx, sum_rows(g * n).reshape(shape) if needs[1] else None

    before = input.shape
    y = n if w is None else n * w
    saved = (weight if needs[0] else None,)
    return record("rms_norm", y.reshape(before), (input, weight), pullback, saved=saved, saves_output=y is n)


def _rows(
    name: str, input: Tensor, normalized_shape: Any, weight: Tensor | None, bias: Tensor | None
) -> tuple[tuple[int, ...], Array]:
    """(normalized_shape, the input as a matrix with one row for each thing that is normalized)."""
    x = floating_tensor(name, input)
    shape = normal_shape(name, normalized_shape)
    if x.shape[x.ndim - len(shape) :] != shape or x.ndim < len(shape):
        raise ValueError(f"{name}: the input is {x.shape}, expected its last axes to be normalized_shape, {shape}")
    for what, parameter in (("weight", weight), ("bias", bias)):
        if parameter is not None:
            check_same_dtype(name, x, tensor_argument(name, parameter))
            if parameter.shape != shape:
                raise ValueError(f"{name}: the {what} is {parameter.shape}, expected normalized_shape, {shape}")
    return shape, x.reshape(-1 if x.size else math.prod(x.shape[: x.ndim - len(shape)]), math.prod(shape))


def normal_shape(name: str, normalized_shape: Any) -> tuple[int, ...]:
    """normalized_shape, a whole number or several, as a tuple of at least one. Raises TypeError or ValueError."""
    shape = sizes(name, (normalized_shape,))
    if not shape:
        raise ValueError(f"{name}: normalized_shape is {normalized_shape!r}, expected the size of at least one axis")
    return tuple(shape)


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """y = n w + b,  n = (x - mean) / sqrt(var + eps), for each channel by itself.

    In training mean and var are those of the batch, and with dn = g w:
        dx = (dn - mean(dn) - n mean(dn n)) / sqrt(var + eps),
    and the running ones, if given, move by `momentum` towards them (towards the var that divides by one less).
    Otherwise they are the running ones, and dx = dn / sqrt(var + eps). In both, dw = sum of g n, db = sum of g.
    input (N, C) or (N, C, ...); all others (C,). Source: Ioffe and Szegedy, Batch normalization, 2015.
    """
    x = floating_tensor("batch_norm", input)
    if x.ndim < 2:
        raise ValueError(f"batch_norm: the input is {x.shape}, expected (N, C) or (N, C, ...)")
    C, axes = x.shape[1], (0, *range(2, x.ndim))
    m = math.prod([x.shape[axis] for axis in axes])
    statistics = {"running_mean": running_mean, "running_var": running_var}
    for what, value in {**statistics, "weight": weight, "bias": bias}.items():
        if value is not None and tensor_argument("batch_norm", value).shape != (C,):
            raise ValueError(f"batch_norm: {what} is {value.shape}, expected ({C},), since the input is {x.shape}")
        if value is not None:
            check_same_dtype("batch_norm", x, value.array)
    if training and m <= 1:
        raise ValueError(f"batch_norm: the input is {x.shape}: expected more than 1 value per channel when training")
    if not training and (running_mean is None or running_var is None):
        raise ValueError("batch_norm: there is no running_mean or no running_var, expected both when not training")
    column = (C,) + (1,) * (x.ndim - 2)

    def mean(a: Array) -> Array:
        return sum_axes(a, axes, a.dtype, n=m).reshape(column)

    if training:
        center = mean(x)
        n = x - center
        var = mean(n * n)
        for running, now in ((running_mean, center), (running_var, var * (m / (m - 1)))):
            if running is not None:
                running.array[...] = (1 - momentum) * running.array + momentum * now.reshape(-1)
                version_of(running)[0] += 1
    else:
        assert running_mean is not None and running_var is not None  # noqa: PT018
        n, var = x - running_mean.array.reshape(column), running_var.array.reshape(column)
    r = 1 / np.sqrt(var + eps)
    n *= r
    w = None if weight is None else weight.array.reshape(column)
    y = n if w is None else n * w
    if bias is not None:
        y = np.add(y, bias.array.reshape(column), out=None if y is n else y)
    needs = [needs_grad(value) for value in (input, weight, bias)]

    def pullback(g: Array) -> tuple[Gradient, Gradient, Gradient]:
        dx = None
        if needs[0]:
            dx = g if w is None else g * w
            if training:
                along = n * mean(dx * n)
                along += mean(dx)
                dx = dx - along
            dx = dx * r
        dw = sum_axes(g * n, axes, g.dtype) if needs[1] else None
        db = sum_axes(g, axes, g.dtype) if needs[2] else None
        return dx, dw, db

    saved = (weight if needs[0] else None,)
    return record("batch_norm", y, (input, weight, bias), pullback, saved=saved, saves_output=y is n)


def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Tensor:
    """y = x / max(|x|, eps),  |x| = (sum over dim of |x|^p)^(1/p).

    Raises IndexError for a dim that is not there.
    """
    floating_tensor("normalize", input)
    size = input.norm(as_float("normalize", "p", p), dim, keepdim=True)
    return input / size.clamp(min=eps)
