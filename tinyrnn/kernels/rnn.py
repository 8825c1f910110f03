"""The Elman RNN over a whole sequence, and backpropagation through time as a loop you can point at."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyrnn.kernels.gates import plus
from tinyrnn.kernels.memory import empty
from tinyrnn.kernels.sums import sum_rows

Array = npt.NDArray[Any]
Gradients = tuple[Array | None, ...]
Pullback = Callable[..., Gradients]  # of a gradient for each result, and which gradients are needed
PIECE = 2**17  # numbers in the da_t that the backward loop keeps at once


def relu(a: Array, out: Array) -> Array:
    """h = max(a, 0)."""
    return np.maximum(a, 0, out=out)


def sigmoid(a: Array, out: Array) -> Array:
    """h = 1 / (1 + e^-a) = tanh(a/2)/2 + 1/2, which cannot overflow. Its error is small beside 1, not beside h."""
    np.tanh(np.multiply(a, 0.5, out), out)
    return np.add(np.multiply(out, 0.5, out), 0.5, out)


def one_minus_square(h: Array) -> Array:
    """1 - h^2, with no second array for h^2."""
    square: Array = h * h
    np.subtract(1, square, out=square)
    return square


# Each nonlinearity h = f(a), called as f(a, out), and its derivative f'(a) in terms of h: no a is kept.
NONLINEARITIES: dict[str, tuple[Callable[[Array, Array], object], Callable[[Array], Array]]] = {
    "tanh": (np.tanh, one_minus_square),
    "relu": (relu, lambda h: (h != 0).astype(h.dtype)),  # h >= 0; 0 at the kink; NaN goes on
    "sigmoid": (sigmoid, lambda h: h * (1 - h)),
    "identity": (np.positive, lambda h: np.ones_like(h)),
}


def not_kept(*_: Any) -> Gradients:
    """The pullback where nothing was kept for it."""
    raise RuntimeError("this forward pass kept nothing for a backward pass: run it with keep=True")


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
        arguments, None where `needs` is False. db_ih and db_hh are one array. It may be called repeatedly, unless
        `keep` is False: then nothing is kept for it.
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

    walk = empty((T + 1, N, H), x.dtype)[::step]  # the states in the order they are visited, h_0 first
    walk[0] = h0
    y = walk[1:][::step]  # the states in the order of x

    # The input's share of a_t needs no state: one product for all t, put where h_t will stand.
    x.reshape(T * N, I).dot(w_ih.T, y.reshape(T * N, H))  # y's steps lie one after the other: this reshape is a view
    if b_ih is not None and b_hh is not None:
        y += b_ih + b_hh

    # Either loop: three NumPy calls a step (a sigmoid's forward: six), each into memory that exists already.
    # h.dot(U, out) costs half of np.dot(h, U, out) when h is small; a copy U = W_hh^T is faster than a view.
    U, Uh = np.ascontiguousarray(w_hh.T), np.empty((N, H), x.dtype)
    h = walk[0]
    for a in y[::step]:
        add(a, h.dot(U, Uh), a)
        f(a, a)
        h = a

    if not keep:
        return (y, h.copy()), not_kept

    def pullback(dy: Array, dh_n: Array, needs: Sequence[bool]) -> Gradients:
        W, dh, dx = np.ascontiguousarray(w_hh), dh_n.copy(), np.empty_like(x) if needs[0] else None
        dw_ih: Array | None = None
        dw_hh: Array | None = None
        db: Array | None = None
        xs, dys = x[::step], dy[::step]  # as the states in `walk`, in the order in which the steps are visited
        size = max(1, PIECE // max(1, N * H))  # steps at a time, so that da does not take the memory of all of them
        for stop in range(T, 0, -size):
            start = max(0, stop - size)
            da = derivative(walk[start + 1 : stop + 1])  # f'(a_t), which the loop turns into da_t
            for da_t, dy_t in zip(da[::-1], dys[start:stop][::-1], strict=True):
                add(dh, dy_t, dh)
                multiply(da_t, dh, da_t)
                da_t.dot(W, dh)

            # With every da_t a row, a sum over t (and over the batch) is one product.
            rows, columns = da.reshape(-1, H), da.reshape(-1, H).T
            if dx is not None:
                dx[::step][start:stop] = rows.dot(w_ih).reshape(stop - start, N, I)
            if needs[2]:
                dw_ih = plus(dw_ih, columns.dot(xs[start:stop].reshape(-1, I)))
            if needs[3]:
                dw_hh = plus(dw_hh, columns.dot(walk[start:stop].reshape(-1, H)))
            if needs[4] or needs[5]:
                db = plus(db, sum_rows(rows))
        return dx, dh if needs[1] else None, dw_ih, dw_hh, db if needs[4] else None, db if needs[5] else None

    # The pullback reads the states, and whoever gets y may write into it.
    return (y.copy(), h.copy()), pullback
