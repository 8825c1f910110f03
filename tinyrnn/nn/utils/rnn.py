"""Sequences of different lengths: padded into one tensor, or packed, so that no step is computed for padding.

Three sequences a b c, d e and f, padded to (T, N) and packed, the longest first:

    t = 0   a d f        data = a d f b e c,  batch_sizes = 3 2 1
    t = 1   b e .
    t = 2   c . .

The names and shapes are torch's (torch.nn.utils.rnn). T is the longest length, N the number of sequences, * any axes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from tinyrnn.autograd.graph import Array, Gradient, make
from tinyrnn.autograd.record import record
from tinyrnn.ops import cat, split
from tinyrnn.ops.operands import tensor_argument
from tinyrnn.tensor import Tensor

__all__ = [
    "PackedSequence",
    "invert_permutation",
    "pack_padded_sequence",
    "pack_sequence",
    "pad_packed_sequence",
    "pad_sequence",
    "unpack_sequence",
    "unpad_sequence",
]


class PackedSequence(NamedTuple):
    """Sequences of different lengths, step by step, without padding: what pack_padded_sequence and its kin return.

    data              (sum of the lengths, *): step by step, the elements of the sequences not yet over, longest first
    batch_sizes       (T,) whole numbers: how many sequences each step has
    sorted_indices    (N,): the place in the batch of the longest sequence, the second longest, ...; None if they were
                      given in that order
    unsorted_indices  (N,): for each place of the batch, which of the sorted sequences stands there
    """

    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None = None
    unsorted_indices: Tensor | None = None

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """The same with data.to(...)."""
        return self._replace(data=self.data.to(*args, **kwargs))

    def float(self) -> PackedSequence:
        """The same with data in float32."""
        return self._replace(data=self.data.float())

    def double(self) -> PackedSequence:
        """The same with data in float64."""
        return self._replace(data=self.data.double())

    def cpu(self) -> PackedSequence:
        """Itself: there is no other device."""
        return self

    @property
    def is_cuda(self) -> bool:
        """False."""
        return False


def pack_padded_sequence(
    input: Tensor, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """The sequences of a padded tensor, packed.  dx = the rows of g put back, 0 in the padding.

    input           (T, N, *), or (N, T, *) with batch_first
    lengths         N whole numbers from 1 to T: a list, an array or a tensor, of floats too (where torch would cut 2.5)
    enforce_sorted  whether they must fall from the first to the last; False sorts them, and the results of a layer
                    come back in the order given
    Raises ValueError for lengths that do not fit, or rise where they must not, TypeError for what are no whole numbers.
    """
    name = "pack_padded_sequence"
    x = tensor_argument(name, input)
    if x.ndim < 2:
        raise ValueError(
            f"{name}: the input has shape {x.shape}, expected (T, N, ...), or (N, T, ...) with batch_first"
        )
    T, N = x.shape[1::-1] if batch_first else x.shape[:2]
    sizes = _lengths(name, lengths, T, N)
    sorted_indices = unsorted_indices = None
    order = np.arange(N)
    if not enforce_sorted:
        order = np.argsort(-sizes, kind="stable")
        sorted_indices = make(Tensor, order)
        unsorted_indices = invert_permutation(sorted_indices)
    elif (sizes[1:] > sizes[:-1]).any():
        raise ValueError(
            f"{name}: the lengths are {sizes.tolist()}, expected them to fall, the longest first: say "
            "enforce_sorted=False to have them sorted"
        )
    batch_sizes = (sizes[None] > np.arange(sizes.max())[:, None]).sum(1)
    place = _places(batch_sizes, order, batch_first)
    data = _taken("pack_padded_sequence", input, place)
    return PackedSequence(data, make(Tensor, batch_sizes), sorted_indices, unsorted_indices)


def pad_packed_sequence(
    sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0, total_length: int | None = None
) -> tuple[Tensor, Tensor]:
    """(padded, lengths): pack_padded_sequence undone, in the order of the batch.  dx = the rows of g, packed.

    padded (T, N, *), or (N, T, *) with batch_first, with padding_value behind each end; lengths (N,), int64.
    total_length  T, if it is to be more than the longest length
    Raises TypeError for what is not packed, ValueError for a total_length that is too short.
    """
    name = "pad_packed_sequence"
    batch_sizes = _batch_sizes(name, sequence)
    T, N = len(batch_sizes), int(batch_sizes[0])
    if total_length is not None and total_length < T:
        raise ValueError(f"{name}: total_length is {total_length}, expected at least {T}, the longest length")
    total = T if total_length is None else int(total_length)
    order = np.arange(N) if sequence.sorted_indices is None else sequence.sorted_indices.array
    place = _places(batch_sizes, order, batch_first)
    x = sequence.data.array
    y = np.full(((N, total) if batch_first else (total, N)) + x.shape[1:], padding_value, x.dtype)
    y[place] = x

    def pullback(g: Array) -> tuple[Gradient]:
        return (g[place],)

    lengths = np.empty(N, np.int64)
    lengths[order] = (batch_sizes[:, None] > np.arange(N)).sum(0)
    return record(name, y, (sequence.data,), pullback), make(Tensor, lengths)


def pad_sequence(
    sequences: Iterable[Tensor], batch_first: bool = False, padding_value: float = 0.0, padding_side: str = "right"
) -> Tensor:
    """Sequences (T_i, *) in one tensor (T, N, *), or (N, T, *) with batch_first, padded to the longest.

    padding_side  "right" pads behind the end of each, "left" before its beginning
    dx_i = its part of g. Raises TypeError for what are no tensors, ValueError for none, or for other axes that differ.
    """
    tensors, arrays = _sequences("pad_sequence", sequences)
    if padding_side not in ("right", "left"):
        raise ValueError(f"pad_sequence: padding_side is {padding_side!r}, expected 'right' or 'left'")
    T, N = max(len(x) for x in arrays), len(arrays)
    dtype = np.result_type(*arrays)
    y = np.full(((N, T) if batch_first else (T, N)) + arrays[0].shape[1:], padding_value, dtype)
    places: list[Any] = []
    for i, x in enumerate(arrays):
        steps = slice(T - len(x), T) if padding_side == "left" else slice(len(x))
        places.append((i, steps) if batch_first else (steps, i))
        y[places[-1]] = x

    def pullback(g: Array) -> list[Gradient]:
        return [g[place] for place in places]

    return record("pad_sequence", y, tensors, pullback)


def pack_sequence(sequences: Iterable[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Sequences (T_i, *), packed. Raises as pad_sequence and pack_padded_sequence do."""
    tensors, _ = _sequences("pack_sequence", sequences)
    return pack_padded_sequence(pad_sequence(tensors), [len(x) for x in tensors], enforce_sorted=enforce_sorted)


def unpad_sequence(padded_sequences: Tensor, lengths: Any, batch_first: bool = False) -> list[Tensor]:
    """The sequences (T_i, *) of a padded tensor (T, N, *), or (N, T, *) with batch_first."""
    x = padded_sequences if batch_first else padded_sequences.transpose(0, 1)
    sizes = _lengths("unpad_sequence", lengths, x.shape[1], x.shape[0])
    return [row[: int(n)] for row, n in zip(x.unbind(), sizes, strict=True)]


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """The sequences (T_i, *) of a packed one, in the order of the batch."""
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """The permutation that undoes one: q with q[p[i]] = i. None for None."""
    return None if permutation is None else make(Tensor, np.argsort(permutation.array))


# for the recurrent layers


def sequences_of(x: PackedSequence) -> list[Tensor]:
    """The steps of packed sequences, one tensor (batch size, *) each."""
    return list(split(x.data, x.batch_sizes.array.tolist()))


def packed_like(steps: Sequence[Tensor], x: PackedSequence) -> PackedSequence:
    """Steps as sequences_of gives, packed as `x` is."""
    return x._replace(data=cat(steps))


def backwards(x: PackedSequence) -> PackedSequence:
    """Each sequence from its end to its beginning; twice is itself."""
    sizes = x.batch_sizes.array
    start = np.cumsum(sizes) - sizes
    steps, rows = _places(sizes, np.arange(sizes[0]), False)
    lengths = (sizes[:, None] > np.arange(sizes[0])).sum(0)
    return x._replace(data=_taken("flip", x.data, (start[lengths[rows] - 1 - steps] + rows,)))


def rows_of(x: Tensor, order: Tensor | None, dim: int = 1) -> Tensor:
    """`x` with its axis dim, the batch of a state, in another order; None leaves it."""
    # A copy of the order: the pullback reads it, and it may be changed in place.
    return x if order is None else _taken("permute_hidden", x, (*[slice(None)] * dim, order.array.copy()))


def _taken(name: str, x: Tensor, place: tuple[Any, ...]) -> Tensor:
    """x[place], where place names no element twice."""
    shape, dtype = x.array.shape, x.array.dtype

    def pullback(g: Array) -> tuple[Gradient]:
        dx = np.zeros(shape, dtype)
        dx[place] = g
        return (dx,)

    return record(name, x.array[place], (x,), pullback)


def _places(batch_sizes: Array, order: Array, batch_first: bool) -> tuple[Array, Array]:
    """Where each row of packed data stands in the padded tensor, as an index for its first two axes."""
    steps = np.repeat(np.arange(len(batch_sizes)), batch_sizes)
    rows = np.concatenate([order[:n] for n in batch_sizes])
    return (rows, steps) if batch_first else (steps, rows)


def _lengths(name: str, lengths: Any, T: int, N: int) -> Array:
    """The lengths as an array. Raises TypeError or ValueError unless they are N whole numbers from 1 to T."""
    sizes = np.asarray(lengths.array if isinstance(lengths, Tensor) else lengths)
    whole = sizes.dtype.kind in "ui" or (sizes.dtype.kind == "f" and sizes.size and (sizes == np.trunc(sizes)).all())
    if not whole:  # the sum of a mask is whole, and often of floats
        raise TypeError(f"{name}: the lengths are {sizes.dtype}, expected whole numbers")
    if sizes.shape != (N,):
        raise ValueError(
            f"{name}: the lengths have shape {sizes.shape}, expected ({N},), one for each sequence of the batch "
            "(is batch_first as it should be?)"
        )
    if not N or sizes.min() < 1 or sizes.max() > T:
        raise ValueError(f"{name}: the lengths are {sizes.tolist()}, expected at least one, each from 1 to {T}")
    return sizes.astype(np.int64)


def _batch_sizes(name: str, sequence: Any) -> Array:
    if not isinstance(sequence, PackedSequence):
        raise TypeError(
            f"{name}: got {type(sequence).__name__}, expected a PackedSequence: pack_padded_sequence makes one"
        )
    return sequence.batch_sizes.array


def _sequences(name: str, sequences: Iterable[Tensor]) -> tuple[list[Tensor], list[Array]]:
    tensors = list(sequences)
    arrays = [tensor_argument(f"{name}: sequences[{i}]", x) for i, x in enumerate(tensors)]
    if not arrays:
        raise ValueError(f"{name}: there are no sequences, expected at least one")
    for i, x in enumerate(arrays):
        if not x.ndim or x.shape[1:] != arrays[0].shape[1:]:
            raise ValueError(
                f"{name}: sequences[{i}] has shape {x.shape}, the first has {arrays[0].shape}: expected (T_i, ...), "
                "with only the first sizes different"
            )
    return tensors, arrays
