"""Cases of gradient checks for ops/cumulative.py; at zeros see test_cumulative.py."""

from __future__ import annotations

from gradient_cases.base import Case, one
from tinyrnn.ops import cumulative

CASES: dict[str, list[Case]] = {
    "cumulative.cumsum": [
        *one(lambda x: cumulative.cumsum(x, -1)),
        (lambda x: cumulative.cumsum(x, 0), [(3,), (2, 3), (2, 0, 3)]),
    ],
    "cumulative.cumprod": [
        *one(lambda x: cumulative.cumprod(x, -1)),
        (lambda x: cumulative.cumprod(x, 0), [(3,), (2, 3), (2, 0, 3)]),
    ],
    "cumulative.prod": [
        *one(cumulative.prod),
        *one(lambda x: cumulative.prod(x, -1, keepdim=True)),
        (lambda x: cumulative.prod(x, 1), [(2, 1, 3), (2, 0, 3), (2, 3)]),
    ],
}
