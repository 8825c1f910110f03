"""The smallest recurrent network, to be followed by hand: two units, all weights 1, computed in three ways.

`python demos/srn.py` takes half a second and draws out/srn.png; --help lists the options.

    h_t = f(W_ih x_t + W_hh h_{t-1}),  y_t = W h_t,  h_0 = (0, 0),  x = (1, 1), (1, 1), (2, 2)

All weights are 1, so both units hold the same number, and both outputs are the same:

    f(a) = a:  h_1 = 1 + 1 + 0 + 0 = 2,  h_2 = 1 + 1 + 2 + 2 = 6,  h_3 = 2 + 2 + 6 + 6 = 16,  y = 4, 12, 32
    f = tanh:  h_1 = tanh(2) = 0.964,  h_2 = tanh(2 + 1.928),  h_3 = tanh(4 + 1.998),         y = 1.928, 1.998, 2.000

A loop in plain NumPy, an RNNCell called once for each step, and an RNN layer that reads the whole sequence in one call
give the same numbers. What to look at is the gradient of y_3, both outputs alike, by each unit of h_t: linear, it is 1
by h_3 and doubles with each step back, as the state does with each step on; with tanh each step back multiplies it by
2 (1 - h^2), and the units are saturated, h = 0.999: it is gone at once. Exploding and vanishing, in three steps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

import common
import tinyrnn
from common import BLACK, BLUE, GREEN, ORANGE, RED
from tinyrnn import nn

if TYPE_CHECKING:
    from matplotlib.axes import Axes

X = [[1.0, 1.0], [1.0, 1.0], [2.0, 2.0]]
NONLINEARITIES = {"identity": lambda a: a, "tanh": np.tanh}  # torch has "tanh" and "relu"; "identity" is tinyrnn's


def by_numpy(nonlinearity: str, weight: float) -> np.ndarray:
    """The outputs y (3, 2), one step after the other."""
    W_ih = W_hh = W = np.full((2, 2), weight)
    h, ys = np.zeros(2), []
    for x in X:
        h = NONLINEARITIES[nonlinearity](W_ih @ x + W_hh @ h)
        ys.append(W @ h)
    return np.array(ys)


def filled(module: nn.Module, weight: float) -> nn.Module:
    """The module, all its weights made alike."""
    for p in module.parameters():
        nn.init.constant_(p, weight)
    return module


def by_cell(nonlinearity: str, weight: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The outputs y and the states h by a cell called once a step, and y_3's gradient by each state: (3, 2) each."""
    cell = filled(nn.RNNCell(2, 2, bias=False, nonlinearity=nonlinearity), weight)
    readout = filled(nn.Linear(2, 2, bias=False), weight)
    h, hs = tinyrnn.zeros(1, 2), []
    for x in tinyrnn.tensor(X):
        h = cell(x.unsqueeze(0), h)
        h.retain_grad()  # only leaves keep their gradient unasked
        hs.append(h)
    ys = readout(tinyrnn.cat(hs))
    ys[2, 0].backward()
    return ys.detach().numpy(), tinyrnn.cat(hs).detach().numpy(), np.concatenate([h.grad.numpy() for h in hs])


def by_layer(nonlinearity: str, weight: float) -> np.ndarray:
    """The outputs y (3, 2) by a layer, from the sequence in one call."""
    rnn = filled(nn.RNN(2, 2, bias=False, nonlinearity=nonlinearity), weight)
    readout = filled(nn.Linear(2, 2, bias=False), weight)
    with tinyrnn.no_grad():
        h, _ = rnn(tinyrnn.tensor(X))  # h of every step; the second is h_3 once more
        return readout(h).numpy()


def by_unit(grads: np.ndarray) -> list[str]:
    """The gradient by one unit of each state; the other unit's is the same."""
    return [f"{g:.2g}" for g in grads[:, 0]]


def draw_unrolled(axes: Axes, ys: np.ndarray, hs: np.ndarray, grads: np.ndarray) -> None:
    """One network, unrolled over its three steps: the numbers in its units, and the gradient by each state."""

    def units(t: int, row: int, values: np.ndarray, color: str) -> None:
        text = "\n".join(f"{v:.4g}" if v == round(v) or abs(v) >= 100 else f"{v:.3f}" for v in values.tolist())
        box = {"boxstyle": "round,pad=0.4", "facecolor": "white", "edgecolor": color, "linewidth": 2}
        axes.text(t, row, text, ha="center", va="center", bbox=box)

    def arrow(t: int, row: int, to_t: int, to_row: int) -> None:
        style = {"arrowstyle": "-|>", "color": BLACK, "shrinkA": 25, "shrinkB": 25 if t == to_t else 34}
        axes.annotate("", (to_t, to_row), (t, row), arrowprops=style)

    units(0, 1, np.zeros(2), GREEN)  # h_0
    for t in (1, 2, 3):
        arrow(t, 0, t, 1)
        arrow(t - 1, 1, t, 1)
        arrow(t, 1, t, 2)
        for row, (values, color) in enumerate(((np.array(X), BLUE), (hs, GREEN), (ys, ORANGE))):
            units(t, row, values[t - 1], color)
        axes.text(t + 0.06, 1.5, by_unit(grads)[t - 1], color=RED, va="center", fontsize=14)
        axes.text(t, -0.5, f"t = {t}", ha="center", va="center")
    for row, label in ((0, "$x_t$"), (1, "$h_t$"), (2, "$y_t$")):
        axes.text(-0.45, row, label, ha="center", va="center", fontsize=15)
    axes.text(-0.5, 1.5, r"$\partial y_3 / \partial h_t$", color=RED, va="center", fontsize=15)
    axes.set(xlim=(-0.6, 3.5), ylim=(-0.6, 2.35))
    axes.axis("off")


def main(argv: list[str] | None = None) -> None:
    parser = common.options("A recurrent network of two units, every weight 1: by NumPy, by cell, by layer.")
    parser.add_argument("--weight", type=float, default=1.0, help="value of every weight (default: %(default)s)")
    args = common.begin(parser, argv, "srn")
    if not abs(args.weight) <= 10:
        parser.error(f"--weight is {args.weight}, expected a number from -10 to 10")

    results = {}
    for f, name in (("identity", "linear"), ("tanh", "tanh")):
        ys, _, grads = results[name] = by_cell(f, args.weight)
        plain, layer = by_numpy(f, args.weight), by_layer(f, args.weight)
        print(f"{name}: the outputs at t = 1, 2, 3")
        for way, values in (("NumPy", plain), ("cell", ys), ("layer", layer)):
            print(f"  by {way:6}" + " | ".join(f"{a:.3f} {b:.3f}" for a, b in values))
        apart = max(np.abs(ys - plain).max(), np.abs(layer - plain).max())
        print(f"  apart by {apart:.0e} at most; gradient of y_3 by h_1, h_2, h_3: {', '.join(by_unit(grads))}")
    if args.picture:
        first = [f"{by_unit(grads)[0]} ({name})" for name, (_, _, grads) in results.items()]
        with common.drawing(args.picture) as figure:
            figure.suptitle(f"All weights {args.weight:g}; gradient of $y_3$ by each unit of $h_1$: {', '.join(first)}")
            for axes, (name, result) in zip(figure.subplots(1, 2), results.items(), strict=True):
                axes.set_title("linear, f(a) = a" if name == "linear" else "f = tanh", fontsize=14)
                draw_unrolled(axes, *result)


if __name__ == "__main__":
    main()
