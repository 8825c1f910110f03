"""Operations that change a tensor in place: x.add_(y), x += y, x.zero_() ...

Each is the operation without the underscore, whose result is then written into the memory of x: the derivative is
that operation's own, at the cost of two copies. Refused for a leaf that requires a gradient, unless under no_grad();
for a result of another shape; for a dtype that x cannot hold.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from tinyrnn.autograd.graph import Array, Edge, Gradient, Node, Value, make
from tinyrnn.autograd.modes import state
from tinyrnn.autograd.record import edges_of
from tinyrnn.autograd.views import changed_in_place, check_in_place, edge_of
from tinyrnn.dtypes import as_dtype, can_cast
from tinyrnn.ops import (
    arithmetic,
    bounds,
    compare,
    cumulative,
    diagonals,
    linalg,
    logic,
    pointwise,
    rounding,
    scattering,
    trigonometry,
)
from tinyrnn.ops.indexing import setitem
from tinyrnn.ops.operands import check_broadcast, tensor_argument

if TYPE_CHECKING:
    from tinyrnn.tensor import Tensor


def in_place(op: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """op_: as op, but its input is changed, and returned. The derivative is that of op, at what the input was before.

    op_ raises as op does and, before anything is changed, RuntimeError for a leaf that requires a gradient.
    """
    name = op.__name__ + "_"

    def op_(input: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        x = tensor_argument(name, input)
        check_in_place(name, input)
        before = input
        if state.grad:  # what the operation saves must not be what is written over
            before = make(input.result, x.copy())
            before.edge = edge_of(input)  # a node's: check_in_place has refused a leaf
        after = op(before, *args, **kwargs)
        return _write(name, input, after.array, after.edge)

    op_.__name__ = op_.__qualname__ = name
    op_.__doc__ = f"{op.__name__}, in place: {op.__doc__}"
    return op_


def _write(name: str, input: Tensor, y: Array, edge: Edge | None) -> Tensor:
    """x = y in the memory of x, where `edge` is that of y, if it needs a gradient."""
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
    check_in_place(name, input, edge)
    if edge is not None and isinstance(edge[0], Node):
        edge[0].dtype = x.dtype  # y may be wider, but the result is x
    x[...] = y
    changed_in_place(input, edge)
    return input


add_ = in_place(arithmetic.add)
sub_ = in_place(arithmetic.sub)
mul_ = in_place(arithmetic.mul)
div_ = in_place(arithmetic.div)
pow_ = in_place(arithmetic.pow)
float_power_ = in_place(arithmetic.float_power)
neg_ = in_place(arithmetic.neg)
square_ = in_place(arithmetic.square)
addcmul_ = in_place(arithmetic.addcmul)
addcdiv_ = in_place(arithmetic.addcdiv)
lerp_ = in_place(arithmetic.lerp)

floor_ = in_place(rounding.floor)
ceil_ = in_place(rounding.ceil)
trunc_ = in_place(rounding.trunc)
round_ = in_place(rounding.round)
frac_ = in_place(rounding.frac)
floor_divide_ = in_place(rounding.floor_divide)
remainder_ = in_place(rounding.remainder)
fmod_ = in_place(rounding.fmod)

exp_ = in_place(pointwise.exp)
exp2_ = in_place(pointwise.exp2)
expm1_ = in_place(pointwise.expm1)
log_ = in_place(pointwise.log)
log1p_ = in_place(pointwise.log1p)
log2_ = in_place(pointwise.log2)
log10_ = in_place(pointwise.log10)
sqrt_ = in_place(pointwise.sqrt)
rsqrt_ = in_place(pointwise.rsqrt)
reciprocal_ = in_place(pointwise.reciprocal)
tanh_ = in_place(pointwise.tanh)
sigmoid_ = in_place(pointwise.sigmoid)
logit_ = in_place(pointwise.logit)
erf_ = in_place(pointwise.erf)
relu_ = in_place(pointwise.relu)
abs_ = in_place(pointwise.abs)
sign_ = in_place(pointwise.sign)
sgn_ = in_place(pointwise.sgn)
nan_to_num_ = in_place(pointwise.nan_to_num)

sin_ = in_place(trigonometry.sin)
cos_ = in_place(trigonometry.cos)
tan_ = in_place(trigonometry.tan)
asin_ = in_place(trigonometry.asin)
acos_ = in_place(trigonometry.acos)
atan_ = in_place(trigonometry.atan)
atan2_ = in_place(trigonometry.atan2)
sinh_ = in_place(trigonometry.sinh)
cosh_ = in_place(trigonometry.cosh)
asinh_ = in_place(trigonometry.asinh)
acosh_ = in_place(trigonometry.acosh)
atanh_ = in_place(trigonometry.atanh)
hypot_ = in_place(trigonometry.hypot)
deg2rad_ = in_place(trigonometry.deg2rad)
rad2deg_ = in_place(trigonometry.rad2deg)

clamp_ = in_place(bounds.clamp)
clamp_min_ = in_place(bounds.clamp_min)
clamp_max_ = in_place(bounds.clamp_max)

cumsum_ = in_place(cumulative.cumsum)
cumprod_ = in_place(cumulative.cumprod)

logical_and_ = in_place(logic.logical_and)
logical_or_ = in_place(logic.logical_or)
logical_xor_ = in_place(logic.logical_xor)
logical_not_ = in_place(logic.logical_not)
bitwise_and_ = in_place(logic.bitwise_and)
bitwise_or_ = in_place(logic.bitwise_or)
bitwise_xor_ = in_place(logic.bitwise_xor)
bitwise_not_ = in_place(logic.bitwise_not)
bitwise_left_shift_ = in_place(logic.bitwise_left_shift)
bitwise_right_shift_ = in_place(logic.bitwise_right_shift)

eq_ = in_place(compare.eq)
ne_ = in_place(compare.ne)
lt_ = in_place(compare.lt)
le_ = in_place(compare.le)
gt_ = in_place(compare.gt)
ge_ = in_place(compare.ge)

scatter_ = in_place(scattering.scatter)
scatter_add_ = in_place(scattering.scatter_add)
index_add_ = in_place(scattering.index_add)
index_copy_ = in_place(scattering.index_copy)
index_fill_ = in_place(scattering.index_fill)
masked_fill_ = in_place(scattering.masked_fill)

tril_ = in_place(diagonals.tril)
triu_ = in_place(diagonals.triu)

addmm_ = in_place(linalg.addmm)
addmv_ = in_place(linalg.addmv)
addr_ = in_place(linalg.addr)
addbmm_ = in_place(linalg.addbmm)
baddbmm_ = in_place(linalg.baddbmm)

# torch's other names
subtract_, multiply_, negative_ = sub_, mul_, neg_
divide_ = true_divide_ = div_
absolute_, clip_, fix_ = abs_, clamp_, trunc_
arcsin_, arccos_, arctan_, arctan2_ = asin_, acos_, atan_, atan2_
arcsinh_, arccosh_, arctanh_ = asinh_, acosh_, atanh_
less_, less_equal_, greater_, greater_equal_, not_equal_ = lt_, le_, gt_, ge_, ne_


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


def fill_diagonal_(input: Tensor, fill_value: float, wrap: bool = False) -> Tensor:
    """x[i, i, ...] = a number, in place; wrap begins anew, one row further, below the end of a tall matrix.

    Raises ValueError for a tensor of fewer than 2 axes, or of more that are not of one size.
    """
    shape = tensor_argument("fill_diagonal_", input).shape
    if len(shape) < 2 or (len(shape) > 2 and len(set(shape)) > 1):
        raise ValueError(f"fill_diagonal_: got shape {shape}, expected a matrix, or more axes, all of one size")
    rows = np.arange(shape[0] if wrap and len(shape) == 2 else min(shape))
    columns = rows % (shape[1] + 1)
    there = columns < shape[1]
    setitem(input, (rows[there], *[columns[there]] * (len(shape) - 1)), fill_value)
    return input


def _overwrite(name: str, input: Tensor, src: Any) -> Tensor:
    x = tensor_argument(name, input)
    if type(src) is int and src == 0 and edge_of(input) is None:  # g.zero_(), say: there is nothing to record
        check_in_place(name, input)
        x.fill(0)
        changed_in_place(input, None)
        return input
    given: Any = src if isinstance(src, Value) else make(input.result, np.asarray(src))
    y = given.array
    as_dtype(name, y.dtype)
    check_broadcast(name, y.shape, x.shape)
    if np.broadcast_shapes(y.shape, x.shape) != x.shape:
        raise ValueError(
            f"{name}: the source has shape {y.shape}, which does not fit in place into {x.shape}: expected it to "
            "broadcast to that"
        )
    edges = edges_of(name, (input, given)) if state.grad and x.dtype.kind == "f" else None

    def pullback(g: Array) -> tuple[Gradient, Gradient]:
        return np.zeros_like(g), g

    edge = None if edges is None else (Node(name, edges, pullback, x.shape, x.dtype), 0)
    return _write(name, input, np.broadcast_to(y.astype(x.dtype, copy=False), x.shape), edge)
