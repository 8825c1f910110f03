"""Real-time recurrent learning: the gradient through time without a way back, carried along from step to step.

Beside every number z goes its tangent dz/dtheta, for all parameters theta at once. The rules of calculus are those of
the class Dual below, and of a recurrence h_t = f(a_t), a_t = W x_t + U h_{t-1} + b they make

    dh_t/dtheta = f'(a_t) (dW/dtheta x_t + dU/dtheta h_{t-1} + db/dtheta + U dh_{t-1}/dtheta)

which is Williams and Zipser's, and holds for the gates of LSTM and GRU alike. It needs no memory of the past, and the
size of the state times that of theta instead: exact, slow, and independent of every backward pass.
Source: Williams and Zipser, A learning algorithm for continually running fully recurrent neural networks, 1989.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinyrnn.autograd.graph import Array
from tinyrnn.nn.modules import RNNBase


class Dual:
    """A number z (...) and its tangent dz/dtheta (..., P)."""

    def __init__(self, z: Array, d: Array) -> None:
        self.z, self.d = z, d

    def __add__(self, other: Dual) -> Dual:
        return Dual(self.z + other.z, self.d + other.d)

    def __mul__(self, other: Dual) -> Dual:
        return Dual(self.z * other.z, self.d * other.z[..., None] + self.z[..., None] * other.d)

    def times(self, W: Dual) -> Dual:
        """z W^T: (N, I), (H, I) -> (N, H)."""
        d = np.einsum("nip,hi->nhp", self.d, W.z) + np.einsum("ni,hip->nhp", self.z, W.d)
        return Dual(self.z @ W.z.T, d)

    def through(self, f: Callable[[Array], Array], slope: Callable[[Array], Array]) -> Dual:
        """f(z), where slope takes f(z)."""
        y = f(self.z)
        return Dual(y, slope(y)[..., None] * self.d)

    def parts(self, n: int) -> list[Dual]:
        """The last axis in n equal parts."""
        pairs = zip(np.split(self.z, n, -1), np.split(self.d, n, -2), strict=True)
        return [Dual(z, d) for z, d in pairs]


def tanh(a: Dual) -> Dual:
    """tanh, whose slope is 1 - y^2."""
    return a.through(np.tanh, lambda y: 1 - y * y)


def sigmoid(a: Dual) -> Dual:
    """s = 1 / (1 + e^-a), whose slope is s (1 - s)."""
    return a.through(lambda z: 1 / (1 + np.exp(-z)), lambda s: s * (1 - s))


NONLINEARITIES: dict[str, Callable[[Dual], Dual]] = {
    "tanh": tanh,
    "sigmoid": sigmoid,
    "relu": lambda a: a.through(lambda z: np.maximum(z, 0), lambda y: (y > 0).astype(y.dtype)),
    "identity": lambda a: a,
}


def step(layer: RNNBase, x: Dual, state: list[Dual], weights: dict[str, Dual]) -> list[Dual]:
    """The next state, by the equations in the docstrings of RNN, LSTM and GRU."""
    h = state[0]
    a, u = x.times(weights["weight_ih"]), h.times(weights["weight_hh"])
    if "bias_ih" in weights:
        a, u = a + weights["bias_ih"], u + weights["bias_hh"]
    kind = layer.mode[:3]
    if kind == "LST":
        i, f, g, o = (a + u).parts(4)
        c = sigmoid(f) * state[1] + sigmoid(i) * tanh(g)
        h = sigmoid(o) * tanh(c)
        return [h.times(weights["weight_hr"]) if "weight_hr" in weights else h, c]
    if kind == "GRU":
        (a_r, a_z, a_n), (u_r, u_z, u_n) = a.parts(3), u.parts(3)
        z, n = sigmoid(a_z + u_z), tanh(a_n + sigmoid(a_r + u_r) * u_n)
        return [n + z * (h + Dual(-n.z, -n.d))]
    return [NONLINEARITIES[layer.nonlinearity](a + u)]


def rtrl(
    layer: RNNBase, x: Array, states: list[Array], cotangents: list[Array]
) -> tuple[list[Array], dict[str, Array]]:
    """(outputs, gradients) of a layer without batch_first: y and the last states, and dL for L = sum <v, output>.

    x (T, N, I), states as h_0 (and c_0) of the layer, cotangents of y and of each last state. The gradients are called
    "x", "h_0", "c_0" and by the names of the parameters.
    """
    own = {name: p.detach().array for name, p in layer.named_parameters()}
    values = {"x": x, **dict(zip(layer.state_names, states, strict=True)), **own}
    sizes = {name: value.size for name, value in values.items()}
    P, start, duals = sum(sizes.values()), 0, {}
    for name, value in values.items():
        d = np.zeros((value.size, P), value.dtype)
        d[:, start : start + value.size] = np.eye(value.size)
        start += value.size
        duals[name] = Dual(value, d.reshape(*value.shape, P))

    def part(name: str, *index: Any) -> Dual:
        return Dual(duals[name].z[index], duals[name].d[index])

    T, row, lasts = len(x), 0, []
    xs = [part("x", t) for t in range(T)]
    for k in range(layer.num_layers):
        ways: list[list[Dual]] = []
        for end in layer._directions():
            names = (name for name in layer.weight_names if f"{name}_l{k}{end}" in duals)
            weights = {name: duals[f"{name}_l{k}{end}"] for name in names}
            state = [part(name, row) for name in layer.state_names]
            ys: list[Dual] = [xs[0]] * T
            for t in range(T)[:: -1 if end else 1]:
                state = step(layer, xs[t], state, weights)
                ys[t] = state[0]
            ways.append(ys)
            lasts.append(state)
            row += 1
        xs = [
            Dual(np.concatenate([y.z for y in pair], -1), np.concatenate([y.d for y in pair], -2))
            for pair in zip(*ways, strict=True)
        ]
    stacks = [xs, *zip(*lasts, strict=True)]
    outputs = [Dual(np.stack([h.z for h in hs]), np.stack([h.d for h in hs])) for hs in stacks]
    total = sum(np.tensordot(v, out.d, v.ndim) for v, out in zip(cotangents, outputs, strict=True))
    ends = np.cumsum([*sizes.values()])[:-1]
    parts = np.split(np.asarray(total), ends)
    gradients = {name: g.reshape(values[name].shape) for name, g in zip(values, parts, strict=True)}
    return [out.z for out in outputs], gradients
