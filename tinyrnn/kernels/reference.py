"""RNN, LSTM and GRU over a whole sequence, forward and backward, in plain loops that return every value.

The loops are the tables in the docstrings of rnn.py, lstm.py and gru.py, line by line. The kernels in those files
compute the same numbers faster, and are tested to equal these loops. Nothing here is fast: read it, and build on it.
What the loops return is described in records.py.

Shapes: x (T, N, I) with T >= 1 steps, N sequences, I inputs; H hidden units. h0 and c0 (N, H), w_ih (G H, I), w_hh
    (G H, H), b_ih and b_hh (G H,) or both None, where G is 1 for an RNN, 4 for an LSTM, 3 for a GRU. With the
    projection w_hr (P, H) of an LSTM, h0 is (N, P) and w_hh (4H, P). Complex numbers are allowed.
Order: `reverse` visits step T first and step 1 last. Then h_{t+1} stands for h_{t-1}.
Backward: dy (T, ..., N, H), dh_n (..., N, H) or None for zeros. The axes in between, if any, count losses: each
    entry has gradients of its own, and all gradients have these axes.
Raises: ValueError for shapes that do not fit and for an unknown nonlinearity, TypeError for what is not an array,
    before any arithmetic.

>>> ones = np.ones((3, 1, 1))
>>> run = rnn_forward(ones, ones[0], ones[0], ones[0], nonlinearity="identity")
>>> run.h.ravel()  # h_t = w h_{t-1} + x_t
array([2., 3., 4.])
>>> back = rnn_backward(run, np.array([1.0, 0.0, 1.0]).reshape(3, 1, 1))  # of the loss h_1 + h_3
>>> back.direct.ravel(), back.later.ravel(), back.dh.ravel()
(array([1., 0., 1.]), array([1., 1., 0.]), array([2., 1., 1.]))
>>> back.shares("w_hh").ravel(), back.dweights["w_hh"]  # da_t h_{t-1} for each step, and their sum
(array([2., 2., 3.]), array([[7.]]))
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinyrnn.kernels.records import (
    Array,
    Backward,
    GRUBackward,
    GRUForward,
    LSTMBackward,
    LSTMForward,
    RNNForward,
    checked,
    cotangent,
    factors_of,
    sum_of_shares,
)


def sigmoid(a: Array) -> Array:
    """s = 1 / (1 + e^-a), for a < 0 as e^a / (1 + e^a): it cannot overflow, and small values keep all digits."""
    e = np.exp(np.where(a.real < 0, a, -a))
    return np.asarray(np.where(a.real < 0, e, 1) / (1 + e))


# Each nonlinearity h = f(a), and its slope f'(a) in terms of h. The slope of relu at its kink is 0. NaN stays NaN.
NONLINEARITIES: dict[str, tuple[Callable[[Array], Array], Callable[[Array], Array]]] = {
    "tanh": (np.tanh, lambda h: 1 - h * h),
    "relu": (lambda a: np.where(a.real <= 0, 0, a), lambda h: np.where(h.real <= 0, 0, np.ones_like(h))),
    "sigmoid": (sigmoid, lambda h: h * (1 - h)),
    "identity": (np.positive, np.ones_like),
}


def rnn_forward(
    x: Array,
    h0: Array,
    w_ih: Array,
    w_hh: Array,
    b_ih: Array | None = None,
    b_hh: Array | None = None,
    nonlinearity: str = "tanh",
    reverse: bool = False,
) -> RNNForward:
    """a_t = W_ih x_t + b_ih + W_hh h_{t-1} + b_hh,  y_t = h_t = f(a_t);  f is tanh, relu, sigmoid or identity."""
    if nonlinearity not in NONLINEARITIES:
        raise ValueError(f"rnn: nonlinearity is {nonlinearity!r}, expected one of {', '.join(NONLINEARITIES)}")
    weights = checked("rnn", 1, x, {"h0": h0}, {"w_ih": w_ih, "w_hh": w_hh, "b_ih": b_ih, "b_hh": b_hh})
    f, slope = NONLINEARITIES[nonlinearity]
    h_before, a, h = np.empty((3, len(x), *h0.shape), floating(x, h0, *weights.values()))
    h_t = h0
    for t in steps(len(x), reverse):
        h_before[t] = h_t
        a[t] = affine(x[t], w_ih, b_ih) + affine(h_t, w_hh, b_hh)
        h_t = h[t] = f(a[t])
    return RNNForward(x, weights, reverse, h_before, a, h, h_t.copy(), {}, slope(h))


def rnn_backward(run: RNNForward, dy: Array, dh_n: Array | None = None) -> Backward:
    """dh_t = dL/dy_t + dh,  da_t = f'(a_t) dh_t;  the next: dh = W_hh^T da_t."""
    dh_next = cotangent("rnn", run, "dh_n", dh_n, run.h, dy)
    later, dh, da = np.empty((3, *dy.shape), dh_next.dtype)
    for t in steps(len(dy), not run.reverse):
        later[t] = dh_next
        dh[t] = dy[t] + dh_next  # h_t is an output, and feeds the next step
        da[t] = run.slope[t] * dh[t]
        dh_next = da[t] @ run.weights["w_hh"]
    dx, factors = da @ run.weights["w_ih"], factors_of(run, da, da)
    return Backward(dy, later, dh, da, {}, dx, dh_next, factors, sum_of_shares(factors))


def lstm_forward(
    x: Array,
    h0: Array,
    c0: Array,
    w_ih: Array,
    w_hh: Array,
    b_ih: Array | None = None,
    b_hh: Array | None = None,
    w_hr: Array | None = None,
    reverse: bool = False,
) -> LSTMForward:
    """c_t = f c_{t-1} + i g,  m_t = o tanh c_t,  y_t = h_t = W_hr m_t, or m_t;  i, f, o = sigmoid, g = tanh of a_t."""
    given = {"w_ih": w_ih, "w_hh": w_hh, "b_ih": b_ih, "b_hh": b_hh, "w_hr": w_hr}
    weights = checked("lstm", 4, x, {"h0": h0, "c0": c0}, given)
    T, (N, H), dtype = len(x), c0.shape, floating(x, h0, c0, *weights.values())
    h_before, h = np.empty((2, T, *h0.shape), dtype)
    c_before, c, m, i, f, g, o = np.empty((7, T, N, H), dtype)
    a = np.empty((T, N, 4 * H), dtype)
    h_t, c_t = h0, c0
    for t in steps(T, reverse):
        h_before[t], c_before[t] = h_t, c_t
        a[t] = affine(x[t], w_ih, b_ih) + affine(h_t, w_hh, b_hh)
        a_i, a_f, a_g, a_o = np.split(a[t], 4, -1)
        i[t], f[t], g[t], o[t] = sigmoid(a_i), sigmoid(a_f), np.tanh(a_g), sigmoid(a_o)
        c_t = c[t] = f[t] * c_t + i[t] * g[t]
        m[t] = o[t] * np.tanh(c_t)
        h_t = h[t] = m[t] if w_hr is None else m[t] @ w_hr.T
    gates = {"i": i, "f": f, "g": g, "o": o}
    return LSTMForward(x, weights, reverse, h_before, a, h, h_t.copy(), gates, c_before, c, c_t.copy(), m)


def lstm_backward(run: LSTMForward, dy: Array, dh_n: Array | None = None, dc_n: Array | None = None) -> LSTMBackward:
    """dh_t = dL/dy_t + dh,  dc_t = dc + W_hr^T dh_t o (1 - tanh^2 c_t);  the next: dh = W_hh^T da_t,  dc = f_t dc_t."""
    dh_next = cotangent("lstm", run, "dh_n", dh_n, run.h, dy)
    dc_next = cotangent("lstm", run, "dc_n", dc_n, run.c, dy)
    (i, f, g, o), w_hr = run.gates.values(), run.weights.get("w_hr")
    later, dh = np.empty((2, *dy.shape), dh_next.dtype)
    dc_direct, dc_later, dc, di, df, dg, do = np.empty((7, len(dy), *dc_next.shape), dc_next.dtype)
    da = np.empty((*dc.shape[:-1], run.a.shape[-1]), dc.dtype)
    for t in steps(len(dy), not run.reverse):
        later[t], dc_later[t] = dh_next, dc_next
        dh[t] = dy[t] + dh_next  # h_t is an output, and feeds the next step
        dm = dh[t] if w_hr is None else dh[t] @ w_hr
        tanh_c = np.tanh(run.c[t])
        dc_direct[t] = dm * o[t] * (1 - tanh_c**2)
        dc[t] = dc_next + dc_direct[t]
        di[t], df[t], dg[t], do[t] = dc[t] * g[t], dc[t] * run.c_before[t], dc[t] * i[t], dm * tanh_c
        da_i = di[t] * i[t] * (1 - i[t])
        da_f = df[t] * f[t] * (1 - f[t])
        da_g = dg[t] * (1 - g[t] ** 2)
        da_o = do[t] * o[t] * (1 - o[t])
        da[t] = np.concatenate((da_i, da_f, da_g, da_o), -1)
        dh_next = da[t] @ run.weights["w_hh"]
        dc_next = dc[t] * f[t]
    dgates, dx, factors = {"i": di, "f": df, "g": dg, "o": do}, da @ run.weights["w_ih"], factors_of(run, da, da)
    if w_hr is not None:
        factors["w_hr"] = dh, run.m
    every = dy, later, dh, da, dgates, dx, dh_next, factors, sum_of_shares(factors)
    return LSTMBackward(*every, dc_direct, dc_later, dc, dc_next)


def gru_forward(
    x: Array,
    h0: Array,
    w_ih: Array,
    w_hh: Array,
    b_ih: Array | None = None,
    b_hh: Array | None = None,
    reverse: bool = False,
) -> GRUForward:
    """r_t = s(a_r + u_r),  z_t = s(a_z + u_z),  n_t = tanh(a_n + r_t u_n),  y_t = h_t = (1 - z_t) n_t + z_t h_{t-1}."""
    weights = checked("gru", 3, x, {"h0": h0}, {"w_ih": w_ih, "w_hh": w_hh, "b_ih": b_ih, "b_hh": b_hh})
    T, (N, H), dtype = len(x), h0.shape, floating(x, h0, *weights.values())
    h_before, h, r, z, n = np.empty((5, T, N, H), dtype)
    a, u = np.empty((2, T, N, 3 * H), dtype)
    h_t = h0
    for t in steps(T, reverse):
        h_before[t] = h_t
        a[t], u[t] = affine(x[t], w_ih, b_ih), affine(h_t, w_hh, b_hh)
        (a_r, a_z, a_n), (u_r, u_z, u_n) = np.split(a[t], 3, -1), np.split(u[t], 3, -1)
        r[t], z[t] = sigmoid(a_r + u_r), sigmoid(a_z + u_z)
        n[t] = np.tanh(a_n + r[t] * u_n)
        h_t = h[t] = (1 - z[t]) * n[t] + z[t] * h_t
    return GRUForward(x, weights, reverse, h_before, a, h, h_t.copy(), {"r": r, "z": z, "n": n}, u)


def gru_backward(run: GRUForward, dy: Array, dh_n: Array | None = None) -> GRUBackward:
    """dh_t = dL/dy_t + dh,  du_n = r_t da_n,  du_r = da_r,  du_z = da_z;  the next: dh = z_t dh_t + W_hh^T du_t."""
    dh_next = cotangent("gru", run, "dh_n", dh_n, run.h, dy)
    (r, z, n), u_n = run.gates.values(), np.split(run.u, 3, -1)[2]
    later, dh, dr, dz, dn = np.empty((5, *dy.shape), dh_next.dtype)
    da, du = np.empty((2, *dy.shape[:-1], run.u.shape[-1]), dh_next.dtype)
    for t in steps(len(dy), not run.reverse):
        later[t] = dh_next
        dh[t] = dy[t] + dh_next  # h_t is an output, and feeds the next step
        dz[t], dn[t] = dh[t] * (run.h_before[t] - n[t]), dh[t] * (1 - z[t])
        da_n = dn[t] * (1 - n[t] ** 2)
        dr[t] = da_n * u_n[t]
        da_r = dr[t] * r[t] * (1 - r[t])
        da_z = dz[t] * z[t] * (1 - z[t])
        da[t] = np.concatenate((da_r, da_z, da_n), -1)
        du[t] = np.concatenate((da_r, da_z, da_n * r[t]), -1)
        dh_next = dh[t] * z[t] + du[t] @ run.weights["w_hh"]
    dgates, dx, factors = {"r": dr, "z": dz, "n": dn}, da @ run.weights["w_ih"], factors_of(run, da, du)
    return GRUBackward(dy, later, dh, da, dgates, dx, dh_next, factors, sum_of_shares(factors), du)


def affine(x: Array, w: Array, b: Array | None) -> Array:
    """W x + b for each row of x."""
    return np.asarray(x @ w.T if b is None else x @ w.T + b)


def steps(T: int, reverse: bool) -> range:
    """The steps in the order in which they are visited."""
    return range(T - 1, -1, -1) if reverse else range(T)


def floating(*arrays: Array) -> np.dtype[Any]:
    """The common dtype of the arrays, floating if they hold whole numbers."""
    return np.result_type(np.float16, *arrays)
