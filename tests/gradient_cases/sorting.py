"""Cases of gradient checks for ops/sorting.py."""

from __future__ import annotations

from gradient_cases.base import Case, one
from tinyrnn.ops import sorting

CASES: dict[str, list[Case]] = {
    "sorting.sort": [
        *one(lambda x: sorting.sort(x)[0]),
        *one(lambda x: sorting.sort(x, 0, descending=True)[0]),
    ],
    "sorting.topk": [
        *one(lambda x: sorting.topk(x, 0)[0].sum() + sorting.topk(x, min(1, x.shape[-1] if x.ndim else 1))[0]),
        (lambda x: sorting.topk(x, 2)[0], [(3,), (2, 3)]),
        (lambda x: sorting.topk(x, 2, 0, largest=False)[0], [(3,), (2, 3)]),
    ],
}

NO_GRADIENT = {"sorting.argsort", "sorting.unique", "sorting.bincount"}
