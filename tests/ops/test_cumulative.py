"""Products and running sums: torch's numbers, and Python's; the gradients are right at zeros too."""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinyrnn
from tinyrnn import tensor
from tinyrnn.autograd.gradcheck import gradcheck

EXPRESSIONS = ["a.cumsum(-1)", "m.cumsum(a, 0)", "a.cumprod(-1)", "m.cumprod(a, dim=0)"]
PRODUCTS = ["a.prod()", "m.prod(a, 0)", "a.prod(-1, keepdim=True)", "a.prod(dim=0, keepdim=True)"]


@pytest.mark.parametrize("expression", EXPRESSIONS + PRODUCTS)
@given(
    st.lists(st.integers(0, 4), max_size=3), st.integers(0, 2**32 - 1), st.sampled_from(["float32", "float64", "int32"])
)
def test_value_dtype_and_gradient_are_torchs(
    agree: Callable[..., None], expression: str, shape: list[int], seed: int, dtype: str
) -> None:
    a = np.asarray(np.random.default_rng(seed).integers(0, 4, shape)) * 0.5  # zeros among them, up to several
    agree(lambda m, a: eval(expression), (a if dtype[0] == "f" else 2 * a).astype(dtype))


def test_values_are_pythons() -> None:
    x = [1.5, -2.0, 0.25, 3.0]
    assert tensor(x).cumsum(0).tolist() == list(itertools.accumulate(x))
    assert tensor(x).cumprod(0).tolist() == list(itertools.accumulate(x, operator.mul))
    assert tensor(x).prod().item() == math.prod(x)


@pytest.mark.parametrize("zeros", [[], [0], [1], [0, 2], [3], [0, 1, 2, 3], [2, 3]])
def test_the_gradient_at_zeros_is_the_difference_quotient(zeros: list[int]) -> None:
    x = np.array([[1.5, -2.0, 0.25, 3.0], [0.5, 1.0, -1.0, 2.0]])
    x[0, zeros] = 0
    for op in (lambda x: x.prod(), lambda x: x.prod(1), lambda x: x.cumprod(1), lambda x: x.cumprod(0)):
        assert gradcheck(op, [tensor(x, requires_grad=True)], rtol=1e-7)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", "int64"])
def test_whole_numbers_become_int64(agree: Callable[..., None], dtype: str) -> None:
    a = np.array([[100, 1, 100], [1, 1, 0]]).astype(dtype)
    for expression in EXPRESSIONS + PRODUCTS:
        agree(lambda m, a, e=expression: eval(e), a)


@pytest.mark.parametrize("name", ["cumsum", "cumprod", "prod"])
@pytest.mark.parametrize("to", ["float32", "float64", "int32"])
def test_a_dtype_may_be_asked_for(agree: Callable[..., None], name: str, to: str) -> None:
    for of in ("float32", "float64", "int64") if to[0] == "f" else ("int64",):
        agree(lambda m, a: getattr(m, name)(a, 0, dtype=getattr(m, to)), np.array([[1.5, 2], [3, 4]]).astype(of))


def test_float32_is_added_up_without_losing_digits() -> None:
    sums = tinyrnn.full((1_000_000,), 0.1).cumsum(0)
    assert sums.dtype == tinyrnn.float32
    assert abs(sums[-1].item() / 1e5 - 1) < 1e-6


def test_a_single_number_and_numpys_names(agree: Callable[..., None]) -> None:
    for expression in ("a.cumsum(0)", "a.cumprod(-1)", "a.prod()", "a.prod(0)", "a.prod(0, True)"):
        agree(lambda m, a, e=expression: eval(e), np.array(2.5))
    agree(lambda m, a: a.cumsum(axis=0) + a.prod(axis=0, keepdims=True), np.array([[2.5, 1.0], [1.0, 2.0]]))


@pytest.mark.parametrize("name", ["cumsum", "cumprod", "prod"])
def test_what_makes_no_sense_is_refused(name: str) -> None:
    op: Any = getattr(tinyrnn, name)
    with pytest.raises(IndexError, match=f"^{name}: dim 2 is out of range for a tensor of 2 axes"):
        op(tinyrnn.ones(2, 3), 2)
    with pytest.raises(IndexError, match=f"^{name}: dim 1 is out of range for a tensor of 0 axes"):
        op(tensor(1.0), 1)
    with pytest.raises(TypeError, match=f"^{name}: dim is 0.5, expected a whole number"):
        op(tinyrnn.ones(2), 0.5)
    with pytest.raises(TypeError, match=f"^{name}: 'float99' is not a dtype"):
        op(tinyrnn.ones(2), 0, dtype="float99")
    with pytest.raises(TypeError, match=f"^{name}: expected a tensor, got list"):
        op([1.0], 0)


def test_a_change_of_what_a_product_was_made_of_is_noticed() -> None:
    for op in (lambda x: x.prod(), lambda x: x.cumprod(0)):
        x = tinyrnn.ones(3, requires_grad=True) * 2
        y = op(x).sum()
        x.add_(1)
        with pytest.raises(RuntimeError, match="changed in place"):
            y.backward()
