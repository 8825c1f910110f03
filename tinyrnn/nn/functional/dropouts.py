"""Dropout, as a function."""

from __future__ import annotations

import numpy as np

from tinyrnn.autograd.graph import Array, Gradient
from tinyrnn.autograd.record import record
from tinyrnn.autograd.views import check_in_place
from tinyrnn.nn.arguments import check_floating, check_probability
from tinyrnn.ops.operands import tensor_argument
from tinyrnn.random import default_generator
from tinyrnn.tensor import Tensor

__all__ = ["dropout"]


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """y = x m / (1 - p),  dx = g m / (1 - p): each element of m is 0 with probability p, else 1, drawn anew.

    In evaluation (training=False) y = x. input: any shape -> the same; with inplace it is changed, and returned.
    After manual_seed(n) m is torch's after its own.
    Raises ValueError unless 0 <= p <= 1, TypeError for what is no floating tensor.
    Source: Srivastava et al., Dropout, 2014; the scaling in training, not in evaluation, is torch's.
    """
    x = tensor_argument("dropout", input)
    check_probability("dropout", p)
    if not training or p == 0:
        return input
    check_floating("dropout", x)
    if inplace:
        check_in_place("dropout", input)
    scale = np.zeros_like(x)
    if p < 1:  # torch's draws fill the memory, laid out as that of x, from end to end; for p = 1 there are none
        scale.ravel("K")[:] = default_generator.bernoulli(1 - p, x.size)
        scale /= 1 - p

    def pullback(g: Array) -> tuple[Gradient]:
        return (g * scale,)

    y = record("dropout", x * scale, (input,), pullback)
    return input.copy_(y) if inplace else y
