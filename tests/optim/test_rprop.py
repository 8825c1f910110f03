"""Rprop beside its equations in plain NumPy and beside torch's, and the settings that are refused."""

import itertools
import re

import numpy as np
import pytest

import tinyrnn
from tinyrnn.optim import Rprop


def by_the_equations(w, gradients, lr, etas=(0.5, 1.2), step_sizes=(1e-6, 50), maximize=False):
    w = w.copy()
    for i in np.ndindex(w.shape):
        before, d = 0.0, lr
        for g in gradients[(slice(None), *i)]:
            g = -g if maximize else g
            if g * before > 0:
                d = min(d * etas[1], step_sizes[1])
            elif g * before < 0:
                d, g = max(d * etas[0], step_sizes[0]), 0.0
            else:
                d = min(max(d, step_sizes[0]), step_sizes[1])
            w[i] -= d * np.sign(g)
            before = g
    return w


SETTINGS = [
    {"lr": 0.1, "etas": etas, "step_sizes": sizes, "maximize": maximize}
    for etas, sizes, maximize in itertools.product(
        [(0.5, 1.2), (0.3, 3.0)], [(1e-6, 50), (0.05, 0.2), (0.2, 0.3)], [False, True]
    )
]


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("shape", [(4, 3), ()])
@pytest.mark.parametrize(("dtype", "tolerance"), [(tinyrnn.float64, 1e-12), (tinyrnn.float32, 1e-5)])
def test_steps_follow_the_equations(follows, settings, shape, dtype, tolerance):
    follows(Rprop, by_the_equations, settings, shape, dtype, tolerance)


@pytest.mark.parametrize("settings", SETTINGS[::3])
def test_steps_are_torchs(beside_torch, settings):
    beside_torch("Rprop", settings)


def test_a_gradient_of_zero_keeps_the_step():
    w = tinyrnn.zeros(2, dtype=tinyrnn.float64, requires_grad=True)
    optimizer = Rprop([w], lr=0.1)
    for g in ([1.0, 0.0], [0.0, 1.0], [1.0, -1.0]):
        w.grad = tinyrnn.tensor(g, dtype=tinyrnn.float64)
        optimizer.step()
    np.testing.assert_allclose(w.array, [-0.2, -0.1])
    np.testing.assert_allclose(optimizer.state[w]["step_size"].array, [0.1, 0.05])


@pytest.mark.parametrize(
    ("settings", "exception", "message"),
    [
        ({"lr": -0.1}, ValueError, "Rprop: lr is -0.1, expected 0.0 <= lr"),
        ({"lr": None}, TypeError, "Rprop: lr is None, expected a number"),
        ({"differentiable": True}, NotImplementedError, "Rprop: differentiable=True is not supported"),
        ({"etas": (0.5, 0.9)}, ValueError, "Rprop: etas is (0.5, 0.9), expected 0 < etas[0] < 1 < etas[1]"),
        ({"etas": (0, 1.2)}, ValueError, "Rprop: etas is (0, 1.2), expected 0 < etas[0] < 1 < etas[1]"),
        ({"etas": (0.5, "1.2")}, TypeError, "Rprop: etas[1] is '1.2', expected a number"),
        ({"step_sizes": (2, 1)}, ValueError, "Rprop: step_sizes is (2, 1), expected the smallest, then the largest"),
        ({"step_sizes": 1}, ValueError, "Rprop: step_sizes is 1, expected two numbers"),
    ],
)
def test_bad_settings_are_refused(settings, exception, message):
    with pytest.raises(exception, match=re.escape(message)):
        Rprop([tinyrnn.zeros(2, requires_grad=True)], **settings)
