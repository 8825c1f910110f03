"""Back-propagation through time by hand: three steps of a small RNN, every number of which is printed.

`python demos/bptt_by_hand.py` takes a second and draws out/bptt_by_hand.png; --help lists the options. Take a pocket
calculator and follow the sheet: each line gives the equation in numbers, rounded to four places, and its result.

    a_t = W_ih x_t + W_hh h_{t-1},  h_t = tanh(a_t),  y_t = V h_t,  L = sum_t L_t,  L_t = (y_t - d_t)^2 / 2,  t = 1, 2, 3

What it shows
1. A state h_t acts in two ways: on its own output y_t, and on all later steps through h_{t+1}. So dL/dh_t has two
   terms, and the one that comes from later is there only if one goes through time backwards.
2. W_hh is one matrix used three times. Its gradient is a sum over the uses, and written out, over pairs (t, k): what
   the loss at step t says about the use at step k <= t. Six pairs: the map in the picture.
3. Five ways to the same numbers: by hand; the tape, over a loop of cells, whose gradient of every h_t is that of the
   sheet; the fused kernel of nn.RNN; central differences; and real-time recurrent learning, which goes forwards in time
   and carries dh_t/dw along for every weight w. On ten seeds all but the differences agree to 1e-15 of the largest
   gradient, the differences to 1e-9.
4. What truncation leaves out: with truncation K a loss reaches only the last K steps, and the pairs with t - k >= K are
   gone. With these numbers dL/dW_hh is off by 101% of its size at K = 1, with the wrong sign in two entries of four
   (zero would be as good an answer), and by 52% at K = 2. On another network it may not matter: with --gain 0.2 (W_hh
   times 0.2) it is 30% and 5%.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

import common
import tinyrnn
from common import BLACK, BLUE, GREY, ORANGE, RED
from tinyrnn import nn

STEPS = (1, 2, 3)
Array = np.ndarray
Gradient = list[Array]  # dL/dW_ih (2, 1), dL/dW_hh (2, 2), dL/dV (1, 2)


class Net(NamedTuple):
    """The weights, and what goes in: H = 2 units, an input x_t and a target d_t of one number for t = 1, 2, 3."""

    W: Array  # W_ih (2, 1)
    U: Array  # W_hh (2, 2)
    V: Array  # (1, 2)
    x: Array  # (4, 1); x[0] is not used, so that x[t] is x_t
    d: Array  # (4,), likewise
    h0: Array  # (2,)


def numbers(seed: int, gain: float) -> Net:
    """Numbers chosen for easy products; those of another seed than 0 are drawn."""
    flat = [0.5, -0.5, -1, 1, -0.5, -0.5, 1, -0.5, 0, -0.5, 1, 0.5, 0, -0.5, -0.5, 1, -1, 1]
    if seed:
        flat = [(-1, -0.5, 0.5, 1)[i] for i in tinyrnn.randint(4, (18,)).tolist()]
    W, U, V, x, d, h0 = np.split(np.array(flat), (2, 6, 8, 12, 16))
    return Net(W.reshape(2, 1), gain * U.reshape(2, 2), V.reshape(1, 2), x.reshape(4, 1), d, h0)


def forward(net: Net) -> tuple[Array, Array]:
    """h (4, 2), of t = 0..3, and e_t = y_t - d_t = dL/dy_t, (4,)."""
    h = [net.h0]
    for t in STEPS:
        h.append(np.tanh(net.W @ net.x[t] + net.U @ h[t - 1]))
    return np.array(h), np.array(h) @ net.V[0] - net.d


def backward(net: Net, h: Array, e: Array) -> tuple[Array, Array, Array, Gradient]:
    """dh_t = dL/dh_t, da_t = dL/da_t and what step t sends back to t-1, all (5, 2); then the gradients."""
    dh, da, sent = np.zeros((3, 5, 2))
    for t in reversed(STEPS):
        dh[t] = net.V[0] * e[t] + sent[t + 1]  # its own output, and all that is later; after step 3 comes nothing
        da[t] = (1 - h[t] ** 2) * dh[t]  # through tanh
        sent[t] = net.U.T @ da[t]  # W_hh^T: the way that h_{t-1} came in, backwards
    dh[0] = sent[1]
    dW = sum(np.outer(da[t], net.x[t]) for t in STEPS)
    dU = sum(np.outer(da[t], h[t - 1]) for t in STEPS)
    dV = sum(np.outer(e[t], h[t]) for t in STEPS)
    return dh, da, sent, [dW, dU, dV]


def pairs(net: Net, h: Array, e: Array) -> dict[tuple[int, int], tuple[Array, Array]]:
    """For k <= t: delta = dL_t/da_k, and delta h_{k-1}^T, the share of dL/dW_hh that loss t has through step k."""
    terms = {}
    for t in STEPS:
        delta = (1 - h[t] ** 2) * net.V[0] * e[t]
        for k in range(t, 0, -1):
            terms[t, k] = delta, np.outer(delta, h[k - 1])
            delta = (1 - h[k - 1] ** 2) * (net.U.T @ delta)  # one step further back: one more Jacobian
    return terms


def tensors(net: Net, layer: type) -> tuple:
    """A cell or layer of tinyrnn with the weights of the net, and V, x and d as tensors."""
    module = layer(1, 2, bias=False, dtype=tinyrnn.float64)
    for weight, value in zip(module.parameters(), (net.W, net.U), strict=True):
        weight.data = tinyrnn.tensor(value)
    return module, tinyrnn.tensor(net.V, requires_grad=True), tinyrnn.tensor(net.x), tinyrnn.tensor(net.d)


def by_tape(net: Net, truncation: int | None = None) -> tuple[Gradient, list[Array]]:
    """A loop over a cell, recorded op by op: the gradients, and those of every h_t."""
    cell, V, x, d = tensors(net, nn.RNNCell)
    h = [tinyrnn.tensor(net.h0, requires_grad=True)]
    for t in STEPS:
        h.append(cell(x[t], h[t - 1]))
        h[t].retain_grad()
    for t in STEPS:  # the gradients of the three losses add up
        h_t = h[t]
        if truncation:  # the last steps once more, from a state that is cut off from what made it
            first = max(0, t - truncation)
            h_t = h[first].detach()
            for k in range(first + 1, t + 1):
                h_t = cell(x[k], h_t)
        ((V @ h_t - d[t]) ** 2 / 2).sum().backward(retain_graph=True)
    gradients = [weight.grad.numpy() for weight in (*cell.parameters(), V)]
    return gradients, [] if truncation else [h_t.grad.numpy() for h_t in h]


def by_kernel(net: Net) -> Gradient:
    """The whole sequence as one node."""
    rnn, V, x, d = tensors(net, nn.RNN)
    y, _ = rnn(x[1:], tinyrnn.tensor(net.h0).unsqueeze(0))
    (((y @ V.T).squeeze(1) - d[1:]) ** 2 / 2).sum().backward()
    return [weight.grad.numpy() for weight in (*rnn.parameters(), V)]


def by_differences(net: Net, step: float = 1e-5) -> Gradient:
    """(L(w + step) - L(w - step)) / (2 step), one weight after the other."""
    found = []
    for name in ("W", "U", "V"):
        weight = getattr(net, name)
        gradient = np.empty_like(weight)
        for place in np.ndindex(weight.shape):
            nudge = np.zeros_like(weight)
            nudge[place] = step
            up, down = (
                (forward(net._replace(**{name: w}))[1][1:] ** 2).sum() / 2 for w in (weight + nudge, weight - nudge)
            )
            gradient[place] = (up - down) / (2 * step)
        found.append(gradient)
    return found


def by_forward_mode(net: Net) -> tuple[Gradient, list[Array]]:
    """Real-time recurrent learning: J_t = dh_t/dw for the six weights w of W_ih and W_hh, carried forwards."""
    h, e = forward(net)
    J = [np.zeros((2, 6))]
    for t in STEPS:
        direct = np.hstack([np.kron(np.eye(2), net.x[t]), np.kron(np.eye(2), h[t - 1])])  # da_t/dw with h_{t-1} fixed
        J.append((1 - h[t][:, None] ** 2) * (direct + net.U @ J[t - 1]))
    gradient = sum(e[t] * net.V[0] @ J[t] for t in STEPS)
    return [gradient[:2].reshape(2, 1), gradient[2:].reshape(2, 2), sum(np.outer(e[t], h[t]) for t in STEPS)], J
