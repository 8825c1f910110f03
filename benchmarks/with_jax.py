"""The same layers and training steps in JAX, compiled whole: lax.scan over time, value_and_grad, jit.

The weights are those that tinyrnn draws, in torch's layout: JAX has other random numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from itertools import cycle
from typing import Any

import numpy as np

import training
from work import Work

Weights = dict[str, Any]
NAMES = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")


@cache
def libraries() -> tuple[Any, Any]:
    """jax and jax.numpy, with float64: imported in the process that works with them."""
    import jax

    jax.config.update("jax_enable_x64", True)
    return jax, jax.numpy


def drawn() -> Any:
    """tinyrnn, for its random numbers."""
    import tinyrnn

    return tinyrnn


def scan(kind: str, weights: Weights, x: Any, state: Any) -> tuple[Any, Any]:
    """y (T, N, H) and the last state of a layer over x (T, N, I); the state of an LSTM is (h, c)."""
    jax, jnp = libraries()
    w_ih, w_hh, b_ih, b_hh = (weights[name] for name in NAMES)

    def rnn(h: Any, a: Any) -> Any:
        return jnp.tanh(a + h @ w_hh.T + b_hh)

    def gru(h: Any, a: Any) -> Any:
        (r, z, n), (hr, hz, hn) = jnp.split(a, 3, -1), jnp.split(h @ w_hh.T + b_hh, 3, -1)
        z, r = jax.nn.sigmoid(z + hz), jax.nn.sigmoid(r + hr)
        return (1 - z) * jnp.tanh(n + r * hn) + z * h

    def lstm(state: Any, a: Any) -> Any:
        h, c = state
        i, f, g, o = jnp.split(a + h @ w_hh.T + b_hh, 4, -1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        return jax.nn.sigmoid(o) * jnp.tanh(c), c

    def one(state: Any, a: Any) -> tuple[Any, Any]:
        new = {"RNN": rnn, "GRU": gru, "LSTM": lstm}[kind](state, a)
        return new, new[0] if kind == "LSTM" else new

    last, y = jax.lax.scan(one, state, x @ w_ih.T + b_ih)
    return y, last


def taken(module: Any) -> Weights:
    """The weights of a module of tinyrnn."""
    _, jnp = libraries()
    return {name: jnp.asarray(p.detach().numpy()) for name, p in module.named_parameters()}


def layer(lib: Any, dtype: str, kind: str, T: int, N: int, I: int, H: int) -> Work:
    """`parts.layer`: the output, and the gradients of the weights."""
    (jax, jnp), tinyrnn = libraries(), drawn()
    dt = getattr(tinyrnn, dtype)
    tinyrnn.manual_seed(0)
    weights = taken(getattr(tinyrnn.nn, kind)(I, H, dtype=dt))
    x, g = (jnp.asarray(tinyrnn.randn(T, N, size, dtype=dt).numpy()) for size in (I, H))
    zeros = jnp.zeros((N, H), dtype)
    state = (zeros, zeros) if kind == "LSTM" else zeros

    @jax.jit
    def both(weights: Weights, x: Any, g: Any) -> tuple[Any, Weights]:
        y, back = jax.vjp(lambda weights: scan(kind, weights, x, state)[0], weights)
        return y, back(g)[0]

    gradients: Weights = {}

    def step() -> Any:
        y, found = jax.block_until_ready(both(weights, x, g))
        gradients.update(found)
        return y

    return Work(step, lambda: [gradients[name] for name in NAMES])


def trained(dtype: str, rnn: Any, linear: Any, data: list, loss: Callable, update: Callable, fixed: str = "") -> Work:
    """Steps of rnn and linear on the data in turns; loss(scores, y), and update(weights, gradients, memory)."""
    jax, jnp = libraries()
    weights = {"rnn": taken(rnn), "linear": taken(linear)}
    memory = (0, *(jax.tree.map(jnp.zeros_like, weights) for _ in range(2)))
    turn = cycle(jax.tree.map(jnp.asarray, data))
    state, gradients = jnp.zeros((1, rnn.hidden_size), dtype), {}

    @jax.jit
    def whole(weights: Weights, memory: Any, state: Any, x: Any, y: Any) -> Any:
        def forward(weights: Weights) -> tuple[Any, Any]:
            out, last = scan("RNN", weights["rnn"], x, state)
            return loss(out @ weights["linear"]["weight"].T + weights["linear"]["bias"], y), last

        (value, last), gradients = jax.value_and_grad(forward, has_aux=True)(weights)
        if fixed:
            gradients["rnn"][fixed] = jnp.zeros_like(gradients["rnn"][fixed])
        return value, last, gradients, *update(weights, gradients, memory)

    def step() -> Any:
        nonlocal weights, memory, state, gradients
        value, state, gradients, weights, memory = jax.block_until_ready(whole(weights, memory, state, *next(turn)))
        return value

    def arrays() -> list[Any]:
        kept = [gradients["rnn"][name] for name in NAMES if name != fixed]
        return [*kept, gradients["linear"]["weight"], gradients["linear"]["bias"]]

    return Work(step, arrays)


def sgd(weights: Any, gradients: Any, memory: Any, limit: float = np.inf) -> tuple[Any, Any]:
    """w - 0.01 g, each element of g held within +-limit."""
    jax, jnp = libraries()
    return jax.tree.map(lambda w, g: w - 0.01 * jnp.clip(g, -limit, limit), weights, gradients), memory


def adam(weights: Any, gradients: Any, memory: Any) -> tuple[Any, Any]:
    """Adam with a rate of 0.01 and its usual constants."""
    jax, jnp = libraries()
    k, mean, square = memory[0] + 1, *memory[1:]
    mean = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, mean, gradients)
    square = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, square, gradients)
    rate, correction = 0.01 / (1 - 0.9**k), jnp.sqrt(1 - 0.999**k)

    def one(w: Any, m: Any, v: Any) -> Any:
        return (w - rate * m / (jnp.sqrt(v) / correction + 1e-8)).astype(w.dtype)

    return jax.tree.map(one, weights, mean, square), (k, mean, square)


def squares(scores: Any, y: Any) -> Any:
    """The mean squared error."""
    return ((scores - y) ** 2).mean()


def sine(lib: Any, dtype: str) -> Work:
    """`training.sine`."""
    rnn, linear, data = training.sine_parts(drawn(), dtype)
    return trained(dtype, rnn, linear, [columns(pair) for pair in data], squares, adam)


def sin_to_cos(lib: Any, dtype: str) -> Work:
    """`training.sin_to_cos`."""
    rnn, linear, data = training.sin_to_cos_parts(drawn(), dtype)
    return trained(dtype, rnn, linear, [columns(pair) for pair in data], squares, sgd)


def columns(pair: Any) -> list[Any]:
    """What has its batch of one first, (1, T, I), as (T, 1, I)."""
    return [part.detach().numpy().swapaxes(0, 1) for part in pair]


def names(lib: Any, dtype: str) -> Work:
    """`training.names`."""
    jax, jnp = libraries()
    rnn, linear, one_hot = training.names_parts(drawn(), dtype)
    coded = [training.encode(name) for name in training.NAMES]
    data = [(one_hot.numpy()[x][:, None], np.array(y)) for x, y in coded]

    def loss(scores: Any, y: Any) -> Any:
        return -jax.nn.log_softmax(scores[:, 0])[jnp.arange(len(y)), y].sum()

    return trained(dtype, rnn, linear, data, loss, partial(sgd, limit=5), fixed="bias_hh_l0")
