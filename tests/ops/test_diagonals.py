"""Diagonals and triangles: torch's values and gradients, NumPy's, and refusals in words."""

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
    ("x.diagonal()", (2, 3)),
    ("x.diagonal(1)", (3, 3)),
    ("m.diagonal(x, offset=-1, dim1=-1, dim2=0)", (2, 3, 4)),
    ("x.diagonal(5)", (2, 3)),
    ("x.diagonal()", (0, 3)),
    ("x.diag()", (2, 3)),
    ("m.diag(x, -1)", (3,)),
    ("x.diag(diagonal=1)", (2, 3)),
    ("x.diag()", (0,)),
    ("x.diag_embed()", (2, 3)),
    ("m.diag_embed(x, offset=1, dim1=0, dim2=2)", (2, 3)),
    ("x.diag_embed(-2, -1, 0)", (2,)),
    ("x.tril()", (3, 3)),
    ("m.tril(x, -1)", (2, 3, 4)),
    ("x.tril(diagonal=1)", (2, 3)),
    ("x.triu()", (3, 3)),
    ("m.triu(x, diagonal=1)", (2, 4, 4)),
    ("x.triu(-1)", (0, 3)),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "shape"), EXPRESSIONS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_value_dtype_and_gradient_are_torchs(
    agree: Callable[..., None], expression: str, shape: tuple[int, ...], dtype: str
) -> None:
    x = np.arange(1, 1 + np.prod(shape, dtype=int), dtype=dtype).reshape(shape)
    agree(lambda m, x: eval(expression), x)


@given(st.lists(st.integers(0, 3), min_size=2, max_size=3), st.integers(-4, 4), st.data())
def test_any_of_them_is_numpys_and_embedding_undoes_the_diagonal(shape: list[int], offset: int, data: Any) -> None:
    a, b = data.draw(st.permutations(range(len(shape))))[:2]
    x = np.arange(np.prod(shape, dtype=int), dtype=np.float64).reshape(shape)
    y = tensor(x)
    np.testing.assert_array_equal(y.diagonal(offset, a, b).numpy(), np.diagonal(x, offset, a, b), strict=True)
    np.testing.assert_array_equal(y.tril(offset).numpy(), np.tril(x, offset), strict=True)
    np.testing.assert_array_equal(y.triu(offset).numpy(), np.triu(x, offset), strict=True)
    assert y.diag_embed(offset, a, b).diagonal(offset, a, b).equal(y)


def test_infinity_outside_of_a_triangle_is_gone() -> None:
    assert tinyrnn.full((2, 2), float("inf")).tril().tolist() == [[float("inf"), 0], [float("inf"), float("inf")]]
    assert tinyrnn.ones(2, 2, dtype=bool).triu(1).tolist() == [[False, True], [False, False]]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda x: x.diagonal(0, 1, -1),
            ValueError,
            "^diagonal: dim1 1 and dim2 -1 of a tensor of 2 axes, expected two",
        ),
        (lambda x: x.diagonal(0, 0, 2), IndexError, "^diagonal: dim 2"),
        (lambda x: x[0].diagonal(0, 0, 0), ValueError, "^diagonal: dim1 0 and dim2 0 of a tensor of 1 axes"),
        (lambda x: x[None].diag(), ValueError, "^diag: got 3 axes, expected a vector or a matrix: use diag_embed"),
        (lambda x: x[0, 0].diag_embed(), ValueError, "^diag_embed: a 0-d tensor is no diagonal"),
        (lambda x: x.diag_embed(0, 1, 1), ValueError, "^diag_embed: dim1 1 and dim2 1 of a tensor of 3 axes"),
        (lambda x: x[0].tril(), ValueError, "^tril: a tensor of 1 axes has no triangle, expected at least 2"),
        (lambda x: x.triu(0.5), TypeError, "^triu: got .*expected whole numbers"),
        (lambda x: tinyrnn.tril([1]), TypeError, "^tril: expected a tensor, got list"),
    ],
)
def test_what_does_not_fit_is_refused(call: Callable[..., Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call(tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))
