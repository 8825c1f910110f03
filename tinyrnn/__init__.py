"""Recurrent networks and back-propagation through time in NumPy that you can read, under torch's names."""

from typing import TYPE_CHECKING, Any

from tinyrnn import autograd, nn, optim
from tinyrnn.autograd import enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from tinyrnn.creation import (
    arange,
    as_tensor,
    empty,
    from_numpy,
    full,
    linspace,
    ones,
    ones_like,
    rand,
    randint,
    randn,
    randperm,
    tensor,
    zeros,
    zeros_like,
)
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
from tinyrnn.ops.arithmetic import add, div, maximum, minimum, mul, neg, pow, square, sub
from tinyrnn.ops.compare import allclose, eq, ge, gt, le, lt, ne, where
from tinyrnn.ops.linalg import matmul
from tinyrnn.ops.pointwise import abs, clamp, clone, cos, exp, log, relu, sigmoid, sin, sqrt, tanh
from tinyrnn.ops.reduction import mean, sum
from tinyrnn.ops.shaping import (
    cat,
    chunk,
    flatten,
    permute,
    reshape,
    split,
    squeeze,
    stack,
    t,
    transpose,
    unbind,
    unsqueeze,
)
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
    "abs",
    "add",
    "allclose",
    "arange",
    "as_tensor",
    "autograd",
    "bool",
    "cat",
    "chunk",
    "clamp",
    "clone",
    "cos",
    "div",
    "double",
    "empty",
    "enable_grad",
    "eq",
    "exp",
    "flatten",
    "float",
    "float16",
    "float32",
    "float64",
    "from_numpy",
    "full",
    "ge",
    "get_default_dtype",
    "get_rng_state",
    "gt",
    "half",
    "initial_seed",
    "int",
    "int8",
    "int16",
    "int32",
    "int64",
    "is_grad_enabled",
    "le",
    "linspace",
    "log",
    "long",
    "lt",
    "manual_seed",
    "matmul",
    "maximum",
    "mean",
    "minimum",
    "mul",
    "ne",
    "neg",
    "nn",
    "no_grad",
    "ones",
    "ones_like",
    "optim",
    "permute",
    "pow",
    "rand",
    "randint",
    "randn",
    "randperm",
    "relu",
    "reshape",
    "seed",
    "set_default_dtype",
    "set_grad_enabled",
    "set_rng_state",
    "sigmoid",
    "sin",
    "split",
    "sqrt",
    "square",
    "squeeze",
    "stack",
    "sub",
    "sum",
    "t",
    "tanh",
    "tensor",
    "transpose",
    "uint8",
    "unbind",
    "unsqueeze",
    "where",
    "zeros",
    "zeros_like",
]
