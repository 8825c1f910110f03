"""What the cases of all topics are made of: shapes to try, and functions around an operation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinyrnn import Tensor

ONE = [(), (3,), (2, 3), (0,), (2, 0, 3), (2, 1, 3)]
TWO = [((), ()), ((2, 3), (2, 3)), ((2, 3), (3,)), ((2, 1), (1, 3)), ((), (2, 3)), ((2, 3), ()), ((0, 3), (1, 3))]

THREE = [((), (), ()), ((2, 3), (2, 3), (2, 3)), ((2, 3), (3,), (2, 1)), ((3,), (2, 1), ()), ((0, 3), (1, 3), ())]

Case = tuple[Callable[..., Any], list[Any]]  # a function of tensors, and the shapes to try it with


def one(op: Callable[..., Any]) -> list[Case]:
    return [(op, ONE)]


def two(op: Callable[..., Any]) -> list[Case]:
    return [(op, TWO), (lambda x: op(x, x), ONE)]


def positive(x: Tensor) -> Tensor:
    return x * x + 0.5


def within_1(x: Tensor) -> Tensor:
    """Between -0.91 and 0.91."""
    return x.tanh()


def clone_then(op: Callable[..., Any]) -> Callable[..., Any]:
    """`op`, which changes its first argument in place, on a clone, with a use of what it was before."""

    def changed(x: Tensor, *others: Tensor) -> Tensor:
        y = x * 1
        before = y.tanh()
        op(y, *others)
        return y * 2 + before

    return changed


def on_a_view(op: Callable[..., Any]) -> Callable[..., Any]:
    """`op` on a part of a clone: the rest has to keep its gradient, and other views to see the change."""

    def changed(x: Tensor, *others: Tensor) -> tuple[Tensor, ...]:
        y = x * 1
        other = y.t()
        op(y[1:], *others)
        return y, other

    return changed


def in_place(op: Callable[..., Any]) -> list[Case]:
    return [
        (clone_then(op), [((2, 3), (2, 3)), ((2, 3), (3,)), ((2, 3), ()), ((), ()), ((0, 3), (1, 3))]),
        (on_a_view(op), [((3, 2), (2, 2)), ((3, 2), ())]),
    ]
