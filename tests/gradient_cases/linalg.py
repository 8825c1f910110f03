"""Cases of gradient checks for ops/linalg.py."""

from __future__ import annotations

from gradient_cases.base import Case
from tinyrnn.ops import linalg

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
}
