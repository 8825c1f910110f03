"""Making tensors: from data, from nothing but a shape, and at random.

In all of them: dtype, None for the default (float32 unless set_default_dtype changed it); requires_grad, whether a
backward pass shall fill .grad; device, which may only be the CPU. Shapes may be given as f(2, 3) or f((2, 3)).
Raises TypeError for a dtype or a size that is none, ValueError for a negative size.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from tinyrnn import random
from tinyrnn.autograd.graph import Array, make
from tinyrnn.devices import check_device
from tinyrnn.dtypes import as_dtype, get_default_dtype
from tinyrnn.ops.operands import number, sizes, tensor_argument
from tinyrnn.tensor import Tensor

__all__ = [
    "arange",
    "as_tensor",
    "empty",
    "from_numpy",
    "full",
    "linspace",
    "ones",
    "ones_like",
    "rand",
    "randint",
    "randn",
    "randperm",
    "tensor",
    "zeros",
    "zeros_like",
]


def _wrap(name: str, array: Any, requires_grad: bool, device: Any) -> Tensor:
    check_device(name, device)
    tensor = make(Tensor, array)
    if requires_grad:
        tensor.requires_grad = True
    return tensor


def _float_dtype(name: str, dtype: DTypeLike | None) -> np.dtype[Any]:
    return get_default_dtype() if dtype is None else as_dtype(name, dtype)


def _shape(name: str, size: tuple[Any, ...]) -> tuple[int, ...]:
    shape = sizes(name, size)
    if any(n < 0 for n in shape):
        raise ValueError(f"{name}: the shape is {shape}, expected sizes of at least 0")
    return shape


def tensor(data: Any, *, dtype: DTypeLike | None = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A leaf with a copy of `data`: numbers, lists of them to any depth, arrays, tensors. No gradient flows to these.

    Without a dtype: that of an array or tensor; the default one for Python's floats, int64 for ints, bool for bools.
    Raises ValueError for ragged lists and for numbers outside the range of a dtype of whole numbers (torch lets -1 into
    uint8, as 255), TypeError for what holds no numbers, RuntimeError for whole numbers that shall
    require a gradient.

    >>> tensor([[1.0, 2.5], [3.0, 4.0]])
    tensor([[1.0000, 2.5000],
            [3.0000, 4.0000]])
    """
    return _wrap("tensor", np.array(_array("tensor", data, dtype)), requires_grad, device)


def as_tensor(data: Any, dtype: DTypeLike | None = None, device: Any = None) -> Tensor:
    """`data` as a tensor, without a copy where that is possible; a tensor that fits is returned itself.

    Raises as `tensor` does.
    """
    if isinstance(data, Tensor):
        return data.to(dtype=dtype, device=device)
    return _wrap("as_tensor", _array("as_tensor", data, dtype), False, device)


def from_numpy(array: Array) -> Tensor:
    """A tensor that shares the memory of `array`. Raises TypeError for what is not an array, or not of numbers."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"from_numpy: got {type(array).__name__}, expected a numpy.ndarray: use tensor(...)")
    as_dtype("from_numpy", array.dtype)
    return make(Tensor, array)


def _array(name: str, data: Any, dtype: DTypeLike | None) -> Array:
    wanted = None if dtype is None else as_dtype(name, dtype)
    if isinstance(data, Tensor):
        return data.array.astype(data.dtype if wanted is None else wanted, copy=False)
    found: set[Any] = set()
    plain = _plain(data, found)
    try:
        array = np.asarray(plain)
    except ValueError:
        raise ValueError(f"{name}: the lists are ragged, expected equal lengths at each depth (pad them?)") from None
    as_dtype(name, array.dtype)
    numbers = isinstance(data, list | tuple | int | float) and array.size and array.dtype != bool
    if numbers and wanted is not None:
        if array.dtype.kind == "c" and wanted.kind != "c":
            raise TypeError(f"{name}: complex numbers do not fit {wanted}: take their .real, or numpy.abs")
        _check_range(name, wanted, np.min(array), np.max(array))
    if wanted is None and isinstance(data, list | tuple | float):
        floats = [get_default_dtype() if kind is float else kind for kind in found if np.dtype(kind).kind == "f"]
        if floats or not found:  # what NumPy takes Python's floats for is float64
            wanted = np.result_type(*floats) if floats else get_default_dtype()
    return array if wanted is None else array.astype(wanted, copy=False)


def _check_range(name: str, dtype: np.dtype[Any], low: Any, high: Any) -> None:
    """Raises ValueError if numbers from low to high, NaN among them, do not fit a dtype of whole numbers."""
    if dtype.kind in "ui":
        limits = np.iinfo(dtype)
        if not (low >= limits.min and high <= limits.max):
            raise ValueError(f"{name}: not all numbers fit {dtype}, whose range is {limits.min} to {limits.max}")


def _plain(data: Any, found: set[Any]) -> Any:
    """`data` with arrays in the place of tensors, also deep in lists; adds the dtypes and Python types to `found`."""
    if isinstance(data, list | tuple):
        types = set(map(type, data))
        if types <= {bool, int, float}:
            found |= types
            return data
        return [_plain(element, found) for element in data]
    data = data.array if isinstance(data, Tensor) else data
    found.add(type(data) if type(data) in (bool, int, float) else np.asarray(data).dtype)
    return data


def zeros(*size: Any, dtype: DTypeLike | None = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """All 0, of shape `size`."""
    return _wrap("zeros", np.zeros(_shape("zeros", size), _float_dtype("zeros", dtype)), requires_grad, device)


def ones(*size: Any, dtype: DTypeLike | None = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """All 1, of shape `size`."""
    return _wrap("ones", np.ones(_shape("ones", size), _float_dtype("ones", dtype)), requires_grad, device)


def empty(*size: Any, dtype: DTypeLike | None = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Of shape `size`, with whatever the memory held."""
    return _wrap("empty", np.empty(_shape("empty", size), _float_dtype("empty", dtype)), requires_grad, device)


def full(
    size: Any, fill_value: Any, *, dtype: DTypeLike | None = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """All fill_value, a number, of shape `size`; int64, bool or the default dtype, as the number is."""
    fill_value = fill_value.item() if isinstance(fill_value, Tensor) else number("full", "fill_value", fill_value)
    value = _array("full", fill_value, dtype)
    return _wrap("full", np.full(_shape("full", (size,)), value, value.dtype), requires_grad, device)


def zeros_like(
    input: Tensor, *, dtype: DTypeLike | None = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """All 0, of the shape and, without another, the dtype of `input`."""
    x = tensor_argument("zeros_like", input)
    return zeros(x.shape, dtype=x.dtype if dtype is None else dtype, device=device, requires_grad=requires_grad)


def ones_like(
    input: Tensor, *, dtype: DTypeLike | None = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """All 1, of the shape and, without another, the dtype of `input`."""
    x = tensor_argument("ones_like", input)
    return ones(x.shape, dtype=x.dtype if dtype is None else dtype, device=device, requires_grad=requires_grad)


def arange(
    start: float,
    end: float | None = None,
    step: float = 1,
    *,
    dtype: DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """start, start + step, ... up to but without end; arange(end) begins at 0. int64 if all are whole numbers.

    Raises ValueError if step is 0, or leads away from end.
    """
    first, last, step = (
        n.item() if isinstance(n, Tensor | np.generic) else n
        for n in ((0, start, step) if end is None else (start, end, step))
    )
    if step == 0 or (last - first) * step < 0:
        raise ValueError(f"arange: from {first} to {last} in steps of {step}, expected steps that lead there")
    if dtype is None:
        dtype = np.int64 if all(isinstance(n, int) for n in (first, last, step)) else None
    kind = _float_dtype("arange", dtype)
    return _wrap("arange", np.arange(first, last, step).astype(kind), requires_grad, device)


def linspace(
    start: float,
    end: float,
    steps: int,
    *,
    dtype: DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """`steps` numbers, evenly spaced from start to end, both included. Raises ValueError for steps < 0."""
    if steps < 0:
        raise ValueError(f"linspace: {steps} steps, expected at least 0")
    kind = _float_dtype("linspace", dtype)
    return _wrap("linspace", np.linspace(start, end, steps).astype(kind), requires_grad, device)


def rand(*size: Any, dtype: DTypeLike | None = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Uniform in [0, 1), of shape `size`; after manual_seed(n), the numbers that torch gives after its own."""
    check_device("rand", device)  # before anything is drawn
    kind = _float_dtype("rand", dtype)
    return _wrap("rand", random.default_generator.uniform(_shape("rand", size), dtype=kind), requires_grad, device)


def randn(*size: Any, dtype: DTypeLike | None = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Normal, of mean 0 and variance 1, of shape `size`."""
    check_device("randn", device)  # before anything is drawn
    kind = _float_dtype("randn", dtype)
    return _wrap("randn", random.default_generator.normal(_shape("randn", size), dtype=kind), requires_grad, device)


def randint(
    low: int = 0,
    high: Any = None,
    size: Any = None,
    *,
    dtype: DTypeLike = np.int64,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Whole numbers of low..high-1, each as likely, of shape `size`; randint(high, size) begins at 0.

    Raises ValueError if there are none.
    """
    check_device("randint", device)  # before anything is drawn
    if size is None:
        high, size = None, high
    if high is None:
        low, high = 0, low
    if low >= high:
        raise ValueError(f"randint: numbers from {low} to below {high}: there are none, expected low < high")
    kind = as_dtype("randint", dtype)
    _check_range("randint", kind, low, high - 1)
    drawn = random.default_generator.integers(low, high, _shape("randint", (size,)))
    return _wrap("randint", drawn.astype(kind), requires_grad, device)


def randperm(n: int, *, dtype: DTypeLike = np.int64, device: Any = None) -> Tensor:
    """0..n-1 in a random order."""
    check_device("randperm", device)  # before anything is drawn
    kind = as_dtype("randperm", dtype)
    _check_range("randperm", kind, 0, n - 1 if isinstance(n, int) else 0)  # what is no number is refused below
    return _wrap("randperm", random.default_generator.permutation(n).astype(kind), False, device)
