"""Cases of gradient checks for ops/rounding.py: away from the steps."""

from __future__ import annotations

from gradient_cases.base import TWO, Case, one, positive
from tinyrnn.ops import rounding

CASES: dict[str, list[Case]] = {
    **{
        f"rounding.{op.__name__}": one(lambda x, op=op: op(3 * x) * x)
        for op in (rounding.floor, rounding.ceil, rounding.trunc, rounding.round, rounding.frac)
    },
    "rounding.floor_divide": [
        (lambda x, y: rounding.floor_divide(3 * x, positive(y)) * x, TWO),
        *one(lambda x: rounding.floor_divide(x, 0.3) * x),
    ],
    "rounding.rfloor_divide": one(lambda x: rounding.rfloor_divide(positive(x), 7.3) * x),
    "rounding.remainder": [
        (lambda x, y: rounding.remainder(3 * x, y), TWO),
        *one(lambda x: rounding.remainder(x, -0.3)),
    ],
    "rounding.rremainder": one(lambda x: rounding.rremainder(x, 7.3)),
    "rounding.fmod": [(lambda x, y: rounding.fmod(3 * x, y), TWO), *one(lambda x: rounding.fmod(x, -0.3))],
    "rounding.divided": [
        (lambda x, y: rounding.divided("div", 3 * x, positive(y), "floor") * x, TWO),
        (lambda x, y: rounding.divided("div", 3 * x, positive(y), "trunc") * x, TWO),
    ],
}
