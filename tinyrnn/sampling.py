"""Tensors of random numbers: after manual_seed(n), those that torch gives after its own.

In all of them: generator, the stream to draw from, None for the default one; dtype, device, requires_grad ... as in
creation.py, and what is raised. Nothing is drawn before all that is asked for was checked.
Source: torch's, measured; see random.py for the numbers.
"""

from __future__ import annotations

from typing import Any, Unpack

import numpy as np
from numpy.typing import DTypeLike

from tinyrnn import random
from tinyrnn.autograd.graph import Array
from tinyrnn.creation import from_numpy
from tinyrnn.dtypes import promote
from tinyrnn.making import Options, Sized, check_range, leaf, shape_of, wanted
from tinyrnn.ops.operands import check_broadcast, number, tensor_argument
from tinyrnn.random import chosen
from tinyrnn.tensor import Tensor

__all__ = ["Generator", "get_rng_state", "normal", "rand", "rand_like", "randint", "randint_like", "randn"]
__all__ += ["randn_like", "randperm", "set_rng_state"]


class Generator(random.Generator):
    """A stream of random numbers of its own; a copied or pickled one continues independently. See random.Generator.

    >>> g = Generator().manual_seed(0)
    >>> randint(10, (4,), generator=g)
    tensor([4, 9, 3, 0])
    """

    def get_state(self) -> Any:
        """All there is to continue from, a tensor of uint8, in a layout of our own: not torch's."""
        return from_numpy(super().get_state())

    def clone_state(self) -> Generator:
        """Another one that continues from here, independently."""
        other = Generator()
        other.set_state(self.get_state())
        return other


def get_rng_state() -> Tensor:
    """All there is for the default generator to continue from, a tensor of uint8, in a layout of our own."""
    return from_numpy(random.get_rng_state())


def set_rng_state(new_state: Any) -> None:
    """Lets the default generator continue from what get_rng_state returned. TypeError or ValueError for others."""
    random.set_rng_state(new_state)


def _floats(name: str, dtype: DTypeLike | None, options: Any, like: Array | None = None) -> np.dtype[Any]:
    kind = wanted(name, dtype, options, like)
    if kind.kind != "f":
        raise TypeError(f"{name}: numbers of {kind} are not drawn this way, expected a floating dtype: use randint")
    return kind


def rand(*shape: Any, generator: Any = None, dtype: DTypeLike | None = None, **options: Unpack[Sized]) -> Tensor:
    """Uniform in [0, 1)."""
    size, g = shape_of("rand", shape, options), chosen("rand", generator)
    return leaf(Tensor, g.uniform(size, dtype=_floats("rand", dtype, options)), options)


def randn(*shape: Any, generator: Any = None, dtype: DTypeLike | None = None, **options: Unpack[Sized]) -> Tensor:
    """Normal, of mean 0 and variance 1."""
    size, g = shape_of("randn", shape, options), chosen("randn", generator)
    return leaf(Tensor, g.normal(size, dtype=_floats("randn", dtype, options)), options)


def rand_like(
    input: Tensor, *, generator: Any = None, dtype: DTypeLike | None = None, **options: Unpack[Options]
) -> Tensor:
    """Uniform in [0, 1), of the shape and, without another, the dtype of `input`."""
    x = tensor_argument("rand_like", input)
    return rand(x.shape, generator=generator, dtype=_floats("rand_like", dtype, options, x), **options)


def randn_like(
    input: Tensor, *, generator: Any = None, dtype: DTypeLike | None = None, **options: Unpack[Options]
) -> Tensor:
    """Normal, of mean 0 and variance 1, of the shape and, without another, the dtype of `input`."""
    x = tensor_argument("randn_like", input)
    return randn(x.shape, generator=generator, dtype=_floats("randn_like", dtype, options, x), **options)


def randint(
    low: Any = 0,
    high: Any = None,
    size: Any = None,
    *,
    generator: Any = None,
    dtype: DTypeLike | None = np.int64,
    **options: Unpack[Options],
) -> Tensor:
    """Whole numbers of low..high-1, each as likely, of shape `size`; randint(high, size) begins at 0.

    Raises ValueError if there are none, or if a dtype of whole numbers does not hold them.
    """
    if size is None:
        high, size = None, high
    if high is None:
        low, high = 0, low
    return _whole("randint", low, high, shape_of("randint", (size,), {}), generator, dtype, options)


def randint_like(
    input: Tensor,
    low: Any = 0,
    high: Any = None,
    *,
    generator: Any = None,
    dtype: DTypeLike | None = None,
    **options: Unpack[Options],
) -> Tensor:
    """Whole numbers of low..high-1 (randint_like(x, high): of 0..high-1) in the shape and dtype of `input`."""
    x = tensor_argument("randint_like", input)
    low, high = (0, low) if high is None else (low, high)
    return _whole("randint_like", low, high, x.shape, generator, x.dtype if dtype is None else dtype, options)


def _whole(name: str, low: Any, high: Any, shape: tuple[int, ...], generator: Any, dtype: Any, options: Any) -> Tensor:
    kind, g = wanted(name, np.int64 if dtype is None else dtype, options), chosen(name, generator)
    if not all(hasattr(n, "__index__") for n in (low, high)):
        raise TypeError(f"{name}: got numbers from {low!r} to below {high!r}, expected whole ones")
    low, high = low.__index__(), high.__index__()
    if low >= high:
        raise ValueError(f"{name}: numbers from {low} to below {high}: there are none, expected low < high")
    check_range(name, kind, low, high - 1)
    return leaf(Tensor, g.integers(low, high, shape).astype(kind), options)


def randperm(
    n: Any, *, generator: Any = None, dtype: DTypeLike | None = np.int64, **options: Unpack[Options]
) -> Tensor:
    """0..n-1 in a random order."""
    kind, g = wanted("randperm", np.int64 if dtype is None else dtype, options), chosen("randperm", generator)
    n = n.__index__() if isinstance(n, Tensor) else n
    check_range("randperm", kind, 0, n - 1 if isinstance(n, int) else 0)  # what is no number is refused below
    return leaf(Tensor, g.permutation(n).astype(kind), options)


def normal(
    mean: Any = 0.0,
    std: Any = 1.0,
    size: Any = None,
    *,
    generator: Any = None,
    dtype: DTypeLike | None = None,
    **options: Unpack[Options],
) -> Tensor:
    """x = z std + mean, z normal of variance 1: with two numbers of shape `size`, else as the tensors broadcast.

    No gradient flows to mean and std, as none does in torch: mean + std * randn(...) lets it.
    Raises ValueError for a negative std, TypeError for two numbers without a size, and for a tensor with one.
    """
    tensors = [n for n in (mean, std) if isinstance(n, Tensor)]
    if bool(tensors) == (size is not None):
        raise TypeError("normal: expected two numbers and a size, or a tensor of means, of stds, or both")
    if not tensors:
        kind, g = _floats("normal", dtype, options), chosen("normal", generator)
        mean, std = number("normal", "mean", mean), number("normal", "std", std)
        return leaf(Tensor, g.normal(shape_of("normal", (size,), {}), mean, std, kind), options)
    kind, g = _floats("normal", dtype, options, tensors[0].array), chosen("normal", generator)
    m, s = (
        n.array if isinstance(n, Tensor) else np.asarray(number("normal", "mean and std", n), kind) for n in (mean, std)
    )
    check_broadcast("normal", m.shape, s.shape)
    if not np.all(s >= 0):
        raise ValueError("normal: a std is negative, expected at least 0")
    m, s = promote(m, s)
    z = g.normal(np.broadcast_shapes(m.shape, s.shape), dtype=m.dtype)
    return leaf(Tensor, (z * s + m).astype(kind if dtype is not None else m.dtype), options)
