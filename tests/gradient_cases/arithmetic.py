"""Cases of gradient checks for ops/arithmetic.py."""

from __future__ import annotations

from gradient_cases.base import THREE, TWO, Case, one, positive, two
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
        *one(lambda x: arithmetic.pow(2.5, x)),
    ],
    "arithmetic.neg": one(arithmetic.neg),
    "arithmetic.square": one(arithmetic.square),
    "arithmetic.float_power": two(lambda x, y: arithmetic.float_power(positive(x), y).to(x.dtype)),
    "arithmetic.rsub": one(lambda x: arithmetic.rsub(x, 2.5)) + two(arithmetic.rsub),
    "arithmetic.rdiv": one(lambda x: arithmetic.rdiv(positive(x), 2.5)),
    "arithmetic.rpow": one(lambda x: arithmetic.rpow(x, 2.5)),
    "arithmetic.addcmul": [
        (lambda x, a, b: arithmetic.addcmul(x, a, b, value=-2.5), THREE),
        *one(lambda x: arithmetic.addcmul(x, x, x)),
    ],
    "arithmetic.addcdiv": [(lambda x, a, b: arithmetic.addcdiv(x, a, positive(b), value=-2.5), THREE)],
    "arithmetic.lerp": [
        (arithmetic.lerp, THREE),
        (lambda x, y: arithmetic.lerp(x, y, 0.25) + arithmetic.lerp(x, y, 0.75), TWO),
        *one(lambda x: arithmetic.lerp(x, 2 * x, x)),
    ],
    "arithmetic.logaddexp": two(arithmetic.logaddexp) + one(lambda x: arithmetic.logaddexp(x, 0.5)),
}
