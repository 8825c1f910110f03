"""AdamW beside its equations in plain NumPy and beside torch's, and the settings that are refused."""

import itertools
import re

import numpy as np
import pytest

import tinyrnn
from tinyrnn.optim import AdamW


def by_the_equations(w, gradients, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01, amsgrad=False, maximize=False):
    m = v = largest = np.zeros_like(w)
    for t, g in enumerate(gradients, 1):
        g = -g if maximize else g
        w = (1 - lr * weight_decay) * w
        m = betas[0] * m + (1 - betas[0]) * g
        v = betas[1] * v + (1 - betas[1]) * g**2
        largest = np.maximum(largest, v)
        v_hat = (largest if amsgrad else v) / (1 - betas[1] ** t)
        w = w - lr * m / (1 - betas[0] ** t) / (np.sqrt(v_hat) + eps)
    return w


SETTINGS = [
    {"lr": 0.1, "betas": betas, "amsgrad": amsgrad, "maximize": maximize, **decay}
    for betas, amsgrad, maximize, decay in itertools.product(
        [(0.9, 0.999), (0.3, 0.6)], [False, True], [False, True], [{}, {"weight_decay": 0}, {"weight_decay": 0.5}]
    )
]


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("shape", [(4, 3), ()])
@pytest.mark.parametrize(("dtype", "tolerance"), [(tinyrnn.float64, 1e-12), (tinyrnn.float32, 1e-5)])
def test_steps_follow_the_equations(follows, settings, shape, dtype, tolerance):
    follows(AdamW, by_the_equations, settings, shape, dtype, tolerance)


@pytest.mark.parametrize("settings", SETTINGS[::2])
def test_steps_are_torchs(beside_torch, settings):
    beside_torch("AdamW", settings)


def test_a_state_of_adams_does_not_couple_the_decay():
    w, v = (tinyrnn.ones(2, requires_grad=True) for _ in range(2))
    w.grad = tinyrnn.ones(2)
    adam = tinyrnn.optim.Adam([w], lr=0.1, weight_decay=0.5)
    adam.step()
    optimizer = AdamW([v])
    optimizer.load_state_dict(adam.state_dict())
    assert optimizer.param_groups[0]["weight_decay"] == 0.5
    assert optimizer.param_groups[0]["decoupled_weight_decay"] is True
    assert adam.param_groups[0]["decoupled_weight_decay"] is False


@pytest.mark.parametrize(
    ("settings", "exception", "message"),
    [
        ({"lr": -0.1}, ValueError, "AdamW: lr is -0.1, expected 0.0 <= lr"),
        ({"lr": None}, TypeError, "AdamW: lr is None, expected a number"),
        ({"differentiable": True}, NotImplementedError, "AdamW: differentiable=True is not supported"),
        ({"betas": (0.9, 1.0)}, ValueError, "AdamW: betas[1] is 1.0, expected 0.0 <= betas[1] < 1.0"),
        ({"betas": (-0.1, 0.9)}, ValueError, "AdamW: betas[0] is -0.1, expected 0.0 <= betas[0] < 1.0"),
        ({"betas": 0.9}, ValueError, "AdamW: betas is 0.9, expected two numbers"),
        ({"eps": -1e-8}, ValueError, "AdamW: eps is -1e-08, expected 0.0 <= eps"),
        ({"weight_decay": -1}, ValueError, "AdamW: weight_decay is -1, expected 0.0 <= weight_decay"),
    ],
)
def test_bad_settings_are_refused(settings, exception, message):
    with pytest.raises(exception, match=re.escape(message)):
        AdamW([tinyrnn.zeros(2, requires_grad=True)], **settings)
