"""Recurrent networks and back-propagation through time in NumPy that you can read, under torch's names."""

from typing import TYPE_CHECKING, Any

from tinyrnn import autograd, creation, nn, ops, optim
from tinyrnn.autograd import enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from tinyrnn.creation import *
from tinyrnn.dtypes import (
    boolean,
    float16,
    float32,
    float64,
    get_default_dtype,
    int8,
    int16,
    int32,
    int64,
    set_default_dtype,
    uint8,
)
from tinyrnn.ops import *
from tinyrnn.random import Generator, get_rng_state, initial_seed, manual_seed, seed, set_rng_state
from tinyrnn.tensor import Tensor

__version__ = "0.1.0"

float, double, half, long = float32, float64, float16, int64  # torch's other names
int, bool = int32, boolean

if not TYPE_CHECKING:  # a type checker would take every name for granted

    def __dir__() -> list[str]:
        return __all__

    def __getattr__(name: str) -> Any:
        raise AttributeError(
            f"tinyrnn has no {name!r}: this is not (yet) the whole of torch. What is here: dir(tinyrnn)"
        )


__all__ = [
    "Generator",
    "Tensor",
    "autograd",
    "bool",
    "double",
    "enable_grad",
    "float",
    "float16",
    "float32",
    "float64",
    "get_default_dtype",
    "get_rng_state",
    "half",
    "initial_seed",
    "int",
    "int8",
    "int16",
    "int32",
    "int64",
    "is_grad_enabled",
    "long",
    "manual_seed",
    "nn",
    "no_grad",
    "optim",
    "seed",
    "set_default_dtype",
    "set_grad_enabled",
    "set_rng_state",
    "uint8",
]
__all__ += creation.__all__
__all__ += ops.__all__
