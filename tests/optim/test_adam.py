"""Adam beside its equations in plain NumPy, and the settings that are refused."""

import itertools
import re

import numpy as np
import pytest

import tinyrnn
from tinyrnn.optim import Adam


def by_the_equations(w, gradients, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, amsgrad=False, maximize=False):
    m = v = largest = np.zeros_like(w)
    for t, g in enumerate(gradients, 1):
        g = (-g if maximize else g) + weight_decay * w
        m = betas[0] * m + (1 - betas[0]) * g
        v = betas[1] * v + (1 - betas[1]) * g**2
        largest = np.maximum(largest, v)
        v_hat = (largest if amsgrad else v) / (1 - betas[1] ** t)
        w = w - lr * m / (1 - betas[0] ** t) / (np.sqrt(v_hat) + eps)
    return w


SETTINGS = [
    {"betas": betas, "eps": eps, "weight_decay": weight_decay, "amsgrad": amsgrad, "maximize": maximize}
    for (betas, eps), weight_decay, amsgrad, maximize in itertools.product(
        [((0.9, 0.999), 1e-8), ((0.3, 0.6), 0.1), ((0, 0), 1e-3)], [0, 0.05], [False, True], [False, True]
    )
]


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("shape", [(4, 3), ()])
@pytest.mark.parametrize(("dtype", "tolerance"), [(tinyrnn.float64, 1e-13), (tinyrnn.float32, 1e-5)])
def test_steps_follow_the_equations(settings, shape, dtype, tolerance):
    rng = np.random.default_rng(0)
    start, gradients = rng.standard_normal(shape), rng.standard_normal((20, *shape))
    gradients[:3] *= 5  # so that amsgrad has a largest to remember
    w = tinyrnn.tensor(start, dtype=dtype, requires_grad=True)
    optimizer = Adam([w], lr=0.1, **settings)
    for g in gradients:
        w.grad = tinyrnn.tensor(g, dtype=dtype)
        optimizer.step()
        assert np.array_equal(w.grad.array, g.astype(dtype))  # read, not written
    expected = by_the_equations(start, gradients, 0.1, **settings)
    assert w.dtype == dtype
    assert np.abs(w.array - expected).max() < tolerance * np.abs([start, expected]).max()


@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e4])
def test_the_first_step_is_of_the_size_of_the_learning_rate(scale):
    w = tinyrnn.zeros(4, dtype=tinyrnn.float64, requires_grad=True)
    w.grad = scale * tinyrnn.tensor([1.0, -2.0, 3.0, 0.0], dtype=tinyrnn.float64)
    Adam([w], lr=0.01).step()
    np.testing.assert_allclose(w.array, [-0.01, 0.01, -0.01, 0], rtol=1e-3)


def test_the_state_counts_the_steps_of_each_parameter():
    a, b = (tinyrnn.ones(2, requires_grad=True) for _ in range(2))
    optimizer = Adam([a, b], amsgrad=True)
    for used in ([a], [a, b], [a]):
        optimizer.zero_grad()
        for p in used:
            p.grad = tinyrnn.ones(2)
        optimizer.step()
    assert [optimizer.state[p]["step"] for p in (a, b)] == [3, 1]
    assert set(optimizer.state[a]) == {"step", "exp_avg", "exp_avg_sq", "max_exp_avg_sq"}


@pytest.mark.parametrize(
    ("settings", "exception", "message"),
    [
        ({"lr": -0.1}, ValueError, "Adam: lr is -0.1, expected 0.0 <= lr"),
        ({"lr": None}, TypeError, "Adam: lr is None, expected a number"),
        ({"betas": (0.9, 1.0)}, ValueError, "Adam: betas[1] is 1.0, expected 0.0 <= betas[1] < 1.0"),
        ({"betas": (-0.1, 0.9)}, ValueError, "Adam: betas[0] is -0.1, expected 0.0 <= betas[0] < 1.0"),
        ({"betas": 0.9}, ValueError, "Adam: betas is 0.9, expected two numbers"),
        ({"betas": (0.9, 0.99, 0.999)}, ValueError, "Adam: betas is (0.9, 0.99, 0.999), expected two numbers"),
        ({"eps": -1e-8}, ValueError, "Adam: eps is -1e-08, expected 0.0 <= eps"),
        ({"weight_decay": -1}, ValueError, "Adam: weight_decay is -1, expected 0.0 <= weight_decay"),
        ({"differentiable": True}, NotImplementedError, "Adam: differentiable=True is not supported"),
    ],
)
def test_bad_settings_are_refused(settings, exception, message):
    with pytest.raises(exception, match=re.escape(message)):
        Adam([tinyrnn.zeros(2, requires_grad=True)], **settings)


def test_the_keywords_on_how_to_loop_change_nothing():
    w = [tinyrnn.ones(3, requires_grad=True) for _ in range(2)]
    for p, keywords in zip(w, [{}, {"foreach": True, "fused": False, "capturable": True}], strict=True):
        p.grad = tinyrnn.ones(3)
        Adam([p], **keywords).step()
    assert w[0].tolist() == w[1].tolist()
