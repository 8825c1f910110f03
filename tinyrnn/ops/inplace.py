"""Operations that change a tensor in place: x.add_(y), x += y, x.zero_() ...

Each is the operation without the underscore, whose result is then written into the memory of x: the derivative is
that operation's own, at the cost of two copies. Refused for a leaf that requires a gradient, unless under no_grad();
for a result of another shape; for a dtype that x cannot hold.
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
from tinyrnn.ops import arithmetic, bounds, compare, cumulative, logic, pointwise, rounding, trigonometry
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
float_power_ = _in_place(arithmetic.float_power)
neg_ = _in_place(arithmetic.neg)
square_ = _in_place(arithmetic.square)
addcmul_ = _in_place(arithmetic.addcmul)
addcdiv_ = _in_place(arithmetic.addcdiv)
lerp_ = _in_place(arithmetic.lerp)

floor_ = _in_place(rounding.floor)
ceil_ = _in_place(rounding.ceil)
trunc_ = _in_place(rounding.trunc)
round_ = _in_place(rounding.round)
frac_ = _in_place(rounding.frac)
floor_divide_ = _in_place(rounding.floor_divide)
remainder_ = _in_place(rounding.remainder)
fmod_ = _in_place(rounding.fmod)

exp_ = _in_place(pointwise.exp)
exp2_ = _in_place(pointwise.exp2)
expm1_ = _in_place(pointwise.expm1)
log_ = _in_place(pointwise.log)
log1p_ = _in_place(pointwise.log1p)
log2_ = _in_place(pointwise.log2)
log10_ = _in_place(pointwise.log10)
sqrt_ = _in_place(pointwise.sqrt)
rsqrt_ = _in_place(pointwise.rsqrt)
reciprocal_ = _in_place(pointwise.reciprocal)
tanh_ = _in_place(pointwise.tanh)
sigmoid_ = _in_place(pointwise.sigmoid)
logit_ = _in_place(pointwise.logit)
erf_ = _in_place(pointwise.erf)
relu_ = _in_place(pointwise.relu)
abs_ = _in_place(pointwise.abs)
sign_ = _in_place(pointwise.sign)
sgn_ = _in_place(pointwise.sgn)
nan_to_num_ = _in_place(pointwise.nan_to_num)

sin_ = _in_place(trigonometry.sin)
cos_ = _in_place(trigonometry.cos)
tan_ = _in_place(trigonometry.tan)
asin_ = _in_place(trigonometry.asin)
acos_ = _in_place(trigonometry.acos)
atan_ = _in_place(trigonometry.atan)
atan2_ = _in_place(trigonometry.atan2)
sinh_ = _in_place(trigonometry.sinh)
cosh_ = _in_place(trigonometry.cosh)
asinh_ = _in_place(trigonometry.asinh)
acosh_ = _in_place(trigonometry.acosh)
atanh_ = _in_place(trigonometry.atanh)
hypot_ = _in_place(trigonometry.hypot)
deg2rad_ = _in_place(trigonometry.deg2rad)
rad2deg_ = _in_place(trigonometry.rad2deg)

clamp_ = _in_place(bounds.clamp)
clamp_min_ = _in_place(bounds.clamp_min)
clamp_max_ = _in_place(bounds.clamp_max)

cumsum_ = _in_place(cumulative.cumsum)
cumprod_ = _in_place(cumulative.cumprod)

logical_and_ = _in_place(logic.logical_and)
logical_or_ = _in_place(logic.logical_or)
logical_xor_ = _in_place(logic.logical_xor)
logical_not_ = _in_place(logic.logical_not)
bitwise_and_ = _in_place(logic.bitwise_and)
bitwise_or_ = _in_place(logic.bitwise_or)
bitwise_xor_ = _in_place(logic.bitwise_xor)
bitwise_not_ = _in_place(logic.bitwise_not)
bitwise_left_shift_ = _in_place(logic.bitwise_left_shift)
bitwise_right_shift_ = _in_place(logic.bitwise_right_shift)

eq_ = _in_place(compare.eq)
ne_ = _in_place(compare.ne)
lt_ = _in_place(compare.lt)
le_ = _in_place(compare.le)
gt_ = _in_place(compare.gt)
ge_ = _in_place(compare.ge)

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


def _overwrite(name: str, input: Tensor, src: Any) -> Tensor:
    x = tensor_argument(name, input)
    if type(src) is int and src == 0 and source_of(input) is None:  # g.zero_(), say: there is nothing to record
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
    sources = sources_of((input, given)) if state.grad and x.dtype.kind == "f" else None

    def pullback(g: Array) -> tuple[Gradient, Gradient]:
        return np.zeros_like(g), g

    node = None if sources is None else Node(name, sources, pullback, x.shape, x.dtype)
    return _write(name, input, np.broadcast_to(y.astype(x.dtype, copy=False), x.shape), node)
