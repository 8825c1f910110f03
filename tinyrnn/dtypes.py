"""The dtypes, the default one, and which comes out when two of them meet. They are NumPy's, under torch's names.

Where torch and NumPy differ this follows torch, because float32 has to stay float32 through a training step:

    a number of Python's or NumPy's does not widen a tensor          float32[3] * np.float64(2) -> float32
    a 0-d tensor does not widen a tensor with axes, of its kind      float32[3] * float64[]     -> float32
    whole numbers take the dtype of the floating ones they meet      int64[3]   * float32[3]    -> float32
    whole numbers that meet a Python float become the default        int64[3]   * 0.5           -> float32

Source: torch's type promotion (torch.result_type).
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from tinyrnn.autograd.graph import Value

__all__ = ["can_cast", "dtype", "finfo", "float16", "float32", "float64", "get_default_dtype", "iinfo", "int16"]
__all__ += [
    "int8",
    "int32",
    "int64",
    "promote_types",
    "result_type",
    "set_default_dtype",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
]

Array: TypeAlias = NDArray[Any]
dtype = np.dtype  # what each of them is

float16, float32, float64 = np.dtype("float16"), np.dtype("float32"), np.dtype("float64")
uint8, int8, int16, int32, int64 = (np.dtype(name) for name in ("uint8", "int8", "int16", "int32", "int64"))
uint16, uint32, uint64 = (np.dtype(name) for name in ("uint16", "uint32", "uint64"))
boolean = np.dtype("bool")

# The names of old: FloatTensor, LongTensor ...
TYPES: dict[str, np.dtype[Any]] = {
    "HalfTensor": float16, "FloatTensor": float32, "DoubleTensor": float64, "ByteTensor": uint8, "CharTensor": int8,
    "ShortTensor": int16, "IntTensor": int32, "LongTensor": int64, "BoolTensor": boolean,
}  # fmt: skip

# By NumPy's letters, in the byte order of this machine.
_SUPPORTED = {np.dtype(letter).str for letter in "?bBhHiIlLqQefdFD"}
_CATEGORY = {"b": 0, "u": 1, "i": 1, "f": 2, "c": 3}
_default = float32


def get_default_dtype() -> np.dtype[Any]:
    """The floating dtype of tensors made from Python's floats: float32, unless set_default_dtype changed it."""
    return _default


def set_default_dtype(dtype: DTypeLike) -> None:
    """Makes `dtype` (float16, float32 or float64) the dtype of tensors made from Python's floats.

    Raises TypeError for any other. Source: torch.set_default_dtype.
    """
    global _default
    given = as_dtype("set_default_dtype", dtype)
    if given.kind != "f":
        raise TypeError(f"set_default_dtype: {given} is not a floating dtype, expected float32, float64 or float16")
    _default = given


def as_dtype(name: str, dtype: DTypeLike) -> np.dtype[Any]:
    """`dtype` as NumPy's dtype object. Raises TypeError, naming the caller, for what tensors cannot hold."""
    try:
        given = np.dtype(dtype)
    except TypeError:
        raise TypeError(f"{name}: {dtype!r} is not a dtype, expected one such as tinyrnn.float32") from None
    if given.str not in _SUPPORTED:
        raise TypeError(
            f"{name}: dtype {given} is not supported, expected bool, whole, floating or complex numbers "
            "of at most 64 bits (a complex one twice), in this machine's byte order"
        )
    return given


def can_cast(from_: np.dtype[Any], to: np.dtype[Any]) -> bool:
    """Whether a result of one dtype may be written into a tensor of another: not if it would lose its kind.

    Source: torch.can_cast.

    >>> can_cast(float64, float32), can_cast(int64, uint8), can_cast(float32, int64), can_cast(int64, boolean)
    (True, True, False, False)
    """
    return _CATEGORY[from_.kind] <= _CATEGORY[to.kind]


def promote(x: Array, y: Array) -> tuple[Array, Array]:
    """Both arrays in the dtype of torch's result for them."""
    i, j = _CATEGORY[x.dtype.kind], _CATEGORY[y.dtype.kind]
    if i == j and (x.ndim == 0) == (y.ndim == 0):
        dtype = np.promote_types(x.dtype, y.dtype)
    elif i > j or (i == j and y.ndim == 0):
        dtype = x.dtype
    else:
        dtype = y.dtype
    return x.astype(dtype, copy=False), y.astype(dtype, copy=False)


def promote_types(type1: DTypeLike, type2: DTypeLike) -> np.dtype[Any]:
    """The dtype in which tensors of these two, both with axes, are combined. Source: torch.promote_types.

    >>> promote_types(int64, float16), promote_types(uint8, int8)
    (dtype('float16'), dtype('int16'))
    """
    x, y = (np.zeros(1, as_dtype("promote_types", dtype)) for dtype in (type1, type2))
    return promote(x, y)[0].dtype


def result_type(tensor1: Any, tensor2: Any) -> np.dtype[Any]:
    """The dtype of what an operation makes of two operands, tensors or numbers. Source: torch.result_type.

    Of tensors with axes, 0-d tensors and numbers, each kind counts only if it is of a higher category (bool, whole,
    floating) than those before it. Raises TypeError for what is neither.
    """
    ranks: dict[int, np.dtype[Any]] = {}
    for operand in (tensor1, tensor2):
        if isinstance(operand, Value):
            rank, kind = (0 if operand.array.ndim else 1), operand.array.dtype
        elif isinstance(operand, bool | int | float | np.generic):
            python = boolean if isinstance(operand, bool | np.bool_) else int64
            rank, kind = 2, _default if isinstance(operand, float | np.floating) else python
        else:
            raise TypeError(f"result_type: got {type(operand).__name__}, expected a tensor or a number")
        ranks[rank] = promote_types(ranks.get(rank, kind), kind)
    first, *others = [ranks[rank] for rank in sorted(ranks)]
    return others[0] if others and _CATEGORY[others[0].kind] > _CATEGORY[first.kind] else first


class finfo:  # noqa: N801 (torch's name)
    """The limits of a floating dtype, None for the default one, as numbers of Python's. Source: torch.finfo.

    Raises TypeError for another dtype.

    >>> finfo(float32).eps, finfo(float64).bits
    (1.1920928955078125e-07, 64)
    """

    def __init__(self, type: DTypeLike | None = None) -> None:
        dtype = _default if type is None else as_dtype("finfo", type)
        if dtype.kind != "f":
            raise TypeError(f"finfo: {dtype} is not a floating dtype: iinfo has the limits of whole numbers")
        limits = np.finfo(dtype)
        self.bits, self.dtype = dtype.itemsize * 8, dtype.name
        self.min, self.max, self.eps = float(limits.min), float(limits.max), float(limits.eps)
        self.resolution, self.tiny = 10.0**-limits.precision, float(limits.tiny)
        self.smallest_normal = self.tiny

    def __repr__(self) -> str:
        numbers = [f"{name}={getattr(self, name):g}" for name in ("resolution", "min", "max", "eps", "tiny")]
        return f"finfo({', '.join(numbers)}, dtype={self.dtype})"


class iinfo:  # noqa: N801 (torch's name)
    """The limits of a dtype of whole numbers. Source: torch.iinfo. Raises TypeError for another dtype.

    >>> iinfo(uint8)
    iinfo(min=0, max=255, dtype=uint8)
    """

    def __init__(self, type: DTypeLike) -> None:
        dtype = as_dtype("iinfo", type)
        if dtype.kind not in "ui":
            raise TypeError(f"iinfo: {dtype} is no dtype of whole numbers: finfo has the limits of floating ones")
        limits = np.iinfo(dtype)
        self.bits, self.dtype, self.min, self.max = limits.bits, dtype.name, limits.min, limits.max

    def __repr__(self) -> str:
        return f"iinfo(min={self.min}, max={self.max}, dtype={self.dtype})"
