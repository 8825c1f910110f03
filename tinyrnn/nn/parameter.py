"""Parameter: a tensor that a module learns."""

from __future__ import annotations

from typing import Any, Self

from tinyrnn.autograd.graph import make
from tinyrnn.creation import as_tensor
from tinyrnn.tensor import Tensor


class Parameter(Tensor):
    """A leaf that requires a gradient and that a module, of which it is an attribute, counts among its parameters.

    data           a tensor, whose memory it shares, or what as_tensor takes
    requires_grad  False for a parameter that is not to be learned
    Raises RuntimeError for whole numbers, which carry no gradient. Source: torch.nn.Parameter.

    >>> import tinyrnn
    >>> Parameter(tinyrnn.zeros(2))
    Parameter containing:
    tensor([0., 0.], requires_grad=True)
    """

    def __new__(cls, data: Any = (), requires_grad: bool = True) -> Self:
        parameter = make(cls, as_tensor(data).array)
        if requires_grad:
            parameter.requires_grad = True
        return parameter

    def __repr__(self) -> str:
        return "Parameter containing:\n" + super().__repr__()
