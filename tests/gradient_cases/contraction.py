"""Cases of gradient checks for ops/contraction.py."""

from __future__ import annotations

from gradient_cases.base import Case
from tinyrnn.ops import contraction

EQUATIONS = [
    ("ij,jk->ik", ((2, 3), (3, 4))),
    ("ij,jk", ((2, 3), (3, 4))),
    ("ij,ik->", ((2, 3), (2, 4))),
    ("ii", ((3, 3),)),
    ("iji->j", ((2, 3, 2),)),
    ("ii,i->i", ((3, 3), (3,))),
    ("iij,kkj->ik", ((2, 2, 3), (3, 3, 3))),
    ("ij->ji", ((2, 3),)),
    ("ij->i", ((2, 3),)),
    ("i,j", ((2,), (3,))),
    ("i,i->i", ((3,), (3,))),
    ("bij,bjk->bik", ((2, 1, 3), (2, 3, 4))),
    ("...ij,...jk->...ik", ((2, 2, 3), (3, 4))),
    ("i...,...->i", ((2, 3, 1), (1, 4))),
    ("...a,...b", ((2, 3), (1, 2))),
    ("ij,jk,kl->il", ((2, 3), (3, 4), (4, 2))),
    ("bn,anm,bm->ba", ((2, 3), (2, 3, 4), (2, 4))),
    ("ij,kj->ik", ((2, 3), (4, 1))),
    (",i", ((), (3,))),
    ("ij,jk->ik", ((2, 0), (0, 3))),
]

CASES: dict[str, list[Case]] = {
    "contraction.einsum": [
        *[(lambda *xs, e=equation: contraction.einsum(e, *xs), [shapes]) for equation, shapes in EQUATIONS],
        (lambda x: contraction.einsum("ij,jk,ki->", x, x, x), [(2, 2)]),
    ],
    "contraction.tensordot": [
        (lambda x, y: contraction.tensordot(x, y, 1), [((2, 3), (3, 4)), ((3,), (3,)), ((2, 0), (0, 2))]),
        (lambda x, y: contraction.tensordot(x, y, ([0, -1], [1, 0])), [((2, 1, 3), (3, 2, 2)), ((2, 3), (3, 2))]),
        (lambda x, y: contraction.tensordot(x, y, 0), [((2,), (3, 1)), ((), (2,))]),
    ],
}
