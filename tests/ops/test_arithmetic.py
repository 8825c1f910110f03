"""Two operands: values, dtypes and gradients are torch's in every form, and so are the corner cases."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import BroadcastableShapes, mutually_broadcastable_shapes

import tinyrnn
from tinyrnn import Tensor, tensor

DTYPES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"]
SEEDS = st.integers(0, 2**32 - 1)
OPS = ["add", "sub", "mul", "div", "pow", "maximum", "minimum"]  # the last two are in bounds.py
SYMBOLS = {"add": operator.add, "sub": operator.sub, "mul": operator.mul, "div": operator.truediv, "pow": operator.pow}


def two_shapes() -> st.SearchStrategy[BroadcastableShapes]:
    return mutually_broadcastable_shapes(num_shapes=2, min_side=0, max_side=3, max_dims=3)


@pytest.mark.parametrize("name", OPS)
@given(two_shapes(), SEEDS, st.sampled_from(["float32", "float64"]), st.sampled_from(["float32", "float64", "int64"]))
def test_value_dtype_and_gradient_are_torchs(
    agree: Callable[..., None], name: str, shapes: BroadcastableShapes, seed: int, a: str, b: str
) -> None:
    rng = np.random.default_rng(seed)
    x, y = (
        np.asarray(rng.uniform(1, 3, shape)).astype(d) for shape, d in zip(shapes.input_shapes, (a, b), strict=True)
    )
    agree(lambda m, x, y: getattr(m, name)(x, y), x, y)
    agree(lambda m, x, y: getattr(m, name)(y, x), x, y)


@pytest.mark.parametrize("name", OPS)
def test_one_tensor_on_both_sides_gets_both_gradients(agree: Callable[..., None], name: str) -> None:
    agree(lambda m, x: getattr(m, name)(x, x * x), np.array([[0.5, 1.5, 2.5], [1.0, 2.0, 3.0]]))


@pytest.mark.parametrize("name", ["add", "sub"])
@pytest.mark.parametrize("alpha", [2, -0.5, np.float64(0.5), 0])
def test_alpha_scales_the_second_operand(agree: Callable[..., None], name: str, alpha: Any) -> None:
    x, y = np.ones((2, 3), np.float32), np.arange(3, dtype=np.float32)
    agree(lambda m, x, y: getattr(m, name)(x, y, alpha=alpha), x, y)
    agree(lambda m, x: getattr(x, name)(3, alpha=alpha), x)


@pytest.mark.parametrize("name", ["neg", "square"])
@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "uint8"])
def test_unary_ones_are_torchs(agree: Callable[..., None], name: str, dtype: str) -> None:
    for shape in ((), (3,), (2, 3), (0, 2)):
        x = np.random.default_rng(0).uniform(0, 9, shape)
        agree(lambda m, x: getattr(m, name)(x), np.asarray(x).astype(dtype))


def test_the_squares_of_bools_are_whole_numbers(agree: Callable[..., None]) -> None:
    agree(lambda m, x: x.square(), np.array([True, False]))


@pytest.mark.parametrize("name", ["add", "mul", "div", "maximum"])
def test_the_dtype_of_two_tensors_is_torchs(torch: ModuleType, name: str) -> None:
    for a in DTYPES:
        for b in DTYPES:
            for m, n in (((2,), (2,)), ((2,), ()), ((), (2,)), ((), ())):
                ours = getattr(tinyrnn, name)(tinyrnn.ones(m, dtype=a), tinyrnn.ones(n, dtype=b))
                x, y = torch.ones(m, dtype=getattr(torch, a)), torch.ones(n, dtype=getattr(torch, b))
                theirs = getattr(torch, name)(x, y)
                assert f"torch.{ours.dtype}" == str(theirs.dtype), (a, m, b, n)
                np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


@pytest.mark.parametrize("symbol", [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow])
def test_the_dtype_of_a_tensor_and_a_number_is_torchs(torch: ModuleType, symbol: Callable[..., Any]) -> None:
    numbers = [2, 2.5, np.float64(2.5), np.float32(2.5), np.int64(2), np.int32(2)]
    numbers += [True, np.bool_(True)] if symbol in (operator.add, operator.mul) else []
    for dtype in DTYPES[(symbol in (operator.sub, operator.pow)) :]:  # bools have no difference, and no power
        for shape in ((2,), ()):
            for number in numbers:
                plain = number.item() if isinstance(number, np.generic) else number
                x, y = tinyrnn.ones(shape, dtype=dtype), torch.ones(shape, dtype=getattr(torch, dtype))
                for ours, theirs in ((symbol(x, number), symbol(y, plain)), (symbol(number, x), symbol(plain, y))):
                    assert f"torch.{ours.dtype}" == str(theirs.dtype), (dtype, shape, number)
                    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-6 if dtype != "float16" else 1e-3)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
@pytest.mark.parametrize("name", SYMBOLS)
def test_function_method_and_operator_are_one(name: str, dtype: str) -> None:
    x, y = tensor([[1, 2], [3, 4]]).to(dtype=dtype), tensor([2, 3]).to(dtype=dtype)
    for other in (y, 3, 2.5, np.float64(2.5), y.numpy()):
        results = [getattr(tinyrnn, name)(x, other), getattr(x, name)(other), SYMBOLS[name](x, other)]
        assert {z.dtype for z in results} == {results[0].dtype}
        for z in results:
            np.testing.assert_array_equal(z.numpy(), results[0].numpy())


@pytest.mark.parametrize("name", SYMBOLS)
@pytest.mark.parametrize("other", [3, 2.5, np.float64(2.5), np.float32(2.5), np.array([2.0, 3.0]), np.array(2.0)])
def test_what_stands_on_the_left_is_the_first_operand(name: str, other: Any) -> None:
    x = tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    z = SYMBOLS[name](other, x)
    expected = getattr(tinyrnn, name)(tensor(other, dtype=None if isinstance(other, np.ndarray) else x.dtype), x)
    assert isinstance(z, Tensor)
    assert z.dtype == expected.dtype
    np.testing.assert_allclose(z.detach().numpy(), expected.detach().numpy(), rtol=1e-6)
    found, wanted = (tinyrnn.autograd.grad(out.sum(), x)[0] for out in (z, expected))
    np.testing.assert_allclose(found.numpy(), wanted.numpy(), rtol=1e-6)


def test_a_minus_sign_is_neg() -> None:
    assert (
        (-tensor([1, -2])).tolist()
        == tinyrnn.neg(tensor([1, -2])).tolist()
        == tensor([1, -2]).neg().tolist()
        == [-1, 2]
    )


@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")
@pytest.mark.parametrize("exponent", [0, 1, 2, 3, -1, -2, 0.5, 1.5, -0.5, 0.0, 2.0])
def test_powers_of_0_and_of_negative_numbers_are_torchs(agree: Callable[..., None], exponent: float) -> None:
    x = np.array([0.0, 1.0, -1.0, 2.0, -2.5])
    agree(lambda m, x: x**exponent, x)
    agree(lambda m, x, y: x**y, x, np.array(exponent, np.float64))
    agree(lambda m, x: exponent**x, np.array([0.0, 1.0, 2.0, -1.0, 0.5]))


@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")
def test_division_by_0_is_torchs(agree: Callable[..., None]) -> None:
    agree(lambda m, x, y: x / y, np.array([1.0, -1.0, 0.0]), np.array([0.0, 0.0, 1.0]))


def test_whole_numbers_are_divided_in_the_default_dtype() -> None:
    assert (tensor([1, 2]) / 2).dtype == tinyrnn.float32
    tinyrnn.set_default_dtype(tinyrnn.float64)
    try:
        assert (tensor([1, 2]) / tensor([3, 3])).tolist() == [1 / 3, 2 / 3]
    finally:
        tinyrnn.set_default_dtype(tinyrnn.float32)


@pytest.mark.parametrize("name", [*OPS])
def test_shapes_that_do_not_broadcast_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=rf"^{name}: shapes \(2, 3\) and \(2,\) do not broadcast.*3 meets 2"):
        getattr(tinyrnn, name)(tinyrnn.ones(2, 3), tinyrnn.ones(2))


@pytest.mark.parametrize("name", [*OPS])
def test_what_is_no_number_is_refused(name: str) -> None:
    for other in ("a", None, [1.0, 2.0]):
        with pytest.raises(TypeError, match=rf"^{name}: cannot combine a tensor with {type(other).__name__}"):
            getattr(tinyrnn, name)(tinyrnn.ones(2), other)


def test_alpha_is_refused_where_it_has_no_meaning() -> None:
    with pytest.raises(TypeError, match=r"^add: alpha is 0.5 for tensors of int64: expected a whole number"):
        tinyrnn.add(tensor([1]), tensor([2]), alpha=0.5)
    with pytest.raises(TypeError, match=r"^sub: alpha is str, expected a number"):
        tinyrnn.sub(tensor([1]), tensor([2]), alpha="a")  # type: ignore[arg-type]


def test_a_changed_operand_is_noticed_where_it_is_needed() -> None:
    """mul reads y for dx and x for dy; add reads neither."""
    for op, refused in ((tinyrnn.add, False), (tinyrnn.mul, True), (tinyrnn.div, True), (tinyrnn.pow, True)):
        x, y = tensor([1.0, 2.0], requires_grad=True), tensor([3.0, 4.0])
        z = op(x, y).sum()
        y.add_(1)
        if refused:
            with pytest.raises(RuntimeError, match=f"{op.__name__}.*changed in place"):
                z.backward()
        else:
            z.backward()
            assert x.grad is not None
            assert x.grad.tolist() == [1, 1]


@pytest.mark.parametrize("op", [lambda x: x * 3.0, lambda x: x / 3.0, lambda x: x + 3.0, lambda x: x - 3.0])
def test_with_a_number_nothing_is_kept_for_backward(op: Any) -> None:
    x = tinyrnn.ones(100, requires_grad=True)
    held = [cell.cell_contents for cell in op(x).node.pullback.__closure__ or ()]
    assert not any(isinstance(value, np.ndarray) for value in held)


def test_to_the_power_of_zero_the_gradient_is_zero_at_nan_too() -> None:
    x = tensor([math.nan, 0.0, 1.0], requires_grad=True)
    (x**0).backward(tensor([1.0, math.inf, 1.0]))
    assert x.grad.tolist() == [0, 0, 0]


ALIASES = {"subtract": "sub", "multiply": "mul", "divide": "div", "true_divide": "div", "negative": "neg"}


@pytest.mark.parametrize(("alias", "name"), ALIASES.items())
def test_an_alias_is_the_operation_itself(alias: str, name: str) -> None:
    assert getattr(tinyrnn, alias) is getattr(tinyrnn, name)
    assert getattr(Tensor, alias) is getattr(Tensor, name)


THREE = [
    *("a.addcmul(b, c)", "m.addcmul(a, b, c, value=-2.5)", "m.addcdiv(a, b, c)", "a.addcdiv(b, c, value=0.5)"),
    *("a.lerp(b, 0.25)", "m.lerp(a, b, 0.75)", "a.lerp(b, c)", "m.lerp(a, b, c - 1)"),
]


@pytest.mark.parametrize("expression", THREE)
@given(mutually_broadcastable_shapes(num_shapes=3, min_side=0, max_side=3, max_dims=3), SEEDS)
def test_three_operands_are_torchs(
    agree: Callable[..., None], expression: str, shapes: BroadcastableShapes, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    arrays = [np.asarray(rng.uniform(0.5, 2, shape)) for shape in shapes.input_shapes]
    for dtype in ("float64", "float32"):
        agree(lambda m, a, b, c: eval(expression), *[x.astype(dtype) for x in arrays])


def test_lerp_is_exact_at_both_ends() -> None:
    x, y = tensor([0.1, 1e8]), tensor([0.7, 3e-5])
    assert x.lerp(y, 0).tolist() == x.tolist()
    assert x.lerp(y, 1).tolist() == y.tolist()
    assert tensor([1, 2]).lerp(tensor([3, 4]), 0.5).tolist() == [2, 3]


@pytest.mark.parametrize("name", ["logaddexp", "float_power"])
@given(two_shapes(), SEEDS, st.sampled_from(["float32", "float64"]))
def test_other_pairs_are_torchs(
    agree: Callable[..., None], name: str, shapes: BroadcastableShapes, seed: int, dtype: str
) -> None:
    rng = np.random.default_rng(seed)
    x, y = (np.asarray(rng.uniform(0.5, 3, shape)).astype(dtype) for shape in shapes.input_shapes)
    agree(lambda m, x, y: getattr(m, name)(x, y), x, y)
    agree(lambda m, x, y: getattr(x, name)(y), x, y)


def test_exponentials_are_added_without_overflow(agree: Callable[..., None]) -> None:
    agree(lambda m, x, y: m.logaddexp(x, y), np.array([1000.0, -1000, 3]), np.array([999.0, -1000, -np.inf]))
    agree(lambda m, x, y: m.logaddexp(x, y), np.array([np.inf, 1, -np.inf]), np.array([1, np.inf, 2]))
    agree(lambda m, x, y: m.logaddexp(x, y).clamp_(1, 2), np.array([1.0, 0.5]), np.array([0.0, 0.5]))
    assert abs(tensor([1.0]).logaddexp(2).item() - math.log(math.e + math.e**2)) < 1e-6


@pytest.mark.parametrize("expression", ["m.pow(2, a)", "m.float_power(2, a)", "m.float_power(a, 2)", "m.pow(2.5, a)"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
def test_the_base_of_a_power_may_be_a_number(agree: Callable[..., None], expression: str, dtype: str) -> None:
    agree(lambda m, a: eval(expression), np.array([1, 2, 3]).astype(dtype))


def test_powers_of_bools(agree: Callable[..., None]) -> None:
    agree(lambda m, a: a**2, np.array([True, False]))
    agree(lambda m, a, b: a**b, np.array([True, False]), np.array([2, 3]))
    with pytest.raises(TypeError, match=r"^pow: bools have no powers, expected numbers"):
        tensor([True]) ** tensor([True])
    with pytest.raises(TypeError, match=r"^sub: two bools have no difference: use \^"):
        tensor([True]) - tensor([True])


@pytest.mark.parametrize("number", [300, -1, 2**40])
def test_a_number_that_whole_ones_cannot_hold_is_refused_not_wrapped(number: int) -> None:
    x = tensor([1, 2], dtype=tinyrnn.uint8)
    for op in (operator.add, operator.sub, operator.mul, operator.pow, operator.floordiv, operator.and_):
        with pytest.raises(ValueError, match=rf"^\w+: {number} does not fit uint8, which holds 0 to 255: .long\(\)"):
            op(x, number)
    with pytest.raises(ValueError, match=rf"^add: {number} does not fit uint8"):
        x.add(x, alpha=number)
    assert (x.long() + number).tolist() == [1 + number, 2 + number]
    assert (x + 255).tolist() == [0, 1]  # among themselves they wrap, as NumPy's and torch's do
    assert (x * float(number)).tolist() == [number, 2 * number]


@pytest.mark.parametrize("name", ["addcmul", "addcdiv"])
def test_three_operands_that_do_not_fit_are_refused(name: str) -> None:
    op: Any = getattr(tinyrnn, name)
    x = tinyrnn.ones(2)
    with pytest.raises(ValueError, match=rf"^{name}: shapes .* do not broadcast"):
        op(x, x, tinyrnn.ones(3))
    with pytest.raises(ValueError, match=rf"^{name}: shapes .* do not broadcast"):
        op(tinyrnn.ones(3), x, x)
    with pytest.raises(TypeError, match=rf"^{name}: expected a tensor, got float"):
        op(x, x, 1.0)
    with pytest.raises(TypeError, match=r"^lerp: the operands are float32 and float64, expected one dtype"):
        x.lerp(x, x.double())
    with pytest.raises(ValueError, match=r"^lerp: shapes .* do not broadcast"):
        x.lerp(x, tinyrnn.ones(3))
    with pytest.raises(TypeError, match=r"^lerp: weight is str, expected a number"):
        x.lerp(x, "a")
