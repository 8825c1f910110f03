"""Parameter: a tensor that a module learns."""

from __future__ import annotations

from typing import Any, Self

from tinyrnn.autograd.graph import make
from tinyrnn.autograd.views import version_of
from tinyrnn.creation import as_tensor
from tinyrnn.tensor import Tensor


class Parameter(Tensor):
    """A leaf that requires a gradient and that a module, of which it is an attribute, counts among its parameters.

    data           a tensor, whose memory and count of changes it shares, or what as_tensor takes
    requires_grad  False for a parameter that is not to be learned
    Raises RuntimeError for whole numbers, which carry no gradient. Source: torch.nn.Parameter.

    >>> import tinyrnn
    >>> Parameter(tinyrnn.zeros(2))
    Parameter containing:
    tensor([0., 0.], requires_grad=True)
    """

    def __new__(cls, data: Any = (), requires_grad: bool = True) -> Self:
        tensor = as_tensor(data)
        parameter = make(cls, tensor.array)
        parameter.version = version_of(tensor)
        if requires_grad:
            parameter.requires_grad = True
        return parameter

    def __repr__(self) -> str:
        return "Parameter containing:\n" + super().__repr__()
