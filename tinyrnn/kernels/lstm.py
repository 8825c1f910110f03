"""The LSTM over a whole sequence, and backpropagation through time as a loop you can point at."""

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
from tinyrnn.kernels.memory import LARGE, copy, empty, product
from tinyrnn.kernels.rnn import ONE, Gradients, Pullback, not_kept
from tinyrnn.kernels.workspace import at, forward_done, lend


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
    keep: bool = True,
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
        arguments, None where `needs` is False, each an array of its own. It may be called repeatedly, unless `keep`
        is False: then nothing is kept for it.
    Source: Hochreiter and Schmidhuber, Long short-term memory (1997); the forget gate: Gers, Schmidhuber and Cummins
        (2000); the projection: Sak, Senior and Beaufays (2014). Convention: torch.nn.LSTM.

    >>> none, ones = np.zeros((4, 1)), np.ones((2, 1, 1))  # with all weights 0: every gate 1/2, and g = 0
    >>> (y, h_n, c_n), pullback = lstm(ones, ones[0], ones[0], none, none, None, None)
    >>> c_n  # c_2 = f c_1 = f f c_0
    array([[0.25]])
    """
    (T, N, I), H, P, dtype = x.shape, c0.shape[1], h0.shape[1], x.dtype
    add, subtract, multiply, tanh = np.add, np.subtract, np.multiply, np.tanh
    step = -1 if reverse else 1
    xs, with_x = x[::step], beside(I, H, N)
    K = P + 1 + I if with_x else P + 1  # without x_t its share is made in advance
    lent = lend(_Forward, T, N, I, H, P, K, w_hr is not None, with_x, keep, dtype)
    room = at(lent)
    s, blocks = room.s, room.blocks

    # All weights in one matrix: a_t = M [h_{t-1}; 1; x_t] is one product. s(a) = tanh(a/2)/2 + 1/2, which cannot
    # overflow: with the rows of i, f and o halved, one tanh serves all gates, and then `scale` and `shift` do.
    M, halves, scale, shift = room.weights
    M[:, :P], M[:, P], M[:, P + 1 :] = w_hh, 0 if b_ih is None or b_hh is None else b_ih + b_hh, w_ih
    multiply(M, halves, M)
    U = M[:, :K]

    s[0, :P], blocks[0, 0] = h0.T, c0.T
    if with_x:
        s[:T, P + 1 :] = xs.transpose(0, 2, 1)
    else:
        share(xs, M[:, P + 1 :], room.shares)
    Uh, tanh_c, both, fc, ig = room.scratch
    # Eight NumPy calls a step, or nine, each into memory that exists already.
    for s_t, h, share_t, a_t, gates, c_i, f_g, o, c, m_t in room.steps:
        if with_x:
            U.dot(s_t, a_t)
        else:
            add(U.dot(s_t, Uh), share_t, a_t)
        tanh(a_t, a_t)
        multiply(gates, scale, gates)
        add(gates, shift, gates)
        multiply(c_i, f_g, both)
        add(fc, ig, c)
        tanh(c, tanh_c)
        multiply(o, tanh_c, m_t)
        if w_hr is not None:
            w_hr.dot(m_t, h)
    forward_done(lent)
    y = empty((T, N, P), dtype)
    y[::step] = s[1:, :P].transpose(0, 2, 1)
    results = y, y[::step][-1].copy(), blocks[T, 0].T.copy()
    if not keep:
        return results, not_kept

    def pullback(dy: Array, dh_n: Array, dc_n: Array, needs: Sequence[bool]) -> Gradients:
        room = at(lent)  # not lent again while this pullback holds it
        s, blocks, m = room.s, room.blocks, room.m
        dys = dy[::step].transpose(0, 2, 1)
        dh, dc = np.array(dh_n.T, order="C"), np.array(dc_n.T, order="C")
        W = w_hh.T if N == 1 and T < COPY else np.ascontiguousarray(w_hh.T)
        m_to_h = None if w_hr is None else np.ascontiguousarray(w_hr.T)
        dm = dh if m_to_h is None else np.empty((H, N), dtype)
        twice, four_times = np.empty((2, H, N), dtype), np.empty((4, H, N), dtype)
        one, small = ONE.get(dtype, 1), H * N < BROADCAST
        dU: Array | None = None
        dR: Array | None = None
        db: Array | None = None
        dx = np.empty_like(x) if needs[0] else None
        dw_hr: Array | None = None
        project = m_to_h is not None and needs[7]

        for start, stop, parts in pieces(T, H, N):
            das = None if N == 1 and len(parts) == 1 else room_for(stop - start, 4 * H, N, dtype)
            dhs = room_for(stop - start, P, N, dtype) if project else None
            for first, end in parts:
                # What does not depend on the incoming gradient is computed for a block of steps at once, in this order:
                #     f  |  g s'(i),  c_{t-1} s'(f),  i (1 - g^2),  tanh c s'(o)  |  o (1 - tanh^2 c)
                # Times dc for the first four and dm for the others, they become the next dc, da, what is added to dc.
                factors, c_gates = lend(_Backward, end - first, N, H, dtype), blocks[first:end]
                f_f, f_i_f, f_g, f_o, f_c, f_gates, da = at(factors).parts
                gates = c_gates[:, 1:]
                multiply(gates, gates, f_gates)
                subtract(gates[:, :2], f_i_f, f_i_f)
                subtract(gates[:, 3], f_o, f_o)
                subtract(one, f_g, f_g)
                tanh_cs = tanh(blocks[first + 1 : end + 1, 0], f_f)
                multiply(f_i_f, c_gates[:, 3::-3], f_i_f)  # by g and c_{t-1}
                multiply(f_g, gates[:, 0], f_g)
                multiply(f_o, tanh_cs, f_o)
                multiply(tanh_cs, tanh_cs, f_c)
                subtract(one, f_c, f_c)
                multiply(f_c, gates[:, 3], f_c)
                f_f[...] = gates[:, 1]

                times, dys_back = range(end - start - 1, first - start - 1, -1), dys[first:end][::-1]
                for t, dy_t, (f_dm, to_c, f_dc, da_t, dc_before) in zip(
                    times, dys_back, at(factors).steps, strict=True
                ):
                    add(dh, dy_t, dh)
                    if m_to_h is not None:
                        if dhs is not None:
                            dhs[t] = dh
                        m_to_h.dot(dh, dm)
                    if small:  # copies of dm and dc for each of the blocks cost half of broadcasting
                        twice[...] = dm
                        multiply(f_dm, twice, f_dm)
                        add(dc, to_c, dc)
                        four_times[...] = dc
                        multiply(f_dc, four_times, f_dc)
                    else:
                        multiply(f_dm, dm, f_dm)
                        add(dc, to_c, dc)
                        multiply(f_dc, dc, f_dc)
                    W.dot(da_t, dh)
                    dc = dc_before  # in this block's workspace, which is held until the next block's has been lent
                if das is not None:
                    das[first - start : end - start] = da

            # The weights' gradients: sums over steps and sequences, while these steps are in the cache.
            d, rows = side_by_side(da if das is None else das), slice(start, stop)
            if needs[4] or (needs[3] and with_x):
                dU = plus(dU, product(d, side_by_side(s[rows]).T))
            if needs[5] or needs[6]:
                db = plus(db, sum_columns(d))
            if needs[3] and not with_x:
                dR = plus(dR, product(d, xs[rows].reshape(-1, I)))
            if dx is not None:
                dx[::step][rows] = product(d.T, w_ih).reshape(stop - start, N, I)
            if dhs is not None:
                dw_hr = plus(dw_hr, product(side_by_side(dhs), side_by_side(m[rows]).T))

        if dU is not None and with_x and needs[3]:
            dR = copy(dU[:, P + 1 :])
        return (
            dx,
            dh.T if needs[1] else None,
            dc.T.copy() if needs[2] else None,
            dR,
            copy(dU[:, :P]) if dU is not None and needs[4] else None,
            db.astype(dtype) if db is not None and needs[5] else None,
            db.astype(dtype) if db is not None and needs[6] else None,
            dw_hr,
        )

    return results, pullback


class _Forward:
    """The weights of a forward pass, and its steps: the columns s; c, i, f, g, o in one block; m, without W_hr h."""

    def __init__(
        self,
        T: int,
        N: int,
        I: int,
        H: int,
        P: int,
        K: int,
        projected: bool,
        with_x: bool,
        keep: bool,
        dtype: np.dtype[Any],
    ) -> None:
        # Which way M lies in memory: as BLAS is faster with it.
        M = np.empty((P + 1 + I, 4 * H), dtype).T if N == 1 else np.empty((4 * H, P + 1 + I), dtype)
        scale = np.array([0.5, 0.5, 1, 0.5], dtype).reshape(4, 1, 1)
        shift, halves = 1 - scale, scale.repeat(H).reshape(4 * H, 1)
        if N == 1 and M.nbytes < LARGE:  # laid out as M: twice as fast as a column
            halves = np.array(np.broadcast_to(halves, M.shape), order="F")
        if H * N < BROADCAST:
            scale, shift = (np.array(np.broadcast_to(each, (4, H, N))) for each in (scale, shift))
        self.weights = M, halves, scale, shift

        self.s = s = empty((T + 1, K, N), dtype)
        s[:, P] = 1
        # Each step c_{t-1}, i, f, g, o, so that [c, i] * [f, g] is one call; the last only holds c_T.
        self.blocks = blocks = empty((T + 1, 5, H, N), dtype) if keep else same_memory(T + 1, (5, H, N), dtype)
        gates = blocks[:T, 1:]
        a = gates.reshape(T, 4 * H, N)
        self.m = empty((T, H, N), dtype) if projected else s[1:, :P]
        # The input's share of a_t: kept where a_t will stand.
        self.shares = a if keep else empty((0 if with_x else T, 4 * H, N), dtype)
        both = np.empty((2, H, N), dtype)
        self.scratch = np.empty((4 * H, N), dtype), np.empty((H, N), dtype), both, *both
        self.steps: Iterable[Any] = zip(
            s,
            s[1:, :P],
            a if with_x else self.shares,
            a,
            gates,
            blocks[:, :2],
            blocks[:, 2:4],
            blocks[:, 4],
            blocks[1:, 0],
            self.m,
            strict=False,
        )


class _Backward:
    """The factors of a block of n steps, and the views of each, the last one first."""

    def __init__(self, n: int, N: int, H: int, dtype: np.dtype[Any]) -> None:
        f = empty((n, 6, H, N), dtype)
        da, back = f[:, 1:5].reshape(n, 4 * H, N), f[::-1]
        self.parts = f[:, 0], f[:, 1:3], f[:, 3], f[:, 4], f[:, 5], f[:, 1:5], da
        self.steps: Iterable[Any] = zip(back[:, 4:], back[:, 5], back[:, :4], da[::-1], back[:, 0], strict=True)
