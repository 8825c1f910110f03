"""Memory that is used again. A large array that is new costs more than what is done with it: the system gives its pages
one by one, as they are first written to, and clears each of them."""

from __future__ import annotations

import contextlib
import math
import threading
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
LARGE = 2**17  # bytes, from which on an array is worth keeping; smaller ones malloc keeps itself
LIMIT = 2**25  # bytes that a thread keeps for later, at most: 32 MiB


class Pool(threading.local):
    """The buffers of a thread that nobody uses now, those freed last at the end."""

    def __init__(self) -> None:
        self.free: list[Array] = []


pool = Pool()


class Loan:
    """What an array's memory belongs to while there is a view of it; then the memory goes back to the pool."""

    def __init__(self, buffer: Array) -> None:
        self.buffer, self.free = buffer, pool.free  # not looked up later: a thread that ends has no pool any more
        self.__array_interface__ = buffer.__array_interface__

    def __del__(self) -> None:
        # Garbage is collected at any moment, even while the lines below or `empty` run, and by any thread: each call
        # here is safe alone.
        free = self.free
        free.append(self.buffer)
        with contextlib.suppress(IndexError):
            while sum(buffer.nbytes for buffer in list(free)) > LIMIT:
                free.pop(0)


def empty(shape: tuple[int, ...], dtype: Any) -> Array:
    """np.empty(shape, dtype), in memory that was used before if there is some of about that size.

    An array's memory is free again when the last view of it is gone, and not before: views keep their array, and that
    its Loan.

    >>> large = empty((200, 200), np.float32)
    >>> place = large.ctypes.data
    >>> del large
    >>> empty((100, 400), np.float32).ctypes.data == place
    True
    """
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if not LARGE <= size <= LIMIT:
        return np.empty(shape, dtype)
    buffer, best, place = None, 2 * size, -1
    for k, kept in enumerate(list(pool.free)):
        if size <= kept.nbytes <= best:  # the smallest, of several the one freed last
            best, place = kept.nbytes, k
    if place >= 0:
        with contextlib.suppress(IndexError):
            buffer = pool.free.pop(place)
    if buffer is None or buffer.nbytes < size:  # none, or another one than was looked at, see __del__
        buffer = np.empty(size, np.uint8)
    array: Array = np.asarray(Loan(buffer))[:size].view(dtype)
    return array.reshape(shape)


def copy(array: Array) -> Array:
    """array.copy(), in such memory."""
    if array.nbytes < LARGE:
        return array.copy()
    new = empty(array.shape, array.dtype)
    new[...] = array
    return new


def product(a: Array, b: Array) -> Array:
    """a b, for two matrices of one dtype, in such memory."""
    size = len(a) * b.shape[1] * a.itemsize
    out: Array = a.dot(b) if size < LARGE else a.dot(b, empty((len(a), b.shape[1]), a.dtype))
    return out


def release() -> None:
    """Gives what the calling thread keeps back to the system."""
    pool.free.clear()
