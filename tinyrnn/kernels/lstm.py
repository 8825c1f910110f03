"""The LSTM over a whole sequence, and backpropagation through time as a loop you can point at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinyrnn.kernels.gates import Array, block_of_steps, columns, input_share, side_by_side, sum_columns
from tinyrnn.kernels.rnn import Gradients, Pullback

O, I_F, G_C = 0, slice(1, 3), slice(3, 5)  # the blocks of a step: o, i, f, g, and c_{t-1} behind them


def lstm(
    x: Array,
    h0: Array,
    c0: Array,
    w_ih: Array,
    w_hh: Array,
    b_ih: Array | None,
    b_hh: Array | None,
    w_hr: Array | None = None,
    reverse: bool = False,
) -> tuple[tuple[Array, Array, Array], Pullback]:
    """(i, f, g, o)_t = W_ih x_t + b_ih + W_hh h_{t-1} + b_hh, through s = sigmoid, for g through tanh; then

    Forward, t = 1..T, from h_0, c_0       Backward, t = T..1, from dh = dL/dh_n and dc = dL/dc_n
        c_t = f_t c_{t-1} + i_t g_t            dh  = dL/dy_t + dh      h_t is an output, and feeds step t+1
        m_t = o_t tanh c_t                     dm  = W_hr^T dh         (dm = dh without a projection)
        y_t = h_t = W_hr m_t, or m_t           dc  = dc + dm o_t (1 - tanh^2 c_t)
        h_n = h_T,  c_n = c_T                  da_o = dm tanh c_t  s'(o),    da_i = dc g_t      s'(i),
                                               da_g = dc i_t (1 - g_t^2),    da_f = dc c_{t-1}  s'(f)
                                               dh  = W_hh^T (da_i, da_f, da_g, da_o)
                                               dc  = dc f_t            what step t hands to step t-1
                                           and then dh_0 = dh,  dc_0 = dc,  dx_t = W_ih^T da_t,
                                           dW_ih = sum_t da_t x_t^T,  dW_hh = sum_t da_t h_{t-1}^T,
                                           dW_hr = sum_t dh_t m_t^T,  db_ih = db_hh = sum_t da_t;  s' = s (1 - s).
    With `reverse`, t+1 stands for t-1 and 1 for T, and both loops walk the other way.

    Shapes: x (T, N, I), y (T, N, P), h0 and h_n (N, P), c0 and c_n (N, H), w_ih (4H, I), w_hh (4H, P), b_ih and
        b_hh (4H,) or both None, the gates in the order i, f, g, o; w_hr (P, H), or None, and then P = H.
        T >= 1 steps, N sequences, all of one dtype.
    Returns (y, h_n, c_n) and pullback(dy, dh_n, dc_n, needs): the gradients of the eight arrays in the order of the
        arguments, None where `needs` is False. db_ih and db_hh are one array. It may be called repeatedly.
    Source: Hochreiter and Schmidhuber, Long short-term memory (1997); the forget gate: Gers, Schmidhuber and Cummins
        (2000); the projection: Sak, Senior and Beaufays (2014). Convention: torch.nn.LSTM.

    >>> none, ones = np.zeros((4, 1)), np.ones((2, 1, 1))  # with all weights 0: every gate 1/2, and g = 0
    >>> (y, h_n, c_n), pullback = lstm(ones, ones[0], ones[0], none, none, None, None)
    >>> c_n  # c_2 = f c_1 = f f c_0
    array([[0.25]])
    """
    (T, N, I), H, P, dtype = x.shape, c0.shape[1], h0.shape[1], x.dtype
    add, multiply, tanh = np.add, np.multiply, np.tanh
    step = -1 if reverse else 1
    xs = x[::step]

    # s(a) = tanh(a/2)/2 + 1/2, which cannot overflow: with the rows of o, i and f halved, one tanh serves all gates.
    halves = np.repeat(np.array([0.5, 0.5, 0.5, 1], dtype), H)
    bias = None if b_ih is None or b_hh is None else halves * _o_first(b_ih + b_hh)
    U = halves[:, None] * _o_first(w_hh)

    blocks = np.empty((T + 1, 5, H, N), dtype)  # step by step: o, i, f, g, and c_{t-1}; the last only holds c_T
    gates = blocks[:T, :4].reshape(T, 4 * H, N)  # a view, as are all the others
    o, i_f, g_c, c = blocks[:T, O], blocks[:T, I_F], blocks[:T, G_C], blocks[:, 4]
    input_share(xs, halves[:, None] * _o_first(w_ih), bias, gates)
    tanh_c = np.empty((T, H, N), dtype)
    rows = np.empty((T + 1, N, P), dtype)[::step]  # the states as they are visited, h_0 first; y is all but that
    same = N == 1 and not reverse  # whether a row and a column are the same memory
    states = rows.reshape(T + 1, P, N) if same else np.empty((T + 1, P, N), dtype)
    states[0], c[0] = h0.T, c0.T
    m = states[1:] if w_hr is None else np.empty((T, H, N), dtype)

    # Nine NumPy calls a step, each into memory that exists already; [i, f] * [g, c] is one of them.
    Uh, both = np.empty((4 * H, N), dtype), np.empty((2, H, N), dtype)
    ig, fc = both
    for h, h_t, m_t, c_t, tanh_c_t, gates_t, sigmoids_t, i_f_t, g_c_t, o_t in zip(
        states, states[1:], m, c[1:], tanh_c, gates, blocks[:, :3], i_f, g_c, o, strict=False
    ):
        add(gates_t, U.dot(h, Uh), gates_t)
        tanh(gates_t, gates_t)
        multiply(sigmoids_t, 0.5, sigmoids_t)
        add(sigmoids_t, 0.5, sigmoids_t)
        multiply(i_f_t, g_c_t, both)
        add(ig, fc, c_t)
        tanh(c_t, tanh_c_t)
        multiply(o_t, tanh_c_t, m_t)
        if w_hr is not None:
            w_hr.dot(m_t, h_t)
    if not same:
        rows[...] = states.transpose(0, 2, 1)
    y = rows[1:][::step]

    def pullback(dy: Array, dh_n: Array, dc_n: Array, needs: Sequence[bool]) -> Gradients:
        dys = dy[::step].transpose(0, 2, 1)
        dh, dc = np.array(dh_n.T, order="C"), np.array(dc_n.T, order="C")
        W_T, m_to_h = np.ascontiguousarray(_o_first(w_hh).T), None if w_hr is None else np.ascontiguousarray(w_hr.T)
        da, dhs = columns(T, 4 * H, N, dtype), columns(T, P, N, dtype) if w_hr is not None else None
        dm = dh if m_to_h is None else np.empty((H, N), dtype)

        # What does not depend on the incoming gradient is computed for a block of steps at once, in this order:
        #     o (1 - tanh^2 c)  |  tanh c s'(o),  g s'(i),  c_{t-1} s'(f),  i (1 - g^2)  |  f
        # Times dm for the first two and dc for the others, they become what is added to dc, da, and the next dc.
        size = block_of_steps(H, N)
        memory = np.empty((min(size, T), 6, H, N), dtype)
        for end in range(T, 0, -size):
            start = max(0, end - size)
            s, tanh_cs, f = blocks[start:end, :3], tanh_c[start:end], memory[: end - start]
            np.multiply(tanh_cs, tanh_cs, f[:, 0])
            np.subtract(1, f[:, 0], f[:, 0])
            f[:, 0] *= s[:, 0]
            np.multiply(s, s, f[:, 1:4])
            np.subtract(s, f[:, 1:4], f[:, 1:4])
            f[:, 1] *= tanh_cs
            f[:, 2:4] *= g_c[start:end]
            np.multiply(blocks[start:end, 3], blocks[start:end, 3], f[:, 4])
            np.subtract(1, f[:, 4], f[:, 4])
            f[:, 4] *= s[:, 1]
            f[:, 5] = s[:, 2]

            das = f[:, 1:5].reshape(end - start, 4 * H, N)
            for t in range(end - start - 1, -1, -1):
                f_t = f[t]
                add(dh, dys[start + t], dh)
                if m_to_h is not None and dhs is not None:
                    dhs[start + t] = dh
                    m_to_h.dot(dh, dm)
                multiply(f_t[:2], dm, f_t[:2])
                add(dc, f_t[0], dc)
                multiply(f_t[2:], dc, f_t[2:])
                W_T.dot(das[t], dh)
                dc = f_t[5]
            da[start:end] = das
            dc = dc.copy()  # the memory is used again

        das = side_by_side(da)
        db = _o_last(sum_columns(das)) if needs[5] or needs[6] else None
        return (
            das.T.dot(_o_first(w_ih)).reshape(T, N, I)[::step] if needs[0] else None,
            dh.T if needs[1] else None,
            dc.T if needs[2] else None,
            _o_last(das.dot(xs.reshape(T * N, I))) if needs[3] else None,
            _o_last(das.dot(rows[:-1].reshape(T * N, P))) if needs[4] else None,
            db if needs[5] else None,
            db if needs[6] else None,
            side_by_side(dhs).dot(m.transpose(0, 2, 1).reshape(T * N, H)) if dhs is not None and needs[7] else None,
        )

    return (y, rows[-1].copy(), c[-1].T.copy()), pullback


def _o_first(w: Array) -> Array:
    """The rows of the gates i, f, g, o in the order o, i, f, g."""
    H = len(w) // 4
    return np.concatenate([w[3 * H :], w[: 3 * H]])


def _o_last(w: Array) -> Array:
    """The rows of the gates o, i, f, g in the order i, f, g, o."""
    H = len(w) // 4
    return np.concatenate([w[H:], w[:H]])
