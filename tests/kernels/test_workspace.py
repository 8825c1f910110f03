"""Workspaces that are used again: one holder at a time, the numbers of a new one, and no more kept than is said."""

from __future__ import annotations

import gc
import itertools
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import pytest

from tinyrnn.kernels import workspace
from tinyrnn.kernels.gru import gru
from tinyrnn.kernels.lstm import lstm
from tinyrnn.kernels.rnn import rnn

KERNELS: dict[str, tuple[Callable[..., Any], int, int]] = {"rnn": (rnn, 1, 1), "gru": (gru, 3, 1), "lstm": (lstm, 4, 2)}
KINDS = list(KERNELS)


class Room:
    def __init__(self, T: int, N: int, H: int) -> None:
        self.array = np.empty((T, N, H))
        self.steps: Iterable[Any] = iter(self.array)


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    workspace.release()
    yield
    workspace.release()


def kept() -> int:
    return sum(map(len, workspace.store.of.values()))


def arrays(kind: str, T: int, seed: int, N: int = 1, I: int = 3, H: int = 4) -> list[Any]:
    _, gates, states = KERNELS[kind]
    rng = np.random.default_rng(seed)
    shapes = [(T, N, I), *[(N, H)] * states, (gates * H, I), (gates * H, H), (gates * H,), (gates * H,)]
    return [rng.standard_normal(shape) for shape in shapes]


def forward(kind: str, given: list[Any], **options: Any) -> Any:
    return KERNELS[kind][0](*given, **options)


def backward(kind: str, pullback: Any, outputs: Any) -> list[Any]:
    needs = [True] * (1 + KERNELS[kind][2] + 4) + [False] * (kind == "lstm")
    found = pullback(*[np.cos(np.arange(y.size)).reshape(y.shape) for y in outputs], needs)
    return [g for g in found if g is not None]


def alone(kind: str, given: list[Any], **options: Any) -> list[Any]:
    """All results and gradients, in a workspace that is new."""
    workspace.release()
    outputs, pullback = forward(kind, given, **options)
    return [*outputs, *backward(kind, pullback, outputs)]


def same(found: list[Any], expected: list[Any]) -> None:
    assert len(found) == len(expected) > 5
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_workspace_is_lent_again_when_its_loan_is_gone_and_not_before() -> None:
    first = workspace.lend(Room, 3, 1, 2)
    space = workspace.at(first)
    assert [step.shape for step in space.steps] == [step.shape for step in space.steps] == [(1, 2)] * 3
    assert workspace.at(workspace.lend(Room, 3, 1, 2)) is not space
    assert kept() == 1  # that one
    del first
    assert workspace.at(workspace.lend(Room, 3, 1, 2)) is space
    assert workspace.at(workspace.lend(Room, 3, 1, 1)) is not space
    assert workspace.at(workspace.lend(Room, 2, 1, 2)) is not space


LARGE = [(3, 2, 2), (3, 0, 2), (workspace.STEPS + 1, 1, 1), (2, 1, workspace.BYTES // 16 + 1)]


@pytest.mark.parametrize(("T", "N", "H"), LARGE)
def test_those_of_batches_and_of_what_is_large_are_not_kept(T: int, N: int, H: int) -> None:
    loan = workspace.lend(Room, T, N, H)
    assert not isinstance(workspace.at(loan).steps, list)
    del loan
    assert kept() == 0


def test_only_so_many_are_kept() -> None:
    loans = [workspace.lend(Room, 3, 1, 2) for _ in range(workspace.TOTAL + 3)]
    assert len({id(workspace.at(loan)) for loan in loans}) == len(loans)
    assert [isinstance(workspace.at(loan).steps, list) for loan in loans] == [True] * workspace.TOTAL + [False] * 3
    more = [workspace.lend(Room, 4, 1, 2) for _ in range(2)]
    del loans
    assert kept() == workspace.TOTAL
    del more  # which will not be lent again
    assert kept() == workspace.TOTAL
    assert workspace.store.lent == []
    for T in range(1, 2 * workspace.TOTAL):
        workspace.lend(Room, T, 1, 5)
        assert kept() <= workspace.TOTAL
    assert kept() == workspace.TOTAL
    assert (Room, 3, 2) not in workspace.store.of  # the first size goes first
    assert (Room, 2 * workspace.TOTAL - 1, 5) in workspace.store.of


def test_a_workspace_goes_back_to_the_thread_that_it_came_from() -> None:
    loans = [workspace.lend(Room, 3, 1, 2)]
    found = []

    def work() -> None:
        loans.pop()
        found.append(kept())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert (found, kept()) == ([0], 1)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_used_workspace_gives_the_numbers_of_a_new_one(kind: str, reverse: bool) -> None:
    for bias in (True, False):
        given = [arrays(kind, 6, seed) for seed in range(3)]
        given[0][0][:] = np.nan  # what the next one must not see
        if not bias:
            for each in given:
                each[-2:] = None, None
        expected = [alone(kind, each, reverse=reverse) for each in given]
        workspace.release()
        for each, numbers in zip(given, expected, strict=True):
            outputs, pullback = forward(kind, each, reverse=reverse)
            same([*outputs, *backward(kind, pullback, outputs)], numbers)
            assert kept() > 0
            del outputs, pullback


@pytest.mark.parametrize("kind", KINDS)
def test_several_forward_passes_before_the_backward_passes(kind: str) -> None:
    given = [arrays(kind, 6, seed) for seed in range(4)]
    expected = [alone(kind, each) for each in given]
    workspace.release()
    for order in itertools.permutations(range(4), 4):
        passes = [forward(kind, each) for each in given]
        forward(kind, given[0], keep=False)
        for k in order:
            outputs, pullback = passes[k]
            same([*outputs, *backward(kind, pullback, outputs)], expected[k])
            same([*outputs, *backward(kind, pullback, outputs)], expected[k])  # as with retain_graph=True
            passes[k] = None
            del outputs, pullback
            same(alone_again(kind, given[k]), expected[k])


def alone_again(kind: str, given: list[Any]) -> list[Any]:
    outputs, pullback = forward(kind, given)
    return [*outputs, *backward(kind, pullback, outputs)]


@pytest.mark.parametrize("kind", KINDS)
def test_results_and_gradients_are_nobody_elses(kind: str) -> None:
    given = arrays(kind, 6, 0)
    expected = alone(kind, given)
    found = alone_again(kind, given)
    alone_again(kind, arrays(kind, 6, 1))  # in the same workspace
    same(found, expected)
    for a, b in itertools.combinations(found, 2):
        assert not np.shares_memory(a, b)


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_forward_pass_that_keeps_nothing_has_returned_stays(kind: str) -> None:
    given = arrays(kind, 6, 0)
    found, expected = forward(kind, given, keep=False)[0], forward(kind, given)[0]
    copies = [each.copy() for each in found]
    forward(kind, arrays(kind, 6, 1), keep=False)  # in the same workspace
    for y, before, recorded in zip(found, copies, expected, strict=True):
        np.testing.assert_array_equal(y, before)
        np.testing.assert_array_equal(y, recorded)
        assert y.flags.c_contiguous


@pytest.mark.parametrize("kind", KINDS)
def test_a_workspace_in_a_cycle_goes_back_when_nothing_can_reach_it(kind: str) -> None:
    # The collector calls all finalizers of a cycle first; one of them may still use the pullback, or save it.
    given = arrays(kind, 6, 0)
    expected = alone(kind, given)
    saved: list[Any] = []

    class Phoenix:
        def __del__(self) -> None:
            alone_again(kind, arrays(kind, 6, 1))
            saved.append(self.run)  # type: ignore[attr-defined]

    gc.collect()
    bird: Any = Phoenix()
    bird.itself, bird.run = bird, forward(kind, given)
    del bird
    gc.collect()
    alone_again(kind, arrays(kind, 6, 2))
    outputs, pullback = saved.pop()
    same([*outputs, *backward(kind, pullback, outputs)], expected)


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_on_the_way_loses_no_workspace(kind: str) -> None:
    given = arrays(kind, 6, 0)
    outputs, pullback = forward(kind, given)
    with pytest.raises(ValueError, match="operands"):
        pullback(np.ones((6, 1, 9)), *outputs[1:], [True] * 8)
    expected = backward(kind, pullback, outputs)
    del pullback
    same([*outputs, *expected], alone(kind, given))


@pytest.mark.parametrize("kind", KINDS)
def test_threads_that_share_a_pullback_or_free_each_others(kind: str) -> None:
    given = [arrays(kind, 30, seed, H=20) for seed in range(3)]
    expected = [alone(kind, each) for each in given]
    outputs, pullback = forward(kind, given[0])
    wrong: list[BaseException] = []
    passed: list[Any] = []

    def work(k: int) -> None:
        try:
            for _ in range(50):
                same([*outputs, *backward(kind, pullback, outputs)], expected[0])
                mine = forward(kind, given[k])
                same([*mine[0], *backward(kind, mine[1], mine[0])], expected[k])
                passed.append(mine)
                if len(passed) > 5:
                    passed.pop(0)  # another thread's, perhaps
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=work, args=(1 + i % 2,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
