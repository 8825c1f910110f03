"""Cases of gradient checks for ops/inplace_parts.py."""

from __future__ import annotations

from gradient_cases.base import Case, clone_then, in_place
from tinyrnn import tensor
from tinyrnn.ops import inplace_parts

INDEX = tensor([[1, 0]])

CASES: dict[str, list[Case]] = {
    "inplace_parts.scatter_": [(clone_then(lambda x, y: inplace_parts.scatter_(x, 1, INDEX, y)), [((2, 3), (1, 2))])],
    "inplace_parts.scatter_add_": [
        (clone_then(lambda x, y: inplace_parts.scatter_add_(x, 1, INDEX, y)), [((2, 3), (1, 2))])
    ],
    "inplace_parts.index_add_": [
        (clone_then(lambda x, y: inplace_parts.index_add_(x, 0, INDEX[0], y)), [((2, 3), (2, 3)), ((2,), (2,))])
    ],
    "inplace_parts.index_copy_": [
        (clone_then(lambda x, y: inplace_parts.index_copy_(x, 0, INDEX[0], y)), [((2, 3), (2, 3)), ((2,), (2,))])
    ],
    "inplace_parts.index_fill_": [
        (clone_then(lambda x, y: inplace_parts.index_fill_(x, -1, INDEX[0], y)), [((2, 3), ()), ((2,), ())])
    ],
    "inplace_parts.masked_fill_": in_place(lambda x, y: inplace_parts.masked_fill_(x, x > 0, y.sum())),
    "inplace_parts.tril_": [(clone_then(inplace_parts.tril_), [(2, 3), (2, 3, 3)])],
    "inplace_parts.triu_": [(clone_then(lambda x: inplace_parts.triu_(x, 1)), [(2, 3), (2, 3, 3)])],
    "inplace_parts.fill_diagonal_": [
        (clone_then(lambda x: inplace_parts.fill_diagonal_(x, 5, wrap=True)), [(2, 3), (5, 2), (2, 2, 2)])
    ],
    "inplace_parts.addmm_": [(clone_then(inplace_parts.addmm_), [((2, 4), (2, 3), (3, 4))])],
    "inplace_parts.addmv_": [(clone_then(inplace_parts.addmv_), [((2,), (2, 3), (3,))])],
    "inplace_parts.addr_": [(clone_then(inplace_parts.addr_), [((2, 3), (2,), (3,))])],
    "inplace_parts.addbmm_": [(clone_then(inplace_parts.addbmm_), [((2, 4), (2, 2, 3), (2, 3, 4))])],
    "inplace_parts.baddbmm_": [(clone_then(inplace_parts.baddbmm_), [((2, 2, 4), (2, 2, 3), (2, 3, 4))])],
}
