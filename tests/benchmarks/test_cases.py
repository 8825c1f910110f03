"""Every row of the benchmark: ours and its peers compute the same; and every line of what has to hold is there."""

from __future__ import annotations

import importlib.util
from types import ModuleType

import numpy as np
import pytest

import tinyrnn
from cases import CASES, Case
from work import STEPS, compare, numbers

PAIRS = [pytest.param(case, dtype, id=f"{case.name}, {dtype}") for case in CASES for dtype in case.dtypes]
WITH_TORCH = [pair for pair in PAIRS if "torch" in pair.values[0].everyone]
OTHERS = [
    pytest.param(case, dtype, name, id=f"{case.name}, {dtype}, {name}")
    for case, dtype in (pair.values for pair in PAIRS)
    for name in case.everyone
    if name in ("numpy", "recording") or (name == "jax" and importlib.util.find_spec("jax"))
]


def agree(case: Case, dtype: str, name: str, module: ModuleType) -> None:
    """In three steps; large ones take their time: in one, the batched layers over 5 time steps."""
    large, short = case.avx512 or "64" in case.line, {"T": 5} if case.layer and case.layer[2] > 1 else {}
    ours, theirs = case.make(tinyrnn, dtype, **short), case.everyone[name](module, dtype, **short)
    steps = 1 if large else STEPS
    compare(case.name, dtype, ("tinyrnn", name), numbers(ours, steps), numbers(theirs, steps))


@pytest.mark.parametrize(("case", "dtype"), WITH_TORCH)
def test_agrees_with_torch(torch: ModuleType, case: Case, dtype: str) -> None:
    agree(case, dtype, "torch", torch)


@pytest.mark.parametrize(("case", "dtype", "name"), OTHERS)
def test_agrees_with_its_other_peers(case: Case, dtype: str, name: str) -> None:
    agree(case, dtype, name, np if name == "numpy" else tinyrnn)


def test_rows_have_names_of_their_own() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


def test_every_line_has_its_goals() -> None:
    goals = {
        (case.line, dtype, case.targets[dtype])
        for case in CASES
        for dtype in case.dtypes
        if dtype in case.targets and not case.full
    }
    lines = {
        "small training steps": (6, 6),
        "encoder-decoder step": (2, None),
        "RNN layer, batch 1": (8, 8),
        "RNN layer, batch 50-64": (1.5, 1.5),
        "GRU layer, batch 1": (6, 6),
        "GRU layer, batch 50-64": (1.5, 1.5),
        "LSTM layer, batch 1": (1.2, 5),
        "LSTM layer, batch 50-64": (1.0, 1.5),
        "cells in a loop": (1.5, 1.5),
        "chain of small ops": (1.5, None),
        "character model": (1.0, 1.3),
        "programs by hand in NumPy": (None, 2),
        "optimizer's step": (1, 1),
        "forward under no_grad": (1, 1),
    }
    expected = {
        (line, dtype, goal)
        for line, both in lines.items()
        for dtype, goal in zip(("float32", "float64"), both, strict=True)
        if goal is not None
    }
    assert goals == expected
