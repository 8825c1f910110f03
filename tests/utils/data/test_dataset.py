"""Datasets: which sample is at an index, parts and sums of datasets, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

import tinyrnn
from tinyrnn.utils.data import (
    ChainDataset,
    ConcatDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    StackDataset,
    Subset,
    TensorDataset,
    random_split,
)


class Stream(IterableDataset[int]):
    def __init__(self, n: int) -> None:
        self.n = n

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.n))

    def __len__(self) -> int:
        return self.n


def test_tensor_dataset() -> None:
    x, y = tinyrnn.randn(4, 2, 3), tinyrnn.arange(4)
    data = TensorDataset(x, y)
    assert len(data) == 4
    assert data.tensors == (x, y)
    for index in (2, -1, slice(1, 3), [3, 0], tinyrnn.tensor([1, 1]), tinyrnn.tensor(2)):
        a, b = data[index]
        assert a.tolist() == x[index].tolist()
        assert b.tolist() == y[index].tolist()
    assert [b.item() for _, b in data] == [0, 1, 2, 3]  # by index, until there is none
    with pytest.raises(IndexError):
        data[4]


def test_a_subset_of_a_subset() -> None:
    inner = Subset("abcdef", [5, 3, 1, 0])
    outer = Subset(inner, tinyrnn.tensor([0, 3]))
    assert [inner[i] for i in range(4)] == ["f", "d", "b", "a"]
    assert (list(outer), len(outer)) == (["f", "a"], 2)
    data = TensorDataset(tinyrnn.arange(6))
    assert Subset(data, [4, 2, 0])[[0, 2]][0].tolist() == [4, 0]


def test_subset_asks_for_all_samples_at_once_where_that_is_possible() -> None:
    class Batches(Dataset[int]):
        def __getitems__(self, indices: list[int]) -> list[int]:
            return [10 * i for i in indices]

        def __len__(self) -> int:
            return 9

    (batch,) = DataLoader(Subset(Batches(), [8, 1]), 2)
    assert batch.tolist() == [80, 10]


def test_a_subset_with_a_getitem_of_its_own_is_asked_by_it() -> None:
    class Negated(Subset[Any]):
        def __getitem__(self, index: Any) -> Any:
            return -super().__getitem__(index)[0]

    (batch,) = DataLoader(Negated(TensorDataset(tinyrnn.arange(5)), [4, 2]), 2)
    assert batch.tolist() == [-4, -2]


def test_datasets_in_a_row() -> None:
    data = ConcatDataset([[1, 2], [], [3], [4, 5, 6]])
    assert (list(data), len(data), data.cumulative_sizes) == ([1, 2, 3, 4, 5, 6], 6, [2, 2, 3, 6])
    assert [data[i] for i in range(-6, 0)] == [1, 2, 3, 4, 5, 6]
    for index in (6, -7):
        with pytest.raises(IndexError, match=f"ConcatDataset: index {index} is out of range for 6 samples"):
            data[index]
    a, b = TensorDataset(tinyrnn.zeros(2)), TensorDataset(tinyrnn.ones(1))
    assert isinstance(a + b, ConcatDataset)
    assert [x.item() for (x,) in a + b + a] == [0, 0, 1, 0, 0]


def test_streams_in_a_row() -> None:
    data = Stream(3) + Stream(2)
    assert isinstance(data, ChainDataset)
    assert (list(data), len(data)) == ([0, 1, 2, 0, 1], 5)
    assert [batch.tolist() for batch in DataLoader(data, 2)] == [[0, 1], [2, 0], [1]]


def test_datasets_side_by_side() -> None:
    x, y = [1, 2, 3], "abc"
    assert [StackDataset(x, y)[i] for i in range(3)] == [(1, "a"), (2, "b"), (3, "c")]
    named = StackDataset(x=x, y=y)
    assert (named[1], len(named)) == ({"x": 2, "y": "b"}, 3)


@pytest.mark.parametrize("lengths", [[3, 7], [0.5, 0.5], [0.3, 0.3, 0.4], [0.33, 0.33, 0.34], [10], [1.0], [4, 0, 6]])
@pytest.mark.parametrize("own", [False, True])
def test_random_split_is_torchs(torch: ModuleType, lengths: list[Any], own: bool) -> None:
    def split(library: Any) -> Any:
        library.manual_seed(4)
        generator = (library.Generator().manual_seed(42),) if own else ()
        return [part.indices for part in library.utils.data.random_split(range(10), lengths, *generator)]

    parts = split(tinyrnn)
    assert parts == split(torch)
    assert sorted(i for part in parts for i in part) == list(range(10))


def test_random_split_deals_out_what_is_left_from_the_first_on() -> None:
    sizes = [len(part) for part in random_split(range(11), [0.25, 0.25, 0.25, 0.25])]
    assert sizes == [3, 3, 3, 2]


def test_random_split_warns_of_an_empty_part() -> None:
    with pytest.warns(UserWarning, match="random_split: part 1 of 3 samples is empty"):
        random_split(range(3), [0.9, 0.1])


class Empty(Dataset[int]):
    pass


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: TensorDataset(), TypeError, "TensorDataset: there are no tensors"),
        (lambda: TensorDataset(tinyrnn.ones(2).numpy()), TypeError, r"tensors\[0\] is ndarray.*from_numpy"),
        (lambda: TensorDataset(tinyrnn.ones(2), [1, 2]), TypeError, r"tensors\[1\] is list.*tinyrnn\.tensor\(x\)"),
        (lambda: TensorDataset(tinyrnn.ones(2, 5), tinyrnn.ones(3)), ValueError, r"shapes are \[\(2, 5\), \(3,\)\]"),
        (lambda: TensorDataset(tinyrnn.tensor(1.0)), ValueError, r"shapes are \[\(\)\]"),
        (lambda: ConcatDataset([]), ValueError, "ConcatDataset: there are no datasets"),
        (lambda: ConcatDataset([[1], Stream(2)]), TypeError, r"datasets\[1\] is a stream.*ChainDataset"),
        (lambda: list(ChainDataset([[1]])), TypeError, r"datasets\[0\] is list, expected an IterableDataset"),
        (lambda: StackDataset(), ValueError, "StackDataset: expected datasets"),
        (lambda: StackDataset([1], x=[1]), ValueError, "and not both"),
        (lambda: StackDataset([1], [1, 2]), ValueError, r"have \[1, 2\] samples"),
        (lambda: random_split(range(5), [2, 2]), ValueError, "sum to 4, expected 5"),
        (lambda: random_split(range(5), [6, -1]), ValueError, "expected none below 0"),
        (lambda: random_split(range(5), [1.5, -0.5]), ValueError, "expected none below 0"),
        (lambda: random_split(range(5), [4.0, 1.0]), TypeError, r"a length is 4\.0, expected a whole number: int\(\)"),
        (lambda: random_split(range(5), [0.5, 0.4]), ValueError, r"sum to 0\.9, expected 5"),
        (lambda: random_split(range(5), [5], 42), TypeError, "random_split: generator is int"),
        (lambda: Empty()[0], NotImplementedError, "Empty has no __getitem__"),
        (lambda: iter(IterableDataset()), NotImplementedError, "IterableDataset has no __iter__"),
    ],
)
def test_what_is_refused(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()
