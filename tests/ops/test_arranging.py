"""Elements in other places: torch's values and gradients, NumPy's, and refusals in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinyrnn
from tinyrnn import tensor

EXPRESSIONS: list[tuple[str, tuple[int, ...]]] = [
    ("x.flip(0)", (2, 3)),
    ("x.flip(0, -1)", (2, 3, 4)),
    ("x.flip((0, 1))", (2, 3)),
    ("m.flip(x, dims=[1])", (2, 3)),
    ("x.flip(())", (2, 3)),
    ("x.flip(0)", ()),
    ("x.fliplr()", (2, 3)),
    ("m.flipud(x)", (2, 3)),
    ("x.roll(1)", (2, 3)),
    ("x.roll(-2, 1)", (2, 3)),
    ("x.roll(shifts=(1, 5), dims=(0, -1))", (2, 3)),
    ("m.roll(x, (1, 1), (0, 0))", (3, 2)),
    ("x.roll(1)", ()),
    ("x.roll(1, 0)", (0, 2)),
    ("x.rot90()", (2, 3)),
    ("x.rot90(2)", (2, 3)),
    ("x.rot90(-1, (0, 2))", (2, 3, 4)),
    ("m.rot90(x, k=3, dims=[1, 0])", (2, 3)),
    ("x.rot90(4)", (2, 3)),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "shape"), EXPRESSIONS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_value_dtype_and_gradient_are_torchs(
    agree: Callable[..., None], expression: str, shape: tuple[int, ...], dtype: str
) -> None:
    x = np.arange(1, 1 + np.prod(shape, dtype=int), dtype=dtype).reshape(shape)
    agree(lambda m, x: eval(expression), x)


@given(st.lists(st.integers(0, 3), min_size=2, max_size=3), st.integers(-5, 5), st.data())
def test_any_arrangement_is_numpys(shape: list[int], k: int, data: Any) -> None:
    a, b = data.draw(st.permutations(range(len(shape))))[:2]
    x = np.arange(np.prod(shape, dtype=int), dtype=np.float64).reshape(shape)
    y = tensor(x)
    np.testing.assert_array_equal(y.flip(a, b).numpy(), np.flip(x, (a, b)), strict=True)
    np.testing.assert_array_equal(y.rot90(k, (a, b)).numpy(), np.rot90(x, k, (a, b)), strict=True)
    np.testing.assert_array_equal(y.roll((k, 1), (a, b)).numpy(), np.roll(x, (k, 1), (a, b)), strict=True)
    np.testing.assert_array_equal(y.roll(k).numpy(), np.roll(x, k), strict=True)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: x.flip(0, 0), ValueError, r"^flip: dims \(0, 0\) names an axis twice"),
        (lambda x: x.flip(2), IndexError, "^flip: dim 2"),
        (lambda x: x.flip(0.5), TypeError, "^flip: got .*expected whole numbers"),
        (lambda x: x[0].fliplr(), IndexError, "^flip: dim 1"),
        (lambda x: x.roll((1, 2)), ValueError, r"^roll: 2 shifts \(1, 2\) without dims, expected one"),
        (lambda x: x.roll((1, 2), 0), ValueError, r"^roll: 2 shifts \(1, 2\) for dims 0, expected as many"),
        (lambda x: x.roll(1, 2), IndexError, "^roll: dim 2"),
        (lambda x: x[0, 0].roll(1, 0), IndexError, "^roll: a 0-d tensor has no axes"),
        (lambda x: x.rot90(1, (0, 0)), ValueError, r"^rot90: dims \(0, 0\) of a tensor of 2 axes, expected two"),
        (lambda x: x.rot90(1, (0,)), ValueError, r"^rot90: dims \(0,\)"),
        (lambda x: x[0].rot90(), IndexError, "^rot90: dim 1"),
        (lambda x: tinyrnn.flip([1], 0), TypeError, "^flip: expected a tensor, got list"),
    ],
)
def test_what_does_not_fit_is_refused(call: Callable[..., Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call(tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))
