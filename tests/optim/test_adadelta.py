"""Adadelta beside its equations in plain NumPy and beside torch's, and the settings that are refused."""

import itertools
import re

import numpy as np
import pytest

import tinyrnn
from tinyrnn.optim import Adadelta


def by_the_equations(w, gradients, lr, rho=0.9, eps=1e-6, weight_decay=0, maximize=False):
    v = u = np.zeros_like(w)
    for g in gradients:
        g = (-g if maximize else g) + weight_decay * w
        v = rho * v + (1 - rho) * g**2
        d = g * np.sqrt(u + eps) / np.sqrt(v + eps)
        u = rho * u + (1 - rho) * d**2
        w = w - lr * d
    return w


SETTINGS = [
    {"lr": lr, "rho": rho, "eps": eps, "weight_decay": decay, "maximize": maximize}
    for lr, (rho, eps), decay, maximize in itertools.product(
        [1.0, 0.1], [(0.9, 1e-6), (0.3, 0.1), (0.0, 1e-3), (1.0, 1e-3)], [0, 0.05], [False, True]
    )
]


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("shape", [(4, 3), ()])
@pytest.mark.parametrize(("dtype", "tolerance"), [(tinyrnn.float64, 1e-12), (tinyrnn.float32, 1e-5)])
def test_steps_follow_the_equations(follows, settings, shape, dtype, tolerance):
    follows(Adadelta, by_the_equations, settings, shape, dtype, tolerance)


@pytest.mark.parametrize("settings", SETTINGS[::3])
def test_steps_are_torchs(beside_torch, settings):
    beside_torch("Adadelta", settings)


def test_the_first_step_does_not_depend_on_the_size_of_the_gradient():
    ends = []
    for scale in (1e3, 1e6):
        w = tinyrnn.zeros(2, dtype=tinyrnn.float64, requires_grad=True)
        w.grad = scale * tinyrnn.tensor([1.0, -2.0], dtype=tinyrnn.float64)
        Adadelta([w]).step()
        ends.append(w.array)
    np.testing.assert_allclose(ends[0], ends[1], rtol=1e-6)
    np.testing.assert_allclose(ends[0], np.array([-1, 1]) * np.sqrt(1e-6 / 0.1), rtol=1e-6)


@pytest.mark.parametrize(
    ("settings", "exception", "message"),
    [
        ({"lr": -0.1}, ValueError, "Adadelta: lr is -0.1, expected 0.0 <= lr"),
        ({"lr": None}, TypeError, "Adadelta: lr is None, expected a number"),
        ({"differentiable": True}, NotImplementedError, "Adadelta: differentiable=True is not supported"),
        ({"rho": -0.1}, ValueError, "Adadelta: rho is -0.1, expected 0.0 <= rho <= 1.0"),
        ({"rho": 1.1}, ValueError, "Adadelta: rho is 1.1, expected 0.0 <= rho <= 1.0"),
        ({"eps": -1e-8}, ValueError, "Adadelta: eps is -1e-08, expected 0.0 <= eps"),
        ({"weight_decay": -1}, ValueError, "Adadelta: weight_decay is -1, expected 0.0 <= weight_decay"),
    ],
)
def test_bad_settings_are_refused(settings, exception, message):
    with pytest.raises(exception, match=re.escape(message)):
        Adadelta([tinyrnn.zeros(2, requires_grad=True)], **settings)
