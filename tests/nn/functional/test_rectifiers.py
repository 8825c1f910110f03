"""Piecewise activations: their values, gradients, kinks and errors, also in place."""

import re

import numpy as np
import pytest

import tinyrnn
from nn_checks import check_gradients
from tinyrnn.autograd import gradcheck
from tinyrnn.nn import functional

CASES = [
    ("relu", ()),
    ("leaky_relu", ()),
    ("leaky_relu", (0.3,)),
    ("leaky_relu", (-0.3,)),
    ("elu", ()),
    ("elu", (0.7,)),
    ("celu", (2.0,)),
    ("selu", ()),
    ("hardtanh", ()),
    ("hardtanh", (-0.45, 0.7)),
    ("relu6", ()),
    ("hardsigmoid", ()),
    ("hardswish", ()),
    ("threshold", (0.45, 20.0)),
    ("hardshrink", ()),
    ("softshrink", (0.4,)),
]
IN_PLACE = [case for case in CASES if "shrink" not in case[0]]
KINKS = [-6, -3, -1, -0.5, -0.45, -0.4, -0.0, 0, 0.4, 0.45, 0.5, 0.7, 1, 3, 6, 7, -7]


@pytest.mark.parametrize(("name", "arguments"), CASES)
def test_gradients(name, arguments):
    for shape in [(6, 3), (), (0, 2)]:
        check_gradients(lambda x: getattr(functional, name)(x, *arguments), shape)
        check_gradients(lambda x: getattr(functional, name)(x * 5, *arguments), shape)


@pytest.mark.parametrize(("name", "arguments"), IN_PLACE)
def test_gradients_in_place(name, arguments):
    check_gradients(lambda x: getattr(functional, name)(x * 1, *arguments, inplace=True), (6, 3))
    check_gradients(lambda x: getattr(functional, name)((x * 1)[1], *arguments, inplace=True), (6, 3))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "arguments"), CASES)
def test_against_torch(agree, name, arguments, dtype):
    def op(m, x):
        return getattr(m.nn.functional, name)(x, *arguments)

    if name == "hardsigmoid" and dtype == "float64":
        return  # torch takes 1/6 in float32 there; the difference quotient is the witness
    rng = np.random.default_rng(0)
    for x in (rng.standard_normal((6, 4)) * 3, np.array(KINKS), np.zeros((0, 2)), np.array(-0.2), 1e4 * np.eye(2)):
        agree(op, x.astype(dtype))
    agree(op, -1e4 * np.eye(2, dtype=dtype))


@pytest.mark.parametrize(("name", "arguments"), CASES)
def test_what_is_no_number_stays_so(name, arguments):
    y = getattr(functional, name)(tinyrnn.tensor([np.nan, 0.6]), *arguments)
    assert np.isnan(y.array).tolist() == [True, False]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(5,), (5, 3), (2, 3, 4), ()])
@pytest.mark.parametrize("n", [1, 3])
def test_prelu_against_torch(agree, shape, n, dtype):
    if n == 3 and len(shape) < 2:
        return
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal(shape), rng.standard_normal(n)
    agree(lambda m, x, w: m.nn.functional.prelu(x, w), x.astype(dtype), w.astype(dtype))


@pytest.mark.parametrize("shapes", [((5,), (1,)), ((5, 3), (3,)), ((2, 3, 4), (3,)), ((2, 3, 4), (1,)), ((4, 3), ())])
def test_gradients_of_prelu(shapes):
    check_gradients(functional.prelu, *shapes)


@pytest.mark.parametrize(
    ("name", "arguments", "x", "expected"),
    [
        ("relu", (), [-1, 0, 2], [0, 0, 2]),
        ("leaky_relu", (0.5,), [-1, 0, 2], [-0.5, 0, 2]),
        ("elu", (2.0,), [-1, 0, 2], [2 * np.expm1(-1), 0, 2]),
        ("celu", (2.0,), [-1, 0, 2], [2 * np.expm1(-0.5), 0, 2]),
        ("selu", (), [-1, 2], [1.0507009873554805 * 1.6732632423543772 * np.expm1(-1), 2 * 1.0507009873554805]),
        ("hardtanh", (-2, 1), [-3, -1, 2], [-2, -1, 1]),
        ("relu6", (), [-1, 5, 7], [0, 5, 6]),
        ("hardsigmoid", (), [-4, 0, 1, 4], [0, 0.5, 4 / 6, 1]),
        ("hardswish", (), [-4, 1, 4], [0, 4 / 6, 4]),
        ("threshold", (1, 9), [0, 1, 2], [9, 9, 2]),
        ("hardshrink", (), [-1, 0.5, 0.4, 2], [-1, 0, 0, 2]),
        ("softshrink", (), [-1, 0.5, 0.4, 2], [-0.5, 0, 0, 1.5]),
    ],
)
def test_values(name, arguments, x, expected):
    y = getattr(functional, name)(tinyrnn.tensor(x, dtype=tinyrnn.float64), *arguments)
    np.testing.assert_allclose(y.array, expected, rtol=1e-15, atol=1e-15)


@pytest.mark.parametrize(("name", "arguments"), IN_PLACE)
@pytest.mark.parametrize("underscore", [False, True])
def test_in_place_is_the_same_memory(name, arguments, underscore):
    if underscore and name in ("relu6", "hardsigmoid", "hardswish"):
        return  # torch has no such names
    op = getattr(functional, name)
    x = tinyrnn.randn(5, 4).t()
    expected = op(x, *arguments)
    y = getattr(functional, name + "_")(x, *arguments) if underscore else op(x, *arguments, inplace=True)
    assert y is x
    assert x.tolist() == expected.tolist()


@pytest.mark.parametrize(("name", "arguments"), IN_PLACE)
def test_in_place_refuses_a_leaf_and_changes_nothing(name, arguments):
    leaf = tinyrnn.ones(3, requires_grad=True)
    with pytest.raises(RuntimeError, match="a leaf that requires a gradient cannot be changed in place"):
        getattr(functional, name)(leaf, *arguments, inplace=True)
    assert leaf.tolist() == [1, 1, 1]


def test_an_infinite_gradient_does_not_pass_where_none_does():
    x = tinyrnn.tensor([-1.0, 1.0, 9.0], requires_grad=True)
    functional.relu6(x).backward(tinyrnn.tensor([np.inf] * 3))
    assert x.grad.tolist() == [0, np.inf, 0]


def test_relu_takes_whole_numbers():
    assert functional.relu(tinyrnn.tensor([-1, 2])).tolist() == [0, 2]


@pytest.mark.parametrize(("name", "arguments"), CASES[1:])
def test_only_floating_tensors_are_taken(name, arguments):
    with pytest.raises(TypeError, match=f"{name}: the input is int64, expected a floating dtype"):
        getattr(functional, name)(tinyrnn.arange(4), *arguments)


@pytest.mark.parametrize(
    ("call", "exception", "message"),
    [
        (lambda x: functional.celu(x, 0), ValueError, "celu: alpha is 0, expected another number"),
        (lambda x: functional.elu(x, None), TypeError, "elu: alpha is None, expected a number"),
        (lambda x: functional.hardtanh(x, 2, 1), ValueError, "hardtanh: min_val is 2.0 and max_val 1.0"),
        (
            lambda x: functional.softshrink(x, -1),
            ValueError,
            "softshrink: lambd is -1, expected a number of at least 0",
        ),
        (
            lambda x: functional.prelu(x, tinyrnn.zeros(2)),
            ValueError,
            "prelu: the weight is (2,), expected (1,) or (3,)",
        ),
        (lambda x: functional.prelu(x, tinyrnn.zeros(1).double()), TypeError, "prelu: the operands are float32 and"),
        (lambda x: functional.relu(3.0), TypeError, "relu: expected a tensor, got float"),
    ],
)
def test_what_does_not_fit_is_refused(call, exception, message):
    with pytest.raises(exception, match=re.escape(message)):
        call(tinyrnn.zeros(4, 3))


def test_gradcheck_of_a_row_written_in_place_in_a_chain():
    def op(x):
        y = x * 2
        functional.elu_(y)
        return functional.leaky_relu_(y * x, 0.2)

    assert gradcheck(op, [tinyrnn.randn(4, 3, dtype=tinyrnn.float64, requires_grad=True)])


def test_a_change_in_place_is_counted():
    x = tinyrnn.tensor([-1.0, 2.0])
    y = (x * tinyrnn.ones(2, requires_grad=True)).sum()  # which reads x
    functional.leaky_relu_(x, 0.5)
    with pytest.raises(RuntimeError, match="changed in place"):
        y.backward()


def test_a_form_in_place_has_a_name_and_a_docstring():
    assert functional.leaky_relu_.__name__ == "leaky_relu_"
    assert functional.leaky_relu_.__doc__.startswith("leaky_relu, in place: y = x where x > 0")
    with pytest.raises(TypeError, match="leaky_relu_: expected a tensor, got float"):
        functional.leaky_relu_(1.0)
