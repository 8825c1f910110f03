"""Reading by numbers and masks: torch's values, gradients and argument forms, NumPy's, and refusals in words."""

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
    ("x.gather(0, m.tensor([[0, 1, 0]]))", (2, 3)),
    ("m.gather(x, dim=1, index=m.tensor([[0, 2, 2, 2], [1, 1, 1, 0]]))", (2, 3)),
    ("x.gather(-1, m.tensor([[1], [0]], dtype=m.int32), sparse_grad=False)", (2, 3)),
    ("m.gather(input=x, dim=1, index=m.zeros(1, 2, 3, dtype=m.int64))", (2, 3, 4)),
    ("x.gather(0, m.tensor([[[0]]]))", (2, 3, 4)),
    ("x.gather(0, m.zeros(0, 3, dtype=m.int64))", (2, 3)),
    ("x.gather(0, m.tensor(0))", ()),
    ("x.gather(0, m.tensor([0, 0]))", ()),
    ("x.gather(0, m.tensor(2))", (3,)),
    ("x.index_select(0, m.tensor([1, 0, 1]))", (2, 3)),
    ("m.index_select(x, dim=-1, index=m.tensor([2, 2]))", (2, 3)),
    ("x.index_select(0, m.tensor(1, dtype=m.int32))", (2, 3)),
    ("x.index_select(1, m.tensor([], dtype=m.int64))", (2, 3)),
    ("x.index_select(0, m.tensor([0]))", ()),
    ("x.take(m.tensor([[0, 5], [-1, 1]]))", (2, 3)),
    ("m.take(x, index=m.tensor(4))", (2, 3)),
    ("x.take(m.tensor([], dtype=m.int64))", (2, 3)),
    ("x.take_along_dim(m.tensor([[1, 0], [2, 2]]), 1)", (2, 3)),
    ("x.take_along_dim(m.tensor([[1, 0]]), dim=1)", (2, 3)),
    ("x.take_along_dim(m.tensor([[[0]], [[1]]]), 1)", (1, 3, 4)),
    ("m.take_along_dim(x, indices=m.tensor([5, 0]))", (2, 3)),
    ("x.take_along_dim(x.detach().argsort(1), 1)", (2, 3)),
    ("x.masked_select(m.tensor([[True, False, True], [False, False, True]]))", (2, 3)),
    ("m.masked_select(x, mask=m.tensor([[True], [True]]))", (3,)),
    ("x.masked_select(m.tensor([False, True, True]))", (2, 3)),
    ("x.masked_select(m.tensor(True))", ()),
    ("(x - 2).nonzero()", (2, 3)),
    ("m.nonzero(x - 2, as_tuple=True)", (2, 3)),
    ("(x > 3).argwhere()", (2, 3)),
    ("m.argwhere(x)", ()),
    ("(x - 1).nonzero()", ()),
    ("x.nonzero(as_tuple=True)", ()),
    ("m.searchsorted(x, m.tensor([[3, 0], [9, 4]], dtype=x.dtype))", (5,)),
    ("m.searchsorted(x, x[:2], right=True)", (5,)),
    ("m.searchsorted(x, input=x[:, 1:], side='right', out_int32=True)", (2, 3)),
    ("m.searchsorted(x, 2.5)", (5,)),
    ("m.bucketize(x, m.tensor([2, 4, 4], dtype=x.dtype))", (2, 3)),
    ("m.bucketize(input=x, boundaries=x, right=True)", (3,)),
    ("m.bucketize(3, m.tensor([1, 3, 5]), out_int32=True)", ()),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:torch.searchsorted")
@pytest.mark.parametrize(("expression", "shape"), EXPRESSIONS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_value_dtype_and_gradient_are_torchs(
    agree: Callable[..., None], expression: str, shape: tuple[int, ...], dtype: str
) -> None:
    x = np.arange(1, 1 + np.prod(shape, dtype=int), dtype=dtype).reshape(shape)
    agree(lambda m, x: eval(expression), x)


@given(st.lists(st.integers(1, 4), min_size=1, max_size=3), st.data())
def test_any_gather_is_torchs_and_numpys(agree: Callable[..., None], shape: list[int], data: Any) -> None:
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    sizes = [data.draw(st.integers(0, n + 2 if i == axis % len(shape) else n)) for i, n in enumerate(shape)]
    rng = np.random.default_rng(0)
    x, index = rng.standard_normal(shape), rng.integers(0, shape[axis], sizes)
    agree(lambda m, x, index: x.gather(axis, index), x, index)
    corner = x[tuple([slice(None) if i == axis % len(shape) else slice(n) for i, n in enumerate(sizes)])]
    expected = np.take_along_axis(corner, index, axis)
    np.testing.assert_array_equal(tensor(x).gather(axis, tensor(index)).numpy(), expected, strict=True)


@given(st.lists(st.integers(0, 3), max_size=3))
def test_nonzero_is_numpys(shape: list[int]) -> None:
    x = np.asarray(np.random.default_rng(0).integers(0, 2, shape))
    np.testing.assert_array_equal(tensor(x).nonzero().numpy(), np.argwhere(x), strict=True)
    if shape:
        assert tensor(x)[tensor(x).nonzero(as_tuple=True)].tolist() == x[x != 0].tolist()


@pytest.mark.parametrize("name", ["gather", "index_select", "take"])
def test_an_index_that_is_changed_later_does_no_harm(name: str) -> None:
    x, index = tensor([1.0, 2.0, 3.0], requires_grad=True), tensor([0, 2])
    y = x.take(index) if name == "take" else getattr(x, name)(0, index)
    index.fill_(1)
    y.backward(tensor([5.0, 7.0]))
    assert x.grad is not None
    assert x.grad.tolist() == [5, 0, 7]


X = tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: X.gather(0, tensor([[2]])),
            IndexError,
            "^gather: index 2 is out of range for axis 0 of size 2, expected 0",
        ),
        (lambda: X.gather(0, tensor([[-1]])), IndexError, "^gather: index -1"),
        (lambda: X.gather(0, tensor([0])), ValueError, r"^gather: the index has shape \(1,\), the tensor \(2, 3\)"),
        (lambda: X.gather(0, tensor([[0, 0, 0, 0]])), ValueError, r"^gather: the index has shape \(1, 4\)"),
        (lambda: X.gather(0, tensor([[0.0]])), TypeError, r"^gather: the index is float32.*\.long\(\)"),
        (lambda: X.gather(0, [[0]]), TypeError, "^gather: expected a tensor, got list"),
        (lambda: X.gather(2, tensor([[0]])), IndexError, "^gather: dim 2"),
        (lambda: X.index_select(0, tensor([2])), IndexError, "^index_select: index 2"),
        (lambda: X.index_select(0, tensor([-1])), IndexError, "^index_select: index -1"),
        (
            lambda: X.index_select(0, tensor([[1]])),
            ValueError,
            r"^index_select: the index has shape \(1, 1\), expected one",
        ),
        (lambda: X.index_select(0, tensor([True])), TypeError, "^index_select: the index is bool"),
        (lambda: X[0, 0].index_select(0, tensor([0, 0])), ValueError, "^index_select: 2 slices of a 0-d tensor"),
        (
            lambda: X.take(tensor([6])),
            IndexError,
            "^take: index 6 is out of range for axis 0 of size 6, expected -6 to 5",
        ),
        (lambda: X.take_along_dim(tensor([1]), 1), ValueError, r"^take_along_dim: shapes \(2, 3\) and \(1,\)"),
        (
            lambda: X.take_along_dim(tensor([[1], [1], [1]]), 1),
            ValueError,
            "^take_along_dim: shapes .* do not broadcast",
        ),
        (lambda: X.masked_select(X), TypeError, "^masked_select: the mask is float32, expected bool"),
        (lambda: X.masked_select(X[:, :2] > 0), ValueError, "^masked_select: shapes .* do not broadcast"),
        (lambda: tinyrnn.nonzero([1]), TypeError, "^nonzero: expected a tensor, got list"),
        (lambda: tinyrnn.searchsorted(X[0], X, side="middle"), ValueError, "^searchsorted: side is 'middle'"),
        (lambda: tinyrnn.searchsorted(X, X[0]), ValueError, r"^searchsorted: shapes \(2, 3\) and \(3,\)"),
        (lambda: tinyrnn.searchsorted(X[0], X.double()), TypeError, "^searchsorted: the operands are"),
        (lambda: tinyrnn.bucketize(X, X), ValueError, "^bucketize: boundaries has 2 axes, expected one"),
    ],
)
def test_what_does_not_fit_is_refused(call: Callable[..., Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()
