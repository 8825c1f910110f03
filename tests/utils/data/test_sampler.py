"""The order of indices: torch's after the same seed, each index as often as it should come, and what is refused."""

from __future__ import annotations

from collections import Counter
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import tinyrnn
from tinyrnn.utils.data import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)

WEIGHTS = [0.1, 0.9, 0.4, 0.7, 3.0, 0.6]
RECIPES: dict[str, Any] = {
    "random": lambda data, **kw: data.RandomSampler(range(17), **kw),
    "random, one": lambda data, **kw: data.RandomSampler(range(1), **kw),
    "random, more": lambda data, **kw: data.RandomSampler(range(5), num_samples=13, **kw),
    "random, just twice": lambda data, **kw: data.RandomSampler(range(5), num_samples=10, **kw),
    "random, fewer": lambda data, **kw: data.RandomSampler(range(9), num_samples=4, **kw),
    "with replacement": lambda data, **kw: data.RandomSampler(range(7), replacement=True, num_samples=70, **kw),
    "with replacement, 64": lambda data, **kw: data.RandomSampler(range(7), replacement=True, num_samples=64, **kw),
    "subset": lambda data, **kw: data.SubsetRandomSampler([3, 1, 4, 1, 5, 9], **kw),
    "weighted": lambda data, **kw: data.WeightedRandomSampler(WEIGHTS, 20, **kw),
    "weighted, one": lambda data, **kw: data.WeightedRandomSampler(WEIGHTS, 1, **kw),
    "weighted, once each": lambda data, **kw: data.WeightedRandomSampler(WEIGHTS, 5, replacement=False, **kw),
}


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
@pytest.mark.parametrize("own", [False, True], ids=["default generator", "own generator"])
def test_the_order_is_torchs(torch: ModuleType, recipe: Any, own: bool) -> None:
    def passes(library: Any) -> Any:
        generator = library.Generator().manual_seed(5) if own else None
        library.manual_seed(3)
        sampler = recipe(library.utils.data, generator=generator)
        orders = [list(sampler) for _ in range(3)]
        return len(sampler), orders, library.rand(2, generator=generator).tolist()  # as many words drawn

    assert passes(tinyrnn) == passes(torch)


def test_sequential_is_in_order_and_follows_data_that_grows() -> None:
    data = [1, 2]
    sampler = SequentialSampler(data)
    data.append(3)
    assert (list(sampler), len(sampler)) == ([0, 1, 2], 3)


def test_random_gives_each_index_once_in_a_new_order_each_time() -> None:
    sampler = RandomSampler(range(50))
    first, second = list(sampler), list(sampler)
    assert sorted(first) == sorted(second) == list(range(50))
    assert first != second
    assert first != list(range(50))


def test_random_with_more_samples_goes_round_again() -> None:
    drawn = list(RandomSampler(range(4), num_samples=10))
    assert len(drawn) == 10
    assert set(Counter(drawn).values()) == {2, 3}
    assert sorted(drawn[:4]) == sorted(drawn[4:8]) == [0, 1, 2, 3]


def test_random_with_replacement_is_uniform() -> None:
    counts = np.bincount(list(RandomSampler(range(5), replacement=True, num_samples=5000)), minlength=5)
    np.testing.assert_allclose(counts, 1000, atol=150)


def test_passes_of_one_sampler_do_not_disturb_each_other() -> None:
    def draw(nested: bool) -> list[int]:
        tinyrnn.manual_seed(1)
        sampler = RandomSampler(range(3), replacement=True, num_samples=100)
        outer = iter(sampler)
        drawn = [next(outer)]
        if nested:
            list(sampler)
        return drawn + list(outer)

    assert draw(nested=True) == draw(nested=False)


def test_a_pass_left_early_does_not_disturb_the_next() -> None:
    sampler = RandomSampler(range(6))
    next(iter(sampler))
    tinyrnn.manual_seed(2)
    assert list(sampler) == list_after(2)


def list_after(seed: int) -> list[int]:
    tinyrnn.manual_seed(seed)
    return list(RandomSampler(range(6)))


def test_weighted_follows_the_weights() -> None:
    drawn = np.bincount(list(WeightedRandomSampler([0.0, 1.0, 3.0], 4000)), minlength=3)
    assert drawn[0] == 0
    np.testing.assert_allclose(drawn[1:], [1000, 3000], atol=150)
    once = list(WeightedRandomSampler(tinyrnn.tensor([1.0, 5.0, 2.0]), 3, replacement=False))
    assert sorted(once) == [0, 1, 2]


def test_subset_gives_the_elements_themselves() -> None:
    assert sorted(SubsetRandomSampler("abc")) == ["a", "b", "c"]  # type: ignore[type-var]
    assert len(SubsetRandomSampler([4, 4])) == 2


@pytest.mark.parametrize(
    ("drop", "batches", "n"), [(False, [[0, 1, 2], [3, 4, 5], [6]], 3), (True, [[0, 1, 2], [3, 4, 5]], 2)]
)
def test_batches(drop: bool, batches: list[list[int]], n: int) -> None:
    sampler = BatchSampler(SequentialSampler(range(7)), 3, drop)
    assert (list(sampler), len(sampler)) == (batches, n)
    assert list(BatchSampler(range(7), 3, drop)) == batches  # any iterable


def test_batches_that_come_out_even() -> None:
    for drop in (False, True):
        sampler = BatchSampler(range(6), 3, drop)
        assert (list(sampler), len(sampler)) == ([[0, 1, 2], [3, 4, 5]], 2)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: RandomSampler([]), ValueError, "RandomSampler: the data is empty"),
        (lambda: list(RandomSampler([], num_samples=3)), ValueError, "RandomSampler: the data is empty"),
        (lambda: RandomSampler([1], num_samples=0), ValueError, "num_samples is 0, expected a whole number above 0"),
        (lambda: RandomSampler([1], num_samples=2.5), ValueError, r"num_samples is 2\.5"),
        (lambda: RandomSampler([1], replacement=1), TypeError, "replacement is 1, expected True or False"),
        (lambda: RandomSampler([1], generator=3), TypeError, "RandomSampler: generator is int"),
        (lambda: SubsetRandomSampler([1], np.random.default_rng()), TypeError, "SubsetRandomSampler: generator is"),
        (lambda: BatchSampler([1], 0, False), ValueError, "BatchSampler: batch_size is 0"),
        (lambda: BatchSampler([1], True, False), ValueError, "BatchSampler: batch_size is True"),
        (lambda: BatchSampler([1], 2, None), ValueError, "BatchSampler: drop_last is None"),
        (lambda: len(BatchSampler(iter([1]), 2, False)), TypeError, "len"),
        (lambda: WeightedRandomSampler([1.0], 0), ValueError, "num_samples is 0"),
        (lambda: WeightedRandomSampler([1.0], 1, "yes"), ValueError, "replacement is 'yes'"),
        (lambda: WeightedRandomSampler([[1.0]], 1), ValueError, r"shape \(1, 1\), expected one axis"),
        (lambda: WeightedRandomSampler([1.0, -1.0], 1), ValueError, "expected finite weights"),
        (lambda: WeightedRandomSampler([0.0, 0.0], 1), ValueError, "expected finite weights"),
        (lambda: WeightedRandomSampler([float("nan")], 1), ValueError, "expected finite weights"),
        (lambda: WeightedRandomSampler([1.0, 2.0], 3, replacement=False), ValueError, "need replacement=True"),
        (lambda: iter(Sampler()), NotImplementedError, "Sampler has no __iter__"),
    ],
)
def test_what_is_refused(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_own_samplers_may_pass_their_data_on_to_the_class_as_they_used_to() -> None:
    class Reversed(Sampler[int]):
        def __init__(self, data: list[Any]) -> None:
            super().__init__(data)
            self.data = data

        def __iter__(self) -> Any:
            return iter(range(len(self.data) - 1, -1, -1))

    assert list(BatchSampler(Reversed([1, 2, 3]), 2, False)) == [[2, 1], [0]]
