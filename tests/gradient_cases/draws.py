"""Cases of gradient checks for ops/draws.py: what is drawn in place of a value leaves none of its gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gradient_cases.base import Case, in_place
from tinyrnn import Tensor
from tinyrnn.ops import draws
from tinyrnn.random import Generator


def drawn(op: Callable[..., Any]) -> list[Case]:
    """`op`, with the same numbers each time."""

    def from_one_seed(x: Tensor, y: Tensor) -> Tensor:
        return op(x, generator=Generator()).mul_(y)

    return in_place(from_one_seed)


CASES: dict[str, list[Case]] = {
    "draws.uniform_": drawn(draws.uniform_),
    "draws.normal_": drawn(draws.normal_),
    "draws.exponential_": drawn(draws.exponential_),
    "draws.bernoulli_": drawn(draws.bernoulli_),
    "draws.random_": drawn(lambda x, generator: draws.random_(x, 10, generator=generator)),
}
NO_GRADIENT = {"draws.bernoulli", "draws.multinomial"}
