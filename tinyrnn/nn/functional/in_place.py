"""Activations in place: the function itself, whose result is then written into the memory of its input."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinyrnn.autograd.views import check_in_place
from tinyrnn.ops.operands import tensor_argument
from tinyrnn.tensor import Tensor


def in_place(op: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """op_: as op, but input is changed, and returned. The derivative is that of op, taken at what input was before.

    op_ raises as op does and, before anything is changed, RuntimeError for a leaf that requires a gradient.
    """
    name = f"{op.__name__}_"

    def op_(input: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        tensor_argument(name, input)
        check_in_place(name, input)
        y = op(input.clone(), *args, **kwargs)  # a clone: what the pullback reads must not be what is written over
        return input.copy_(y)

    op_.__name__ = op_.__qualname__ = name
    op_.__doc__ = f"{op.__name__}, in place: {op.__doc__}"
    return op_
