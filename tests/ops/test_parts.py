"""Parts of tensors: torch's values and gradients, NumPy's windows, and refusals in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view

import tinyrnn
from tinyrnn import tensor

EXPRESSIONS: list[tuple[str, tuple[int, ...]]] = [
    ("x.narrow(0, 1, 1)", (2, 3)),
    ("x.narrow(-1, -2, 2)", (2, 3)),
    ("m.narrow(x, dim=1, start=m.tensor(1), length=0)", (2, 3)),
    ("x.narrow(0, 2, 0)", (2, 3)),
    ("x.select(0, -1)", (2, 3)),
    ("m.select(x, dim=1, index=2)", (2, 3)),
    ("x.select(0, 1)", (2,)),
    ("x.unfold(1, 2, 1)", (2, 3, 2)),
    ("x.unfold(0, 2, 3)", (6,)),
    ("x.unfold(dimension=-1, size=3, step=2)", (2, 7)),
    ("x.unfold(0, 0, 2)", (5,)),
    ("x.unfold(0, 1, 1)", ()),
    ("x.unfold(1, 3, 1)", (0, 3)),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "shape"), EXPRESSIONS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_value_dtype_and_gradient_are_torchs(
    agree: Callable[..., None], expression: str, shape: tuple[int, ...], dtype: str
) -> None:
    x = np.arange(1, 1 + np.prod(shape, dtype=int), dtype=dtype).reshape(shape)
    agree(lambda m, x: eval(expression), x)


@given(st.lists(st.integers(1, 5), min_size=1, max_size=3), st.data())
def test_any_windows_are_numpys_and_torchs(agree: Callable[..., None], shape: list[int], data: Any) -> None:
    axis = data.draw(st.integers(0, len(shape) - 1))
    size, step = data.draw(st.integers(1, shape[axis])), data.draw(st.integers(1, 3))
    x = np.arange(np.prod(shape, dtype=int), dtype=np.float64).reshape(shape)
    agree(lambda m, x: x.unfold(axis, size, step), x)
    windows = np.moveaxis(np.moveaxis(sliding_window_view(x, size, axis), axis, 0)[::step], 0, axis)
    np.testing.assert_array_equal(tensor(x).unfold(axis, size, step).numpy(), windows, strict=True)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: x.narrow(0, 1, 2), ValueError, "^narrow: 2 elements from 1 on, of an axis of size 2"),
        (lambda x: x.narrow(0, 0, -1), ValueError, "^narrow: -1 elements"),
        (lambda x: x.narrow(0, 3, 0), IndexError, "^narrow: start 3 for an axis of size 2, expected -2 to 2"),
        (lambda x: x.narrow(0, 0.5, 1), TypeError, "^narrow: got .*expected whole numbers"),
        (lambda x: x.narrow(2, 0, 1), IndexError, "^narrow: dim 2"),
        (lambda x: x[0, 0].narrow(0, 0, 1), IndexError, "^narrow: a 0-d tensor has no axes"),
        (lambda x: x.select(0, 2), IndexError, "^select: index 2 for an axis of size 2, expected -2 to 1"),
        (lambda x: x.select(0, 1.0), TypeError, "^select: got .*expected whole numbers"),
        (lambda x: x[0, 0].select(0, 0), IndexError, "^select: a 0-d tensor has no axes"),
        (lambda x: x.unfold(0, 3, 1), ValueError, "^unfold: size 3 and step 1 for an axis of size 2, expected a size"),
        (lambda x: x.unfold(0, -1, 1), ValueError, "^unfold: size -1"),
        (lambda x: x.unfold(0, 1, 0), ValueError, "^unfold: size 1 and step 0"),
        (lambda x: x.unfold(2, 1, 1), IndexError, "^unfold: dim 2"),
        (lambda x: tinyrnn.narrow([1], 0, 0, 1), TypeError, "^narrow: expected a tensor, got list"),
    ],
)
def test_what_does_not_fit_is_refused(call: Callable[..., Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call(tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))
