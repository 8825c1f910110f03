"""Random numbers: those that torch draws on the CPU from the same seed.

Word       w_t, 32 bits, MT19937 filled from seed mod 2**32        (Matsumoto & Nishimura 1998)
Long word  v = 2**32 w_t + w_{t+1}
Uniform    u = (w mod 2**24) / 2**24 for float32, (v mod 2**53) / 2**53 for float64
Normal     z = sqrt(-2 log(1 - u_a)) cos(2 pi u_b), then the same with sin      (Box & Muller 1958)
Integer    w mod r + low, with v for w from r = high - low >= 2**28 on
Exponential  -log(1 - u) / rate, u of float64
The order and number of words and the roundings are a convention: torch's CPU generator, measured on 2.13.

Equal to the last bit: uniform, integers, permutation, bernoulli. Normal and exponential take the same words, but
numpy's log, sin and cos: they are off by at most 1e-6 (float32) or 1e-15 (float64) of the largest value. Scaling by a
width or std and adding rounds once, a fused multiply-add, as torch does where the processor has one (AVX2).
"""

import contextlib
import math
import operator
import os
import threading
from collections.abc import Iterator, Sequence
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from tinyrnn.devices import CPU, check_device

Array = NDArray[Any]
Shape = SupportsIndex | Sequence[SupportsIndex]

_MAGIC = b"tinyrnn1"  # opens every state: the layout's name
_FIELDS = [("magic", "S8"), ("seed", "<u8"), ("place", "<u4"), ("kept", "<u4"), ("normal", "<f8")]
_STATE = np.dtype([*_FIELDS, ("key", "<u4", 624)])


class Generator:
    """A stream of random numbers that threads may share; a copied or pickled one continues independently.

    A new one starts at seed 67280421310721, as torch's does. Raises ValueError for a device other than "cpu".
    """

    device = CPU
    changes = 0  # how often it was drawn from or set: as long as this is the same, so is the state
    _stream: Any = None  # a RandomState, or None until the first number: numpy.random takes a while to load

    def __init__(self, device: object = "cpu") -> None:
        check_device("Generator", device)
        self._lock = threading.RLock()
        self.manual_seed(67280421310721)

    def manual_seed(self, seed: int) -> "Generator":
        """Restart at `seed` mod 2**64, return self; TypeError: no int, ValueError: not in [-2**63, 2**64)."""
        seed = _integer("manual_seed", "seed", seed)
        if not -(2**63) <= seed < 2**64:
            raise ValueError(f"manual_seed: got {seed}, expected -2**63 <= seed < 2**64: pass seed % 2**64")
        with self._lock:
            self.changes += 1
            self._seed = seed % 2**64
            if self._stream is not None:  # to make a new one takes 60 times as long
                self._stream.seed(seed % 2**32)
            self._kept: Array = np.empty(0)  # the second normal of a pair, if only the first was asked for
        return self

    def seed(self) -> int:
        """Restart at 64 bits from the operating system and return them as an int."""
        return self.manual_seed(int.from_bytes(os.urandom(8), "little")).initial_seed()

    def initial_seed(self) -> int:
        """Return the seed the stream was last started from, in [0, 2**64)."""
        return self._seed

    def get_state(self) -> NDArray[np.uint8]:
        """Return all there is to continue from, (2528,) uint8, in a layout of our own: not torch's."""
        with self._lock:
            _, key, place, *_ = self._started().get_state()
            state = np.array((_MAGIC, self._seed, place, len(self._kept), self._kept.sum(), key), _STATE)
        return np.frombuffer(state.tobytes(), np.uint8).copy()

    def set_state(self, state: ArrayLike) -> "Generator":
        """Continue from a `state` that get_state returned, (2528,) uint8, and return self.

        Raises TypeError for another dtype, ValueError for another shape or for bytes that are no state.
        """
        given, way_out = np.asarray(state), "pass what tinyrnn's get_state or get_rng_state returned"
        if given.dtype != np.uint8:
            raise TypeError(f"set_state: got dtype {given.dtype}, expected uint8: {way_out}")
        if given.shape != (_STATE.itemsize,):
            raise ValueError(f"set_state: got shape {given.shape}, expected ({_STATE.itemsize},): {way_out}")
        record = np.frombuffer(given.tobytes(), _STATE)[0]
        in_range = record["place"] <= 624 and record["kept"] <= 1 and np.isfinite(record["normal"])
        if record["magic"] != _MAGIC or not in_range or not record["key"].any():
            raise ValueError(f"set_state: got bytes that tinyrnn did not write, expected a state: {way_out}")
        with self._lock:
            self.changes += 1
            self._seed = int(record["seed"])
            self._stream = np.random.RandomState(0)
            self._stream.set_state(("MT19937", record["key"], int(record["place"]), 0, 0.0))
            self._kept = np.full(record["kept"], record["normal"])
        return self

    def uniform(self, shape: Shape, low: float = 0, high: float = 1, dtype: DTypeLike = np.float32) -> Array:
        """Draw x = u (high - low) + low, 0 <= u < 1, an array of `shape`; what rounds to high becomes low.

        Raises ValueError for low > high, what `dtype` cannot hold, a negative size; TypeError for `dtype`.
        """
        if np.dtype(dtype) == np.float16:
            halves = self.uniform(shape, low, high).astype(np.float16)
            return np.where(halves == np.float16(high), np.float16(low), halves)
        size, dims, kind = *_sizes("uniform", shape), _floating("uniform", dtype)
        low, high = float(low), float(high)
        if not (low <= high and max(-low, high, high - low) <= float(np.finfo(kind).max)):
            raise ValueError(f"uniform: got [{low}, {high}), expected low <= high, finite {kind}: swap them")
        bottom, top = kind.type(low), kind.type(high)
        x = _multiply_add(self._unit(size, kind), top - bottom, bottom)
        return np.where(x == top, bottom, x).reshape(dims)

    def normal(self, shape: Shape, mean: float = 0, std: float = 1, dtype: DTypeLike = np.float32) -> Array:
        """Draw x = z std + mean, z by Box & Muller, an array of `shape`.

        Raises ValueError for std < 0, what `dtype` cannot hold, a negative size; TypeError for `dtype`.
        """
        if np.dtype(dtype) == np.float16:
            return self.normal(shape, mean, std).astype(np.float16)
        size, dims, kind = *_sizes("normal", shape), _floating("normal", dtype)
        if not (std >= 0 and max(std, abs(mean)) <= float(np.finfo(kind).max)):
            raise ValueError(f"normal: got {mean=}, {std=}, expected finite {kind}, std >= 0: use abs()")
        with self._lock:
            z = self._few_normals(size) if size < 16 else self._many_normals(size, kind)
        return _multiply_add(z, z.dtype.type(std), z.dtype.type(mean)).astype(kind).reshape(dims)

    def integers(
        self, low: int, high: int, shape: Shape, dtype: DTypeLike = np.int64, long: bool | None = None
    ) -> Array:
        """Draw x = w mod (high - low) + low, integers in [low, high), an array of `shape`.

        long  whether to take v instead of w; by default that depends on high - low, as above
        Raises ValueError for low >= high, what `dtype` cannot hold, a negative size; TypeError for floats.
        """
        low, high = _integer("integers", "low", low), _integer("integers", "high", high)
        size, dims, kind = *_sizes("integers", shape), np.dtype(dtype)
        if kind.kind not in "iu":
            raise TypeError(f"integers: got dtype={kind}, expected an integer dtype: convert with astype")
        span, limits = high - low, np.iinfo(kind)
        if not (0 < span < 2**64 and limits.min <= low and high - 1 <= limits.max):
            raise ValueError(f"integers: got [{low}, {high}), expected low < high, all {kind}: swap or clip")
        words = self._long_words(size) if (span >= 2**28 if long is None else long) else self._words(size)
        return (words % np.uint64(span) + np.uint64(low % 2**64)).astype(kind).reshape(dims)

    def permutation(self, n: int) -> NDArray[np.int64]:
        """Draw an order of 0 .. n - 1, (n,) int64: for i < n - 1, swap places i and i + w mod (n - i).

        Raises TypeError for a non-integer, ValueError for n < 0 or n >= 2**32 / 20 (there, torch takes v).
        """
        n = _integer("permutation", "n", n)
        if not 0 <= n < 2**32 // 20:
            raise ValueError(f"permutation: got n={n}, expected 0 <= n < {2**32 // 20}: permute parts")
        steps, order = max(n - 1, 0), list(range(n))
        place = np.arange(steps, dtype=np.uint64)
        partners = place + self._words(steps) % (np.uint64(n) - place)
        for i, j in enumerate(partners.tolist()):
            order[i], order[j] = order[j], order[i]
        return np.array(order, np.int64)

    def bernoulli(self, p: float, shape: Shape) -> NDArray[np.bool_]:
        """Draw u < p with float64 u, as dropout does: True with probability p, an array of `shape`.

        Raises ValueError for p outside [0, 1] or a negative size.
        """
        size, dims = _sizes("bernoulli", shape)
        if not 0 <= p <= 1:
            raise ValueError(f"bernoulli: got p={p}, expected a probability, 0 <= p <= 1: clip it")
        return np.asarray(self._unit(size, np.float64) < p).reshape(dims)

    def exponential(self, rate: float, shape: Shape) -> Array:
        """Draw -log(1 - u) / rate, float64, an array of `shape`. Raises ValueError for rate <= 0 or a negative size."""
        size, dims = _sizes("exponential", shape)
        if not rate > 0:
            raise ValueError(f"exponential: got rate={rate}, expected one above 0")
        return ((-1 / rate) * np.log1p(-self._unit(size, np.float64))).reshape(dims)

    def __getstate__(self) -> bytes:
        return Generator.get_state(self).tobytes()

    def __setstate__(self, state: bytes) -> None:
        self._lock = threading.RLock()
        Generator.set_state(self, np.frombuffer(state, np.uint8))

    def _words(self, n: int) -> NDArray[np.uint64]:
        with self._lock:
            self.changes += 1
            # of this range: numpy's plain words
            words: NDArray[np.uint64] = self._started().randint(0, 2**32, n, np.uint64)
        return words

    def _started(self) -> Any:
        if self._stream is None:
            self._stream = np.random.RandomState(self._seed % 2**32)
        return self._stream

    def _long_words(self, n: int) -> NDArray[np.uint64]:
        words = self._words(2 * n)
        return words[::2] << np.uint64(32) | words[1::2]

    def _unit(self, n: int, dtype: DTypeLike) -> Array:
        bits, words = (24, self._words(n)) if dtype == np.float32 else (53, self._long_words(n))
        return ((words & np.uint64(2**bits - 1)) * 2.0**-bits).astype(dtype)

    def _few_normals(self, n: int) -> Array:
        """Float64 normals one by one, from pairs (u_b, u_a)."""
        u_b, u_a = self._unit((n - len(self._kept) + 1) // 2 * 2, np.float64).reshape(-1, 2).T
        pairs = np.sqrt(-2 * np.log1p(-u_a)) * np.array((np.cos(2 * np.pi * u_b), np.sin(2 * np.pi * u_b)))
        z = np.concatenate((self._kept, pairs.T.ravel()))
        self._kept = z[n:]
        return z[:n]

    def _many_normals(self, n: int, dtype: DTypeLike) -> Array:
        """Normals in blocks of 16: eight u_a, then eight u_b; an incomplete block draws the last 16 again."""
        u = self._unit(n, dtype)[: n // 16 * 16]
        tail = self._unit(16 if n % 16 else 0, dtype)
        u_a, u_b = np.concatenate((u, tail)).reshape(-1, 2, 8).swapaxes(0, 1)
        radius, angle = np.sqrt(-2 * np.log(1 - u_a)), u.dtype.type(2 * np.pi) * u_b
        z = np.stack((radius * np.cos(angle), radius * np.sin(angle)), axis=1).ravel()
        return np.concatenate((z[: n - len(tail)], z[len(u) :]))


def _two_sum(a: Any, b: Any) -> tuple[Array, Array]:
    """Return a + b rounded, and what the rounding left out (Knuth 1969)."""
    total = a + b
    rest = total - a
    return total, (a - (total - rest)) + (b - rest)


def _odd_sum(a: Any, b: Any) -> Array:
    """Return a + b in float64; if inexact, the neighbour whose last bit is 1: it may be rounded once more."""
    total, left_out = _two_sum(a, b)
    even = (left_out != 0) & (total.view(np.int64) % 2 == 0)
    return np.where(even, np.nextafter(total, np.copysign(np.inf, left_out)), total)


def _multiply_add(x: Array, factor: Any, term: Any) -> Array:
    """Return x factor + term, (n,), rounded once (Dekker 1971; Boldo & Melquiond 2008)."""
    if x.dtype == np.float32:  # in float64 the product is exact
        return _odd_sum(x.astype(np.float64) * float(factor), float(term)).astype(np.float32)
    product = x * factor
    if abs(factor) > 2.0**960:  # the halves below would overflow
        return np.asarray(product + term)
    x1, f1 = (y * (2.0**27 + 1) - (y * (2.0**27 + 1) - y) for y in (x, factor))  # the upper 26 bits
    x2, f2 = x - x1, factor - f1
    small, left_out = _two_sum(((x1 * f1 - product) + x1 * f2 + x2 * f1) + x2 * f2, term)
    total, left_out_too = _two_sum(product, small)
    return np.asarray(total + _odd_sum(left_out, left_out_too))


def _integer(function: str, name: str, value: Any) -> int:
    if isinstance(value, bool | np.bool_) or not hasattr(value, "__index__"):
        raise TypeError(f"{function}: got {name}={value!r}, expected an int: convert it with int()")
    return operator.index(value)


def _sizes(function: str, shape: Shape) -> tuple[int, tuple[int, ...]]:
    dims = tuple(_integer(function, "size", n) for n in (shape if isinstance(shape, Sequence) else [shape]))
    if min(dims, default=0) < 0:
        raise ValueError(f"{function}: got shape={dims}, expected sizes >= 0: give each size itself")
    return math.prod(dims), dims


def _floating(function: str, dtype: DTypeLike) -> np.dtype[Any]:
    if np.dtype(dtype) not in (np.float32, np.float64):
        raise TypeError(f"{function}: got dtype={dtype}, expected float16, float32 or float64")
    return np.dtype(dtype)


def chosen(function: str, generator: Any) -> Generator:
    """`generator`, or the default one for None. Raises TypeError for what is none."""
    if generator is None:
        return default_generator
    if not isinstance(generator, Generator):
        raise TypeError(f"{function}: generator is {type(generator).__name__}, expected a tinyrnn.Generator or None")
    return generator


@contextlib.contextmanager
def fork_rng(devices: Any = None, enabled: bool = True) -> Iterator[None]:
    """A context, or a decorator, after which the default generator is as it was. Source: torch.random.fork_rng."""
    before = default_generator.get_state()
    try:
        yield
    finally:
        if enabled:
            default_generator.set_state(before)


default_generator = Generator()
default_generator.seed()  # convention: torch's, too, starts anywhere until manual_seed is called

manual_seed = default_generator.manual_seed
seed = default_generator.seed
initial_seed = default_generator.initial_seed
get_rng_state = default_generator.get_state
set_rng_state = default_generator.set_state
