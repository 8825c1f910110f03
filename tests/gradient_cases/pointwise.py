"""Cases of gradient checks for ops/pointwise.py."""

from __future__ import annotations

import tinyrnn
from gradient_cases.base import Case, one, positive
from tinyrnn.ops import pointwise

CASES: dict[str, list[Case]] = {
    "pointwise.exp": one(pointwise.exp),
    "pointwise.log": one(lambda x: pointwise.log(positive(x))),
    "pointwise.sqrt": one(lambda x: pointwise.sqrt(positive(x))),
    "pointwise.sin": one(pointwise.sin),
    "pointwise.cos": one(pointwise.cos),
    "pointwise.tanh": one(pointwise.tanh),
    "pointwise.sigmoid": one(pointwise.sigmoid),
    "pointwise.relu": one(pointwise.relu),
    "pointwise.abs": one(pointwise.abs),
    "pointwise.clamp": [
        *one(lambda x: pointwise.clamp(x, -0.5, 0.5)),
        *one(lambda x: pointwise.clamp(x, min=-0.3)),
        *one(lambda x: pointwise.clamp(x, max=0.3)),
    ],
    "pointwise.clone": one(pointwise.clone),
    "pointwise.cast": one(lambda x: pointwise.cast(x, tinyrnn.float64) * 2),  # to float32, see test_pointwise.py
}
