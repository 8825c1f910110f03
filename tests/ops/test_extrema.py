"""The largest and the smallest: torch's values, places, forms and gradients, with ties and NaN."""

from __future__ import annotations

import copy
import pickle
import statistics
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinyrnn
from tinyrnn import tensor

FORMS = [
    *("a.{f}()", "a.{f}(0)", "a.{f}(-1, True)", "a.{f}(dim=-1, keepdim=True)", "m.{f}(a, 0)", "m.{f}(a, dim=-1)[0]"),
    *("a.{f}(a * 2)", "m.{f}(a, a * 0.5)", "a.{f}(other=a * 2)", "a.{f}(-1)[1]", "a.{f}(0).values"),
    *("a.{f}(dim=0).indices", "m.a{f}(a)", "a.a{f}(-1)", "a.a{f}(0, True)", "a.a{f}(dim=(0, -1), keepdim=True)"),
    *("a.a{f}(())", "a.arg{f}()", "m.arg{f}(a, -1)", "a.arg{f}(dim=0, keepdim=True)", "a.arg{f}(keepdim=True)"),
]
MEDIANS = ["a.median()", "m.median(a, -1)", "a.median(0, True)", "a.median(dim=0).values", "a.median(-1, keepdim=True)"]
ALL = [form.format(f=f) for form in FORMS for f in ("max", "min")]


@pytest.mark.parametrize("expression", ALL + MEDIANS)
@given(
    st.lists(st.integers(1, 4), min_size=2, max_size=3),
    st.integers(0, 2**32 - 1),
    st.sampled_from(["float32", "float64", "int64"]),
)
def test_value_place_dtype_and_gradient_are_torchs(
    agree: Callable[..., None], expression: str, shape: list[int], seed: int, dtype: str
) -> None:
    a = np.random.default_rng(seed).permutation(np.prod(shape)).reshape(shape) + 1
    agree(lambda m, a: eval(expression), a.astype(dtype))


@pytest.mark.parametrize("expression", [e for e in ALL + MEDIANS if "(0, -1)" not in e])
def test_of_a_single_number_too(agree: Callable[..., None], expression: str) -> None:
    agree(lambda m, a: eval(expression), np.array(2.5))


def test_values_are_pythons() -> None:
    x = [3.0, -1.0, 2.0, 7.0, 0.5, 2.25]
    t = tensor(x)
    assert (t.max().item(), t.min().item(), t.median().item()) == (max(x), min(x), statistics.median_low(x))
    assert (t.argmax().item(), t.argmin().item()) == (3, 1)
    assert t.median(0).indices.item() == 2


@pytest.mark.parametrize("expression", [e for e in ALL if "arg" not in e])
def test_equal_ones_share_the_gradient_or_the_first_has_it_all(agree: Callable[..., None], expression: str) -> None:
    agree(lambda m, a: eval(expression), np.array([[1.0, 3, 3, 1], [2, 2, 1, 2], [5, 5, 5, 5]]))


@pytest.mark.parametrize("expression", ["a.{}()", "a.{}(0)[0]", "a.arg{}(1)", "a.arg{}()", "a.{}(1)"])
@pytest.mark.parametrize("f", ["max", "min"])
def test_nan_is_larger_and_smaller_than_any_number(agree: Callable[..., None], expression: str, f: str) -> None:
    agree(lambda m, a: eval(expression.format(f)), np.array([[1.0, np.nan, 3], [np.nan, 0, np.nan], [1, 2, 3]]))


def test_the_median_of_what_holds_nan_is_nan(agree: Callable[..., None]) -> None:
    agree(lambda m, a: (a.median(), *a.median(1)), np.array([[1.0, np.nan, 3], [1, 2, 3]]))
    x = tensor([[1.0, np.nan, 3, np.nan]], requires_grad=True)
    y = x.amax(1)
    y.sum().backward()
    assert np.isnan(y.item())
    assert x.grad.tolist() == [[0, 0.5, 0, 0.5]]  # torch: NaN everywhere


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int32"])
def test_whole_numbers_and_bools(agree: Callable[..., None], dtype: str) -> None:
    a = np.array([[0, 1], [0, 0]]).astype(dtype)
    for expression in ("a.max()", "a.min(1)", "a.max(0)", "a.amax(0)", "a.amin()"):
        agree(lambda m, a, e=expression: eval(e), a)
    assert tensor(a).argmax(1).tolist() == [1, 0]  # of bools too, which torch refuses


def test_what_is_empty_along_the_dim_has_no_largest(agree: Callable[..., None]) -> None:
    agree(lambda m, a: (*a.max(1), a.amax(1), a.argmin(1)), np.ones((0, 3)))
    x = tinyrnn.ones(0, 3)
    for name in ("max", "min", "amax", "amin", "argmax", "argmin", "median"):
        for op in (getattr(x, name), lambda name=name: getattr(x, name)(0)):
            with pytest.raises(
                ValueError, match=rf"^{name}: of a tensor of shape .*0, 3.* there is no element to choose"
            ):
                op()


def test_it_prints_as_torchs_does() -> None:
    assert repr(tensor([[1.0, 2.0]]).max(1)) == "tinyrnn.return_types.max(\nvalues=tensor([2.]),\nindices=tensor([1]))"
    assert repr(tensor([1, 2, 3]).median(0)) == "tinyrnn.return_types.median(\nvalues=tensor(2),\nindices=tensor(1))"


def test_the_pair_unpacks_and_can_be_copied() -> None:
    pair = tensor([[1.0, 5.0], [4.0, 2.0]]).max(1)
    values, indices = pair
    assert (values.tolist(), indices.tolist()) == ([5, 4], [1, 0])
    for other in (copy.deepcopy(pair), pickle.loads(pickle.dumps(pair))):
        assert type(other) is type(pair)
        assert other.indices.tolist() == [1, 0]


def test_indices_that_are_changed_before_backward_are_noticed() -> None:
    x = tensor([[1.0, 5.0], [4.0, 2.0]], requires_grad=True)
    values, indices = x.max(1)
    indices.zero_()
    with pytest.raises(RuntimeError, match=r"'max'.*changed in place"):
        values.sum().backward()


@pytest.mark.parametrize("name", ["max", "min", "amax", "amin", "argmax", "argmin", "median"])
def test_axes_that_are_not_there_are_refused(name: str) -> None:
    op: Any = getattr(tinyrnn, name)
    with pytest.raises(IndexError, match=f"^{name}: dim 2 is out of range for a tensor of 2 axes"):
        op(tinyrnn.ones(2, 3), 2)
    with pytest.raises(TypeError, match=f"^{name}: dim is 0.5, expected a whole number"):
        op(tinyrnn.ones(2, 3), 0.5)
    with pytest.raises(TypeError, match=f"^{name}: expected a tensor, got list"):
        op([1.0])
    assert op(tinyrnn.ones(2, 3), axis=0, keepdims=True)[0].shape[-1] == 3
