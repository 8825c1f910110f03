"""dropout: what drops, its gradient and its errors."""

import re

import numpy as np
import pytest

import tinyrnn
from tinyrnn.autograd import gradcheck
from tinyrnn.nn import functional


def leaf(*shape, dtype=tinyrnn.float64):
    return tinyrnn.randn(*shape, dtype=dtype, requires_grad=True)


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


@pytest.mark.parametrize(
    ("op", "shape", "inside"),
    [
        (functional.dropout1d, (8, 20, 5), 1),
        (functional.dropout1d, (20, 5), 1),
        (functional.dropout2d, (8, 20, 3, 4), 2),
    ],
)
def test_whole_channels_drop_together(op, shape, inside):
    x = tinyrnn.rand(shape, dtype=tinyrnn.float64) + 1
    y = op(x, 0.25).array
    kept = y.reshape(*shape[:-inside], -1) != 0
    assert np.all(kept.all(-1) == kept.any(-1))
    assert 0 < kept.mean() < 1
    np.testing.assert_allclose(y[y != 0], (x.array / 0.75)[y != 0], rtol=1e-12)
    assert op(x, 0.25, training=False) is x

    def func(x):
        tinyrnn.manual_seed(5)
        return op(x * x, 0.25, True, True)

    assert gradcheck(func, [leaf(2, 3, *[2] * inside)])


@pytest.mark.parametrize(
    ("name", "shape"), [("dropout1d", (4, 3, 5)), ("dropout1d", (3, 5)), ("dropout2d", (4, 3, 2, 2))]
)
def test_whole_channels_against_torch(torch, name, shape):
    x = np.random.default_rng(0).standard_normal(shape)
    results = []
    for m in (tinyrnn, torch):
        m.manual_seed(7)
        results.append(getattr(m.nn.functional, name)(m.tensor(x), 0.4).numpy())
    np.testing.assert_allclose(*results, rtol=1e-12)


def test_channels_need_their_axes():
    with pytest.raises(ValueError, match=re.escape("dropout1d: the input is (2, 2, 2, 2), expected 3 axes, or 2")):
        functional.dropout1d(tinyrnn.zeros(2, 2, 2, 2))
    with pytest.raises(ValueError, match=re.escape("dropout2d: the input is (2, 2), expected 4 axes, or 3")):
        functional.dropout2d(tinyrnn.zeros(2, 2))
    with pytest.warns(UserWarning, match="Received a 3D input to dropout2d"):
        y = functional.dropout2d(tinyrnn.ones(9, 9, 4))
    assert np.all((y.array != 0).all(-1) == (y.array != 0).any(-1))
