"""What a tensor says of itself: how large it is, of what kind, and where it lies in memory. No gradient is involved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinyrnn.ops.operands import existing_axis, tensor_argument
from tinyrnn.size import Size

if TYPE_CHECKING:
    from tinyrnn.tensor import Tensor

__all__ = ["is_complex", "is_floating_point", "is_nonzero", "is_same_size", "numel"]


def numel(input: Tensor) -> int:
    """The number of elements."""
    return tensor_argument("numel", input).size


def is_floating_point(input: Tensor) -> bool:
    """Whether the elements are float16, float32 or float64."""
    return tensor_argument("is_floating_point", input).dtype.kind == "f"


def is_complex(input: Tensor) -> bool:
    """Whether the elements are complex numbers."""
    return tensor_argument("is_complex", input).dtype.kind == "c"


def is_nonzero(input: Tensor) -> bool:
    """Whether the one element is not 0. Raises ValueError if there are more, or none."""
    x = tensor_argument("is_nonzero", input)
    if x.size != 1:
        raise ValueError(f"is_nonzero: a tensor of shape {x.shape} has {x.size} elements, expected one")
    return bool(x.item())


def is_same_size(input: Tensor, other: Tensor) -> bool:
    """Whether two tensors have one shape."""
    return tensor_argument("is_same_size", input).shape == tensor_argument("is_same_size", other).shape


def dim(input: Tensor) -> int:
    """The number of axes."""
    return tensor_argument("dim", input).ndim


def size(input: Tensor, dim: int | None = None) -> Any:
    """The shape, or the size of one axis. Raises IndexError for an axis that is not there."""
    x = tensor_argument("size", input)
    return Size(x.shape) if dim is None else x.shape[existing_axis("size", dim, x.ndim)]


def stride(input: Tensor, dim: int | None = None) -> Any:
    """For each axis, or for one, how many elements further the next one lies in memory."""
    x = tensor_argument("stride", input)
    steps = tuple([step // x.itemsize for step in x.strides])
    return steps if dim is None else steps[existing_axis("stride", dim, x.ndim)]


def element_size(input: Tensor) -> int:
    """The number of bytes of one element."""
    return tensor_argument("element_size", input).itemsize


def data_ptr(input: Tensor) -> int:
    """The address of the first element."""
    return int(tensor_argument("data_ptr", input).__array_interface__["data"][0])


def get_device(input: Tensor) -> int:
    """-1, which is the CPU's number."""
    tensor_argument("get_device", input)
    return -1


nelement, ndimension = numel, dim  # torch's other names
