"""A recurrent network of two weight matrices and the tape alone, updated at every step: what truncated BPTT loses.

`python demos/context_rnn.py` takes six seconds and draws out/context_rnn.png; --help lists the options.

No nn.Module, no optimizer: h_t = tanh([x_t, h_{t-1}] W1), y_t = h_t W2, gradients by the tape, W -= lr dL/dW. The data
are 20 points of a sine; y_t is to be the point after x_t. After every step both matrices move at once, against the
gradient of this one step's loss. How far back the tape reaches is all that differs, from the same weights on:

- 1 step: the context h_{t-1} is a given input. W1 learns to use what is in it; nothing tells it what to put there.
- all steps: full BPTT, here at 10.5 times the steps on the tape (1 + 2 + ... + 20 for each 20).

Ten seeds, 300 epochs; the mean squared error is measured with the weights held still, the angle is that between the
gradient of the whole sequence's loss as the tape sees it and the true one:
                    error (median)             angle at first   where the training ended
    1 step back     2e-4 to 4e-2 (1.2e-2)      13 to 44         25 to 84 degrees
    2 steps back    1e-4 to 6e-3 (9e-4)         7 to 36         18 to 51
    5 steps back    4e-5 to 9e-4 (2e-4)         1 to 16          1 to 13
    full BPTT       6e-6 to 1.4e-4 (5e-5)       0                0
Full BPTT is better for every seed, by a factor of 2 to 3000. At 90 degrees a gradient leads down no more: truncated to
1 step, training stalls, or climbs again, where the full gradient still shows a way.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

import common
import tinyrnn
from common import BLUE, GREEN, GREY, ORANGE, PURPLE
from tinyrnn import Tensor

UNITS = 6  # of the context
T = 20  # steps of an epoch
TIMES = np.linspace(2, 10, T + 1)
WAVE = tinyrnn.tensor(np.sin(TIMES), dtype=tinyrnn.float32).view(T + 1, 1, 1)
X, TARGETS = WAVE[:-1], WAVE[1:]
LENGTHS = (1, 2, 5, T)  # of the truncation: steps that the gradient goes back
NAMES = dict(zip(LENGTHS, ("1 step back", "2 steps back", "5 steps back", "full BPTT"), strict=True))
COLORS = dict(zip(LENGTHS, (BLUE, PURPLE, GREEN, ORANGE), strict=True))
Weights = tuple[Tensor, Tensor]


def weights() -> Weights:
    """W1 (1 + UNITS, UNITS) and W2 (UNITS, 1), drawn from the seed."""
    return (0.4 * tinyrnn.randn(1 + UNITS, UNITS)).requires_grad_(), (0.3 * tinyrnn.randn(UNITS, 1)).requires_grad_()


def step(x: Tensor, h: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
    """One step: x (1, 1), the context h (1, UNITS) -> y (1, 1), the context after x."""
    h = tinyrnn.tanh(tinyrnn.cat((x, h), dim=1) @ w[0])
    return h @ w[1], h


def losses(w: Weights, length: int) -> Iterator[Tensor]:
    """The loss of each step of the sequence in turn, its tape `length` steps long; w may move between them."""
    contexts = [tinyrnn.zeros(1, UNITS)]  # before each step, without a tape
    for t in range(T):
        start = max(0, t + 1 - length)
        h = contexts[start]
        for x in X[start : t + 1]:  # anew: what was computed before was computed with weights that have moved since
            y, h = step(x, h, w)
        yield ((y - TARGETS[t]) ** 2).sum() / 2
        contexts.append(h.detach())


def epoch(w: Weights, length: int, lr: float) -> None:
    """Goes through the sequence once; after each step the weights learn from its loss."""
    for loss in losses(w, length):
        loss.backward()
        with tinyrnn.no_grad():
            for p in w:
                p -= lr * p.grad
                p.grad = None


def gradient(w: Weights, length: int) -> np.ndarray:
    """The gradient of the whole sequence's loss by all weights, as far as this length sees it; the weights stay."""
    for p in w:
        p.grad = None  # Ctrl-C may have left one
    for loss in losses(w, length):
        loss.backward()  # adds to p.grad
    return np.concatenate([p.grad.numpy().ravel() for p in w])


def angle(w: Weights, length: int) -> float:
    """The angle between this length's gradient and the full one, in degrees: at 90 it does not lead down at all."""
    g, full = gradient(w, length), gradient(w, T)
    return np.degrees(np.arccos(min(1, g @ full / np.sqrt(g @ g * (full @ full)))))


@tinyrnn.no_grad()
def predict(w: Weights) -> np.ndarray:
    """The answers to X, with the weights held still: (T,)."""
    h, said = tinyrnn.zeros(1, UNITS), []
    for x in X:
        y, h = step(x, h, w)
        said.append(y.item())
    return np.array(said)


def train(nets: dict[int, Weights], steps: int, lr: float) -> dict[int, list[float]]:
    """Trains the weights of each length, side by side; their mean squared errors after each epoch."""
    errors: dict[int, list[float]] = {length: [] for length in nets}
    with common.progress(steps) as bar:
        for i in bar:
            for length, w in nets.items():
                epoch(w, length, lr)
                errors[length].append(np.mean((predict(w) - np.sin(TIMES[1:])) ** 2))
            if i % 10 == 0:
                bar.set_postfix({str(length): f"{values[-1]:.0e}" for length, values in errors.items()}, refresh=False)
    return errors


def draw(path: Path, nets: dict[int, Weights], errors: dict[int, list[float]], title: str) -> None:
    """The wave as length 1 and full BPTT predict it, their errors, and the error of each length by epoch: a PNG."""
    t, target = TIMES[1:], np.sin(TIMES[1:])
    with common.drawing(path) as figure:
        axes = figure.subplot_mosaic([["wave", "loss"], ["error", "loss"]], width_ratios=(5, 4), height_ratios=(2, 1))
        figure.suptitle(title, fontsize=13)
        wave, strip, loss = axes["wave"], axes["error"], axes["loss"]
        wave.plot(t, target, color=GREY, linewidth=6, label="true wave")
        for length, mark in ((1, "x"), (T, ".")):
            said = predict(nets[length])
            wave.plot(t, said, mark + "-", color=COLORS[length], linewidth=1, label=NAMES[length])
            strip.plot(t, said - target, mark + "-", color=COLORS[length], linewidth=1)
        strip.axhline(0, color=GREY, linewidth=1, zorder=0)
        strip.sharex(wave)
        strip.set(xlabel="time t (rad)", ylabel="error")
        wave.set(ylabel="amplitude")
        wave.tick_params(labelbottom=False)
        wave.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, frameon=False)

        for length, values in errors.items():
            loss.semilogy(range(1, len(values) + 1), values, color=COLORS[length], label=NAMES[length])
        loss.set(xlabel="epoch (20 updates each)", ylabel="mean squared error")
        loss.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, frameon=False)
        for line in (*wave.lines, *strip.lines, *loss.lines):
            line.set_snap(True)  # to whole pixels: a smaller file


def main(argv: list[str] | None = None) -> None:
    parser = common.options("Two weight matrices and the tape: truncated BPTT beside full BPTT.", steps=300)
    parser.add_argument("--lr", type=float, default=0.1, help="learning rate (default: %(default)s)")
    args = common.begin(parser, argv, "context_rnn")
    if not 0 < args.lr <= 0.5:
        parser.error(f"--lr is {args.lr}, expected a number above 0 and at most 0.5: above, it diverges")

    w = weights()
    nets = {length: tuple(p.detach().clone().requires_grad_() for p in w) for length in LENGTHS}
    errors = train(nets, args.steps, args.lr)
    steps = len(errors[T])
    early = common.stopped(parser, steps, args.steps)
    last = {length: np.mean(values[:steps][-50:]) for length, values in errors.items()}
    print(f"mean squared error, mean of the last {min(50, steps)} epochs (epoch {steps}{early}),")
    print("and the angle between the gradient and that of full BPTT, at first and at the end:")
    for length, net in nets.items():
        print(f"{NAMES[length]:12}  {last[length]:.1e}  {angle(w, length):4.0f}  {angle(net, length):4.0f} degrees")
    if args.picture:
        title = f"Mean squared error {last[1]:.1e} with BPTT truncated to 1 step, {last[T]:.1e} with full BPTT"
        draw(args.picture, nets, errors, title)


if __name__ == "__main__":
    main()
