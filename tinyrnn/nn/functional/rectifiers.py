"""Piecewise activations, as functions. In all of them: input (any shape, a floating dtype) -> the same shape.

Raises TypeError for what is no floating tensor (relu takes whole numbers too). With inplace, and under the names that
end in _, the input is changed, and returned. At a kink the derivative is the one that torch takes.
Source: torch.nn.functional.
"""

from __future__ import annotations

import numpy as np

from tinyrnn.autograd.graph import Array, Gradient
from tinyrnn.autograd.record import needs_grad, record
from tinyrnn.nn.arguments import as_float
from tinyrnn.ops import pointwise
from tinyrnn.ops.inplace import in_place
from tinyrnn.ops.operands import check_same_dtype, floating_tensor, where_it_passes
from tinyrnn.tensor import Tensor

__all__ = ["celu", "celu_", "elu", "elu_", "hardshrink", "hardsigmoid", "hardswish", "hardtanh", "hardtanh_"]
__all__ += ["leaky_relu", "leaky_relu_", "prelu", "relu", "relu6", "relu_", "selu", "selu_", "softshrink"]
__all__ += ["threshold", "threshold_"]


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """y = max(x, 0),  dx = g where x > 0, else 0."""
    return relu_(input) if inplace else pointwise.relu(input)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """y = x where x > 0, else c x,  dx = g or g c;  c is the negative_slope."""
    if inplace:
        return leaky_relu_(input, negative_slope)
    x, c = floating_tensor("leaky_relu", input), as_float("leaky_relu", "negative_slope", negative_slope)

    def pullback(g: Array) -> tuple[Gradient]:
        return (_two_slopes(g, x > 0, c),)

    y = np.maximum(x, 0) + np.minimum(x, 0) * c  # four times as fast as a choice between x and x c
    return record("leaky_relu", y, (input,), pullback, saved=(input,))


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """y = x where x > 0, else w x,  dx = g or g w,  dw = the sum of g x over all x <= 0 that w multiplies.

    input (N, C, ...), weight (1,) or (C,). Raises ValueError for another weight, TypeError for dtypes that differ.
    """
    x, w = floating_tensor("prelu", input), floating_tensor("prelu", weight)
    check_same_dtype("prelu", x, w)
    channels = x.shape[1] if x.ndim > 1 else 1
    if w.ndim > 1 or w.size not in (1, channels):
        raise ValueError(
            f"prelu: the weight is {w.shape}, expected (1,) or ({channels},), since the input is {x.shape}"
        )
    shape = w.shape
    w = w.reshape(-1, *[1] * (x.ndim - 2)) if w.size > 1 else w.reshape(())
    positive, below = x > 0, np.minimum(x, 0)
    kept_w = w if needs_grad(input) else None
    need_w = needs_grad(weight)

    def pullback(g: Array) -> tuple[Gradient, Gradient]:
        dx = None if kept_w is None else _two_slopes(g, positive, kept_w)
        if not need_w:
            return dx, None
        dw = g * below
        axes = None if w.size == 1 else tuple([axis for axis in range(dw.ndim) if axis != 1])
        return dx, np.add.reduce(dw, axes, np.float64).astype(dw.dtype).reshape(shape)

    saved = (None if kept_w is None else weight,)
    return record("prelu", np.maximum(x, 0) + below * w, (input, weight), pullback, saved=saved)


def _two_slopes(g: Array, mask: Array, c: Array | float) -> Array:
    """g where the mask holds, else g c."""
    return where_it_passes(g, mask) + where_it_passes(g, ~mask) * c


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """y = x where x > 0, else alpha (e^x - 1),  dx = g or g alpha e^x."""
    if inplace:
        return elu_(input, alpha)
    return _exponential_unit("elu", input, as_float("elu", "alpha", alpha), 1.0, 1.0)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """y = scale elu(x) with alpha = 1.6732632423543772, scale = 1.0507009873554805: they keep mean 0, variance 1.

    Source: Klambauer et al., Self-normalizing neural networks, 2017.
    """
    if inplace:
        return selu_(input)
    return _exponential_unit("selu", input, 1.6732632423543772848, 1.0, 1.0507009873554804934)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """y = x where x > 0, else alpha (e^(x/alpha) - 1),  dx = g or g e^(x/alpha). Raises ValueError for alpha = 0."""
    if inplace:
        return celu_(input, alpha)
    alpha = as_float("celu", "alpha", alpha)
    if alpha == 0:
        raise ValueError("celu: alpha is 0, expected another number: it divides")
    return _exponential_unit("celu", input, alpha, 1 / alpha, 1.0)


def _exponential_unit(name: str, input: Tensor, alpha: float, k: float, scale: float) -> Tensor:
    """y = scale x where x > 0, else scale alpha (e^(k x) - 1),  dx = g scale or g scale alpha k e^(k x)."""
    x = floating_tensor(name, input)
    positive, z = x > 0, np.minimum(x, 0) * k

    def pullback(g: Array) -> tuple[Gradient]:
        return (_two_slopes(g, positive, np.exp(z) * (alpha * k)) * scale,)

    y = (np.maximum(x, 0) + np.expm1(z) * alpha) * scale
    return record(name, y, (input,), pullback)


def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """y = min(max(x, min_val), max_val),  dx = g where min_val < x < max_val, else 0."""
    if inplace:
        return hardtanh_(input, min_val, max_val)
    return _clipped("hardtanh", input, min_val, max_val)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """y = min(max(x, 0), 6),  dx = g where 0 < x < 6, else 0."""
    return hardtanh_(input, 0.0, 6.0) if inplace else _clipped("relu6", input, 0.0, 6.0)


def _clipped(name: str, input: Tensor, min_val: float, max_val: float) -> Tensor:
    x = floating_tensor(name, input)
    low, high = as_float(name, "min_val", min_val), as_float(name, "max_val", max_val)
    if low > high:
        raise ValueError(f"{name}: min_val is {low} and max_val {high}, expected the first to be the smaller")

    def pullback(g: Array) -> tuple[Gradient]:
        return (where_it_passes(g, ~((x <= low) | (x >= high))),)

    return record(name, np.clip(x, low, high), (input,), pullback, saved=(input,))


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """y = min(max(x + 3, 0), 6) / 6,  dx = g / 6 where -3 < x < 3, else 0."""
    if inplace:
        return hardsigmoid_(input)
    x = floating_tensor("hardsigmoid", input)

    def pullback(g: Array) -> tuple[Gradient]:
        return (where_it_passes(g / 6, (x > -3) & (x < 3)),)

    return record("hardsigmoid", np.clip(x + 3, 0, 6) / 6, (input,), pullback, saved=(input,))


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """y = x min(max(x + 3, 0), 6) / 6,  dx = 0 where x <= -3, g (x/3 + 1/2) up to 3, g where x >= 3."""
    if inplace:
        return hardswish_(input)
    x = floating_tensor("hardswish", input)

    def pullback(g: Array) -> tuple[Gradient]:
        return (np.where(x <= -3, 0, np.where(x < 3, g * (x / 3 + 0.5), g)),)

    return record("hardswish", x * np.clip(x + 3, 0, 6) / 6, (input,), pullback, saved=(input,))


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """y = x where x > threshold, else value,  dx = g where x > threshold, else 0."""
    if inplace:
        return threshold_(input, threshold, value)
    x = floating_tensor("threshold", input)
    low, value = as_float("threshold", "threshold", threshold), as_float("threshold", "value", value)
    below = x <= low

    def pullback(g: Array) -> tuple[Gradient]:
        return (where_it_passes(g, ~below),)

    return record("threshold", np.where(below, value, x), (input,), pullback)


def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """y = x where |x| > lambd, else 0,  dx = g or 0."""
    x, size = floating_tensor("hardshrink", input), as_float("hardshrink", "lambd", lambd)
    within = np.abs(x) <= size

    def pullback(g: Array) -> tuple[Gradient]:
        return (where_it_passes(g, ~within),)

    return record("hardshrink", np.where(within, 0, x), (input,), pullback)


def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """y = x - lambd where x > lambd, x + lambd where x < -lambd, else 0,  dx = g, g or 0.

    Raises ValueError for a negative lambd.
    """
    x, size = floating_tensor("softshrink", input), as_float("softshrink", "lambd", lambd)
    if not size >= 0:
        raise ValueError(f"softshrink: lambd is {lambd}, expected a number of at least 0")
    within = np.abs(x) <= size

    def pullback(g: Array) -> tuple[Gradient]:
        return (where_it_passes(g, ~within),)

    return record("softshrink", np.where(within, 0, x - np.copysign(size, x)), (input,), pullback)


relu_, leaky_relu_, threshold_ = in_place(relu), in_place(leaky_relu), in_place(threshold)
elu_, selu_, celu_ = in_place(elu), in_place(selu), in_place(celu)
hardtanh_, hardsigmoid_, hardswish_ = in_place(hardtanh), in_place(hardsigmoid), in_place(hardswish)
