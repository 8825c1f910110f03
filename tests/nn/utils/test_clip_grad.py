"""Clipping: all gradients by one factor to a norm, or each entry to an interval."""

import re

import numpy as np
import pytest

import tinyrnn
from tinyrnn.nn.utils import clip_grad_norm, clip_grad_norm_, clip_grad_value_, clip_grads_with_norm_, get_total_norm

BOTH = pytest.mark.parametrize("clip", [clip_grad_norm_, clip_grad_value_])


def parameters(dtype=tinyrnn.float64):
    """Three with a gradient, of which one is 0-d, and between them one without."""
    tensors = [tinyrnn.randn(shape, dtype=dtype, requires_grad=True) for shape in [(4, 3), (2,), (5,), ()]]
    for i in (0, 2, 3):
        tensors[i].grad = 3 * tinyrnn.randn(tensors[i].shape, dtype=dtype)
    return tensors


def gradients(tensors):
    return [p.grad.array.copy() for p in tensors if p.grad is not None]


@pytest.mark.parametrize("p", [1, 2, 2.5, "inf"])
@pytest.mark.parametrize(("dtype", "tolerance"), [(tinyrnn.float64, 1e-12), (tinyrnn.float32, 1e-5)])
def test_the_norm_before_is_returned_and_the_norm_after_is_max_norm(p, dtype, tolerance):
    tensors = parameters(dtype)
    before = gradients(tensors)
    expected = np.linalg.norm(np.concatenate([g.ravel() for g in before]).astype(float), float(p))
    norm = clip_grad_norm_(tensors, 0.7, p)
    assert type(norm) is tinyrnn.Tensor
    assert (norm.shape, norm.dtype, norm.requires_grad) == ((), dtype, False)
    np.testing.assert_allclose(norm.item(), expected, rtol=tolerance)
    for after, g in zip(gradients(tensors), before, strict=True):
        assert after.dtype == dtype
        np.testing.assert_allclose(after, g * (0.7 / (expected + 1e-6)), rtol=tolerance)


def test_gradients_within_max_norm_stay_to_the_bit():
    tensors = parameters()
    before = gradients(tensors)
    assert clip_grad_norm_(tensors, 1000).item() < 1000
    assert all(np.array_equal(a, b) for a, b in zip(gradients(tensors), before, strict=True))


def test_a_max_norm_of_zero_gives_zeros():
    tensors = parameters()
    assert clip_grad_norm_(tensors, 0).item() > 1
    assert not any(g.any() for g in gradients(tensors))


def test_parameters_may_come_from_a_generator_or_alone():
    tensors, others = parameters(), parameters()
    for p, q in zip(tensors, others, strict=True):
        q.grad = None if p.grad is None else p.grad.clone()
    assert clip_grad_norm_((p for p in tensors), 1).item() == clip_grad_norm_(others, 1).item()
    assert all(np.array_equal(a, b) for a, b in zip(gradients(tensors), gradients(others), strict=True))
    clip_grad_value_((p for p in tensors), 0.01)
    assert max(np.abs(g).max() for g in gradients(tensors)) == 0.01
    w = tinyrnn.zeros(2, requires_grad=True)
    w.grad = tinyrnn.tensor([3.0, 4.0])
    assert clip_grad_norm_(w, 1.0).item() == 5
    np.testing.assert_allclose(w.grad.array, [0.6, 0.8], rtol=1e-5)
    clip_grad_value_(w, 0.7)
    np.testing.assert_allclose(w.grad.array, [0.6, 0.7], rtol=1e-5)


def test_a_parameter_given_twice_is_scaled_once():
    w = tinyrnn.zeros(2, requires_grad=True)
    w.grad = tinyrnn.tensor([3.0, 4.0])
    assert clip_grad_norm_([w, w], 1.0).item() == 5
    np.testing.assert_allclose(w.grad.array, [0.6, 0.8], rtol=1e-5)


@pytest.mark.parametrize("tensors", [[], [tinyrnn.zeros(3, requires_grad=True)]])
def test_nothing_to_clip(tensors):
    norm = clip_grad_norm_(tensors, 1.0)
    assert (norm.item(), norm.shape, norm.dtype) == (0, (), tinyrnn.float32)
    assert clip_grad_value_(tensors, 1.0) is None


def test_an_empty_gradient_has_the_norm_zero():
    w = tinyrnn.zeros(0, 3, requires_grad=True)
    w.grad = tinyrnn.zeros(0, 3)
    assert [clip_grad_norm_([w], 1.0, p).item() for p in (1, 2, float("inf"))] == [0, 0, 0]


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("p", [1, 2, float("inf")])
def test_a_norm_that_is_not_finite_is_not_hidden(bad, p):
    tensors = parameters()
    tensors[2].grad.array[1] = bad
    before = gradients(tensors)
    with pytest.raises(RuntimeError, match=rf"the norm of the gradients is {abs(bad)}, so they cannot be scaled"):
        clip_grad_norm_(tensors, 1.0, p, error_if_nonfinite=True)
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(gradients(tensors), before, strict=True))
    with np.errstate(invalid="ignore"):  # NumPy warns of inf * 0
        norm = clip_grad_norm_(tensors, 1.0, p).item()
    assert norm == np.inf or (np.isnan(bad) and np.isnan(norm))
    after = gradients(tensors)
    assert np.isnan(after[1][1])
    assert np.isnan(after[0]).all() if np.isnan(bad) else not after[0].any()


def test_clip_grad_value_brings_each_entry_into_the_interval():
    tensors = parameters(tinyrnn.float32)
    before = gradients(tensors)
    clip_grad_value_(tensors, 1.5)
    assert any((np.abs(g) > 1.5).any() for g in before)
    for after, g in zip(gradients(tensors), before, strict=True):
        assert after.dtype == np.float32
        assert np.array_equal(after, np.clip(g, np.float32(-1.5), np.float32(1.5)))
    tensors[0].grad.array[0, 0] = np.nan
    clip_grad_value_(tensors, 1.5)
    assert np.isnan(tensors[0].grad.array[0, 0])


@BOTH
def test_gradients_change_in_their_own_memory_and_the_change_is_counted(clip):
    tensors = parameters()
    grad = tensors[0].grad
    memory = grad.array
    grad.requires_grad_()
    loss = (grad * grad).sum()
    clip(tensors, 0.1)
    assert tensors[0].grad is grad
    assert grad.array is memory
    with pytest.raises(RuntimeError, match="'mul' needs was changed in place"):
        loss.backward()


@pytest.mark.parametrize(
    ("clip", "exception", "message"),
    [
        (lambda ps: clip_grad_norm_(ps, -1), ValueError, "clip_grad_norm_: max_norm is -1.0, expected a number of at"),
        (lambda ps: clip_grad_norm_(ps, float("nan")), ValueError, "clip_grad_norm_: max_norm is nan"),
        (
            lambda ps: clip_grad_norm_(ps, 1, 0),
            ValueError,
            "clip_grad_norm_: norm_type is 0, expected a number above 0",
        ),
        (lambda ps: clip_grad_norm_(ps, "one"), TypeError, "clip_grad_norm_: max_norm is 'one', expected a number"),
        (lambda ps: clip_grad_norm_(ps, 1, "L2"), TypeError, "clip_grad_norm_: norm_type is 'L2', expected a number"),
        (
            lambda ps: clip_grad_norm_(ps, 1, -1),
            ValueError,
            "clip_grad_norm_: norm_type is -1, expected a number above",
        ),
        (lambda ps: clip_grad_norm_([*ps, np.ones(3)], 1), TypeError, "clip_grad_norm_: got a ndarray, expected"),
        (lambda ps: clip_grad_value_(ps, -1), ValueError, "clip_grad_value_: clip_value is -1.0, expected a number"),
        (lambda ps: clip_grad_value_(ps, None), TypeError, "clip_grad_value_: clip_value is None, expected a number"),
        (lambda ps: clip_grad_value_([1.0], 1), TypeError, "clip_grad_value_: got a float, expected tensors"),
    ],
)
def test_bad_settings_are_refused_and_change_nothing(clip, exception, message):
    tensors = parameters()
    before = gradients(tensors)
    with pytest.raises(exception, match=re.escape(message)):
        clip(tensors)
    assert all(np.array_equal(a, b) for a, b in zip(gradients(tensors), before, strict=True))


def test_the_norm_of_halves_does_not_overflow_and_mixed_dtypes_keep_the_widest():
    w = tinyrnn.zeros(300, dtype=tinyrnn.float16, requires_grad=True)
    w.grad = tinyrnn.full((300,), 60.0, dtype=tinyrnn.float16)
    assert clip_grad_norm_(w, 1.0).item() == pytest.approx(1039, rel=1e-3)
    np.testing.assert_allclose(w.grad.array.astype(float), 0.0577, rtol=1e-2)
    a, b = tinyrnn.zeros(1, requires_grad=True), tinyrnn.zeros(1, dtype=tinyrnn.float64, requires_grad=True)
    a.grad, b.grad = tinyrnn.ones(1), tinyrnn.full((1,), 1e50, dtype=tinyrnn.float64)
    norm = clip_grad_norm_([a, b], 1e60)
    assert (norm.dtype, norm.item()) == (tinyrnn.float64, 1e50)


def test_a_generator_that_is_empty_is_warned_of():
    rest = iter(parameters())
    with pytest.warns(UserWarning, match="`parameters` is an empty generator, no gradient clipping will occur"):
        norm = clip_grad_norm_((p for p in list(rest)[99:]), 1)
    assert norm.item() == 0
    assert clip_grad_norm_([], 1).item() == 0


def test_the_old_name_warns_and_does_the_same():
    tensors, others = parameters(), parameters()
    for p, q in zip(tensors, others, strict=True):
        q.grad = None if p.grad is None else p.grad.clone()
    with pytest.warns(FutureWarning, match="clip_grad_norm is now deprecated in favor of clip_grad_norm_"):
        norm = clip_grad_norm(tensors, 0.5)
    assert norm.item() == clip_grad_norm_(others, 0.5).item()
    assert all(np.array_equal(a, b) for a, b in zip(gradients(tensors), gradients(others), strict=True))


@pytest.mark.parametrize("p", [1, 2.0, "inf"])
def test_in_two_steps(p):
    """get_total_norm and clip_grads_with_norm_ are clip_grad_norm_ in two."""
    tensors, others = parameters(), parameters()
    for x, y in zip(tensors, others, strict=True):
        y.grad = None if x.grad is None else x.grad.clone()
    norm = get_total_norm([x.grad for x in tensors if x.grad is not None], p)
    assert clip_grads_with_norm_(tensors, 0.7, norm) is None
    assert clip_grad_norm_(others, 0.7, p).item() == norm.item()
    for a, b in zip(gradients(tensors), gradients(others), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)


def test_the_two_steps_refuse_what_does_not_fit():
    with pytest.raises(TypeError, match="get_total_norm: got a ndarray, expected tensors"):
        get_total_norm([np.ones(2)])
    with pytest.raises(RuntimeError, match="get_total_norm: the norm of the gradients is inf"):
        get_total_norm(tinyrnn.tensor([np.inf]), error_if_nonfinite=True)
    with pytest.raises(ValueError, match="clip_grads_with_norm_: max_norm is -1"):
        clip_grads_with_norm_(parameters(), -1, 1.0)
    with pytest.raises(TypeError, match="clip_grads_with_norm_: total_norm is None, expected a number"):
        clip_grads_with_norm_(parameters(), 1, None)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_clip_grad_value_is_numpys_clip_and_lets_nan_through(dtype):
    w = tinyrnn.zeros(6, dtype=getattr(tinyrnn, dtype), requires_grad=True)
    values = np.array([np.nan, np.inf, -np.inf, 0.25, -0.75, 3], dtype)
    w.grad = tinyrnn.tensor(values, dtype=getattr(tinyrnn, dtype))
    clip_grad_value_(w, 0.5)
    np.testing.assert_array_equal(w.grad.array, np.clip(values, -0.5, 0.5))
    assert w.grad.dtype == dtype


def test_a_single_number_however_large_has_its_norm():
    w = tinyrnn.zeros(1, requires_grad=True)
    (w * 1e20).sum().backward()
    assert clip_grad_norm_([w], 1.0).item() == np.float32(1e20)
    np.testing.assert_allclose(w.grad.numpy(), [1.0], rtol=1e-6)
