"""Cases of gradient checks for ops/bounds.py."""

from __future__ import annotations

from gradient_cases.base import THREE, TWO, Case, one
from tinyrnn.ops import bounds

CASES: dict[str, list[Case]] = {
    "bounds.maximum": [(bounds.maximum, TWO)],  # not with itself: a tie is a kink
    "bounds.minimum": [(bounds.minimum, TWO)],
    "bounds.fmax": [(bounds.fmax, TWO), *one(lambda x: bounds.fmax(x, 0.05))],
    "bounds.fmin": [(bounds.fmin, TWO), *one(lambda x: bounds.fmin(x, 0.05))],
    "bounds.clamp": [
        *one(lambda x: bounds.clamp(x, -0.5, 0.5)),
        *one(lambda x: bounds.clamp(x, min=-0.3)),
        *one(lambda x: bounds.clamp(x, max=0.3)),
        (bounds.clamp, THREE),
        (lambda x, y: bounds.clamp(x, min=y) + bounds.clamp(x, None, y) + bounds.clamp(x, -0.3, y), TWO),
    ],
    "bounds.clamp_min": [*one(lambda x: bounds.clamp_min(x, 0.3)), (bounds.clamp_min, TWO)],
    "bounds.clamp_max": [*one(lambda x: bounds.clamp_max(x, 0.3)), (bounds.clamp_max, TWO)],
}
