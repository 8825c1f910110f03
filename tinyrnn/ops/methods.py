"""The operations as methods and operators of a tensor: a table by topic, each line from one of the files of ops/.

A function there, f(input, ...), is here the method input.f(...): both are one definition.
"""

from __future__ import annotations

from tinyrnn.autograd.graph import Value
from tinyrnn.ops import arithmetic, compare, indexing, inplace, linalg, pointwise, reduction, shaping


class Methods(Value):
    """What Tensor is made of, next to what it does itself."""

    add, sub, mul, div, pow = arithmetic.add, arithmetic.sub, arithmetic.mul, arithmetic.div, arithmetic.pow
    neg, square = arithmetic.neg, arithmetic.square
    maximum, minimum = arithmetic.maximum, arithmetic.minimum
    __add__ = __radd__ = arithmetic.add
    __mul__ = __rmul__ = arithmetic.mul
    __sub__, __rsub__ = arithmetic.sub, arithmetic.rsub
    __truediv__, __rtruediv__ = arithmetic.div, arithmetic.rdiv
    __pow__, __rpow__ = arithmetic.pow, arithmetic.rpow
    __neg__ = arithmetic.neg

    exp, log, sqrt, sin, cos = pointwise.exp, pointwise.log, pointwise.sqrt, pointwise.sin, pointwise.cos
    tanh, sigmoid, relu = pointwise.tanh, pointwise.sigmoid, pointwise.relu
    abs = __abs__ = pointwise.abs
    clamp, clone = pointwise.clamp, pointwise.clone

    sum, mean = reduction.sum, reduction.mean

    matmul = __matmul__ = linalg.matmul
    __rmatmul__ = linalg.rmatmul

    reshape, view, flatten = shaping.reshape, shaping.view, shaping.flatten
    permute, transpose, t = shaping.permute, shaping.transpose, shaping.t
    squeeze, unsqueeze, expand = shaping.squeeze, shaping.unsqueeze, shaping.expand
    unbind, split, chunk = shaping.unbind, shaping.split, shaping.chunk

    __getitem__, __setitem__ = indexing.getitem, indexing.setitem

    eq, ne, lt, le, gt, ge = compare.eq, compare.ne, compare.lt, compare.le, compare.gt, compare.ge
    __lt__, __le__, __gt__, __ge__ = lt, le, gt, ge

    allclose = compare.allclose

    add_ = __iadd__ = inplace.add_
    sub_ = __isub__ = inplace.sub_
    mul_ = __imul__ = inplace.mul_
    div_ = __itruediv__ = inplace.div_
    pow_ = __ipow__ = inplace.pow_
    neg_, clamp_ = inplace.neg_, inplace.clamp_
    copy_, fill_, zero_ = inplace.copy_, inplace.fill_, inplace.zero_
