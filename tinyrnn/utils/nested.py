"""Tensors in tuples, lists and dicts: what functions take and return, and what states are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tinyrnn.tensor import Tensor


def each(change: Callable[[Tensor], Any], nested: Any) -> Any:
    """`nested`, with change(x) in place of each tensor x in it; containers are made anew, anything else stays.

    >>> import tinyrnn
    >>> each(lambda x: x.shape, {"h": tinyrnn.ones(2), "others": [tinyrnn.ones(3), None]})
    {'h': (2,), 'others': [(3,), None]}
    """
    if isinstance(nested, Tensor):
        return change(nested)
    if isinstance(nested, tuple) and hasattr(nested, "_make"):  # a named one
        return nested._make([each(change, part) for part in nested])
    if isinstance(nested, tuple | list):
        return type(nested)([each(change, part) for part in nested])
    if isinstance(nested, dict):
        return type(nested)([(key, each(change, part)) for key, part in nested.items()])
    return nested


def tensors_in(nested: Any) -> Iterator[Tensor]:
    """The tensors in `nested`, from left to right.

    >>> import tinyrnn
    >>> list(tensors_in(({"h": tinyrnn.zeros(1)}, 2, tinyrnn.ones(1))))
    [tensor([0.]), tensor([1.])]
    """
    if isinstance(nested, Tensor):
        yield nested
    elif isinstance(nested, tuple | list | dict):
        for part in nested.values() if isinstance(nested, dict) else nested:
            yield from tensors_in(part)
