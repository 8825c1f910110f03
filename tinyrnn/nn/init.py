"""Filling tensors with their first numbers: in place, unrecorded. Each function returns its tensor.

After manual_seed(n), uniform_ draws the numbers that torch's draws after its own, so two models made alike start alike.
Raises TypeError for what is not a floating tensor, ValueError for bounds that are none. Source: torch.nn.init.
"""

from __future__ import annotations

from typing import TypeVar

from tinyrnn.autograd.modes import no_grad
from tinyrnn.random import default_generator
from tinyrnn.tensor import Tensor

T = TypeVar("T", bound=Tensor)


def uniform_(tensor: T, a: float = 0.0, b: float = 1.0) -> T:
    """x ~ U(a, b), each element by itself."""
    _check("uniform_", tensor)
    with no_grad():
        tensor.copy_(default_generator.uniform(tensor.shape, a, b, tensor.dtype))
    return tensor


def normal_(tensor: T, mean: float = 0.0, std: float = 1.0) -> T:
    """x ~ N(mean, std^2), each element by itself."""
    _check("normal_", tensor)
    with no_grad():
        tensor.copy_(default_generator.normal(tensor.shape, mean, std, tensor.dtype))
    return tensor


def constant_(tensor: T, val: float) -> T:
    """x = val."""
    _check("constant_", tensor)
    with no_grad():
        tensor.fill_(val)
    return tensor


def zeros_(tensor: T) -> T:
    """x = 0."""
    return constant_(tensor, 0.0)


def ones_(tensor: T) -> T:
    """x = 1."""
    return constant_(tensor, 1.0)


def _check(name: str, tensor: Tensor) -> None:
    if not isinstance(tensor, Tensor):
        raise TypeError(f"init.{name}: got {type(tensor).__name__}, expected a tensor")
    if not tensor.is_floating_point():
        raise TypeError(f"init.{name}: the tensor is {tensor.dtype}, expected a floating dtype")
