"""One step of the cells, in two nodes: the affine maps of input and state, and the gates. Each with its derivative."""

from __future__ import annotations

import numpy as np

from tinyrnn.autograd.graph import Array, Gradient
from tinyrnn.autograd.record import needs_grad, record, record_many
from tinyrnn.kernels.rnn import sigmoid
from tinyrnn.kernels.sums import sum_rows
from tinyrnn.tensor import Tensor

__all__: list[str] = []  # for the cells, which check what they are given


def affine_of_both(
    input: Tensor, h: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None, b_hh: Tensor | None
) -> Tensor:
    """a = W_ih x + b_ih + W_hh h + b_hh,  dx = g W_ih,  dh = g W_hh,  dW_ih = g^T x,  dW_hh = g^T h,  db = sum of g.

    input x (N, I), h (N, H), w_ih (K, I), w_hh (K, H), b_ih and b_hh (K,) or None -> (N, K); or without N.
    """
    x, state, W, U = input.array, h.array, w_ih.array, w_hh.array
    single = x.ndim == 1
    rows, state_rows = (x[None], state[None]) if single else (x, state)
    a = rows.dot(W.T)
    a += state_rows.dot(U.T)
    for b in (b_ih, b_hh):
        if b is not None:
            a += b.array
    inputs = (input, h, w_ih, w_hh, b_ih, b_hh)
    needs = [needs_grad(value) for value in inputs]

    def pullback(g: Array) -> tuple[Gradient, ...]:
        g_rows = g[None] if single else g
        db = sum_rows(g_rows) if needs[4] or needs[5] else None
        return (
            g.dot(W) if needs[0] else None,
            g.dot(U) if needs[1] else None,
            g_rows.T.dot(rows) if needs[2] else None,
            g_rows.T.dot(state_rows) if needs[3] else None,
            db,
            db,
        )

    read = ((w_ih, needs[0]), (w_hh, needs[1]), (input, needs[2]), (h, needs[3]))
    saved = [value for value, needed in read if needed]
    return record("affine", a[0] if single else a, inputs, pullback, saved=saved)


def lstm_gates(gates: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    """(h', c') of an LSTM cell: c' = f c + i g,  h' = o tanh c', where i, f, o = s(a), g = tanh(a).

    gates: a (..., 4H), the parts in the order i, f, g, o;  c (..., H) -> h' and c' (..., H).
    With dc = dc' + dh' o (1 - tanh^2 c'):  da_i = dc g i (1 - i),  da_f = dc c f (1 - f),  da_g = dc i (1 - g^2),
    da_o = dh' tanh c' o (1 - o),  and for the c before, dc f.
    """
    a, before = gates.array, c.array
    H = before.shape[-1]
    s_if, o = (sigmoid(part, np.empty_like(part)) for part in (a[..., : 2 * H], a[..., 3 * H :]))
    g = np.tanh(a[..., 2 * H : 3 * H])
    i, f = s_if[..., :H], s_if[..., H:]
    after = f * before
    after += i * g
    tanh_c = np.tanh(after)

    def pullback(dh: Array, dc: Array) -> tuple[Gradient, Gradient]:
        da = np.empty_like(a)
        dc = dc + dh * (o * (1 - tanh_c * tanh_c))
        slope = s_if - s_if * s_if
        np.multiply(dc * g, slope[..., :H], da[..., :H])
        np.multiply(dc * before, slope[..., H:], da[..., H : 2 * H])
        np.multiply(dc * i, 1 - g * g, da[..., 2 * H : 3 * H])
        np.multiply(dh * tanh_c, o - o * o, da[..., 3 * H :])
        return da, dc * f

    h_after, c_after = record_many("lstm_cell", (o * tanh_c, after), (gates, c), pullback, saved=(c,))
    return h_after, c_after


def gru_gates(a: Tensor, u: Tensor, h: Tensor) -> Tensor:
    """h' of a GRU cell: h' = (1 - z) n + z h,  where r = s(a_r + u_r), z = s(a_z + u_z), n = tanh(a_n + r u_n).

    a, u (..., 3H): what came from the input and from the state, the parts in the order r, z, n;  h, h' (..., H).
    da_n = g (1 - z) (1 - n^2),  du_n = da_n r,  da_r = du_r = da_n u_n r (1 - r),  da_z = du_z = g (h - n) z (1 - z),
    dh = g z.
    """
    x, y, before = a.array, u.array, h.array
    H = before.shape[-1]
    s = x[..., : 2 * H] + y[..., : 2 * H]
    sigmoid(s, s)
    r, z, u_n = s[..., :H], s[..., H:], y[..., 2 * H :]
    n = np.tanh(x[..., 2 * H :] + r * u_n)
    change = before - n

    def pullback(g: Array) -> tuple[Gradient, Gradient, Gradient]:
        slope = s - s * s
        da = np.empty_like(x)
        da_n = g * (1 - z)
        da_n *= 1 - n * n
        da[..., 2 * H :] = da_n
        np.multiply(da_n * u_n, slope[..., :H], da[..., :H])
        np.multiply(g * change, slope[..., H:], da[..., H : 2 * H])
        du = da.copy()
        du[..., 2 * H :] *= r
        return da, du, g * z

    return record("gru_cell", n + z * change, (a, u, h), pullback, saved=(u,))
