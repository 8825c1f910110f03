"""SGD beside its equations in plain NumPy and beside torch's, and the settings that are refused."""

import itertools
import re

import pytest

import tinyrnn
from tinyrnn.optim import SGD


def by_the_equations(w, gradients, lr, momentum=0, dampening=0, weight_decay=0, nesterov=False, maximize=False):
    b = None
    for g in gradients:
        g = (-g if maximize else g) + weight_decay * w
        b = g if b is None else momentum * b + (1 - dampening) * g
        step = g + momentum * b if nesterov else b if momentum else g
        w = w - lr * step
    return w


SETTINGS = [
    {"lr": 0.1, "momentum": momentum, "dampening": damp, "weight_decay": decay, "nesterov": nesterov, "maximize": up}
    for momentum, damp, decay, nesterov, up in itertools.product(
        [0, 0.9], [0, 0.3], [0, 0.05], [False, True], [False, True]
    )
    if not nesterov or (momentum and not damp)
]


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("shape", [(4, 3), ()])
@pytest.mark.parametrize(("dtype", "tolerance"), [(tinyrnn.float64, 1e-12), (tinyrnn.float32, 1e-5)])
def test_steps_follow_the_equations(follows, settings, shape, dtype, tolerance):
    follows(SGD, by_the_equations, settings, shape, dtype, tolerance)


@pytest.mark.parametrize("settings", SETTINGS[::3])
def test_steps_are_torchs(beside_torch, settings):
    beside_torch("SGD", settings)


def test_the_momentum_is_remembered_apart_from_the_gradient():
    w = tinyrnn.zeros(3, requires_grad=True)
    w.grad = tinyrnn.ones(3)
    optimizer = SGD([w], lr=1, momentum=0.5)
    optimizer.step()
    w.grad.zero_()
    optimizer.step()
    assert w.tolist() == [-1.5] * 3
    assert w.grad.tolist() == [0] * 3


def test_without_momentum_nothing_is_remembered():
    w = tinyrnn.zeros(3, requires_grad=True)
    w.grad = tinyrnn.ones(3)
    optimizer = SGD([w], lr=1)
    optimizer.step()
    assert optimizer.state_dict()["state"] == {}
    optimizer.param_groups[0]["momentum"] = 0.5  # from now on
    optimizer.step()
    assert optimizer.state[w]["momentum_buffer"].tolist() == [1] * 3


@pytest.mark.parametrize(
    ("settings", "exception", "message"),
    [
        ({"lr": -0.1}, ValueError, "SGD: lr is -0.1, expected 0.0 <= lr"),
        ({"lr": float("nan")}, ValueError, "SGD: lr is nan, expected 0.0 <= lr"),
        ({"lr": "0.1"}, TypeError, "SGD: lr is '0.1', expected a number"),
        ({"momentum": -1}, ValueError, "SGD: momentum is -1, expected 0.0 <= momentum"),
        ({"weight_decay": -1}, ValueError, "SGD: weight_decay is -1, expected 0.0 <= weight_decay"),
        ({"dampening": None}, TypeError, "SGD: dampening is None, expected a number"),
        ({"nesterov": True}, ValueError, "SGD: nesterov with momentum 0 and dampening 0, expected a momentum above 0"),
        (
            {"nesterov": True, "momentum": 0.9, "dampening": 0.1},
            ValueError,
            "SGD: nesterov with momentum 0.9 and dampen",
        ),
        ({"differentiable": True}, NotImplementedError, "SGD: differentiable=True is not supported"),
    ],
)
def test_bad_settings_are_refused(settings, exception, message):
    with pytest.raises(exception, match=re.escape(message)):
        SGD([tinyrnn.zeros(2, requires_grad=True)], **settings)
