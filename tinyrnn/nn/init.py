"""Filling tensors with their first numbers: in place, unrecorded. Each function returns its tensor.

After manual_seed(n) they draw the numbers that torch's draw after its own, so two models made alike start alike: the
uniform ones to the last bit, the normal ones up to the rounding of log and cos. generator: the stream to draw from,
None for the default one. The names without the underscore are torch's old ones, and warn.
fan_in and fan_out of a weight (O, I, ...): I and O, times the sizes of the axes that follow; the weight is used as
x W^T, as in Linear: for x W give W.T.
Raises TypeError for what is no tensor, and for drawn numbers not of a floating dtype, ValueError for bounds that are
none and shapes that have no fans. Source: torch.nn.init.
"""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from tinyrnn.absent import absent
from tinyrnn.autograd.graph import Array
from tinyrnn.autograd.modes import no_grad
from tinyrnn.random import Generator, chosen, default_generator
from tinyrnn.tensor import Tensor

T = TypeVar("T", bound=Tensor)


def uniform_(tensor: T, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> T:
    """x ~ U(a, b), each element by itself."""
    return _fill(tensor, _uniform("uniform_", tensor, a, b, generator))


def normal_(tensor: T, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None) -> T:
    """x ~ N(mean, std^2), each element by itself."""
    return _fill(tensor, _normal("normal_", tensor, mean, std, generator))


def trunc_normal_(
    tensor: T, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0, generator: Generator | None = None
) -> T:
    """x ~ N(mean, std^2), drawn again while outside [a, b].

    Where that would mostly miss (less than 0.3 of the normal lies in [a, b]), from U(a, b), kept with a probability in
    proportion to the density. Warns if mean is more than 2 std outside. Raises ValueError unless std > 0 and a <= b.
    """
    name = "trunc_normal_"
    _check(name, tensor)
    if not (std > 0 and a <= b):
        raise ValueError(f"init.{name}: std is {std}, the bounds are {a} and {b}, expected std > 0 and a <= b")
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn(
            "mean is more than 2 std from [a, b] in nn.init.trunc_normal_. "
            "The distribution of values may be incorrect.",
            UserWarning,
            stacklevel=2,
        )
    below_a, below_b = ((1 + math.erf((bound - mean) / std / math.sqrt(2))) / 2 for bound in (a, b))
    if below_b - below_a > 0.3:
        low, high = tensor.dtype.type(a), tensor.dtype.type(b)
        x = _normal(name, tensor, mean, std, generator)
        while (outside := (x < low) | (x > high)).any():
            x = np.where(outside, _normal(name, tensor, mean, std, generator), x)
        return _fill(tensor, x)
    log_peak = -0.5 * ((max(a, min(mean, b)) - mean) / std) ** 2

    def refused(x: Array) -> Array:
        with np.errstate(divide="ignore"):
            log_u = np.log(_uniform(name, tensor, 0, 1, generator))
        return np.asarray(log_u > ((x - mean) / std) ** 2 * -0.5 - log_peak)

    x = _uniform(name, tensor, a, b, generator)
    pending = refused(x)
    while pending.any():
        candidates = _uniform(name, tensor, a, b, generator)
        x = np.where(pending, candidates, x)
        pending &= refused(candidates)
    return _fill(tensor, x)


def constant_(tensor: T, val: float) -> T:
    """x = val."""
    _check("constant_", tensor, "fiub")
    with no_grad():
        tensor.fill_(val)
    return tensor


def zeros_(tensor: T) -> T:
    """x = 0."""
    return constant_(tensor, 0.0)


def ones_(tensor: T) -> T:
    """x = 1."""
    return constant_(tensor, 1.0)


def eye_(tensor: T) -> T:
    """x = the identity: 1 on the diagonal, else 0. Raises ValueError unless x is a matrix."""
    _check("eye_", tensor, "fiub")
    if tensor.ndim != 2:
        raise ValueError(f"init.eye_: the tensor is {tensor.shape}, expected two axes")
    return _fill(tensor, np.eye(*tensor.shape, dtype=tensor.dtype))


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """By how much the weights before a nonlinearity are to be larger, so that the variance stays as it is.

    1 for linear, conv... and sigmoid, 5/3 for tanh, sqrt 2 for relu, sqrt(2 / (1 + slope^2)) for leaky_relu, whose
    slope is param, else 0.01, 3/4 for selu. Raises ValueError for another, and for a slope that is no number.
    """
    if nonlinearity == "leaky_relu":
        if isinstance(param, bool) or not isinstance(param, int | float | None):
            raise ValueError(f"init.calculate_gain: the slope is {param!r}, expected a number")
        return math.sqrt(2.0 / (1 + (0.01 if param is None else param) ** 2))
    if nonlinearity not in _GAINS:
        known = ", ".join([*_GAINS, "leaky_relu"])
        raise ValueError(f"init.calculate_gain: the nonlinearity is {nonlinearity!r}, expected one of {known}")
    return _GAINS[nonlinearity]


_GAINS: dict[str, float] = {
    **dict.fromkeys(("linear", "sigmoid"), 1),
    **{f"conv{transposed}{n}d": 1 for transposed in ("", "_transpose") for n in (1, 2, 3)},
    **{"tanh": 5.0 / 3, "relu": math.sqrt(2.0), "selu": 3.0 / 4},
}


def xavier_uniform_(tensor: T, gain: float = 1.0, generator: Generator | None = None) -> T:
    """x ~ U(-a, a), a = gain sqrt(6 / (fan_in + fan_out)). Source: Glorot and Bengio 2010."""
    a = math.sqrt(3.0) * _xavier("xavier_uniform_", tensor, gain)  # rounded as torch's
    return _fill(tensor, _uniform("xavier_uniform_", tensor, -a, a, generator))


def xavier_normal_(tensor: T, gain: float = 1.0, generator: Generator | None = None) -> T:
    """x ~ N(0, std^2), std = gain sqrt(2 / (fan_in + fan_out)). Source: Glorot and Bengio 2010."""
    std = _xavier("xavier_normal_", tensor, gain)
    return _fill(tensor, _normal("xavier_normal_", tensor, 0, std, generator))


def kaiming_uniform_(
    tensor: T,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> T:
    """x ~ U(-b, b), b = gain sqrt(3 / fan): fan_in or fan_out, as mode says, gain that of the nonlinearity.

    a is the slope of leaky_relu. An empty tensor is left as it is, with a warning. Source: He et al. 2015.
    """
    std = _kaiming("kaiming_uniform_", tensor, a, mode, nonlinearity)
    bound = math.sqrt(3.0) * std  # rounded as torch's
    return _fill(tensor, _uniform("kaiming_uniform_", tensor, -bound, bound, generator))


def kaiming_normal_(
    tensor: T,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> T:
    """x ~ N(0, std^2), std = gain / sqrt(fan); the rest as in kaiming_uniform_."""
    std = _kaiming("kaiming_normal_", tensor, a, mode, nonlinearity)
    return _fill(tensor, _normal("kaiming_normal_", tensor, 0, std, generator))


def orthogonal_(tensor: T, gain: float = 1, generator: Generator | None = None) -> T:
    """x = gain Q, Q's rows or columns, whichever are fewer, orthonormal; all axes but the first count as one.

    Q R is a matrix of normal numbers, with R's diagonal positive, so that Q is uniform over all orthogonal matrices.
    Raises ValueError for fewer than two axes. Source: Saxe et al. 2013; Mezzadri 2006.
    """
    _check("orthogonal_", tensor)
    if tensor.ndim < 2:
        raise ValueError(f"init.orthogonal_: the tensor is {tensor.shape}, expected two axes or more")
    if not tensor.array.size:
        return tensor
    rows = tensor.shape[0]
    columns = tensor.array.size // rows
    flat = chosen("orthogonal_", generator).normal((rows, columns), dtype=tensor.dtype).astype(np.float64)
    q, r = np.linalg.qr(flat.T if rows < columns else flat)
    q = q * np.sign(np.diagonal(r))
    return _fill(tensor, gain * (q.T if rows < columns else q).reshape(tensor.shape))


def sparse_(tensor: T, sparsity: float, std: float = 0.01, generator: Generator | None = None) -> T:
    """x ~ N(0, std^2), and 0 at ceil(sparsity rows) places of each column, drawn from the default stream, as in torch.

    Raises ValueError unless x is a matrix and 0 <= sparsity <= 1. Source: Martens 2010.
    """
    _check("sparse_", tensor)
    if tensor.ndim != 2 or not 0 <= sparsity <= 1:
        raise ValueError(
            f"init.sparse_: the tensor is {tensor.shape}, the sparsity {sparsity}, expected two axes, and 0 to 1"
        )
    x = _normal("sparse_", tensor, 0, std, generator)
    rows, columns = x.shape
    for column in range(columns):
        x[default_generator.permutation(rows)[: math.ceil(sparsity * rows)], column] = 0
    return _fill(tensor, x)


def _check(name: str, tensor: Tensor, kinds: str = "f") -> None:
    if not isinstance(tensor, Tensor):
        raise TypeError(f"init.{name}: got {type(tensor).__name__}, expected a tensor")
    if tensor.dtype.kind not in kinds:
        raise TypeError(f"init.{name}: the tensor is {tensor.dtype}, expected a floating dtype")


def _fill(tensor: T, x: Array) -> T:
    with no_grad():
        tensor.copy_(x)
    return tensor


def _uniform(name: str, tensor: Tensor, low: float, high: float, generator: Generator | None) -> Array:
    _check(name, tensor)
    return _laid_out(tensor, chosen(name, generator).uniform(tensor.array.size, low, high, tensor.dtype))


def _normal(name: str, tensor: Tensor, mean: float, std: float, generator: Generator | None) -> Array:
    _check(name, tensor)
    g, n = chosen(name, generator), tensor.array.size
    if tensor.array.flags.c_contiguous:
        return g.normal(tensor.shape, mean, std, tensor.dtype)
    few = 14  # torch draws the numbers of such a tensor one by one, as the generator does for fewer than 16
    parts = [g.normal(min(few, n - i), mean, std, tensor.dtype) for i in range(0, n, few)]
    return _laid_out(tensor, np.concatenate(parts) if parts else np.empty(0))


def _laid_out(tensor: Tensor, drawn: Array) -> Array:
    """The numbers in the tensor's shape: torch's draws fill the memory from end to end, however its axes lie in it."""
    x = np.empty_like(tensor.array)
    x.ravel("K")[:] = drawn
    return x


def _fans(name: str, tensor: Tensor) -> tuple[int, int]:
    _check(name, tensor)
    if tensor.ndim < 2:
        raise ValueError(
            f"init.{name}: the tensor is {tensor.shape}, expected two axes or more: (fan_out, fan_in, ...)"
        )
    others = math.prod(tensor.shape[2:])
    return tensor.shape[1] * others, tensor.shape[0] * others


def _xavier(name: str, tensor: Tensor, gain: float) -> float:
    return gain * math.sqrt(2.0 / float(sum(_fans(name, tensor)) or 1))


def _kaiming(name: str, tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    _check(name, tensor)
    if not tensor.array.size:
        warnings.warn(f"init.{name}: Initializing zero-element tensors is a no-op", UserWarning, stacklevel=3)
        return 0
    modes = ("fan_in", "fan_out")
    if str(mode).lower() not in modes:
        raise ValueError(f"init.{name}: the mode is {mode!r}, expected 'fan_in' or 'fan_out'")
    fan = _fans(name, tensor)[modes.index(mode.lower())]
    return calculate_gain(nonlinearity, a) / math.sqrt(fan)


def _deprecated(fill: Callable[..., Any]) -> Callable[..., Any]:
    new = fill.__name__

    @functools.wraps(fill)
    def old(*args: Any, **kwargs: Any) -> Any:
        message = f"`nn.init.{new[:-1]}` is now deprecated in favor of `nn.init.{new}`."
        warnings.warn(message, FutureWarning, stacklevel=2)
        return fill(*args, **kwargs)

    old.__name__ = old.__qualname__ = new[:-1]
    return old


for _new in (
    *(uniform_, normal_, constant_, eye_, xavier_uniform_, xavier_normal_),
    *(kaiming_uniform_, kaiming_normal_, orthogonal_, sparse_),
):
    globals()[_new.__name__[:-1]] = _deprecated(_new)


if not TYPE_CHECKING:  # a type checker would take every name for granted

    def __getattr__(name: str) -> Any:
        raise absent(__name__, name)
