"""The picture: by how much torch's time is ours, by line of the table; and how time and memory grow with T."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from scaling import exponent

# Okabe and Ito's colours, as in the demos: all eyes can tell them apart.
BLACK, GREY, COLORS = "#222222", "#BBBBBB", {"float32": "#0072B2", "float64": "#E69F00"}


def grouped(rows: list[dict[str, Any]]) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """The rows that have a ratio by line of the table and dtype; of those of a line with goals, those that count."""
    lines: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for row in rows:
        if row["ratio"] is not None:
            lines.setdefault(row["line"], {}).setdefault(row["dtype"], []).append(row)
    for dtypes in lines.values():
        for dtype, found in dtypes.items():
            dtypes[dtype] = [row for row in found if row["goal"] is not None] or found
    return lines


def draw_ratios(axes: Any, rows: list[dict[str, Any]]) -> None:
    """A bar to the smallest ratio of every line, a dot for each of its rows, and a mark at the ratio to reach."""
    lines, offset = grouped(rows), {"float32": -0.19, "float64": 0.19}
    for k, dtypes in enumerate(lines.values()):
        for dtype, found in dtypes.items():
            y, ratios = k + (offset[dtype] if len(dtypes) > 1 else 0), [row["ratio"] for row in found]
            axes.barh(y, np.log2(min(ratios)), 0.34, color=COLORS[dtype], alpha=0.75)
            axes.plot(np.log2(ratios), [y] * len(ratios), ".", color=BLACK, markersize=5, zorder=3)
            if found[0]["goal"] is not None:
                axes.plot(
                    [np.log2(found[0]["goal"])] * 2, [y - 0.21, y + 0.21], color="#D55E00", linewidth=2.5, zorder=4
                )
    low, high = axes.get_xlim()
    ticks = np.arange(min(-1, np.floor(low)), max(1, np.ceil(high)) + 1)
    ticks = ticks[:: 1 + len(ticks) // 10]
    axes.set_xticks(ticks, [f"{2.0**tick:g}" if tick >= 0 else f"1/{2.0**-tick:g}" for tick in ticks])
    axes.set_xlim(ticks[0], max(high, 1))
    axes.set_yticks(range(len(lines)), list(lines))
    axes.set_ylim(len(lines) - 0.4, -0.6)
    axes.axvline(0, color=BLACK, linewidth=1)
    axes.grid(axis="x", color=GREY, alpha=0.4, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("the peer's time / ours: 1 is as fast as the peer (torch; by hand: NumPy)")
    for dtype, color in COLORS.items():
        axes.barh([-5], [0], color=color, alpha=0.75, label=f"{dtype}, the slowest case")
    axes.plot([], [], ".", color=BLACK, label="each case")
    axes.plot([], [], color="#D55E00", linewidth=2.5, label="to be reached")
    axes.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=4, fontsize=10, columnspacing=1.2)


def draw_growth(axes: Any, points: list[dict[str, float]], what: str, size: float, label: str, color: str) -> None:
    """One quantity over T, and the power of T that fits it."""
    T, y = (np.array([point[name] for point in points]) for name in ("T", what))
    p = exponent(points, what)
    line = np.exp(np.mean(np.log(y) - p * np.log(T))) * T**p
    axes.loglog(T, line / size, color=GREY, linewidth=3, label=f"$T^{{\\,{p:.2f}}}$")
    axes.loglog(T, y / size, "o", color=color)
    axes.set(ylabel=label)
    axes.legend(frameon=False, loc="upper left")


def draw(path: Path, result: dict[str, Any], title: str) -> None:
    """Writes the PNG: ratios on the left, growth on the right, either alone where the other was not measured."""
    import matplotlib
    from matplotlib.figure import Figure

    points, ratios = result.get("scaling"), grouped(result["rows"])
    with matplotlib.rc_context({"font.size": 12, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(11, max(4.8, 1.6 + 0.42 * len(ratios))), dpi=100, layout="constrained")
        figure.suptitle(title, size=12)
        widths = [w for w, there in ((5, ratios), (2, points)) if there] or [1]
        parts = list(np.atleast_1d(figure.subfigures(1, len(widths), width_ratios=widths)))
        if ratios:
            draw_ratios(parts.pop(0).subplots(), result["rows"])
        if points:
            time, memory = parts.pop(0).subplots(2, 1, sharex=True)
            draw_growth(time, points, "seconds", 1e-3, "a training step (ms)", "#009E73")
            draw_growth(memory, points, "bytes", 1e6, "its peak memory (MB)", "#CC79A7")
            time.set_title("RNN 16 over T steps", size=12)
            memory.set_xlabel("T")
        figure.savefig(path)
