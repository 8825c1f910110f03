"""The table and the sentences below it, from made-up times."""

from __future__ import annotations

from typing import Any

import pytest

import report
from cases import BATCHED, CASES, Case
from work import Work

LAYER = Case("RNN layer, batch 1", "RNN T 10", lambda lib, dtype: Work(lambda: None, list), targets={"float32": 8.0})


def race(spread: float = 1.0, compiling: float | None = None, **seconds: float) -> dict[str, Any]:
    return {"seconds": seconds, "spread": spread, "compiling": compiling, "products": None, "others": None}


def test_a_row() -> None:
    (row,) = report.rows(LAYER, "float32", race(tinyrnn=1e-4, torch=1e-3), 5e-5, 86)
    assert row["ratio"] == pytest.approx(10)
    assert (row["goal"], row["peer"], row["calls"], row["noisy"]) == (8, "torch", 86, False)
    assert not report.missed(row)
    assert report.cells(row, False) == ["RNN T 10", "float32", "100 us", "1.00 ms", "10.00", "8", "2.00 (86 calls)"]


def test_a_ratio_that_is_not_reached_is_marked() -> None:
    (row,) = report.rows(LAYER, "float32", race(2.0, tinyrnn=1e-4, torch=7.9e-4), None, None)
    assert report.missed(row)
    assert report.cells(row, False)[4:] == ["~7.90", "8 MISSED", ""]


@pytest.mark.parametrize(("others", "noisy"), [(None, False), (0.05, False), (0.2, True)])
def test_other_programs_are_marked(others: float | None, noisy: bool) -> None:
    (row,) = report.rows(LAYER, "float32", race(tinyrnn=1e-4, torch=1e-3) | {"others": others}, None, None)
    assert row["noisy"] == noisy
    assert ("0.2 cores" in "".join(report.below({"rows": [row]}))) == noisy


def test_a_dtype_without_a_goal() -> None:
    (row,) = report.rows(LAYER, "float64", race(tinyrnn=1e-4, torch=1e-4), None, None)
    assert report.cells(row, False)[4:6] == ["1.00", ""]


def test_without_torch_there_are_times_and_no_ratios() -> None:
    (row,) = report.rows(LAYER, "float32", race(tinyrnn=1e-4), None, None)
    assert not report.missed(row)
    assert report.cells(row, False)[2:6] == ["100 us", "-", "-", "8"]
    assert report.below({"rows": [row]}) == []


def test_a_peer_that_is_not_torch_is_named() -> None:
    case = next(case for case in CASES if "numpy" in case.peers)
    (row,) = report.rows(case, "float64", race(tinyrnn=1e-4, numpy=3e-4), None, None)
    assert report.cells(row, False)[3] == "300 us (numpy)"
    assert row["ratio"] == pytest.approx(3)


@pytest.mark.parametrize("line", [BATCHED, "character model"])
def test_avx512_kernels_have_a_row_and_take_the_goal_of_the_batched_lstm(line: str) -> None:
    case = next(case for case in CASES if case.line == line)
    plain, wide = report.rows(case, "float32", race(tinyrnn=4e-3, avx512=2e-3, torch=2e-3, jax=1e-3), 1e-3, 5)
    assert (plain["ratio"], wide["ratio"]) == (0.5, 1.0)
    assert (plain["goal"] is None) == (wide["goal"] is not None) == (line == BATCHED)
    assert wide["case"] == f"{case.name}, AVX-512 kernels"
    assert wide["floor"] is None  # it was measured on the other kernels
    (alone,) = report.rows(case, "float32", race(tinyrnn=4e-3, torch=2e-3), None, None)
    assert alone["goal"] == 1


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (3.14159e-7, "0.31 us"),
        (8.71e-5, "87.1 us"),
        (3.2149e-3, "3.21 ms"),
        (0.9999e-3, "1000 us"),
        (0.0223, "22.3 ms"),
        (0.2, "200 ms"),
        (1.0, "1.00 s"),
        (None, "-"),
    ],
)
def test_duration(seconds: float | None, text: str) -> None:
    assert report.duration(seconds) == text


def test_amount() -> None:
    assert [report.amount(n) for n in (12, 1234, 3.28e6, 2e9)] == ["12 bytes", "1.23 kB", "3.28 MB", "2 GB"]


def test_the_table_is_markdown_and_stands_straight() -> None:
    rows = report.rows(LAYER, "float32", race(compiling=0.42, tinyrnn=1e-4, torch=1e-3, jax=2e-4), 5e-5, 86)
    rows += report.rows(CASES[0], "float64", race(tinyrnn=1.0), None, None)
    head, rule, *body = report.table(rows).split("\n")
    assert len({len(line) for line in (head, rule, *body)}) == 1
    assert [len(line.split("|")) for line in (head, rule, *body)] == [10] * 4
    assert [k for k, cell in enumerate(rule.split("|")[1:-1]) if cell.endswith(":")] == [2, 3, 4, 7]
    assert "JAX" in head
    assert "200 us (0.4 s)" in body[0]
    assert "JAX" not in report.table(rows[1:])


def test_what_stands_below() -> None:
    rows = report.rows(LAYER, "float32", race(2.0, tinyrnn=1e-4, torch=1e-3), 5e-5, 86)
    rows += report.rows(LAYER, "float32", race(tinyrnn=1e-4, torch=1e-4), 5e-5, 86)
    points = [{"T": T, "seconds": 1e-4 + 2e-6 * T, "bytes": 64.0 * T} for T in (100, 1000, 10_000)]
    memory = [{"kind": "RNN", "bytes": 1200, "kept": 1000, "held": 24, "shape": [2, 3, 4, 5]}]
    times = {"tinyrnn": 0.05, "torch": 1.0}
    result = {"rows": rows, "call": 3e-7, "import": times, "scaling": points, "memory": memory}
    reached, noisy, floor, imported, growth, peak = report.below(result)
    assert reached == "1 of 2 ratios reached"
    assert noisy.startswith("~")
    assert "0.30 us" in floor
    assert "50.0 ms" in imported
    assert "MISSED" in imported
    assert "import torch 1000 ms" in imported
    assert "2.00 us a step" in growth
    assert "T^1.000, 64 bytes a step" in growth
    assert "RNN 1.20 (1.2 kB) (at most 1.3: reached)" in peak
    memory[0]["bytes"] = 1400
    assert "1.3: MISSED" in report.below({"rows": [], "memory": memory})[0]
    assert "reached" in report.below({"rows": [], "import": {"tinyrnn": 0.04}})[0]
