"""Looking up rows of a table, as a function; and one_hot, the rows of the identity."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyrnn.autograd.graph import Array, Gradient, Patch
from tinyrnn.autograd.record import record
from tinyrnn.autograd.views import version_of
from tinyrnn.kernels.rows import sum_by_row
from tinyrnn.nn.arguments import as_float
from tinyrnn.ops.operands import tensor_argument
from tinyrnn.ops.scattering import one_hot
from tinyrnn.tensor import Tensor

__all__ = ["embedding", "one_hot"]


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """y = W[k] for each index k,  dW_k = the sum of g over all places where k stands.

    input  whole numbers from 0 to V - 1, of any shape (...); weight (V, D) -> (..., D)
    padding_idx         the row that gets no gradient; a negative one counts from the end
    max_norm            rows that are looked up are first scaled down, in place, to a norm (of norm_type) of this
    scale_grad_by_freq  divides dW_k by the number of times that k stands in input
    Raises TypeError for indices that are no whole numbers, IndexError for those that are out of range, ValueError for
    a weight that is no matrix, a padding_idx out of range, and sparse=True: gradients here are dense.
    Source: torch.nn.functional.embedding.
    """
    index, W = tensor_argument("embedding", input), tensor_argument("embedding", weight)
    if index.dtype.kind not in "iu" or index.dtype == np.uint8:
        raise TypeError(
            f"embedding: the indices are {index.dtype}, expected whole numbers, int64 or int32: .long() them"
        )
    if W.ndim != 2:
        raise ValueError(f"embedding: the weight is {W.shape}, expected (V, D)")
    V, D = W.shape
    if sparse:
        raise ValueError("embedding: sparse=True is not here: its gradient is dense, leave it out")
    padding_idx = padding_row("embedding", padding_idx, V)
    index = index.astype(np.int64, copy=False)
    if index.size and index.view(np.uint64).max() >= V:  # as a number without a sign, one below 0 is large
        raise IndexError(f"embedding: the indices go from {index.min()} to {index.max()}, expected 0 to {V - 1}")
    if max_norm is not None:
        _renormalize(
            weight, index, as_float("embedding", "max_norm", max_norm), as_float("embedding", "norm_type", norm_type)
        )
    places = index.reshape(-1).copy()

    def pullback(g: Array) -> tuple[Gradient, Gradient]:
        k, dy = places, g.reshape(-1, D)
        if scale_grad_by_freq:
            dy = dy / np.bincount(k)[k, None].astype(dy.dtype)
        if padding_idx is not None:
            k, dy = k[k != padding_idx], dy[k != padding_idx]
        return None, Patch(*sum_by_row(k, dy), repeats=False)

    return record("embedding", W.take(index, 0), (input, weight), pullback)


def padding_row(name: str, padding_idx: Any, n: int) -> int | None:
    """padding_idx as 0..n-1, or None. Raises ValueError."""
    if padding_idx is None:
        return None
    if not -n <= padding_idx < n:
        raise ValueError(f"{name}: padding_idx is {padding_idx}, expected {-n} to {n - 1}")
    return int(padding_idx) % n


def _renormalize(weight: Tensor, index: Array, max_norm: float, p: float) -> None:
    """W_k = W_k max_norm / |W_k| in place, for each k of index whose norm is larger."""
    rows = np.unique(index)
    norm = np.linalg.norm(weight.array[rows], p, 1)
    rows, norm = rows[norm > max_norm], norm[norm > max_norm]
    if rows.size:
        weight.array[rows] *= (max_norm / (norm + 1e-7)).astype(weight.dtype)[:, None]
        version_of(weight)[0] += 1
