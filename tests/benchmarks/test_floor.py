"""The floor: NumPy's calls are counted, each once, and the products are those of the pass."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import floor
import turns
from cases import CASES

SCRIPT = """
import sys
import numpy as np
import floor

counter = floor.install()
a, b, out = np.ones((3, 4)), np.ones((4, 3)), np.empty((3, 3))
sys.setprofile(counter.watch)
np.dot(a, b, out)
a.dot(b, out)
np.matmul(a, b, out=out)
np.tanh(out, out)
np.add.reduce(out)
np.repeat(out, 2)
np.empty((3, 3))
len(a), sorted([2, 1]), a + a
sys.setprofile(None)
print(counter.calls, counter.products)
assert isinstance(np.add.identity, int) and np.array_equal(out, np.tanh(np.full((3, 3), 4.0)))
"""


def run(*arguments: str) -> str:
    folder = Path(floor.__file__).parent
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, cwd=folder, env=turns.environment(1), stdout=subprocess.PIPE, text=True, check=True
    ).stdout


def test_every_call_is_counted_once() -> None:
    # dot, .dot, matmul, tanh, add.reduce, repeat, empty; not len, sorted, and the operator; repeat calls .repeat inside
    assert run("-c", SCRIPT).split() == ["7", "3"]


def test_layers_are_counted() -> None:
    counts = json.loads(run("floor.py"))
    assert set(counts) == {case.name for case in CASES if case.layer}
    by_length = [counts[f"RNN T {T}, batch 1, 1 to 16"] for T in (10, 49, 100)]
    for (calls, products), (more_calls, more_products), steps in zip(by_length, by_length[1:], (39, 51), strict=False):
        assert more_products - products == 2 * steps  # one forward and one backward in each step
        assert (more_calls - calls) % steps == 0
        assert more_calls - calls >= 4 * steps


@pytest.mark.parametrize(("kind", "gates"), [("RNN", 1), ("GRU", 3), ("LSTM", 4)])
def test_the_products_are_those_of_the_pass(monkeypatch: pytest.MonkeyPatch, kind: str, gates: int) -> None:
    shapes: list[tuple[Any, ...]] = []
    monkeypatch.setattr(floor, "product", lambda dtype, *shape: shapes.append(shape) or 1.0)
    T, N, I, H = 7, 2, 3, 5
    assert floor.products("float32", kind, T, N, I, H) == 3 + 2 * T
    G = gates * H
    work = [m * k * n for m, k, n in shapes]
    assert work == [T * N * I * G, T * N * I * G, T * N * H * G, N * H * G, N * H * G]


def test_costs_are_costs() -> None:
    assert 0 < floor.small_call() < 1e-4
    assert 0 < floor.product("float64", 2, 3, 4) < 1
