"""Sums over many rows, fast and without losing digits."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]  # its own, so that a kernel depends on NumPy alone
BLOCK = 64  # so many numbers may be added in their own precision
ONES = {np.dtype(t): np.ones(2 * BLOCK, t) for t in (np.float32, np.float64)}  # the row to multiply with, made once
LARGE = 2**16  # from here on not even NumPy's pairwise sums of float32 are relied upon: 2.0 adds blocks one by one


def sum_rows(g: Array) -> Array:
    """s = sum_n g_n, the gradient of a bias that was added to every row.

    g (N, H) -> s (H,), of g's dtype. NumPy's g.sum(0) adds row after row, which is slow and costs float32 digits (0.1
    summed 10^6 times is 1 % off). A product with a row of ones is ten times faster; in blocks of 64 rows, whose sums
    are added in float64, its rounding stays that of 64 additions.

    >>> sum_rows(np.ones((3, 2)))
    array([3., 3.])
    """
    N, H = g.shape
    blocks = N // BLOCK
    if blocks < 2:
        row = ONES[g.dtype][:N] if g.dtype in ONES else np.ones(N, g.dtype)
        return np.asarray(row.dot(g))
    done = blocks * BLOCK
    sums = np.matmul(np.ones(BLOCK, g.dtype), g[:done].reshape(blocks, BLOCK, H))
    rest = np.ones(N - done, g.dtype).dot(g[done:])
    total = np.add.reduce(sums, 0, np.promote_types(g.dtype, np.float64)) + rest
    return np.asarray(total.astype(g.dtype))


def sum_axes(x: Array, axes: tuple[int, ...], dtype: np.dtype[Any], keepdims: bool = False, n: float = 1) -> Array:
    """s = (1/n) sum of x over axes, in `dtype`; a mean, if n is the number of elements that are summed.

    x any shape -> the shape without `axes` (with keepdims, 1 there). NumPy adds pairwise, and so precisely, along what
    lies side by side in memory, and one by one across it: there float32 is added in float64. So are large sums, and all
    of float16, which overflows; whole rows of float32 are summed by `sum_rows`, which is five times faster.
    """
    if x.size > LARGE and x.dtype == dtype == np.float32 and x.flags.c_contiguous and axes == tuple(range(len(axes))):
        s = np.asarray(_sum_leading(x, len(axes)) / n, dtype)
        return s.reshape([1] * len(axes) + list(s.shape)) if keepdims else s
    inner = axes == tuple(range(x.ndim - len(axes), x.ndim)) and x.flags.c_contiguous
    wide = dtype.kind == "f" and (dtype.itemsize == 2 or (x.size > BLOCK and not inner) or x.size > LARGE)
    s = np.add.reduce(x, axes, np.float64 if wide else dtype, None, keepdims)  # type: ignore[call-overload]
    if n != 1:
        s = s / n
    return np.asarray(s, dtype)


def _sum_leading(x: Array, k: int) -> Any:
    """The sum over the first k axes; over all of them, of the rows of a matrix and then along the one that is left."""
    if k < x.ndim:
        return sum_rows(x.reshape(math.prod(x.shape[:k]), -1)).reshape(x.shape[k:])
    flat = x.reshape(-1)
    cut = x.size % 1024
    row = sum_rows(flat[cut:].reshape(-1, 1024))
    return np.add.reduce(row, None, np.float64) + np.add.reduce(flat[:cut], None, np.float64)


def sum_to(shape: tuple[int, ...], g: Array, name: str) -> Array:
    """The sum of `g` over the axes along which an operand of `shape` was repeated: the pullback of broadcasting.

    g any shape -> shape. Raises RuntimeError, with the name of the operation, if `shape` does not broadcast to g's.
    """
    extra = g.ndim - len(shape)
    if extra == 1 and g.shape[1:] == shape and g.size:  # a bias that was added to every row, most often
        return sum_rows(g.reshape(len(g), -1)).reshape(shape)
    if extra < 0 or any(n not in (1, m) for n, m in zip(shape, g.shape[extra:], strict=True)):
        raise RuntimeError(f"backward: {name!r} returned a gradient of shape {g.shape} for an input of shape {shape}")
    repeated = [extra + i for i, n in enumerate(shape) if n != g.shape[extra + i]]
    if not repeated:
        return sum_rows(g.reshape(-1, math.prod(shape))).reshape(shape) if g.size else np.zeros(shape, g.dtype)
    return sum_axes(g, (*range(extra), *repeated), g.dtype, keepdims=True).reshape(shape)
