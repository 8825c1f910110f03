"""Making tensors from data, and from nothing but a shape. Those drawn at random are in sampling.py.

In all of them: dtype, None for the default (float32 unless set_default_dtype changed it); requires_grad, whether a
backward pass shall fill .grad; device, which may only be the CPU; layout, memory_format and pin_memory, which may say
what is so anyway. Shapes may be given as f(2, 3), f((2, 3)) or f(size=(2, 3)), the sizes also as 0-d tensors.
Raises TypeError for a dtype, a size or a keyword that is none, ValueError for a negative size, RuntimeError for whole
numbers that shall require a gradient. Unlike torch's they fill no tensor that is there already (out=).
"""

from __future__ import annotations

import math
from typing import Any, Unpack

import numpy as np
from numpy.typing import DTypeLike

from tinyrnn.autograd.graph import Array, make
from tinyrnn.devices import contiguous_format
from tinyrnn.dtypes import as_dtype
from tinyrnn.making import Options, Sized, as_array, check_options, leaf, shape_of, wanted
from tinyrnn.ops.operands import number, tensor_argument
from tinyrnn.tensor import Tensor

__all__ = [
    "arange",
    "as_tensor",
    "asarray",
    "empty",
    "empty_like",
    "eye",
    "from_numpy",
    "full",
    "full_like",
    "linspace",
    "logspace",
    "ones",
    "ones_like",
    "tensor",
    "zeros",
    "zeros_like",
]


def tensor(data: Any, *, dtype: DTypeLike | None = None, **options: Unpack[Options]) -> Tensor:
    """A leaf with a copy of `data`: numbers, lists of them to any depth, arrays, tensors. No gradient flows to these.

    Without a dtype: that of an array or tensor; the default one for Python's floats, int64 for ints, bool for bools.
    Raises ValueError for ragged lists and for numbers outside the range of a dtype of whole numbers (torch lets -1 into
    uint8, as 255), TypeError for what holds no numbers. A list may hold tensors with axes too, which torch refuses;
    that clone() says the same of a tensor, torch warns of and this does not.

    >>> tensor([[1.0, 2.5], [3.0, 4.0]])
    tensor([[1.0000, 2.5000],
            [3.0000, 4.0000]])
    """
    check_options("tensor", options)
    return leaf(Tensor, np.array(as_array("tensor", data, dtype)), options)


def as_tensor(data: Any, dtype: DTypeLike | None = None, device: Any = None) -> Tensor:
    """`data` as a tensor, without a copy where that is possible; a tensor that fits is returned itself.

    Raises as `tensor` does.
    """
    if isinstance(data, Tensor):
        return data.to(dtype=dtype, device=device)
    check_options("as_tensor", {"device": device})
    return make(Tensor, as_array("as_tensor", data, dtype))


def asarray(
    obj: Any,
    *,
    dtype: DTypeLike | None = None,
    device: Any = None,
    copy: bool | None = None,
    requires_grad: bool | None = None,
) -> Tensor:
    """`obj` as a tensor: copied if copy=True, never if False, and by default where it has to change.

    requires_grad  None: as obj does; True: a gradient flows back to obj if it is a tensor; False: none does
    Raises ValueError if copy=False and a copy is needed, and as `tensor` does.
    """
    found = as_tensor(obj, dtype, device)
    memory = obj.array if isinstance(obj, Tensor) else obj
    same = isinstance(memory, np.ndarray) and found.array is memory
    if copy and same:
        found = found.clone()
    elif copy is False and not same:
        raise ValueError(f"asarray: {type(obj).__name__} cannot become this tensor without a copy, and copy=False")
    if requires_grad is False or (requires_grad and not found.requires_grad):
        return leaf(Tensor, found.array, {"requires_grad": requires_grad})
    return found


def from_numpy(array: Array) -> Tensor:
    """A tensor that shares the memory of `array`. Raises TypeError for what is not an array, or not of numbers."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"from_numpy: got {type(array).__name__}, expected a numpy.ndarray: use tensor(...)")
    as_dtype("from_numpy", array.dtype)
    return make(Tensor, array)


def zeros(*shape: Any, dtype: DTypeLike | None = None, **options: Unpack[Sized]) -> Tensor:
    """All 0."""
    size, kind = shape_of("zeros", shape, options), wanted("zeros", dtype, options)
    return leaf(Tensor, np.zeros(size, kind), options)


def ones(*shape: Any, dtype: DTypeLike | None = None, **options: Unpack[Sized]) -> Tensor:
    """All 1."""
    size, kind = shape_of("ones", shape, options), wanted("ones", dtype, options)
    return leaf(Tensor, np.ones(size, kind), options)


def empty(*shape: Any, dtype: DTypeLike | None = None, **options: Unpack[Sized]) -> Tensor:
    """With whatever the memory held."""
    size, kind = shape_of("empty", shape, options), wanted("empty", dtype, options)
    return leaf(Tensor, np.empty(size, kind), options)


def full(size: Any, fill_value: Any, *, dtype: DTypeLike | None = None, **options: Unpack[Options]) -> Tensor:
    """All fill_value, a number or a 0-d tensor, of shape `size`; int64, bool or the default dtype, as the number is."""
    value = as_array("full", _number("full", fill_value), dtype)
    kind = wanted("full", value.dtype, options)
    return leaf(Tensor, np.full(shape_of("full", (size,), {}), value, kind), options)


def zeros_like(input: Tensor, *, dtype: DTypeLike | None = None, **options: Unpack[Options]) -> Tensor:
    """All 0, of the shape and, without another, the dtype of `input`; in memory in its order too."""
    return _like("zeros_like", input, 0, dtype, options)


def ones_like(input: Tensor, *, dtype: DTypeLike | None = None, **options: Unpack[Options]) -> Tensor:
    """All 1, of the shape and, without another, the dtype of `input`; in memory in its order too."""
    return _like("ones_like", input, 1, dtype, options)


def empty_like(input: Tensor, *, dtype: DTypeLike | None = None, **options: Unpack[Options]) -> Tensor:
    """With whatever the memory held, of the shape and, without another, the dtype of `input`."""
    x = tensor_argument("empty_like", input)
    kind = wanted("empty_like", dtype, options, x)
    return leaf(Tensor, np.empty_like(x, kind, _order(options)), options)


def full_like(input: Tensor, fill_value: Any, *, dtype: DTypeLike | None = None, **options: Unpack[Options]) -> Tensor:
    """All fill_value, of the shape and, without another, the dtype of `input`; in memory in its order too."""
    return _like("full_like", input, _number("full_like", fill_value), dtype, options)


def _like(name: str, input: Tensor, value: Any, dtype: DTypeLike | None, options: Options) -> Tensor:
    x = tensor_argument(name, input)
    kind = wanted(name, dtype, options, x)
    return leaf(Tensor, np.full_like(x, as_array(name, value, kind), kind, _order(options)), options)


def _order(options: Any) -> Any:
    return "C" if options.get("memory_format") is contiguous_format else "K"


def _number(name: str, value: Any) -> Any:
    return value.item() if isinstance(value, Tensor) else number(name, "fill_value", value)


def arange(
    start: Any = None, end: Any = None, step: Any = 1, *, dtype: DTypeLike | None = None, **options: Unpack[Options]
) -> Tensor:
    """start, start + step, ... up to but without end; arange(end) begins at 0. int64 if all are whole numbers.

    With a dtype of whole numbers start, end and step are cut down to whole ones first, as in torch.
    Raises ValueError if step is 0, or leads away from end, or is infinitely many steps away.
    """
    if end is None:
        start, end = None, start
    if end is None:
        raise TypeError("arange: got no end, expected arange(end) or arange(start, end)")
    given = [_number("arange", n) for n in (0 if start is None else start, end, step)]
    if dtype is None and all(isinstance(n, int) for n in given):
        dtype = np.int64
    kind = wanted("arange", dtype, options)
    if not all(map(math.isfinite, given)):
        raise ValueError(f"arange: from {given[0]} to {given[1]} in steps of {given[2]}, expected finite numbers")
    first, last, step = map(int, given) if kind.kind in "ui" else given
    if step == 0 or (last - first) * step < 0:
        raise ValueError(f"arange: from {first} to {last} in steps of {step}, expected steps that lead there")
    return leaf(Tensor, np.arange(first, last, step).astype(kind), options)


def linspace(start: Any, end: Any, steps: int, *, dtype: DTypeLike | None = None, **options: Unpack[Options]) -> Tensor:
    """`steps` numbers, evenly spaced from start to end, both included. Raises ValueError for steps < 0."""
    kind = wanted("linspace", dtype, options)
    return leaf(Tensor, _even("linspace", start, end, steps).astype(kind), options)


def logspace(
    start: Any, end: Any, steps: int, base: float = 10.0, *, dtype: DTypeLike | None = None, **options: Unpack[Options]
) -> Tensor:
    """base^x for `steps` numbers x, evenly spaced from start to end, both included. Raises ValueError for steps < 0."""
    kind = wanted("logspace", dtype, options)
    return leaf(Tensor, (float(base) ** _even("logspace", start, end, steps)).astype(kind), options)


def _even(name: str, start: Any, end: Any, steps: Any) -> Array:
    if not hasattr(steps, "__index__"):
        raise TypeError(f"{name}: steps is {type(steps).__name__}, expected a whole number")
    if steps < 0:
        raise ValueError(f"{name}: {steps} steps, expected at least 0")
    return np.linspace(_number(name, start), _number(name, end), steps.__index__())


def eye(n: int, m: int | None = None, *, dtype: DTypeLike | None = None, **options: Unpack[Options]) -> Tensor:
    """The (n, m) matrix, (n, n) without m, with 1 on the diagonal and 0 elsewhere."""
    kind = wanted("eye", dtype, options)
    return leaf(Tensor, np.eye(*shape_of("eye", (n, n if m is None else m), {}), dtype=kind), options)
