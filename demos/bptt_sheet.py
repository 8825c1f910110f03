"""What bptt_by_hand.py prints and draws: its numbers, each beside the equation that it comes from."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import common
from common import BLACK, BLUE, GREEN, GREY, PURPLE, RED

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bptt_by_hand import Net, Sheet

Array = np.ndarray
STEPS = (1, 2, 3)


def text(value: float) -> str:
    """To four places, as a factor: a negative number in brackets."""
    short = f"{round(value, 4) + 0.0:g}"
    return f"({short})" if short[0] == "-" else short


def line(name: str, value: float, *products: tuple[float, ...], within: str = "{}") -> None:
    """name = a sum of products, perhaps within a function = value."""
    terms = " + ".join("*".join(map(text, factors)) for factors in products)
    equation = re.sub(r"\((\([^()]*\))\)", r"\1", within.format(terms))  # one pair of brackets is enough
    print(f"  {name:10} = {equation} = {round(value, 4) + 0.0:.4f}")


def row(array: Array) -> str:
    return " ".join(f"{round(value, 4) + 0.0:8.4f}" for value in array.ravel())


def print_sheet(net: Net, sheet: Sheet) -> None:
    """The whole calculation, a line a number. Units are counted from 1, arrays from 0."""
    W, U, V, h0, x, d = net
    a, h, e, dh, da, sent, (dW, dU, dV), terms, J = sheet
    units = (0, 1)
    slope = [[f"(1 - {text(h_ti)}^2)" for h_ti in h_t] for h_t in h]  # tanh' in terms of h

    print(f"GIVEN  W_ih = {W.tolist()}  W_hh = {U.tolist()}  V = {V.tolist()}  h_0 = {h0.tolist()}")
    print("\n1. FORWARD  a_t = W_ih x_t + W_hh h_{t-1}, h_t = tanh(a_t), y_t = V h_t, e_t = y_t - d_t, L_t = e_t^2 / 2")
    for t in STEPS:
        print(f"t = {t}: x_{t} = {x[t, 0]:g}, d_{t} = {d[t]:g}")
        for i in units:
            line(f"a_{t}[{i + 1}]", a[t, i], (W[i, 0], x[t, 0]), *((U[i, j], h[t - 1, j]) for j in units))
            line(f"h_{t}[{i + 1}]", h[t, i], (a[t, i],), within="tanh({})")
        line(f"y_{t}", e[t] + d[t], *((V[0, i], h[t, i]) for i in units))
        line(f"e_{t}", e[t], (e[t] + d[t],), within=f"{{}} - {text(d[t])}")
        line(f"L_{t}", e[t] ** 2 / 2, (e[t],), within="({})^2/2")
    line("L", (e[1:] ** 2 / 2).sum(), *((e[t] ** 2 / 2,) for t in STEPS))

    print("\n2. BACKWARD  dh_t = V^T e_t + sent_{t+1}, da_t = (1 - h_t^2) dh_t, sent_t = W_hh^T da_t;  d... is dL/d...")
    for t in reversed(STEPS):
        print(f"t = {t}: " + ("from later comes nothing" if t == 3 else f"from later comes what step {t + 1} sent"))
        for i in units:
            line(f"dh_{t}[{i + 1}]", dh[t, i], (V[0, i], e[t]), *([(sent[t + 1, i],)] if t < 3 else []))
            line(f"da_{t}[{i + 1}]", da[t, i], (dh[t, i],), within=slope[t][i] + "*{}")
        for i in units:
            line(f"sent_{t}[{i + 1}]", sent[t, i], *((U[j, i], da[t, j]) for j in units))
    print("what step 1 sent is dh_0")
    print("weights: dV = sum_t e_t h_t^T, dW_ih = sum_t da_t x_t^T, dW_hh = sum_t da_t h_{t-1}^T")
    for i in units:
        line(f"dV[{i + 1}]", dV[0, i], *((e[t], h[t, i]) for t in STEPS))
    for i in units:
        line(f"dW_ih[{i + 1}]", dW[i, 0], *((da[t, i], x[t, 0]) for t in STEPS))
    for i, j in np.ndindex(2, 2):
        line(f"dW_hh[{i + 1},{j + 1}]", dU[i, j], *((da[t, i], h[t - 1, j]) for t in STEPS))

    print("\n3. TERM BY TERM  dW_hh = sum over t and k <= t of delta h_{k-1}^T, with delta = dL_t/da_k:")
    print("   (1 - h_t^2) V^T e_t for k = t;  (1 - h_k^2) W_hh^T (delta of k+1) for k < t")
    for (t, k), (delta, share) in terms.items():
        print(f"t = {t}, k = {k}: the loss of step {t} through the use of W_hh at step {k}")
        for i in units:
            later = [(V[0, i], e[t])] if k == t else [(U[j, i], terms[t, k + 1][0][j]) for j in units]
            line(f"delta[{i + 1}]", delta[i], *later, within=slope[k][i] + "*({})")
        print(f"  times h_{k - 1} = ({row(h[k - 1])} ):  {row(share)}")
    print(f"the sum of the six is dW_hh:           {row(sum(share for _, share in terms.values()))}")

    print("\n4. FORWARD MODE, for w = W_hh[1,2]  dh_t/dw = (1 - h_t^2) (what w multiplies + W_hh dh_{t-1}/dw)")
    J = J[:, :, 3]  # the weights in the order of W_ih, then the rows of W_hh
    for t in STEPS:
        for i in units:
            products = [(h[t - 1, 1],)] * (i == 0) + [(U[i, j], J[t - 1, j]) for j in units]
            line(f"dh_{t}[{i + 1}]/dw", J[t, i], *products, within=slope[t][i] + "*({})")
        line(f"dy_{t}/dw", V[0] @ J[t], *((V[0, i], J[t, i]) for i in units))
    line("dL/dw", sum(e * (J @ V[0])), *((e[t], V[0] @ J[t]) for t in STEPS))


def short(value: float, places: str = ".2f") -> str:
    return f"{round(value, 2) + 0.0:{places}}".replace("-", "\N{MINUS SIGN}")


def column(vector: Array) -> str:
    """A column vector, to two places."""
    return "\n".join(map(short, vector))


def draw(path: Path, net: Net, sheet: Sheet, missing: list[float]) -> None:
    """The unrolled network with its numbers, and the six terms of dL/dW_hh: a PNG."""
    with common.drawing(path) as figure:
        graph, terms = figure.subplots(1, 2, width_ratios=(19, 10))
        off = f"with truncation 1 it is off by {missing[0]:.0%}, with 2 by {missing[1]:.0%}"
        figure.suptitle(f"Three steps there and back: dL/dW$_{{hh}}$ is a sum of six terms; {off}", size=13)
        draw_graph(graph, net, sheet)
        draw_terms(terms, sheet)


def draw_graph(axes: Axes, net: Net, sheet: Sheet) -> None:
    """The network unrolled over t: what goes forward in blue, dL/d... in red. The unit is about a dot."""
    from matplotlib.patches import Rectangle

    h, e, dh, da, sent = sheet.h, sheet.e, sheet.dh, sheet.da, sheet.sent

    def write(x: float, y: float, what: str, color: str = BLACK, **more: Any) -> None:
        axes.text(x, y, what, **{"color": color, "ha": "center", "va": "center", "size": 11, **more})

    def box(x: float, y: float, width: float, height: float) -> None:
        axes.add_patch(Rectangle((x - width / 2, y - height / 2), width, height, facecolor="#F4F4F4", edgecolor=GREY))

    def arrow(start: tuple[float, float], end: tuple[float, float], color: str) -> None:
        style = {"arrowstyle": "-|>", "mutation_scale": 14, "shrinkA": 0, "shrinkB": 0}
        axes.annotate("", end, start, arrowprops={**style, "color": color, "linewidth": 1.8})

    axes.set(xlim=(0, 698), ylim=(0, 400))
    axes.axis("off")
    centres, halves = (49, 219, 416, 613), (48, 75, 75, 75)
    for t, x in enumerate(centres):
        box(x, 190, 2 * halves[t], 80)
        shown = [("h", h[t], BLUE), ("dh", dh[t], RED), ("da", da[t], RED)][: 2 if t == 0 else 3]
        for place, (name, vector, color) in enumerate(shown):
            at = x + 47 * (place - (len(shown) - 1) / 2)
            write(at, 214, f"${name}_{t}$", color, size=12)
            write(at + 19, 178, column(vector), color, size=9, ha="right")
        if t == 0:
            continue
        box(x, 18, 100, 34)
        write(x, 18, f"$x_{t}$ = {short(net.x[t, 0], 'g')}", BLUE)
        arrow((x, 35), (x, 149), BLUE)
        write(x + 22, 90, "$W_{ih}$")
        box(x, 365, 164, 54)
        write(x, 378, f"$y_{t}$ = {short(e[t] + net.d[t])}, $d_{t}$ = {short(net.d[t], 'g')}", BLUE, size=10)
        write(x, 353, f"$e_{t}$ = {short(e[t])}", RED)
        arrow((x - 18, 231), (x - 18, 337), BLUE)
        arrow((x + 18, 337), (x + 18, 231), RED)
        write(x - 32, 286, "$V$")
        write(x + 46, 286, column(net.V[0] * e[t]), RED, size=10)
        left, right = centres[t - 1] + halves[t - 1], x - halves[t]
        arrow((left, 214), (right, 214), BLUE)
        arrow((right, 178), (left, 178), RED)
        write((left + right) / 2, 229, "$W_{hh}$")
        write((left + right) / 2, 152, column(sent[t]), RED, size=10)
    write(46, 365, f"$L$ = {(e[1:] ** 2 / 2).sum():.2f}", BLUE)
    write(2, 38, "forward", BLUE, ha="left")
    write(2, 16, "backward: dL/d...", RED, ha="left")


def draw_terms(axes: Axes, sheet: Sheet) -> None:
    """The six terms of dL/dW_hh, each a matrix, and their sum."""
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.patches import Rectangle

    shades = LinearSegmentedColormap.from_list("shades", [PURPLE, "#F7F7F7", GREEN])
    matrices = {place: share for place, (_, share) in sheet.terms.items()} | {(1, 3): sheet.gradient[1]}
    limit = 1.4 * max(np.abs(matrix).max() for matrix in matrices.values())  # no shade too dark to read on
    for (t, k), matrix in matrices.items():
        extent = (k - 0.46, k + 0.46, t + 0.46, t - 0.46)
        axes.imshow(matrix, cmap=shades, vmin=-limit, vmax=limit, extent=extent, aspect="auto")
        for (i, j), value in np.ndenumerate(matrix):
            axes.text(k - 0.23 + 0.46 * j, t - 0.23 + 0.46 * i, short(value), ha="center", va="center", size=10)
        if t == k:
            axes.add_patch(Rectangle((k - 0.46, t - 0.46), 0.92, 0.92, fill=False, edgecolor=BLACK, linewidth=2))
    axes.text(2, 1, "the sum of\nall six:", ha="center", va="center", size=11)
    axes.text(3, 2, "framed:\nall that\ntruncation 1\nkeeps", ha="center", va="center", size=11)
    axes.set(xlim=(0.5, 3.5), ylim=(3.5, 0.5), xticks=STEPS, yticks=STEPS)
    axes.set(xlabel="step k, at which W$_{hh}$ is used", ylabel="step t, whose loss it is")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
