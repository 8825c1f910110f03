"""Size: the shape of a tensor, a tuple that can count and prints as torch's."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any


class Size(tuple[int, ...]):
    """The size of each axis. Slices and sums of it are Sizes too. Source: torch.Size.

    It prints as the tuple it is: (2, 3) where torch has torch.Size([2, 3]).

    >>> Size((2, 3, 4)), Size((2, 3, 4))[1:].numel()
    ((2, 3, 4), 12)
    """

    __slots__ = ()

    def numel(self) -> int:
        """The number of elements: the product of the sizes."""
        return math.prod(self)

    def __getitem__(self, index: Any) -> Any:
        found = tuple.__getitem__(self, index)
        return Size(found) if type(index) is slice else found

    def __add__(self, other: tuple[int, ...]) -> Size:  # type: ignore[override]
        return Size(tuple.__add__(self, other))


def sizes(name: str, shape: Sequence[Any]) -> tuple[int, ...]:
    """The shape (2, 3) out of f(2, 3), f((2, 3)) or f([2, 3]); each size a whole number of any kind, or such a tensor.

    Raises TypeError, naming the caller, for what is none.
    """
    if len(shape) == 1 and isinstance(shape[0], tuple | list):
        shape = shape[0]
    try:
        return tuple([n.__index__() for n in shape])
    except (AttributeError, TypeError):
        raise TypeError(f"{name}: got {tuple(shape)}, expected whole numbers") from None
