"""Cases of gradient checks for ops/scattering.py."""

from __future__ import annotations

from gradient_cases.base import Case
from tinyrnn import tensor
from tinyrnn.ops import scattering

INDEX = tensor([[0, 2], [1, 1]])  # the second row names a place twice
MASK = tensor([[True, False, True], [False, False, True]])

CASES: dict[str, list[Case]] = {
    "scattering.scatter": [
        (lambda x, y: scattering.scatter(x, 1, INDEX, y), [((2, 3), (2, 2)), ((3, 3), (2, 4))]),
        (lambda x, y: scattering.scatter(x, 0, tensor(0), y), [((), ()), ((3,), ())]),
        (lambda x: scattering.scatter(x, 1, INDEX, 2.5), [(2, 3)]),
        (lambda x, y: scattering.scatter(x, 1, INDEX, y, reduce="add"), [((2, 3), (2, 2))]),
        (lambda x: scattering.scatter(x, 1, INDEX, value=3, reduce="multiply"), [(2, 3)]),
    ],
    "scattering.scatter_add": [
        (lambda x, y: scattering.scatter_add(x, 1, INDEX, y), [((2, 3), (2, 2)), ((3, 3), (2, 4))]),
        (lambda x, y: scattering.scatter_add(x, 0, tensor([0]), y), [((), (2,)), ((3,), (1,))]),
    ],
    "scattering.index_add": [
        (lambda x, y: scattering.index_add(x, -1, tensor([2, 0, 2]), y, alpha=-2), [((3,), (3,)), ((2, 3), (2, 3))]),
        (lambda x, y: scattering.index_add(x, 0, tensor(0), y), [((), ()), ((3,), (1,)), ((2, 3), (1, 3))]),
    ],
    "scattering.index_copy": [
        (lambda x, y: scattering.index_copy(x, -1, tensor([2, 0, 2]), y), [((3,), (3,)), ((2, 3), (2, 3))]),
        (lambda x, y: scattering.index_copy(x, 0, tensor(0), y), [((), ()), ((2, 3), (1, 3))]),
    ],
    "scattering.index_fill": [
        (lambda x, y: scattering.index_fill(x, -1, tensor([2, 0]), y), [((3,), ()), ((2, 3), ())]),
        (lambda x: scattering.index_fill(x, 0, tensor([0]), 7), [(), (3,), (2, 3)]),
    ],
    "scattering.masked_fill": [
        (lambda x, y: scattering.masked_fill(x, MASK, y), [((2, 3), ()), ((3,), ()), ((), ())]),
        (lambda x: scattering.masked_fill(x, MASK[0], 7), [(2, 3), (3,)]),
    ],
}
NO_GRADIENT = {"scattering.one_hot"}
