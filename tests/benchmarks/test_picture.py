"""The picture shows the slowest case of every line, and how time and memory grow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

import picture

POINTS = [{"T": T, "seconds": 2e-6 * T, "bytes": 64.0 * T} for T in (100, 1000, 10_000)]


def row(line: str, dtype: str, ratio: float | None, goal: float | None = None) -> dict[str, Any]:
    return {"line": line, "dtype": dtype, "ratio": ratio, "goal": goal}


ROWS = [
    row("layer", "float32", 9.0, 8),
    row("layer", "float32", 4.0, 8),
    row("layer", "float64", 0.5),
    row("LSTM", "float32", 0.6),
    row("LSTM", "float32", 1.2, 1),
    row("alone", "float32", None),
]


def test_bars_reach_to_the_slowest_case_of_those_that_count() -> None:
    axes = Figure().subplots()
    picture.draw_ratios(axes, ROWS)
    widths = [2 ** bar.get_width() for bar in axes.patches if bar.get_width()]
    assert widths == pytest.approx([4, 0.5, 1.2])
    assert [label.get_text() for label in axes.get_yticklabels()] == ["layer", "LSTM"]
    assert {"1/2", "1", "8"} <= {label.get_text() for label in axes.get_xticklabels()}


def test_growth_shows_its_power() -> None:
    axes = Figure().subplots()
    picture.draw_growth(axes, POINTS, "seconds", 1e-3, "ms", "black")
    line, dots = axes.lines
    assert line.get_label() == "$T^{\\,1.00}$"
    np.testing.assert_allclose(line.get_ydata(), dots.get_ydata())


@pytest.mark.parametrize(
    "result", [{"rows": ROWS, "scaling": POINTS}, {"rows": ROWS}, {"rows": [], "scaling": POINTS}, {"rows": []}]
)
def test_what_was_measured_is_drawn(result: dict[str, Any], tmp_path: Path) -> None:
    picture.draw(tmp_path / "speed.png", result, "a title")
    assert (tmp_path / "speed.png").stat().st_size > 3000
