"""Comparisons and choices: torch's values, dtypes and gradients."""

from __future__ import annotations

import operator
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes

import tinyrnn
from tinyrnn import Tensor, tensor

NAMES = ["eq", "ne", "lt", "le", "gt", "ge"]
DTYPES = ["bool", "uint8", "int64", "float16", "float32", "float64"]


@pytest.mark.parametrize("name", NAMES)
@given(mutually_broadcastable_shapes(num_shapes=2, min_side=0, max_side=3, max_dims=3), st.integers(0, 2**32 - 1))
def test_a_comparison_is_torchs(agree: Callable[..., None], name: str, shapes: Any, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = (np.asarray(rng.integers(0, 3, shape)).astype(float) for shape in shapes.input_shapes)
    agree(lambda m, x, y: getattr(m, name)(x, y), x, y)
    agree(lambda m, x, y: getattr(x, name)(y), x, y.astype(int))
    agree(lambda m, x, y: getattr(operator, name)(x, y), x, y)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("number", [1, 1.0, 0.5, True, -1])
def test_a_number_may_stand_on_either_side(agree: Callable[..., None], name: str, number: float) -> None:
    compare = getattr(operator, name)
    for dtype in ("float32", "int64", "bool"):
        x = np.array([0, 1, 2]).astype(dtype)
        agree(lambda m, x: compare(x, number), x)
        agree(lambda m, x: compare(number, x), x)
    for numpys in (np.float64(number), np.full(3, number)):
        for result in (compare(tensor([0.0, 1.0, 2.0]), numpys), compare(numpys, tensor([0.0, 1.0, 2.0]))):
            assert isinstance(result, Tensor)
            assert result.dtype == tinyrnn.boolean
        assert compare(numpys, tensor([0.0, 1.0, 2.0])).tolist() == compare(np.full(3, number), [0, 1, 2]).tolist()


def test_nan_equals_nothing(agree: Callable[..., None]) -> None:
    x = np.array([np.nan, np.inf, -np.inf, 0.0])
    for name in NAMES:
        agree(lambda m, x, name=name: getattr(m, name)(x, x), x)


def test_what_is_no_number_is_unequal_and_not_comparable() -> None:
    x = tensor([1.0, 2.0])
    assert (x == None) is False  # noqa: E711
    assert (x != None) is True  # noqa: E711
    assert (x == "a") is False
    for compare in (operator.lt, operator.le, operator.gt, operator.ge):
        with pytest.raises(TypeError, match=f"^{compare.__name__}: cannot combine a tensor with str"):
            compare(x, "a")


@pytest.mark.parametrize("name", NAMES)
def test_shapes_that_do_not_broadcast_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=rf"^{name}: shapes \(2,\) and \(3,\) do not broadcast"):
        getattr(operator, name)(tinyrnn.ones(2), tinyrnn.ones(3))


@given(mutually_broadcastable_shapes(num_shapes=3, min_side=0, max_side=3, max_dims=3), st.integers(0, 2**32 - 1))
def test_where_is_torchs(agree: Callable[..., None], shapes: Any, seed: int) -> None:
    rng = np.random.default_rng(seed)
    c, x, y = (np.asarray(rng.standard_normal(shape)) for shape in shapes.input_shapes)
    agree(lambda m, c, x, y: m.where(c, x, y), c > 0, x, y)
    agree(lambda m, c, x, y: m.where(c, x, y), c > 0, x.astype(np.float32), y)


@pytest.mark.parametrize("numbers", [(1.5, 0.5), (1, 0), (1, 0.5), (0.5, 1), (True, False), (True, 2)])
def test_where_takes_numbers_for_either_or_both(agree: Callable[..., None], numbers: tuple[Any, Any]) -> None:
    c, (a, b) = np.array([True, False, True]), numbers
    agree(lambda m, c: m.where(c, a, b), c)
    for dtype in DTYPES:
        x = np.array([2, 3, 4]).astype(dtype)
        agree(lambda m, c, x: m.where(c, x, b), c, x)
        agree(lambda m, c, x: m.where(c, a, x), c, x)


def test_the_dtype_of_where_is_torchs(torch: ModuleType) -> None:
    for a in DTYPES:
        for b in DTYPES:
            for m, n in (((2,), (2,)), ((2,), ()), ((), (2,))):
                ours = tinyrnn.where(tensor([True, False]), tinyrnn.ones(m, dtype=a), tinyrnn.ones(n, dtype=b))
                x, y = torch.ones(m, dtype=getattr(torch, a)), torch.ones(n, dtype=getattr(torch, b))
                assert f"torch.{ours.dtype}" == str(torch.where(torch.tensor([True, False]), x, y).dtype), (a, m, b, n)


def test_where_sends_no_gradient_to_what_was_not_chosen(agree: Callable[..., None]) -> None:
    """Nor NaN, though the value there is none."""
    agree(lambda m, x: m.where(x > 0, x, x * 2), np.array([1.0, -1.0, 0.0]))
    x = tensor([1.0, np.inf], requires_grad=True)
    tinyrnn.where(x < 5, x, 0.0).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [1, 0]


def test_a_condition_that_is_changed_before_backward_is_noticed() -> None:
    condition, x = tensor([True, False]), tinyrnn.ones(2, requires_grad=True)
    y = tinyrnn.where(condition, x, 0.0).sum()
    condition[0] = False
    with pytest.raises(RuntimeError, match=r"'where'.*changed in place"):
        y.backward()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((tensor([1, 0]), 1.0, 2.0), TypeError, "^where: the condition is int64, expected bool"),
        ((True, tensor(1.0), 2.0), TypeError, "^where: expected a tensor, got bool"),
        ((tensor([True]), "a", tensor(1.0)), TypeError, "^where: cannot combine a tensor with str"),
        ((tensor([True]), tensor(1.0), None), TypeError, "^where: cannot combine a tensor with NoneType"),
        (
            (tensor([True, False]), tinyrnn.ones(3), 1.0),
            ValueError,
            r"^where: shapes \(2,\) and \(3,\) do not broadcast",
        ),
        ((tensor([True]), tinyrnn.ones(2), tinyrnn.ones(3)), ValueError, r"^where: shapes \(2,\) and \(3,\)"),
    ],
)
def test_where_refuses_what_it_cannot_choose_from(arguments: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        tinyrnn.where(*arguments)


@pytest.mark.parametrize("tolerances", [{}, {"rtol": 1e-2}, {"atol": 0.1, "rtol": 0}, {"equal_nan": True}])
def test_allclose_is_torchs(torch: ModuleType, tolerances: dict[str, Any]) -> None:
    x = np.array([1.0, 100.0, np.inf, 0.0])
    for change in (0, 1e-9, 1e-3, 0.05, 0.5, np.nan):
        for y in (x + change, x * (1 + change), x - change):
            expected = torch.allclose(torch.tensor(x), torch.tensor(y), **tolerances)
            assert tinyrnn.allclose(tensor(x), tensor(y), **tolerances) is expected
            assert tensor(x).allclose(tensor(y), **tolerances) is expected
    assert tensor(1.0).allclose(tensor(1.11), rtol=0.1)  # of the second
    assert not tensor(1.11).allclose(tensor(1.0), rtol=0.1)
    nan = tensor([1.0, np.nan])
    assert nan.allclose(nan, equal_nan=True)
    assert not nan.allclose(nan)


ALIASES = {"not_equal": "ne", "less": "lt", "less_equal": "le", "greater": "gt", "greater_equal": "ge"}


@pytest.mark.parametrize(("alias", "name"), ALIASES.items())
def test_an_alias_is_the_comparison_itself(alias: str, name: str) -> None:
    assert getattr(tinyrnn, alias) is getattr(tinyrnn, name)
    assert getattr(Tensor, alias) is getattr(Tensor, name)


def test_a_number_that_whole_ones_cannot_hold_is_compared_as_it_is() -> None:
    x = tensor([44, 255], dtype=tinyrnn.uint8)
    assert (x < 300).tolist() == [True, True]
    assert (x == 300).tolist() == [False, False]
    assert (x > -1).tolist() == [True, True]


@pytest.mark.parametrize("name", ["isnan", "isinf", "isposinf", "isneginf", "isfinite"])
def test_what_is_not_finite_is_torchs(agree: Callable[..., None], name: str) -> None:
    for x in (
        np.array([1.0, np.nan, np.inf, -np.inf]),
        np.array(np.inf, np.float32),
        np.ones((0, 2)),
        np.array([1, 2]),
    ):
        agree(lambda m, x: getattr(m, name)(x), x)
        agree(lambda m, x: getattr(x, name)(), x)
    with pytest.raises(TypeError, match=f"^{name}: expected a tensor, got float"):
        getattr(tinyrnn, name)(1.0)


@pytest.mark.parametrize("tolerances", [{}, {"rtol": 1e-2}, {"atol": 0.1, "rtol": 0}, {"equal_nan": True}])
def test_isclose_is_torchs(agree: Callable[..., None], tolerances: dict[str, Any]) -> None:
    x = np.array([1.0, 100.0, np.inf, 0.0, np.nan])
    for change in (0, 1e-9, 1e-3, 0.05, 0.5):
        agree(lambda m, x, y: m.isclose(x, y, **tolerances), x, x * (1 + change))
        agree(lambda m, x, y: x.isclose(y, **tolerances), x[:, None], x - change)
    agree(lambda m, x: x.isclose(x), np.array([1, 2]))


def test_equal_asks_for_one_shape_and_the_same_elements(torch: ModuleType) -> None:
    arrays = [np.ones(2), np.ones((1, 2)), np.array([1.0, 2.0]), np.array([1, 1]), np.array([np.nan, 1]), np.ones(0)]
    for x in arrays:
        for y in arrays:
            expected = torch.equal(torch.tensor(x), torch.tensor(y))
            assert tinyrnn.equal(tensor(x), tensor(y)) is tensor(x).equal(tensor(y)) is expected
    with pytest.raises(TypeError, match=r"^equal: expected a tensor, got int"):
        tensor([1]).equal(1)  # type: ignore[arg-type]


@pytest.mark.parametrize("c", [[True, False, True], [[False, True], [True, True]], [0.0, 2.0], [], True, False])
def test_where_of_a_condition_alone_gives_the_indices(agree: Callable[..., None], c: Any) -> None:
    agree(lambda m, c: m.where(c), np.array(c))


def test_where_as_a_method_begins_with_the_first_choice(agree: Callable[..., None]) -> None:
    x, y = np.array([1.0, -2.0, 3.0]), np.array([[10.0], [20.0]])
    agree(lambda m, x, y: x.where(x > 0, y), x, y)
    agree(lambda m, x, y: x.where(condition=x > 0, other=y.detach()), x, y)
    assert tensor(x).where(tensor(x) > 0, 0).tolist() == [1, 0, 3]


def test_a_uint8_is_taken_for_a_bool_with_a_warning(agree: Callable[..., None]) -> None:
    c, x = np.array([1, 0, 2], np.uint8), np.array([1.0, 2.0, 3.0])
    with pytest.warns(UserWarning, match="where received a uint8 condition tensor"):
        agree(lambda m, c, x: m.where(c, x, 0.5), c, x)
