"""Losses: their gradients, dtypes and errors."""

import re

import numpy as np
import pytest

import tinyrnn
from tinyrnn.autograd import gradcheck
from tinyrnn.nn import functional


def leaf(*shape, dtype=tinyrnn.float64):
    return tinyrnn.randn(*shape, dtype=dtype, requires_grad=True)


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
