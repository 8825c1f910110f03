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

Array: TypeAlias = NDArray[Any]

float16, float32, float64 = np.dtype("float16"), np.dtype("float32"), np.dtype("float64")
uint8, int8, int16, int32, int64 = (np.dtype(name) for name in ("uint8", "int8", "int16", "int32", "int64"))
boolean = np.dtype("bool")

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


def can_cast(given: np.dtype[Any], to: np.dtype[Any]) -> bool:
    """Whether a result of one dtype may be written into a tensor of another: not if it would lose its kind.

    Source: torch.can_cast.

    >>> can_cast(float64, float32), can_cast(int64, uint8), can_cast(float32, int64), can_cast(int64, boolean)
    (True, True, False, False)
    """
    return _CATEGORY[given.kind] <= _CATEGORY[to.kind]


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
