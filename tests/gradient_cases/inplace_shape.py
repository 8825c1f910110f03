"""Cases of gradient checks for ops/inplace_shape.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gradient_cases.base import ONE, Case
from tinyrnn import Tensor
from tinyrnn.ops import inplace_shape


def reshaped(op: Callable[..., Any]) -> list[Case]:
    """`op` on a tensor that was used before, has a view, and is changed after; and on a view of another."""

    def changed(x: Tensor) -> tuple[Tensor, ...]:
        y = x * 1
        before, part = y.tanh(), y[...]
        op(y)
        y.mul_(3)
        return y, before, part * 2

    def changed_view(x: Tensor) -> tuple[Tensor, ...]:
        y = x * 1
        part = y[...]
        op(part)
        after = part * 2
        part.mul_(3)
        return y, after, part

    return [(changed, ONE), (changed_view, ONE)]


CASES: dict[str, list[Case]] = {
    "inplace_shape.squeeze_": reshaped(inplace_shape.squeeze_),
    "inplace_shape.unsqueeze_": reshaped(lambda x: inplace_shape.unsqueeze_(x, -1)),
    "inplace_shape.t_": [(op, ONE[:4]) for op, _ in reshaped(inplace_shape.t_)],
    "inplace_shape.transpose_": reshaped(lambda x: inplace_shape.transpose_(x, 0, -1)),
    "inplace_shape.swapaxes_": reshaped(lambda x: inplace_shape.swapaxes_(x, 0, -1)),
}
