"""Operations that change a tensor in place: x.add_(y), x += y, x.zero_() ...

Each is the operation without the underscore, whose result is then written into the memory of x: the derivative is
that operation's own, at the cost of two copies. Refused for a leaf that requires a gradient, unless under no_grad().
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from tinyrnn.autograd.graph import Array, Gradient, Node, Value, make
from tinyrnn.autograd.modes import state
from tinyrnn.autograd.record import sources_of
from tinyrnn.autograd.views import changed_in_place, check_in_place, source_of
from tinyrnn.dtypes import as_dtype, can_cast
from tinyrnn.ops import arithmetic, pointwise
from tinyrnn.ops.operands import check_broadcast, tensor_argument

if TYPE_CHECKING:
    from tinyrnn.tensor import Tensor


def _in_place(op: Callable[..., Tensor]) -> Callable[..., Tensor]:
    name = op.__name__ + "_"

    def op_(input: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        x = tensor_argument(name, input)
        check_in_place(name, input)
        before = input
        if state.grad:  # what the operation saves must not be what is written over
            before = make(input.result, x.copy())
            before.node = source_of(input)  # a node: check_in_place has refused a leaf
        after = op(before, *args, **kwargs)
        return _write(name, input, after.array, after.node)

    op_.__name__ = op_.__qualname__ = name
    op_.__doc__ = f"{op.__name__}, in place: {op.__doc__}"
    return op_


def _write(name: str, input: Tensor, y: Array, made_by: Node | None) -> Tensor:
    """x = y in the memory of x, where `made_by` is the node that made y, if any."""
    x = input.array
    if y.shape != x.shape:
        raise ValueError(
            f"{name}: the result has shape {y.shape}, which does not fit in place into {x.shape}: use the operation "
            "without the underscore, whose result is a new tensor"
        )
    if not can_cast(y.dtype, x.dtype):
        raise TypeError(
            f"{name}: the result is {y.dtype}, which does not fit in place into a tensor of {x.dtype}: use the "
            "operation without the underscore, whose result is a new tensor"
        )
    check_in_place(name, input, made_by)
    x[...] = y
    changed_in_place(input, made_by)
    return input


add_ = _in_place(arithmetic.add)
sub_ = _in_place(arithmetic.sub)
mul_ = _in_place(arithmetic.mul)
div_ = _in_place(arithmetic.div)
pow_ = _in_place(arithmetic.pow)
neg_ = _in_place(arithmetic.neg)
clamp_ = _in_place(pointwise.clamp)


def copy_(input: Tensor, src: Any) -> Tensor:
    """x = y in place, cast to the dtype of x,  dy = g.  y broadcasts to x; what x was before gets no gradient."""
    return _overwrite("copy_", input, src)


def fill_(input: Tensor, value: Any) -> Tensor:
    """x = a number, or a 0-d tensor, in place,  dvalue = the sum of g."""
    if np.ndim(value.array if isinstance(value, Value) else value):
        raise ValueError("fill_: the value has axes, expected a number or a 0-d tensor: use copy_ for several numbers")
    return _overwrite("fill_", input, value)


def zero_(input: Tensor) -> Tensor:
    """x = 0 in place."""
    return _overwrite("zero_", input, 0)


def _overwrite(name: str, input: Tensor, src: Any) -> Tensor:
    x = tensor_argument(name, input)
    given: Any = src if isinstance(src, Value) else make(input.result, np.asarray(src))
    y = given.array
    as_dtype(name, y.dtype)
    check_broadcast(name, y.shape, x.shape)
    if np.broadcast_shapes(y.shape, x.shape) != x.shape:
        raise ValueError(
            f"{name}: the source has shape {y.shape}, which does not fit in place into {x.shape}: expected it to "
            "broadcast to that"
        )
    sources = sources_of((input, given)) if state.grad and x.dtype.kind == "f" else None

    def pullback(g: Array) -> tuple[Gradient, Gradient]:
        return np.zeros_like(g), g

    node = None if sources is None else Node(name, sources, pullback, x.shape, x.dtype)
    return _write(name, input, np.broadcast_to(y.astype(x.dtype, copy=False), x.shape), node)
