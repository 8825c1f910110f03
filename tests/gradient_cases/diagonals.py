"""Cases of gradient checks for ops/diagonals.py."""

from __future__ import annotations

from gradient_cases.base import Case
from tinyrnn.ops import diagonals

CASES: dict[str, list[Case]] = {
    "diagonals.diagonal": [
        (diagonals.diagonal, [(2, 3), (3, 2, 2), (0, 3)]),
        (lambda x: diagonals.diagonal(x, -1, -1, 1), [(2, 3, 4), (2, 1, 1)]),
    ],
    "diagonals.diag": [(diagonals.diag, [(3,), (2, 3), (0,)]), (lambda x: diagonals.diag(x, -1), [(2,), (3, 2)])],
    "diagonals.diag_embed": [
        (diagonals.diag_embed, [(3,), (2, 3), (2, 0)]),
        (lambda x: diagonals.diag_embed(x, 1, -1, 0), [(3,), (2, 3)]),
    ],
    "diagonals.tril": [(diagonals.tril, [(2, 3), (2, 3, 2), (0, 3)]), (lambda x: diagonals.tril(x, -1), [(3, 3)])],
    "diagonals.triu": [(diagonals.triu, [(2, 3), (2, 3, 2), (0, 3)]), (lambda x: diagonals.triu(x, 1), [(3, 3)])],
}
