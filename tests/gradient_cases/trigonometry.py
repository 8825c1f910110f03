"""Cases of gradient checks for ops/trigonometry.py."""

from __future__ import annotations

from gradient_cases.base import Case, one, positive, two, within_1
from tinyrnn.ops import trigonometry

ANYWHERE = ["sin", "cos", "tan", "atan", "sinh", "cosh", "asinh", "deg2rad", "rad2deg"]

CASES: dict[str, list[Case]] = {
    **{f"trigonometry.{name}": one(getattr(trigonometry, name)) for name in ANYWHERE},
    **{
        f"trigonometry.{op.__name__}": one(lambda x, op=op: op(within_1(x)))
        for op in (trigonometry.asin, trigonometry.acos, trigonometry.atanh)
    },
    "trigonometry.acosh": one(lambda x: trigonometry.acosh(positive(x) + 1)),
    "trigonometry.atan2": two(trigonometry.atan2) + one(lambda x: trigonometry.atan2(x, 0.5)),
    "trigonometry.hypot": two(trigonometry.hypot) + one(lambda x: trigonometry.hypot(x, 0.5)),
}
