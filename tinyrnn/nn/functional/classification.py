"""Losses of classification, as functions: cross entropy in one operation, and the likelihood of log-probabilities.

In both of them: input (C,), (N, C) or (N, C, d_1, ..., d_k), over C classes. As torch, a mean divides by the sum of the
targets' weights, ignored ones apart, so it is NaN where there are none. size_average and reduce are torch's older words
for the reduction, translated with a warning.
Raises IndexError, naming it, for a class that is none; ValueError for shapes that do not fit and another reduction;
TypeError for what are no floating inputs, targets of the wrong dtype, or a weight of another dtype than the input;
RuntimeError for a weight that requires a gradient, as there is none for it. Source: torch.nn.functional.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyrnn.autograd.graph import Array, Gradient, Patch
from tinyrnn.autograd.record import needs_grad
from tinyrnn.kernels.sums import sum_axes
from tinyrnn.nn.reductions import check_constant, reduced, reduction_of
from tinyrnn.ops.operands import check_floating, check_same_dtype, tensor_argument
from tinyrnn.tensor import Tensor

__all__ = ["cross_entropy", "nll_loss"]

SAFE = 20  # e^x of numbers up to this size, and a sum of them, is nowhere near the ends of float32


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """L = mean of -w_y log p_y,  dx = g w_y (p - one-hot(y)) / n,  for p = softmax x over the classes.

    input    x, the logits, before softmax: (N, C), or (N, C, d1, ...), the classes along axis 1; unbatched (C,)
    target   y, the classes, whole numbers of 0..C-1: (N,) or (N, d1, ...), the input's shape without C; or, if it has
             the shape of the input, probabilities q over the classes:
             L = mean of -sum_c w_c q_c log p_c,  dx = g (p sum_c w_c q_c - w q) / n,  dq = -g w log p / n
    weight   w (C,), of the input's dtype; None: all 1
    ignore_index     targets y of this number count for nothing; it need not be a class
    reduction        "mean": L (), over n = sum w_y (for probabilities, their number); "sum"; "none": L of y's shape
    label_smoothing  s: the target is (1 - s) one-hot(y) + s/C, or (1 - s) q + s/C
    size_average and reduce are torch's older words for reduction. Raises TypeError for dtypes, ValueError for shapes
    and options, IndexError for a class that is none.
    Beyond torch, y may be of any dtype of whole numbers. Unlike torch, a weight has no gradient with probabilities
    either.

    >>> import tinyrnn
    >>> logits, classes = tinyrnn.zeros(5, 7, 10), tinyrnn.zeros(5, 7, dtype=tinyrnn.long)  # (N, T, C) and (N, T)
    >>> cross_entropy(logits.transpose(1, 2), classes)  # log 10
    tensor(2.3026)
    """
    reduction = reduction_of("cross_entropy", size_average, reduce, reduction)
    x, y = tensor_argument("cross_entropy", input), tensor_argument("cross_entropy", target)
    check_floating("cross_entropy", x)
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"cross_entropy: label_smoothing is {label_smoothing}, expected a number from 0 to 1")
    if y.shape == x.shape:
        return _from_probabilities(input, target, weight, ignore_index, reduction, label_smoothing)
    w = None if weight is None else _class_weight("cross_entropy", weight, x)
    where, a, ignored = _classes("cross_entropy", x, y, w, ignore_index)
    n = None if a is None else float(a.sum(dtype=np.float64))
    if label_smoothing:
        q = np.full(x.shape, label_smoothing / x.shape[_axis(x)], x.dtype)
        q[where] += 1 - label_smoothing
        return _expected(input, target, x, q, w, ignored, reduction, n, 1)
    axis, dtype = _axis(x), x.dtype
    if dtype.itemsize == 2:
        x = x.astype(np.float32)
    if _is_safe(x):
        e = np.exp(x)  # without the largest logit of each row, which takes as long to find as all the rest
        s = _sum(e, axis)
        losses = np.log(s / e[where])
    else:
        z = x - np.maximum.reduce(x, axis, keepdims=True, initial=-np.inf)
        e = np.exp(z)
        s = _sum(e, axis)
        losses = np.log(s) - z[where]
    losses = _counted(losses, a, ignored)
    column = (*x.shape[:axis], 1, *x.shape[axis + 1 :])

    def pullback(g: Array) -> tuple[Gradient, None]:
        c = _counted(g, a, ignored)
        dx = e / s.reshape(column)
        dx[where] -= 1
        dx *= c.reshape(column) if c.ndim else c
        return dx, None

    return reduced(
        "cross_entropy", losses.astype(dtype, copy=False), reduction, (input, target), pullback, saved=(target,), n=n
    )


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """L = mean of -w_y x_y,  dx = -g w_y one-hot(y) / n,  for x = log p, as log_softmax gives it.

    target y, weight w and ignore_index as in cross_entropy. Raises ValueError for a target of the input's shape too.
    """
    reduction = reduction_of("nll_loss", size_average, reduce, reduction)
    x, y = tensor_argument("nll_loss", input), tensor_argument("nll_loss", target)
    check_floating("nll_loss", x)
    w = None if weight is None else _class_weight("nll_loss", weight, x)
    where, a, ignored = _classes("nll_loss", x, y, w, ignore_index)
    losses = _counted(-x[where], a, ignored)

    def pullback(g: Array) -> tuple[Gradient, None]:
        return Patch(where, _counted(-g, a, ignored), False), None

    n = None if a is None else float(a.sum(dtype=np.float64))
    return reduced("nll_loss", losses, reduction, (input, target), pullback, saved=(target,), n=n)


def _from_probabilities(
    input: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int, reduction: str, smoothing: float
) -> Tensor:
    x, q = input.array, target.array
    C = x.shape[_axis(x)] if x.ndim else 0
    if q.dtype.kind != "f":
        raise TypeError(
            f"cross_entropy: the target is {q.dtype} and has the input's shape {x.shape}, expected probabilities in a "
            "floating dtype: .float() them; a target of classes has the input's shape without the class axis"
        )
    if not C:
        raise ValueError(f"cross_entropy: the input is {x.shape}, expected at least one class: (C,), (N, C, ...)")
    if ignore_index >= 0:
        raise ValueError(f"cross_entropy: ignore_index is {ignore_index}, but the target holds probabilities: weigh q")
    w = None if weight is None else _class_weight("cross_entropy", weight, x, any_dtype=True)
    dtype = np.result_type(x, q) if w is None else np.result_type(x, q, w)
    if smoothing:
        q = q * (1 - smoothing) + smoothing / C
    n = x.size / C
    return _expected(input, target, x.astype(dtype, copy=False), q, w, None, reduction, n, 1 - smoothing)


def _expected(
    input: Tensor,
    target: Tensor,
    x: Array,
    q: Array,
    w: Array | None,
    ignored: Array | None,
    reduction: str,
    n: float | None,
    slope: float,
) -> Tensor:
    """L = the reduction of -sum_c w_c q_c log p_c,  dx = g (p sum_c w_c q_c - w q),  dq = -g w log p.

    slope is dq/dtarget.
    """
    axis, dtype = _axis(x), x.dtype
    if dtype.itemsize == 2:
        x = x.astype(np.float32)
    w = np.ones(1, x.dtype) if w is None else w.reshape(-1, *[1] * (x.ndim - 1 - axis)).astype(x.dtype)
    z = x - np.maximum.reduce(x, axis, keepdims=True, initial=-np.inf)
    log_p = z - np.log(sum_axes(np.exp(z), (axis,), x.dtype, keepdims=True))
    wq = w * q
    losses = -sum_axes(wq * log_p, (axis,), x.dtype)
    if ignored is not None:
        losses = np.where(ignored, 0, losses)
    need_q = needs_grad(target)

    def pullback(g: Array) -> tuple[Gradient, Gradient]:
        c = g if ignored is None else np.where(ignored, 0, g)
        c = np.expand_dims(c, axis) if c.ndim else c
        dx = c * (np.exp(log_p) * sum_axes(wq, (axis,), wq.dtype, keepdims=True) - wq)
        return dx, -c * slope * w * log_p if need_q else None

    losses = losses.astype(dtype, copy=False)
    return reduced("cross_entropy", losses, reduction, (input, target), pullback, saved=(target,), n=n)


def _is_safe(x: Array) -> bool:
    """Whether all numbers are at most SAFE in size. For a few, the sum of their squares often says so much sooner."""
    if 0 < x.size <= 1024:
        flat = x.ravel()
        if flat.dot(flat) <= SAFE * SAFE:
            return True
    return x.size > 0 and bool(x.max() <= SAFE and x.min() >= -SAFE)


def _axis(x: Array) -> int:
    """The axis of the classes."""
    return 1 if x.ndim > 1 else 0


def _sum(e: Array, axis: int) -> Any:
    """The sum over the classes: along the last axis a product with ones, which is five times faster."""
    if axis < e.ndim - 1:
        return sum_axes(e, (axis,), e.dtype)
    ones = np.empty(e.shape[-1], e.dtype)
    ones.fill(1)  # np.ones takes twice as long for a few
    return e.dot(ones)


def _counted(c: Any, a: Array | None, ignored: Array | None) -> Any:
    """a c, and 0 where the target is ignored, whatever c is there."""
    if a is None:
        return c
    return a * c if ignored is None else np.where(ignored, 0, a * c)


def _class_weight(name: str, weight: Tensor, x: Array, any_dtype: bool = False) -> Array:
    C = x.shape[_axis(x)] if x.ndim else 0
    check_constant(name, "weight", weight)
    w = weight.array
    if w.shape != (C,):
        raise ValueError(f"{name}: the weight is {w.shape}, expected {(C,)}, one for each class of the input {x.shape}")
    if not any_dtype:
        check_same_dtype(f"{name} with its weight", x, w)
    return w


def _classes(
    name: str, x: Array, y: Array, w: Array | None, ignore_index: int
) -> tuple[tuple[Any, ...], Array | None, Array | None]:
    """(where, a, ignored) of the target classes y: x[where] is each one's entry, a its weight (None: 1 for all).

    ignored marks the targets that are ignore_index (None if there are none): they point to class 0, and have weight 0.
    """
    if x.ndim == 0:
        raise ValueError(f"{name}: the input is a single number, expected (C,), (N, C) or (N, C, ...)")
    C = x.shape[_axis(x)]
    if y.dtype.kind not in "iu":
        raise TypeError(
            f"{name}: the target is {y.dtype} of shape {y.shape}: classes are whole numbers, .long() them"
            + (f"; probabilities would have the input's shape {x.shape}" if name == "cross_entropy" else "")
        )
    if x.ndim == 1 and y.shape == (1,):
        y = y.reshape(())
    elif y.shape != x.shape[:1] * (x.ndim > 1) + x.shape[2:]:
        raise ValueError(
            f"{name}: the target is {y.shape}, expected {x.shape[:1] * (x.ndim > 1) + x.shape[2:]}: the input's "
            f"{x.shape} without the axis of its {C} classes"
            + (", which is the second: move it there, or flatten all the others into one" if x.ndim > 2 else "")
        )
    y, ignored = y.astype(np.int64, copy=False), None
    if 0 <= ignore_index < C or np.maximum.reduce(y.view(np.uint64), None, initial=0) >= C:  # a negative one is huge
        ignored = y == ignore_index
        y = np.where(ignored, 0, y)
        wrong = (y < 0) | (y >= C)
        if wrong.any():
            place = tuple(int(i) for i in np.argwhere(wrong)[0])
            raise IndexError(
                f"{name}: target{list(place) if place else ''} is {y[place]}, which is no class: expected 0 to {C - 1} "
                f"for an input of {x.shape}, or ignore_index={ignore_index}"
            )
    if x.ndim == 1:
        where: tuple[Any, ...] = (y,)
    elif x.ndim == 2:
        where = (np.arange(len(y)), y)
    else:
        grid: Any = np.indices(y.shape, sparse=True)
        where = (grid[0], y, *grid[1:])
    if w is None:
        return where, None if ignored is None else (~ignored).astype(x.dtype), ignored
    return where, w[y] if ignored is None else w[y] * ~ignored, ignored
