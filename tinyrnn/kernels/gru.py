"""The GRU over a whole sequence, and backpropagation through time as a loop you can point at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinyrnn.kernels.gates import Array, block_of_steps, columns, input_share, side_by_side, sum_columns
from tinyrnn.kernels.rnn import Gradients, Pullback


def gru(
    x: Array,
    h0: Array,
    w_ih: Array,
    w_hh: Array,
    b_ih: Array | None,
    b_hh: Array | None,
    reverse: bool = False,
) -> tuple[tuple[Array, Array], Pullback]:
    """a = W_ih x_t + b_ih and u = W_hh h_{t-1} + b_hh, each in three parts r, z, n; s = sigmoid; then

    Forward, t = 1..T, from h_0            Backward, t = T..1, from dh = dL/dh_n
        r_t = s(a_r + u_r)                     dh   = dL/dy_t + dh     h_t is an output, and feeds step t+1
        z_t = s(a_z + u_z)                     da_n = dh (1 - z_t) (1 - n_t^2),       du_n = da_n r_t
        n_t = tanh(a_n + r_t u_n)              da_r = da_n u_n r_t (1 - r_t)          = du_r
        h_t = (1 - z_t) n_t + z_t h_{t-1}      da_z = dh (h_{t-1} - n_t) z_t (1 - z_t) = du_z
        y_t = h_t,  h_n = h_T                  dh   = dh z_t + W_hh^T (du_r, du_z, du_n)
                                           and then dh_0 = dh,  dx_t = W_ih^T da_t,  dW_ih = sum_t da_t x_t^T,
                                           dW_hh = sum_t du_t h_{t-1}^T,  db_ih = sum_t da_t,  db_hh = sum_t du_t.
    r is applied to u_n, after the product ("reset after"), and z keeps the old state: torch's convention; the paper
    resets h_{t-1} before the product. With `reverse`, t+1 stands for t-1 and 1 for T: both loops walk the other way.

    Shapes: x (T, N, I), y (T, N, H), h0 and h_n (N, H), w_ih (3H, I), w_hh (3H, H), b_ih and b_hh (3H,) or both
        None, their parts in the order r, z, n: T >= 1 steps, N sequences, all of one dtype.
    Returns (y, h_n) and pullback(dy, dh_n, needs): the gradients of the six arrays in the order of the arguments,
        None where `needs` is False. It may be called repeatedly.
    Source: Cho et al., Learning phrase representations using RNN encoder-decoder (2014). Convention: torch.nn.GRU.

    >>> none, ones = np.zeros((3, 1)), np.ones((2, 1, 1))  # with all weights 0: r = z = 1/2, and n = 0
    >>> (y, h_n), pullback = gru(ones, ones[0], none, none, None, None)
    >>> y.ravel()  # h_t = z h_{t-1}
    array([0.5 , 0.25])
    """
    (T, N, I), H, dtype = x.shape, h0.shape[1], x.dtype
    add, subtract, multiply, tanh = np.add, np.subtract, np.multiply, np.tanh
    step = -1 if reverse else 1
    xs = x[::step]

    # s(a) = tanh(a/2)/2 + 1/2, which cannot overflow: with the rows of r and z halved, one tanh serves both.
    halves = np.repeat(np.array([0.5, 0.5, 1], dtype), H)
    U, b_n = halves[:, None] * w_hh, None
    bias = None if b_ih is None else halves * b_ih
    if b_hh is not None and bias is not None:
        bias[: 2 * H] += 0.5 * b_hh[: 2 * H]
        b_n = np.ascontiguousarray(np.broadcast_to(b_hh[2 * H :, None], (H, N)))  # beside W_n h, inside r's brackets

    blocks = np.empty((T, 3, H, N), dtype)  # r, z and n of each step
    r_z, r, z, n = blocks[:, :2].reshape(T, 2 * H, N), blocks[:, 0], blocks[:, 1], blocks[:, 2]
    input_share(xs, halves[:, None] * w_ih, bias, blocks.reshape(T, 3 * H, N))
    us = np.empty((T, H, N), dtype)  # u_n, which the backward loop needs
    rows = np.empty((T + 1, N, H), dtype)[::step]  # the states as they are visited, h_0 first; y is all but that
    same = N == 1 and not reverse  # whether a row and a column are the same memory
    states = rows.reshape(T + 1, H, N) if same else np.empty((T + 1, H, N), dtype)
    states[0] = h0.T

    # Twelve NumPy calls a step (eleven without bias), each into memory that exists already.
    Uh = np.empty((3 * H, N), dtype)
    Uh_rz, Uh_n = Uh[: 2 * H], Uh[2 * H :]
    for h, h_t, r_z_t, r_t, z_t, n_t, u in zip(states, states[1:], r_z, r, z, n, us, strict=False):
        U.dot(h, Uh)
        add(r_z_t, Uh_rz, r_z_t)
        tanh(r_z_t, r_z_t)
        multiply(r_z_t, 0.5, r_z_t)
        add(r_z_t, 0.5, r_z_t)
        if b_n is None:
            u[...] = Uh_n
        else:
            add(Uh_n, b_n, u)
        multiply(r_t, u, Uh_n)
        add(n_t, Uh_n, n_t)
        tanh(n_t, n_t)
        subtract(h, n_t, h_t)  # h_t = n_t + z_t (h_{t-1} - n_t)
        multiply(z_t, h_t, h_t)
        add(n_t, h_t, h_t)
    if not same:
        rows[...] = states.transpose(0, 2, 1)
    y = rows[1:][::step]

    def pullback(dy: Array, dh_n: Array, needs: Sequence[bool]) -> Gradients:
        dys = dy[::step].transpose(0, 2, 1)
        dh, W_T = np.array(dh_n.T, order="C"), np.ascontiguousarray(w_hh.T)
        da, du = columns(T, 3 * H, N, dtype), columns(T, 3 * H, N, dtype)

        # What does not depend on the incoming gradient is computed for a block of steps at once, in this order:
        #     da_n  |  da_r = du_r,  da_z = du_z,  du_n  |  z
        # Times dh, one call a step, it becomes da, du, and what goes straight to the step before.
        size = block_of_steps(H, N)
        memory = np.empty((min(size, T), 5, H, N), dtype)
        Uh = np.empty((H, N), dtype)
        for end in range(T, 0, -size):
            start = max(0, end - size)
            rs, zs, ns, f = r[start:end], z[start:end], n[start:end], memory[: end - start]
            np.subtract(1, zs, f[:, 4])
            np.multiply(ns, ns, f[:, 0])
            np.subtract(1, f[:, 0], f[:, 0])
            f[:, 0] *= f[:, 4]  # (1 - z) (1 - n^2)
            np.multiply(f[:, 0], rs, f[:, 3])
            np.subtract(1, rs, f[:, 1])
            f[:, 1] *= us[start:end]
            f[:, 1] *= f[:, 3]  # (1 - z) (1 - n^2) r  u_n (1 - r)
            np.subtract(states[start:end], ns, f[:, 2])
            f[:, 2] *= f[:, 4]
            f[:, 2] *= zs
            f[:, 4] = zs

            dus = f[:, 1:4].reshape(end - start, 3 * H, N)
            for t in range(end - start - 1, -1, -1):
                f_t = f[t]
                add(dh, dys[start + t], dh)
                multiply(f_t, dh, f_t)
                W_T.dot(dus[t], Uh)
                add(Uh, f_t[4], dh)
            du[start:end] = dus
            da[start:end, : 2 * H] = dus[:, : 2 * H]
            da[start:end, 2 * H :] = f[:, 0]

        das, dus = side_by_side(da), side_by_side(du)
        return (
            das.T.dot(w_ih).reshape(T, N, I)[::step] if needs[0] else None,
            dh.T if needs[1] else None,
            das.dot(xs.reshape(T * N, I)) if needs[2] else None,
            dus.dot(rows[:-1].reshape(T * N, H)) if needs[3] else None,
            sum_columns(das) if needs[4] else None,
            sum_columns(dus) if needs[5] else None,
        )

    return (y, rows[-1].copy()), pullback
