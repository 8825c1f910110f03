"""NAdam beside its equations in plain NumPy and beside torch's, and the settings that are refused."""

import itertools
import re

import numpy as np
import pytest

import tinyrnn
from tinyrnn.optim import NAdam


def by_the_equations(
    w,
    gradients,
    lr,
    betas=(0.9, 0.999),
    eps=1e-8,
    weight_decay=0,
    momentum_decay=4e-3,
    decoupled_weight_decay=False,
    maximize=False,
):
    m, v, p = np.zeros_like(w), np.zeros_like(w), np.float32(1)  # as torch, which keeps p in float32
    for t, g in enumerate(gradients, 1):
        g = -g if maximize else g
        if decoupled_weight_decay:
            w = w - lr * weight_decay * w
        else:
            g = g + weight_decay * w
        m = betas[0] * m + (1 - betas[0]) * g
        v = betas[1] * v + (1 - betas[1]) * g**2
        mu, mu_next = (betas[0] * (1 - 0.96 ** (k * momentum_decay) / 2) for k in (t, t + 1))
        p = p * mu
        step = (1 - mu) * g / (1 - float(p)) + mu_next * m / (1 - float(p) * mu_next)
        w = w - lr * step / (np.sqrt(v / (1 - betas[1] ** t)) + eps)
    return w


SETTINGS = [
    {"lr": 0.1, "betas": betas, "eps": eps, "momentum_decay": fade, "maximize": maximize, **decay}
    for (betas, eps), fade, maximize, decay in itertools.product(
        [((0.9, 0.999), 1e-8), ((0.3, 0.6), 0.1)],
        [4e-3, 0.5],
        [False, True],
        [{}, {"weight_decay": 0.05}, {"weight_decay": 0.05, "decoupled_weight_decay": True}],
    )
]


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("shape", [(4, 3), ()])
@pytest.mark.parametrize(("dtype", "tolerance"), [(tinyrnn.float64, 1e-12), (tinyrnn.float32, 1e-5)])
def test_steps_follow_the_equations(follows, settings, shape, dtype, tolerance):
    follows(NAdam, by_the_equations, settings, shape, dtype, tolerance)


@pytest.mark.parametrize("settings", SETTINGS[::2])
def test_steps_are_torchs(beside_torch, settings):
    beside_torch("NAdam", settings)


def test_the_product_of_the_momenta_has_the_default_dtype_and_keeps_it():
    w = tinyrnn.ones(2, dtype=tinyrnn.float64, requires_grad=True)
    w.grad = tinyrnn.ones(2, dtype=tinyrnn.float64)
    optimizer, other = NAdam([w]), NAdam([w])
    optimizer.step()
    other.load_state_dict(optimizer.state_dict())
    assert other.state[w]["mu_product"].dtype == tinyrnn.float32
    assert 0.45 < other.state[w]["mu_product"].item() < 0.4502


@pytest.mark.parametrize(
    ("settings", "exception", "message"),
    [
        ({"lr": -0.1}, ValueError, "NAdam: lr is -0.1, expected 0.0 <= lr"),
        ({"lr": None}, TypeError, "NAdam: lr is None, expected a number"),
        ({"differentiable": True}, NotImplementedError, "NAdam: differentiable=True is not supported"),
        ({"betas": (0.9, 1.0)}, ValueError, "NAdam: betas[1] is 1.0, expected 0.0 <= betas[1] < 1.0"),
        ({"betas": (-0.1, 0.9)}, ValueError, "NAdam: betas[0] is -0.1, expected 0.0 <= betas[0] < 1.0"),
        ({"betas": 0.9}, ValueError, "NAdam: betas is 0.9, expected two numbers"),
        ({"momentum_decay": -1}, ValueError, "NAdam: momentum_decay is -1, expected 0.0 <= momentum_decay"),
        ({"eps": -1e-8}, ValueError, "NAdam: eps is -1e-08, expected 0.0 <= eps"),
        ({"weight_decay": -1}, ValueError, "NAdam: weight_decay is -1, expected 0.0 <= weight_decay"),
    ],
)
def test_bad_settings_are_refused(settings, exception, message):
    with pytest.raises(exception, match=re.escape(message)):
        NAdam([tinyrnn.zeros(2, requires_grad=True)], **settings)
