"""The same numbers in another dtype: x.float(), x.to(...), x.type(...); and where they are, which is on the CPU.

In all of them a tensor that has the dtype already is returned itself. The gradient of a cast is in pointwise.cast.
"""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Any

from tinyrnn.autograd.graph import Value
from tinyrnn.devices import check_device
from tinyrnn.dtypes import (
    TYPES,
    as_dtype,
    boolean,
    float16,
    float32,
    float64,
    get_default_dtype,
    int8,
    int16,
    int32,
    int64,
    uint8,
)
from tinyrnn.ops import pointwise
from tinyrnn.ops.operands import tensor_argument, to_arguments

if TYPE_CHECKING:
    from tinyrnn.tensor import Tensor

__all__: list[str] = []  # methods only: tinyrnn.float is a dtype


def half(input: Tensor) -> Tensor:
    """As float16."""
    return pointwise.cast(input, float16)


def float(input: Tensor) -> Tensor:
    """As float32."""
    return pointwise.cast(input, float32)


def double(input: Tensor) -> Tensor:
    """As float64."""
    return pointwise.cast(input, float64)


def byte(input: Tensor) -> Tensor:
    """As uint8. Like all casts to whole numbers it cuts fractions off."""
    return pointwise.cast(input, uint8)


def char(input: Tensor) -> Tensor:
    """As int8."""
    return pointwise.cast(input, int8)


def short(input: Tensor) -> Tensor:
    """As int16."""
    return pointwise.cast(input, int16)


def int(input: Tensor) -> Tensor:
    """As int32."""
    return pointwise.cast(input, int32)


def long(input: Tensor) -> Tensor:
    """As int64."""
    return pointwise.cast(input, int64)


def bool(input: Tensor) -> Tensor:
    """As bool: whether each element is not 0."""
    return pointwise.cast(input, boolean)


def to(
    input: Tensor,
    *args: Any,
    dtype: Any = None,
    device: Any = None,
    non_blocking: builtins.bool = False,
    copy: builtins.bool = False,
    memory_format: Any = None,
) -> Tensor:
    """In a dtype, or that of another tensor; on a device, which is the CPU. With copy=True a new tensor in any case.

    x.to(dtype), x.to(device), x.to(device, dtype), x.to(other), each also with non_blocking and copy after it.
    Raises TypeError for no dtype, ValueError for another device.
    """
    wanted = to_arguments(args, dtype, device)
    flags = [argument for argument in args if isinstance(argument, builtins.bool)]
    result = input if wanted is None else pointwise.cast(input, wanted)
    return pointwise.clone(result) if result is input and (copy or flags[1:] == [True]) else result


def type(input: Tensor, dtype: Any = None, non_blocking: builtins.bool = False) -> Any:
    """In a dtype, given also as a type of old or its name: FloatTensor, "torch.FloatTensor". Without one: that name.

    The name begins with "torch." and not with ours, as it is what programs compare it with.

    >>> import tinyrnn
    >>> tinyrnn.ones(2).type(), tinyrnn.ones(2).type("torch.LongTensor")
    ('torch.FloatTensor', tensor([1, 1]))
    """
    x = tensor_argument("type", input)
    if dtype is None:
        names = [name for name, of in TYPES.items() if of == x.dtype]
        return f"torch.{names[0]}" if names else str(x.dtype)
    if isinstance(dtype, str):
        if dtype.rpartition(".")[2] not in TYPES:
            raise ValueError(f"type: got {dtype!r}, expected the name of a type, such as 'torch.FloatTensor'")
        dtype = TYPES[dtype.rpartition(".")[2]]
    elif isinstance(dtype, builtins.type) and dtype.__name__ in TYPES:
        dtype = TYPES[dtype.__name__]
    elif isinstance(dtype, builtins.type) and issubclass(dtype, Value):  # Tensor itself
        dtype = get_default_dtype()
    return pointwise.cast(input, as_dtype("type", dtype))


def type_as(input: Tensor, other: Tensor) -> Tensor:
    """In the dtype of `other`."""
    return pointwise.cast(input, tensor_argument("type_as", other).dtype)


def cpu(input: Tensor, memory_format: Any = None) -> Tensor:
    """The tensor itself."""
    tensor_argument("cpu", input)
    return input


def cuda(input: Tensor, device: Any = None, non_blocking: builtins.bool = False, memory_format: Any = None) -> Tensor:
    """Raises ValueError: there is no such device."""
    check_device("cuda", "cuda" if device is None else f"cuda:{device}" if isinstance(device, builtins.int) else device)
    return input
