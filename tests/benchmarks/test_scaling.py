"""Fits, and memory by count of bytes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import scaling


def test_fits() -> None:
    points = [{"T": T, "y": 3 * T**1.5, "z": 7 + 2.0 * T} for T in (10, 100, 1000)]
    assert scaling.exponent(points, "y") == pytest.approx(1.5)
    assert scaling.per_step(points, "z") == pytest.approx(2)


def test_peak_counts_what_was_there_at_once() -> None:
    def step() -> None:
        first = np.ones(100_000)
        second = first + 1
        del first, second
        np.ones(50_000)

    assert scaling.peak(step) == pytest.approx(1_600_000, rel=0.01)


def test_held_counts_what_stays_beyond_the_results() -> None:
    import tinyrnn

    kept: list[Any] = []

    def forward(more: int) -> Any:
        kept.append(np.ones(more))
        return tinyrnn.zeros(1000), (tinyrnn.zeros(10), tinyrnn.zeros(10))

    assert scaling.held(lambda: forward(0)) < 8000
    assert scaling.held(lambda: forward(100_000)) == pytest.approx(800_000, rel=0.02)


def test_measured_time_and_memory_grow_with_time_steps() -> None:
    short, long = scaling.measure(50), scaling.measure(2000)
    assert short["T"] == 50
    assert long["seconds"] > short["seconds"] > 0
    assert scaling.per_step([short, long], "bytes") >= 16 * 4  # the states: 16 numbers of 4 bytes


def test_memory_is_at_least_that_of_the_states() -> None:
    for row in scaling.memory(T=500, N=1, I=4, H=64):
        assert row["kept"] >= 4 * 500 * 64, row["kind"]
        assert row["bytes"] >= 4 * 500 * 64, row["kind"]
        assert row["held"] < 4 * 500 * 64 / 2, row["kind"]  # under no_grad: nothing of the states' size
