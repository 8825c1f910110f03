"""Order and counting: torch's values, places and gradients, and Python's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinyrnn
from tinyrnn import tensor

EXPRESSIONS = [
    *("a.sort()", "m.sort(a, 0)", "a.sort(-1, True)", "a.sort(dim=0, descending=True)", "a.sort(stable=True, dim=-1)"),
    *("a.argsort()", "m.argsort(a, 0)", "a.argsort(descending=True)", "a.argsort(-1, True)", "a.argsort(stable=True)"),
    *("a.topk(1)", "m.topk(a, 1, 0)", "a.topk(1, largest=False)", "a.topk(k=1, dim=0).values", "a.topk(1).indices"),
    *("a.topk(a.shape[-1] if a.ndim else 1)", "a.topk(1, -1, True, True)"),
]


@pytest.mark.parametrize("expression", EXPRESSIONS)
@given(
    st.lists(st.integers(1, 5), max_size=3), st.integers(0, 2**32 - 1), st.sampled_from(["float32", "float64", "int64"])
)
def test_value_place_dtype_and_gradient_are_torchs(
    agree: Callable[..., None], expression: str, shape: list[int], seed: int, dtype: str
) -> None:
    a = np.random.default_rng(seed).permutation(np.prod(shape, dtype=int)).reshape(shape) + 1
    agree(lambda m, a: eval(expression), a.astype(dtype))


@pytest.mark.parametrize("descending", [False, True])
def test_equal_ones_keep_their_order(agree: Callable[..., None], descending: bool) -> None:
    a = np.random.default_rng(0).integers(0, 3, (4, 30))
    for dim in (0, 1):
        for dtype in ("float64", "uint8", "bool"):
            agree(lambda m, a, d=dim: a.sort(dim=d, descending=descending, stable=True), a.astype(dtype))
            agree(lambda m, a, d=dim: a.argsort(dim=d, descending=descending, stable=True), a.astype(dtype))
    x = tensor([2, 1, 2, 1, 2])
    assert x.sort(descending=descending).indices.tolist() == ([0, 2, 4, 1, 3] if descending else [1, 3, 0, 2, 4])
    assert x.topk(4, largest=descending).indices.tolist() == ([0, 2, 4, 1] if descending else [1, 3, 0, 2])


def test_nan_is_the_largest(agree: Callable[..., None]) -> None:
    a = np.array([1.0, np.nan, -np.inf, np.inf, 0.0])
    agree(lambda m, a: (*a.sort(), *a.sort(descending=True), *a.topk(3), *a.topk(2, largest=False)), a)


@pytest.mark.parametrize("k", [0, 1, 7, 1500])
@pytest.mark.parametrize("largest", [True, False])
def test_topk_of_many_is_torchs(agree: Callable[..., None], k: int, largest: bool) -> None:
    a = np.random.default_rng(0).permutation(3000).reshape(2, 1500).astype(float)
    agree(lambda m, a: a.topk(k, largest=largest), a)
    agree(lambda m, a: a.topk(k, 0, largest=largest), a.T.copy())


def test_what_is_empty(agree: Callable[..., None]) -> None:
    agree(lambda m, a: (*a.sort(0), *a.sort(1), a.argsort(), *a.topk(0, 0), *a.topk(2, 1)), np.ones((0, 3)))


def test_values_are_pythons() -> None:
    x = np.random.default_rng(0).integers(0, 9, 50).tolist()
    t = tensor(x)
    assert t.sort().values.tolist() == sorted(x)
    assert t.topk(5).values.tolist() == sorted(x, reverse=True)[:5]
    assert t.unique().tolist() == sorted(set(x))
    values, counts = t.unique(return_counts=True)
    assert dict(zip(values.tolist(), counts.tolist(), strict=True)) == Counter(x)
    assert t.bincount().tolist() == [Counter(x)[k] for k in range(max(x) + 1)]


UNIQUE = [
    *("a.unique()", "m.unique(a, True)", "a.unique(return_inverse=True)", "a.unique(return_counts=True)"),
    *("a.unique(True, True, True)", "a.unique(dim=0)", "m.unique(a, dim=1, return_inverse=True, return_counts=True)"),
    "a.unique(dim=-1, return_inverse=True)",
]


@pytest.mark.parametrize("expression", UNIQUE)
@pytest.mark.parametrize("dtype", ["int64", "uint8", "bool", "float32"])
def test_unique_is_torchs(agree: Callable[..., None], expression: str, dtype: str) -> None:
    a = np.array([[3, 1, 3, 0], [1, 1, 1, 0], [3, 1, 3, 0]]).astype(dtype)
    agree(lambda m, a: eval(expression, {"m": m, "a": a.detach()}), a)


def test_unique_has_no_gradient_and_takes_each_nan_for_itself(agree: Callable[..., None]) -> None:
    x = tensor([1.0, np.nan, 1.0, np.nan], requires_grad=True)
    assert not x.unique().requires_grad
    agree(lambda m, a: a.detach().unique(return_counts=True), x.detach().numpy())
    agree(lambda m, a: a.unique(return_inverse=True), np.array(3))
    agree(lambda m, a: a.unique(return_inverse=True), np.array([], np.int64))


@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8"])
def test_bincount_is_torchs(agree: Callable[..., None], dtype: str) -> None:
    a = np.array([1, 3, 1, 0]).astype(dtype)
    w = np.array([0.5, 1.0, 2.0, 4.0])
    agree(lambda m, a: (m.bincount(a), a.bincount(minlength=7), m.bincount(a[:0]), a[:0].bincount(minlength=2)), a)
    for kind in ("float32", "float64", "int64"):
        agree(
            lambda m, a, w: (m.bincount(a, w.detach()), a.bincount(weights=w.detach(), minlength=6)), a, w.astype(kind)
        )


def test_what_makes_no_sense_is_refused() -> None:
    x: Any = tinyrnn.ones(2, 3)
    for name in ("sort", "argsort"):
        with pytest.raises(IndexError, match=f"^{name}: dim 2 is out of range for a tensor of 2 axes"):
            getattr(x, name)(2)
        with pytest.raises(TypeError, match=f"^{name}: expected a tensor, got list"):
            getattr(tinyrnn, name)([1.0])
    with pytest.raises(ValueError, match=r"^topk: k is 4, expected 0 to 3, the size of dim -1 of a tensor of shape"):
        x.topk(4)
    with pytest.raises(ValueError, match=r"^topk: k is -1, expected 0 to 2"):
        x.topk(-1, 0)
    with pytest.raises(TypeError, match=r"^topk: k is 1.5, expected a whole number"):
        x.topk(1.5)
    with pytest.raises(TypeError, match=r"^bincount: the tensor is float32, expected whole numbers"):
        x.bincount()
    with pytest.raises(ValueError, match=r"^bincount: expected one axis and no negative number, got shape"):
        tensor([1, -1]).bincount()
    with pytest.raises(ValueError, match=r"^bincount: weights has shape .*3.*, the tensor .*2.*, expected the same"):
        tensor([1, 1]).bincount(tinyrnn.ones(3))
    with pytest.raises(IndexError, match=r"^unique: dim 2 is out of range"):
        x.unique(dim=2)


def test_it_prints_as_torchs_does() -> None:
    assert repr(tensor([2, 1]).sort()) == "tinyrnn.return_types.sort(\nvalues=tensor([1, 2]),\nindices=tensor([1, 0]))"
    assert repr(tensor([2, 1]).topk(1)) == "tinyrnn.return_types.topk(\nvalues=tensor([2]),\nindices=tensor([0]))"
