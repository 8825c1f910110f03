"""Random numbers whose chances, or whose place, a tensor says: bernoulli, multinomial, and x.normal_() and its kin.

In all of them: generator, the stream to draw from, None for the default one. After manual_seed(n) the numbers are those
that torch draws after its own. No gradient flows to the chances (in torch it is zero), nor to what was in the place.
Raises TypeError for what is no tensor or not of the dtypes it is for, ValueError for numbers out of range, RuntimeError
where a change in place is refused; nothing is drawn then.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from tinyrnn.autograd.graph import Array, Value, make
from tinyrnn.autograd.views import check_in_place
from tinyrnn.making import check_range
from tinyrnn.ops.inplace import copy_
from tinyrnn.ops.operands import check_broadcast, number, tensor_argument
from tinyrnn.random import Generator, chosen

if TYPE_CHECKING:
    from tinyrnn.tensor import Tensor

__all__ = ["bernoulli", "multinomial"]


def bernoulli(input: Tensor, p: Any = None, *, generator: Any = None) -> Tensor:
    """1 with the probability that stands at its place in `input`, else 0; with p, a number, everywhere with that."""
    x, g = tensor_argument("bernoulli", input), chosen("bernoulli", generator)
    if p is None and x.dtype.kind != "f":
        raise TypeError(f"bernoulli: the probabilities are {x.dtype}, expected floating numbers: .float() them")
    drawn = _coins("bernoulli", x.shape, x if p is None else number("bernoulli", "p", p), g)
    result: Tensor = make(input.result, drawn.astype(x.dtype))
    return result


def _coins(name: str, shape: tuple[int, ...], p: Any, g: Generator) -> Array:
    """u < p, with u in the precision of p: float32 for an array of that, else float64."""
    if not np.all((p >= 0) & (p <= 1)):
        raise ValueError(f"{name}: not all probabilities are between 0 and 1: clamp them, or take a sigmoid")
    if not isinstance(p, np.ndarray):
        return g.bernoulli(p, shape)
    return np.asarray(g.uniform(shape, dtype=np.float64 if p.dtype == np.float64 else np.float32) < p)


def multinomial(input: Tensor, num_samples: int, replacement: bool = False, *, generator: Any = None) -> Tensor:
    """Indices, each drawn with a chance in proportion to its weight in `input`: (N,) -> (num_samples,), int64.

    input        weights of at least 0, not all 0; (B, N) -> (B, num_samples), with each row drawn from for itself
    replacement  whether an index may be drawn again; if not, num_samples <= N, and those of weight 0 come last
    How: by the inverse of the distribution function; without replacement the largest w_i / e_i with exponential e_i.
    """
    w, g = tensor_argument("multinomial", input), chosen("multinomial", generator)
    if w.dtype.kind != "f":
        raise TypeError(f"multinomial: the weights are {w.dtype}, expected floating numbers: .float() them")
    if w.ndim not in (1, 2):
        raise ValueError(f"multinomial: the weights have shape {w.shape}, expected (N,) or (B, N)")
    if not 0 < num_samples <= (num_samples if replacement else w.shape[-1]):
        raise ValueError(
            f"multinomial: {num_samples} samples from {w.shape[-1]} weights, expected at least one, and no more than "
            "there are weights unless replacement=True"
        )
    if not (np.isfinite(w) & (w >= 0)).all() or not (w.sum(-1) > 0).all():
        raise ValueError("multinomial: a weight is negative, inf or NaN, or all of them are 0")
    if replacement and num_samples > 1:
        u = g.uniform((*w.shape[:-1], num_samples), dtype=np.float64)
        rows, us = w.reshape(-1, w.shape[-1]), u.reshape(-1, num_samples)
        drawn: Array = np.empty(us.shape, np.int64)
        for k, row in enumerate(rows):
            below = row.cumsum(dtype=row.dtype)
            below = below / below[-1]
            below[-1] = 1
            drawn[k] = below.searchsorted(us[k])
        drawn = drawn.reshape(u.shape)
    else:
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = w / g.exponential(1, w.shape).astype(w.dtype)
        one = num_samples == 1
        drawn = ratio.argmax(-1, keepdims=True) if one else (-ratio).argsort(-1, kind="stable")[..., :num_samples]
    result: Tensor = make(input.result, drawn)
    return result


def uniform_(input: Tensor, from_: float = 0, to: float = 1, *, generator: Any = None) -> Tensor:
    """x = numbers drawn uniformly from [from_, to), in place."""
    x, g = _place("uniform_", input, generator)
    low, high = number("uniform_", "from", from_), number("uniform_", "to", to)
    return _fill(input, lambda shape: g.uniform(shape, low, high, x.dtype))


def normal_(input: Tensor, mean: float = 0, std: float = 1, *, generator: Any = None) -> Tensor:
    """x = numbers drawn normally, with this mean and standard deviation, in place.

    Those of torch where x is contiguous; where it is not, and has 16 elements or more, torch draws in another way.
    """
    x, g = _place("normal_", input, generator)
    mean, std = number("normal_", "mean", mean), number("normal_", "std", std)
    return _fill(input, lambda shape: g.normal(shape, mean, std, x.dtype))


def exponential_(input: Tensor, lambd: float = 1, *, generator: Any = None) -> Tensor:
    """x = numbers drawn with density lambd e^(-lambd x), in place."""
    _, g = _place("exponential_", input, generator)
    rate = number("exponential_", "lambd", lambd)
    return _fill(input, lambda shape: g.exponential(rate, shape))


def bernoulli_(input: Tensor, p: Any = 0.5, *, generator: Any = None) -> Tensor:
    """x = 1 with probability p, a number or a tensor that broadcasts to x, else 0, in place."""
    x, g = _place("bernoulli_", input, generator, "fuib")
    if not isinstance(p, Value):
        chance = number("bernoulli_", "p", p)
        return _fill(input, lambda shape: _coins("bernoulli_", shape, chance, g))
    check_broadcast("bernoulli_", p.array.shape, x.shape)
    return copy_(input, _coins("bernoulli_", x.shape, np.broadcast_to(p.array, x.shape), g))


def random_(input: Tensor, from_: int | None = None, to: int | None = None, *, generator: Any = None) -> Tensor:
    """x = whole numbers of from_..to-1, in place; random_(to) begins at 0; random_() takes all that x can count."""
    x, g = _place("random_", input, generator, "fuib")
    if from_ is None and to is None:
        span = _COUNTS[x.dtype.str[1:]]
        return _fill(input, lambda shape: g.integers(0, span, shape, np.uint64, span > 2**32))
    low, high = (0, from_) if to is None else (from_ or 0, to)
    assert high is not None
    if not low < high:
        raise ValueError(f"random_: numbers from {low} to below {high}: there are none, expected low < high")
    check_range("random_", x.dtype, low, high - 1)
    return _fill(input, lambda shape: g.integers(low, high, shape, np.uint64 if low >= 0 else np.int64))


# How many whole numbers random_() chooses from: those that a dtype holds exactly, without the negative ones.
_COUNTS = {"b1": 2, "u1": 2**8, "i1": 2**7, "i2": 2**15, "i4": 2**31, "i8": 2**63}
_COUNTS |= {"u2": 2**16, "u4": 2**32, "u8": 2**64 - 1, "f2": 2**11 + 1, "f4": 2**24 + 1, "f8": 2**53 + 1}


def _place(name: str, input: Tensor, generator: Any, kinds: str = "f") -> tuple[Array, Generator]:
    x, g = tensor_argument(name, input), chosen(name, generator)
    if x.dtype.kind not in kinds:
        raise TypeError(f"{name}: a tensor of {x.dtype} cannot hold these numbers, expected a floating dtype")
    check_in_place(name, input)
    return x, g


def _fill(input: Tensor, draw: Callable[[tuple[int, ...]], Array]) -> Tensor:
    """x = draw(its shape), in place: the numbers are laid down in the order of the memory, as torch does."""
    x = input.array
    axes = sorted(range(x.ndim), key=lambda axis: -abs(x.strides[axis]))
    drawn = draw(tuple([x.shape[axis] for axis in axes]))
    return copy_(input, drawn.transpose(np.argsort(axes)).astype(x.dtype, copy=False))
