"""Cases of gradient checks for ops/casts.py."""

from __future__ import annotations

import tinyrnn
from gradient_cases.base import Case, one
from tinyrnn.ops import casts

CASES: dict[str, list[Case]] = {
    "casts.double": one(lambda x: casts.type_as(casts.double(x) * 2, x)),
    "casts.to": one(lambda x: casts.to(x, x.dtype, copy=True)),
    "casts.type": one(lambda x: casts.type(x, x.dtype) * 2),
    "casts.type_as": one(lambda x: casts.type_as(x, tinyrnn.ones(1, dtype=x.dtype)) * 2),
    "casts.cpu": one(lambda x: casts.cpu(x) * 2),
}
# To lose digits is no error of the derivative, but one of the differences; cuda has no result.
NO_GRADIENT = {f"casts.{name}" for name in ("half", "float", "byte", "char", "short", "int", "long", "bool", "cuda")}
