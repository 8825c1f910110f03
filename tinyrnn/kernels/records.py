"""What the loops of reference.py record: the values of a forward pass, the gradients of a backward pass, by step.

Every recorded value is (T, N, .). Entry t belongs to step t of x, with `reverse` as well. The gradients are
(T, ..., N, .), with the axes that dy has between T and N.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Factors = dict[str, tuple[Array, Array | None]]  # by weight: d and v of `share`


@dataclass(frozen=True)
class Forward:
    """The arguments of a forward pass, and for each step the state before it, a_t, the gates and h_t = y_t."""

    x: Array
    weights: dict[str, Array]  # by the names of the arguments, without those that are None
    reverse: bool
    h_before: Array  # the state in which step t starts: h_{t-1}, or with `reverse` h_{t+1}
    a: Array  # the pre-activation
    h: Array
    h_n: Array  # the state after the last step visited
    gates: dict[str, Array]  # by their letters; an RNN has none


@dataclass(frozen=True)
class RNNForward(Forward):
    """Of an RNN, also the slope f'(a_t)."""

    slope: Array


@dataclass(frozen=True)
class LSTMForward(Forward):
    """Of an LSTM, also c before and after each step, and m_t, which is h_t where there is no projection."""

    c_before: Array
    c: Array
    c_n: Array
    m: Array


@dataclass(frozen=True)
class GRUForward(Forward):
    """Of a GRU, also u: here a_t = W_ih x_t + b_ih alone, and u_t = W_hh h_{t-1} + b_hh."""

    u: Array


@dataclass(frozen=True)
class Backward:
    """The gradient of the loss with respect to each recorded value, x, the initial state and the weights."""

    direct: Array  # the part of dL/dh_t that comes through y_t
    later: Array  # the part that comes through the next step visited, and for the last one through h_n
    dh: Array  # dL/dh_t, the sum of both
    da: Array
    dgates: dict[str, Array]  # with respect to the value of each gate, after its sigmoid or tanh
    dx: Array
    dh0: Array
    factors: Factors
    dweights: dict[str, Array]  # by the names of the arguments, without those that are None

    def shares(self, name: str) -> Array:
        """The share of each step in the gradient of a weight, (T, ..., *its shape). The gradient is their sum."""
        return np.stack([share(*self.factors[name], t) for t in range(len(self.dh))])


@dataclass(frozen=True)
class LSTMBackward(Backward):
    """Of an LSTM, also dc = dL/dc_t, the sum of the part through h_t and the part through the next step, or c_n."""

    dc_direct: Array
    dc_later: Array
    dc: Array
    dc0: Array


@dataclass(frozen=True)
class GRUBackward(Backward):
    """Of a GRU, also the gradient of u."""

    du: Array


def share(d: Array, v: Array | None, t: int) -> Array:
    """d_t^T v_t, the share of step t in dW where a_t = W v_t and d_t = dL/da_t; the sum of d_t where W is a bias."""
    return np.asarray(d[t].sum(-2) if v is None else d[t].mT @ v[t])


def factors_of(run: Forward, da: Array, du: Array) -> Factors:
    """d and v of `share` for each weight of a_t = W_ih x_t + b_ih and u_t = W_hh h_{t-1} + b_hh."""
    every: Factors = {"w_ih": (da, run.x), "w_hh": (du, run.h_before), "b_ih": (da, None), "b_hh": (du, None)}
    return {name: factors for name, factors in every.items() if name in run.weights}


def sum_of_shares(factors: Factors) -> dict[str, Array]:
    """The gradient of each weight, the sum of its shares over all steps."""
    return {name: np.asarray(sum(share(d, v, t) for t in range(len(d)))) for name, (d, v) in factors.items()}


def checked(
    cell: str, G: int, x: Array, states: dict[str, Array], weights: dict[str, Array | None]
) -> dict[str, Array]:
    """The weights that are not None, if all shapes fit; G blocks of H rows in w_ih, w_hh and the biases."""
    given = {name: array for name, array in weights.items() if array is not None}
    every = {"x": x, **states, **given}
    for name, array in every.items():
        if not isinstance(array, np.ndarray):
            raise TypeError(f"{cell}: {name} is a {type(array).__name__}, expected a NumPy array")
    if x.ndim != 3 or len(x) == 0:
        raise ValueError(f"{cell}: x has shape {x.shape}, expected (T, N, I) with T >= 1; one sequence is x[:, None]")
    for name, array in states.items():
        if array.ndim != 2 or len(array) != x.shape[1]:
            raise ValueError(f"{cell}: {name} has shape {array.shape}, expected ({x.shape[1]}, .): x is {x.shape}")
    (_, N, I), H = x.shape, [*states.values()][-1].shape[1]
    P = len(given["w_hr"]) if "w_hr" in given else H
    shapes = {"x": x.shape, "h0": (N, P), "c0": (N, H), "w_ih": (G * H, I), "w_hh": (G * H, P), "w_hr": (P, H)}
    for name, array in every.items():
        if array.shape != shapes.get(name, (G * H,)):
            expected, known = shapes.get(name, (G * H,)), {key: a.shape for key, a in {"x": x, **states}.items()}
            raise ValueError(f"{cell}: {name} has shape {array.shape}, expected {expected} for the shapes {known}")
    if ("b_ih" in given) != ("b_hh" in given):
        raise ValueError(f"{cell}: one of b_ih and b_hh is None, expected both or neither: give zeros for it")
    return given


def cotangent(cell: str, run: Forward, name: str, given: Array | None, values: Array, dy: Array) -> Array:
    """The gradient of a last state, zeros if it is None, if it and dy fit; `values` is h or c."""
    if not isinstance(dy, np.ndarray) or dy.ndim < 3 or (len(dy), *dy.shape[-2:]) != run.h.shape:
        got = dy.shape if isinstance(dy, np.ndarray) else f"no shape, a {type(dy).__name__}"
        raise ValueError(f"{cell}: dy has shape {got}, expected that of y, {run.h.shape}, or with axes after the first")
    shape = *dy.shape[1:-2], *values.shape[1:]
    if given is None:
        return np.zeros(shape, np.result_type(dy, values))
    if given.shape != shape:
        raise ValueError(f"{cell}: {name} has shape {given.shape}, expected {shape}: dy is {dy.shape}")
    return np.array(given, np.result_type(dy, values, given))
