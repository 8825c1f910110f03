"""Cases of gradient checks for ops/compare.py."""

from __future__ import annotations

from gradient_cases.base import ONE, TWO, Case
from tinyrnn.ops import compare

CASES: dict[str, list[Case]] = {
    "compare.where": [
        (lambda x, y: compare.where(x.detach() > 0, x, y), TWO),
        (lambda x: compare.where(x > 0, x, 2.5) + compare.where(x > 0, 2.5, x), ONE),
        (lambda x: compare.where(x > 0, x, x * x), ONE),
    ],
    "compare.choose": [(lambda x, y: compare.choose(x, x.detach() > 0, y), TWO)],
}

NO_GRADIENT = {
    f"compare.{name}"
    for name in (
        *("eq", "ne", "lt", "le", "gt", "ge", "allclose", "isclose", "equal"),
        *("isnan", "isinf", "isposinf", "isneginf", "isfinite"),
    )
}
