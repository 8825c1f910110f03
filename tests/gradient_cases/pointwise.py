"""Cases of gradient checks for ops/pointwise.py."""

from __future__ import annotations

import tinyrnn
from gradient_cases.base import Case, one, positive
from tinyrnn.ops import pointwise

CASES: dict[str, list[Case]] = {
    "pointwise.exp": one(pointwise.exp),
    "pointwise.exp2": one(pointwise.exp2),
    "pointwise.expm1": one(pointwise.expm1),
    "pointwise.log": one(lambda x: pointwise.log(positive(x))),
    "pointwise.log1p": one(lambda x: pointwise.log1p(positive(x))),
    "pointwise.log2": one(lambda x: pointwise.log2(positive(x))),
    "pointwise.log10": one(lambda x: pointwise.log10(positive(x))),
    "pointwise.sqrt": one(lambda x: pointwise.sqrt(positive(x))),
    "pointwise.rsqrt": one(lambda x: pointwise.rsqrt(positive(x))),
    "pointwise.reciprocal": one(lambda x: pointwise.reciprocal(positive(x))),
    "pointwise.tanh": one(pointwise.tanh),
    "pointwise.sigmoid": one(pointwise.sigmoid),
    "pointwise.logit": [
        *one(lambda x: pointwise.logit(x.sigmoid())),
        *one(lambda x: pointwise.logit(x, 0.3)),  # clamped for the most part
    ],
    "pointwise.erf": one(pointwise.erf),
    "pointwise.relu": one(pointwise.relu),
    "pointwise.abs": one(pointwise.abs),
    "pointwise.sign": one(lambda x: pointwise.sign(x) * x),
    "pointwise.sgn": one(lambda x: pointwise.sgn(x) * x),
    "pointwise.nan_to_num": one(pointwise.nan_to_num),
    "pointwise.positive": one(lambda x: pointwise.positive(x) * 2),
    "pointwise.clone": one(pointwise.clone),
    "pointwise.cast": one(lambda x: pointwise.cast(x, tinyrnn.float64) * 2),  # to float32, see test_pointwise.py
}
NO_GRADIENT = {"pointwise.detach"}
