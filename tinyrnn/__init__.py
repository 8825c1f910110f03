"""Recurrent networks and back-propagation through time in NumPy that you can read, under torch's names."""

from math import e, inf, nan, pi
from typing import TYPE_CHECKING, Any

from tinyrnn import (
    accelerator,
    autograd,
    backends,
    creation,
    cuda,
    devices,
    dtypes,
    legacy,
    nn,
    ops,
    optim,
    random,
    sampling,
)
from tinyrnn.absent import on_demand
from tinyrnn.autograd import enable_grad, inference_mode, is_grad_enabled, no_grad, set_grad_enabled
from tinyrnn.creation import *
from tinyrnn.devices import *
from tinyrnn.dtypes import *
from tinyrnn.dtypes import boolean
from tinyrnn.formatting import set_printoptions
from tinyrnn.legacy import *
from tinyrnn.ops import *
from tinyrnn.random import initial_seed, manual_seed, seed
from tinyrnn.sampling import *
from tinyrnn.size import Size
from tinyrnn.tensor import Tensor, is_tensor

__version__ = "0.1.0"

float, double, half, long, short = float32, float64, float16, int64, int16  # torch's other names
int, bool = int32, boolean
newaxis = None

if TYPE_CHECKING:
    from tinyrnn import bptt, serialization, utils
    from tinyrnn.serialization import load, save
else:  # a type checker would take every name for granted
    _ON_DEMAND = {room: f"tinyrnn.{room}" for room in ("bptt", "serialization", "utils")}
    _ON_DEMAND |= {"load": "tinyrnn.serialization", "save": "tinyrnn.serialization"}

    def __dir__() -> list[str]:
        return __all__

    def __getattr__(name: str) -> Any:
        return on_demand(__name__, name, _ON_DEMAND)


__all__ = [
    "Size",
    "Tensor",
    "accelerator",
    "autograd",
    "backends",
    "bool",
    "bptt",
    "cuda",
    "double",
    "e",
    "enable_grad",
    "float",
    "half",
    "inf",
    "inference_mode",
    "initial_seed",
    "int",
    "is_grad_enabled",
    "is_tensor",
    "load",
    "long",
    "manual_seed",
    "nan",
    "nn",
    "no_grad",
    "optim",
    "pi",
    "random",
    "save",
    "seed",
    "serialization",
    "set_grad_enabled",
    "set_printoptions",
    "short",
    "utils",
]
__all__ += creation.__all__
__all__ += devices.__all__
__all__ += dtypes.__all__
__all__ += legacy.__all__
__all__ += ops.__all__
__all__ += sampling.__all__
