"""Smooth activations, as functions. In all of them but glu: input (any shape, a floating dtype) -> the same shape.

Raises TypeError for what is no floating tensor (sigmoid and tanh take whole numbers too, as in torch). With inplace the
input is changed, and returned. s is the sigmoid, s(x) = 1 / (1 + e^-x). Source: torch.nn.functional.
"""

from __future__ import annotations

import math

import numpy as np

from tinyrnn.autograd.graph import Array, Gradient
from tinyrnn.autograd.record import record
from tinyrnn.kernels.erf import erf
from tinyrnn.nn.arguments import as_float
from tinyrnn.ops.inplace import in_place
from tinyrnn.ops.operands import floating_tensor, normal_axis
from tinyrnn.ops.pointwise import sigmoid, tanh
from tinyrnn.tensor import Tensor

__all__ = ["gelu", "glu", "logsigmoid", "mish", "sigmoid", "silu", "softplus", "softsign", "tanh", "tanhshrink"]


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """y = x F(x),  dx = g (F(x) + x f(x)),  F and f the distribution and density of N(0, 1).

    approximate="tanh": y = x (1 + tanh u) / 2,  dx = g ((1 + t) + x (1 - t^2) u') / 2  for t = tanh u,
    u = sqrt(2/pi) (x + 0.044715 x^3). Raises ValueError for another approximation.
    Source: Hendrycks and Gimpel, Gaussian error linear units, 2016.
    """
    x = floating_tensor("gelu", input)
    if approximate == "none":
        F = 0.5 + 0.5 * erf(x * math.sqrt(0.5))

        def pullback(g: Array) -> tuple[Gradient]:
            f = np.exp(-0.5 * (x * x)) * (1 / math.sqrt(2 * math.pi))
            return (g * (F + x * f),)

        return record("gelu", x * F, (input,), pullback, saved=(input,))
    if approximate != "tanh":
        raise ValueError(f"gelu: approximate is {approximate!r}, expected 'none' or 'tanh'")
    c = math.sqrt(2 / math.pi)
    t = np.tanh(x * (c + (c * 0.044715) * (x * x)))

    def pullback_tanh(g: Array) -> tuple[Gradient]:
        slope = c + (3 * c * 0.044715) * (x * x)
        return (g * (0.5 * (1 + t + x * ((1 - t * t) * slope))),)

    return record("gelu", 0.5 * x * (1 + t), (input,), pullback_tanh, saved=(input,))


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """y = x s(x),  dx = g s (1 + x (1 - s)).  Also called swish."""
    if inplace:
        return silu_(input)
    x = floating_tensor("silu", input)
    s = _sigmoid(x)

    def pullback(g: Array) -> tuple[Gradient]:
        return (g * (s * (1 + x * (1 - s))),)

    return record("silu", x * s, (input,), pullback, saved=(input,))


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """y = x tanh(log(1 + e^x)),  dx = g (t + x (1 - t^2) s(x)),  t the tanh."""
    if inplace:
        return mish_(input)
    x = floating_tensor("mish", input)
    t = np.tanh(np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))))  # the logarithm, which cannot overflow so

    def pullback(g: Array) -> tuple[Gradient]:
        return (g * (t + x * ((1 - t * t) * _sigmoid(x))),)

    return record("mish", x * t, (input,), pullback, saved=(input,))


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """y = log(1 + e^(beta x)) / beta,  dx = g s(beta x);  y = x and dx = g where beta x > threshold."""
    x = floating_tensor("softplus", input)
    beta, threshold = as_float("softplus", "beta", beta), as_float("softplus", "threshold", threshold)
    z = x * beta
    linear = z > threshold
    e = np.exp(np.minimum(z, threshold))

    def pullback(g: Array) -> tuple[Gradient]:
        return (g * np.where(linear, 1, e / (1 + e)),)

    return record("softplus", np.where(linear, x, np.log1p(e) / beta), (input,), pullback)


def softsign(input: Tensor) -> Tensor:
    """y = x / (1 + |x|),  dx = g / (1 + |x|)^2."""
    x = floating_tensor("softsign", input)
    d = 1 + np.abs(x)

    def pullback(g: Array) -> tuple[Gradient]:
        return (g / (d * d),)

    return record("softsign", x / d, (input,), pullback)


def logsigmoid(input: Tensor) -> Tensor:
    """y = log s(x) = min(x, 0) - log(1 + e^-|x|),  dx = g s(-x)."""
    x = floating_tensor("logsigmoid", input)
    y = np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))

    def pullback(g: Array) -> tuple[Gradient]:
        return (g * _sigmoid(-x),)

    return record("logsigmoid", y, (input,), pullback, saved=(input,))


def tanhshrink(input: Tensor) -> Tensor:
    """y = x - tanh x,  dx = g tanh^2 x."""
    x = floating_tensor("tanhshrink", input)
    t = np.tanh(x)

    def pullback(g: Array) -> tuple[Gradient]:
        return (g * (t * t),)

    return record("tanhshrink", x - t, (input,), pullback)


def glu(input: Tensor, dim: int = -1) -> Tensor:
    """y = a s(b),  da = g s(b),  db = g a s(b) (1 - s(b)),  where a and b are the halves of x along dim.

    input (..., 2n, ...) -> (..., n, ...). Raises ValueError for an odd size, IndexError for a dim that is not there.
    """
    x = floating_tensor("glu", input)
    axis = normal_axis("glu", dim, x.ndim)
    if x.ndim == 0 or x.shape[axis] % 2:
        raise ValueError(f"glu: the input is {x.shape}, expected an even size along dim {dim}, to halve it")
    a, b = np.split(x, 2, axis)
    s = _sigmoid(b)

    def pullback(g: Array) -> tuple[Gradient]:
        da = g * s
        return (np.concatenate((da, da * (a * (1 - s))), axis),)

    return record("glu", a * s, (input,), pullback, saved=(input,))


silu_, mish_ = in_place(silu), in_place(mish)


def _sigmoid(x: Array) -> Array:
    with np.errstate(over="ignore"):  # where e^-x is inf, s is 0
        return np.asarray(1 / (1 + np.exp(-x)))
