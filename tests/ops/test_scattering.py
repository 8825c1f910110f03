"""Writing by numbers and masks: torch's values, gradients and argument forms, and refusals in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinyrnn
from tinyrnn import tensor
from tinyrnn.ops.scattering import one_hot

# Of x (2, 3), y (2, 4) and a number v.
EXPRESSIONS = [
    "x.scatter(1, m.tensor([[0, 2], [1, 0]]), y[:, 1:3])",
    "x.scatter(1, m.tensor([[0, 2], [1, 0]]), y.detach())",  # where src is larger, torch has no right gradient
    "m.scatter(x, dim=0, index=m.tensor([[1, 0, 1]]), src=y[1:, :3])",
    "x.scatter(1, m.tensor([[0], [2]]), 7.5)",
    "x.scatter(-1, m.tensor([[0, 0], [2, 2]]), value=7)",
    "x.scatter(0, m.zeros(0, 3, dtype=m.int64), 7)",
    "x.detach().scatter(1, m.tensor([[0, 0], [2, 1]]), 7, reduce='add')",
    "x.detach().scatter(1, m.tensor([[0, 0], [2, 1]]), 7, reduce='multiply')",
    "x.detach().scatter(1, m.tensor([[0, 0], [2, 1]]), y.detach(), reduce='multiply')",
    "v.scatter(0, m.tensor(0), 7)",
    "x[0].scatter(0, m.tensor(1), v)",
    "x.scatter_add(1, m.tensor([[0, 0, 2], [1, 1, 1]]), y[:, :3])",
    "x.scatter_add(1, m.tensor([[0, 0, 2], [1, 1, 1]]), y.detach())",
    "m.scatter_add(x, dim=0, index=m.tensor([[1, 1, 0]]), src=y[:1, :3])",
    "x.index_add(0, m.tensor([1, 1]), y[:, :3])",
    "m.index_add(x, dim=1, index=m.tensor([2, 0, 2, 2]), source=y, alpha=-3)",
    "x.index_add(0, m.tensor(1), y[:1, 1:])",
    "v.index_add(0, m.tensor([0]), v)",
    "x.index_copy(0, m.tensor([1, 0]), y[:, :3])",
    "m.index_copy(x, dim=1, index=m.tensor([2, 0]), source=y[:, 1:3])",
    "v.index_copy(0, m.tensor(0), v * 2)",
    "x.index_fill(0, m.tensor([1]), 7)",
    "m.index_fill(x, dim=1, index=m.tensor([0, 2, 0]), value=v)",
    "m.index_fill(x.detach(), 1, m.tensor([0, -1]), v.detach())",
    "x.index_fill(1, m.tensor([], dtype=m.int64), 7)",
    "v.index_fill(0, m.tensor(0), 7)",
    "x.masked_fill(x > 2, 7)",
    "x.masked_fill(x[0] > 0, float('-inf'))",
    "x[0].masked_fill(x > 2, v)",
    "m.masked_fill(x, mask=m.tensor(True), value=v)",
    "x.masked_fill(m.tensor([[True], [False]]), m.tensor(3))",
    "v.masked_fill(x > 2, 7)",
    "x.long().masked_fill(x > 2, 2.75)",
    "(x > 2).masked_fill(x > 3, 0)",
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:The reduce argument of torch.scatter")
@pytest.mark.parametrize("expression", EXPRESSIONS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_value_dtype_and_gradient_are_torchs(agree: Callable[..., None], expression: str, dtype: str) -> None:
    x = np.array([[1.5, -2, 3], [0.25, 5, -6]], dtype)
    y = np.arange(10, 18, dtype=dtype).reshape(2, 4)
    agree(lambda m, x, y, v: eval(expression), x, y, np.array(2.5, dtype))


@given(st.lists(st.integers(1, 4), min_size=1, max_size=3), st.data())
def test_any_scatter_is_torchs(agree: Callable[..., None], shape: list[int], data: Any) -> None:
    """With distinct indices along the axis: where one comes twice, torch leaves open which element stays."""
    axis = data.draw(st.integers(0, len(shape) - 1))
    sizes = [data.draw(st.integers(0, n)) for n in shape]
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal(shape), rng.standard_normal(sizes)
    order = np.argsort(rng.random(shape), axis)
    index = order[tuple([slice(n) for n in sizes])]
    agree(lambda m, x, y, index: x.scatter(axis, index, y), x, y, index)
    agree(lambda m, x, y, index: x.scatter_add(axis, index, y), x, y, index)


def test_where_an_index_comes_twice_the_last_stays_and_gets_the_gradient() -> None:
    x, y = tensor([1.0, 2.0], requires_grad=True), tensor([3.0, 4.0, 5.0], requires_grad=True)
    for write in (x.scatter, x.index_copy):
        x.grad = y.grad = None
        z = write(0, tensor([0, 0, 0]), y)
        assert z.tolist() == [5, 2]
        z.backward(tensor([7.0, 8.0]))
        assert x.grad is not None
        assert y.grad is not None
        assert x.grad.tolist() == [0, 8]
        assert y.grad.tolist() == [0, 0, 7]


def test_an_index_or_mask_that_is_changed_later_does_no_harm() -> None:
    x, index, mask = tensor([1.0, 2.0], requires_grad=True), tensor([0]), tensor([True, False])
    y, z = x.scatter(0, index, 9), x.masked_fill(mask, 9)
    index.fill_(1)
    mask.fill_(True)
    (y + z).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [0, 2]


@pytest.mark.parametrize("value", ["300", "-1", "float('nan')", "float('inf')", "2.75", "np.int64(300)"])
@pytest.mark.parametrize("call", ["masked_fill(x > 0, {})", "index_fill(0, i, {})", "scatter(0, i, {})"])
@pytest.mark.parametrize("dtype", ["uint8", "int64", "bool"])
def test_a_number_that_does_not_fit_is_refused_as_in_torch(torch: Any, call: str, value: str, dtype: str) -> None:
    """But for a negative one, which torch lets wrap around in uint8."""
    results = []
    for m, error in ((tinyrnn, ValueError), (torch, RuntimeError)):
        names = {"m": m, "x": m.ones(2, dtype=getattr(m, dtype)), "i": m.tensor([0]), "np": np}
        try:
            results.append(eval("x." + call.format(value), names).tolist())
        except error:
            results.append("refused")
    if (value, dtype) == ("-1", "uint8"):
        assert results[0] == "refused"
    else:
        assert results[0] == results[1]


def test_one_hot_is_torchs(torch: Any) -> None:
    for classes in ([0, 2], [[1, 0], [3, 3]], 2):
        for n in (-1, 5):
            ours = one_hot(tensor(classes), n)
            theirs = torch.nn.functional.one_hot(torch.tensor(classes), n)
            np.testing.assert_array_equal(ours.numpy(), theirs.numpy(), strict=True)
    assert one_hot(tensor([], dtype=tinyrnn.int64), num_classes=3).shape == (0, 3)
    assert one_hot(tensor([1, 0], dtype=tinyrnn.uint8)).tolist() == [[0, 1], [1, 0]]


X = tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
I = tensor([[0, 1]])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: X.scatter(1, tensor([[3]]), 1), IndexError, "^scatter: index 3 is out of range for axis 1 of size 3"),
        (lambda: X.scatter(1, tensor([[-1]]), 1), IndexError, "^scatter: index -1"),
        (
            lambda: X.scatter(1, tensor([0]), 1),
            ValueError,
            r"^scatter: the index has shape \(1,\), the tensor \(2, 3\)",
        ),
        (lambda: X.scatter(1, tensor([[0.0]]), 1), TypeError, "^scatter: the index is float32"),
        (
            lambda: X.scatter(1, I, X[:, :1]),
            ValueError,
            r"^scatter: the index has shape \(1, 2\), src \(2, 1\): expected",
        ),
        (lambda: X.scatter(1, I, X[0]), ValueError, "^scatter: the index has shape"),
        (lambda: X.scatter(1, I, X.double()), TypeError, "^scatter: the operands are float32 and float64"),
        (lambda: X.scatter(1, I, X, reduce="mean"), ValueError, "^scatter: reduce is 'mean', expected"),
        (lambda: X.scatter(1, I), TypeError, "^scatter: dtype object is not supported"),
        (
            lambda: X.scatter(1, I, X.clone().requires_grad_(), reduce="multiply"),
            RuntimeError,
            "^scatter: reduce='multiply' has no gradient for src",
        ),
        (lambda: X.scatter_add(1, I, 2.0), TypeError, "^scatter_add: expected a tensor, got float"),
        (lambda: X.scatter_add(1, I, X.double()), TypeError, "^scatter_add: the operands are"),
        (lambda: X.index_add(0, I[0], X[:1]), ValueError, r"^index_add: source has shape \(1, 3\), expected that of"),
        (lambda: X.index_add(0, I[0], X[:, :1]), ValueError, "^index_add: source has shape"),
        (lambda: X.index_add(0, tensor([2]), X[:1]), IndexError, "^index_add: index 2"),
        (lambda: X.index_add(0, I, X), ValueError, r"^index_add: the index has shape \(1, 2\), expected one axis"),
        (lambda: X.index_copy(0, tensor([-1]), X[:1]), IndexError, "^index_copy: index -1"),
        (lambda: X.index_copy(0, I[0], X.double()), TypeError, "^index_copy: the operands are"),
        (lambda: X.index_fill(0, tensor([2]), 1), IndexError, "^index_fill: index 2 .*expected -2 to 1"),
        (lambda: X.index_fill(0, I[0], X[0]), ValueError, "^index_fill: value has axes, expected a number"),
        (lambda: X.masked_fill(X, 1), TypeError, "^masked_fill: the mask is float32, expected bool"),
        (lambda: X.masked_fill(X[:, :2] > 0, 1), ValueError, "^masked_fill: shapes .* do not broadcast"),
        (lambda: X.masked_fill(X > 0, [1.0]), ValueError, "^masked_fill: value has axes"),
        (lambda: X.masked_fill(X > 0, "a"), TypeError, "^masked_fill: dtype .* is not supported"),
        (lambda: X.masked_fill(X > 0, 1j), TypeError, "^masked_fill: complex numbers do not fit float32"),
        (lambda: one_hot(tensor([0, 2]), 2), ValueError, "^one_hot: classes from 0 to 2, expected 0 to 1"),
        (lambda: one_hot(tensor([-1])), ValueError, "^one_hot: classes from -1 to -1"),
        (lambda: one_hot(tensor([], dtype=tinyrnn.int64)), ValueError, "^one_hot: there are no classes to count"),
        (lambda: one_hot(tensor([1.0])), TypeError, "^one_hot: the index is float32"),
    ],
)
def test_what_does_not_fit_is_refused(call: Callable[..., Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()
    assert X.tolist() == [[1, 2, 3], [4, 5, 6]]
