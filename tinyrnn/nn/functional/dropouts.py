"""Dropout, of single elements or of whole channels, as functions."""

from __future__ import annotations

import warnings

import numpy as np

from tinyrnn.autograd.graph import Array, Gradient
from tinyrnn.autograd.record import record
from tinyrnn.autograd.views import check_in_place
from tinyrnn.nn.arguments import check_probability
from tinyrnn.ops.operands import check_floating, tensor_argument
from tinyrnn.random import default_generator
from tinyrnn.tensor import Tensor

__all__ = ["dropout", "dropout1d", "dropout2d"]


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """y = x m / (1 - p),  dx = g m / (1 - p): each element of m is 0 with probability p, else 1, drawn anew.

    In evaluation (training=False) y = x. input: any shape -> the same; with inplace it is changed, and returned.
    After manual_seed(n) m is torch's after its own.
    Raises ValueError unless 0 <= p <= 1, TypeError for what is no floating tensor.
    Source: Srivastava et al., Dropout, 2014; the scaling in training, not in evaluation, is torch's.
    """
    return _dropout("dropout", input, p, training, inplace, tensor_argument("dropout", input).shape)


def dropout1d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """dropout with one m for all of a channel. input (N, C, L) or (C, L) -> the same. Raises ValueError for others.

    Source: Tompson et al., Efficient object localization using convolutional networks, 2015; torch.nn.functional.
    """
    return _dropout("dropout1d", input, p, training, inplace, _channels("dropout1d", input, 1))


def dropout2d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """dropout1d for an input (N, C, H, W). Of three axes it takes the first for N, with torch's warning."""
    if tensor_argument("dropout2d", input).ndim == 3:
        warnings.warn(
            "dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D dropout behavior is desired "
            "- input is interpreted as shape (N, C, L), where C is the channel dim. Use dropout1d for this",
            UserWarning,
            stacklevel=2,
        )
        return _dropout("dropout2d", input, p, training, inplace, _channels("dropout2d", input, 1))
    return _dropout("dropout2d", input, p, training, inplace, _channels("dropout2d", input, 2))


def _channels(name: str, input: Tensor, axes: int) -> tuple[int, ...]:
    """The shape with 1 for each axis inside of a channel."""
    x = tensor_argument(name, input)
    if x.ndim not in (axes + 1, axes + 2):
        raise ValueError(f"{name}: the input is {x.shape}, expected {axes + 2} axes, or {axes + 1} without a batch")
    return (*x.shape[:-axes], *[1] * axes)


def _dropout(name: str, input: Tensor, p: float, training: bool, inplace: bool, shape: tuple[int, ...]) -> Tensor:
    """y = x m / (1 - p) with m of `shape`, which broadcasts."""
    x = tensor_argument(name, input)
    check_probability(name, p)
    if not training or p == 0:
        return input
    check_floating(name, x)
    if inplace:
        check_in_place(name, input)
    scale = np.zeros_like(x) if shape == x.shape else np.zeros(shape, x.dtype)
    if p < 1:  # torch's draws fill the memory, laid out as that of x, from end to end; for p = 1 there are none
        scale.ravel("K")[:] = default_generator.bernoulli(1 - p, scale.size)
        scale /= 1 - p

    def pullback(g: Array) -> tuple[Gradient]:
        return (g * scale,)

    y = record(name, x * scale, (input,), pullback)
    return input.copy_(y) if inplace else y
