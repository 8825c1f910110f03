"""Real-time recurrent learning against the layers' own backward pass, and its rules of calculus one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinyrnn
from textbook import error
from tinyrnn import nn
from tinyrnn.autograd import backward
from tinyrnn.bptt.rtrl import NONLINEARITIES, Dual, rtrl, sigmoid, tanh

T, N, I, H = 4, 3, 2, 3


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        *[("RNN", {"nonlinearity": f}) for f in NONLINEARITIES],
        ("RNN", {"num_layers": 2, "bidirectional": True, "bias": False}),
        ("LSTM", {"num_layers": 2, "bidirectional": True}),
        ("LSTM", {"proj_size": 2, "bias": False}),
        ("GRU", {"num_layers": 2, "bidirectional": True}),
    ],
    ids=str,
)
def test_it_is_the_backward_pass(kind: str, options: dict[str, Any]) -> None:
    layer = getattr(nn, kind)(I, H, **options, dtype=tinyrnn.float64)
    rows = layer.num_layers * len(layer._directions())
    x = tinyrnn.randn(T, N, I, dtype=tinyrnn.float64, requires_grad=True)
    states = [tinyrnn.randn(rows, N, n, dtype=tinyrnn.float64, requires_grad=True) for n in layer._state_sizes()]
    y, last = layer(x, states[0] if len(states) == 1 else states)
    outputs = [y, *last] if isinstance(last, tuple) else [y, last]
    rng = np.random.default_rng(0)
    vs = [rng.standard_normal(out.shape) for out in outputs]
    backward(outputs, [tinyrnn.tensor(v) for v in vs])
    found, gradients = rtrl(layer, x.array, [h.array for h in states], vs)
    for a, out in zip(found, outputs, strict=True):
        assert error(a, out.array) < 1e-13
    leaves = {"x": x, **dict(zip(layer.state_names, states, strict=True)), **dict(layer.named_parameters())}
    assert set(gradients) == set(leaves)
    for name, leaf in leaves.items():
        assert error(gradients[name], leaf.grad.array) < 1e-12


def test_the_rules_of_calculus() -> None:
    rng = np.random.default_rng(0)
    x, d = rng.standard_normal((2, 3)), rng.standard_normal((2, 3, 1))
    W, e = rng.standard_normal((4, 3)), rng.standard_normal((4, 3, 1))
    for rule in (
        lambda a, b: a + a * a,
        lambda a, b: a.times(b),
        lambda a, b: tanh(a),
        lambda a, b: sigmoid(a),
        lambda a, b: a.parts(3)[1],
    ):
        found, h = rule(Dual(x, d), Dual(W, e)), 1e-6
        up, down = (rule(Dual(x + s * d[..., 0], d), Dual(W + s * e[..., 0], e)).z for s in (h, -h))
        assert error(found.d[..., 0], (up - down) / (2 * h)) < 1e-8


def test_the_closed_form_of_a_linear_step() -> None:
    """h_t = w h_{t-1}: dh_3/dw = 3 w^2 h_0."""
    layer = nn.RNN(1, 1, nonlinearity="identity", bias=False, dtype=tinyrnn.float64)
    nn.init.constant_(layer.weight_hh_l0, 0.7)
    nn.init.zeros_(layer.weight_ih_l0)
    vs = [np.zeros((3, 1, 1)), np.ones((1, 1, 1))]
    _, gradients = rtrl(layer, np.zeros((3, 1, 1)), [np.full((1, 1, 1), 2.0)], vs)
    assert gradients["weight_hh_l0"].item() == pytest.approx(3 * 0.7**2 * 2.0, rel=1e-15)
    assert gradients["h_0"].item() == pytest.approx(0.7**3, rel=1e-15)
