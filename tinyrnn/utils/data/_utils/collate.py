"""Samples into a batch: default_collate, and default_convert for a sample that stays alone."""

from __future__ import annotations

import copy
from collections.abc import Mapping, MutableMapping, MutableSequence, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from tinyrnn.autograd.graph import make
from tinyrnn.creation import as_tensor, tensor
from tinyrnn.ops.joining import stack
from tinyrnn.tensor import Tensor


def default_collate(batch: Sequence[Any]) -> Any:
    """One batch out of a list of samples; what it becomes depends on the first of them:

        tensors, arrays             a tensor with one axis more, the first: N samples of shape (...) make (N, ...)
        floats                      a float64 tensor, (N,)
        ints, bools, NumPy scalars  a tensor of their dtype, (N,)
        strings, bytes              the list of them
        mappings                    a mapping of the same type: {key: the values of all samples, collated}
        named tuples                a named tuple of the fields, each collated
        tuples                      a list of the places, each collated
        other sequences             a sequence of the same type (a list if that cannot be) of the places, each collated

    Raises RuntimeError for tensors of different shapes and sequences of different lengths, KeyError for a mapping that
    lacks a key of the first, IndexError for no samples, TypeError for what is none of the above.
    Source: torch.utils.data.default_collate.

    >>> default_collate([("a", 1, [2]), ("b", 3, [4])])
    [('a', 'b'), tensor([1, 3]), [tensor([2, 4])]]
    """
    if not len(batch):
        raise IndexError(
            "default_collate: there are no samples, expected at least one (did a sampler give no indices?)"
        )
    first = batch[0]
    if isinstance(first, Tensor):
        return _stack(batch)
    if isinstance(first, np.ndarray):
        if first.dtype.kind not in "SaUO":
            return _stack([as_tensor(sample) for sample in batch])
    elif isinstance(first, float) and not isinstance(first, np.generic):
        return tensor(list(batch), dtype=np.float64)
    elif isinstance(first, int | np.number | np.bool_):
        return tensor(list(batch))
    elif isinstance(first, str | bytes):
        return batch
    elif isinstance(first, Mapping):
        return _mapping_like(first, {key: default_collate(_values(batch, key)) for key in first})
    elif isinstance(first, Sequence):
        lengths = [len(sample) for sample in batch]
        if len(set(lengths)) > 1:
            raise RuntimeError(
                f"default_collate: the samples of a batch are sequences of {lengths} elements, expected one length: "
                "give the DataLoader a collate_fn, or make tensors of them and nn.utils.rnn.pad_sequence a batch"
            )
        return _sequence_like(first, [default_collate(place) for place in zip(*batch, strict=True)])
    what = f"an array of {first.dtype}" if isinstance(first, np.ndarray) else type(first).__name__
    raise TypeError(
        f"default_collate: a sample holds {what}, expected tensors, arrays, numbers, strings, dicts or lists: give the "
        "DataLoader a collate_fn for anything else"
    )


def default_convert(data: Any) -> Any:
    """One sample with tensors in the place of NumPy's arrays and scalars, also deep in dicts, lists and tuples.

    Numbers, strings and other objects stay as they are; a tuple becomes a list, as in torch.
    Source: torch.utils.data.default_convert.

    >>> import numpy as np
    >>> default_convert({"x": np.array([1, 2]), "name": "a"})
    {'x': tensor([1, 2]), 'name': 'a'}
    """
    if isinstance(data, np.ndarray | np.generic) and not isinstance(data, np.character):
        return data if data.dtype.kind in "SaUO" else as_tensor(np.asarray(data))
    if isinstance(data, Mapping):
        return _mapping_like(data, {key: default_convert(value) for key, value in data.items()})
    if isinstance(data, Sequence) and not isinstance(data, str | bytes):
        return _sequence_like(data, [default_convert(value) for value in data])
    return data


def _stack(tensors: Sequence[Any]) -> Tensor:
    """The tensors side by side along a new first axis. Nothing is recorded where nothing has to be."""
    with suppress(AttributeError, ValueError):  # what is wrong is said below
        arrays = [
            x.array
            for x in tensors
            if not (x.wants_grad or x.edge or ((base := x.base) is not None and (base.wants_grad or base.edge)))
        ]
        if len(arrays) == len(tensors):
            joined = np.array(arrays)
            if joined.dtype is arrays[0].dtype:
                return make(Tensor, joined)
    for n, x in enumerate(tensors):
        if isinstance(x, Tensor) and x.shape != tensors[0].shape:
            raise RuntimeError(
                f"default_collate: sample {n} of the batch has shape {tuple(x.shape)}, the first has "
                f"{tuple(tensors[0].shape)}, expected one shape: give the DataLoader a collate_fn that pads them, with "
                "nn.utils.rnn.pad_sequence(batch, batch_first=True), say"
            )
    return stack(list(tensors))


def _values(batch: Sequence[Any], key: Any) -> list[Any]:
    try:
        return [sample[key] for sample in batch]
    except KeyError:
        n = next(n for n, sample in enumerate(batch) if key not in sample)
        raise KeyError(
            f"default_collate: sample {n} of the batch has no key {key!r}, which the first one has; it has "
            f"{list(batch[n])}"
        ) from None


def _mapping_like(example: Mapping[Any, Any], parts: dict[Any, Any]) -> Any:
    if type(example) is dict:
        return parts
    try:
        if isinstance(example, MutableMapping):  # a copy keeps what else it has: a default factory, say
            clone = copy.copy(example)
            clone.update(parts)
            return clone
        return type(example)(parts)  # type: ignore[call-arg]
    except TypeError:
        return parts


def _sequence_like(example: Sequence[Any], parts: list[Any]) -> Any:
    if type(example) in (list, tuple):
        return parts
    if isinstance(example, tuple):
        return type(example)(*parts) if hasattr(example, "_fields") else parts
    try:
        if isinstance(example, MutableSequence):
            clone = copy.copy(example)
            for n, part in enumerate(parts):
                clone[n] = part
            return clone
        return type(example)(parts)  # type: ignore[call-arg]
    except TypeError:
        return parts
