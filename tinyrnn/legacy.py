"""The constructors of old tutorials: FloatTensor(2, 3), LongTensor([1, 2]). Each is a name for tensors of one dtype.

    FloatTensor(2, 3)              of that shape, with whatever the memory held
    FloatTensor([[1, 2], [3, 4]])  with these data
    isinstance(x, FloatTensor)     whether x is a tensor of that dtype
    x.type(FloatTensor)            x in that dtype

Source: torch.FloatTensor and its kin; today tensor(..., dtype=...), empty(...) and .to(...) say it better.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from tinyrnn.dtypes import TYPES, set_default_dtype
from tinyrnn.making import construct
from tinyrnn.tensor import Tensor

__all__ = [*TYPES, "set_default_tensor_type"]


class TensorType(type):
    """What FloatTensor and its kin are: types of which every tensor of their dtype is an instance."""

    dtype: np.dtype[Any]

    def __call__(cls, *args: Any, **options: Any) -> Tensor:
        return construct(Tensor, cls.__name__, args, cls.dtype, options)

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, Tensor) and instance.array.dtype == cls.dtype


def _type(name: str) -> TensorType:
    dtype = TYPES[name]
    words = f"Tensors of {dtype}: {name}(2, 3) of a shape, {name}([1, 2]) with these data. Source: torch.{name}."
    return TensorType(name, (), {"dtype": dtype, "__doc__": words, "__module__": "tinyrnn"})


HalfTensor, FloatTensor, DoubleTensor = _type("HalfTensor"), _type("FloatTensor"), _type("DoubleTensor")
ByteTensor, CharTensor, ShortTensor = _type("ByteTensor"), _type("CharTensor"), _type("ShortTensor")
IntTensor, LongTensor, BoolTensor = _type("IntTensor"), _type("LongTensor"), _type("BoolTensor")


def set_default_tensor_type(t: Any) -> None:
    """set_default_dtype by a type, FloatTensor or DoubleTensor, or its name; with torch's warning that it is old.

    Raises TypeError for what is no such type, or not of floating numbers.
    """
    name: str = t.rpartition(".")[2] if isinstance(t, str) else getattr(t, "__name__", "")
    if name not in TYPES:
        raise TypeError(f"set_default_tensor_type: got {t!r}, expected tinyrnn.FloatTensor or tinyrnn.DoubleTensor")
    warnings.warn(
        "set_default_tensor_type() is deprecated, as in torch: use set_default_dtype()", UserWarning, stacklevel=2
    )
    set_default_dtype(TYPES[name])
