"""Cases of gradient checks for ops/inplace.py."""

from __future__ import annotations

from gradient_cases.base import Case, in_place, positive
from tinyrnn.ops import inplace

CASES: dict[str, list[Case]] = {
    "inplace.add_": in_place(inplace.add_),
    "inplace.sub_": in_place(inplace.sub_),
    "inplace.mul_": in_place(inplace.mul_),
    "inplace.div_": in_place(lambda x, y: inplace.div_(x, positive(y))),
    "inplace.pow_": in_place(lambda x, y: inplace.pow_(x, 3)) + in_place(lambda x, y: inplace.pow_(x, 1).mul_(y)),
    "inplace.neg_": in_place(lambda x, y: inplace.neg_(x)),
    "inplace.clamp_": in_place(lambda x, y: inplace.clamp_(x, -0.5, 0.5)),
    "inplace.copy_": in_place(inplace.copy_),
    "inplace.fill_": in_place(lambda x, y: inplace.fill_(x, y.sum())),
    "inplace.zero_": in_place(lambda x, y: inplace.zero_(x).add_(y)),
}
