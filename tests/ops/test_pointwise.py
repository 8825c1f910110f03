"""Functions of one number: torch's values, dtypes and gradients, at the kinks and at the ends of the range too."""

from __future__ import annotations

import math
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinyrnn
from tinyrnn import tensor

SHAPES = st.lists(st.integers(0, 4), max_size=3).map(tuple)
SMOOTH = [
    *("exp", "exp2", "expm1", "log", "log1p", "log2", "log10", "sqrt", "rsqrt", "reciprocal"),
    *("tanh", "sigmoid", "erf"),
]
POSITIVE = ("log", "log2", "log10", "sqrt", "rsqrt", "log1p", "reciprocal")
KINKED = ["relu", "abs"]


@pytest.mark.parametrize("name", SMOOTH + KINKED)
@given(SHAPES, st.integers(0, 2**32 - 1), st.sampled_from(["float32", "float64"]))
def test_value_dtype_and_gradient_are_torchs(
    agree: Callable[..., None], name: str, shape: tuple[int, ...], seed: int, dtype: str
) -> None:
    # Further out, where y is next to 1, float32 has too few digits of 1 - y^2.
    end = 2 if (name, dtype) == ("tanh", "float32") else 3
    x = np.random.default_rng(seed).uniform(0.1, end, shape) * (1 if name in POSITIVE else -1)
    agree(lambda m, x: getattr(m, name)(x), np.asarray(x).astype(dtype))
    agree(lambda m, x: getattr(x, name)(), np.asarray(x).astype(dtype))


@pytest.mark.parametrize("name", SMOOTH)
@pytest.mark.parametrize("dtype", ["bool", "uint8", "int32", "int64"])
def test_whole_numbers_are_taken_in_the_default_dtype(agree: Callable[..., None], name: str, dtype: str) -> None:
    agree(lambda m, x: getattr(m, name)(x), np.ones((2, 3), dtype))
    tinyrnn.set_default_dtype(tinyrnn.float64)
    try:
        assert getattr(tinyrnn, name)(tinyrnn.ones(2, dtype=dtype)).dtype == tinyrnn.float64
    finally:
        tinyrnn.set_default_dtype(tinyrnn.float32)


@pytest.mark.parametrize("name", KINKED)
def test_whole_numbers_stay_whole_where_the_function_keeps_them(agree: Callable[..., None], name: str) -> None:
    for dtype in ("int8", "int64", "uint8"):
        agree(lambda m, x: getattr(m, name)(x), np.array([-2, 0, 3]).astype(dtype))


@pytest.mark.parametrize("name", KINKED)
def test_the_slope_at_the_kink_is_0(agree: Callable[..., None], name: str) -> None:
    agree(lambda m, x: getattr(m, name)(x), np.array([0.0, -0.0, 1e-300, -1e-300]))
    x = tensor([0.0, 2.0], requires_grad=True)
    getattr(tinyrnn, name)(x).backward(tensor([3.0, 5.0]))
    assert x.grad is not None
    assert x.grad.tolist() == [0, 5]


def test_relu_lets_nan_and_its_gradient_through(agree: Callable[..., None]) -> None:
    agree(lambda m, x: m.relu(x), np.array([np.nan, np.inf, -np.inf, 1.0]))


@pytest.mark.parametrize("name", ["sigmoid", "tanh"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_far_from_0_nothing_overflows(agree: Callable[..., None], name: str, dtype: str) -> None:
    x = np.array([1000, -1000, 80, -80, 20, -20, np.inf, -np.inf, np.nan], dtype)
    agree(lambda m, x: getattr(m, name)(x), x)  # and no warning, which would be an error here


@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value", "ignore:overflow")
def test_the_ends_of_the_domain_are_torchs(agree: Callable[..., None]) -> None:
    agree(lambda m, x: m.log(x), np.array([0.0, -1.0, np.inf]))
    agree(lambda m, x: m.sqrt(x), np.array([0.0, -1.0, np.inf]))
    agree(lambda m, x: m.exp(x), np.array([800.0, -800.0, np.inf, -np.inf]))


def test_what_is_detached_has_the_same_memory_and_no_gradient() -> None:
    x = tensor([1.0, 2.0], requires_grad=True)
    y = x * 1
    z = y * y
    for d in (y.detach(), tinyrnn.detach(y)):
        assert d.array is y.array
        assert d.is_leaf
        assert not d.requires_grad
    d.zero_()
    with pytest.raises(RuntimeError, match="was changed in place"):
        z.sum().backward()
    with pytest.raises(TypeError, match=r"^detach: expected a tensor, got list"):
        tinyrnn.detach([1.0])


def test_a_clone_has_memory_of_its_own() -> None:
    x = tensor([[1.0, 2.0], [3.0, 4.0]])
    for y in (x.clone(), tinyrnn.clone(x.t())):
        assert not np.shares_memory(x.numpy(), y.numpy())
        y.zero_()
    assert x.tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize("to", ["float16", "float32", "float64", "int64", "bool", "uint8"])
@pytest.mark.parametrize("of", ["float16", "float32", "float64", "int64", "bool"])
def test_another_dtype_is_torchs(agree: Callable[..., None], of: str, to: str) -> None:
    x = np.array([[0, 1.5, 2], [3.25, 0, 100.75]]).astype(of)
    agree(lambda m, x: x.to(getattr(m, to)) if of != to else x * 1, x)


def test_the_same_dtype_is_the_same_tensor() -> None:
    x = tinyrnn.ones(2)
    assert x.to(tinyrnn.float32) is x
    assert x.float() is x
    assert x.double() is not x


@pytest.mark.parametrize("name", [*SMOOTH, *KINKED, "clone"])
@pytest.mark.parametrize("given", [1.0, np.ones(2), [1.0], None])
def test_what_is_no_tensor_is_refused(name: str, given: Any) -> None:
    with pytest.raises(TypeError, match=f"^{name}: expected a tensor, got {type(given).__name__}: make one with"):
        getattr(tinyrnn, name)(given)


@pytest.mark.parametrize(
    ("op", "reads"),
    [
        *((op, "y") for op in ("exp", "exp2", "expm1", "sqrt", "rsqrt", "reciprocal", "tanh", "sigmoid", "relu")),
        *((op, "x") for op in ("log", "log1p", "log2", "log10", "sin", "cos", "abs", "square", "erf")),
        *((op, "") for op in ("clone", "neg")),
    ],
)
def test_a_change_of_what_the_derivative_reads_is_noticed(op: str, reads: str) -> None:
    for changed in "xy":
        w = tensor([0.5, 1.5], requires_grad=True)
        x = w * 1
        y = getattr(tinyrnn, op)(x)
        z = y * 1
        (x if changed == "x" else y).add_(1)
        if changed == reads:
            with pytest.raises(RuntimeError, match=f"'{op}'.*changed in place"):
                z.sum().backward()
        else:
            z.sum().backward()
            assert w.grad is not None


@pytest.mark.parametrize(
    "op", [lambda m, x: x.relu(), lambda m, x: x.clamp(min=0.0), lambda m, x: m.maximum(x, m.zeros(2))]
)
def test_where_no_gradient_passes_an_infinite_one_leaves_zero(op: Any, torch: ModuleType) -> None:
    grads = []
    for m in (tinyrnn, torch):
        x = m.tensor([-1.0, 4.0], requires_grad=True)
        y = op(m, x)
        y.backward(m.tensor([math.inf, 0.25]))
        grads.append(x.grad.tolist())
    assert grads == [[0, 0.25]] * 2


PYTHONS: dict[str, Callable[[float], float]] = {
    **{name: getattr(math, name) for name in ("exp", "exp2", "expm1", "log", "log1p", "log2", "log10", "sqrt")},
    **{name: getattr(math, name) for name in ("tanh", "erf")},
    "rsqrt": lambda x: 1 / math.sqrt(x),
    "reciprocal": lambda x: 1 / x,
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "logit": lambda x: math.log(x / (1 - x)),
    "sign": lambda x: math.copysign(1, x),
    "abs": abs,
    "relu": lambda x: max(x, 0),
}


@pytest.mark.parametrize(("name", "python"), PYTHONS.items())
def test_values_are_pythons(name: str, python: Callable[[float], float]) -> None:
    x = np.linspace(0.05, 0.95, 7) * (-1 if name in ("exp", "expm1", "tanh", "erf", "sign", "abs", "relu") else 1)
    found = getattr(tinyrnn, name)(tensor(x)).numpy()
    np.testing.assert_allclose(found, [python(v) for v in x.tolist()], rtol=2e-15)


@pytest.mark.parametrize("eps", [None, 0.1, 0.3])
def test_logit_is_torchs(agree: Callable[..., None], eps: float | None) -> None:
    agree(lambda m, x: m.logit(x, eps), np.array([0.05, 0.1, 0.2, 0.5, 0.7, 0.9, 0.99]))
    agree(lambda m, x: x.logit(eps), np.array([[0.25], [0.75]], np.float32))


@pytest.mark.filterwarnings("ignore:invalid value", "ignore:divide by zero")
def test_logit_outside_of_its_domain_is_torchs(agree: Callable[..., None]) -> None:
    agree(lambda m, x: m.logit(x), np.array([-0.5, 1.5, 1.0]))
    agree(lambda m, x: m.logit(x, 0.1), np.array([-0.5, 1.5, 1.0, 0.0]))


@pytest.mark.parametrize("name", ["sign", "sgn"])
@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "int8", "uint8", "bool"])
def test_the_sign_is_torchs(agree: Callable[..., None], name: str, dtype: str) -> None:
    x = np.array([0, 1, 3]).astype(dtype) if dtype in ("uint8", "bool") else np.array([0, -1, 3, -2]).astype(dtype)
    agree(lambda m, x: getattr(m, name)(x).detach(), x)
    agree(lambda m, x: getattr(x, name)().detach(), x[1])
    if dtype[0] == "f":
        agree(lambda m, x: m.sign(x), np.array([np.nan, np.inf, -np.inf, -0.0], dtype))


@pytest.mark.parametrize("arguments", ["", "1.5", "nan=2", "0, 3, -4", "posinf=1", "neginf=-1.0"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_nan_to_num_is_torchs(agree: Callable[..., None], arguments: str, dtype: str) -> None:
    x = np.array([1.0, np.nan, np.inf, -np.inf, 0.0], dtype)
    agree(lambda m, x: eval(f"m.nan_to_num(x, {arguments})"), x)
    agree(lambda m, x: eval(f"x.nan_to_num({arguments})"), np.array([1, 2]))


def test_plus_is_the_tensor_itself() -> None:
    x = tensor([1.0, -2.0])
    assert +x is x
    assert tinyrnn.positive(x) is x
    with pytest.raises(TypeError, match=r"^positive: a bool has no sign"):
        +tensor([True])


def test_absolute_is_abs() -> None:
    assert tinyrnn.absolute is tinyrnn.abs
    assert tensor([-1.0]).absolute().tolist() == abs(tensor([-1.0])).tolist() == [1]
