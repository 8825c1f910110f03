"""Fingerprints show size and order, and a planted disagreement is told."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tinyrnn
from work import TOLERANCE, Work, compare, fastest, fingerprint, gradients, numbers

NAMES = ("tinyrnn", "torch")


def test_fingerprint() -> None:
    norm, projection = fingerprint(tinyrnn.tensor([[3.0], [4.0]], requires_grad=True))
    assert norm == 5
    assert projection == pytest.approx(3 + 4 * math.cos(1), rel=1e-15)
    assert fingerprint(2.0) == (2.0, 2.0)


def test_numbers_are_of_each_step_in_turn() -> None:
    made: list[float] = []

    def step() -> float:
        made.append(len(made) + 1.0)
        return made[-1]

    found = numbers(Work(step, lambda: [np.array([made[-1] * 10])]))
    assert [norm for norm, _ in found] == [1, 10, 2, 20, 3, 30]
    assert numbers(Work(step, list), steps=1) == [(4.0, 4.0)]


def test_gradients_are_those_that_are_there() -> None:
    a, b = tinyrnn.ones(2, requires_grad=True), tinyrnn.ones(3, requires_grad=True)
    arrays = gradients([a, b])
    (3 * a).sum().backward()
    assert [g.tolist() for g in arrays()] == [[3, 3]]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rounding_is_no_disagreement(dtype: str) -> None:
    x = np.linspace(1, 2, 50)
    near = x * (1 + TOLERANCE[dtype] / 10)
    compare("case", dtype, NAMES, [fingerprint(x)], [fingerprint(near)])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("plant", ["one entry", "order", "nan", "zeros"])
def test_a_planted_disagreement_is_told(dtype: str, plant: str) -> None:
    x = np.linspace(1, 2, 50)
    wrong = {"order": x[::-1], "nan": np.full(50, np.nan), "zeros": np.zeros(50)}.get(plant, x.copy())
    if plant == "one entry":
        wrong[20] += 0.1
    for ours, theirs in ((x, wrong), (wrong, x)):
        with pytest.raises(RuntimeError, match=f"case, {dtype}: tinyrnn and torch did not .*: array 1 of 2"):
            compare("case", dtype, NAMES, [(1.0, 1.0), fingerprint(ours)], [(1.0, 1.0), fingerprint(theirs)])


def test_an_array_too_few_is_told() -> None:
    with pytest.raises(RuntimeError, match="2 arrays here, 1 there"):
        compare("case", "float64", NAMES, [(1.0, 1.0)] * 2, [(1.0, 1.0)])


def test_fastest_counts_the_shortest_step(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("time.perf_counter", lambda: now[0])
    lengths = iter([5.0, 2.0, 7.0, 1.0])

    def step() -> None:
        now[0] += next(lengths)

    assert fastest(step, 6.0) == 2
    assert fastest(lambda: now.__setitem__(0, now[0] + 4.0), 0, at_least=3) == 4
    assert now[0] == 7 + 12
