"""Adamax beside its equations in plain NumPy and beside torch's, and the settings that are refused."""

import itertools
import re

import numpy as np
import pytest

import tinyrnn
from tinyrnn.optim import Adamax


def by_the_equations(w, gradients, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, maximize=False):
    m = u = np.zeros_like(w)
    for t, g in enumerate(gradients, 1):
        g = (-g if maximize else g) + weight_decay * w
        m = betas[0] * m + (1 - betas[0]) * g
        u = np.maximum(betas[1] * u, np.abs(g) + eps)
        w = w - lr / (1 - betas[0] ** t) * m / u
    return w


SETTINGS = [
    {"lr": 0.1, "betas": betas, "eps": eps, "weight_decay": decay, "maximize": maximize}
    for (betas, eps), decay, maximize in itertools.product(
        [((0.9, 0.999), 1e-8), ((0.3, 0.6), 0.1), ((0.0, 0.0), 1e-3)], [0, 0.05], [False, True]
    )
]


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("shape", [(4, 3), ()])
@pytest.mark.parametrize(("dtype", "tolerance"), [(tinyrnn.float64, 1e-12), (tinyrnn.float32, 1e-5)])
def test_steps_follow_the_equations(follows, settings, shape, dtype, tolerance):
    follows(Adamax, by_the_equations, settings, shape, dtype, tolerance)


@pytest.mark.parametrize("settings", SETTINGS[::3])
def test_steps_are_torchs(beside_torch, settings):
    beside_torch("Adamax", settings)


def test_the_largest_gradient_is_remembered_and_fades():
    w = tinyrnn.zeros(1, dtype=tinyrnn.float64, requires_grad=True)
    optimizer = Adamax([w], betas=(0.9, 0.5), eps=0)
    for g in (8.0, 1.0, 1.0, 1.0, 1.0):
        w.grad = tinyrnn.tensor([g], dtype=tinyrnn.float64)
        optimizer.step()
    assert optimizer.state[w]["exp_inf"].tolist() == [1]
    assert optimizer.state[w]["step"] == 5


@pytest.mark.parametrize(
    ("settings", "exception", "message"),
    [
        ({"lr": -0.1}, ValueError, "Adamax: lr is -0.1, expected 0.0 <= lr"),
        ({"lr": None}, TypeError, "Adamax: lr is None, expected a number"),
        ({"differentiable": True}, NotImplementedError, "Adamax: differentiable=True is not supported"),
        ({"betas": (0.9, 1.0)}, ValueError, "Adamax: betas[1] is 1.0, expected 0.0 <= betas[1] < 1.0"),
        ({"betas": (-0.1, 0.9)}, ValueError, "Adamax: betas[0] is -0.1, expected 0.0 <= betas[0] < 1.0"),
        ({"betas": 0.9}, ValueError, "Adamax: betas is 0.9, expected two numbers"),
        ({"eps": -1e-8}, ValueError, "Adamax: eps is -1e-08, expected 0.0 <= eps"),
        ({"weight_decay": -1}, ValueError, "Adamax: weight_decay is -1, expected 0.0 <= weight_decay"),
    ],
)
def test_bad_settings_are_refused(settings, exception, message):
    with pytest.raises(exception, match=re.escape(message)):
        Adamax([tinyrnn.zeros(2, requires_grad=True)], **settings)
