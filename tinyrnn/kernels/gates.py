"""What the kernels with gates share: how the steps lie in memory, in which pieces the backward loop takes them.

Inside, these kernels keep a step as (gates, H, N), the batch last: each gate is one contiguous block, and the product
with the weights, (gates H, K) @ (K, N), has the orientation in which BLAS is fastest. Steps lie in the order in which
they are visited, which for `reverse` is that of x backwards.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyrnn.kernels.memory import copy, empty
from tinyrnn.kernels.sums import sum_rows

Array = npt.NDArray[Any]
BLOCK = 2**15  # numbers in one gate of a block of steps: what is worked on together should stay in the cache
COLUMNS = 512  # steps times sequences in a product for the weights' gradients, at least: smaller ones waste time
WIDE = 16  # sequences, from which on a product with a longer column costs no more than its multiplications
SHORT = 4096  # I H, up to which a longer column costs a single sequence less than adding the input's share
COPY = 20  # steps, from which on a copy of the weights, in the order in which BLAS is fastest, costs less than it saves
BROADCAST = 4096  # H N, from which on NumPy's broadcasting (0.6 us) costs less than a copy


def beside(I: int, H: int, N: int) -> bool:
    """Whether x_t stands beside h_{t-1} in one column, so that one product makes all of a_t, and none is added."""
    return N >= WIDE or I * H <= SHORT


def share(x: Array, w: Array, out: Array) -> None:
    """out_t = w x_t, the input's share of each step, made in advance: x (T, N, I), w (K, I) -> out (T, K, N)."""
    T, N, I = x.shape
    if N == 1:  # one product for all steps
        np.matmul(x.reshape(T, I), w.T, out=out[..., 0])
    else:
        np.matmul(w, x.transpose(0, 2, 1), out=out)


def room_for(n: int, K: int, N: int, dtype: Any) -> Array:
    """Memory (n, K, N), a column for each step and sequence, such that `side_by_side` need not copy it."""
    return empty((n, K, N), dtype) if N == 1 else empty((K, n, N), dtype).transpose(1, 0, 2)


def plus(total: Array | None, part: Array) -> Array:
    """total + part, in total's memory; the first part is the total."""
    return part if total is None else np.add(total, part, total)


def side_by_side(steps: Array) -> Array:
    """(n, K, N) as (K, n N), the columns of all steps, so that a sum over steps and sequences is one product."""
    n, K, N = steps.shape
    rows = steps.transpose(1, 0, 2)
    return (rows if N == 1 or rows.flags.c_contiguous else copy(rows)).reshape(K, n * N)


def sum_columns(d: Array) -> Array:
    """The sum of all columns, the gradient of a bias, without losing digits: d (K, n) -> (K,), in float64 at least."""
    sums = sum_rows(d.T) if d.flags.f_contiguous else np.add.reduce(d, 1)
    return np.asarray(sums.astype(np.promote_types(d.dtype, np.float64)))


def same_memory(T: int, shape: tuple[int, ...], dtype: Any) -> Array:
    """An array (T, *shape) whose steps are all the same memory: what nobody will look back at."""
    one = np.empty(shape, dtype)
    return np.ndarray((T, *shape), dtype, one, strides=(0, *one.strides))


def pieces(T: int, H: int, N: int) -> Iterator[tuple[int, int, list[tuple[int, int]]]]:
    """(start, stop, blocks) from the last step to the first: what one product for the weights takes, and in it, last
    first, the (start, stop) of the blocks whose gates stay in the cache while they are worked on.

    >>> list(pieces(5, 2**13, 200)), next(pieces(900, 50, 1))
    ([(2, 5, [(4, 5), (3, 4), (2, 3)]), (0, 2, [(1, 2), (0, 1)])], (245, 900, [(245, 900)]))
    """
    size = block_of_steps(H, N)
    piece = size * max(1, -(-COLUMNS // max(1, size * N)))
    for stop in range(T, 0, -piece):
        start = max(0, stop - piece)
        yield start, stop, [(max(start, end - size), end) for end in range(stop, start, -size)]


def block_of_steps(H: int, N: int) -> int:
    """How many steps the backward loop prepares at once: all for what is small, one for what is large."""
    return max(1, BLOCK // max(1, H * N))
