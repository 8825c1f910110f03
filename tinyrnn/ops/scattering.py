"""Writing elements by tensors of whole numbers, or by masks, into a copy: scatter, index_add, masked_fill ... one_hot.

The forms that change the tensor itself, scatter_ and so on, are in inplace.py. An index holds whole numbers
from 0 up to the size of its axis (that of index_fill may count from the end). What is written has the tensor's dtype,
or is a number that this can hold. Where an index names a place twice, the last element written stays, and it alone
gets a gradient, where torch leaves both open.
Raises IndexError for a number that is out of range, ValueError for shapes that do not fit, TypeError for an index that
is no tensor of whole numbers, a mask that is none of bools, or another dtype.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tinyrnn.autograd.graph import Array, Gradient, Value, make
from tinyrnn.autograd.record import needs_grad, record
from tinyrnn.kernels.places import last_written
from tinyrnn.ops.operands import (
    check_broadcast,
    check_index,
    check_same_dtype,
    element_places,
    numbers_for,
    slices_along,
    tensor_argument,
    whole_numbers,
)

if TYPE_CHECKING:
    from tinyrnn.tensor import Tensor

__all__ = ["index_add", "index_copy", "index_fill", "masked_fill", "scatter", "scatter_add"]

Places = tuple[Any, ...]


def scatter(
    input: Tensor, dim: int, index: Tensor, src: Any = None, *, value: float | None = None, reduce: str | None = None
) -> Tensor:
    """y = x, but y[index[i][j][k]][j][k] = src[i][j][k] for dim 0, and so for the other axes: what `gather` reads.

    src     a tensor, no axis shorter than that of the index, or a number, which may also be given as `value`
    reduce  None; "add" or "multiply": what was there is kept, and src added to it, or multiplied with it
    dx = g with zero at the index,  dsrc = g at the index.  With reduce="add", dx = g;  with "multiply", dx = g times
    the numbers, and a src that needs a gradient raises RuntimeError, as in torch.
    """
    if reduce not in (None, "add", "multiply"):
        raise ValueError(f"scatter: reduce is {reduce!r}, expected None, 'add' or 'multiply'")
    x = tensor_argument("scatter", input)
    where = element_places("scatter", x, dim, index)
    given = value if src is None else src
    source, s = _source("scatter", x, given, where)
    if reduce is not None:
        return _scatter_add("scatter", input, where, source, s) if reduce == "add" else _times(input, where, source, s)
    return _write("scatter", input, where, source, s)


def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """y = x, with src[i][j][k] added to y[index[i][j][k]][j][k] for dim 0, and so on.

    dx = g,  dsrc = g at the index.
    """
    x = tensor_argument("scatter_add", input)
    tensor_argument("scatter_add", src)
    where = element_places("scatter_add", x, dim, index)
    return _scatter_add("scatter_add", input, where, *_source("scatter_add", x, src, where))


def _source(name: str, x: Array, src: Any, where: Places) -> tuple[Tensor | None, Array]:
    """What is to be written: as a tensor, None if it is a number, and those of its elements that the index names."""
    place = np.broadcast_shapes(*[np.shape(part) for part in where])
    if not isinstance(src, Value):
        return None, np.broadcast_to(numbers_for(name, src, x.dtype).astype(x.dtype), place)
    check_same_dtype(name, x, src.array)
    s = src.array if src.array.ndim else src.array.reshape(1)
    if s.ndim != len(place) or any(n < m for n, m in zip(s.shape, place, strict=True)):
        raise ValueError(
            f"{name}: the index has shape {place}, src {src.shape}: expected src to be as large, or larger"
        )
    return src, s[tuple([slice(n) for n in place])]  # type: ignore[return-value]


def _laid_out(g: Array, shape: tuple[int, ...]) -> Array:
    """`g`, the gradient of a corner of src, as one of the whole of it."""
    if g.shape == shape or not shape:
        return g.reshape(shape)
    whole = np.zeros(shape, g.dtype)
    whole[tuple([slice(n) for n in g.shape])] = g
    return whole


def _write(name: str, input: Tensor, where: Places, source: Tensor | None, s: Array) -> Tensor:
    """y = x, y[where] = s."""
    x = input.array if input.array.ndim else input.array.reshape(1)
    y = x.copy()
    y[where] = s
    shape, place, need = x.shape, s.shape, needs_grad(source)
    s_shape = place if source is None else source.shape

    def pullback(g: Array) -> tuple[Gradient, Gradient]:
        g = g.reshape(shape)
        ds = _laid_out(g[where] * last_written(where, place, shape), s_shape) if need else None
        dx = g.copy()
        dx[where] = 0
        return dx.reshape(y_shape), ds

    y_shape = input.array.shape
    return record(name, y.reshape(y_shape), (input, source), pullback)


def _scatter_add(name: str, input: Tensor, where: Places, source: Tensor | None, s: Array) -> Tensor:
    """y = x, y[where] += s."""
    x = input.array if input.array.ndim else input.array.reshape(1)
    y = x.copy()
    np.add.at(y, where, s)
    shape, s_shape, need = x.shape, s.shape if source is None else source.shape, needs_grad(source)

    def pullback(g: Array) -> tuple[Gradient, Gradient]:
        return g, _laid_out(g.reshape(shape)[where], s_shape) if need else None

    return record(name, y.reshape(input.array.shape), (input, source), pullback)


def _times(input: Tensor, where: Places, source: Tensor | None, s: Array) -> Tensor:
    """y = x, y[where] *= s."""
    if needs_grad(source):
        raise RuntimeError(
            "scatter: reduce='multiply' has no gradient for src: detach() it, or multiply what you gather"
        )
    factor = np.ones(input.array.shape or (1,), input.dtype)
    np.multiply.at(factor, where, s)
    factor = factor.reshape(input.array.shape)

    def pullback(g: Array) -> tuple[Gradient]:
        return (g * factor,)

    return record("scatter", input.array * factor, (input,), pullback)


def index_add(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: float = 1) -> Tensor:
    """y = x, with alpha times slice k of source added to slice index[k], along dim.  dx = g,  dsource = alpha g there.

    index is a vector; source has the shape of x but along dim, where it is as long as the index.
    """
    axis, numbers = _slices("index_add", input, dim, index, source)
    check_index("index_add", numbers, 0, input.array.shape[axis] if input.array.ndim else 1, axis)
    s = source.array
    where: Places = (*[slice(None)] * axis, numbers)
    y = input.array.copy()
    np.add.at(y.reshape(y.shape or 1), where, (s if alpha == 1 else (alpha * s).astype(s.dtype)).reshape(s.shape or 1))
    shape = s.shape

    def pullback(g: Array) -> tuple[Gradient, Gradient]:
        ds = g.reshape(g.shape or 1)[where].reshape(shape)
        return g, ds if alpha == 1 else alpha * ds

    return record("index_add", y, (input, source), pullback)


def index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """y = x, but slice index[k] of y is slice k of source, along dim.  dx = g, zero there,  dsource = g there."""
    axis, numbers = _slices("index_copy", input, dim, index, source)
    x, s = input.array, source.array
    check_index("index_copy", numbers, 0, x.shape[axis] if x.ndim else 1, axis)
    where = (*[slice(None)] * axis, numbers)
    return _write("index_copy", input, where, source, s.reshape(s.shape or 1))


def _slices(name: str, input: Tensor, dim: int, index: Any, source: Any) -> tuple[int, Array]:
    """The axis, and the numbers of the slices. Raises ValueError unless source has one for each."""
    x, s = tensor_argument(name, input), tensor_argument(name, source)
    check_same_dtype(name, x, s)
    axis, numbers = slices_along(name, x, dim, index)
    shape = x.shape or (1,)
    if (s.shape or (1,)) != (*shape[:axis], len(numbers), *shape[axis + 1 :]):
        raise ValueError(
            f"{name}: source has shape {s.shape}, expected that of the tensor, {x.shape}, but {len(numbers)} along "
            f"axis {axis}: a slice for each number of the index"
        )
    return axis, numbers


def index_fill(input: Tensor, dim: int, index: Tensor, value: Any) -> Tensor:
    """y = x, but a number, or a 0-d tensor, in the slices along dim that `index` says; dvalue = the sum of g there."""
    x = tensor_argument("index_fill", input)
    axis, numbers = slices_along("index_fill", x, dim, index)
    n = x.shape[axis] if x.ndim else 1
    check_index("index_fill", numbers, -n, n, axis)
    mask = np.zeros([n if i == axis else 1 for i in range(max(x.ndim, 1))], bool)
    mask.reshape(-1)[numbers] = True
    return _fill("index_fill", input, mask if x.ndim else mask.reshape(()), value)


def masked_fill(input: Tensor, mask: Tensor, value: Any) -> Tensor:
    """y = a number, or a 0-d tensor, where the mask holds, else x; mask and x broadcast.

    dx = g, zero where the mask holds,  dvalue = the sum of g there.
    """
    x, chosen = tensor_argument("masked_fill", input), tensor_argument("masked_fill", mask)
    if chosen.dtype != bool:
        raise TypeError(f"masked_fill: the mask is {chosen.dtype}, expected bool: compare it, or .bool() it")
    check_broadcast("masked_fill", x.shape, chosen.shape)
    return _fill("masked_fill", input, chosen.copy(), value)


def _fill(name: str, input: Tensor, mask: Array, value: Any) -> Tensor:
    """y = value where the mask, which is ours, holds."""
    x = input.array
    source: Tensor | None = value if isinstance(value, Value) else None  # type: ignore[assignment]
    if np.ndim(value if source is None else source.array):
        raise ValueError(f"{name}: value has axes, expected a number or a 0-d tensor: use where, or x[mask] = ...")
    v = numbers_for(name, value, x.dtype) if source is None else source.array
    if v.dtype.kind == "c" and x.dtype.kind != "c":
        raise TypeError(f"{name}: value is {v.dtype}, which does not fit {x.dtype}: take its .real")
    need = needs_grad(source)

    def pullback(g: Array) -> tuple[Gradient, Gradient]:
        return np.where(mask, 0, g), np.where(mask, g, 0).sum(dtype=np.float64) if need else None

    inputs = (input, source if x.dtype.kind == "f" else None)  # whole numbers carry no gradient
    return record(name, np.where(mask, v.astype(x.dtype), x), inputs, pullback)


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """y[..., c] = 1 where the class is c, else 0, in int64; -1 stands for one class more than the largest.

    tensor (...) of whole numbers from 0 to num_classes - 1 -> (..., num_classes). It is torch.nn.functional.one_hot.
    Raises ValueError for a class that is out of range, or without classes to count.

    >>> import tinyrnn
    >>> one_hot(tinyrnn.tensor([0, 2]))
    tensor([[1, 0, 0],
            [0, 0, 1]])
    """
    classes = whole_numbers("one_hot", tensor)
    if num_classes == -1 and not classes.size:
        raise ValueError("one_hot: there are no classes to count, so num_classes has to be said")
    n = int(classes.max()) + 1 if num_classes == -1 else num_classes
    if classes.size and (classes.min() < 0 or classes.max() >= n):
        raise ValueError(f"one_hot: classes from {classes.min()} to {classes.max()}, expected 0 to {n - 1}")
    y: Tensor = make(tensor.result, (classes[..., None] == np.arange(n)).astype(np.int64))
    return y
