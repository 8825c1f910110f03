"""Cases of gradient checks for ops/parts.py."""

from __future__ import annotations

from gradient_cases.base import Case
from tinyrnn.ops import parts

CASES: dict[str, list[Case]] = {
    "parts.narrow": [(lambda x: parts.narrow(x, -1, 1, 2), [(3,), (2, 4), (0, 3)])],
    "parts.select": [(lambda x: parts.select(x, -1, -2), [(3,), (2, 2), (0, 3)])],
    "parts.unfold": [
        (lambda x: parts.unfold(x, 1, 3, 2), [(2, 6), (1, 5, 2), (0, 3)]),
        (lambda x: parts.unfold(x, -1, 2, 3), [(6,), (2, 5), (2,)]),
        (lambda x: parts.unfold(x, 0, 1, 1), [()]),
    ],
}
