"""Variable, which old programs wrap around a tensor: every tensor is one."""

from __future__ import annotations

import warnings
from typing import Any

from tinyrnn.autograd.graph import Value, make
from tinyrnn.autograd.views import version_of


class _AnyTensor(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, Value)


class Variable(metaclass=_AnyTensor):
    """Variable(data, requires_grad=False): a leaf that shares the memory of `data`, a tensor, and its count of changes.

    volatile has no effect but torch's warning: no_grad() does what it did. Raises TypeError for what is no tensor,
    RuntimeError for whole numbers that shall require a gradient. Source: torch.autograd.Variable.

    >>> import tinyrnn
    >>> Variable(tinyrnn.ones(2), requires_grad=True)
    tensor([1., 1.], requires_grad=True)
    """

    def __new__(cls, data: Any, requires_grad: bool = False, volatile: bool = False) -> Any:
        if not isinstance(data, Value):
            raise TypeError(f"Variable: the data are {type(data).__name__}, expected a tensor: use tinyrnn.tensor(...)")
        if requires_grad and data.array.dtype.kind != "f":
            raise RuntimeError(f"Variable: a tensor of {data.array.dtype} carries no gradient: .float() it")
        if volatile:
            warnings.warn(
                "volatile was removed and now has no effect. Use `with tinyrnn.no_grad():` instead.",
                UserWarning,
                stacklevel=2,
            )
        version = version_of(data)
        value = make(Value.result, data.array)
        value.version, value.wants_grad = version, bool(requires_grad)
        return value
