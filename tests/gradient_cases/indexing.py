"""Cases of gradient checks for ops/indexing.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradient_cases.base import Case
from tinyrnn import Tensor
from tinyrnn.ops import indexing

MASK = np.array([[True, False, True], [False, False, True]])


def set_to(index: Any) -> Callable[..., Any]:
    def changed(x: Tensor, y: Tensor) -> Tensor:
        z = x * 1
        indexing.setitem(z, index, y)
        return z

    return changed


CASES: dict[str, list[Case]] = {
    "indexing.getitem": [
        (lambda x: indexing.getitem(x, 1) * indexing.getitem(x, -1), [(3,), (2, 3)]),
        (lambda x: indexing.getitem(x, (..., slice(None, None, -2), None)), [(3,), (2, 3), (0,)]),
        (lambda x: indexing.getitem(x, ([1, 0, 1, 1],)), [(3,), (2, 3)]),
        (lambda x: indexing.getitem(x, ([1, 0], slice(None), [[2], [2]])), [(2, 1, 3), (2, 2, 3)]),
        (lambda x: indexing.getitem(x, (1, slice(None), [2, 0, 2])), [(2, 1, 3), (2, 2, 3)]),
        (lambda x: indexing.getitem(x, MASK), [(2, 3)]),
        (lambda x: indexing.getitem(x, []), [(3,), (2, 3)]),
        (lambda x: x[0] * x[:, 1].sum() + x[0, 2] * x[-1], [(2, 3)]),
    ],
    "indexing.setitem": [
        (set_to(1), [((3,), ()), ((2, 3), (3,)), ((2, 3), (1,))]),
        (set_to((..., slice(None, None, -2))), [((3,), (2,)), ((2, 3), (2, 1)), ((2, 0), ())]),
        (set_to(MASK), [((2, 3), (3,)), ((2, 3), ())]),
        (set_to(([0, 1, 0], [2, 1, 2])), [((2, 3), (3,)), ((2, 3), ())]),  # an element twice: the last value stays
        (set_to((1, slice(None), [2, 0])), [((2, 2, 3), (2, 2)), ((2, 2, 3), (2,))]),
        (lambda x: set_to(0)(x, x[1] * x[0]), [(2, 3), (3,)]),
    ],
}
