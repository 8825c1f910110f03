"""Cases of gradient checks for ops/gathering.py."""

from __future__ import annotations

from gradient_cases.base import Case
from tinyrnn import tensor
from tinyrnn.ops import gathering

CASES: dict[str, list[Case]] = {
    "gathering.gather": [
        (lambda x: gathering.gather(x, 1, tensor([[0, 2, 0, 0], [1, 0, 1, 1]])), [(2, 3), (3, 3)]),
        (lambda x: gathering.gather(x, 0, tensor([0, 0])), [(), (3,)]),
        (lambda x: gathering.gather(x, -1, tensor(0)), [(), (3,)]),
    ],
    "gathering.index_select": [
        (lambda x: gathering.index_select(x, -1, tensor([2, 0, 2])), [(3,), (2, 3), (2, 1, 3), (0, 3)]),
        (lambda x: gathering.index_select(x, 0, tensor(0)), [(), (3,), (2, 3)]),
    ],
    "gathering.take": [(lambda x: gathering.take(x, tensor([[0, -1], [2, 0]])), [(3,), (2, 3)])],
    "gathering.take_along_dim": [
        (lambda x: gathering.take_along_dim(x, tensor([[2, 2], [0, 1]]), 1), [(2, 3), (1, 3)]),
        (lambda x: gathering.take_along_dim(x, tensor([[1, 0], [1, 1]])), [(3,), (2, 3)]),
    ],
    "gathering.masked_select": [
        (lambda x: gathering.masked_select(x, tensor([[True, False, True], [True, True, False]])), [(2, 3), (3,), ()])
    ],
}
NO_GRADIENT = {"gathering.nonzero", "gathering.argwhere", "gathering.searchsorted", "gathering.bucketize"}
