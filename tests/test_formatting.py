"""A tensor prints as torch prints it."""

from __future__ import annotations

import re
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinyrnn
from tinyrnn import tensor

SMALL = st.lists(st.integers(0, 5), max_size=4).map(tuple)
LARGE = st.sampled_from([(1001,), (40, 40), (3, 500), (12, 12, 12), (2000, 1), (7, 150), (2, 2, 300), (8, 8, 8, 8)])
DTYPES = ["float32", "float64", "float16", "int64", "int32", "uint8", "bool"]


def ordinary(rng: np.random.Generator, shape: Any) -> Any:
    return rng.standard_normal(shape)


def whole(rng: np.random.Generator, shape: Any) -> Any:
    return np.round(rng.standard_normal(shape) * 10.0 ** rng.integers(0, 11))


def of_one_size(rng: np.random.Generator, shape: Any) -> Any:
    return rng.standard_normal(shape) * 10.0 ** rng.integers(-12, 12)


def of_many_sizes(rng: np.random.Generator, shape: Any) -> Any:
    return rng.standard_normal(shape) * 10.0 ** rng.integers(-6, 6, shape)


def with_holes(rng: np.random.Generator, shape: Any) -> Any:
    holes = rng.choice([np.nan, np.inf, -np.inf, 0.0, -0.0], shape)
    return np.where(rng.random(shape) < 0.3, holes, rng.standard_normal(shape) * rng.choice([1, 1e-3, 1e9]))


def of_holes_and_whole(rng: np.random.Generator, shape: Any) -> Any:
    return np.where(
        rng.random(shape) < 0.5, rng.choice([np.nan, np.inf, -np.inf]), np.round(rng.standard_normal(shape))
    )


KINDS = [ordinary, whole, of_one_size, of_many_sizes, with_holes, of_holes_and_whole]


@pytest.mark.filterwarnings("ignore:invalid value encountered in cast", "ignore:overflow encountered in cast")
@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60)
@given(SMALL | LARGE, st.sampled_from(DTYPES), st.integers(0, 2**32 - 1), st.booleans())
def test_it_prints_as_torchs(
    torch: ModuleType, kind: Any, shape: tuple[int, ...], dtype: str, seed: int, grad: bool
) -> None:
    x = np.asarray(kind(np.random.default_rng(seed), shape)).astype(dtype)
    grad = grad and x.dtype.kind == "f"
    ours, theirs = repr(tinyrnn.tensor(x, requires_grad=grad)), repr(torch.tensor(x, requires_grad=grad))
    if "dtype=" in theirs:  # our name is two letters longer, so that the line may break before it
        ours, theirs = (re.sub(r",\s+(dtype|requires_grad)=", r", \1=", text) for text in (ours, theirs))
    assert ours.replace("dtype=tinyrnn.", "dtype=torch.") == theirs


LIMITS = [
    [1e8], [1.0001e8], [99999999.0], [1e8 + 0.5], [1.0, 1000.0], [1.0, 1001.0], [1e-3, 1.0], [0.999e-3, 1.0],
    [0.5, 500.0], [0.5, 500.5], [1e-4], [0.999e-4], [1e-4, 0.05], [0.0, 1e-5], [0.0], [-0.0], [-0.0, 1.0],
    [0.99995], [9999.99995], [np.nan], [np.inf, 1.0], [-np.inf, 1.5], [np.nan, -np.inf],
    [1.0, -2.0], [0.0, 1e9], [5e-324, 1e308],
]  # fmt: skip


@pytest.mark.parametrize("values", LIMITS, ids=str)
def test_the_change_of_notation_is_torchs(torch: ModuleType, values: list[float]) -> None:
    x = np.array(values)
    ours, theirs = repr(tensor(x)), repr(torch.tensor(x))
    assert ours.replace("dtype=tinyrnn.", "dtype=torch.") == theirs


def test_lines_break_where_torchs_do(torch: ModuleType) -> None:
    for digits in range(8):
        for n in range(1, 24):
            x = np.full(n, 10.0**digits, np.float32)
            assert repr(tensor(x, requires_grad=True)) == repr(torch.tensor(x, requires_grad=True))
            assert repr(tensor(x[None])) == repr(torch.tensor(x[None]))


def test_more_than_a_thousand_elements_are_summarised_as_in_torch(torch: ModuleType) -> None:
    for shape in ((1000,), (1001,), (10, 100), (11, 91), (6, 167), (7, 143), (2, 6, 84), (2, 7, 72)):
        x = np.arange(np.prod(shape)).reshape(shape)
        assert repr(tensor(x)) == repr(torch.tensor(x))


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (tensor(1.5), "tensor(1.5000)"),
        (tensor(3), "tensor(3)"),
        (tensor(True), "tensor(True)"),
        (tensor([1.0, 2.0]), "tensor([1., 2.])"),
        (tensor([1.0, -2.5]), "tensor([ 1.0000, -2.5000])"),
        (tensor([1e-5, 1.0]), "tensor([1.0000e-05, 1.0000e+00])"),
        (tensor([1.0, float("nan"), -float("inf")]), "tensor([1., nan, -inf])"),
        (tensor([[1, 2], [3, 4]]), "tensor([[1, 2],\n        [3, 4]])"),
        (tensor([True, False]), "tensor([ True, False])"),
        (tensor([]), "tensor([])"),
        (tensor([], dtype=tinyrnn.int64), "tensor([], dtype=tinyrnn.int64)"),
        (tinyrnn.zeros(2, 0), "tensor([], size=(2, 0))"),
        (tensor([1.0], dtype=tinyrnn.float64), "tensor([1.], dtype=tinyrnn.float64)"),
        (tensor([1], dtype=tinyrnn.uint8), "tensor([1], dtype=tinyrnn.uint8)"),
        (tensor([1.0], requires_grad=True), "tensor([1.], requires_grad=True)"),
        (tensor([1.0], requires_grad=True) * 2, "tensor([2.], grad_fn=<mul>)"),
        (tensor([[1.0]], requires_grad=True)[0], "tensor([1.], grad_fn=<getitem>)"),
        (tinyrnn.arange(2000), "tensor([   0,    1,    2,  ..., 1997, 1998, 1999])"),
        (
            tinyrnn.zeros(2, 600).double(),
            "tensor([[0., 0., 0.,  ..., 0., 0., 0.],\n        [0., 0., 0.,  ..., 0., 0., 0.]], dtype=tinyrnn.float64)",
        ),
    ],
)
def test_it_prints_as_expected(x: Any, text: str) -> None:
    assert repr(x) == str(x) == text


def test_lines_are_at_most_80_characters_long() -> None:
    for x in (tinyrnn.randn(3, 30), tinyrnn.arange(200) * 10**9, tinyrnn.randn(30, requires_grad=True).exp()):
        assert max(map(len, repr(x).split("\n"))) <= 80


def test_numbers_without_a_normal_one_print_without_a_warning() -> None:
    assert repr(tensor([5e-324, 1e308], dtype=tinyrnn.float64)).startswith("tensor([4.9407e-324, 1.0000e+308]")


OPTIONS: list[dict[str, Any]] = [
    {}, {"precision": 2}, {"precision": 0}, {"threshold": 5}, {"threshold": 5, "edgeitems": 1}, {"linewidth": 40},
    {"sci_mode": True}, {"sci_mode": False}, {"profile": "short"}, {"profile": "full"},
    {"profile": "short", "precision": 6}, {"profile": "default", "linewidth": 30},
]  # fmt: skip


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_the_options_do_what_torchs_do(torch: ModuleType, options: dict[str, Any]) -> None:
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal((3, 7)), rng.standard_normal(2000) * 1e-5, np.arange(30.0), np.array([1e-5, 1e9])]
    arrays += [np.array(1.25), np.arange(12), np.array([0.5, np.nan, -np.inf]), rng.standard_normal((5, 40))]
    try:
        for m in (tinyrnn, torch):
            m.set_printoptions(**options)
        for x in (a.astype(np.float32) if a.dtype.kind == "f" else a for a in arrays):
            assert repr(tensor(x)) == repr(torch.tensor(x))
    finally:
        for m in (tinyrnn, torch):
            m.set_printoptions(profile="default")


def test_the_options_change_what_is_printed_and_come_back() -> None:
    try:
        tinyrnn.set_printoptions(precision=2, sci_mode=False)
        assert repr(tensor([1.0, 1e-5])) == "tensor([1.00, 0.00])"
        tinyrnn.set_printoptions(threshold=3, edgeitems=1)
        assert repr(tinyrnn.arange(5)) == "tensor([0,  ..., 4])"
    finally:
        tinyrnn.set_printoptions(profile="default")
    assert repr(tensor([1.0, 1e-5])) == "tensor([1.0000e+00, 1.0000e-05])"
    with pytest.raises(ValueError, match=r"^set_printoptions: profile is 'long', expected one of default, short, full"):
        tinyrnn.set_printoptions(profile="long")
