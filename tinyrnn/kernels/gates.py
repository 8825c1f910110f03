"""What the kernels with gates share: their memory, the input's share of every step, the gradients of the weights.

Inside, these kernels keep a step as (gates, H, N), the batch last: each gate is one contiguous block, and the product
with the weights, (gates H, H) @ (H, N), has the orientation in which BLAS is fastest. Steps lie in the order in which
they are visited, which for `reverse` is that of x backwards.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tinyrnn.kernels.sums import sum_axes, sum_rows

Array = npt.NDArray[Any]
BLOCK = 2**15  # numbers in one gate of a block of steps: what is worked on together should stay in the cache


def block_of_steps(H: int, N: int) -> int:
    """How many steps the backward loop prepares at once: all for what is small, one for what is large."""
    return max(1, BLOCK // max(1, H * N))


def input_share(x: Array, w: Array, b: Array | None, out: Array) -> None:
    """out_t = w x_t + b for all t: the part of the gates that needs no state.

    x (T, N, I), w (K, I), b (K,) or None -> out (T, K, N).
    """
    T, N, I = x.shape
    if N == 1:  # one product for all steps
        out[..., 0] = x.reshape(T, I).dot(w.T)
    else:
        np.matmul(w, x.transpose(0, 2, 1), out=out)
    if b is not None:
        out += b[:, None]


def columns(T: int, K: int, N: int, dtype: Any) -> Array:
    """Empty memory (T, K, N), a column for each step and sequence, such that `side_by_side` need not copy it."""
    return np.empty((T, K, N), dtype) if N == 1 else np.empty((K, T, N), dtype).transpose(1, 0, 2)


def side_by_side(d: Array) -> Array:
    """(T, K, N) from `columns` as (K, T N), so that a sum over steps and sequences is one product."""
    T, K, N = d.shape
    return d.transpose(1, 0, 2).reshape(K, T * N)


def sum_columns(d: Array) -> Array:
    """s = sum of the columns: d (K, M) -> s (K,), the gradient of a bias."""
    return sum_rows(d.T) if d.T.flags.c_contiguous else sum_axes(d, (1,), d.dtype)
