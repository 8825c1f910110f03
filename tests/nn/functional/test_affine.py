"""linear and bilinear: their values, gradients, dtypes and errors."""

import re

import numpy as np
import pytest

import tinyrnn
from nn_checks import check_gradients
from tinyrnn.autograd import gradcheck
from tinyrnn.nn import functional


def leaf(*shape, dtype=tinyrnn.float64):
    return tinyrnn.randn(*shape, dtype=dtype, requires_grad=True)


@pytest.mark.parametrize("shape", [(3,), (4, 3), (2, 4, 3)])
def test_gradcheck_of_linear(shape):
    assert gradcheck(functional.linear, [leaf(*shape), leaf(2, 3), leaf(2)])
    assert gradcheck(functional.linear, [leaf(*shape), leaf(2, 3)])
    assert gradcheck(lambda x, wt, b: functional.linear(x, wt.t(), b), [leaf(*shape), leaf(3, 2), leaf(2)])


@pytest.mark.parametrize("needed", [0, 1, 2])
def test_linear_gives_a_gradient_to_those_alone_that_need_one(needed):
    tensors = [tinyrnn.randn(4, 3), tinyrnn.randn(2, 3), tinyrnn.randn(2)]
    every = [t.clone().requires_grad_() for t in tensors]
    (functional.linear(*every) ** 2).sum().backward()
    tensors[needed].requires_grad_()
    (functional.linear(*tensors) ** 2).sum().backward()
    assert np.array_equal(tensors[needed].grad.array, every[needed].grad.array)
    assert [t.grad is None for t in tensors] == [i != needed for i in range(3)]


@pytest.mark.parametrize("changed", ["x", "W"])
def test_linear_refuses_a_backward_pass_through_changed_values(changed):
    x, W = leaf(4, 3), leaf(2, 3)
    y = functional.linear(x, W)
    with tinyrnn.no_grad():
        {"x": x, "W": W}[changed].mul_(2)
    with pytest.raises(RuntimeError, match="'linear' needs was changed in place"):
        y.sum().backward()


@pytest.mark.parametrize(
    ("x", "W", "b", "exception", "message"),
    [
        (
            (4, 3),
            (2, 4),
            None,
            ValueError,
            "linear: the input is (4, 3), the weight (2, 4): expected (..., I) and (O, I)",
        ),
        ((4, 3), (3,), None, ValueError, "linear: the input is (4, 3), the weight (3,)"),
        ((4, 3), (2, 3), (3,), ValueError, "linear: the bias is (3,), expected (2,), since the weight is (2, 3)"),
    ],
)
def test_linear_says_which_shapes_do_not_fit(x, W, b, exception, message):
    with pytest.raises(exception, match=re.escape(message)):
        functional.linear(tinyrnn.zeros(x), tinyrnn.zeros(W), None if b is None else tinyrnn.zeros(b))


@pytest.mark.parametrize("position", [0, 1, 2])
def test_linear_says_which_dtypes_and_types_do_not_fit(position):
    tensors = [tinyrnn.zeros(4, 3), tinyrnn.zeros(2, 3), tinyrnn.zeros(2)]
    tensors[position] = tensors[position].double()
    with pytest.raises(TypeError, match=r"linear: the operands are float\d\d and float\d\d, expected one dtype"):
        functional.linear(*tensors)
    tensors[position] = tensors[position].numpy()
    with pytest.raises(TypeError, match="linear: expected a tensor, got ndarray"):
        functional.linear(*tensors)


def test_the_bias_gradient_of_many_rows_loses_no_digits():
    w, b = tinyrnn.zeros(2, 1), tinyrnn.zeros(2, requires_grad=True)
    functional.linear(tinyrnn.zeros(1_000_000, 1), w, b).backward(tinyrnn.full((1_000_000, 2), 0.1))
    assert np.abs(b.grad.array / 1e5 - 1).max() < 1e-6


def test_linear_keeps_only_what_its_pullback_reads():
    for learned, read in (("x", "W"), ("W", "x")):
        tensors = {"x": tinyrnn.ones(4, 3), "W": tinyrnn.ones(2, 3)}
        tensors[learned].requires_grad_()
        y = functional.linear(tensors["x"], tensors["W"])
        held = [cell.cell_contents for cell in y.node.pullback.__closure__]
        assert any(value is tensors[read].array for value in held)
        assert not any(value is tensors[learned].array for value in held)


BILINEAR = [((4, 3), (4, 5)), ((3,), (5,)), ((2, 3, 3), (2, 3, 5)), ((0, 3), (0, 5))]


@pytest.mark.parametrize(("a", "b"), BILINEAR)
def test_gradients_of_bilinear(a, b):
    check_gradients(functional.bilinear, a, b, (2, 3, 5), (2,))
    check_gradients(functional.bilinear, a, b, (2, 3, 5))


def test_bilinear_is_a_sum_of_products():
    a, b, W, c = (tinyrnn.randn(*shape, dtype=tinyrnn.float64) for shape in [(4, 3), (4, 5), (2, 3, 5), (2,)])
    expected = np.einsum("ni,oij,nj->no", a.array, W.array, b.array) + c.array
    np.testing.assert_allclose(functional.bilinear(a, b, W, c).array, expected, rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("a", "b"), BILINEAR[:-1])
def test_bilinear_against_torch(agree, a, b, dtype):
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(shape).astype(dtype) for shape in (a, b, (2, 3, 5), (2,))]
    agree(lambda m, *xs: m.nn.functional.bilinear(*xs), *arrays)
    agree(lambda m, *xs: m.nn.functional.bilinear(*xs), *arrays[:3])


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        (((4, 3), (4, 4), (2, 3, 5)), "bilinear: the inputs are (4, 3) and (4, 4), the weight (2, 3, 5): expected"),
        (((4, 3), (3, 5), (2, 3, 5)), "bilinear: the inputs are (4, 3) and (3, 5)"),
        (((4, 3), (4, 5), (3, 5)), "bilinear: the inputs are (4, 3) and (4, 5), the weight (3, 5)"),
        (((4, 3), (4, 5), (2, 3, 5), (3,)), "bilinear: the bias is (3,), expected (2,)"),
    ],
)
def test_shapes_that_do_not_fit_bilinear_are_refused(shapes, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        functional.bilinear(*[tinyrnn.zeros(shape) for shape in shapes])
    with pytest.raises(TypeError, match="bilinear: the operands are float32 and float64"):
        functional.bilinear(tinyrnn.zeros(3), tinyrnn.zeros(3, dtype=tinyrnn.float64), tinyrnn.zeros(1, 3, 3))


def test_one_bias_may_serve_all_outputs():
    tensors = [leaf(4, 3), leaf(2, 3), leaf(1)]
    assert np.array_equal(functional.linear(*tensors).array, functional.linear(*tensors[:2]).array + tensors[2].array)
    assert gradcheck(functional.linear, tensors)
