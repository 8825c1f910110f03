"""Back-propagation through time by hand: three steps of a small RNN, every number of which is printed.

`python demos/bptt_by_hand.py` takes a second and draws out/bptt_by_hand.png; --help lists the options. Take a pocket
calculator and follow the sheet: each line gives an equation in numbers, rounded to four places, and its result.

    a_t = W_ih x_t + W_hh h_{t-1},  h_t = tanh(a_t),  y_t = V h_t,  L_t = (y_t - d_t)^2 / 2,  L = L_1 + L_2 + L_3

What it shows
1. A state h_t acts in two ways, on its own output y_t and on all later steps through h_{t+1}. So dL/dh_t has two terms,
   and the second is known only if one comes from later: backwards through time.
2. W_hh is one matrix used three times. Its gradient is a sum over the uses, or, unfolded, over the pairs (t, k): what
   the loss of step t says about the use at step k <= t. Six pairs: the map in the picture.
3. Five ways to the same numbers: by hand; the tape, over a loop of cells, where every h_t has the gradient that the
   sheet gives it; the fused kernel of nn.RNN; central differences; and real-time recurrent learning, which goes
   forwards and carries dh_t/dw along for every weight w. On ten seeds they agree to 1e-15 of the largest gradient,
   central differences to 1e-9.
4. What truncation leaves out. With truncation K a loss goes back K steps, and the pairs with t - k >= K are missing.
   Here dL/dW_hh is off by 101% at K = 1, with a wrong sign in two entries of four (0 would be as good), and by 52% at
   K = 2. With --gain 0.2, W_hh times 0.2, it is 32% and 4%: nobody need go back for what is soon forgotten. With
   --gain 2 it is 98% and 83%; with --gain 10 next to nothing, since every tanh is at its end and lets no gradient by.
--seed 1, 2, ... gives other numbers: a sheet to work out oneself, before one looks. bptt_sheet.py prints and draws.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

import bptt_sheet
import common
import tinyrnn
from bptt_sheet import row
from tinyrnn import nn

STEPS = (1, 2, 3)
Array = np.ndarray
Gradient = list[Array]  # dL/dW_ih (2, 1), dL/dW_hh (2, 2), dL/dV (1, 2)


class Net(NamedTuple):
    """H = 2 units; the input x_t and the target d_t are one number each."""

    W: Array  # W_ih (2, 1)
    U: Array  # W_hh (2, 2)
    V: Array  # (1, 2)
    h0: Array  # (2,)
    x: Array  # (4, 1): x[t] is x_t, and x[0] is not used
    d: Array  # (4,), likewise


class Sheet(NamedTuple):
    """All that is calculated by hand, as the functions below say."""

    a: Array
    h: Array
    e: Array
    dh: Array
    da: Array
    sent: Array
    gradient: Gradient
    terms: dict[tuple[int, int], tuple[Array, Array]]
    J: Array


def numbers(seed: int, gain: float) -> Net:
    """Numbers chosen for easy products; those of any seed but 0 are drawn."""
    chosen = [0.5, -0.5, -1, 1, -0.5, -0.5, 1, -0.5, -1, 1, 0, -0.5, 1, 0.5, 0, -0.5, -0.5, 1]
    drawn = [(-1, -0.5, 0.5, 1)[i] for i in tinyrnn.randint(4, (18,)).tolist()]
    W, U, V, h0, x, d = np.split(np.array(drawn if seed else chosen, float), (2, 6, 8, 10, 14))
    return Net(W.reshape(2, 1), gain * U.reshape(2, 2), V.reshape(1, 2), h0, x.reshape(4, 1), d)


def forward(net: Net) -> tuple[Array, Array, Array]:
    """a and h (4, 2) of t = 0..3, where a_0 is not used, and e_t = y_t - d_t = dL/dy_t (4,)."""
    a, h = np.zeros((4, 2)), np.zeros((4, 2))
    h[0] = net.h0
    for t in STEPS:
        a[t] = net.W @ net.x[t] + net.U @ h[t - 1]
        h[t] = np.tanh(a[t])
    return a, h, h @ net.V[0] - net.d


def backward(net: Net, h: Array, e: Array) -> tuple[Array, Array, Array, Gradient]:
    """dh_t = dL/dh_t, da_t = dL/da_t, and what step t sends back to t-1, each (5, 2); then the gradients."""
    dh, da, sent = np.zeros((3, 5, 2))
    for t in reversed(STEPS):
        dh[t] = net.V[0] * e[t] + sent[t + 1]  # its own output, and all that is later; after step 3 nothing comes
        da[t] = (1 - h[t] ** 2) * dh[t]  # through tanh
        sent[t] = net.U.T @ da[t]  # W_hh^T: back along the way by which h_{t-1} came in
    dh[0] = sent[1]
    dW = sum(np.outer(da[t], net.x[t]) for t in STEPS)
    dU = sum(np.outer(da[t], h[t - 1]) for t in STEPS)
    dV = sum(np.outer(e[t], h[t]) for t in STEPS)
    return dh, da, sent, [dW, dU, dV]


def pairs(net: Net, h: Array, e: Array) -> dict[tuple[int, int], tuple[Array, Array]]:
    """For all k <= t: delta = dL_t/da_k, and delta h_{k-1}^T, which is what L_t adds to dL/dW_hh through step k."""
    terms = {}
    for t in STEPS:
        delta = (1 - h[t] ** 2) * net.V[0] * e[t]
        for k in range(t, 0, -1):
            terms[t, k] = delta, np.outer(delta, h[k - 1])
            delta = (1 - h[k - 1] ** 2) * (net.U.T @ delta)  # a step further back: one more factor
    return terms


def in_tinyrnn(net: Net, layer: Any) -> tuple[Any, ...]:
    """A cell or a layer with the weights of the net, then V, x and d as tensors."""
    module = layer(1, 2, bias=False, dtype=tinyrnn.float64)
    for weight, value in zip(module.parameters(), (net.W, net.U), strict=True):
        weight.data = tinyrnn.tensor(value)
    return module, tinyrnn.tensor(net.V, requires_grad=True), tinyrnn.tensor(net.x), tinyrnn.tensor(net.d)


def by_tape(net: Net) -> tuple[Gradient, Array]:
    """A loop over a cell, op by op; also dL/dh_t of every t."""
    cell, V, x, d = in_tinyrnn(net, nn.RNNCell)
    h, loss = [tinyrnn.tensor(net.h0, requires_grad=True)], 0
    for t in STEPS:
        h.append(cell(x[t], h[t - 1]))
        h[t].retain_grad()
        loss = loss + ((V @ h[t] - d[t]) ** 2 / 2).sum()
    loss.backward()
    return [weight.grad.numpy() for weight in (*cell.parameters(), V)], np.array([h_t.grad.numpy() for h_t in h])


def by_truncated_tape(net: Net, truncation: int) -> Array:
    """dL/dW_hh if each loss goes back so many steps: to a state that is cut off from what made it."""
    cell, V, x, d = in_tinyrnn(net, nn.RNNCell)
    _, h, _ = forward(net)
    for t in STEPS:
        start = max(0, t - truncation)
        h_t = tinyrnn.tensor(h[start])  # numbers, with no past; in a program, h_t.detach()
        for k in range(start + 1, t + 1):
            h_t = cell(x[k], h_t)
        ((V @ h_t - d[t]) ** 2 / 2).sum().backward()  # adds to .grad
    return cell.weight_hh.grad.numpy()


def by_kernel(net: Net) -> Gradient:
    """All steps as one node, whose backward pass was derived by hand: tinyrnn/kernels/rnn.py."""
    rnn, V, x, d = in_tinyrnn(net, nn.RNN)
    y, _ = rnn(x[1:], tinyrnn.tensor(net.h0[None]))
    (((y @ V[0] - d[1:]) ** 2) / 2).sum().backward()
    return [weight.grad.numpy() for weight in (*rnn.parameters(), V)]


def by_differences(net: Net, step: float = 2e-6) -> Gradient:
    """(L(w + step) - L(w - step)) / (2 step), one weight w after the other."""
    gradient = [np.zeros_like(weight) for weight in net[:3]]
    for i, weight in enumerate(net[:3]):
        for place in np.ndindex(weight.shape):
            for sign in (1, -1):
                moved = [np.array(array) for array in net]
                moved[i][place] += sign * step
                _, _, e = forward(Net(*moved))
                gradient[i][place] += sign * (e[1:] ** 2 / 2).sum() / (2 * step)
    return gradient


def by_forward_mode(net: Net, h: Array, e: Array) -> tuple[Gradient, Array]:
    """Real-time recurrent learning: J_t = dh_t/dw (2, 6), for every w of W_ih and W_hh, goes along with the state."""
    J = np.zeros((4, 2, 6))
    for t in STEPS:
        direct = np.hstack([np.kron(np.eye(2), net.x[t]), np.kron(np.eye(2), h[t - 1])])  # da_t/dw, were h_{t-1} fixed
        J[t] = (1 - h[t][:, None] ** 2) * (direct + net.U @ J[t - 1])
    g = sum(e[t] * net.V[0] @ J[t] for t in STEPS)
    return [g[:2].reshape(2, 1), g[2:].reshape(2, 2), sum(np.outer(e[t], h[t]) for t in STEPS)], J


def difference(found: Gradient, expected: Gradient) -> float:
    """The largest, relative to the largest entry."""
    found, expected = (np.concatenate([array.ravel() for array in arrays]) for arrays in (found, expected))
    return np.abs(found - expected).max() / np.abs(expected).max()


def calculate(net: Net) -> Sheet:
    a, h, e = forward(net)
    return Sheet(a, h, e, *backward(net, h, e), pairs(net, h, e), by_forward_mode(net, h, e)[1])


def compare(net: Net, sheet: Sheet) -> None:
    """The five ways, beside each other."""
    hand, (tape, tape_dh) = sheet.gradient, by_tape(net)
    exact = {"tape": tape, "kernel of nn.RNN": by_kernel(net)}
    exact["forward mode (RTRL)"], _ = by_forward_mode(net, sheet.h, sheet.e)
    print(f"\n5. FIVE WAYS{'dW_ih':>21}{'dW_hh':>27}{'dV':>25}       off by")
    print(f"  {'by hand':20}{' '.join(map(row, hand))}")
    for name, gradient in {**exact, "central differences": by_differences(net)}.items():
        print(f"  {name:20}{' '.join(map(row, gradient))}   {difference(gradient, hand):.0e}")
    dh = sheet.dh[:4]
    print(f"  dh_0 to dh_3 by hand{row(dh)}\n  and by the tape     {row(tape_dh)}   {difference([tape_dh], [dh]):.0e}")
    worst = max(difference(gradient, hand) for gradient in exact.values())
    print(f"largest relative difference: {worst:.0e} (central differences, which are not exact, left out)")


def truncate(net: Net, sheet: Sheet) -> list[float]:
    """What truncation to K = 1, 2, 3 steps leaves of dL/dW_hh; returns which part of it is missing."""
    print("\n6. TRUNCATION  dW_hh of the pairs with t - k < K; how far it is from that of all, relative to its size")
    dU, missing = sheet.gradient[1], []
    for K in STEPS:
        kept = sum(share for (t, k), (_, share) in sheet.terms.items() if t - k < K)
        missing.append(np.linalg.norm(kept - dU) / np.linalg.norm(dU))
        print(f"  K = {K}  {row(kept)}   off by {missing[-1]:.0%}, wrong signs: {(kept * dU < 0).sum()}", end="")
        print(f"   tape, h_{{t-{K}}} detached: {difference([by_truncated_tape(net, K)], [kept]):.0e}")
    return missing


def landmark() -> None:
    """A case that is known in closed form, by tape and by kernel."""
    w = tinyrnn.tensor(0.5, dtype=tinyrnn.float64, requires_grad=True)
    (w * (w * (w * 2))).backward()
    rnn = nn.RNN(1, 1, nonlinearity="identity", bias=False, dtype=tinyrnn.float64)
    nn.init.constant_(rnn.weight_hh_l0, 0.5)
    _, h_3 = rnn(tinyrnn.zeros(3, 1, dtype=tinyrnn.float64), tinyrnn.full((1, 1), 2, dtype=tinyrnn.float64))
    h_3.sum().backward()
    print("\n7. A LANDMARK  h_t = w h_{t-1} has h_3 = w^3 h_0: dh_3/dw = 3 w^2 h_0, a third of it for each use of w")
    print("  w = 0.5, h_0 = 2: h_1 = 1, h_2 = 0.5, dh_3/dw = h_2 + w h_1 + w^2 h_0 = 0.5 + 0.5 + 0.5 = 3*0.5^2*2 = 1.5")
    print(f"  tape {w.grad.item()}, kernel {rnn.weight_hh_l0.grad.item()}; truncated to 1, 2, 3 steps: 0.5, 1.0, 1.5")


def main(argv: list[str] | None = None) -> None:
    parser = common.options("Back-propagation through time by hand, every number printed.")
    parser.add_argument("--gain", type=float, default=1.0, help="W_hh is multiplied by it (default: %(default)s)")
    args = common.begin(parser, argv, "bptt_by_hand")
    with common.refusing(parser):
        if not 0 <= args.gain <= 10:
            raise ValueError(f"--gain is {args.gain}, expected 0 to 10")
    net = numbers(args.seed, args.gain)
    sheet = calculate(net)
    bptt_sheet.print_sheet(net, sheet)
    compare(net, sheet)
    missing = truncate(net, sheet)
    landmark()
    if args.picture:
        bptt_sheet.draw(args.picture, net, sheet, missing)


if __name__ == "__main__":
    main()
