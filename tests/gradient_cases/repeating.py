"""Cases of gradient checks for ops/repeating.py."""

from __future__ import annotations

from gradient_cases.base import ONE, Case, one
from tinyrnn import tensor
from tinyrnn.ops import repeating

CASES: dict[str, list[Case]] = {
    "repeating.expand": [(lambda x: repeating.expand(x, 2, -1, 3), [(2, 1, 3), (1, 1), (3, 1), (1, 0, 3)])],
    "repeating.expand_as": [
        (lambda x, y: repeating.expand_as(x, y) * y, [((3,), (2, 3)), ((), (2,)), ((1, 0), (2, 0))])
    ],
    "repeating.broadcast_to": [(lambda x: repeating.broadcast_to(x, (2, 2, 3)), [(3,), (2, 1), ()])],
    "repeating.broadcast_tensors": [
        (repeating.broadcast_tensors, [((3,), (2, 1)), ((), (2, 3), (1, 1)), ((0,), (1,))])
    ],
    "repeating.repeat": [
        (lambda x: repeating.repeat(x, 2, 1, 3), [(3,), (2, 3), (2, 1, 3), (), (0, 2)]),
        (lambda x: repeating.repeat(x, 1, 0), [(2, 3)]),
        (lambda x: repeating.repeat(x, *x.shape), ONE),
    ],
    "repeating.tile": [
        (lambda x: repeating.tile(x, 2), [(), (3,), (2, 3)]),
        (lambda x: repeating.tile(x, 2, 1, 2), ONE[:3]),
    ],
    "repeating.repeat_interleave": [
        (lambda x: repeating.repeat_interleave(x, tensor([2, 0, 1]), -1), [(3,), (2, 3)]),
        *one(lambda x: repeating.repeat_interleave(x, 2)),
        (lambda x: repeating.repeat_interleave(x, 2, 0), ONE),
    ],
    "repeating.meshgrid": [
        (lambda *xs: repeating.meshgrid(*xs, indexing="xy"), [((2,), (3,)), ((3,),), ((2,), (), (3,)), ((0,), (2,))]),
        (lambda *xs: repeating.meshgrid(*xs, indexing="ij"), [((2,), (3,)), ((2,), (1,), (3,))]),
    ],
}
