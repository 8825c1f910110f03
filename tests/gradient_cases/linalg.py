"""Cases of gradient checks for ops/linalg.py."""

from __future__ import annotations

from gradient_cases.base import Case
from tinyrnn.ops import linalg

VECTORS = [((3,), (3,)), ((0,), (0,))]
BATCHES = [((2, 2, 3), (2, 3, 4)), ((2, 2, 0), (2, 0, 4)), ((0, 2, 3), (0, 3, 4))]
MATRICES = [((2, 3), (3, 4)), ((1, 1), (1, 1)), ((0, 3), (3, 2)), ((2, 0), (0, 3))]

CASES: dict[str, list[Case]] = {
    "linalg.matmul": [
        (
            linalg.matmul,
            [
                ((3,), (3,)),
                ((3,), (3, 2)),
                ((2, 3), (3,)),
                ((2, 3), (3, 4)),
                ((3,), (2, 3, 4)),
                ((2, 2, 3), (3,)),
                ((2, 1, 2, 3), (3, 3, 2)),
                ((2, 3), (2, 3, 2)),
                ((0, 3), (3, 2)),
                ((2, 0), (0, 3)),
            ],
        ),
        (lambda x: linalg.matmul(x, x), [(2, 2), (3,), (2, 2, 2)]),
        (lambda x: linalg.matmul(x, x.mT), [(2, 3), (2, 2, 3)]),
    ],
    "linalg.rmatmul": [(linalg.rmatmul, [((3, 4), (2, 3))])],
    "linalg.mm": [(linalg.mm, MATRICES), (lambda x: linalg.mm(x, x), [(2, 2)])],
    "linalg.bmm": [(linalg.bmm, BATCHES)],
    "linalg.mv": [(linalg.mv, [((2, 3), (3,)), ((2, 0), (0,))])],
    "linalg.dot": [(linalg.dot, VECTORS), (lambda x: linalg.dot(x, x), [(3,)])],
    "linalg.vdot": [(linalg.vdot, VECTORS)],
    "linalg.inner": [
        (linalg.inner, [*VECTORS, ((2, 3), (3,)), ((2, 1, 3), (4, 2, 3)), ((), (2, 3)), ((2, 0), (3, 0))])
    ],
    "linalg.outer": [(linalg.outer, [((3,), (2,)), ((3,), (3,)), ((0,), (2,))])],
    "linalg.addmm": [
        (linalg.addmm, [((2, 4), (2, 3), (3, 4)), ((4,), (2, 3), (3, 4)), ((), (2, 0), (0, 3))]),
        (lambda x, y, z: linalg.addmm(x, y, z, beta=-2, alpha=0.5), [((2, 1), (2, 3), (3, 4))]),
    ],
    "linalg.addmv": [
        (lambda x, y, z: linalg.addmv(x, y, z, beta=-2, alpha=0.5), [((2,), (2, 3), (3,)), ((), (2, 3), (3,))])
    ],
    "linalg.addr": [
        (lambda x, y, z: linalg.addr(x, y, z, beta=-2, alpha=0.5), [((2, 3), (2,), (3,)), ((1,), (2,), (3,))])
    ],
    "linalg.baddbmm": [
        (lambda x, y, z: linalg.baddbmm(x, y, z, beta=-2, alpha=0.5), [(x, *BATCHES[0]) for x in ((2, 2, 4), (4,), ())])
    ],
    "linalg.addbmm": [
        (lambda x, y, z: linalg.addbmm(x, y, z, beta=-2, alpha=0.5), [(x, *BATCHES[0]) for x in ((2, 4), (4,), ())])
    ],
    "linalg.trace": [(linalg.trace, [(2, 3), (3, 3), (0, 2)])],
}
