"""Smooth activations: their values, gradients and errors; far from 0 too."""

import math
import re

import numpy as np
import pytest

import tinyrnn
from nn_checks import check_gradients
from tinyrnn.nn import functional

CASES = [
    ("gelu", {}),
    ("gelu", {"approximate": "tanh"}),
    ("silu", {}),
    ("silu", {"inplace": True}),
    ("mish", {}),
    ("mish", {"inplace": True}),
    ("softplus", {}),
    ("softplus", {"beta": 2.5, "threshold": 2}),
    ("softplus", {"beta": 0.5}),
    ("softsign", {}),
    ("logsigmoid", {}),
    ("tanhshrink", {}),
    ("glu", {}),
    ("glu", {"dim": 0}),
]


def op_of(name, arguments):
    """The function, of which one in place is given what is no leaf."""
    inner = "inplace" in arguments
    return lambda *xs: getattr(functional, name)(*[x * 1 if inner else x for x in xs], **arguments)


@pytest.mark.parametrize("name", ["sigmoid", "tanh"])
def test_those_of_the_package_are_these(name):
    assert getattr(functional, name) is getattr(tinyrnn, name)


@pytest.mark.parametrize(("name", "arguments"), CASES)
def test_gradients(name, arguments):
    for shape in [(6, 4), (2, 3, 2), (0, 2)] if name == "glu" else [(6, 3), (), (0, 2)]:
        check_gradients(op_of(name, arguments), shape)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "arguments"), CASES)
def test_against_torch(agree, name, arguments, dtype):
    rng = np.random.default_rng(3)
    for x in (rng.standard_normal((6, 4)) * 3, rng.standard_normal((2, 4, 3, 2)), np.zeros((0, 2)), np.zeros((2, 2))):
        agree(
            lambda m, x: getattr(m.nn.functional, name)(x * 1 if "inplace" in arguments else x, **arguments),
            x.astype(dtype),
        )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "arguments"), CASES)
def test_far_from_zero_against_torch(agree, name, arguments, dtype):
    for x in ([1e4, -1e4, 88, -88, 800, -800, 30, -30], [-20.0, -15, -10, 1], [-np.inf, np.inf, 1, 2], [np.nan, 1]):
        if "inplace" in arguments or name == "glu" or (name in ("gelu", "mish", "softsign", "silu") and np.inf in x):
            continue  # of an infinity both may say NaN
        agree(lambda m, x: getattr(m.nn.functional, name)(x, **arguments), np.array(x, dtype))


@pytest.mark.parametrize(
    ("name", "x", "expected"),
    [
        ("gelu", 1.0, 0.5 * (1 + math.erf(math.sqrt(0.5)))),
        ("silu", 2.0, 2 / (1 + math.exp(-2))),
        ("mish", -1.0, -math.tanh(math.log1p(math.exp(-1)))),
        ("softplus", 0.5, math.log1p(math.exp(0.5))),
        ("softplus", 20.5, 20.5),
        ("softsign", -3.0, -0.75),
        ("logsigmoid", -800.0, -800.0),
        ("logsigmoid", 1.0, -math.log1p(math.exp(-1))),
        ("tanhshrink", 1.5, 1.5 - math.tanh(1.5)),
    ],
)
def test_values(name, x, expected):
    y = getattr(functional, name)(tinyrnn.tensor(x, dtype=tinyrnn.float64))
    assert y.item() == pytest.approx(expected, rel=1e-14)


def test_glu_gates_one_half_with_the_other():
    y = functional.glu(tinyrnn.tensor([[1.0, 2.0, 0.0, 100.0]]))
    assert y.tolist() == [[0.5, 2.0]]


@pytest.mark.parametrize("name", ["silu", "mish"])
def test_in_place_is_the_same_memory(name):
    x = tinyrnn.randn(5)
    expected = getattr(functional, name)(x)
    assert getattr(functional, name)(x, inplace=True) is x
    assert x.tolist() == expected.tolist()


@pytest.mark.parametrize("name", sorted({name for name, _ in CASES}))
def test_only_floating_tensors_are_taken(name):
    with pytest.raises(TypeError, match=f"{name}: expected a tensor, got ndarray"):
        getattr(functional, name)(np.ones(2))
    with pytest.raises(TypeError, match=f"{name}: the input is int64, expected a floating dtype"):
        getattr(functional, name)(tinyrnn.arange(4))


@pytest.mark.parametrize(
    ("call", "exception", "message"),
    [
        (lambda x: functional.gelu(x, "sigmoid"), ValueError, "gelu: approximate is 'sigmoid', expected 'none' or"),
        (lambda x: functional.glu(x), ValueError, "glu: the input is (4, 3), expected an even size along dim -1"),
        (lambda x: functional.glu(x, 2), IndexError, "glu: dim 2 is out of range"),
        (lambda x: functional.glu(x[0, 0]), ValueError, "glu: the input is (), expected an even size"),
        (lambda x: functional.softplus(x, "a"), TypeError, "softplus: beta is 'a', expected a number"),
    ],
)
def test_what_does_not_fit_is_refused(call, exception, message):
    with pytest.raises(exception, match=re.escape(message)):
        call(tinyrnn.zeros(4, 3))
