"""RAdam beside its equations in plain NumPy and beside torch's, and the settings that are refused."""

import itertools
import re

import numpy as np
import pytest

import tinyrnn
from tinyrnn.optim import RAdam


def by_the_equations(
    w,
    gradients,
    lr,
    betas=(0.9, 0.999),
    eps=1e-8,
    weight_decay=0,
    decoupled_weight_decay=False,
    maximize=False,
):
    m = v = np.zeros_like(w)
    rho = 2 / (1 - betas[1]) - 1
    for t, g in enumerate(gradients, 1):
        g = -g if maximize else g
        if decoupled_weight_decay:
            w = w - lr * weight_decay * w
        else:
            g = g + weight_decay * w
        m = betas[0] * m + (1 - betas[0]) * g
        v = betas[1] * v + (1 - betas[1]) * g**2
        step = m / (1 - betas[0] ** t)
        rho_t = rho - 2 * t * betas[1] ** t / (1 - betas[1] ** t)
        if rho_t > 5:
            r = np.sqrt((rho_t - 4) * (rho_t - 2) * rho / ((rho - 4) * (rho - 2) * rho_t))
            step = step * r * np.sqrt(1 - betas[1] ** t) / (np.sqrt(v) + eps)
        w = w - lr * step
    return w


SETTINGS = [
    {"lr": 0.1, "betas": betas, "eps": eps, "maximize": maximize, **decay}
    for (betas, eps), maximize, decay in itertools.product(
        [((0.9, 0.999), 1e-8), ((0.3, 0.9), 0.1), ((0.0, 0.5), 1e-3)],
        [False, True],
        [{}, {"weight_decay": 0.05}, {"weight_decay": 0.05, "decoupled_weight_decay": True}],
    )
]


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("shape", [(4, 3), ()])
@pytest.mark.parametrize(("dtype", "tolerance"), [(tinyrnn.float64, 1e-12), (tinyrnn.float32, 1e-5)])
def test_steps_follow_the_equations(follows, settings, shape, dtype, tolerance):
    follows(RAdam, by_the_equations, settings, shape, dtype, tolerance)


@pytest.mark.parametrize("settings", SETTINGS[::2])
def test_steps_are_torchs(beside_torch, settings):
    beside_torch("RAdam", settings)


def test_the_size_of_the_gradients_counts_at_first_and_no_longer_from_the_sixth_step_on():
    steps = []
    for scale in (1.0, 100.0):
        w = tinyrnn.zeros(1, dtype=tinyrnn.float64, requires_grad=True)
        optimizer = RAdam([w], lr=1)
        w.grad = tinyrnn.tensor([scale], dtype=tinyrnn.float64)
        places = [0.0]
        for _ in range(8):
            optimizer.step()
            places.append(w.item())
        steps.append(-np.diff(places))
    ratio = steps[1] / steps[0]
    np.testing.assert_allclose(ratio, [100] * 5 + [1] * 3, rtol=1e-6)


@pytest.mark.parametrize(
    ("settings", "exception", "message"),
    [
        ({"lr": -0.1}, ValueError, "RAdam: lr is -0.1, expected 0.0 <= lr"),
        ({"lr": None}, TypeError, "RAdam: lr is None, expected a number"),
        ({"differentiable": True}, NotImplementedError, "RAdam: differentiable=True is not supported"),
        ({"betas": (0.9, 1.0)}, ValueError, "RAdam: betas[1] is 1.0, expected 0.0 <= betas[1] < 1.0"),
        ({"betas": (-0.1, 0.9)}, ValueError, "RAdam: betas[0] is -0.1, expected 0.0 <= betas[0] < 1.0"),
        ({"betas": 0.9}, ValueError, "RAdam: betas is 0.9, expected two numbers"),
        ({"eps": -1e-8}, ValueError, "RAdam: eps is -1e-08, expected 0.0 <= eps"),
        ({"weight_decay": -1}, ValueError, "RAdam: weight_decay is -1, expected 0.0 <= weight_decay"),
    ],
)
def test_bad_settings_are_refused(settings, exception, message):
    with pytest.raises(exception, match=re.escape(message)):
        RAdam([tinyrnn.zeros(2, requires_grad=True)], **settings)
