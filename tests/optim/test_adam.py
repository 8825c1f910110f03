"""Adam beside its equations in plain NumPy and beside torch's, and the settings that are refused."""

import itertools
import re

import numpy as np
import pytest

import tinyrnn
from tinyrnn.optim import Adam


def by_the_equations(
    w,
    gradients,
    lr,
    betas=(0.9, 0.999),
    eps=1e-8,
    weight_decay=0,
    amsgrad=False,
    maximize=False,
    decoupled_weight_decay=False,
):
    m = v = largest = np.zeros_like(w)
    for t, g in enumerate(gradients, 1):
        g = -g if maximize else g
        if decoupled_weight_decay:
            w = w - lr * weight_decay * w
        else:
            g = g + weight_decay * w
        m = betas[0] * m + (1 - betas[0]) * g
        v = betas[1] * v + (1 - betas[1]) * g**2
        largest = np.maximum(largest, v)
        v_hat = (largest if amsgrad else v) / (1 - betas[1] ** t)
        w = w - lr * m / (1 - betas[0] ** t) / (np.sqrt(v_hat) + eps)
    return w


SETTINGS = [
    {"lr": 0.1, "betas": betas, "eps": eps, "weight_decay": decay, "amsgrad": amsgrad, "maximize": maximize}
    for (betas, eps), decay, amsgrad, maximize in itertools.product(
        [((0.9, 0.999), 1e-8), ((0.3, 0.6), 0.1), ((0.0, 0.0), 1e-3)], [0, 0.05], [False, True], [False, True]
    )
]
SETTINGS += [{**settings, "decoupled_weight_decay": True} for settings in SETTINGS if settings["weight_decay"]]


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("shape", [(4, 3), ()])
@pytest.mark.parametrize(("dtype", "tolerance"), [(tinyrnn.float64, 1e-12), (tinyrnn.float32, 1e-5)])
def test_steps_follow_the_equations(follows, settings, shape, dtype, tolerance):
    follows(Adam, by_the_equations, settings, shape, dtype, tolerance)


@pytest.mark.parametrize("settings", SETTINGS[::3])
def test_steps_are_torchs(beside_torch, settings):
    beside_torch("Adam", settings)


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


def test_parameters_that_have_made_different_numbers_of_steps_stand_in_one_group():
    a, b, c = (tinyrnn.ones(2, dtype=tinyrnn.float64, requires_grad=True) for _ in range(3))
    together, alone = Adam([a, b], lr=0.1), Adam([c], lr=0.1)
    for t in range(6):
        for p in (a, b, c):
            p.grad = tinyrnn.tensor([1.0 + t, -2.0], dtype=tinyrnn.float64)
        if t < 3:
            b.grad = None
        else:
            alone.step()
        together.step()
    assert b.tolist() == c.tolist() != a.tolist()


def test_betas_may_be_tensors(torch):
    ends = []
    for lib in (tinyrnn, torch):
        w = lib.ones(3, requires_grad=True)
        optimizer = lib.optim.Adam([w], lr=lib.tensor(0.1), betas=(lib.tensor(0.8), lib.tensor(0.9)))
        for _ in range(5):
            w.grad = 2 * w.detach()
            optimizer.step()
        ends.append(w.detach().numpy())
    np.testing.assert_allclose(*ends, rtol=1e-6)


@pytest.mark.parametrize(
    ("settings", "exception", "message"),
    [
        ({"lr": -0.1}, ValueError, "Adam: lr is -0.1, expected 0.0 <= lr"),
        ({"lr": None}, TypeError, "Adam: lr is None, expected a number"),
        ({"differentiable": True}, NotImplementedError, "Adam: differentiable=True is not supported"),
        ({"betas": (0.9, 1.0)}, ValueError, "Adam: betas[1] is 1.0, expected 0.0 <= betas[1] < 1.0"),
        ({"betas": (-0.1, 0.9)}, ValueError, "Adam: betas[0] is -0.1, expected 0.0 <= betas[0] < 1.0"),
        ({"betas": 0.9}, ValueError, "Adam: betas is 0.9, expected two numbers"),
        ({"betas": (0.9, 0.99, 0.999)}, ValueError, "Adam: betas is (0.9, 0.99, 0.999), expected two numbers"),
        ({"betas": (0.9, "0.99")}, TypeError, "Adam: betas[1] is '0.99', expected a number"),
        ({"foreach": True, "fused": True}, RuntimeError, "Adam: foreach and fused are both True"),
        ({"eps": -1e-8}, ValueError, "Adam: eps is -1e-08, expected 0.0 <= eps"),
        ({"weight_decay": -1}, ValueError, "Adam: weight_decay is -1, expected 0.0 <= weight_decay"),
    ],
)
def test_bad_settings_are_refused(settings, exception, message):
    with pytest.raises(exception, match=re.escape(message)):
        Adam([tinyrnn.zeros(2, requires_grad=True)], **settings)
