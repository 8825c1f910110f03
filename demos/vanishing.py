"""Why gradients vanish and explode in a recurrent network, measured; and what clipping does for the training.

`python demos/vanishing.py` takes two seconds and draws out/vanishing.png; --help lists the options.

Back-propagation through time multiplies Jacobians, one for each step that it goes back:

    ds_T/ds_t = (ds_T/ds_{T-1}) ... (ds_{t+1}/ds_t),     dL/ds_t = (dL/ds_T) (ds_T/ds_t)

s is what is carried from step to step: h, in an LSTM h and c. The first half measures the norm of this product in
networks that have learned nothing yet. The second trains one in which it explodes, with clipping and without: it is to
tell whether a sequence of 50 numbers began with 1 or -1. Ten seeds found:

1. The norm falls, or grows, by about the same factor with each step back. The gradient of a random loss (marks) goes
   with it: no loss brings back what the product has lost.
2. RNN: the factor is diag(1 - h^2) W_hh. If all eigenvalues of W_hh are of size 0.5, 100 steps leave 4e-32 to 8e-32;
   0.9 leaves 5e-9 to 8e-7. Tanh only takes away: 1.0 leaves 2e-6 to 4e-3, 1.1 leaves 2e-4 to 0.7, and where a linear
   network of 1.5 would let the gradient grow 4e17 times, here it grows 14 to 3200 times.
3. Gates that are half open do not help: a GRU and an LSTM as they are drawn leave 2e-21 to 5e-16. An LSTM multiplies c
   by its forget gate: a bias of 1, which opens it, leaves 7e-9 to 1e-5, and 2 leaves 0.02 to 1.1.
4. Without clipping, one step over a large gradient throws the weights so far that tanh saturates, and then the gradient
   has vanished: 6 of 60 seeds learn all the same, 51 end with a loss of chance, 0.7, or more. Clipped to a norm of 0.1,
   all 60 end below 0.02. Without, it takes a learning rate of 0.002, not 0.2, for 57 of them to learn.
   (An explosion magnifies the last digit, too: other machines end elsewhere, and about as often.)
"""

from __future__ import annotations

import copy
import math
from pathlib import Path

import numpy as np

import common
import tinyrnn
from common import BLACK, BLUE, GREEN, ORANGE, PURPLE, RED, SKY
from tinyrnn import Tensor, nn, optim

HIDDEN = 32
LENGTH = 100  # steps that the Jacobians are multiplied over
RECALL = 50  # steps from the question to the answer, in the training
RADII = (0.5, 0.9, 1.0, 1.1, 1.5)  # of the RNNs' W_hh
COLORS = (BLUE, SKY, BLACK, ORANGE, RED, PURPLE, GREEN, GREEN, GREEN)  # of cells()
LINES, DOTS = ("-",) * 7 + ("--", "-."), (".",) * 7 + ("x", "+")
Norms = tuple[np.ndarray, np.ndarray, np.ndarray]


def cells() -> dict[str, nn.Module]:
    """What is measured: LSTM and GRU as they are drawn, and RNNs whose W_hh is a rotation, times a radius."""
    double = tinyrnn.float64
    rnns = {f"RNN, radius {radius}": nn.RNNCell(1, HIDDEN, dtype=double) for radius in RADII}
    for radius, cell in zip(RADII, rnns.values(), strict=True):
        nn.init.orthogonal_(cell.weight_hh, radius)  # of all eigenvalues, and of all singular values
    gated = {"GRU": nn.GRUCell(1, HIDDEN, dtype=double), "LSTM": nn.LSTMCell(1, HIDDEN, dtype=double)}
    open_gates = {f"LSTM, forget bias {b}": nn.LSTMCell(1, HIDDEN, dtype=double, forget_bias=b) for b in (1, 2)}
    return rnns | gated | open_gates


def gradients(cell: nn.Module, xs: Tensor, asks: Tensor) -> np.ndarray:
    """dL/ds_t of L = ask . s_T for each ask, for t = T ... 0: (T + 1, asks, size of s)."""
    s = [tinyrnn.zeros(*asks.shape, dtype=xs.dtype, requires_grad=True)]  # each ask has its own row of the batch
    for x in xs:
        x = x.expand(len(asks), 1)
        if isinstance(cell, nn.LSTMCell):
            s.append(tinyrnn.cat(cell(x, s[-1].chunk(2, dim=1)), dim=1))  # h and c, side by side
        else:
            s.append(cell(x, s[-1]))
        s[-1].retain_grad()
    (asks * s[-1]).sum().backward()
    return np.stack([s_t.grad.numpy() for s_t in reversed(s)])


def measure(cell: nn.Module, xs: Tensor) -> Norms:
    """The norms of ds_T/ds_t, of dh_T/dh_t, which is a part of it, and of dL/ds_t for a random L: for t = T ... 0."""
    H = cell.hidden_size
    size = 2 * H if isinstance(cell, nn.LSTMCell) else H
    v = tinyrnn.randn(1, size, dtype=xs.dtype)
    # To ask for one entry of s_T is to get a row of the Jacobian: one backward pass brings all of it, and dL/ds_t.
    rows = gradients(cell, xs, tinyrnn.cat([tinyrnn.eye(size, dtype=xs.dtype), v / v.norm()]))
    state, h = (np.linalg.norm(J, 2, axis=(1, 2)) for J in (rows[:, :size], rows[:, :H, :H]))  # the most it stretches
    return state, h, np.linalg.norm(rows[:, size], axis=1)


class Recall(nn.Module):
    """Reads x (T, N, 1), and says at its end whether it began with 1 or -1: logits (N, 1)."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn, self.linear = nn.RNN(1, HIDDEN), nn.Linear(HIDDEN, 1)
        nn.init.orthogonal_(self.rnn.weight_hh_l0, 1.5)  # so that it explodes

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.rnn(x)[1][0])


def train(steps: int, lr: float, clip: float) -> np.ndarray:
    """Trains two networks, alike at first, on the same batches, and clips the second.

    The loss, and the gradient's norm before and after clipping, of both at each step: (2, 3, steps done).
    """
    net = Recall()
    pair = [(net, math.inf), (copy.deepcopy(net), clip)]
    optimizers = [optim.SGD(net.parameters(), lr, momentum=0.9) for net, _ in pair]
    log = []
    with common.progress(steps) as bar:
        for _ in bar:
            answer = tinyrnn.randint(2, (32, 1)).float()
            x = 0.2 * tinyrnn.randn(RECALL, 32, 1)
            x[0] = 2 * answer - 1
            row = []
            for (net, max_norm), optimizer in zip(pair, optimizers, strict=True):
                loss = nn.functional.binary_cross_entropy_with_logits(net(x), answer)
                optimizer.zero_grad()
                loss.backward()
                before = nn.utils.clip_grad_norm_(net.parameters(), max_norm)
                after = nn.utils.get_total_norm([p.grad for p in net.parameters()])
                optimizer.step()
                row.append((loss.item(), before.item(), after.item()))
            log.append(row)
    return np.array(log).reshape(-1, 2, 3).transpose(1, 2, 0)


def draw(path: Path, norms: dict[str, Norms], log: np.ndarray, clip: float, title: str) -> None:
    """The norms against the steps back; the losses, and the gradients' norms before and after each clip: a PNG."""
    with common.drawing(path, (10.8, 4.7)) as figure:
        axes = figure.subplot_mosaic([["norms", "loss"], ["norms", "clips"]], width_ratios=(5, 4))
        figure.suptitle(title, fontsize=13)
        panel, loss, clips = axes["norms"], axes["loss"], axes["clips"]
        for (name, (state, _, gradient)), color, line, dot in zip(norms.items(), COLORS, LINES, DOTS, strict=True):
            panel.semilogy(state, line, color=color, label=name)
            panel.semilogy(range(20, LENGTH + 1, 20), gradient[20::20], dot, color=color)
        panel.text(2, 1e5, "marks: $dL/ds_t$ of a random loss", va="top", fontsize=10)
        panel.set(xlabel="steps back, T - t", ylabel="norm of $ds_T/ds_t$", ylim=(1e-12, 1e5))
        (free, clipped), steps = log, np.arange(1, log.shape[2] + 1)
        cut = clipped[1] > clipped[2]
        loss.semilogy(steps, free[0], color=RED)
        loss.semilogy(steps, clipped[0], color=BLUE)
        loss.set(ylabel="loss (nats)")
        loss.tick_params(labelbottom=False)
        clips.semilogy(steps, free[1], color=RED, label="not clipped")
        clips.semilogy(steps[cut], clipped[1, cut], ".", color=BLUE, label=f"clipped to {clip:g}: before")
        clips.semilogy(steps, clipped[2], color=BLACK, label="after")
        clips.vlines(steps[cut], clipped[2, cut], clipped[1, cut], color=SKY, zorder=0)
        clips.sharex(loss)
        clips.set(xlabel="training step", ylabel="gradient's norm")
        for line in (*panel.lines, *loss.lines, *clips.lines):
            line.set_snap(True)  # to whole pixels: a smaller file
        for above, source in ((panel, panel), (loss, clips)):
            lines = source.get_legend_handles_labels()
            above.legend(*lines, loc="lower center", bbox_to_anchor=(0.45, 1), ncols=3, frameon=False, fontsize=10)


def main(argv: list[str] | None = None) -> None:
    parser = common.options("Measures how gradients vanish and explode; trains with clipping and without.", steps=150)
    parser.add_argument("--lr", type=float, default=0.2, help="learning rate (default: %(default)s)")
    parser.add_argument("--clip", type=float, default=0.1, help="largest norm of the gradient (default: %(default)s)")
    args = common.begin(parser, argv, "vanishing")
    if not (0 < args.lr < math.inf and 0 < args.clip < math.inf):
        parser.error(f"--lr is {args.lr}, --clip is {args.clip}, expected numbers above 0")

    xs = tinyrnn.randn(LENGTH, 1, 1, dtype=tinyrnn.float64)
    norms = {name: measure(cell, xs) for name, cell in cells().items()}
    print(f"{'norm of ds_T/ds_t':20}{'10 back':>10}{'50':>10}{'100':>10}{'a step':>8}{'dh_T/dh_t':>11}{'dL/ds_t':>9}")
    for name, (state, h, gradient) in norms.items():
        some = "".join(f"{norm:10.1e}" for norm in state[[10, 50, 100]])
        print(f"{name:20}{some}{(state[100] / state[50]) ** (1 / 50):8.3f}{h[100]:11.1e}{gradient[100]:9.1e}")

    log = train(args.steps, args.lr, args.clip)
    steps = log.shape[2]
    early = common.stopped(parser, steps, args.steps)
    print(f"training, the mean loss of the last {min(50, steps)} steps (step {steps}{early}):")
    losses = [f"{loss[-50:].mean():.2g}" for loss in log[:, 0]]
    for loss, (_, before, after), name in zip(losses, log, ("not clipped", f"clipped to {args.clip:g}"), strict=True):
        print(f"{name}: {loss}; gradient's norm at most {before.max():.2g}, after clipping {after.max():.2g}")
    if args.picture:
        back = ", ".join(f"{norms[f'RNN, radius {radius}'][0][-1]:.0e} (RNN, radius {radius})" for radius in (0.9, 1.5))
        title = f"{LENGTH} steps back: {back}. Loss {losses[0]} not clipped, {losses[1]} clipped"
        draw(args.picture, norms, log, args.clip, title)


if __name__ == "__main__":
    main()
