"""The Elman RNN over a whole sequence, and backpropagation through time as a loop you can point at."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyrnn.kernels.gates import SHORT, plus
from tinyrnn.kernels.memory import copy, empty, product
from tinyrnn.kernels.sums import sum_rows
from tinyrnn.kernels.workspace import at, forward_done, lend

Array = npt.NDArray[Any]
Gradients = tuple[Array | None, ...]
Pullback = Callable[..., Gradients]  # of a gradient for each result, and which gradients are needed
FEW = 512  # steps, up to which it does not matter much how much memory a step takes
ONE = {np.dtype(t): np.array(1, t) for t in (np.float32, np.float64)}  # a Python number costs NumPy 0.25 us more
PIECE = 2**17  # numbers in the da_t that the backward loop keeps at once


def relu(a: Array, out: Array) -> Array:
    """h = max(a, 0)."""
    return np.maximum(a, 0, out=out)


def sigmoid(a: Array, out: Array) -> Array:
    """h = 1 / (1 + e^-a) = tanh(a/2)/2 + 1/2, which cannot overflow. Its error is small beside 1, not beside h."""
    np.tanh(np.multiply(a, 0.5, out), out)
    return np.add(np.multiply(out, 0.5, out), 0.5, out)


def one_minus_square(h: Array, out: Array) -> Array:
    """1 - h^2."""
    return np.subtract(ONE.get(h.dtype, 1), np.multiply(h, h, out), out)


def not_zero(h: Array, out: Array) -> Array:
    """1 where h > 0, the derivative of relu: 0 at the kink; NaN goes on."""
    np.not_equal(h, 0, out)
    return out


def times_rest(h: Array, out: Array) -> Array:
    """h (1 - h)."""
    return np.multiply(h, np.subtract(1, h, out), out)


def ones(h: Array, out: Array) -> Array:
    """1."""
    out[...] = 1
    return out


# Each nonlinearity h = f(a), called as f(a, out), and its derivative f'(a) in terms of h, likewise: no a is kept.
NONLINEARITIES: dict[str, tuple[Callable[[Array, Array], object], Callable[[Array, Array], Array]]] = {
    "tanh": (np.tanh, one_minus_square),
    "relu": (relu, not_zero),
    "sigmoid": (sigmoid, times_rest),
    "identity": (np.positive, ones),
}


def not_kept(*_: Any) -> Gradients:
    """The pullback where nothing was kept for it."""
    raise RuntimeError("this forward pass kept nothing for a backward pass: run it with keep=True")


def in_one_row(T: int, N: int, I: int, H: int, keep: bool) -> bool:
    """Whether x_t and 1 stand beside h_{t-1}, so that one product makes all of a_t: where the copy of x is small."""
    return N == 1 and I * H <= SHORT and (I <= H if T <= FEW else keep and 4 * I <= H)


def rnn(
    x: Array,
    h0: Array,
    w_ih: Array,
    w_hh: Array,
    b_ih: Array | None,
    b_hh: Array | None,
    nonlinearity: str = "tanh",
    reverse: bool = False,
    keep: bool = True,
) -> tuple[tuple[Array, Array], Pullback]:
    """h_t = f(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh) for t = 1..T, or for t = T..1 with `reverse`.

    Forward, t = 1..T, from h_0            Backward, t = T..1, from dh = dL/dh_n
        a_t = W_ih x_t + b_ih                  dh_t = dL/dy_t + dh     h_t is an output, and feeds step t+1
            + W_hh h_{t-1} + b_hh              da_t = f'(a_t) dh_t     through f, element by element
        y_t = h_t = f(a_t)                     dh   = W_hh^T da_t      what step t hands to step t-1
        h_n = h_T                          and then dh_0 = dh,  dx_t = W_ih^T da_t,  dW_ih = sum_t da_t x_t^T,
                                           dW_hh = sum_t da_t h_{t-1}^T,  db_ih = db_hh = sum_t da_t.
    With `reverse`, h_{t+1} stands for h_{t-1} and h_1 for h_T, and both loops walk the other way.

    Shapes: x (T, N, I), y (T, N, H), h0 and h_n (N, H), w_ih (H, I), w_hh (H, H), b_ih and b_hh (H,) or both
        None: T >= 1 steps, N sequences, I inputs, H hidden units, all of one dtype. f: see NONLINEARITIES.
    Returns (y, h_n) and pullback(dy, dh_n, needs): the gradients of the six arrays in the order of the
        arguments, None where `needs` is False, each an array of its own. It may be called repeatedly, unless `keep`
        is False: then nothing is kept for it.
    Source: Elman, Finding structure in time (1990); Rumelhart, Hinton & Williams, Learning representations by
        back-propagating errors (1986); Werbos, Backpropagation through time (1990). Convention: torch.nn.RNN.

    >>> (y, h_n), pullback = rnn(np.ones((3, 1, 1)), *np.ones((3, 1, 1)), None, None, "identity")
    >>> y.ravel()  # h_t = w h_{t-1} + x_t, all of them 1
    array([2., 3., 4.])
    >>> dy, dh_n, needs = np.zeros((3, 1, 1)), np.ones((1, 1)), (False, False, False, True, False, False)
    >>> pullback(dy, dh_n, needs)[3]  # dh_3/dw = h_2 + w h_1 + w^2 h_0
    array([[6.]])
    """
    (T, N, I), H = x.shape, h0.shape[1]
    f, derivative = NONLINEARITIES[nonlinearity]
    add, multiply = np.add, np.multiply
    step = -1 if reverse else 1

    lent: Any = None
    if not in_one_row(T, N, I, H, keep):
        walk = empty((T + 1, N, H), x.dtype)  # the states in the order in which they are visited, h_0 first
        walk[0] = h0
        # The input's share of a_t needs no state: one product for all t, put where h_t will stand.
        shares = walk[1:].reshape(T * N, H)  # one step after the other: this reshape is a view
        x[::step].reshape(T * N, I).dot(w_ih.T, shares)
        if b_ih is not None and b_hh is not None:
            shares += b_ih + b_hh
        # Three NumPy calls a step (a sigmoid's: six), each into memory that exists already.
        # h.dot(U, out) costs half of np.dot(h, U, out) when h is small; a copy U = W_hh^T is faster than a view.
        U, Uh, h = np.ascontiguousarray(w_hh.T), np.empty((N, H), x.dtype), walk[0]
        for a in walk[1:]:
            add(a, h.dot(U, Uh), a)
            f(a, a)
            h = a
    else:  # the same in one product: a_t = [h_{t-1}, x_t, 1] M, two NumPy calls a step (a sigmoid's: five)
        lent = lend(_Rows, T, N, I, H, x.dtype)
        rows: _Rows = at(lent)
        M, s, walk = rows.weights, rows.s, rows.walk
        M[:H], M[H:-1], M[-1] = w_hh.T, w_ih.T, 0 if b_ih is None or b_hh is None else b_ih + b_hh
        s[0, :H], s[:T, H:-1] = h0, x[::step, 0]
        for s_t, a in rows.steps:
            s_t.dot(M, a)
            f(a, a)
        forward_done(lent)
    y, h_n = walk[1:][::step], walk[T].copy()  # y: the states in the order of x

    if not keep:
        return (y if lent is None else y.copy(), h_n), not_kept

    def pullback(dy: Array, dh_n: Array, needs: Sequence[bool]) -> Gradients:
        W, dh, dx = np.ascontiguousarray(w_hh), dh_n.copy(), np.empty_like(x) if needs[0] else None
        dw_ih: Array | None = None
        dw_hh: Array | None = None
        db: Array | None = None
        d: Array | None = None  # [dW_hh, dW_ih, .]
        dys = dy[::step]  # as the states in `walk`, in the order in which the steps are visited
        # Steps at a time, so that da does not take the memory of all of them; about as many each time, so that one
        # piece takes the memory of another.
        pieces = -(-T // max(1, PIECE // max(1, N * H)))
        size = -(-T // pieces)
        for stop in range(T, 0, -size):
            start = max(0, stop - size)
            back = lend(_Back, stop - start, N, H, x.dtype)
            da = derivative(walk[start + 1 : stop + 1], at(back).da)  # f'(a_t), which the loop turns into da_t
            for da_t, dy_t in zip(at(back).steps, dys[start:stop][::-1], strict=True):
                add(dh, dy_t, dh)
                multiply(da_t, dh, da_t)
                da_t.dot(W, dh)

            # With every da_t a row, a sum over t (and over the batch) is one product.
            das = da.reshape(-1, H)
            if dx is not None:
                dx[::step][start:stop] = product(das, w_ih).reshape(stop - start, N, I)
            if lent is not None:  # whose rows are not lent again while this pullback holds it
                if needs[2] or needs[3]:
                    d = plus(d, product(das.T, at(lent).s[start:stop]))
            else:
                if needs[2]:
                    dw_ih = plus(dw_ih, product(das.T, x[::step][start:stop].reshape(-1, I)))
                if needs[3]:
                    dw_hh = plus(dw_hh, product(das.T, walk[start:stop].reshape(-1, H)))
            if needs[4] or needs[5]:
                db = plus(db, sum_rows(das).astype(np.promote_types(das.dtype, np.float64)))
        return (
            dx,
            dh if needs[1] else None,
            dw_ih if d is None else copy(d[:, H:-1]) if needs[2] else None,
            dw_hh if d is None else copy(d[:, :H]) if needs[3] else None,
            db.astype(das.dtype) if db is not None and needs[4] else None,
            db.astype(das.dtype) if db is not None and needs[5] else None,
        )

    # The pullback reads the states, and whoever gets y may write into it.
    return (copy(y), h_n), pullback


class _Rows:
    """The rows [h_{t-1}, x_t, 1] of T steps, the last only with h_T, and the weights M in the same order."""

    def __init__(self, T: int, N: int, I: int, H: int, dtype: np.dtype[Any]) -> None:
        self.weights, self.s = np.empty((H + I + 1, H), dtype), empty((T + 1, H + I + 1), dtype)
        self.s[:, -1] = 1
        self.walk = self.s[:, None, :H]  # the states in the order in which they are visited, h_0 first
        self.steps: Iterable[Any] = zip(self.s[:T], self.s[1:, :H], strict=True)


class _Back:
    """The da_t of n steps; `steps` begins with the last."""

    def __init__(self, n: int, N: int, H: int, dtype: np.dtype[Any]) -> None:
        self.da = empty((n, N, H), dtype)
        self.steps: Iterable[Any] = self.da[::-1]
