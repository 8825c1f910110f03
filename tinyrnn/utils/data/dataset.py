"""Datasets: where samples come from, one index at a time, or one after the other as a stream."""

from __future__ import annotations

import math
import warnings
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Any, Generic, TypeVar

import numpy as np

from tinyrnn.random import Generator, chosen
from tinyrnn.tensor import Tensor

T_co = TypeVar("T_co", covariant=True)


class Dataset(Generic[T_co]):
    """Samples that have an index: subclass it, and define __getitem__ and __len__.

    A DataLoader asks for dataset[i], or, where there is a __getitems__, for the samples of a list of indices at once.
    Two datasets in a row are first + second. Source: torch.utils.data.Dataset.

    >>> class Squares(Dataset):
    ...     def __len__(self):
    ...         return 3
    ...
    ...     def __getitem__(self, i):
    ...         return i, float(i * i)
    >>> (Squares() + Squares())[5]
    (2, 4.0)
    """

    def __getitem__(self, index: Any) -> T_co:
        raise NotImplementedError(f"{type(self).__name__} has no __getitem__: define what the sample at an index is")

    def __add__(self, other: Dataset[T_co]) -> Dataset[T_co]:
        return ConcatDataset([self, other])


class IterableDataset(Dataset[T_co]):
    """Samples that come one after the other, without indices: subclass it, and define __iter__.

    first + second is the one stream, then the other. Source: torch.utils.data.IterableDataset.
    """

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError(f"{type(self).__name__} has no __iter__: define the order of the samples")

    def __add__(self, other: Dataset[T_co]) -> Dataset[T_co]:
        return ChainDataset([self, other])


class TensorDataset(Dataset[tuple[Tensor, ...]]):
    """Sample i is the tuple of each tensor's part i along the first axis.

    tensors  at least one, of shapes (N, ...), N the same for all
    Raises TypeError for what are no tensors, or none; ValueError for tensors of different lengths, or without axes.
    Source: torch.utils.data.TensorDataset.

    >>> import tinyrnn
    >>> TensorDataset(tinyrnn.arange(3), tinyrnn.ones(3, 2))[1]
    (tensor(1), tensor([1., 1.]))
    """

    def __init__(self, *tensors: Tensor) -> None:
        for i, x in enumerate(tensors):
            if not isinstance(x, Tensor):
                way_out = "tinyrnn.from_numpy(x)" if isinstance(x, np.ndarray) else "tinyrnn.tensor(x)"
                raise TypeError(f"TensorDataset: tensors[{i}] is {type(x).__name__}, expected a tensor: say {way_out}")
        shapes = [tuple(x.shape) for x in tensors]
        if not shapes:
            raise TypeError("TensorDataset: there are no tensors, expected at least one")
        if () in shapes or len({shape[0] for shape in shapes}) > 1:
            raise ValueError(f"TensorDataset: the shapes are {shapes}, expected one size of the first axis in all")
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple([x[index] for x in self.tensors])

    def __len__(self) -> int:
        return len(self.tensors[0].array)

    def _collated(self, indices: list[int]) -> list[Tensor] | None:
        """default_collate of the samples at `indices`, all at once; None if only the samples themselves will do."""
        if type(self).__getitem__ is not TensorDataset.__getitem__ or set(map(type, indices)) != {int}:
            return None
        index = np.array(indices)
        return [x[index] for x in self.tensors]


class Subset(Dataset[T_co]):
    """The samples of another dataset at some of its indices, in their order. Source: torch.utils.data.Subset."""

    def __init__(self, dataset: Dataset[T_co], indices: Sequence[int]) -> None:
        self.dataset, self.indices = dataset, indices

    def __getitem__(self, index: Any) -> T_co:
        if isinstance(index, list):
            return self.dataset[[self.indices[i] for i in index]]
        return self.dataset[self.indices[index]]

    def __getitems__(self, indices: list[int]) -> list[T_co]:
        """The samples at `indices`, at once where the dataset can do that."""
        if type(self).__getitem__ is not Subset.__getitem__:
            return [self[i] for i in indices]
        inner = [self.indices[i] for i in indices]
        at_once = getattr(self.dataset, "__getitems__", None)
        return [self.dataset[i] for i in inner] if at_once is None else at_once(inner)

    def __len__(self) -> int:
        return len(self.indices)

    def _collated(self, indices: list[int]) -> list[Tensor] | None:
        """As TensorDataset's, if this is a part of one."""
        inner = getattr(self.dataset, "_collated", None)  # of TensorDataset and Subset
        own = (type(self).__getitem__, type(self).__getitems__) != (Subset.__getitem__, Subset.__getitems__)
        return None if inner is None or own else inner([self.indices[i] for i in indices])


class ConcatDataset(Dataset[T_co]):
    """Several datasets, one after the other.

    Raises ValueError for none, TypeError for a stream among them, IndexError for an index outside.
    Source: torch.utils.data.ConcatDataset.
    """

    def __init__(self, datasets: Iterable[Dataset[T_co]]) -> None:
        self.datasets: list[Any] = list(datasets)
        if not self.datasets:
            raise ValueError("ConcatDataset: there are no datasets, expected at least one")
        for i, dataset in enumerate(self.datasets):
            if isinstance(dataset, IterableDataset):
                raise TypeError(f"ConcatDataset: datasets[{i}] is a stream, which has no indices: use ChainDataset")
        self.cumulative_sizes = list(accumulate(map(len, self.datasets)))

    def __getitem__(self, index: Any) -> T_co:
        n = len(self)
        if not -n <= index < n:
            raise IndexError(f"ConcatDataset: index {index} is out of range for {n} samples")
        index = index % n
        k = bisect_right(self.cumulative_sizes, index)
        sample: T_co = self.datasets[k][index - (self.cumulative_sizes[k - 1] if k else 0)]
        return sample

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]


class ChainDataset(IterableDataset[T_co]):
    """Several streams, one after the other. Raises TypeError, when it gets there, for what is no IterableDataset."""

    def __init__(self, datasets: Iterable[Dataset[T_co]]) -> None:
        self.datasets = datasets

    def _streams(self) -> Iterator[Any]:
        for i, dataset in enumerate(self.datasets):
            if not isinstance(dataset, IterableDataset):
                raise TypeError(f"ChainDataset: datasets[{i}] is {type(dataset).__name__}, expected an IterableDataset")
            yield dataset

    def __iter__(self) -> Iterator[T_co]:
        for dataset in self._streams():
            yield from dataset

    def __len__(self) -> int:
        return sum([len(dataset) for dataset in self._streams()])


class StackDataset(Dataset[Any]):
    """Datasets side by side: sample i is the tuple, or for named ones the dict, of their samples i.

    Raises ValueError for none, for named ones beside others, for different lengths.
    Source: torch.utils.data.StackDataset.

    >>> StackDataset(x=[1, 2], y="ab")[1]
    {'x': 2, 'y': 'b'}
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if bool(args) == bool(kwargs):
            raise ValueError("StackDataset: expected datasets, or named ones, and not both: StackDataset(x=..., y=...)")
        self.datasets: Any = args or kwargs
        lengths = [len(dataset) for dataset in args or kwargs.values()]
        if len(set(lengths)) > 1:
            raise ValueError(f"StackDataset: the datasets have {lengths} samples, expected one length")
        self._length = lengths[0]

    def __getitem__(self, index: Any) -> Any:
        if isinstance(self.datasets, dict):
            return {name: dataset[index] for name, dataset in self.datasets.items()}
        return tuple([dataset[index] for dataset in self.datasets])

    def __len__(self) -> int:
        return self._length


def random_split(
    dataset: Dataset[T_co], lengths: Sequence[int | float], generator: Generator | None = None
) -> list[Subset[T_co]]:
    """The dataset in parts that do not overlap, its samples dealt out at random.

    lengths    of the parts, whose sum is len(dataset); or fractions, whose sum is 1: then each part has
               floor(fraction * len(dataset)) samples, and the first ones get one more until none is left
    generator  to draw from; None: the default one. Source: torch.utils.data.random_split.
    Raises ValueError for other sums and negative parts, TypeError for lengths that are no whole numbers. Warns of a
    fraction that comes out as no sample.

    >>> import tinyrnn
    >>> a, b = random_split(range(10), [0.8, 0.2], tinyrnn.Generator().manual_seed(42))
    >>> len(a), list(b)
    (8, [3, 7])
    """
    generator = chosen("random_split", generator)
    n, total = len(dataset), sum(lengths)  # type: ignore[arg-type]  # one without a length raises its TypeError
    if min(lengths, default=0) < 0:
        raise ValueError(f"random_split: the lengths are {list(lengths)}, expected none below 0")
    if math.isclose(total, 1) and total <= 1:
        sizes = [math.floor(n * fraction) for fraction in lengths]
        for i in range(n - sum(sizes)):
            sizes[i % len(sizes)] += 1
        for i, size in enumerate(sizes):
            if not size:
                warnings.warn(f"random_split: part {i} of {n} samples is empty", UserWarning, stacklevel=2)
    elif total != n:
        raise ValueError(
            f"random_split: the lengths {list(lengths)} sum to {total}, expected {n}, the length of the dataset, or 1"
        )
    else:
        for length in lengths:
            if not hasattr(length, "__index__"):
                raise TypeError(
                    f"random_split: a length is {length!r}, expected a whole number: int() it, or fractions"
                )
        sizes = [int(length) for length in lengths]
    order = generator.permutation(n).tolist()
    return [Subset(dataset, order[end - size : end]) for end, size in zip(accumulate(sizes), sizes, strict=True)]
