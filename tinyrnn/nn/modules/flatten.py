"""Flatten and Unflatten: one axis for several, and back."""

from __future__ import annotations

from collections.abc import Sequence

from tinyrnn import ops
from tinyrnn.nn.modules.module import Module
from tinyrnn.tensor import Tensor


class Flatten(Module):
    """One axis in the place of those from start_dim to end_dim; all but the first, if not said otherwise.

    Shapes: (N, a, b, ...) -> (N, a b ...). Raises IndexError for axes that are not there. Source: torch.nn.Flatten.

    >>> import tinyrnn
    >>> tuple(Flatten()(tinyrnn.zeros(5, 2, 3)).shape)
    (5, 6)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, input: Tensor) -> Tensor:
        """The input with fewer axes."""
        return ops.flatten(input, self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """Several axes, of the sizes unflattened_size, in the place of the axis dim. One size may be -1: what is left.

    Shapes: (..., a b, ...) -> (..., a, b, ...). Raises TypeError for sizes that are no whole numbers and, when called,
    ValueError or RuntimeError for those that do not fit. Source: torch.nn.Unflatten.

    >>> import tinyrnn
    >>> tuple(Unflatten(1, (2, 3))(tinyrnn.zeros(5, 6)).shape)
    (5, 2, 3)
    """

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        super().__init__()
        if not isinstance(unflattened_size, tuple | list) or not all(isinstance(n, int) for n in unflattened_size):
            raise TypeError(f"Unflatten: unflattened_size is {unflattened_size!r}, expected a tuple of whole numbers")
        self.dim, self.unflattened_size = dim, unflattened_size

    def forward(self, input: Tensor) -> Tensor:
        """The input with more axes."""
        return ops.unflatten(input, self.dim, self.unflattened_size)

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
