"""Normalizations: what they make of the numbers, their gradients, and the running statistics."""

import re

import numpy as np
import pytest

import tinyrnn
from nn_checks import check_gradients, leaves
from tinyrnn.nn import functional
from tinyrnn.nn.functional import batch_norm, layer_norm, normalize, rms_norm

ROWS = [((5, 4), (4,)), ((4,), (4,)), ((2, 3, 4), (3, 4)), ((2, 3, 4), (2, 3, 4)), ((0, 4), (4,)), ((3, 1), (1,))]


@pytest.mark.parametrize(("shape", "over"), ROWS)
@pytest.mark.parametrize("affine", ["", "weight", "bias", "both"])
def test_gradients_of_layer_norm(shape, over, affine):
    shapes = [shape] + [over] * (1 if affine in ("weight", "bias") else 2 if affine else 0)

    def op(x, *wb):
        w, b = wb if affine == "both" else (None, *wb) if affine == "bias" else (*wb, None) if wb else (None, None)
        return layer_norm(x, over, w, b, eps=0.1)

    check_gradients(op, *shapes)


@pytest.mark.parametrize(("shape", "over"), ROWS)
@pytest.mark.parametrize("affine", [False, True])
def test_gradients_of_rms_norm(shape, over, affine):
    check_gradients(lambda x, *w: rms_norm(x, over, *w, eps=0.1), shape, *[over] * affine)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("shape", "over"), ROWS[:-1])  # one number has no variance: torch's gradient is rounding
def test_row_norms_against_torch(agree, shape, over, dtype):
    rng = np.random.default_rng(0)
    x, w, b = (rng.standard_normal(s).astype(dtype) for s in (shape, over, over))
    agree(lambda m, x: m.nn.functional.layer_norm(x, over), x)
    agree(lambda m, x, w, b: m.nn.functional.layer_norm(x, over, w, b, 1e-3), x, w, b)
    agree(lambda m, x, b: m.nn.functional.layer_norm(x, list(over), bias=b), x, b)
    if x.size:  # of nothing torch's gradient of the weight is undefined
        agree(lambda m, x: m.nn.functional.rms_norm(x, over), x)
        agree(lambda m, x, w: m.nn.functional.rms_norm(x, over, w, 1e-3), x, w)


def test_layer_norm_gives_mean_0_and_variance_1():
    x = tinyrnn.randn(6, 50, dtype=tinyrnn.float64) * 3 + 100
    y = layer_norm(x, 50, eps=0).array
    np.testing.assert_allclose(y.mean(1), 0, atol=1e-12)
    np.testing.assert_allclose(y.var(1), 1, rtol=1e-12)


def test_rms_norm_gives_mean_square_1_and_takes_the_eps_of_the_dtype():
    x = tinyrnn.randn(6, 50, dtype=tinyrnn.float64)
    np.testing.assert_allclose(np.square(rms_norm(x, 50).array).mean(1), 1, rtol=1e-12)
    tiny = tinyrnn.full((1, 4), 1e-4)
    expected = 1e-4 / np.sqrt(1e-8 + np.finfo(np.float32).eps)
    np.testing.assert_allclose(rms_norm(tiny, 4).array, expected, rtol=1e-6)


def test_float32_far_from_zero_keeps_its_digits():
    x = np.random.default_rng(0).standard_normal((3, 64)) + 1000
    y = layer_norm(tinyrnn.tensor(x.astype(np.float32)), 64).array
    x = x.astype(np.float32).astype(np.float64)
    expected = (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-5)
    np.testing.assert_allclose(y, expected, rtol=0, atol=1e-4)


CHANNELS = [(5, 3), (4, 3, 2), (2, 3, 2, 2), (2, 1)]


@pytest.mark.parametrize("shape", CHANNELS)
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("affine", [False, True])
def test_gradients_of_batch_norm(shape, training, affine):
    C = shape[1]

    def op(x, *wb):
        mean, var = tinyrnn.ones(C, dtype=x.dtype), tinyrnn.ones(C, dtype=x.dtype) * 2
        return batch_norm(x, mean, var, *wb, training=training, eps=0.1)

    check_gradients(op, shape, *[(C,)] * 2 * affine)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("shape", CHANNELS[:-1])  # of two numbers the gradient is rounding
def test_batch_norm_against_torch(agree, shape, training, dtype):
    rng = np.random.default_rng(0)
    C = shape[1]
    x, w, b, mean = (rng.standard_normal(s).astype(dtype) for s in (shape, C, C, C))
    var = rng.uniform(0.5, 2, C).astype(dtype)

    def with_statistics(m, x, w, b, momentum=0.3):
        running = m.tensor(mean), m.tensor(var)
        y = m.nn.functional.batch_norm(x, *running, w, b, training, momentum, 1e-3)
        return (y, *running)

    agree(with_statistics, x, w, b)
    agree(lambda m, x: m.nn.functional.batch_norm(x, m.tensor(mean), m.tensor(var), training=training), x)
    if training:
        agree(lambda m, x: m.nn.functional.batch_norm(x, None, None, training=True), x)


def test_batch_norm_gives_each_channel_mean_0_and_variance_1_and_moves_the_running_ones():
    x = tinyrnn.randn(20, 3, 7, dtype=tinyrnn.float64) * 3 + 5
    mean, var = tinyrnn.zeros(3, dtype=tinyrnn.float64), tinyrnn.ones(3, dtype=tinyrnn.float64)
    y = batch_norm(x, mean, var, training=True, momentum=0.2, eps=0).array
    np.testing.assert_allclose(y.mean((0, 2)), 0, atol=1e-12)
    np.testing.assert_allclose(y.var((0, 2)), 1, rtol=1e-12)
    np.testing.assert_allclose(mean.array, 0.2 * x.array.mean((0, 2)), rtol=1e-12)
    np.testing.assert_allclose(var.array, 0.8 + 0.2 * x.array.var((0, 2), ddof=1), rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("p", "dim"), [(2.0, 1), (2, 0), (1, -1), (3.0, 1), (float("inf"), 0)])
def test_normalize_against_torch(agree, p, dim, dtype):
    x = np.random.default_rng(0).standard_normal((4, 3, 2)).astype(dtype)
    agree(lambda m, x: m.nn.functional.normalize(x, p, dim), x)
    agree(lambda m, x: m.nn.functional.normalize(x, p=p, dim=dim, eps=2.0), x)


def test_normalize_gives_length_1():
    x = tinyrnn.tensor([[3.0, 4.0], [0.0, 0.0]])
    np.testing.assert_allclose(normalize(x).array, [[0.6, 0.8], [0, 0]], rtol=1e-6)
    check_gradients(normalize, (4, 3))
    check_gradients(lambda x: normalize(x, 1, 0), (4, 3))


def test_what_is_changed_later_is_noticed():
    """Without a weight the result is what the pullback reads."""
    (x,) = leaves((4, 3))
    for op in (lambda: layer_norm(x, 3), lambda: rms_norm(x, 3), lambda: batch_norm(x, None, None, training=True)):
        y = op()
        y += 1
        with pytest.raises(RuntimeError, match="changed in place"):
            y.sum().backward()


@pytest.mark.parametrize(
    ("call", "exception", "message"),
    [
        (lambda x: layer_norm(x, 4), ValueError, "layer_norm: the input is (5, 3), expected its last axes to be"),
        (lambda x: layer_norm(x, (2, 5, 3)), ValueError, "layer_norm: the input is (5, 3), expected its last axes"),
        (lambda x: layer_norm(x, ()), ValueError, "layer_norm: normalized_shape is (), expected the size of at least"),
        (lambda x: layer_norm(x, 3.0), TypeError, "layer_norm: got (3.0,), expected whole numbers"),
        (lambda x: layer_norm(x, 3, tinyrnn.ones(5)), ValueError, "layer_norm: the weight is (5,), expected"),
        (lambda x: layer_norm(x, 3, None, tinyrnn.ones(3).double()), TypeError, "layer_norm: the operands are float32"),
        (lambda x: layer_norm(x.long(), 3), TypeError, "layer_norm: the input is int64, expected a floating dtype"),
        (lambda x: rms_norm(x, 3, tinyrnn.ones(5)), ValueError, "rms_norm: the weight is (5,), expected"),
        (lambda x: batch_norm(x[0], None, None), ValueError, "batch_norm: the input is (3,), expected (N, C) or"),
        (lambda x: batch_norm(x, None, None), ValueError, "batch_norm: there is no running_mean or no running_var"),
        (lambda x: batch_norm(x, tinyrnn.ones(5), None), ValueError, "batch_norm: running_mean is (5,), expected (3,)"),
        (lambda x: batch_norm(x[:1], None, None, training=True), ValueError, "expected more than 1 value per channel"),
        (lambda x: normalize(x, dim=2), IndexError, "dim 2 is out of range"),
        (lambda x: functional.normalize(x.long()), TypeError, "normalize: the input is int64"),
    ],
)
def test_what_does_not_fit_is_refused(call, exception, message):
    with pytest.raises(exception, match=re.escape(message)):
        call(tinyrnn.ones(5, 3))
