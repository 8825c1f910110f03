"""Matrix products: torch's for every pair of ranks, broadcast or not, with both gradients, and its refusals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes

import tinyrnn

RANKS = [(i, j) for i in range(1, 5) for j in range(1, 5)]


def draw(seed: int, *shapes: tuple[int, ...]) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(shape) for shape in shapes]


@pytest.mark.parametrize(("i", "j"), RANKS)
def test_every_pair_of_ranks_is_torchs(agree: Callable[..., None], i: int, j: int) -> None:
    x, y = draw(0, (3, 2, 4, 5)[-i:], (5,) if j == 1 else (3, 2, 5, 6)[-j:])
    agree(lambda m, x, y: m.matmul(x, y), x, y)
    agree(lambda m, x, y: x @ y, x.astype(np.float32), y.astype(np.float32))


@given(
    mutually_broadcastable_shapes(num_shapes=2, min_side=0, max_side=3, max_dims=2),
    st.tuples(*[st.integers(0, 3)] * 3),
    st.integers(0, 2**32 - 1),
)
def test_leading_axes_broadcast_as_torchs(agree: Callable[..., None], lead: Any, sizes: Any, seed: int) -> None:
    (a, b), (n, k, m) = lead.input_shapes, sizes
    x, y, row, column = draw(seed, (*a, n, k), (*b, k, m), (k,), (k,))
    agree(lambda m, x, y: x.matmul(y), x, y)
    agree(lambda m, x, y: x @ y, row, y)
    agree(lambda m, x, y: x @ y, x, column)


def test_one_tensor_on_both_sides_gets_both_gradients(agree: Callable[..., None]) -> None:
    for shape in ((3, 3), (2, 3, 3), (3,)):
        agree(lambda m, x: x @ x, *draw(1, shape))
    agree(lambda m, x: x @ x.mT, *draw(1, (2, 3, 4)))


@pytest.mark.parametrize("needed", [0, 1])
def test_an_operand_that_needs_no_gradient_gets_none_and_may_change(needed: int) -> None:
    x, y = (tinyrnn.from_numpy(a) for a in draw(2, (2, 3), (3, 4)))
    leaf = (x, y)[needed].requires_grad_()
    z = (x @ y).sum()
    with tinyrnn.no_grad():
        leaf.add_(1)  # it is the other that its gradient reads
    z.backward()
    expected = np.ones((2, 4)) @ y.numpy().T if needed == 0 else x.numpy().T @ np.ones((2, 4))
    assert leaf.grad is not None
    np.testing.assert_allclose(leaf.grad.numpy(), expected, rtol=1e-12)


def test_a_change_of_an_operand_that_is_read_is_noticed() -> None:
    x, y = tinyrnn.ones(2, 3, requires_grad=True), tinyrnn.ones(3, 4)
    z = (x @ y).sum()
    y.zero_()
    with pytest.raises(RuntimeError, match=r"'matmul'.*changed in place"):
        z.backward()


def test_whole_numbers_stay_whole(agree: Callable[..., None]) -> None:
    agree(lambda m, x, y: x @ y, np.arange(6).reshape(2, 3), np.arange(12).reshape(3, 4))


@pytest.mark.parametrize(
    ("a", "b"), [((2, 3), (2, 3)), ((3,), (2,)), ((), (2,)), ((2,), ()), ((2, 2, 3), (2,)), ((4,), (2, 3, 4))]
)
def test_shapes_that_do_not_fit_are_refused(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"^matmul: shapes \(.*\) and \(.*\) do not fit: expected \(\.\.\., n, k\)"):
        tinyrnn.ones(a) @ tinyrnn.ones(b)


def test_leading_axes_that_do_not_broadcast_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^matmul: shapes \(3,\) and \(2,\) do not broadcast"):
        tinyrnn.ones(3, 2, 2) @ tinyrnn.ones(2, 2, 2)


def test_two_dtypes_are_refused() -> None:
    with pytest.raises(TypeError, match=r"^matmul: the operands are float32 and float64, expected one dtype"):
        tinyrnn.ones(2, 2) @ tinyrnn.ones(2, 2, dtype=tinyrnn.float64)


@pytest.mark.parametrize("other", [2, np.ones((2, 2), np.float32), None])
def test_what_is_no_tensor_is_refused_on_either_side(other: Any) -> None:
    for product in (lambda x: x @ other, lambda x: other @ x):
        with pytest.raises(TypeError, match=f"^matmul: expected a tensor, got {type(other).__name__}: make one with"):
            product(tinyrnn.ones(2, 2))
