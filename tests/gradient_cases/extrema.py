"""Cases of gradient checks for ops/extrema.py: without ties, which are kinks."""

from __future__ import annotations

import numpy as np

from gradient_cases.base import Case
from tinyrnn.ops import extrema

FULL = [(), (3,), (2, 3), (2, 1, 3)]

CASES: dict[str, list[Case]] = {
    "extrema.chosen": [
        (lambda x: extrema.chosen("f", x, np.array([[2, 0], [1, 2]]), 1)[0], [(2, 3)]),
    ],
    "extrema.amax": [
        (extrema.amax, FULL),
        (lambda x: extrema.amax(x, -1), FULL),
        (lambda x: extrema.amax(x, (0, -1), keepdim=True), [(2, 3), (2, 1, 3)]),
    ],
    "extrema.amin": [
        (extrema.amin, FULL),
        (lambda x: extrema.amin(x, -1), FULL),
        (lambda x: extrema.amin(x, (0, -1), keepdim=True), [(2, 3), (2, 1, 3)]),
    ],
}
for _name in ("max", "min", "median"):
    _op = getattr(extrema, _name)
    CASES[f"extrema.{_name}"] = [
        (_op, FULL),
        (lambda x, op=_op: op(x, -1)[0], FULL),
        (lambda x, op=_op: op(x, 0, keepdim=True).values, FULL),
    ]
for _name in ("max", "min"):
    CASES[f"extrema.{_name}"].append((getattr(extrema, _name), [((2, 3), (3,)), ((), ())]))

NO_GRADIENT = {"extrema.argmax", "extrema.argmin"}
