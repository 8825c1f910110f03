"""Adagrad beside its equations in plain NumPy and beside torch's, and the settings that are refused."""

import itertools
import re

import numpy as np
import pytest

import tinyrnn
from tinyrnn.optim import Adagrad


def by_the_equations(
    w, gradients, lr, lr_decay=0, weight_decay=0, initial_accumulator_value=0, eps=1e-10, maximize=False
):
    v = np.full_like(w, initial_accumulator_value)
    for t, g in enumerate(gradients, 1):
        g = (-g if maximize else g) + weight_decay * w
        v = v + g**2
        w = w - lr / (1 + (t - 1) * lr_decay) * g / (np.sqrt(v) + eps)
    return w


SETTINGS = [
    {"lr": 0.1, "lr_decay": slow, "weight_decay": decay, "initial_accumulator_value": first, "eps": eps, "maximize": up}
    for slow, decay, first, eps, up in itertools.product([0, 0.1], [0, 0.05], [0, 2.5], [1e-10, 0.1], [False, True])
]


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("shape", [(4, 3), ()])
@pytest.mark.parametrize(("dtype", "tolerance"), [(tinyrnn.float64, 1e-12), (tinyrnn.float32, 1e-5)])
def test_steps_follow_the_equations(follows, settings, shape, dtype, tolerance):
    follows(Adagrad, by_the_equations, settings, shape, dtype, tolerance)


@pytest.mark.parametrize("settings", SETTINGS[::3])
def test_steps_are_torchs(beside_torch, settings):
    beside_torch("Adagrad", settings)


def test_the_sum_begins_as_the_group_says():
    a, b = (tinyrnn.zeros(2, requires_grad=True) for _ in range(2))
    optimizer = Adagrad([{"params": a}, {"params": b, "initial_accumulator_value": 3}], initial_accumulator_value=8)
    a.grad = b.grad = tinyrnn.ones(2)
    optimizer.step()
    assert optimizer.state[a]["sum"].tolist() == [9, 9]
    assert optimizer.state[b]["sum"].tolist() == [4, 4]


@pytest.mark.parametrize(
    ("settings", "exception", "message"),
    [
        ({"lr": -0.1}, ValueError, "Adagrad: lr is -0.1, expected 0.0 <= lr"),
        ({"lr": None}, TypeError, "Adagrad: lr is None, expected a number"),
        ({"differentiable": True}, NotImplementedError, "Adagrad: differentiable=True is not supported"),
        ({"lr_decay": -0.1}, ValueError, "Adagrad: lr_decay is -0.1, expected 0.0 <= lr_decay"),
        (
            {"initial_accumulator_value": -1},
            ValueError,
            "Adagrad: initial_accumulator_value is -1, expected 0.0 <= initial_accumulator_value",
        ),
        ({"eps": -1e-8}, ValueError, "Adagrad: eps is -1e-08, expected 0.0 <= eps"),
        ({"weight_decay": -1}, ValueError, "Adagrad: weight_decay is -1, expected 0.0 <= weight_decay"),
    ],
)
def test_bad_settings_are_refused(settings, exception, message):
    with pytest.raises(exception, match=re.escape(message)):
        Adagrad([tinyrnn.zeros(2, requires_grad=True)], **settings)
