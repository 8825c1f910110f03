"""Backward passes with a known fault each: what a gradient comes out as if something is forgotten or mixed up.

check_bptt compares a wrong gradient with each of these: the one that it equals names the fault. A fault is a sentence;
in the loops below, `wrong == ...` marks the one line where it is planted. With wrong = "" the loops are right.
All arrays are those of check.py: x (T, N, I), states (N, H), weights as torch's, dy (T, N, H).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
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


def sigmoid(a: Array) -> Array:
    """s = 1 / (1 + e^-a)."""
    return np.asarray(0.5 * np.tanh(0.5 * a) + 0.5)


def _lacks(gate: str, slope: str) -> str:
    return f"gate {gate}: its derivative lacks {slope}"


class _Sums:
    """The gradients that a loop adds up, and the ways to get that wrong which all models share."""

    def __init__(self, p: Arrays, T: int, wrong: str) -> None:
        self.p, self.T, self.wrong = p, T, wrong
        self.g = {name: np.zeros_like(array) for name, array in p.items()}
        steps = range(T)
        self.steps = steps if wrong == FORWARD_IN_TIME else steps[::-1]

    def into_h(self, dh: Array, dy: Array, t: int) -> Array:
        """dh_t: what came from step t+1, and dL/dy_t."""
        if self.wrong == ONLY_LAST_DY and t < self.T - 1:
            return dh
        return np.asarray(dh + dy[t])

    def out_of(self, da: Array, du: Array, h_before: Array, h: Array, t: int) -> Array:
        """Adds step t to the weights' gradients; the part of dh_{t-1} that goes through W_hh."""
        g, p, wrong = self.g, self.p, self.wrong
        g["x"][t] = da @ p["w_ih"]
        if not (wrong == ONLY_LAST_STEP and t < self.T - 1) and not (wrong == FIRST_STEP_LEFT_OUT and t == 0):
            shares = {"w_ih": da.T @ p["x"][t], "w_hh": du.T @ (h if wrong == H_FOR_H_BEFORE else h_before)}
            shares |= {"b": da.sum(0), "b_ih": da.sum(0), "b_hh": du.sum(0)}
            for name in shares.keys() & g.keys():
                g[name] = shares[name] + (0 if wrong == OVERWRITTEN else g[name])
        return np.asarray(du @ (p["w_hh"].T if wrong == NOT_TRANSPOSED else p["w_hh"]))


def rnn(p: Arrays, dy: Array, wrong: str = "", f: str = "tanh") -> tuple[Array, Arrays]:
    """(y, gradients) of h_t = f(W_ih x_t + b + W_hh h_{t-1}), f: tanh, relu, sigmoid or identity."""
    functions: dict[str, tuple[Callable[[Array], Array], Callable[[Array], Array]]] = {
        "tanh": (np.tanh, lambda h: 1 - h * h),
        "relu": (lambda a: np.maximum(a, 0), lambda h: (h > 0).astype(float)),
        "sigmoid": (sigmoid, lambda h: h * (1 - h)),
        "identity": (np.array, np.ones_like),
    }
    run, slope = functions[f]
    T = len(p["x"])
    a, h = [], [p["h0"]]
    for x in p["x"]:
        a.append(x @ p["w_ih"].T + p["b"] + h[-1] @ p["w_hh"].T)
        h.append(run(a[-1]))
    sums, dh = _Sums(p, T, wrong), np.zeros_like(p["h0"])
    for t in sums.steps:
        dh = sums.into_h(dh, dy, t)
        at = {SLOPE_OF_A: a[t], SLOPE_BEFORE: h[t]}.get(wrong, h[t + 1])
        da = dh * slope(at)
        if wrong == NO_SLOPE:
            da = dh
        before = dh
        dh = sums.out_of(da, da, h[t], h[t + 1], t)
        if wrong == SLOPE_NOT_CARRIED:
            dh = before @ p["w_hh"]
        sums.g["h0"] = before if wrong == BEFORE_H0 else dh
        if wrong == NOT_CARRIED:
            dh = np.zeros_like(dh)
    return np.array(h[1:]), sums.g


DC_NOT_CARRIED = "dc is not carried: dc_{t-1} = f_t dc_t is left out at step t-1"
DC_WITHOUT_F = "dc is carried without f_t: dc_{t-1} = f_t dc_t"
DH_NOT_INTO_DC = "the path from h_t to c_t is missing: dc_t gets dh_t o_t (1 - tanh^2 c_t) as well"
NO_TANH_C = "tanh's derivative is missing between h_t and c_t: dc_t gets dh_t o_t (1 - tanh^2 c_t), not dh_t o_t"
C_FOR_TANH_C = "tanh's derivative between h_t and c_t is taken in c_t: it is 1 - tanh^2 c_t, not 1 - c_t^2"
C_FOR_C_BEFORE = "gate f: its derivative uses c_t for c_{t-1}"
I_AND_G = "gates i and g: each has to be multiplied by the other, da_i by g_t and da_g by i_t"


def lstm(p: Arrays, dy: Array, wrong: str = "") -> tuple[Array, Arrays]:
    """(y, gradients) of the LSTM of torch.nn.LSTM, with one bias b; gates i, f, g, o."""
    T, H = len(p["x"]), p["h0"].shape[1]
    h, c, gates = [p["h0"]], [p["c0"]], []
    for x in p["x"]:
        a = np.split(x @ p["w_ih"].T + p["b"] + h[-1] @ p["w_hh"].T, 4, 1)
        i, f, g, o = sigmoid(a[0]), sigmoid(a[1]), np.tanh(a[2]), sigmoid(a[3])
        gates.append((i, f, g, o))
        c.append(f * c[-1] + i * g)
        h.append(o * np.tanh(c[-1]))
    sums, dh, dc = _Sums(p, T, wrong), np.zeros_like(p["h0"]), np.zeros_like(p["c0"])
    for t in sums.steps:
        i, f, g, o = gates[t]
        tanh_c = np.tanh(c[t + 1])
        dh = sums.into_h(dh, dy, t)
        if wrong != DH_NOT_INTO_DC:
            dc = dc + dh * o * (1 if wrong == NO_TANH_C else 1 - (c[t + 1] if wrong == C_FOR_TANH_C else tanh_c) ** 2)
        into = [dc * (i if wrong == I_AND_G else g), dc * c[t + (wrong == C_FOR_C_BEFORE)]]
        into += [dc * (g if wrong == I_AND_G else i), dh * tanh_c]
        slopes = [i * (1 - i), f * (1 - f), 1 - g * g, o * (1 - o)]
        lacking = [wrong == sentence for sentence in LSTM_SLOPES]
        da = np.concatenate([d if no else d * s for d, s, no in zip(into, slopes, lacking, strict=True)], 1)
        before = dh
        dh = sums.out_of(da, da, h[t], h[t + 1], t)
        sums.g["h0"] = before if wrong == BEFORE_H0 else dh
        dc = dc if wrong == DC_WITHOUT_F else dc * f
        sums.g["c0"] = dc
        if wrong == NOT_CARRIED:
            dh = np.zeros((len(dh), H))
        if wrong == DC_NOT_CARRIED:
            dc = np.zeros((len(dc), H))
    return np.array(h[1:]), sums.g


LSTM_SLOPES = (_lacks("i", "sigma'"), _lacks("f", "sigma'"), _lacks("g", "tanh'"), _lacks("o", "sigma'"))

Z_EXCHANGED = "z and 1 - z are exchanged on the way back: dn = dh (1 - z), and z dh goes straight to h_{t-1}"
NO_DIRECT_PATH = "the direct path is missing: z_t dh_t goes straight from h_t to h_{t-1}"
R_NOT_IN_U = "r_t is missing in W_hn's share: du_n = r_t da_n, since r_t multiplies W_hn h_{t-1} + b_hn"
NOTHING_THROUGH_R = "the path through r_t is missing: da_r = da_n (W_hn h_{t-1} + b_hn) r_t (1 - r_t)"
NO_H_IN_Z = "gate z: its derivative uses -n_t for h_{t-1} - n_t"


def gru(p: Arrays, dy: Array, wrong: str = "") -> tuple[Array, Arrays]:
    """(y, gradients) of the GRU of torch.nn.GRU, reset after the product; gates r, z, n."""
    T = len(p["x"])
    h, kept = [p["h0"]], []
    for x in p["x"]:
        a, u = (np.split(v, 3, 1) for v in (x @ p["w_ih"].T + p["b_ih"], h[-1] @ p["w_hh"].T + p["b_hh"]))
        r, z = sigmoid(a[0] + u[0]), sigmoid(a[1] + u[1])
        n = np.tanh(a[2] + r * u[2])
        kept.append((r, z, n, u[2]))
        h.append((1 - z) * n + z * h[-1])
    sums, dh = _Sums(p, T, wrong), np.zeros_like(p["h0"])
    for t in sums.steps:
        r, z, n, u_n = kept[t]
        dh = sums.into_h(dh, dy, t)
        keep = 1 - z if wrong == Z_EXCHANGED else z
        lacking = [wrong == sentence for sentence in GRU_SLOPES]
        da_n = dh * (1 - keep) * (1 if lacking[2] else 1 - n * n)
        da_r = da_n * u_n * (1 if lacking[0] else r * (1 - r)) * (wrong != NOTHING_THROUGH_R)
        da_z = dh * ((0 if wrong == NO_H_IN_Z else h[t]) - n) * (1 if lacking[1] else z * (1 - z))
        da = np.concatenate([da_r, da_z, da_n], 1)
        du = np.concatenate([da_r, da_z, da_n if wrong == R_NOT_IN_U else da_n * r], 1)
        before = dh
        dh = sums.out_of(da, du, h[t], h[t + 1], t) + (0 if wrong == NO_DIRECT_PATH else before * keep)
        sums.g["h0"] = before if wrong == BEFORE_H0 else dh
        if wrong == NOT_CARRIED:
            dh = np.zeros_like(dh)
    return np.array(h[1:]), sums.g


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
