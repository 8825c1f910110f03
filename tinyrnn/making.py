"""What a new tensor is made of: data as an array, a shape, and what torch's keywords ask for. Arrays in, arrays out."""

from __future__ import annotations

from typing import Any, TypedDict

import numpy as np
from numpy.typing import DTypeLike

from tinyrnn.autograd.graph import Array, V, Value, make
from tinyrnn.autograd.views import version_of
from tinyrnn.devices import check_device, contiguous_format, preserve_format, strided
from tinyrnn.dtypes import as_dtype, get_default_dtype
from tinyrnn.size import Size, sizes


class Options(TypedDict, total=False):
    """The keywords of every function that makes a tensor, and what may be said in them.

    requires_grad  whether a backward pass shall fill .grad
    device         the CPU
    layout, memory_format, pin_memory, out    strided; contiguous_format or preserve_format; False; None
    """

    requires_grad: bool
    device: Any
    layout: Any
    memory_format: Any
    pin_memory: bool | None
    out: None


class Sized(Options, total=False):
    """The keywords of those that take a shape as f(2, 3): it may also be named, f(size=(2, 3))."""

    size: Any


_ALLOWED = {
    "layout": ((None, strided), "tinyrnn.strided, the only layout"),
    "memory_format": (
        (None, contiguous_format, preserve_format),
        "tinyrnn.contiguous_format or tinyrnn.preserve_format",
    ),
    "pin_memory": ((None, False), "False: there is no other device to copy to"),
    "out": ((None,), "None: copy_ or fill_ that tensor instead"),
}
_KNOWN = {"requires_grad", "device", *_ALLOWED}


def wanted(name: str, dtype: DTypeLike | None, options: Any, like: Array | None = None) -> np.dtype[Any]:
    """The dtype to make: the one asked for, else that of `like`, else the default one. Checks all other keywords too.

    Raises TypeError for a dtype or a keyword that is none, ValueError for what a keyword may not be, RuntimeError for
    whole numbers that shall require a gradient.
    """
    usual = get_default_dtype() if like is None else like.dtype
    kind = usual if dtype is None else as_dtype(name, dtype)
    if options:
        check_options(name, options)
        check_may_require(kind, options)
    return kind


def check_options(name: str, options: Any) -> None:
    """Raises TypeError for a keyword that is none of torch's; ValueError for what it may not be."""
    for option, value in options.items():
        if option not in _KNOWN:
            raise TypeError(f"{name}() got an unexpected keyword argument {option!r}")
        if option in _ALLOWED and not any(value is allowed for allowed in _ALLOWED[option][0]):
            raise ValueError(f"{name}: {option}={value!r} is not supported, expected {_ALLOWED[option][1]}")
    check_device(name, options.get("device"))


def check_may_require(dtype: np.dtype[Any], options: Any) -> None:
    """Raises RuntimeError if a gradient is asked for that numbers of this dtype cannot carry."""
    if options.get("requires_grad") and dtype.kind != "f":
        raise RuntimeError(
            f"requires_grad: a tensor of {dtype} carries no gradient, expected a floating dtype: .float() it"
        )


def leaf(cls: type[V], array: Any, options: Any) -> V:
    """The tensor, which requires a gradient if that was asked for."""
    tensor = make(cls, array)
    if options.get("requires_grad"):
        check_may_require(tensor.array.dtype, options)
        tensor.wants_grad = True
    return tensor


def shape_of(name: str, shape: tuple[Any, ...], options: Any) -> tuple[int, ...]:
    """The shape given as f(2, 3), f((2, 3)) or f(size=(2, 3)), which is taken out of the options; () for f().

    Raises TypeError for what are no sizes, ValueError for those below 0.
    """
    if "size" in options:
        if shape:
            raise TypeError(f"{name}: got the shape twice, {shape} and size={options['size']}")
        shape = (options.pop("size"),)
    whole = sizes(name, shape)
    if any(n < 0 for n in whole):
        raise ValueError(f"{name}: the shape is {whole}, expected sizes of at least 0")
    return whole


def as_array(name: str, data: Any, dtype: DTypeLike | None) -> Array:
    """`data` (numbers, lists of them, arrays, tensors) in a dtype, torch's for them by default; copied where needed.

    Raises ValueError for ragged lists and for numbers outside the range of whole numbers, TypeError for no numbers.
    """
    wanted = None if dtype is None else as_dtype(name, dtype)
    if isinstance(data, Value):
        return data.array.astype(data.array.dtype if wanted is None else wanted, copy=False)
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
        check_range(name, wanted, np.min(array), np.max(array))
    if wanted is None and isinstance(data, list | tuple | float):
        floats = [get_default_dtype() if kind is float else kind for kind in found if np.dtype(kind).kind == "f"]
        if floats or not found:  # what NumPy takes Python's floats for is float64
            wanted = np.result_type(*floats) if floats else get_default_dtype()
    return array if wanted is None else array.astype(wanted, copy=False)


def check_range(name: str, dtype: np.dtype[Any], low: Any, high: Any) -> None:
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
    data = data.array if isinstance(data, Value) else data
    found.add(type(data) if type(data) in (bool, int, float) else np.asarray(data).dtype)
    return data


def construct(cls: type[V], name: str, args: tuple[Any, ...], dtype: np.dtype[Any] | None, options: Any) -> V:
    """What the constructors of old make: f(2, 3) and f(size) have a shape, f([2, 3]) has the data, f() is empty.

    Whole numbers or a Size are a shape, whose elements are whatever the memory held; lists and arrays are data, copied;
    a tensor shares its memory and its count of changes with the new one, which has its dtype: another than `dtype`, if
    there is one, raises TypeError, as does anything else.
    """
    size = options.pop("size", None)
    check_options(name, options)
    if size is not None and not args:
        args = (Size(sizes(name, (size,))),)
    given = args[0] if len(args) == 1 else None
    if isinstance(given, Value):
        if dtype is not None and given.array.dtype != dtype:
            raise TypeError(f"{name}: got a tensor of {given.array.dtype}, expected one of {dtype}: cast it with .to()")
        version = version_of(given)
        alias = make(cls, given.array)
        alias.version = version
        return alias
    kind = get_default_dtype() if dtype is None else dtype
    if isinstance(given, list | tuple | range | np.ndarray) and not isinstance(given, Size):
        return make(cls, np.array(as_array(name, given, kind)))
    if not args:
        return make(cls, np.empty(0, kind))
    if any(isinstance(n, bool) or not hasattr(n, "__index__") for n in args if not isinstance(n, Size)):
        words = ", ".join(type(argument).__name__ for argument in args)
        raise TypeError(f"{name}: got {words}, expected sizes, or a list of numbers: tinyrnn.tensor(...) takes one too")
    return make(cls, np.empty(shape_of(name, args, {}), kind))
