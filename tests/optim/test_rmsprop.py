"""RMSprop beside its equations in plain NumPy and beside torch's, and the settings that are refused."""

import itertools
import re

import numpy as np
import pytest

import tinyrnn
from tinyrnn.optim import RMSprop


def by_the_equations(
    w, gradients, lr, alpha=0.99, eps=1e-8, weight_decay=0, momentum=0, centered=False, maximize=False
):
    v = a = b = np.zeros_like(w)
    for g in gradients:
        g = (-g if maximize else g) + weight_decay * w
        v = alpha * v + (1 - alpha) * g**2
        a = alpha * a + (1 - alpha) * g
        b = momentum * b + g / (np.sqrt(v - a**2 if centered else v) + eps)
        w = w - lr * b
    return w


SETTINGS = [
    {"lr": 0.1, "alpha": alpha, "momentum": momentum, "centered": centered, "weight_decay": decay, "maximize": up}
    for alpha, momentum, centered, decay, up in itertools.product(
        [0.99, 0.3], [0, 0.9], [False, True], [0, 0.05], [False, True]
    )
]
SETTINGS += [{"lr": 0.1, "eps": 0.1}]


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("shape", [(4, 3), ()])
@pytest.mark.parametrize(("dtype", "tolerance"), [(tinyrnn.float64, 1e-12), (tinyrnn.float32, 1e-5)])
def test_steps_follow_the_equations(follows, settings, shape, dtype, tolerance):
    follows(RMSprop, by_the_equations, settings, shape, dtype, tolerance)


@pytest.mark.parametrize("settings", SETTINGS[::3])
def test_steps_are_torchs(beside_torch, settings):
    beside_torch("RMSprop", settings)


@pytest.mark.parametrize(
    ("settings", "more"),
    [({}, set()), ({"momentum": 0.9}, {"momentum_buffer"}), ({"centered": True}, {"grad_avg"})],
)
def test_only_what_is_needed_is_remembered(settings, more):
    w = tinyrnn.ones(2, requires_grad=True)
    w.grad = tinyrnn.ones(2)
    optimizer = RMSprop([w], **settings)
    optimizer.step()
    assert set(optimizer.state[w]) == {"step", "square_avg"} | more


@pytest.mark.parametrize(
    ("settings", "exception", "message"),
    [
        ({"lr": -0.1}, ValueError, "RMSprop: lr is -0.1, expected 0.0 <= lr"),
        ({"lr": None}, TypeError, "RMSprop: lr is None, expected a number"),
        ({"differentiable": True}, NotImplementedError, "RMSprop: differentiable=True is not supported"),
        ({"alpha": -0.1}, ValueError, "RMSprop: alpha is -0.1, expected 0.0 <= alpha"),
        ({"momentum": -1}, ValueError, "RMSprop: momentum is -1, expected 0.0 <= momentum"),
        ({"eps": -1e-8}, ValueError, "RMSprop: eps is -1e-08, expected 0.0 <= eps"),
        ({"weight_decay": -1}, ValueError, "RMSprop: weight_decay is -1, expected 0.0 <= weight_decay"),
    ],
)
def test_bad_settings_are_refused(settings, exception, message):
    with pytest.raises(exception, match=re.escape(message)):
        RMSprop([tinyrnn.zeros(2, requires_grad=True)], **settings)
