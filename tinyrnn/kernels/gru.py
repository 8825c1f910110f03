"""The GRU over a whole sequence, and backpropagation through time as a loop you can point at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from tinyrnn.kernels.gates import (
    BROADCAST,
    COPY,
    Array,
    beside,
    pieces,
    plus,
    room_for,
    same_memory,
    share,
    side_by_side,
    sum_columns,
)
from tinyrnn.kernels.memory import copy, empty, product
from tinyrnn.kernels.rnn import ONE, Gradients, Pullback, not_kept
from tinyrnn.kernels.workspace import at, forward_done, lend


def gru(
    x: Array,
    h0: Array,
    w_ih: Array,
    w_hh: Array,
    b_ih: Array | None,
    b_hh: Array | None,
    reverse: bool = False,
    keep: bool = True,
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
        None where `needs` is False. It may be called repeatedly, unless `keep` is False: then nothing is kept for it.
    Source: Cho et al., Learning phrase representations using RNN encoder-decoder (2014). Convention: torch.nn.GRU.

    >>> none, ones = np.zeros((3, 1)), np.ones((2, 1, 1))  # with all weights 0: r = z = 1/2, and n = 0
    >>> (y, h_n), pullback = gru(ones, ones[0], none, none, None, None)
    >>> y.ravel()  # h_t = z h_{t-1}
    array([0.5 , 0.25])
    """
    (T, N, I), H, dtype = x.shape, h0.shape[1], x.dtype
    add, subtract, multiply, tanh = np.add, np.subtract, np.multiply, np.tanh
    step = -1 if reverse else 1
    xs, with_x = x[::step], beside(I, H, N)
    half = np.array(0.5, dtype)  # an array, since a Python number costs NumPy 0.25 us more
    lent = lend(_Forward, T, N, I, H, with_x, keep, dtype)
    room = at(lent)
    s = room.s

    # (a_r + u_r, a_z + u_z) = M [h_{t-1}; 1; x_t] and u_n = M_n [h_{t-1}; 1] are a product each; a_n, in which there is
    # no h, is made in advance. s(a) = tanh(a/2)/2 + 1/2, which cannot overflow: with M halved, one tanh serves both.
    M, M_n, R = room.weights
    M[:, :H], M[:, H + 1 :], M_n[:, :H] = w_hh[: 2 * H], w_ih[: 2 * H], w_hh[2 * H :]
    if b_ih is None or b_hh is None:
        M[:, H], M_n[:, H] = 0, 0
    else:
        M[:, H], M_n[:, H] = b_ih[: 2 * H] + b_hh[: 2 * H], b_hh[2 * H :]
    multiply(M, half, M)
    s[0, :H] = h0.T
    if with_x:
        s[:T, H + 1 :] = xs.transpose(0, 2, 1)
        share(xs, w_ih[2 * H :], room.shares)
    else:  # all of a_t is made in advance
        R[: 2 * H], R[2 * H :], M = M[:, H + 1 :], w_ih[2 * H :], M[:, : H + 1]
        share(xs, R, room.shares)
    if b_ih is not None:
        share_n = room.shares[:, -H:]
        add(share_n, b_ih[2 * H :, None], share_n)
    Uh, ru = room.scratch
    # Eleven NumPy calls a step, or twelve, each into memory that exists already.
    for s_t, h, h_1, h_t, r_z_t, u, r, z, n, share_rz, share_n in room.steps:
        if with_x:
            M.dot(s_t, r_z_t)
        else:
            add(M.dot(s_t, Uh), share_rz, r_z_t)
        M_n.dot(h_1, u)
        tanh(r_z_t, r_z_t)
        multiply(r_z_t, half, r_z_t)
        add(r_z_t, half, r_z_t)
        multiply(r, u, ru)
        add(ru, share_n, n)
        tanh(n, n)
        subtract(h, n, h_t)  # h_t = n_t + z_t (h_{t-1} - n_t)
        multiply(z, h_t, h_t)
        add(n, h_t, h_t)
    forward_done(lent)
    y = empty((T, N, H), dtype)
    y[::step] = s[1:, :H].transpose(0, 2, 1)
    results = y, y[::step][-1].copy()
    if not keep:
        return results, not_kept

    def pullback(dy: Array, dh_n: Array, needs: Sequence[bool]) -> Gradients:
        room = at(lent)  # not lent again while this pullback holds it
        s, blocks = room.s, room.blocks
        dys = dy[::step].transpose(0, 2, 1)
        dh, Uh, five_times = np.array(dh_n.T, order="C"), np.empty((H, N), dtype), np.empty((5, H, N), dtype)
        W = w_hh.T if N == 1 and T < COPY else np.ascontiguousarray(w_hh.T)
        one, small = ONE.get(dtype, 1), H * N < BROADCAST
        dU: Array | None = None
        dR: Array | None = None
        db: Array | None = None  # that of da_n, du_r = da_r, du_z = da_z, du_n
        dx, R = (np.empty_like(x), _n_first(w_ih)) if needs[0] else (None, w_ih)

        for start, stop, parts in pieces(T, H, N):
            das = None if N == 1 and len(parts) == 1 else room_for(stop - start, 4 * H, N, dtype)
            for first, end in parts:
                # What does not depend on the incoming gradient is computed for a block of steps at once, in this order:
                #     da_n  |  da_r = du_r,  da_z = du_z  |  du_n  |  z
                # Times dh, one call a step, it becomes da, du, and what goes straight to the step before.
                us, rs, zs, ns = blocks[first:end].transpose(1, 0, 2, 3)
                factors = lend(_Backward, end - first, N, H, dtype)
                f_n, f_r, f_z, f_u, not_z, da_du = at(factors).parts
                subtract(one, zs, not_z)
                multiply(ns, ns, f_n)
                subtract(one, f_n, f_n)
                multiply(f_n, not_z, f_n)  # (1 - z) (1 - n^2)
                multiply(f_n, rs, f_u)
                subtract(one, rs, f_r)
                multiply(f_r, us, f_r)
                multiply(f_r, f_u, f_r)  # (1 - z) (1 - n^2) r  u_n (1 - r)
                subtract(s[first:end, :H], ns, f_z)
                multiply(f_z, not_z, f_z)
                multiply(f_z, zs, f_z)
                not_z[...] = zs

                for dy_t, (f_t, du_t, z_t) in zip(dys[first:end][::-1], at(factors).steps, strict=True):
                    add(dh, dy_t, dh)
                    if small:  # a copy of dh for each of the blocks costs half of broadcasting
                        five_times[...] = dh
                        multiply(f_t, five_times, f_t)
                    else:
                        multiply(f_t, dh, f_t)
                    W.dot(du_t, Uh)
                    add(Uh, z_t, dh)
                if das is not None:
                    das[first - start : end - start] = da_du

            # The weights' gradients: sums over steps and sequences, while these steps are in the cache.
            d, rows = side_by_side(da_du if das is None else das), slice(start, stop)
            da, du = d[: 3 * H], d[H:]
            if needs[3]:
                dU = plus(dU, product(du, side_by_side(s[rows, : H + 1]).T))
            if needs[2]:
                dR = plus(dR, product(da, xs[rows].reshape(-1, I)))
            if needs[4] or needs[5]:
                db = plus(db, sum_columns(d))
            if dx is not None:
                dx[::step][rows] = product(da.T, R).reshape(stop - start, N, I)

        return (
            dx,
            dh.T if needs[1] else None,
            None if dR is None else _n_last(dR),
            copy(dU[:, :H]) if dU is not None and needs[3] else None,
            _n_last(db[: 3 * H].astype(dtype)) if db is not None and needs[4] else None,
            db[H:].astype(dtype) if db is not None and needs[5] else None,
        )

    return results, pullback


class _Forward:
    """The weights of a forward pass, and its steps: the columns s; u_n, r, z, n in one block."""

    def __init__(self, T: int, N: int, I: int, H: int, with_x: bool, keep: bool, dtype: np.dtype[Any]) -> None:
        def matrix(rows: int, columns: int) -> Array:  # which way it lies in memory: as BLAS is faster with it
            return np.empty((columns, rows), dtype).T if N == 1 else np.empty((rows, columns), dtype)

        self.weights = matrix(2 * H, H + 1 + I), matrix(H, H + 1), np.empty((0 if with_x else 3 * H, I), dtype)
        self.s = s = empty((T + 1, H + 1 + I if with_x else H + 1, N), dtype)
        s[:, H] = 1
        self.blocks = blocks = empty((T, 4, H, N), dtype) if keep else same_memory(T, (4, H, N), dtype)
        # What is made in advance, a_n or all three, where n_t or r_t, z_t, n_t will stand.
        advance = slice(2 * H, None) if with_x else slice(None)
        made = H if with_x else 3 * H
        self.shares = blocks[:, 1:].reshape(T, 3 * H, N)[:, advance] if keep else empty((T, made, N), dtype)
        self.scratch = np.empty((2 * H, N), dtype), np.empty((H, N), dtype)
        self.steps: Iterable[Any] = zip(
            s,
            s[:, :H],
            s[:, : H + 1],
            s[1:, :H],
            blocks[:, 1:3].reshape(T, 2 * H, N),
            *blocks.transpose(1, 0, 2, 3),
            self.shares[:, : 2 * H],
            self.shares[:, -H:],
            strict=False,
        )


class _Backward:
    """The factors of a block of n steps, and the views of each, the last one first."""

    def __init__(self, n: int, N: int, H: int, dtype: np.dtype[Any]) -> None:
        f = empty((n, 5, H, N), dtype)
        self.parts = *f.transpose(1, 0, 2, 3), f[:, :4].reshape(n, 4 * H, N)
        self.steps: Iterable[Any] = zip(f[::-1], f[:, 1:4].reshape(n, 3 * H, N)[::-1], f[::-1, 4], strict=True)


def _n_first(w: Array) -> Array:
    """The rows of the parts r, z, n in the order n, r, z."""
    H = len(w) // 3
    return np.concatenate((w[2 * H :], w[: 2 * H]))


def _n_last(w: Array) -> Array:
    """The rows of the parts n, r, z in the order r, z, n."""
    H = len(w) // 3
    return np.concatenate((w[H:], w[:H]), out=empty(w.shape, w.dtype))
