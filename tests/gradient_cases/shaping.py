"""Cases of gradient checks for ops/shaping.py."""

from __future__ import annotations

from gradient_cases.base import ONE, Case, one
from tinyrnn.ops import shaping

CASES: dict[str, list[Case]] = {
    "shaping.reshape": [(lambda x: shaping.reshape(x, -1), ONE[:4]), (lambda x: shaping.reshape(x, 3, 2), [(2, 3)])],
    "shaping.view": [(lambda x: shaping.view(x.clone(), 3, 1, -1), [(2, 3), (3,)])],
    "shaping.flatten": [*one(shaping.flatten), (lambda x: shaping.flatten(x, 1), [(2, 1, 3), (2, 3)])],
    "shaping.permute": [(lambda x: shaping.permute(x, 2, 0, -2), [(2, 1, 3), (2, 0, 3)])],
    "shaping.transpose": [(lambda x: shaping.transpose(x, 0, -1), ONE)],
    "shaping.t": [(shaping.t, ONE[:4])],
    "shaping.squeeze": [*one(shaping.squeeze), (lambda x: shaping.squeeze(x, (0, 1)), [(2, 1, 3), (1, 1, 2)])],
    "shaping.unsqueeze": [*one(lambda x: shaping.unsqueeze(x, -1)), *one(lambda x: shaping.unsqueeze(x, 0))],
    "shaping.expand": [(lambda x: shaping.expand(x, 2, -1, 3), [(2, 1, 3), (1, 1), (3, 1), (1, 0, 3)])],
    "shaping.cat": [
        (lambda *xs: shaping.cat(xs, 1), [((2, 3), (2, 1)), ((2, 0), (2, 3)), ((0,), (2, 3), (2, 2))]),
        (lambda x: shaping.cat([x, 2 * x, x]), [(3,), (2, 3), (0,)]),
    ],
    "shaping.stack": [
        (lambda *xs: shaping.stack(xs, -1), [((), ()), ((2, 3), (2, 3)), ((0,), (0,))]),
        (lambda x: shaping.stack([x, 2 * x, x]), ONE),
    ],
    "shaping.unbind": [(lambda x: shaping.unbind(x, -1), [(3,), (2, 3), (0, 2)]), (lambda x: x.unbind()[1], [(2, 3)])],
    "shaping.split": [
        (lambda x: shaping.split(x, 2, -1), [(3,), (2, 5), (2, 1)]),
        (lambda x: shaping.split(x, [1, 0, 2], -1)[::2], [(3,), (2, 3)]),
    ],
    "shaping.chunk": [(lambda x: shaping.chunk(x, 2, -1), [(3,), (2, 5), (2, 0)])],
}
