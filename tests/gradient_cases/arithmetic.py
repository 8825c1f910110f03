"""Cases of gradient checks for ops/arithmetic.py."""

from __future__ import annotations

from gradient_cases.base import TWO, Case, one, positive, two
from tinyrnn.ops import arithmetic

CASES: dict[str, list[Case]] = {
    "arithmetic.add": two(arithmetic.add) + two(lambda x, y: arithmetic.add(x, y, alpha=-2.5)),
    "arithmetic.sub": two(arithmetic.sub) + two(lambda x, y: arithmetic.sub(x, y, alpha=-2.5)),
    "arithmetic.mul": two(arithmetic.mul),
    "arithmetic.div": two(lambda x, y: arithmetic.div(x, positive(y))),
    "arithmetic.pow": [
        *two(lambda x, y: arithmetic.pow(positive(x), y)),
        *(case for n in (-1.5, -1, 0.5, 1, 2, 3) for case in one(lambda x, n=n: arithmetic.pow(positive(x), n))),
        *one(lambda x: arithmetic.pow(x, 3)),
        *one(lambda x: arithmetic.pow(x, 0) + x),
    ],
    "arithmetic.neg": one(arithmetic.neg),
    "arithmetic.square": one(arithmetic.square),
    "arithmetic.rsub": one(lambda x: arithmetic.rsub(x, 2.5)) + two(arithmetic.rsub),
    "arithmetic.rdiv": one(lambda x: arithmetic.rdiv(positive(x), 2.5)),
    "arithmetic.rpow": one(lambda x: arithmetic.rpow(x, 2.5)),
    "arithmetic.maximum": [(arithmetic.maximum, TWO)],  # not with itself: a tie is a kink
    "arithmetic.minimum": [(arithmetic.minimum, TWO)],
}
