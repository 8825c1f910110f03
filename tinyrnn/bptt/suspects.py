"""Backward passes with a known fault each: what a gradient comes out as if something is forgotten or mixed up.

check_bptt compares a wrong gradient with each of these: the one that it equals names the fault. A fault is a sentence.
The forward passes are those of kernels/reference.py. The loops below are its backward loops, with `wrong == ...` in the
one line where a fault is planted. With wrong = "" they equal the reference.
All arrays are those of check.py: x (T, N, I), states (N, H), weights as torch's, dy (T, N, H).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np

from tinyrnn.kernels.records import Array, Forward, factors_of, share
from tinyrnn.kernels.reference import NONLINEARITIES, gru_forward, lstm_forward, rnn_forward

Arrays = dict[str, Array]

NOT_CARRIED = "the recurrent gradient is not carried: dh of step t is left out at step t-1"
ONLY_LAST_DY = "only the last step's dy is used: each step's output adds its own dy to dh"
ONLY_LAST_STEP = "only the last step is counted in the weights' gradients: they are sums over all t"
FIRST_STEP_LEFT_OUT = "the first step is left out of the weights' gradients: the loop must reach t = 1"
OVERWRITTEN = "each step's share replaces the last one in the weights' gradients: add it, they are sums over all t"
H_FOR_H_BEFORE = "dW_hh uses h_t for h_{t-1}: W_hh met the state before the step"
NOT_TRANSPOSED = "W_hh is not transposed on the way back: dh_{t-1} = W_hh^T da_t"
FORWARD_IN_TIME = "the loop runs forward in time: the last step comes first on the way back"
NO_SLOPE = "the nonlinearity's derivative is missing: da_t = f'(a_t) dh_t"
SLOPE_OF_A = (
    "the nonlinearity's derivative is taken at a_t where it is written in h_t: tanh' = 1 - h_t^2, not 1 - a_t^2"
)
SLOPE_NOT_CARRIED = (
    "the nonlinearity's derivative is missing in what is carried: dh_{t-1} = W_hh^T da_t, not W_hh^T dh_t"
)
SLOPE_BEFORE = "the nonlinearity's derivative is taken at h_{t-1}: that of step t is 1 - h_t^2"
BEFORE_H0 = "dh_0 stops a step short: it is W_hh^T da_1 (and the direct path, if there is one), not dh_1"

COMMON = (
    NOT_CARRIED,
    ONLY_LAST_DY,
    ONLY_LAST_STEP,
    FIRST_STEP_LEFT_OUT,
    OVERWRITTEN,
    H_FOR_H_BEFORE,
    FORWARD_IN_TIME,
    BEFORE_H0,
)
ONE_BY_ONE = (ONLY_LAST_STEP, FIRST_STEP_LEFT_OUT, OVERWRITTEN, H_FOR_H_BEFORE)  # each weight may have it by itself


def _lacks(gate: str, slope: str) -> str:
    return f"gate {gate}: its derivative lacks {slope}"


Run = TypeVar("Run", bound=Forward)


def _forward(run: Callable[..., Run], p: Arrays, *options: str) -> Run:
    """The forward pass of the reference, where one bias b stands for b_ih, and b_hh = 0."""
    states = [p[name] for name in ("x", "h0", "c0") if name in p]
    biases = (p["b"], np.zeros_like(p["b"])) if "b" in p else (p["b_ih"], p["b_hh"])
    return run(*states, p["w_ih"], p["w_hh"], *biases, *options)


class _Way:
    """What all models share on the way back, and the ways to get it wrong."""

    def __init__(self, run: Forward, dy: Array, wrong: str) -> None:
        self.run, self.dy, self.wrong, self.T = run, dy, wrong, len(dy)
        self.steps = range(self.T)[:: 1 if wrong == FORWARD_IN_TIME else -1]
        w_hh = run.weights["w_hh"]
        self.w_hh = w_hh.T if wrong == NOT_TRANSPOSED else w_hh

    def into_h(self, dh: Array, t: int) -> Array:
        """dh_t: what came from step t+1, and dL/dy_t."""
        if self.wrong == ONLY_LAST_DY and t < self.T - 1:
            return dh
        return np.asarray(self.dy[t] if self.wrong == NOT_CARRIED else self.dy[t] + dh)

    def gradients(self, p: Arrays, da: Array, du: Array, dh_1: Array, dh_0: Array, dc_0: Array | None = None) -> Arrays:
        """The gradients of p, in its order; those of the weights are sums of the shares of all steps."""
        chosen = {ONLY_LAST_STEP: [self.T - 1], FIRST_STEP_LEFT_OUT: range(1, self.T), OVERWRITTEN: [0]}
        g = {"x": da @ p["w_ih"], "h0": dh_1 if self.wrong == BEFORE_H0 else dh_0}
        for name, (d, v) in factors_of(self.run, da, du).items():
            at = self.run.h if name == "w_hh" and self.wrong == H_FOR_H_BEFORE else v
            shares = [share(d, at, t) for t in chosen.get(self.wrong, range(self.T))]
            g[name] = np.sum(shares, 0) if shares else np.zeros_like(self.run.weights[name])
        g["b"] = g["b_ih"]
        return {name: dc_0 if name == "c0" and dc_0 is not None else g[name] for name in p}


def rnn(p: Arrays, dy: Array, wrong: str = "", f: str = "tanh") -> tuple[Array, Arrays]:
    """(y, gradients) of h_t = f(W_ih x_t + b + W_hh h_{t-1}), f: tanh, relu, sigmoid or identity."""
    run = _forward(rnn_forward, p, f)
    way, dh, da = _Way(run, dy, wrong), np.zeros_like(p["h0"]), np.empty_like(run.a)
    slope = NONLINEARITIES[f][1]({SLOPE_OF_A: run.a, SLOPE_BEFORE: run.h_before}.get(wrong, run.h))
    for t in way.steps:
        dh_t = way.into_h(dh, t)
        da[t] = dh_t if wrong == NO_SLOPE else dh_t * slope[t]
        dh = (dh_t if wrong == SLOPE_NOT_CARRIED else da[t]) @ way.w_hh
    return run.h, way.gradients(p, da, da, dh_t, dh)


DC_NOT_CARRIED = "dc is not carried: dc_{t-1} = f_t dc_t is left out at step t-1"
DC_WITHOUT_F = "dc is carried without f_t: dc_{t-1} = f_t dc_t"
DH_NOT_INTO_DC = "the path from h_t to c_t is missing: dc_t gets dh_t o_t (1 - tanh^2 c_t) as well"
NO_TANH_C = "tanh's derivative is missing between h_t and c_t: dc_t gets dh_t o_t (1 - tanh^2 c_t), not dh_t o_t"
C_FOR_TANH_C = "tanh's derivative between h_t and c_t is taken in c_t: it is 1 - tanh^2 c_t, not 1 - c_t^2"
C_FOR_C_BEFORE = "gate f: its derivative uses c_t for c_{t-1}"
I_AND_G = "gates i and g: each has to be multiplied by the other, da_i by g_t and da_g by i_t"


def lstm(p: Arrays, dy: Array, wrong: str = "") -> tuple[Array, Arrays]:
    """(y, gradients) of the LSTM of torch.nn.LSTM, with one bias b; gates i, f, g, o."""
    run = _forward(lstm_forward, p)
    way, dh, dc, da = _Way(run, dy, wrong), np.zeros_like(p["h0"]), np.zeros_like(p["c0"]), np.empty_like(run.a)
    for t in way.steps:
        i, f, g, o = (gate[t] for gate in run.gates.values())
        c, tanh_c = run.c[t], np.tanh(run.c[t])
        dh_t = way.into_h(dh, t)
        dc = np.zeros_like(dc) if wrong == DC_NOT_CARRIED else dc
        if wrong != DH_NOT_INTO_DC:
            dc = dc + dh_t * o * (1 if wrong == NO_TANH_C else 1 - (c if wrong == C_FOR_TANH_C else tanh_c) ** 2)
        into = [dc * (i if wrong == I_AND_G else g), dc * (c if wrong == C_FOR_C_BEFORE else run.c_before[t])]
        into += [dc * (g if wrong == I_AND_G else i), dh_t * tanh_c]
        slopes = [i * (1 - i), f * (1 - f), 1 - g * g, o * (1 - o)]
        lacking = [wrong == sentence for sentence in LSTM_SLOPES]
        da[t] = np.concatenate([d if no else d * s for d, s, no in zip(into, slopes, lacking, strict=True)], 1)
        dh = da[t] @ way.w_hh
        dc = dc if wrong == DC_WITHOUT_F else dc * f
    return run.h, way.gradients(p, da, da, dh_t, dh, dc)


LSTM_SLOPES = (_lacks("i", "sigma'"), _lacks("f", "sigma'"), _lacks("g", "tanh'"), _lacks("o", "sigma'"))

Z_EXCHANGED = "z and 1 - z are exchanged on the way back: dn = dh (1 - z), and z dh goes straight to h_{t-1}"
NO_DIRECT_PATH = "the direct path is missing: z_t dh_t goes straight from h_t to h_{t-1}"
R_NOT_IN_U = "r_t is missing in W_hn's share: du_n = r_t da_n, since r_t multiplies W_hn h_{t-1} + b_hn"
NOTHING_THROUGH_R = "the path through r_t is missing: da_r = da_n (W_hn h_{t-1} + b_hn) r_t (1 - r_t)"
NO_H_IN_Z = "gate z: its derivative uses -n_t for h_{t-1} - n_t"


def gru(p: Arrays, dy: Array, wrong: str = "") -> tuple[Array, Arrays]:
    """(y, gradients) of the GRU of torch.nn.GRU, reset after the product; gates r, z, n."""
    run = _forward(gru_forward, p)
    way, dh, u_n = _Way(run, dy, wrong), np.zeros_like(p["h0"]), np.split(run.u, 3, -1)[2]
    da, du = np.empty_like(run.a), np.empty_like(run.u)
    for t in way.steps:
        r, z, n = (gate[t] for gate in run.gates.values())
        dh_t = way.into_h(dh, t)
        keep = 1 - z if wrong == Z_EXCHANGED else z
        lacking = [wrong == sentence for sentence in GRU_SLOPES]
        da_n = dh_t * (1 - keep) * (1 if lacking[2] else 1 - n * n)
        da_r = da_n * u_n[t] * (1 if lacking[0] else r * (1 - r)) * (wrong != NOTHING_THROUGH_R)
        da_z = dh_t * ((0 if wrong == NO_H_IN_Z else run.h_before[t]) - n) * (1 if lacking[1] else z * (1 - z))
        da[t] = np.concatenate([da_r, da_z, da_n], 1)
        du[t] = np.concatenate([da_r, da_z, da_n if wrong == R_NOT_IN_U else da_n * r], 1)
        dh = du[t] @ way.w_hh + (0 if wrong == NO_DIRECT_PATH else dh_t * keep)
    return run.h, way.gradients(p, da, du, dh_t, dh)


GRU_SLOPES = (_lacks("r", "sigma'"), _lacks("z", "sigma'"), _lacks("n", "tanh'"))

MODELS: dict[str, tuple[Callable[..., tuple[Array, Arrays]], tuple[str, ...]]] = {
    "rnn": (rnn, (*COMMON, NOT_TRANSPOSED, NO_SLOPE, SLOPE_OF_A, SLOPE_BEFORE, SLOPE_NOT_CARRIED)),
    "lstm": (
        lstm,
        (
            *(*COMMON, *LSTM_SLOPES, DC_NOT_CARRIED, DC_WITHOUT_F, DH_NOT_INTO_DC),
            *(NO_TANH_C, C_FOR_TANH_C, C_FOR_C_BEFORE, I_AND_G),
        ),
    ),
    "gru": (gru, (*COMMON, *GRU_SLOPES, Z_EXCHANGED, NO_DIRECT_PATH, R_NOT_IN_U, NOTHING_THROUGH_R, NO_H_IN_Z)),
}
