"""DataLoader: a dataset, an order to read it in, and how samples become a batch."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, Generic, Self, TypeVar

from tinyrnn.random import Generator, chosen
from tinyrnn.utils.data._utils.collate import default_collate, default_convert
from tinyrnn.utils.data.dataset import Dataset, IterableDataset, Subset, TensorDataset
from tinyrnn.utils.data.sampler import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    draw_seed,
)

__all__ = ["DataLoader", "default_collate", "default_convert", "get_worker_info"]

T_co = TypeVar("T_co", covariant=True)


def get_worker_info() -> None:
    """None: there are no worker processes, so a dataset that asks for its share gives all of its samples."""


class DataLoader(Generic[T_co]):
    """The batches of a dataset: each iter() of it is one pass, an epoch, over the samples.

    dataset        samples by index (__getitem__ and __len__), or an IterableDataset
    batch_size     samples in a batch; None: samples come singly, through default_convert
    shuffle        whether they come in a new random order each time
    sampler        gives the indices, in place of shuffle
    batch_sampler  gives lists of indices, in place of batch_size, shuffle, sampler and drop_last
    collate_fn     makes a batch of a list of samples: default_collate, unless given
    drop_last      whether a last batch that is smaller is left out
    generator      for shuffling; None: after manual_seed(n), the batches come in the order that torch gives them
    num_workers, and with it timeout, worker_init_fn, multiprocessing_context, prefetch_factor, persistent_workers and
                   in_order: accepted as torch does, but batches are always made in this process, one when it is asked
                   for. They are the same batches in the same order, unless the dataset itself draws random numbers:
                   torch's workers draw theirs from other seeds. For an IterableDataset and num_workers above 0 that is
                   said in a warning: its samples come once, while torch's workers would each give all of them
    pin_memory     there is no accelerator to pin memory for: as in torch then, a warning and nothing else
    Raises ValueError for options that contradict each other, TypeError for a dataset without a length.
    Source: torch.utils.data.DataLoader.

    >>> import tinyrnn
    >>> from tinyrnn.utils.data import TensorDataset
    >>> x = tinyrnn.tensor([[1.0], [2.0], [3.0]])
    >>> for inputs, targets in DataLoader(TensorDataset(x, 2 * x), batch_size=2):
    ...     print(inputs.tolist(), targets.tolist())
    [[1.0], [2.0]] [[2.0], [4.0]]
    [[3.0]] [[6.0]]
    """

    _ready = False

    def __init__(
        self,
        dataset: Dataset[T_co],
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Sampler[Any] | Iterable[Any] | None = None,
        batch_sampler: Sampler[list[Any]] | Iterable[list[Any]] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        multiprocessing_context: Any = None,
        generator: Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        if not isinstance(num_workers, int) or num_workers < 0 or timeout < 0 or (prefetch_factor or 0) < 0:
            raise ValueError(
                f"DataLoader: num_workers={num_workers!r}, timeout={timeout!r}, prefetch_factor={prefetch_factor!r}: "
                "expected numbers of at least 0"
            )
        for_workers = {
            "timeout": timeout or None,
            "prefetch_factor": prefetch_factor,
            "persistent_workers": persistent_workers or None,
            "multiprocessing_context": multiprocessing_context,
        }
        given = [name for name, value in for_workers.items() if value is not None]
        if given and not num_workers:
            raise ValueError(
                f"DataLoader: {', '.join(given)} is for worker processes, but num_workers is 0: leave it out"
            )
        self._streams = isinstance(dataset, IterableDataset)
        indices = {"shuffle": shuffle or None, "sampler": sampler, "batch_sampler": batch_sampler}
        given = [name for name, value in indices.items() if value is not None]
        if self._streams and given:
            raise ValueError(
                f"DataLoader: an IterableDataset has no indices, but {', '.join(given)} is given: leave it out"
            )
        if sampler is not None and shuffle:
            raise ValueError("DataLoader: sampler and shuffle are both given, expected one: each is an order")
        if batch_sampler is not None and (batch_size != 1 or shuffle or sampler is not None or drop_last):
            raise ValueError(
                "DataLoader: batch_sampler says which samples make a batch: leave out batch_size, shuffle, sampler and "
                "drop_last"
            )
        if batch_size is None and drop_last:
            raise ValueError("DataLoader: batch_size=None means no batches, so there is no last one for drop_last=True")
        chosen("DataLoader", generator)
        if not self._streams and sampler is None and batch_sampler is None and not hasattr(dataset, "__len__"):
            raise TypeError(
                f"DataLoader: the dataset, a {type(dataset).__name__}, has no __len__: define one, or give a sampler, "
                "or make it an IterableDataset if its samples have no indices"
            )
        if self._streams and num_workers:
            warnings.warn(
                f"DataLoader: num_workers is {num_workers}, but there are no worker processes here: the samples of the "
                "IterableDataset come once, where torch's workers would each give all those that get_worker_info() did "
                "not tell them to leave out",
                UserWarning,
                stacklevel=2,
            )
        if sampler is None and not self._streams:
            sampler = RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)  # type: ignore[arg-type]
        if batch_sampler is not None:
            batch_size = None
        elif batch_size is not None:
            batch_sampler = BatchSampler([] if sampler is None else sampler, batch_size, drop_last)
        self.dataset, self.batch_size, self.drop_last = dataset, batch_size, drop_last
        self.sampler, self.batch_sampler, self.generator = sampler, batch_sampler, generator
        self.num_workers, self.timeout, self.worker_init_fn = num_workers, timeout, worker_init_fn
        self.multiprocessing_context, self.prefetch_factor = multiprocessing_context, prefetch_factor
        self.persistent_workers, self.in_order = persistent_workers, in_order
        self.pin_memory, self.pin_memory_device = pin_memory, pin_memory_device
        if collate_fn is None:
            collate_fn = default_convert if batch_sampler is None else default_collate
        self.collate_fn = collate_fn
        self._promised: int | None = None  # the length that len() told of a stream
        self._ready = True

    def __setattr__(self, name: str, value: Any) -> None:
        fixed = ("batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers")
        if self._ready and name in fixed:
            raise ValueError(f"DataLoader: {name} cannot be changed any more: make a new DataLoader")
        object.__setattr__(self, name, value)

    def __iter__(self) -> Iterator[Any]:
        return _Pass(self)

    def __len__(self) -> int:
        """The number of batches; of samples if there are no batches. Raises TypeError if it cannot be known."""
        if not self._streams:
            return len(self.sampler if self.batch_sampler is None else self.batch_sampler)  # type: ignore[arg-type]
        n = self._promised = len(self.dataset)  # type: ignore[arg-type]
        if self.batch_size is None:
            return n
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)


class _Pass(Iterator[Any]):
    """One pass over the data. A sample that fails does not end it: next() goes on with the batch after it."""

    def __init__(self, loader: DataLoader[Any]) -> None:
        if loader.pin_memory:
            warnings.warn(
                "DataLoader: pin_memory is set, but there is no accelerator to pin memory for",
                UserWarning,
                stacklevel=3,
            )
        self._loader, self._yielded, self._ended = loader, 0, False
        batches = loader.batch_sampler
        self._indices = None if loader._streams else iter(loader.sampler if batches is None else batches)  # type: ignore[arg-type]
        draw_seed(chosen("DataLoader", loader.generator))  # convention: torch's, for its workers
        self._stream = iter(loader.dataset) if loader._streams else None
        plain = batches is not None and loader.collate_fn is default_collate
        self._collated = (
            loader.dataset._collated if plain and isinstance(loader.dataset, TensorDataset | Subset) else None
        )

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        batch = self._from_stream() if self._indices is None else self._at(next(self._indices))
        self._yielded += 1
        return batch

    def _at(self, index: Any) -> Any:
        loader = self._loader
        dataset = loader.dataset
        if loader.batch_sampler is None:
            return loader.collate_fn(dataset[index])
        if self._collated is not None:
            batch = self._collated(index)
            if batch is not None:
                return batch
        at_once = getattr(dataset, "__getitems__", None)
        return loader.collate_fn([dataset[i] for i in index] if at_once is None else at_once(index))

    def _from_stream(self) -> Any:
        loader, stream = self._loader, self._stream
        assert stream is not None
        if self._ended:
            raise StopIteration
        if loader.batch_size is None:
            data = next(stream)
        else:
            data = list(islice(stream, loader.batch_size))
            self._ended = len(data) < loader.batch_size
            if not data or (self._ended and loader.drop_last):
                raise StopIteration
        if loader._promised is not None and self._yielded >= loader._promised:
            warnings.warn(
                f"DataLoader: len() of the IterableDataset is {loader._promised}, but it gives more", UserWarning, 3
            )
        return loader.collate_fn(data)

    def __len__(self) -> int:
        return len(self._loader)
