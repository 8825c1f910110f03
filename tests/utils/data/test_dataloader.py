"""DataLoader: torch's batches in torch's order after the same seed, every option, streams, and what is refused."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import tinyrnn
from tinyrnn.utils.data import (
    BatchSampler,
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    SequentialSampler,
    Subset,
    TensorDataset,
    get_worker_info,
)


class Pairs(Dataset[Any]):
    """Index i gives (x[i], "i", i)."""

    def __init__(self, x: Any) -> None:
        self.x = x

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, i: int) -> Any:
        return self.x[i], str(i), i


class Stream(IterableDataset[int]):
    def __init__(self, n: int, promised: int | None = None) -> None:
        self.n, self.promised = n, n if promised is None else promised

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.n))

    def __len__(self) -> int:
        return self.promised


class TorchStream:
    """What torch takes for a stream, made when torch is there."""

    def __new__(cls, torch: ModuleType, n: int) -> Any:
        return type("TorchStream", (torch.utils.data.IterableDataset,), {"__iter__": lambda self: iter(range(n))})()


def listed(batch: Any) -> Any:
    """A batch with lists in the place of tensors."""
    if hasattr(batch, "tolist"):
        return batch.tolist()
    return [listed(part) for part in batch] if isinstance(batch, list | tuple) else batch


LOADERS: dict[str, Any] = {
    "as they come": lambda d, x, g: d.DataLoader(d.TensorDataset(x), 3),
    "shuffled tensors": lambda d, x, g: d.DataLoader(d.TensorDataset(x, x), 3, True, generator=g),
    "shuffled pairs": lambda d, x, g: d.DataLoader(Pairs(x), 4, shuffle=True, generator=g),
    "a list": lambda d, x, g: d.DataLoader(list(x), batch_size=5, shuffle=True, generator=g),
    "numbers": lambda d, x, g: d.DataLoader(range(10), batch_size=4, shuffle=True, generator=g),
    "one by one": lambda d, x, g: d.DataLoader(Pairs(x), generator=g),
    "drop_last": lambda d, x, g: d.DataLoader(d.TensorDataset(x), 4, True, drop_last=True, generator=g),
    "even": lambda d, x, g: d.DataLoader(d.TensorDataset(x), 5, True, generator=g),
    "no batches": lambda d, x, g: d.DataLoader(Pairs(x), batch_size=None, shuffle=True, generator=g),
    "a sampler": lambda d, x, g: d.DataLoader(Pairs(x), 3, sampler=d.SubsetRandomSampler([1, 5, 7, 2]), generator=g),
    "weights": lambda d, x, g: d.DataLoader(Pairs(x), 3, sampler=d.WeightedRandomSampler([1.0] * 10, 7), generator=g),
    "replacement": lambda d, x, g: d.DataLoader(
        Pairs(x), 3, sampler=d.RandomSampler(x, replacement=True, num_samples=20), generator=g
    ),
    "a batch_sampler": lambda d, x, g: d.DataLoader(
        d.TensorDataset(x), batch_sampler=d.BatchSampler(d.RandomSampler(x), 3, True), generator=g
    ),
    "lists of indices": lambda d, x, g: d.DataLoader(Pairs(x), batch_sampler=[[1, 2], [0], [3, 3, 3]], generator=g),
    "collate_fn": lambda d, x, g: d.DataLoader(d.TensorDataset(x), 3, True, collate_fn=list, generator=g),
    "a part": lambda d, x, g: d.DataLoader(d.Subset(d.TensorDataset(x), [7, 1, 3, 2]), 3, True, generator=g),
    "a split": lambda d, x, g: d.DataLoader(d.random_split(d.TensorDataset(x), [0.7, 0.3])[0], 3, True, generator=g),
    "two in a row": lambda d, x, g: d.DataLoader(d.TensorDataset(x) + d.TensorDataset(-x), 6, True, generator=g),
    "a stack": lambda d, x, g: d.DataLoader(d.StackDataset(x=x, n=range(10)), 3, True, collate_fn=repr_of, generator=g),
}


def repr_of(batch: list[Any]) -> list[Any]:
    return [(sorted(sample), sample["x"].tolist(), sample["n"]) for sample in batch]


@pytest.mark.parametrize("make", LOADERS.values(), ids=LOADERS)
@pytest.mark.parametrize("own", [False, True], ids=["default generator", "own generator"])
def test_batches_are_torchs_in_torchs_order(torch: ModuleType, make: Any, own: bool) -> None:
    numbers = np.arange(20, dtype=np.float32).reshape(10, 2)

    def passes(library: Any) -> Any:
        library.manual_seed(7)
        generator = library.Generator().manual_seed(11) if own else None
        loader = make(library.utils.data, library.tensor(numbers), generator)
        epochs = [[listed(batch) for batch in loader] for _ in range(2)]
        unfinished = iter(loader)  # the way programs take one batch to look at it
        first = listed(next(unfinished))
        return len(loader), epochs, first, library.rand(3).tolist(), library.rand(1, generator=generator).tolist()

    assert passes(tinyrnn) == passes(torch)


@pytest.mark.parametrize("options", [{"batch_size": 3}, {"batch_size": 3, "drop_last": True}, {"batch_size": None}, {}])
def test_streams_are_batched_as_in_torch(torch: ModuleType, options: dict[str, Any]) -> None:
    def batches(library: Any, stream: Any) -> Any:
        library.manual_seed(0)
        return [listed(batch) for batch in library.utils.data.DataLoader(stream, **options)], library.rand(2).tolist()

    assert batches(tinyrnn, Stream(7)) == batches(torch, TorchStream(torch, 7))


def test_a_batch_is_made_of_the_samples() -> None:
    x, y = tinyrnn.randn(7, 3), tinyrnn.arange(7)
    batches = list(DataLoader(TensorDataset(x, y), 3))
    assert [type(batch) for batch in batches] == [list] * 3
    assert [[tuple(part.shape) for part in batch] for batch in batches] == [
        [(3, 3), (3,)],
        [(3, 3), (3,)],
        [(1, 3), (1,)],
    ]
    assert [part.dtype for part in batches[0]] == [x.dtype, y.dtype]
    assert [row for batch in batches for row in batch[0].tolist()] == x.tolist()
    batches[0][0].zero_()
    assert x.abs().min() > 0  # a batch is a copy


def test_shuffling_brings_every_sample_once_in_a_new_order_each_time() -> None:
    loader = DataLoader(TensorDataset(tinyrnn.arange(20)), 6, shuffle=True)
    first, second = ([n for (batch,) in loader for n in batch.tolist()] for _ in range(2))
    assert sorted(first) == sorted(second) == list(range(20))
    assert first != second


def test_gradients_reach_the_data() -> None:
    x = tinyrnn.ones(5, 2, requires_grad=True)
    for (batch,) in DataLoader(TensorDataset(x), 2, shuffle=True):
        (3 * batch).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [[3, 3]] * 5


def test_a_subclass_with_samples_of_its_own_is_asked_for_them() -> None:
    class Noisy(TensorDataset):
        def __getitem__(self, i: Any) -> Any:
            return (*super().__getitem__(i), "noise")

    ((x, noise),) = DataLoader(Noisy(tinyrnn.arange(2)), 2)
    assert (x.tolist(), noise) == ([0, 1], ("noise", "noise"))

    class Shifted(Subset[Any]):
        def __getitem__(self, i: Any) -> Any:
            return (super().__getitem__(i)[0] + 100,)

    ((x,),) = DataLoader(Shifted(TensorDataset(tinyrnn.arange(5)), [4, 2]), 2)
    assert x.tolist() == [104, 102]


def test_getitems_gives_a_batch_at_once() -> None:
    class Table(Dataset[int]):
        def __len__(self) -> int:
            return 4

        def __getitems__(self, indices: list[int]) -> list[int]:
            return [i * i for i in indices]

    assert [batch.tolist() for batch in DataLoader(Table(), 3)] == [[0, 1, 4], [9]]


def test_keys_that_are_no_numbers() -> None:
    loader = DataLoader({"a": 1.0, "b": 2.0}, batch_size=2, sampler=["b", "a"])  # type: ignore[arg-type]
    assert [batch.tolist() for batch in loader] == [[2.0, 1.0]]
    two = TensorDataset(tinyrnn.arange(4))
    assert [batch[0].tolist() for batch in DataLoader(two, 2, sampler=tinyrnn.tensor([3, 1]))] == [[3, 1]]
    assert [batch[0].tolist() for batch in DataLoader(two, 2, sampler=np.array([3, -1]))] == [[3, 3]]


def test_several_passes_at_once() -> None:
    loader = DataLoader(TensorDataset(tinyrnn.arange(4)), 2, shuffle=True)
    pairs = [(a[0].tolist(), b[0].tolist()) for a in loader for b in loader]
    assert len(pairs) == 4
    assert sorted(n for a, _ in pairs[::2] for n in a) == [0, 1, 2, 3]


def test_a_sample_that_fails_does_not_end_the_pass() -> None:
    class Holes(Dataset[int]):
        def __len__(self) -> int:
            return 3

        def __getitem__(self, i: int) -> int:
            if i == 1:
                raise OSError("unreadable")
            return i

    batches = iter(DataLoader(Holes()))
    assert next(batches).tolist() == [0]
    with pytest.raises(OSError, match="unreadable"):
        next(batches)
    assert next(batches).tolist() == [2]
    with pytest.raises(StopIteration):
        next(batches)


def test_lengths() -> None:
    assert [len(DataLoader(range(7), n)) for n in (1, 3, 7, 8)] == [7, 3, 1, 1]
    assert [len(DataLoader(range(7), n, drop_last=True)) for n in (1, 3, 8)] == [7, 2, 0]
    assert len(DataLoader(range(7), None)) == 7
    assert len(DataLoader(range(7), batch_sampler=[[1], [2]])) == 2
    assert len(DataLoader(Stream(7), 3)) == 3
    assert len(DataLoader(Stream(7), 3, drop_last=True)) == 2
    assert len(DataLoader(Stream(7), None)) == 7
    assert len(iter(DataLoader(range(7), 3))) == 3  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="len"):
        len(DataLoader(TorchlessStream()))
    assert list(DataLoader([])) == []


class TorchlessStream(IterableDataset[int]):
    def __iter__(self) -> Iterator[int]:
        return iter(range(2))


def test_a_stream_that_gives_more_than_it_told() -> None:
    loader = DataLoader(Stream(4, promised=2), 1)
    assert [batch.item() for batch in loader] == [0, 1, 2, 3]  # nobody asked for its length, as list() would
    assert len(loader) == 2
    with pytest.warns(UserWarning, match=r"len\(\) of the IterableDataset is 2, but it gives more"):
        assert len(list(loader)) == 4


def test_workers_are_accepted_and_the_batches_are_the_same() -> None:
    def batches(**options: Any) -> Any:
        tinyrnn.manual_seed(3)
        return [listed(batch) for batch in DataLoader(Pairs(tinyrnn.arange(7)), 3, True, **options)]

    never = pytest.fail
    many = {"num_workers": 2, "worker_init_fn": never, "timeout": 5, "prefetch_factor": 4, "persistent_workers": True}
    assert batches(**many, multiprocessing_context="fork", in_order=False) == batches()
    assert get_worker_info() is None
    with pytest.warns(UserWarning, match=r"num_workers is 2.*the IterableDataset come once"):
        loader = DataLoader(Stream(3), num_workers=2)
    assert listed(list(loader)) == [[0], [1], [2]]


def test_pin_memory_warns_as_torch_does() -> None:
    loader = DataLoader(range(2), pin_memory=True)
    with pytest.warns(UserWarning, match="no accelerator"):
        assert listed(list(loader)) == [[0], [1]]


def test_what_it_shows_of_itself() -> None:
    data = TensorDataset(tinyrnn.arange(4))
    loader = DataLoader(data, 2, shuffle=True, drop_last=True)
    assert (loader.dataset, loader.batch_size, loader.drop_last) == (data, 2, True)
    assert (loader.num_workers, loader.pin_memory, loader.generator, loader.timeout) == (0, False, None, 0)
    assert isinstance(loader.sampler, RandomSampler)
    assert isinstance(loader.batch_sampler, BatchSampler)
    assert isinstance(DataLoader(data).sampler, SequentialSampler)
    assert DataLoader(data, batch_sampler=[[0]]).batch_size is None
    with pytest.raises(ValueError, match="DataLoader: batch_size cannot be changed"):
        loader.batch_size = 3
    loader.collate_fn = len  # this may
    assert list(loader) == [2, 2]
    copy = pickle.loads(pickle.dumps(DataLoader(data, 2, shuffle=True, generator=tinyrnn.Generator().manual_seed(1))))
    assert len(list(copy)) == 2


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"sampler": [0], "shuffle": True}, ValueError, "sampler and shuffle are both given"),
        ({"batch_sampler": [[0]], "batch_size": 2}, ValueError, "batch_sampler says which samples"),
        ({"batch_sampler": [[0]], "shuffle": True}, ValueError, "batch_sampler says which samples"),
        ({"batch_sampler": [[0]], "drop_last": True}, ValueError, "batch_sampler says which samples"),
        ({"batch_size": None, "drop_last": True}, ValueError, "batch_size=None means no batches"),
        ({"batch_size": 0}, ValueError, "batch_size is 0"),
        ({"batch_size": 2.0}, ValueError, r"batch_size is 2\.0"),
        ({"num_workers": -1}, ValueError, "num_workers=-1"),
        ({"num_workers": 1, "timeout": -1}, ValueError, "timeout=-1"),
        ({"num_workers": 1, "prefetch_factor": -2}, ValueError, "prefetch_factor=-2"),
        ({"prefetch_factor": 2}, ValueError, "prefetch_factor is for worker processes, but num_workers is 0"),
        ({"persistent_workers": True}, ValueError, "persistent_workers is for worker processes"),
        ({"multiprocessing_context": "fork"}, ValueError, "multiprocessing_context is for worker processes"),
        ({"timeout": 1}, ValueError, "timeout is for worker processes"),
        ({"generator": 1}, TypeError, "DataLoader: generator is int"),
    ],
)
def test_what_is_refused(options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        DataLoader(range(3), **options)


def test_data_that_is_refused() -> None:
    with pytest.raises(ValueError, match="the data is empty"):
        DataLoader([], shuffle=True)
    with pytest.raises(TypeError, match="the dataset, a generator, has no __len__: define one"):
        DataLoader(i for i in range(3))  # type: ignore[arg-type]
    for options in ({"shuffle": True}, {"sampler": [0]}, {"batch_sampler": [[0]]}):
        with pytest.raises(ValueError, match="an IterableDataset has no indices"):
            DataLoader(Stream(3), **options)  # type: ignore[arg-type]
    DataLoader(Stream(3), shuffle=False)
    with pytest.raises(RuntimeError, match="pad_sequence"):
        list(DataLoader([tinyrnn.ones(2), tinyrnn.ones(3)], 2))


def test_a_whole_epoch_is_as_the_tutorials_have_it() -> None:
    """`import torch.utils.data as Data`, positional arguments, and unpacking."""
    data = tinyrnn.utils.data
    loader = data.DataLoader(data.TensorDataset(tinyrnn.randn(6, 2, 3), tinyrnn.arange(6)), 3, True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for epoch in range(2):
            for step, (inputs, targets) in enumerate(loader):
                assert (tuple(inputs.shape), tuple(targets.shape)) == ((3, 2, 3), (3,)), (epoch, step)
