"""Variances and norms: torch's numbers, forms and warnings, and Python's values."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinyrnn
from tinyrnn import tensor

SPREADS = ["var", "std", "var_mean", "std_mean"]
FORMS = [
    *(
        "()",
        "(0)",
        "(-1)",
        "((0, 2))",
        "(False)",
        "(True)",
        "(0, False)",
        "(0, True, True)",
        "(-1, False, keepdim=True)",
    ),
    *("(unbiased=False)", "(dim=0, unbiased=False)", "(correction=0)", "(1, correction=2)", "(None, correction=0.5)"),
    *("(dim=(0, 1), keepdim=True)", "(dim=-1, correction=0, keepdim=True)"),
]
NORMS = [
    *("()", "('fro')", "(2)", "(1)", "(3)", "(0.5)", "(1.5)", "(-1)", "(0)", "(math.inf)", "(-math.inf)", "(None)"),
    *(
        "(2, 0)",
        "(1, (0, 2))",
        "(3, dim=-1, keepdim=True)",
        "(p=2, dim=[0])",
        "(math.inf, 1)",
        "(-math.inf, (0, 1), True)",
    ),
    *("(dim=1)", "(0, -1)", "('fro', (1, 2))"),
]


def call(name: str, form: str) -> Callable[..., Any]:
    """Of the tensor's method, or where there is none, of the function."""

    def op(m: Any, x: Any) -> Any:
        if name.endswith("_mean"):
            return eval("m." + name + "(x, " + form[1:])
        return eval("x." + name + form)

    return op


@pytest.mark.parametrize("name", SPREADS)
@pytest.mark.parametrize("form", FORMS)
def test_spreads_are_torchs_in_every_form(agree: Callable[..., None], name: str, form: str) -> None:
    x = np.random.default_rng(0).normal(5, 2, (4, 3, 5))
    agree(call(name, form), x)
    agree(call(name, form), x.astype(np.float32))


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=9))
def test_values_are_pythons(x: list[float]) -> None:
    x64 = tensor(x, dtype=tinyrnn.float64)
    for ours, pythons in (
        (x64.var(), statistics.variance(x)),
        (x64.std(), statistics.stdev(x)),
        (x64.var(unbiased=False), statistics.pvariance(x)),
        (tinyrnn.std_mean(x64)[1], statistics.fmean(x)),
        (x64.norm(), math.hypot(*x)),
        (x64.norm(1), math.fsum(map(abs, x))),
        (x64.norm(math.inf), max(map(abs, x))),
    ):
        assert abs(ours.item() - pythons) <= 1e-12 * max(map(abs, x)) ** 2 + 1e-12 * abs(pythons) + 1e-150


@pytest.mark.filterwarnings("ignore:invalid value")  # NumPy's, of the mean of nothing
@pytest.mark.parametrize("name", SPREADS)
@pytest.mark.parametrize(
    ("shape", "form"), [((1,), "()"), ((2, 0), "(1)"), ((0,), "()"), ((2,), "(correction=3)"), ((), "()")]
)
def test_too_few_degrees_of_freedom_warn_as_in_torch(torch: ModuleType, name: str, shape: Any, form: str) -> None:
    outcomes = []
    for m in (tinyrnn, torch):
        with pytest.warns(UserWarning, match="degrees of freedom is <= 0") as warned:
            results = call(name, form)(m, m.ones(shape))
        outcomes.append([r.tolist() for r in (results if isinstance(results, tuple) else (results,))])
        messages = [str(w.message).split(" (Triggered")[0] for w in warned]
        outcomes.append(messages[:1])
    np.testing.assert_equal(outcomes[0], outcomes[2])
    assert outcomes[1] == outcomes[3]


@pytest.mark.parametrize("name", SPREADS)
def test_the_warning_points_at_the_caller(name: str) -> None:
    with pytest.warns(UserWarning, match="degrees of freedom") as warned:
        getattr(tinyrnn, name)(tinyrnn.ones(1))
    assert warned[0].filename == __file__


@pytest.mark.filterwarnings("ignore:std.*degrees of freedom", "ignore:var.*degrees of freedom")
def test_without_spread_the_gradient_of_std_is_0_and_without_freedom_nan(agree: Callable[..., None]) -> None:
    agree(lambda m, x: x.std(1), np.array([[2.0, 2, 2], [1, 2, 3]]))
    agree(lambda m, x: x.var(1), np.ones((2, 1)))
    agree(lambda m, x: x.std(1), np.ones((2, 1)))


def test_float16_does_not_overflow(agree: Callable[..., None]) -> None:
    x = (np.random.default_rng(0).standard_normal((50, 60)) * 30).astype(np.float16)
    agree(lambda m, x: (x.var(), x.std(0), x.norm(), x.norm(3, 0)), x)


@pytest.mark.parametrize("form", NORMS)
def test_norms_are_torchs_in_every_form(agree: Callable[..., None], form: str) -> None:
    x = np.random.default_rng(0).standard_normal((2, 3, 4))
    agree(call("norm", form), x)
    agree(lambda m, x: eval("m.norm(x, " + form[1:]), x.astype(np.float32))


@pytest.mark.parametrize("p", [None, 1, 2, 3, 1.5, 0, -1, -2.5, math.inf, -math.inf])
def test_norms_at_zeros_ties_and_of_nothing_are_torchs(agree: Callable[..., None], p: Any) -> None:
    agree(lambda m, x: x.norm(p, 1), np.array([[0.0, 0, 0], [2, -2, 0], [0, 0, 3], [1, 1, -1]]))
    agree(lambda m, x: x.norm(p), np.array(-2.0))
    if p not in (math.inf, -1, -2.5, -math.inf):
        agree(lambda m, x: x.norm(p), np.ones((0, 2)))


def test_a_norm_may_be_taken_in_another_dtype(agree: Callable[..., None]) -> None:
    agree(lambda m, x: x.norm(dtype=m.float64), np.array([3, 4], np.float32))
    assert tensor([3, 4]).norm(dtype=tinyrnn.float32).item() == 5


def test_numpys_names(agree: Callable[..., None]) -> None:
    x = np.random.default_rng(0).standard_normal((2, 3))
    agree(
        lambda m, x: x.std(axis=0, keepdims=True) + x.norm(1) if m is tinyrnn else x.std(0, keepdim=True) + x.norm(1), x
    )


def test_what_makes_no_sense_is_refused() -> None:
    for name in (*SPREADS, "norm"):
        with pytest.raises(TypeError, match=rf"^{name}: the input is int64, expected a floating dtype: .float\(\)"):
            getattr(tinyrnn, name)(tensor([1, 2]))
        with pytest.raises(IndexError, match=f"^{name}: dim 2 is out of range"):
            getattr(tinyrnn, name)(tinyrnn.ones(2, 2), dim=2)
        with pytest.raises(TypeError, match=f"^{name}: expected a tensor, got list"):
            getattr(tinyrnn, name)([1.0])
    with pytest.raises(TypeError, match=r"^var: both unbiased and correction are given"):
        tinyrnn.ones(2).var(0, True, correction=1)
    with pytest.raises(TypeError, match=r"^std: correction is str, expected a number"):
        tinyrnn.ones(2).std(correction="1")
    with pytest.raises(ValueError, match=r"^norm: a tensor of shape \(0, 2\) has no norm with p = -1, expected"):
        tinyrnn.ones(0, 2).norm(-1)
    with pytest.raises(ValueError, match=r"^norm: p is 'nuc', expected a number, inf, -inf or 'fro'"):
        tinyrnn.ones(2, 2).norm("nuc")


def test_a_change_of_the_result_that_the_gradient_reads_is_noticed() -> None:
    for op in (lambda x: x.std(), lambda x: x.norm(), lambda x: x.std(0, keepdim=True)):
        x = tensor([1.0, 2.0, 4.0], requires_grad=True)
        y = op(x)
        z = (y * 1).sum()
        y.mul_(2)
        with pytest.raises(RuntimeError, match="changed in place"):
            z.backward()
