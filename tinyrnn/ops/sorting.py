"""Order: sort, argsort, topk; and counting: unique, bincount. NaN counts as larger than any number.

Raises IndexError for an axis that is not there, TypeError for what is no whole number. A 0-d tensor counts as having
one axis.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import numpy as np

from tinyrnn.autograd.graph import Array, make
from tinyrnn.ops.extrema import ValuesIndices, chosen
from tinyrnn.ops.operands import normal_axis, numpy_names, tensor_argument

if TYPE_CHECKING:
    from tinyrnn.tensor import Tensor

__all__ = ["argsort", "bincount", "sort", "topk", "unique"]


class Sort(ValuesIndices):
    """What sort returns."""


class Topk(ValuesIndices):
    """What topk returns."""


@numpy_names
def sort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False) -> Sort:
    """(values, indices): y = x in order along dim,  dx = g back in its place. Stable always: equal ones keep theirs."""
    x, axis = _rows("sort", input, dim)
    return Sort(*chosen("sort", input, _order(x, axis, descending), axis))


@numpy_names
def argsort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False) -> Tensor:
    """The indices that sort x along dim. Stable always: equal ones keep their order."""
    x, axis = _rows("argsort", input, dim)
    indices: Tensor = make(input.result, _order(x, axis, descending).reshape(input.shape))
    return indices


@numpy_names
def topk(input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Topk:
    """(values, indices): the k largest along dim, or the smallest, in order,  dx = g at the indices.

    Sorted always. Of equal elements the first are taken; among more than 1000, any. Raises ValueError for more than
    there are.
    """
    x, axis = _rows("topk", input, dim)
    if not hasattr(k, "__index__"):
        raise TypeError(f"topk: k is {k!r}, expected a whole number")
    k, n = operator.index(k), x.shape[axis]
    if not 0 <= k <= n:
        raise ValueError(f"topk: k is {k}, expected 0 to {n}, the size of dim {dim} of a tensor of shape {input.shape}")
    if k == 1 and largest:
        index = np.argmax(x, axis, keepdims=True)
    elif 0 < k < n and n > 1000:  # which they are takes linear time; only they are sorted
        parts = np.argpartition(x, n - k if largest else k - 1, axis)
        some = np.sort(np.take(parts, range(n - k, n) if largest else range(k), axis), axis)
        index = np.take_along_axis(some, _order(np.take_along_axis(x, some, axis), axis, largest), axis)
    else:
        index = np.take(_order(x, axis, largest), range(k), axis)
    return Topk(*chosen("topk", input, index, axis))


def _rows(name: str, input: Tensor, dim: int) -> tuple[Array, int]:
    x = tensor_argument(name, input)
    return x if x.ndim else x.reshape(1), normal_axis(name, dim, x.ndim)


def _order(x: Array, axis: int, descending: bool) -> Array:
    """The indices that sort x, equal elements in their order."""
    if not descending:
        forwards: Array = np.argsort(x, axis, kind="stable")
        return forwards
    backwards: Array = x.shape[axis] - 1 - np.argsort(np.flip(x, axis), axis, kind="stable")
    return np.flip(backwards, axis)


def unique(
    input: Tensor,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """The different elements, or slices along dim, in order; each NaN is one of its own. Without gradient.

    return_inverse: also where each element of x, or slice, is found among them; return_counts: also how often each
    occurs. -> a tensor, or a tuple of those asked for. Sorted always.
    """
    x = tensor_argument("unique", input)
    axis = None if dim is None else normal_axis("unique", dim, x.ndim)
    values, inverse, counts = np.unique(x, False, True, True, axis, equal_nan=False)
    inverse = inverse.reshape(x.shape if axis is None else -1)
    asked = [values, *([inverse] if return_inverse else []), *([counts] if return_counts else [])]
    results = tuple([make(input.result, array) for array in asked])
    return results if len(results) > 1 else results[0]


def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """How often each of 0, 1, ... occurs in a 1-d tensor of whole numbers, or the sum of its weights. Without gradient.

    -> (the largest + 1,), or minlength if that is more: int64; with weights their dtype, float64 for whole numbers.
    Raises TypeError for other dtypes, ValueError for negative numbers and shapes that do not fit.
    """
    x = tensor_argument("bincount", input)
    if x.dtype.kind not in "ui":
        raise TypeError(f"bincount: the tensor is {x.dtype}, expected whole numbers")
    if x.ndim != 1 or (x.size and x.min() < 0):
        raise ValueError(f"bincount: expected one axis and no negative number, got shape {x.shape}, {input}")
    if weights is None:
        counts = np.bincount(x, None, minlength)
    else:
        w = tensor_argument("bincount", weights)
        if w.shape != x.shape:
            raise ValueError(f"bincount: weights has shape {w.shape}, the tensor {x.shape}, expected the same")
        counts = np.bincount(x, w, minlength).astype(w.dtype if w.dtype == np.float32 else np.float64)
    result: Tensor = make(input.result, counts)
    return result
