"""What modules compute, as functions: linear, mse_loss and dropout, with their gradients and errors."""

import re

import numpy as np
import pytest

import tinyrnn
from tinyrnn.autograd import gradcheck
from tinyrnn.nn import functional


def leaf(*shape, dtype=tinyrnn.float64):
    return tinyrnn.randn(*shape, dtype=dtype, requires_grad=True)


@pytest.mark.parametrize("name", ["relu", "sigmoid", "tanh"])
def test_the_nonlinearities_are_those_of_the_package(name):
    assert getattr(functional, name) is getattr(tinyrnn, name)


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
        ((4, 3), (2, 3), (1,), ValueError, "linear: the bias is (1,), expected (2,)"),
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


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("shape", [(), (5,), (4, 3)])
def test_gradcheck_of_mse_loss(reduction, shape):
    assert gradcheck(lambda x, y: functional.mse_loss(x, y, reduction=reduction), [leaf(*shape), leaf(*shape)])
    target = tinyrnn.randn(*shape, dtype=tinyrnn.float64)
    assert gradcheck(lambda x: 3 * functional.mse_loss(x, target, reduction=reduction), [leaf(*shape)])


@pytest.mark.filterwarnings("ignore:mse_loss")
def test_gradcheck_of_mse_loss_between_shapes_that_broadcast():
    assert gradcheck(functional.mse_loss, [leaf(4, 1), leaf(3)])


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_mse_loss_keeps_the_dtype(reduction):
    x, y = leaf(4, 3, dtype=tinyrnn.float32), tinyrnn.randn(4, 3)
    loss = functional.mse_loss(x, y, reduction=reduction)
    loss.sum().backward()
    assert (loss.dtype, x.grad.dtype) == (tinyrnn.float32, tinyrnn.float32)
    assert functional.mse_loss(x, tinyrnn.tensor(np.ones((4, 3), int))).dtype == tinyrnn.float32
    wide = functional.mse_loss(x, y.double(), reduction=reduction)
    wide.sum().backward()
    assert (wide.dtype, x.grad.dtype) == (tinyrnn.float64, tinyrnn.float32)


def test_mse_loss_reads_its_inputs_once():
    x, y = leaf(4, 3), tinyrnn.randn(4, 3, dtype=tinyrnn.float64)
    expected = (x.array - y.array) / 6
    loss = functional.mse_loss(x, y)
    y.zero_()
    loss.backward()
    np.testing.assert_allclose(x.grad.array, expected, rtol=1e-14)


def test_the_mean_over_nothing_is_nan_and_the_sum_zero():
    x = leaf(0, 3)
    loss = functional.mse_loss(x, tinyrnn.zeros(0, 3, dtype=tinyrnn.float64))
    assert np.isnan(loss.item())
    loss.backward()
    assert x.grad.shape == (0, 3)
    assert functional.mse_loss(x, x, reduction="sum").item() == 0


@pytest.mark.parametrize(
    ("arguments", "exception", "message"),
    [
        ((tinyrnn.zeros(4), tinyrnn.zeros(3)), ValueError, "mse_loss: shapes (4,) and (3,) do not broadcast"),
        ((tinyrnn.zeros(4), np.zeros(4)), TypeError, "mse_loss: expected a tensor, got ndarray"),
        ((np.zeros(4), tinyrnn.zeros(4)), TypeError, "mse_loss: expected a tensor, got ndarray"),
        ((tinyrnn.zeros(4), 0.0), TypeError, "mse_loss: expected a tensor, got float"),
        ((tinyrnn.arange(4), tinyrnn.arange(4)), TypeError, "mse_loss: the input is int64, expected a floating dtype"),
        ((tinyrnn.zeros(4), tinyrnn.zeros(4), False), ValueError, "mse_loss: the reduction is False, expected 'mean'"),
    ],
)
def test_mse_loss_says_what_does_not_fit(arguments, exception, message):
    with pytest.raises(exception, match=re.escape(message)):
        functional.mse_loss(*arguments)


@pytest.mark.parametrize("p", [0.25, 0.8])
@pytest.mark.parametrize("dtype", [tinyrnn.float32, tinyrnn.float64])
def test_dropout_drops_with_probability_p_and_scales_the_rest(p, dtype):
    x = tinyrnn.rand(100, 80, dtype=dtype) + 1
    y = functional.dropout(x, p)
    kept = y.array != 0
    assert y.dtype == dtype
    np.testing.assert_allclose(y.array[kept], (x.array / (1 - p))[kept], rtol=1e-6)
    assert abs(kept.mean() - (1 - p)) < 0.02  # four standard deviations of 8000 draws
    assert np.all(np.abs(kept.mean(axis=0) - (1 - p)) < 0.25)  # anew in each column, and in each row
    assert np.all(np.abs(kept.mean(axis=1) - (1 - p)) < 0.25)
    assert not np.array_equal(functional.dropout(x, p).array != 0, kept)


def test_the_gradient_of_dropout_passes_where_the_value_did():
    x = leaf(30, 7)
    y, g = functional.dropout(x, 0.3), tinyrnn.randn(30, 7, dtype=tinyrnn.float64)
    y.backward(g)
    np.testing.assert_allclose(x.grad.array, np.where(y.array == 0, 0, g.array / 0.7), rtol=1e-14)


@pytest.mark.parametrize("p", [0, 0.3, 1, 1.0])
@pytest.mark.parametrize("inplace", [False, True])
def test_gradcheck_of_dropout_under_a_fixed_seed(p, inplace):
    def func(x):
        tinyrnn.manual_seed(5)
        return functional.dropout(x * x, p, inplace=inplace)

    assert gradcheck(func, [leaf(6, 4)])


def test_dropout_leaves_its_input_as_it_is_where_nothing_drops():
    x = leaf(4)
    state = tinyrnn.get_rng_state()
    assert functional.dropout(x, 0.5, training=False) is x
    assert functional.dropout(x, 0.0) is x
    assert functional.dropout(x, 1.0).tolist() == [0, 0, 0, 0]
    assert np.array_equal(tinyrnn.get_rng_state(), state)  # and nothing was drawn


def test_dropout_in_place():
    x = tinyrnn.ones(50)
    tinyrnn.manual_seed(2)
    expected = functional.dropout(x, 0.5)
    tinyrnn.manual_seed(2)
    assert functional.dropout(x, 0.5, inplace=True) is x
    assert x.tolist() == expected.tolist()
    with pytest.raises(RuntimeError, match="dropout: a leaf that requires a gradient cannot be changed in place"):
        functional.dropout(leaf(3), inplace=True)


@pytest.mark.parametrize(
    ("x", "p", "exception", "message"),
    [
        (tinyrnn.zeros(3), -0.1, ValueError, "dropout: the probability is -0.1, expected a number from 0 to 1"),
        (tinyrnn.zeros(3), 1.1, ValueError, "dropout: the probability is 1.1, expected a number from 0 to 1"),
        (tinyrnn.zeros(3), float("nan"), ValueError, "dropout: the probability is nan, expected a number from 0 to 1"),
        (tinyrnn.zeros(3), True, ValueError, "dropout: the probability is True, expected a number from 0 to 1"),
        (tinyrnn.zeros(3), "0.5", ValueError, "dropout: the probability is '0.5', expected a number from 0 to 1"),
        (tinyrnn.arange(3), 0.5, TypeError, "dropout: the input is int64, expected a floating dtype"),
        (np.zeros(3), 0.5, TypeError, "dropout: expected a tensor, got ndarray"),
    ],
)
def test_dropout_says_what_does_not_fit(x, p, exception, message):
    with pytest.raises(exception, match=re.escape(message)):
        functional.dropout(x, p)


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
