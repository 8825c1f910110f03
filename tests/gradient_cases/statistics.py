"""Cases of gradient checks for ops/statistics.py."""

from __future__ import annotations

import math

from gradient_cases.base import Case
from tinyrnn.ops import statistics

CASES: dict[str, list[Case]] = {
    f"statistics.{op.__name__}": [
        (op, [(3,), (2, 3), (2, 1, 3)]),
        (lambda x, op=op: op(x, -1, False), [(3,), (2, 3)]),
        (lambda x, op=op: op(x, (0, -1), keepdim=True, correction=0.5), [(2, 3), (2, 1, 3)]),
    ]
    for op in (statistics.var, statistics.std, statistics.var_mean, statistics.std_mean)
}
CASES["statistics.norm"] = [
    (lambda x, p=p: statistics.norm(x, p), [(), (3,), (2, 3)]) for p in (None, 1, 2, 3, 0.5, -1.5, math.inf, -math.inf)
] + [
    (lambda x: statistics.norm(x), [(0,), (2, 0, 3)]),
    (lambda x: statistics.norm(x, 0) + x, [(3,), (2, 3)]),
    (lambda x: statistics.norm(x, 3, -1), [(), (3,), (2, 3)]),
    (lambda x: statistics.norm(x, dim=(0, -1), keepdim=True), [(2, 3), (2, 1, 3)]),
]
