"""The order in which samples are read: samplers give indices one by one, BatchSampler in lists.

After the same manual_seed, each gives torch's order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Sized
from itertools import chain, islice
from typing import Any, Generic, TypeVar

import numpy as np

from tinyrnn.creation import as_tensor
from tinyrnn.ops.draws import multinomial
from tinyrnn.random import Generator, chosen, default_generator

T_co = TypeVar("T_co", covariant=True)


def draw_seed(generator: Generator) -> int:
    """A seed out of another generator's stream: torch.empty((), dtype=torch.int64).random_()."""
    return int(generator.integers(0, 2**63, ()))


def _flag(name: str, what: str, value: Any, error: type[Exception]) -> bool:
    if not isinstance(value, bool):
        raise error(f"{name}: {what} is {value!r}, expected True or False")
    return value


def _count(name: str, what: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise ValueError(f"{name}: {what} is {value!r}, expected a whole number above 0")
    return value


class Sampler(Generic[T_co]):
    """The class of all samplers: __iter__ gives indices, or lists of them; a __len__ says how many."""

    def __init__(self, data_source: Any = None) -> None:
        """data_source is not used: it is there because older programs pass it."""

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError(f"{type(self).__name__} has no __iter__: define the order of the indices")


class SequentialSampler(Sampler[int]):
    """0, 1, ..., len(data_source) - 1."""

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """The indices of data_source in a random order, a new one each time.

    replacement  whether each index is drawn from all of them, so that some come twice and some not at all
    num_samples  how many; by default as many as there are. Without replacement, more of them means further rounds
    generator    to draw from; None: one that the default generator seeds anew each time
    Raises TypeError for a replacement that is no bool, ValueError for num_samples below 1, so for no data.
    Source: torch.utils.data.RandomSampler.

    >>> import tinyrnn
    >>> list(RandomSampler("abcde", generator=tinyrnn.Generator().manual_seed(0)))
    [4, 0, 1, 3, 2]
    """

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Generator | None = None,
    ) -> None:
        self.data_source = data_source
        self.replacement = _flag("RandomSampler", "replacement", replacement, TypeError)
        self._num_samples = num_samples
        chosen("RandomSampler", generator)
        self.generator = generator
        self._spare: list[Generator] = []  # one that no pass uses now: to make one takes long
        if num_samples is None and not len(data_source):
            raise ValueError("RandomSampler: the data is empty: there is nothing to sample from")
        _count("RandomSampler", "num_samples", self.num_samples)

    @property
    def num_samples(self) -> int:
        """How many indices there will be. The data may have grown meanwhile."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        return chain.from_iterable(self._rounds())  # drawn when the first index is asked for, as in torch

    def _rounds(self) -> Iterator[list[int]]:
        n, wanted = len(self.data_source), self.num_samples
        if not n:
            raise ValueError("RandomSampler: the data is empty: there is nothing to sample from")
        generator = self.generator
        if generator is None:
            generator = self._spare.pop() if self._spare else Generator()
            generator.manual_seed(draw_seed(default_generator))
        if self.replacement:
            for start in range(0, wanted, 32):  # convention: torch draws 32 at a time
                yield generator.integers(0, n, min(32, wanted - start)).tolist()
        else:
            for _ in range(wanted // n):
                yield generator.permutation(n).tolist()
            if wanted % n or self.generator is not None:  # convention: torch draws one more even for a rest of 0
                yield generator.permutation(n).tolist()[: wanted % n]
        if self.generator is None:
            self._spare = [generator]

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler[int]):
    """The given indices in a random order, a new one each time. Raises TypeError for what is no generator."""

    def __init__(self, indices: Sequence[int], generator: Generator | None = None) -> None:
        self.indices = indices
        self.generator = chosen("SubsetRandomSampler", generator)

    def __iter__(self) -> Iterator[int]:
        for i in self.generator.permutation(len(self.indices)).tolist():
            yield self.indices[i]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """num_samples indices of 0..len(weights)-1, each as likely as its weight says; the weights need not sum to 1.

    weights      a 1-d sequence or tensor of numbers of at least 0
    replacement  whether an index may come again
    generator    to draw from; None: the default one
    Raises ValueError for weights that are none, for num_samples below 1 or, without replacement, above the number of
    weights, and for a replacement that is no bool. Source: torch.utils.data.WeightedRandomSampler, torch.multinomial.

    >>> import tinyrnn
    >>> list(WeightedRandomSampler([0.0, 1.0, 3.0], 6, generator=tinyrnn.Generator().manual_seed(3)))
    [1, 2, 2, 1, 2, 2]
    """

    def __init__(
        self,
        weights: Sequence[float],
        num_samples: int,
        replacement: bool = True,
        generator: Generator | None = None,
    ) -> None:
        name = "WeightedRandomSampler"
        self.num_samples = _count(name, "num_samples", num_samples)
        self.replacement = _flag(name, "replacement", replacement, ValueError)
        self.generator = chosen(name, generator)
        self.weights = as_tensor(weights, dtype=np.float64)
        w = self.weights.array
        if w.ndim != 1:
            raise ValueError(f"{name}: the weights have shape {w.shape}, expected one axis")
        if not (np.isfinite(w).all() and (w >= 0).all() and w.any()):
            raise ValueError(f"{name}: expected finite weights of at least 0, and one above it")
        if not replacement and num_samples > len(w):
            raise ValueError(f"{name}: {num_samples} samples of {len(w)} weights need replacement=True")

    def __iter__(self) -> Iterator[int]:
        drawn = multinomial(self.weights, self.num_samples, self.replacement, generator=self.generator)
        return iter(drawn.array.tolist())

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[list[int]]):
    """The indices of another sampler, or of any iterable, in lists of batch_size.

    drop_last  whether a last list that is shorter is left out
    Raises ValueError for a batch_size below 1 or a drop_last that is no bool.

    >>> list(BatchSampler(range(7), 3, drop_last=False))
    [[0, 1, 2], [3, 4, 5], [6]]
    """

    def __init__(self, sampler: Sampler[int] | Iterable[int], batch_size: int, drop_last: bool) -> None:
        self.sampler = sampler
        self.batch_size = _count("BatchSampler", "batch_size", batch_size)
        self.drop_last = _flag("BatchSampler", "drop_last", drop_last, ValueError)

    def __iter__(self) -> Iterator[list[int]]:
        indices = iter(self.sampler)
        while batch := list(islice(indices, self.batch_size)):
            if len(batch) < self.batch_size and self.drop_last:
                return
            yield batch

    def __len__(self) -> int:
        n = len(self.sampler)  # type: ignore[arg-type]  # one without a length raises its TypeError
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)
