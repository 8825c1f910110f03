"""Cases of gradient checks for ops/arranging.py."""

from __future__ import annotations

from gradient_cases.base import ONE, Case, one
from tinyrnn.ops import arranging

CASES: dict[str, list[Case]] = {
    "arranging.flip": [
        (lambda x: arranging.flip(x, 0, -1), [(2, 3), (2, 1, 3), (0, 2)]),
        *one(lambda x: arranging.flip(x, 0)),
    ],
    "arranging.fliplr": [(arranging.fliplr, [(2, 3), (2, 1, 3), (2, 0)])],
    "arranging.flipud": [(arranging.flipud, ONE[1:])],
    "arranging.roll": [
        (lambda x: arranging.roll(x, (1, -2), (0, -1)), [(2, 3), (2, 1, 3), (0, 2)]),
        *one(lambda x: arranging.roll(x, 2)),
    ],
    "arranging.rot90": [
        *[(lambda x, k=k: arranging.rot90(x, k), [(2, 3), (2, 1, 3), (2, 0)]) for k in range(4)],
        (lambda x: arranging.rot90(x, -1, (2, 0)), [(2, 1, 3)]),
    ],
}
