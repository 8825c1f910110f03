"""Dropout, as modules."""

from __future__ import annotations

from tinyrnn.nn import functional
from tinyrnn.nn.arguments import check_probability, flag
from tinyrnn.nn.modules.module import Module
from tinyrnn.tensor import Tensor


class Dropout(Module):
    """y = x m / (1 - p) in training, where each element of m is 0 with probability p, else 1, drawn anew; else y = x.

    inplace: whether the input is changed, and returned. Shapes: x of any shape -> the same.
    Raises ValueError unless 0 <= p <= 1. Source: torch.nn.Dropout.

    >>> import tinyrnn
    >>> Dropout(0.2).eval()(tinyrnn.ones(3))
    tensor([1., 1., 1.])
    """

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        check_probability(type(self).__name__, p)
        self.p, self.inplace = p, flag(type(self).__name__, "inplace", inplace)

    def forward(self, input: Tensor) -> Tensor:
        return functional.dropout(input, self.p, self.training, self.inplace)

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout1d(Dropout):
    """Dropout with one m for all of a channel. Shapes: x (N, C, L), (C, L) -> the same. Source: torch.nn.Dropout1d."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.dropout1d(input, self.p, self.training, self.inplace)


class Dropout2d(Dropout):
    """Dropout with one m for all of a channel. Shapes: x (N, C, H, W) -> the same. Source: torch.nn.Dropout2d."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.dropout2d(input, self.p, self.training, self.inplace)
