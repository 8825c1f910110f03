"""In place: squeeze_, unsqueeze_, t_, transpose_. The tensor itself gets another shape, in the same memory.

No element changes, so this is not counted as a change in place: what was saved for a backward pass stays right. Other
views of the memory keep their shapes. Refused for a leaf that requires a gradient, unless under no_grad().
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tinyrnn.autograd.graph import UNTRACKED
from tinyrnn.autograd.modes import enable_grad, state
from tinyrnn.autograd.views import set_edge
from tinyrnn.ops import shaping
from tinyrnn.ops.operands import tensor_argument

if TYPE_CHECKING:
    from tinyrnn.tensor import Tensor


def _in_shape(op: Callable[..., Tensor]) -> Callable[..., Tensor]:
    name = op.__name__ + "_"

    def op_(input: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        tensor_argument(name, input)
        leaf = input.wants_grad and input.edge is None
        if leaf and state.grad:
            raise RuntimeError(
                f"{name}: a leaf that requires a gradient cannot be changed in place while operations are recorded: "
                f"use {op.__name__}, or make the change under no_grad()"
            )
        with enable_grad():  # a gradient has to find its way back to the shape that it was made in
            after = op(input, *args, **kwargs)
        if not leaf:
            set_edge(input, after.edge)
            if input.base is not None and input.node_version != UNTRACKED:
                input.node_version = after.node_version
        input.array = after.array
        return input

    op_.__name__ = op_.__qualname__ = name
    op_.__doc__ = f"{op.__name__}, in place: {op.__doc__}"
    return op_


squeeze_ = _in_shape(shaping.squeeze)
unsqueeze_ = _in_shape(shaping.unsqueeze)
t_ = _in_shape(shaping.t)
transpose_ = _in_shape(shaping.transpose)
swapaxes_ = _in_shape(shaping.swapaxes)
swapdims_ = transpose_
