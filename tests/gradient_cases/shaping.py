"""Cases of gradient checks for ops/shaping.py."""

from __future__ import annotations

from gradient_cases.base import ONE, Case, one
from tinyrnn.ops import shaping

CASES: dict[str, list[Case]] = {
    "shaping.reshape": [(lambda x: shaping.reshape(x, -1), ONE[:4]), (lambda x: shaping.reshape(x, 3, 2), [(2, 3)])],
    "shaping.reshape_as": [(lambda x, y: shaping.reshape_as(x, y) * y, [((2, 3), (3, 2)), ((), (1,))])],
    "shaping.view": [(lambda x: shaping.view(x.contiguous(), 3, 1, -1), [(2, 3), (3,)])],
    "shaping.view_as": [(lambda x, y: shaping.view_as(x.contiguous(), y) * y, [((2, 3), (3, 2)), ((), (1,))])],
    "shaping.ravel": one(shaping.ravel),
    "shaping.flatten": [*one(shaping.flatten), (lambda x: shaping.flatten(x, 1), [(2, 1, 3), (2, 3)])],
    "shaping.unflatten": [(lambda x: shaping.unflatten(x, -1, (3, -1)), [(3,), (2, 6), (2, 0, 3)])],
    "shaping.contiguous": one(shaping.contiguous),
    "shaping.permute": [(lambda x: shaping.permute(x, 2, 0, -2), [(2, 1, 3), (2, 0, 3)])],
    "shaping.transpose": [(lambda x: shaping.transpose(x, 0, -1), ONE)],
    "shaping.swapaxes": [(lambda x: shaping.swapaxes(x, 0, -1), ONE)],
    "shaping.movedim": [(lambda x: shaping.movedim(x, (0, -1), (1, 0)), [(2, 1, 3), (2, 3), (2, 2, 1, 3)])],
    "shaping.t": [(shaping.t, ONE[:4])],
    "shaping.squeeze": [*one(shaping.squeeze), (lambda x: shaping.squeeze(x, (0, 1)), [(2, 1, 3), (1, 1, 2)])],
    "shaping.unsqueeze": [*one(lambda x: shaping.unsqueeze(x, -1)), *one(lambda x: shaping.unsqueeze(x, 0))],
}
NO_GRADIENT = {"shaping.is_contiguous"}
