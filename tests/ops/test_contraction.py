"""einsum and tensordot: torch's and NumPy's values, torch's gradients and forms, and refusals in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinyrnn

EQUATIONS = [
    ("ij,jk->ik", (2, 3), (3, 4)),
    ("ij,jk", (2, 3), (3, 4)),
    (" ij , jk -> ki ", (2, 3), (3, 4)),
    ("ij,jk->", (2, 3), (3, 4)),
    ("ba,cb", (2, 3), (4, 2)),
    ("ij,ij->ij", (2, 3), (2, 3)),
    ("ij,ij->", (2, 3), (2, 3)),
    ("i,j->ij", (2,), (3,)),
    ("i,i", (3,), (3,)),
    ("ii", (3, 3)),
    ("ii->i", (3, 3)),
    ("iii->i", (2, 2, 2)),
    ("iji->j", (2, 3, 2)),
    ("iijj->ij", (2, 2, 3, 3)),
    ("ij->ji", (2, 3)),
    ("ij", (2, 3)),
    ("ji", (2, 3)),
    ("Aa", (2, 3)),
    ("aA", (2, 3)),
    ("ij->j", (2, 3)),
    ("ijk->", (2, 3, 4)),
    ("bij,bjk->bik", (2, 3, 4), (2, 4, 5)),
    ("bhqd,bhkd->bhqk", (2, 2, 3, 4), (2, 2, 5, 4)),
    ("...ij,...jk->...ik", (2, 3, 4), (2, 4, 5)),
    ("...ij,...jk", (2, 3, 4), (4, 5)),
    ("...ij,...jk->...ik", (2, 1, 3, 4), (5, 4, 2)),
    ("i...,i...->...", (2, 3), (2, 3)),
    ("i...j->...", (2, 3, 4)),
    ("...->", (2, 3)),
    ("i...->i", (2, 3)),
    ("ij->...", (2, 3)),
    ("...,...", (2, 3), ()),
    ("ij,jk,kl->il", (2, 3), (3, 4), (4, 2)),
    ("bn,anm,bm->ba", (2, 5), (3, 5, 4), (2, 4)),
    ("i,i,i->i", (3,), (3,), (3,)),
    ("i,j,k->kji", (2,), (3,), (2,)),
    ("ij,kj->ik", (2, 3), (4, 1)),
    ("ij,jk->ik", (2, 3), (1, 4)),
    ("i,i->i", (1,), (3,)),
    ("", ()),
    (",", (), ()),
    (",ij", (), (2, 3)),
    ("ij,jk->ik", (2, 0), (0, 3)),
    ("ij,jk->ik", (0, 2), (2, 3)),
]


def draw(*shapes: tuple[int, ...], dtype: str = "float64") -> list[np.ndarray]:
    rng = np.random.default_rng(len(str(shapes)))
    return [np.asarray(rng.standard_normal(shape)).astype(dtype) for shape in shapes]


@pytest.mark.parametrize(("equation", "shapes"), [(equation, shapes) for equation, *shapes in EQUATIONS])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_any_equation_is_torchs(agree: Callable[..., None], equation: str, shapes: list[Any], dtype: str) -> None:
    agree(lambda m, *xs: m.einsum(equation, *xs), *draw(*shapes, dtype=dtype))


@given(st.data())
def test_drawn_equations_are_numpys_and_torchs(agree: Callable[..., None], data: Any) -> None:
    sizes = {letter: data.draw(st.integers(0, 3)) for letter in "abcd"}
    terms = data.draw(st.lists(st.text("abcd", max_size=3), min_size=1, max_size=3))
    there = sorted(set("".join(terms)))
    out = "".join(data.draw(st.permutations(there))[: data.draw(st.integers(0, len(there)))])
    equation = ",".join(terms) + "->" + out
    xs = draw(*[tuple([sizes[letter] for letter in term]) for term in terms])
    np.testing.assert_allclose(
        tinyrnn.einsum(equation, *[tinyrnn.tensor(x) for x in xs]).numpy(), np.einsum(equation, *xs), atol=1e-12
    )
    agree(lambda m, *xs: m.einsum(equation, *xs), *xs)


def test_other_forms_are_torchs(agree: Callable[..., None]) -> None:
    x, y = draw((2, 3), (3, 4))
    agree(lambda m, x, y: m.einsum("ij,jk->ik", [x, y]), x, y)
    agree(lambda m, x, y: m.einsum(x, [0, 1], y, [1, 2], [0, 2]), x, y)
    agree(lambda m, x, y: m.einsum(x, [0, 1], y, [1, 2]), x, y)
    agree(lambda m, x, y: m.einsum(x, [..., 30], y, [30, ...], [...]), *draw((2, 3), (3, 2)))
    agree(lambda m, x, y: m.einsum("ij,jk->ki", x, y), np.arange(6).reshape(2, 3), np.arange(12).reshape(3, 4))
    agree(lambda m, x: m.einsum("ij,jk,kl->il", x, x, x), draw((3, 3))[0])


def test_the_result_is_a_copy_also_of_one_operand() -> None:
    x = tinyrnn.ones(2, 3)
    y = tinyrnn.einsum("ij->ji", x)
    x.zero_()
    assert y.tolist() == [[1, 1]] * 3


def test_an_operand_that_needs_no_gradient_gets_none_and_may_change() -> None:
    x, y = tinyrnn.ones(2, 3, requires_grad=True), tinyrnn.ones(3, 4)
    z = tinyrnn.einsum("ij,jk->ik", x, y)
    with tinyrnn.no_grad():
        x.zero_()
    z.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [[4, 4, 4]] * 2
    z = tinyrnn.einsum("ij,jk->ik", x, y)
    y.zero_()
    with pytest.raises(RuntimeError, match=r"'einsum'.*changed in place"):
        z.sum().backward()


@pytest.mark.parametrize(
    ("dims", "a", "b"),
    [
        (1, (2, 3), (3, 4)),
        (2, (2, 3), (2, 3)),
        (0, (2, 3), (3, 4)),
        (0, (), (2,)),
        (([1], [0]), (2, 3), (3, 4)),
        ([[0, 2], [0, 1]], (2, 3, 4), (2, 4, 5)),
        (((-1, 0), (1, -1)), (2, 3, 4), (5, 4, 2)),
        ((0, 1), (2, 3), (4, 2)),
        (([], []), (2,), (3,)),
        (1, (2, 0), (0, 3)),
        (1, (0, 2), (2, 3)),
    ],
)
def test_tensordot_is_torchs_and_numpys(agree: Callable[..., None], dims: Any, a: Any, b: Any) -> None:
    x, y = draw(a, b)
    if dims != (0, 1):  # torch takes lists only
        agree(lambda m, x, y: m.tensordot(x, y, dims=dims), x, y)
    found = tinyrnn.tensordot(tinyrnn.tensor(x), tinyrnn.tensor(y), dims).numpy()
    np.testing.assert_allclose(found, np.tensordot(x, y, dims), atol=1e-12)


def test_tensordot_takes_its_axes_as_a_tensor_and_two_of_them_by_default(agree: Callable[..., None]) -> None:
    agree(lambda m, x, y: m.tensordot(x, y, m.tensor([[0, 2], [0, 1]])), *draw((2, 3, 4), (2, 4, 5)))
    agree(lambda m, x, y: m.tensordot(x, y), *draw((2, 3, 4), (3, 4, 5)))


O = tinyrnn.ones


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: tinyrnn.einsum("ij,jk", O(2, 3)), ValueError, "^einsum: 'ij,jk' is for 2 operands, got 1"),
        (lambda: tinyrnn.einsum("ijk", O(2, 3)), ValueError, "^einsum: 'ijk' in 'ijk' names 3 axes, operand 0 has 2"),
        (lambda: tinyrnn.einsum("i", O(2, 3)), ValueError, "^einsum: 'i' in 'i' names 1 axes, operand 0 has 2"),
        (lambda: tinyrnn.einsum("ij->iz", O(2, 3)), ValueError, "^einsum: the result 'iz' .*expected labels of"),
        (lambda: tinyrnn.einsum("ij->ii", O(2, 3)), ValueError, "^einsum: the result 'ii' .*each once"),
        (lambda: tinyrnn.einsum("i1", O(2, 3)), ValueError, "^einsum: 'i1' is no equation, expected letters"),
        (lambda: tinyrnn.einsum("i.j", O(2, 3)), ValueError, "^einsum: 'i.j' is no equation"),
        (lambda: tinyrnn.einsum("......", O(2, 3)), ValueError, "^einsum: '......' is no equation"),
        (lambda: tinyrnn.einsum("ij->i,j", O(2, 3)), ValueError, "^einsum: .* is no equation"),
        (
            lambda: tinyrnn.einsum("ij,jk", O(2, 3), O(2, 3)),
            ValueError,
            "^einsum: in 'ij,jk', .*'j' has the sizes 3 and 2",
        ),
        (lambda: tinyrnn.einsum("...,...", O(2), O(3)), ValueError, "^einsum: .*has the sizes 2 and 3"),
        (lambda: tinyrnn.einsum("ij,jk", O(2, 3), O(3, 4).double()), TypeError, "^einsum: the operands are"),
        (lambda: tinyrnn.einsum("ij,jk", O(2, 3), 2.0), TypeError, "^einsum: expected a tensor, got float"),
        (lambda: tinyrnn.einsum(O(2, 3), [0, 52]), ValueError, "^einsum: expected an equation such as"),
        (lambda: tinyrnn.einsum(O(2, 3)), ValueError, "^einsum: expected an equation such as|^einsum: '' is"),
        (lambda: tinyrnn.tensordot(O(2, 3), O(3, 4), 3), ValueError, "^tensordot: dims is 3 for shapes"),
        (lambda: tinyrnn.tensordot(O(2, 3), O(3, 4), -1), ValueError, "^tensordot: dims is -1"),
        (
            lambda: tinyrnn.tensordot(O(2, 3), O(3, 4), 2),
            ValueError,
            r"^tensordot: dims \[0, 1\] and \[0, 1\] of shapes",
        ),
        (
            lambda: tinyrnn.tensordot(O(2, 3), O(3, 4), ([0], [0, 1])),
            ValueError,
            r"^tensordot: dims \[0\] and \[0, 1\]",
        ),
        (lambda: tinyrnn.tensordot(O(2, 2), O(2, 2), ([0, 0], [0, 1])), ValueError, "^tensordot: .*distinct"),
        (lambda: tinyrnn.tensordot(O(2, 3), O(3, 4), [[0]]), ValueError, r"^tensordot: dims is \[\[0\]\], expected"),
        (lambda: tinyrnn.tensordot(O(2, 3), O(3, 4), ([2], [0])), IndexError, "^tensordot: dim 2"),
        (lambda: tinyrnn.tensordot(O(2), O(2).double(), 1), TypeError, "^tensordot: the operands are"),
    ],
)
def test_what_does_not_fit_is_refused(call: Callable[..., Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()
