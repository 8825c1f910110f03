"""softmax, log_softmax and logsumexp: torch's numbers, also where exponentials overflow or vanish."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinyrnn
from tinyrnn import tensor

EXPRESSIONS = [
    *("a.softmax(-1)", "m.softmax(a, 0)", "m.softmax(a, dim=-1)", "a.log_softmax(-1)", "m.log_softmax(a, dim=0)"),
    *("a.logsumexp(-1)", "m.logsumexp(a, 0, True)", "a.logsumexp(dim=0, keepdim=True)"),
]
FAR = np.array(
    [[1000.0, -1000, 999], [-math.inf, 0, 1], [-math.inf, -math.inf, 1], [80, 90, 100], [-1e300, 1e300, 0], [0, 0, 0]]
)


@pytest.mark.parametrize("expression", EXPRESSIONS)
@given(st.lists(st.integers(0, 4), max_size=3), st.integers(0, 2**32 - 1), st.sampled_from(["float32", "float64"]))
def test_value_dtype_and_gradient_are_torchs(
    agree: Callable[..., None], expression: str, shape: list[int], seed: int, dtype: str
) -> None:
    a = np.asarray(np.random.default_rng(seed).normal(0, 3, shape))
    agree(lambda m, a: eval(expression), a.astype(dtype))


def test_values_are_pythons() -> None:
    x = [0.5, -1.0, 2.0]
    total = math.fsum(math.exp(v) for v in x)
    np.testing.assert_allclose(tensor(x, dtype=tinyrnn.float64).softmax(0).numpy(), [math.exp(v) / total for v in x])
    np.testing.assert_allclose(
        tensor(x, dtype=tinyrnn.float64).log_softmax(0).numpy(), [v - math.log(total) for v in x]
    )
    assert abs(tensor(x, dtype=tinyrnn.float64).logsumexp(0).item() - math.log(total)) < 1e-15


@pytest.mark.parametrize("expression", ["a.softmax(1)", "a.log_softmax(1)", "a.logsumexp(1)"])
def test_far_from_0_nothing_overflows(agree: Callable[..., None], expression: str) -> None:
    agree(lambda m, a: eval(expression), FAR)  # and no warning, which would be an error here


def test_the_logarithm_of_a_sum_of_nothing_is_minus_infinity(agree: Callable[..., None]) -> None:
    agree(lambda m, a: a.detach().logsumexp(1), np.full((2, 3), -math.inf))
    x = tinyrnn.full((3,), -math.inf, requires_grad=True)
    x.logsumexp(0).backward()
    assert x.grad.tolist() == [0, 0, 0]  # torch: NaN
    agree(lambda m, a: a.logsumexp(1), np.ones((2, 0)))
    agree(lambda m, a: a.logsumexp(0).detach(), np.array([math.inf, 1.0]))


@pytest.mark.parametrize("dim", [(0, 1), [0, 2], (-1, 0)])
@pytest.mark.parametrize("keepdim", [False, True])
def test_logsumexp_takes_several_axes(agree: Callable[..., None], dim: Any, keepdim: bool) -> None:
    a = np.random.default_rng(0).standard_normal((2, 3, 4))
    agree(lambda m, a: a.logsumexp(dim, keepdim), a)
    agree(lambda m, a: m.logsumexp(a, axis=dim, keepdims=keepdim) if m is tinyrnn else m.logsumexp(a, dim, keepdim), a)


def test_a_dtype_may_be_asked_for(agree: Callable[..., None]) -> None:
    for of in ("int64", "float32", "float64"):
        a = np.array([[1, 2], [3, 5]]).astype(of)
        agree(lambda m, a: m.softmax(a, 0, dtype=m.float64), a)
        agree(lambda m, a: a.log_softmax(-1, m.float32), a)
    agree(lambda m, a: a.logsumexp(0), np.array([1, 2]))


def test_float16_adds_up_to_1(agree: Callable[..., None]) -> None:
    a = (np.random.default_rng(0).standard_normal((3, 200)) * 10).astype(np.float16)
    agree(lambda m, a: (a.softmax(1), a.log_softmax(1)), a)
    assert abs(tensor(a).softmax(1).double().sum(1).numpy() - 1).max() < 1e-2


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_what_makes_no_sense_is_refused(name: str) -> None:
    op: Any = getattr(tinyrnn, name)
    with pytest.raises(TypeError, match=rf"^{name}: the tensor is int64, expected a floating dtype: .float\(\) it"):
        op(tensor([1, 2]), 0)
    with pytest.raises(TypeError, match="dim"):
        op(tinyrnn.ones(2))
    with pytest.raises(TypeError, match=rf"^{name}: dim is \(0, 1\), expected a whole number"):
        op(tinyrnn.ones(2, 2), (0, 1))
    for f in (op, tinyrnn.logsumexp):
        with pytest.raises(IndexError, match=rf"^{f.__name__}: dim 1 is out of range"):
            f(tinyrnn.ones(2), 1)
        with pytest.raises(TypeError, match=rf"^{f.__name__}: expected a tensor, got list"):
            f([1.0], 0)
