"""Cases of gradient checks for ops/reduction.py."""

from __future__ import annotations

from gradient_cases.base import Case, one
from tinyrnn.ops import reduction

CASES: dict[str, list[Case]] = {
    "reduction.sum": [
        *one(reduction.sum),
        *one(lambda x: reduction.sum(x, -1)),
        (lambda x: reduction.sum(x, (0, -1), keepdim=True), [(2, 3), (2, 0, 3), (2, 1, 3)]),
    ],
    "reduction.mean": [
        *[(reduction.mean, [(), (3,), (2, 3)])],
        (lambda x: reduction.mean(x, -1), [(3,), (2, 3), (0, 3)]),
        (lambda x: reduction.mean(x, (0, -1), keepdim=True), [(2, 3), (2, 1, 3)]),
    ],
}
