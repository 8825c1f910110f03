"""Products of matrices and vectors: torch's for all ranks and forms, with all gradients, and its refusals."""

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
    for product in (lambda x: x @ other, lambda x: tinyrnn.matmul(other, x), lambda x: x.__rmatmul__(other)):
        with pytest.raises(TypeError, match=f"^matmul: expected a tensor, got {type(other).__name__}: make one with"):
            product(tinyrnn.ones(2, 2))


# Of A (2, 3), B (3, 4), v (3,), w (2,), P (2, 2, 3) and Q (2, 3, 4).
EXPRESSIONS = [
    "m.mm(A, B)",
    "A.mm(mat2=B)",
    "m.bmm(P, Q)",
    "P.bmm(mat2=Q)",
    "A.mv(v)",
    "m.mv(A, vec=v)",
    "v.dot(v * 2)",
    "m.dot(v, tensor=A[0])",
    "m.vdot(v, other=A[1])",
    "m.inner(A, v)",
    "A.inner(A * 2)",
    "m.inner(P, other=A)",
    "m.inner(A, P)",
    "m.inner(A, v[0])",
    "m.inner(v[0], v[1])",
    "m.outer(v, w)",
    "v.outer(vec2=w)",
    "m.ger(w, v)",
    "m.outer(v.float(), w.double())",
    "m.addmm(B[:2], A, B)",
    "B[0].addmm(A, B, beta=2, alpha=0.5)",
    "m.addmm(v[0], mat1=A, mat2=B, alpha=-1)",
    "m.addmm(m.full((2, 4), float('nan'), dtype=A.dtype), A, B, beta=0)",
    "m.addmv(w, A, v)",
    "v[0].addmv(mat=A, vec=v, beta=2, alpha=0.5)",
    "m.addr(A, w, v, beta=2, alpha=0.5)",
    "v.addr(vec1=w, vec2=v)",
    "m.baddbmm(Q[:, :2], P, Q, beta=2, alpha=0.5)",
    "B[0].baddbmm(batch1=P, batch2=Q)",
    "m.addbmm(B[:2], P, Q, beta=2, alpha=0.5)",
    "B[0].addbmm(batch1=P, batch2=Q)",
    "m.trace(A)",
    "B.trace()",
    "m.trace((A * 10).long())",
    "m.trace((A * 10).int())",
    "m.mm((A * 10).long(), (B * 10).long())",
    "m.addmm((B[:2] * 10).long(), (A * 10).long(), (B * 10).long(), beta=2)",
]


@pytest.mark.parametrize("expression", EXPRESSIONS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_products_of_matrices_and_vectors_are_torchs(agree: Callable[..., None], expression: str, dtype: str) -> None:
    shapes = [(2, 3), (3, 4), (3,), (2,), (2, 2, 3), (2, 3, 4)]
    agree(lambda m, A, B, v, w, P, Q: eval(expression), *[x.astype(dtype) for x in draw(3, *shapes)])


@given(st.tuples(*[st.integers(0, 4)] * 4), st.integers(0, 2**32 - 1))
def test_products_of_any_size_are_torchs(agree: Callable[..., None], sizes: Any, seed: int) -> None:
    b, n, k, m = sizes
    x, y, z, u = draw(seed, (b, n, k), (b, k, m), (n, m), (k,))
    agree(lambda m, x, y: m.bmm(x, y), x, y)
    agree(lambda m, x, y, z: m.addbmm(z, x, y), x, y, z)
    agree(lambda m, x, u: m.inner(x, u), x, u)
    agree(lambda m, u, z: m.outer(u, z.sum(0)), u, z)


def test_what_beta_0_leaves_out_gets_no_gradient() -> None:
    x = tinyrnn.full((2, 2), float("nan")).requires_grad_()
    w = tinyrnn.ones(2, 2, requires_grad=True)
    tinyrnn.addmm(x, w, w.detach(), beta=0).sum().backward()
    assert x.grad is None
    assert w.grad is not None
    assert w.grad.tolist() == [[2, 2], [2, 2]]


O = tinyrnn.ones


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: O(2, 3).mm(O(2, 3)),
            ValueError,
            r"^mm: shapes \(2, 3\) and \(2, 3\) do not fit, expected \(n, k\) and",
        ),
        (lambda: O(2, 3).mm(O(3)), ValueError, r"^mm: shapes \(2, 3\) and \(3,\)"),
        (lambda: O(1, 2, 3).bmm(O(2, 3, 4)), ValueError, r"^bmm: .*expected \(b, n, k\) and \(b, k, m\)"),
        (lambda: O(2, 3).bmm(O(3, 2)), ValueError, "^bmm: shapes"),
        (lambda: O(3).mv(O(3)), ValueError, "^mv: shapes"),
        (lambda: O(3).dot(O(2)), ValueError, r"^dot: shapes \(3,\) and \(2,\) do not fit, expected \(k\) and \(k\)"),
        (lambda: O(3).dot(O(3, 1)), ValueError, "^dot: shapes"),
        (lambda: O(3).dot(O(3).double()), TypeError, "^dot: the operands are float32 and float64"),
        (lambda: O(3).vdot(2), TypeError, "^vdot: expected a tensor, got int"),
        (lambda: O(2, 3).inner(O(2)), ValueError, "^inner: shapes .* expected last axes of one size"),
        (lambda: O(2, 3).inner(O(3).double()), TypeError, "^inner: the operands are"),
        (lambda: O(2, 3).outer(O(3)), ValueError, "^outer: shapes"),
        (lambda: O(5).addmm(O(2, 3), O(3, 4)), ValueError, r"^addmm: input has shape \(5,\), the product \(2, 4\)"),
        (lambda: O(1, 2, 4).addmm(O(2, 3), O(3, 4)), ValueError, "^addmm: input has shape"),
        (lambda: O(4).addmm(O(2, 3), O(2, 3)), ValueError, "^addmm: shapes"),
        (lambda: O(4).double().addmm(O(2, 3), O(3, 4)), TypeError, "^addmm: the operands are float64 and float32"),
        (lambda: O(4).addmm(O(2, 3), O(3, 4), beta="a"), TypeError, "^addmm: beta is str, expected a number"),
        (lambda: O(4).addmm(O(2, 3), O(3, 4), alpha=O(1)), TypeError, "^addmm: alpha is Tensor, expected a number"),
        (lambda: O(3).addmv(O(2, 3), O(3)), ValueError, "^addmv: input has shape"),
        (lambda: O(3).addr(O(2), O(2)), ValueError, "^addr: input has shape"),
        (lambda: O(3).baddbmm(O(2, 3), O(3, 4)), ValueError, "^baddbmm: shapes"),
        (lambda: O(3).addbmm(O(2, 2, 3), O(2, 3, 4)), ValueError, "^addbmm: input has shape"),
        (lambda: O(3).trace(), ValueError, r"^trace: shapes \(3,\) do not fit, expected \(n, m\)"),
        (lambda: tinyrnn.mm([[1.0]], O(1, 1)), TypeError, "^mm: expected a tensor, got list"),
    ],
)
def test_what_does_not_fit_is_refused(call: Callable[..., Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()
