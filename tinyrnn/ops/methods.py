"""The operations as methods and operators of a tensor: a table by topic, each line from one of the files of ops/.

A function there, f(input, ...), is here the method input.f(...): both are one definition.
"""

from __future__ import annotations

from tinyrnn.autograd.graph import Value
from tinyrnn.ops import (
    arithmetic,
    arranging,
    bounds,
    casts,
    compare,
    cumulative,
    diagonals,
    draws,
    exponentials,
    extrema,
    gathering,
    indexing,
    inplace,
    inplace_shape,
    joining,
    linalg,
    logic,
    new,
    parts,
    pointwise,
    queries,
    reduction,
    repeating,
    rounding,
    scattering,
    shaping,
    sorting,
    statistics,
    trigonometry,
)


class Methods(Value):
    """What Tensor is made of, next to what it does itself."""

    add, sub, mul, div, pow = arithmetic.add, arithmetic.sub, arithmetic.mul, arithmetic.div, arithmetic.pow
    float_power, neg, square = arithmetic.float_power, arithmetic.neg, arithmetic.square
    subtract, multiply, divide = arithmetic.subtract, arithmetic.multiply, arithmetic.divide
    true_divide, negative = arithmetic.true_divide, arithmetic.negative
    addcmul, addcdiv, lerp = arithmetic.addcmul, arithmetic.addcdiv, arithmetic.lerp
    logaddexp = arithmetic.logaddexp
    __add__ = __radd__ = arithmetic.add
    __mul__ = __rmul__ = arithmetic.mul
    __sub__, __rsub__ = arithmetic.sub, arithmetic.rsub
    __truediv__, __rtruediv__ = arithmetic.div, arithmetic.rdiv
    __pow__, __rpow__ = arithmetic.pow, arithmetic.rpow
    __neg__ = arithmetic.neg

    floor, ceil, trunc, fix = rounding.floor, rounding.ceil, rounding.trunc, rounding.fix
    round, frac = rounding.round, rounding.frac
    floor_divide, remainder, fmod = rounding.floor_divide, rounding.remainder, rounding.fmod
    __floordiv__, __rfloordiv__ = rounding.floor_divide, rounding.rfloor_divide
    __mod__, __rmod__ = rounding.remainder, rounding.rremainder

    maximum, minimum, fmax, fmin = bounds.maximum, bounds.minimum, bounds.fmax, bounds.fmin
    clamp, clip, clamp_min, clamp_max = bounds.clamp, bounds.clip, bounds.clamp_min, bounds.clamp_max

    exp, exp2, expm1, log = pointwise.exp, pointwise.exp2, pointwise.expm1, pointwise.log
    log1p, log2, log10, sqrt = pointwise.log1p, pointwise.log2, pointwise.log10, pointwise.sqrt
    rsqrt, reciprocal = pointwise.rsqrt, pointwise.reciprocal
    tanh, sigmoid, logit, erf = pointwise.tanh, pointwise.sigmoid, pointwise.logit, pointwise.erf
    relu = pointwise.relu
    abs = absolute = __abs__ = pointwise.abs
    positive = __pos__ = pointwise.positive
    sign, sgn, nan_to_num = pointwise.sign, pointwise.sgn, pointwise.nan_to_num
    clone, detach = pointwise.clone, pointwise.detach

    sin, cos, tan, asin = trigonometry.sin, trigonometry.cos, trigonometry.tan, trigonometry.asin
    acos, atan, atan2, hypot = trigonometry.acos, trigonometry.atan, trigonometry.atan2, trigonometry.hypot
    sinh, cosh, asinh, acosh = trigonometry.sinh, trigonometry.cosh, trigonometry.asinh, trigonometry.acosh
    atanh = trigonometry.atanh
    arcsin, arccos, arctan = trigonometry.arcsin, trigonometry.arccos, trigonometry.arctan
    arctan2, arcsinh, arccosh = trigonometry.arctan2, trigonometry.arcsinh, trigonometry.arccosh
    arctanh = trigonometry.arctanh
    deg2rad, rad2deg = trigonometry.deg2rad, trigonometry.rad2deg

    sum, mean = reduction.sum, reduction.mean
    prod, cumsum, cumprod = cumulative.prod, cumulative.cumsum, cumulative.cumprod
    var, std, norm = statistics.var, statistics.std, statistics.norm
    softmax, log_softmax, logsumexp = exponentials.softmax, exponentials.log_softmax, exponentials.logsumexp
    max, min, amax, amin, argmax = extrema.max, extrema.min, extrema.amax, extrema.amin, extrema.argmax
    argmin, median = extrema.argmin, extrema.median
    sort, argsort, topk, unique = sorting.sort, sorting.argsort, sorting.topk, sorting.unique
    bincount = sorting.bincount

    any, all, count_nonzero = logic.any, logic.all, logic.count_nonzero
    logical_and, logical_or, logical_xor = logic.logical_and, logic.logical_or, logic.logical_xor
    logical_not = logic.logical_not
    bitwise_and, bitwise_or, bitwise_xor = logic.bitwise_and, logic.bitwise_or, logic.bitwise_xor
    bitwise_not, bitwise_left_shift = logic.bitwise_not, logic.bitwise_left_shift
    bitwise_right_shift = logic.bitwise_right_shift
    __and__ = __rand__ = logic.bitwise_and
    __or__ = __ror__ = logic.bitwise_or
    __xor__ = __rxor__ = logic.bitwise_xor
    __invert__ = logic.bitwise_not
    __lshift__, __rlshift__ = logic.bitwise_left_shift, logic.rleft_shift
    __rshift__, __rrshift__ = logic.bitwise_right_shift, logic.rright_shift

    matmul = __matmul__ = linalg.matmul
    __rmatmul__ = linalg.rmatmul
    mm, bmm, mv, dot, vdot = linalg.mm, linalg.bmm, linalg.mv, linalg.dot, linalg.vdot
    inner, outer, ger, trace = linalg.inner, linalg.outer, linalg.ger, linalg.trace
    addmm, addmv, addr, addbmm, baddbmm = linalg.addmm, linalg.addmv, linalg.addr, linalg.addbmm, linalg.baddbmm

    reshape, reshape_as, view, view_as = shaping.reshape, shaping.reshape_as, shaping.view, shaping.view_as
    ravel, flatten, unflatten = shaping.ravel, shaping.flatten, shaping.unflatten
    contiguous, is_contiguous = shaping.contiguous, shaping.is_contiguous
    permute, transpose, swapaxes, swapdims = shaping.permute, shaping.transpose, shaping.swapaxes, shaping.swapdims
    movedim, moveaxis, t = shaping.movedim, shaping.moveaxis, shaping.t
    squeeze, unsqueeze = shaping.squeeze, shaping.unsqueeze
    expand, expand_as, broadcast_to = repeating.expand, repeating.expand_as, repeating.broadcast_to
    repeat, tile, repeat_interleave = repeating.repeat, repeating.tile, repeating.repeat_interleave
    unbind, chunk = joining.unbind, joining.chunk
    split, split_with_sizes, tensor_split = joining.split, joining.split_with_sizes, joining.tensor_split
    flip, fliplr, flipud = arranging.flip, arranging.fliplr, arranging.flipud
    roll, rot90 = arranging.roll, arranging.rot90
    narrow, select, unfold = parts.narrow, parts.select, parts.unfold
    diagonal, diag, diag_embed = diagonals.diagonal, diagonals.diag, diagonals.diag_embed
    tril, triu = diagonals.tril, diagonals.triu

    __getitem__, __setitem__ = indexing.getitem, indexing.setitem
    gather, index_select = gathering.gather, gathering.index_select
    take, take_along_dim = gathering.take, gathering.take_along_dim
    masked_select, nonzero, argwhere = gathering.masked_select, gathering.nonzero, gathering.argwhere
    scatter, scatter_add = scattering.scatter, scattering.scatter_add
    index_add, index_copy, index_fill = scattering.index_add, scattering.index_copy, scattering.index_fill
    masked_fill = scattering.masked_fill

    squeeze_, unsqueeze_, t_ = inplace_shape.squeeze_, inplace_shape.unsqueeze_, inplace_shape.t_
    transpose_, swapaxes_ = inplace_shape.transpose_, inplace_shape.swapaxes_
    swapdims_ = inplace_shape.swapdims_
    scatter_, scatter_add_ = inplace.scatter_, inplace.scatter_add_
    index_add_, index_copy_ = inplace.index_add_, inplace.index_copy_
    index_fill_, masked_fill_ = inplace.index_fill_, inplace.masked_fill_
    tril_, triu_, fill_diagonal_ = inplace.tril_, inplace.triu_, inplace.fill_diagonal_
    addmm_, addmv_, addr_ = inplace.addmm_, inplace.addmv_, inplace.addr_
    addbmm_, baddbmm_ = inplace.addbmm_, inplace.baddbmm_

    eq, ne, lt, le, gt, ge = compare.eq, compare.ne, compare.lt, compare.le, compare.gt, compare.ge
    __lt__, __le__, __gt__, __ge__ = lt, le, gt, ge

    less, less_equal, greater = compare.less, compare.less_equal, compare.greater
    greater_equal, not_equal = compare.greater_equal, compare.not_equal
    isclose, allclose, equal, isnan = compare.isclose, compare.allclose, compare.equal, compare.isnan
    isinf, isposinf, isneginf, isfinite = compare.isinf, compare.isposinf, compare.isneginf, compare.isfinite
    where = compare.choose

    add_ = __iadd__ = inplace.add_
    sub_ = __isub__ = inplace.sub_
    mul_ = __imul__ = inplace.mul_
    div_ = __itruediv__ = inplace.div_
    pow_ = __ipow__ = inplace.pow_
    floor_divide_ = __ifloordiv__ = inplace.floor_divide_
    remainder_ = __imod__ = inplace.remainder_
    bitwise_and_ = __iand__ = inplace.bitwise_and_
    bitwise_or_ = __ior__ = inplace.bitwise_or_
    bitwise_xor_ = __ixor__ = inplace.bitwise_xor_
    bitwise_left_shift_ = __ilshift__ = inplace.bitwise_left_shift_
    bitwise_right_shift_ = __irshift__ = inplace.bitwise_right_shift_
    subtract_, multiply_, divide_ = inplace.subtract_, inplace.multiply_, inplace.divide_
    true_divide_, float_power_, square_ = inplace.true_divide_, inplace.float_power_, inplace.square_
    neg_, negative_, addcmul_, addcdiv_ = inplace.neg_, inplace.negative_, inplace.addcmul_, inplace.addcdiv_
    lerp_ = inplace.lerp_
    floor_, ceil_, trunc_, fix_ = inplace.floor_, inplace.ceil_, inplace.trunc_, inplace.fix_
    round_, frac_, fmod_ = inplace.round_, inplace.frac_, inplace.fmod_
    exp_, exp2_, expm1_, log_ = inplace.exp_, inplace.exp2_, inplace.expm1_, inplace.log_
    log1p_, log2_, log10_, sqrt_ = inplace.log1p_, inplace.log2_, inplace.log10_, inplace.sqrt_
    rsqrt_, reciprocal_ = inplace.rsqrt_, inplace.reciprocal_
    tanh_, sigmoid_, logit_, erf_ = inplace.tanh_, inplace.sigmoid_, inplace.logit_, inplace.erf_
    relu_, abs_, absolute_, sign_ = inplace.relu_, inplace.abs_, inplace.absolute_, inplace.sign_
    sgn_, nan_to_num_ = inplace.sgn_, inplace.nan_to_num_
    sin_, cos_, tan_, asin_, acos_ = inplace.sin_, inplace.cos_, inplace.tan_, inplace.asin_, inplace.acos_
    atan_, atan2_, hypot_ = inplace.atan_, inplace.atan2_, inplace.hypot_
    sinh_, cosh_, asinh_, acosh_ = inplace.sinh_, inplace.cosh_, inplace.asinh_, inplace.acosh_
    atanh_ = inplace.atanh_
    arcsin_, arccos_, arctan_, arctan2_ = inplace.arcsin_, inplace.arccos_, inplace.arctan_, inplace.arctan2_
    arcsinh_, arccosh_, arctanh_ = inplace.arcsinh_, inplace.arccosh_, inplace.arctanh_
    deg2rad_, rad2deg_ = inplace.deg2rad_, inplace.rad2deg_
    clamp_, clip_, clamp_min_ = inplace.clamp_, inplace.clip_, inplace.clamp_min_
    clamp_max_, cumsum_, cumprod_ = inplace.clamp_max_, inplace.cumsum_, inplace.cumprod_
    logical_and_, logical_or_, logical_xor_ = inplace.logical_and_, inplace.logical_or_, inplace.logical_xor_
    logical_not_, bitwise_not_ = inplace.logical_not_, inplace.bitwise_not_
    eq_, ne_, lt_, le_, gt_ = inplace.eq_, inplace.ne_, inplace.lt_, inplace.le_, inplace.gt_
    ge_ = inplace.ge_
    less_, less_equal_, greater_ = inplace.less_, inplace.less_equal_, inplace.greater_
    greater_equal_, not_equal_ = inplace.greater_equal_, inplace.not_equal_
    copy_, fill_, zero_ = inplace.copy_, inplace.fill_, inplace.zero_

    numel, nelement, size, dim, ndimension = (
        queries.numel,
        queries.nelement,
        queries.size,
        queries.dim,
        queries.ndimension,
    )
    stride, element_size, data_ptr = queries.stride, queries.element_size, queries.data_ptr
    is_floating_point, is_complex, is_nonzero = queries.is_floating_point, queries.is_complex, queries.is_nonzero
    is_same_size, get_device = queries.is_same_size, queries.get_device

    half, float, double, bool = casts.half, casts.float, casts.double, casts.bool
    byte, char, short, int, long = casts.byte, casts.char, casts.short, casts.int, casts.long
    to, type, type_as, cpu, cuda = casts.to, casts.type, casts.type_as, casts.cpu, casts.cuda

    new_tensor, new_zeros, new_ones = new.new_tensor, new.new_zeros, new.new_ones
    new_empty, new_full, new = new.new_empty, new.new_full, new.new

    bernoulli, multinomial = draws.bernoulli, draws.multinomial
    uniform_, normal_, exponential_ = draws.uniform_, draws.normal_, draws.exponential_
    bernoulli_, random_ = draws.bernoulli_, draws.random_
