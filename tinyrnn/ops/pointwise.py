"""Functions of one number, element by element. In all of them: input (any shape) -> the same shape.

Whole numbers are taken in the default dtype, as torch does. TypeError for what is not a tensor. Where torch is silent
about log 0, 1/0 or an overflow, NumPy's RuntimeWarning is let through.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from tinyrnn.autograd.graph import Array, Gradient, make
from tinyrnn.autograd.record import record
from tinyrnn.autograd.views import version_of
from tinyrnn.kernels.erf import erf as erf_of
from tinyrnn.kernels.rnn import ONE
from tinyrnn.ops.operands import floating, tensor_argument, where_it_passes

if TYPE_CHECKING:
    from tinyrnn.tensor import Tensor

__all__ = [
    "abs",
    "absolute",
    "clone",
    "detach",
    "erf",
    "exp",
    "exp2",
    "expm1",
    "log",
    "log1p",
    "log2",
    "log10",
    "logit",
    "nan_to_num",
    "positive",
    "reciprocal",
    "relu",
    "rsqrt",
    "sgn",
    "sigmoid",
    "sign",
    "sqrt",
    "tanh",
]


def exp(input: Tensor) -> Tensor:
    """y = e^x,  dx = g y."""
    y = np.exp(floating("exp", input))

    def pullback(g: Array) -> tuple[Gradient]:
        return (g * y,)

    return record("exp", y, (input,), pullback, saves_output=True)


def exp2(input: Tensor) -> Tensor:
    """y = 2^x,  dx = g y log 2."""
    y = np.exp2(floating("exp2", input))

    def pullback(g: Array) -> tuple[Gradient]:
        return (g * (y * math.log(2)),)

    return record("exp2", y, (input,), pullback, saves_output=True)


def expm1(input: Tensor) -> Tensor:
    """y = e^x - 1, precise near 0,  dx = g (y + 1)."""
    y = np.expm1(floating("expm1", input))

    def pullback(g: Array) -> tuple[Gradient]:
        return (g * (y + 1),)

    return record("expm1", y, (input,), pullback, saves_output=True)


def log(input: Tensor) -> Tensor:
    """y = log x,  dx = g / x."""
    x = floating("log", input)

    def pullback(g: Array) -> tuple[Gradient]:
        return (g / x,)

    return record("log", np.log(x), (input,), pullback, saved=(input,))


def log1p(input: Tensor) -> Tensor:
    """y = log(1 + x), precise near 0,  dx = g / (1 + x)."""
    x = floating("log1p", input)

    def pullback(g: Array) -> tuple[Gradient]:
        return (g / (1 + x),)

    return record("log1p", np.log1p(x), (input,), pullback, saved=(input,))


def log2(input: Tensor) -> Tensor:
    """y = log x / log 2,  dx = g / (x log 2)."""
    x = floating("log2", input)

    def pullback(g: Array) -> tuple[Gradient]:
        return (g / (x * math.log(2)),)

    return record("log2", np.log2(x), (input,), pullback, saved=(input,))


def log10(input: Tensor) -> Tensor:
    """y = log x / log 10,  dx = g / (x log 10)."""
    x = floating("log10", input)

    def pullback(g: Array) -> tuple[Gradient]:
        return (g / (x * math.log(10)),)

    return record("log10", np.log10(x), (input,), pullback, saved=(input,))


def sqrt(input: Tensor) -> Tensor:
    """y = x^(1/2),  dx = g / (2 y)."""
    y = np.sqrt(floating("sqrt", input))

    def pullback(g: Array) -> tuple[Gradient]:
        return (g / (2 * y),)

    return record("sqrt", y, (input,), pullback, saves_output=True)


def rsqrt(input: Tensor) -> Tensor:
    """y = x^(-1/2),  dx = -g y^3 / 2."""
    y = 1 / np.sqrt(floating("rsqrt", input))

    def pullback(g: Array) -> tuple[Gradient]:
        return (-0.5 * g * (y * y * y),)

    return record("rsqrt", y, (input,), pullback, saves_output=True)


def reciprocal(input: Tensor) -> Tensor:
    """y = 1 / x,  dx = -g y^2."""
    y = 1 / floating("reciprocal", input)

    def pullback(g: Array) -> tuple[Gradient]:
        return (-g * (y * y),)

    return record("reciprocal", y, (input,), pullback, saves_output=True)


def tanh(input: Tensor) -> Tensor:
    """y = tanh x,  dx = g (1 - y^2)."""
    y = np.tanh(floating("tanh", input))

    def pullback(g: Array) -> tuple[Gradient]:
        return (g * (ONE.get(y.dtype, 1) - y * y),)

    return record("tanh", y, (input,), pullback, saves_output=True)


def sigmoid(input: Tensor) -> Tensor:
    """y = 1 / (1 + e^-x),  dx = g y (1 - y).

    Not tanh(x/2)/2 + 1/2, though it is faster: far below 0 that leaves nothing of y, and its logarithm is wanted.
    """
    x = floating("sigmoid", input)
    with np.errstate(over="ignore"):  # where e^-x is inf, y is 0
        y = 1 / (1 + np.exp(-x))

    def pullback(g: Array) -> tuple[Gradient]:
        return (g * (y * (1 - y)),)

    return record("sigmoid", y, (input,), pullback, saves_output=True)


def logit(input: Tensor, eps: float | None = None) -> Tensor:
    """y = log(x / (1 - x)), the inverse of sigmoid; NaN outside of [0, 1],  dx = g / (x (1 - x)).

    eps: x is first clamped to [eps, 1 - eps], beyond which dx is 0.
    """
    x = floating("logit", input)
    low, high = (0.0, 1.0) if eps is None else (eps, 1 - eps)
    z = x if eps is None else np.clip(x, low, high)

    def pullback(g: Array) -> tuple[Gradient]:
        dx = g / (z * (1 - z))
        return (np.where((x >= low) & (x <= high), dx, np.nan if eps is None else 0),)

    return record("logit", np.log(z / (1 - z)), (input,), pullback, saved=(input,))


def erf(input: Tensor) -> Tensor:
    """y = 2/sqrt(pi) times the integral of e^(-s^2) from 0 to x,  dx = g 2/sqrt(pi) e^(-x^2)."""
    x = floating("erf", input)

    def pullback(g: Array) -> tuple[Gradient]:
        return (g * (2 / math.sqrt(math.pi) * np.exp(-x * x)),)

    return record("erf", erf_of(x), (input,), pullback, saved=(input,))


def relu(input: Tensor) -> Tensor:
    """y = max(x, 0),  dx = g where x > 0, else 0  (0 at x = 0: torch's choice)."""
    y = np.maximum(tensor_argument("relu", input), 0)

    def pullback(g: Array) -> tuple[Gradient]:
        return (where_it_passes(g, y != 0),)

    return record("relu", y, (input,), pullback, saves_output=True)


def abs(input: Tensor) -> Tensor:
    """y = |x|,  dx = g sign x  (0 at x = 0)."""
    x = tensor_argument("abs", input)

    def pullback(g: Array) -> tuple[Gradient]:
        return (g * np.sign(x),)

    return record("abs", np.abs(x), (input,), pullback, saved=(input,))


def sign(input: Tensor) -> Tensor:
    """y = 1, 0 or -1, as x is positive, 0 (or NaN: torch's choice) or negative,  dx = 0."""
    return _sign("sign", input)


def sgn(input: Tensor) -> Tensor:
    """y = sign x, under the name that torch has for complex numbers too."""
    return _sign("sgn", input)


def _sign(name: str, input: Tensor) -> Tensor:
    x = tensor_argument(name, input)

    def pullback(g: Array) -> tuple[Gradient]:
        return (np.zeros_like(g),)

    y = x.copy() if x.dtype == bool else np.nan_to_num(np.sign(x))
    return record(name, y, (input,), pullback)


def nan_to_num(input: Tensor, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Tensor:
    """y = x, but numbers for NaN, inf and -inf (None: the largest and smallest of the dtype),  dx = g where y is x."""
    x = tensor_argument("nan_to_num", input)
    y = np.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)

    def pullback(g: Array) -> tuple[Gradient]:
        return (where_it_passes(g, np.isfinite(x)),)

    return record("nan_to_num", y, (input,), pullback, saved=(input,))


def positive(input: Tensor) -> Tensor:
    """+x: x itself. Raises TypeError for bools."""
    if tensor_argument("positive", input).dtype == bool:
        raise TypeError("positive: a bool has no sign, expected numbers: .long() it")
    return input


def clone(input: Tensor) -> Tensor:
    """y = x, in memory of its own,  dx = g."""
    y = tensor_argument("clone", input).copy()

    def pullback(g: Array) -> tuple[Gradient]:
        return (g,)

    return record("clone", y, (input,), pullback)


def detach(input: Tensor) -> Tensor:
    """y = x, the same memory outside the graph: nothing flows back. Changes in place of either are counted for both."""
    x = tensor_argument("detach", input)
    y: Tensor = make(input.result, x)
    y.version = version_of(input)
    return y


def cast(input: Tensor, dtype: np.dtype[Any]) -> Tensor:
    """y = x in another dtype (x itself if it has it),  dx = g in x's dtype. Whole numbers carry no gradient."""
    x = tensor_argument("to", input)
    if x.dtype == dtype:
        return input
    if dtype.kind != "f" or x.dtype.kind != "f":
        whole: Tensor = make(input.result, x.astype(dtype))
        return whole

    def pullback(g: Array) -> tuple[Gradient]:
        return (g,)

    return record("to", x.astype(dtype), (input,), pullback)


absolute = abs  # torch's other name
