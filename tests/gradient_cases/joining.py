"""Cases of gradient checks for ops/joining.py."""

from __future__ import annotations

from gradient_cases.base import ONE, Case
from tinyrnn.ops import joining

CASES: dict[str, list[Case]] = {
    "joining.cat": [
        (lambda *xs: joining.cat(xs, 1), [((2, 3), (2, 1)), ((2, 0), (2, 3)), ((0,), (2, 3), (2, 2))]),
        (lambda x: joining.cat([x, 2 * x, x]), [(3,), (2, 3), (0,)]),
    ],
    "joining.stack": [
        (lambda *xs: joining.stack(xs, -1), [((), ()), ((2, 3), (2, 3)), ((0,), (0,))]),
        (lambda *xs: joining.stack(xs, 1), [((2, 3), (2, 3), (2, 3))]),
        (lambda x: joining.stack([x, 2 * x, x]), ONE),
    ],
    "joining.hstack": [(lambda *xs: joining.hstack(xs), [((), (3,)), ((2, 3), (2, 1)), ((2,), (0,))])],
    "joining.vstack": [(lambda *xs: joining.vstack(xs), [((3,), (2, 3)), ((), ()), ((2, 1, 3), (1, 1, 3))])],
    "joining.column_stack": [(lambda *xs: joining.column_stack(xs), [((2,), (2, 3)), ((), ()), ((2, 1), (2, 2))])],
    "joining.unbind": [(lambda x: joining.unbind(x, -1), [(3,), (2, 3), (0, 2)]), (lambda x: x.unbind()[1], [(2, 3)])],
    "joining.split": [
        (lambda x: joining.split(x, 2, -1), [(3,), (2, 5), (2, 1)]),
        (lambda x: joining.split(x, [1, 0, 2], -1)[::2], [(3,), (2, 3)]),
    ],
    "joining.split_with_sizes": [(lambda x: joining.split_with_sizes(x, [2, 1], -1), [(3,), (2, 3)])],
    "joining.chunk": [(lambda x: joining.chunk(x, 2, -1), [(3,), (2, 5), (2, 0)])],
    "joining.tensor_split": [
        (lambda x: joining.tensor_split(x, 3, -1), [(2,), (2, 5), (2, 0)]),
        (lambda x: joining.tensor_split(x, (2, 1, -1), -1), [(4,), (2, 5)]),
    ],
}
