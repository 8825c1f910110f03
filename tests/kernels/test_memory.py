"""Memory that is used again: by whom, when, and how much of it is kept."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tinyrnn.kernels import memory

LARGE = (memory.LARGE // 4,)


def place(array: Any) -> int:
    return int(array.ctypes.data)


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    memory.release()
    yield
    memory.release()


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8])
@pytest.mark.parametrize("shape", [(), (3, 0), (2, 3), (300, 500), (7, 300, 500)])
def test_it_is_an_empty_array_like_any_other(shape: tuple[int, ...], dtype: Any) -> None:
    array = memory.empty(shape, dtype)
    assert (array.shape, array.dtype) == (shape, dtype)
    assert array.flags.writeable
    assert array.flags.c_contiguous
    assert array.flags.aligned
    array[...] = 3
    assert array.sum() == 3 * array.size


def test_memory_is_used_again_when_the_last_view_is_gone_and_not_before() -> None:
    array = memory.empty(LARGE, np.float32)
    before, view = place(array), array.reshape(2, -1)[1:, ::3].T
    view[...] = 7
    del array
    other = memory.empty(LARGE, np.float32)
    other[...] = 0
    assert place(other) != before
    assert (view == 7).all()
    del view
    assert place(memory.empty(LARGE, np.float32)) == before


def test_what_is_much_larger_is_not_taken_for_something_small() -> None:
    array = memory.empty((8 * LARGE[0],), np.float32)
    before = place(array)
    del array
    small = memory.empty(LARGE, np.float32)
    assert place(small) != before
    assert place(memory.empty((6 * LARGE[0],), np.float32)) == before


def test_no_more_than_the_limit_is_kept() -> None:
    arrays = [memory.empty((memory.LIMIT // 3,), np.uint8) for _ in range(5)]
    del arrays[:]
    assert sum(buffer.nbytes for buffer in memory.pool.free) <= memory.LIMIT
    assert len(memory.pool.free) == 3
    del arrays
    kept = len(memory.pool.free)
    memory.empty((memory.LIMIT + 1,), np.uint8)
    assert len(memory.pool.free) == kept  # too large to be kept at all


def test_every_thread_has_its_own() -> None:
    array = memory.empty(LARGE, np.float32)
    before = place(array)
    del array
    found = []
    thread = threading.Thread(target=lambda: found.append(place(memory.empty(LARGE, np.float32))))
    thread.start()
    thread.join()
    assert found != [before]
    assert place(memory.empty(LARGE, np.float32)) == before


def test_memory_freed_in_another_thread_goes_back_to_the_one_that_it_came_from() -> None:
    arrays, there = [memory.empty(LARGE, np.float32)], []

    def work() -> None:
        arrays.clear()
        there.append(len(memory.pool.free))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert (there, len(memory.pool.free)) == ([0], 1)


def test_what_a_thread_kept_is_gone_when_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    pools = type(memory.pool)
    first = pools.__init__

    def counted(self: Any) -> None:
        made.append(threading.get_ident())
        first(self)

    monkeypatch.setattr(pools, "__init__", counted)
    held = threading.local()

    def work() -> None:
        held.array = memory.empty(LARGE, np.float32)  # freed as the thread ends, in an order that nobody knows
        memory.empty(LARGE, np.float32)

    for _ in range(5):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert len(made) == 5  # none was made for a thread that had ended


def test_many_threads_never_share_an_array() -> None:
    failures = []

    def work(seed: int) -> None:
        rng = np.random.default_rng(seed)
        held: list[tuple[Any, float]] = []
        for _ in range(300):
            if len(held) < 6 or rng.random() < 0.5:
                number = float(rng.random())
                array = memory.empty((int(rng.integers(LARGE[0], 4 * LARGE[0])),), np.float64)
                array[...] = number
                held.append((array, number))
            else:
                array, number = held.pop(int(rng.integers(len(held))))
                if not (array == number).all():
                    failures.append(number)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
