"""Running averages: their equations, in place, and torch's roundings."""

import numpy as np
import pytest

from tinyrnn.optim.moments import approach, decay_square, zeros


def arrays(dtype, shape=(4, 3)):
    rng = np.random.default_rng(0)
    return [np.asarray(rng.standard_normal(shape), dtype) for _ in range(2)]


@pytest.mark.parametrize("weight", [0.0, 0.1, 0.5, 0.7, 1.0])
@pytest.mark.parametrize("shape", [(4, 3), (), (0,)])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-15), ("float32", 5e-7)])
def test_approach(weight, shape, dtype, tolerance):
    m, g = arrays(dtype, shape)
    before, same = m.copy(), m
    scratch = approach(m, g, np.array(weight, dtype))
    np.testing.assert_allclose(same, before + weight * (g - before), atol=tolerance)
    assert scratch.shape == shape
    assert scratch.dtype == dtype
    assert scratch is not g


def test_a_weight_of_one_gives_the_gradient_itself():
    m, g = arrays("float32")
    approach(m, g, np.array(1, "float32"))
    assert np.array_equal(m, g)


@pytest.mark.parametrize("weight", [0.1, 0.7])
def test_approach_is_torchs_lerp(torch, weight):
    m, g = arrays("float32")
    expected = torch.tensor(m).lerp(torch.tensor(g), weight).numpy()
    approach(m, g, np.array(weight, "float32"))
    np.testing.assert_allclose(m, expected, atol=2e-7)


@pytest.mark.parametrize("shape", [(4, 3), ()])
@pytest.mark.parametrize("given", [False, True])
def test_decay_square(shape, given):
    v, g = arrays("float64", shape)
    before = v.copy()
    decay_square(v, g, np.array(0.9), np.array(0.1), out=np.empty(shape) if given else None)
    np.testing.assert_allclose(v, 0.9 * before + 0.1 * g * g, rtol=1e-15)


def test_a_large_gradient_is_weighed_before_it_is_squared():
    v, g = np.zeros(1, "float32"), np.array([1e20], "float32")
    decay_square(v, g, np.array(0.999, "float32"), np.array(1e-3, "float32"))
    np.testing.assert_allclose(v, 1e37, rtol=1e-6)  # 1e40 would be infinite


def test_zeros_have_the_layout_of_what_they_average():
    w = np.ones((3, 2), "float32").T
    z = zeros(w)
    assert (z.array.shape, z.array.dtype, z.array.strides) == (w.shape, w.dtype, w.strides)
    assert not z.array.any()
    assert not z.requires_grad
