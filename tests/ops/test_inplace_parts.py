"""Parts changed in place: the operation's own values and gradients, in the same memory, and torch's refusals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinyrnn
from tinyrnn import tensor

CHANGES = [
    "x.scatter_(1, m.tensor([[0, 2], [1, 0]]), y[:, :2])",
    "x.scatter_(dim=1, index=m.tensor([[0], [1]]), value=1)",
    "x.scatter_add_(1, m.tensor([[0, 0], [1, 2]]), y[:, :2])",
    "x.index_add_(0, m.tensor([1, 1]), y, alpha=2)",
    "x.index_copy_(1, m.tensor([2, 0]), y[:, :2])",
    "x.index_fill_(1, m.tensor([0, 2]), 7)",
    "x.masked_fill_(x > 1, 7)",
    "x.masked_fill_(m.tensor([True, False, True]), y[0, 0])",
    "x[0].masked_fill_(x[0] > 1, 7)",
    "x.t().masked_fill_(x.t() > 1, 7)",
    "x.tril_()",
    "x.triu_(diagonal=1)",
    "x.fill_diagonal_(7)",
    "x.t().fill_diagonal_(7, wrap=True)",
    "x.addmm_(y[:, :2], y[:2], beta=0.5, alpha=2)",
    "x[0].addmv_(y.t()[:, :2], y[0, :2])",
    "x.addr_(y[:, 0], y[0])",
    "x.addbmm_(y[None, :, :2], y[None, :2])",
    "x[None].baddbmm_(y[None, :, :2], y[None, :2])",
]


@pytest.mark.parametrize("change", CHANGES)
def test_the_change_is_torchs(agree: Callable[..., None], change: str) -> None:
    def run(m: Any, x: Any, y: Any) -> Any:
        x = x * 1
        before = x.tanh()
        after = eval(change)
        assert after.data_ptr() >= x.data_ptr() if m is not tinyrnn else np.shares_memory(after.array, x.array)
        return x * 2 + before

    agree(run, np.array([[1.5, -2.0, 0.25], [0.5, 1.0, 3.0]]), np.array([[2.0, 3.0, 5.0], [-1.0, 0.5, 4.0]]))


@pytest.mark.parametrize("shape", [(3, 3), (2, 4), (5, 2), (7, 2), (2, 2, 2), (0, 3)])
@pytest.mark.parametrize("wrap", [False, True])
def test_a_diagonal_is_numpys_and_torchs(torch: Any, shape: tuple[int, ...], wrap: bool) -> None:
    x, y = tinyrnn.zeros(shape), np.zeros(shape, np.float32)
    assert x.fill_diagonal_(3, wrap) is x
    np.testing.assert_array_equal(x.numpy(), torch.zeros(shape).fill_diagonal_(3, wrap).numpy())
    if 0 not in shape:
        np.fill_diagonal(y, 3, wrap)
        np.testing.assert_array_equal(x.numpy(), y)


def test_the_usual_one_hot() -> None:
    assert tinyrnn.zeros(2, 3).scatter_(1, tensor([[2], [0]]), 1).tolist() == [[0, 0, 1], [1, 0, 0]]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda x: x.masked_fill_(tinyrnn.ones(3, 2, 2) > 0, 1), ValueError, "^masked_fill_: the result has shape"),
        (lambda x: x.masked_fill_(x, 1), TypeError, "^masked_fill: the mask is float32"),
        (lambda x: x.scatter_(1, tensor([[5]]), 1), IndexError, "^scatter: index 5"),
        (lambda x: x.addmm_(x.double(), x.double()), TypeError, "^addmm: the operands are"),
        (lambda x: x[0].fill_diagonal_(1), ValueError, r"^fill_diagonal_: got shape \(2,\), expected a matrix"),
        (lambda x: x.expand(3, 2, 2).fill_diagonal_(1), ValueError, "^fill_diagonal_: got shape"),
        (lambda x: x.expand(2, 2, 2).tril_(), RuntimeError, "^tril_: .*read-only"),
        (
            lambda x: x.requires_grad_().index_fill_(0, tensor([0]), 1),
            RuntimeError,
            "^index_fill_: a leaf that requires",
        ),
        (lambda x: x.requires_grad_().fill_diagonal_(1), RuntimeError, "a leaf that requires a gradient"),
    ],
)
def test_what_cannot_be_written_is_refused(change: Callable[..., Any], error: type[Exception], message: str) -> None:
    x = tinyrnn.ones(2, 2)
    with pytest.raises(error, match=message):
        change(x)
    assert x.tolist() == [[1, 1], [1, 1]]
    assert x._version == 0


def test_a_name_says_what_it_changes() -> None:
    from tinyrnn.ops import inplace_parts

    for change in CHANGES:
        name = change.split("_(")[0].split(".")[-1] + "_"
        op = getattr(inplace_parts, name)
        assert op.__name__ == op.__qualname__ == name
        assert op.__module__ == "tinyrnn.ops.inplace_parts"
        assert op.__doc__
