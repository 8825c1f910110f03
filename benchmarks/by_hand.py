"""Two well-known programs in plain NumPy with their backward pass written by hand, step by step as they are taught.

What they compute is `training.names` and `training.binary_addition`, from the same weights and on the same data.
"""

from __future__ import annotations

import copy
from itertools import cycle
from typing import Any

import numpy as np

from training import NAMES, encode
from work import Work

Array = np.ndarray


def names(lib: Any, dtype: str) -> Work:
    """A tanh RNN of 50 units over columns, x (27, 1), h (50, 1); the gradients grow step by step, from the last."""
    random = np.random.RandomState(1)
    weights = {
        name: 0.01 * random.randn(*shape) for name, shape in {"W": (50, 27), "U": (50, 50), "V": (27, 50)}.items()
    }
    weights |= {"b": np.zeros((50, 1)), "c": np.zeros((27, 1))}
    weights = {name: weight.astype(dtype) for name, weight in weights.items()}
    gradients: dict[str, Array] = {}
    spelled, state = cycle(map(encode, NAMES)), np.zeros((50, 1), dtype)

    def forward(x: list[int], y: list[int]) -> tuple[float, dict, dict, dict]:
        inputs, states, chances, loss = {}, {-1: np.copy(state)}, {}, 0.0
        for t, letter in enumerate(x):
            inputs[t] = np.zeros((27, 1), dtype)
            if letter >= 0:
                inputs[t][letter] = 1
            states[t] = np.tanh(np.dot(weights["W"], inputs[t]) + np.dot(weights["U"], states[t - 1]) + weights["b"])
            z = np.dot(weights["V"], states[t]) + weights["c"]
            e = np.exp(z - np.max(z))
            chances[t] = e / e.sum(axis=0)
            loss -= np.log(chances[t][y[t], 0])
        return loss, inputs, states, chances

    def backward(y: list[int], inputs: dict, states: dict, chances: dict) -> None:
        for name, weight in weights.items():
            gradients[name] = np.zeros_like(weight)
        from_later = np.zeros_like(states[0])
        for t in reversed(range(len(y))):
            dz = np.copy(chances[t])
            dz[y[t]] -= 1
            gradients["V"] += np.dot(dz, states[t].T)
            gradients["c"] += dz
            da = (1 - states[t] * states[t]) * (np.dot(weights["V"].T, dz) + from_later)
            gradients["b"] += da
            gradients["W"] += np.dot(da, inputs[t].T)
            gradients["U"] += np.dot(da, states[t - 1].T)
            from_later = np.dot(weights["U"].T, da)

    def step() -> float:
        nonlocal state
        x, y = next(spelled)
        loss, *kept = forward(x, y)
        backward(y, *kept)
        for name, gradient in gradients.items():
            np.clip(gradient, -5, 5, out=gradient)
            weights[name] += -0.01 * gradient
        state = kept[1][len(x) - 1]
        return loss

    return Work(step, lambda: [gradients[name] for name in "WUbVc"])  # in the order of tinyrnn's parameters


def binary_addition(lib: Any, dtype: str) -> Work:
    """A sigmoid RNN of 16 units over rows, x (1, 2), h (1, 16); what it says of every bit is read off as it goes."""
    random = np.random.RandomState(0)
    W, V, U = (2 * random.random_sample(shape).astype(dtype) - 1 for shape in ((2, 16), (16, 1), (16, 16)))
    bits = np.arange(256)[:, None] >> np.arange(8) & 1  # lowest first
    gradients: list[Array] = []

    def sigmoid(a: Array) -> Array:
        return 1 / (1 + np.exp(-a))

    def step() -> Any:
        a, b = random.randint(128), random.randint(128)
        target, said = bits[a + b], np.zeros(8)
        states, errors, loss = [np.zeros((1, 16), dtype)], [], 0.0
        for t in range(8):
            x = np.array([[bits[a][t], bits[b][t]]])
            h = sigmoid(np.dot(x, W) + np.dot(states[-1], U))
            y = sigmoid(np.dot(h, V))
            error = np.array([[target[t]]]) - y
            errors.append(error * (y * (1 - y)))
            loss += error[0] ** 2 / 2
            said[t] = np.round(y[0][0])
            states.append(copy.deepcopy(h))
        dW, dV, dU = np.zeros_like(W), np.zeros_like(V), np.zeros_like(U)
        later = np.zeros(16, dtype)
        for t in reversed(range(8)):
            x, h = np.array([[bits[a][t], bits[b][t]]]), states[t + 1]
            delta = (later.dot(U.T) + errors[t].dot(V.T)) * (h * (1 - h))
            dV += np.atleast_2d(h).T.dot(errors[t])
            dU += np.atleast_2d(states[t]).T.dot(delta)
            dW += x.T.dot(delta)
            later = delta
        for weight, uphill in ((W, dW), (V, dV), (U, dU)):  # errors are target - y: minus the gradient
            weight += 0.1 * uphill
        gradients[:] = [-dW.T, -dV.T, -dU.T]
        return loss

    return Work(step, lambda: gradients)
