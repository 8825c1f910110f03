"""The processes take turns, check first, and end when their work does."""

from __future__ import annotations

import os
from typing import Any

import pytest

import turns
from cases import CASES, Case

CASE = next(case for case in CASES if case.layer)
BY_HAND = next(case for case in CASES if "binary" in case.name)


class Fake:
    """A process that answers with what it was made with, and writes down in what order it was asked."""

    def __init__(self, name: str, asked: list[str], numbers: Any, times: list[float]) -> None:
        self.name, self.asked, self.numbers, self.times = name, asked, numbers, iter(times)
        self.pid = os.getpid()

    def ask(self, request: str, *arguments: Any) -> Any:
        self.asked.append(f"{self.name} {request}")
        answers = {"check": {"numbers": self.numbers, "seconds": 1.5}, "products": 1e-6}
        return next(self.times) if request == "time" else answers[request]


def fakes(**numbers: Any) -> tuple[dict[str, Any], list[str]]:
    asked: list[str] = []
    times = {"tinyrnn": [3.0, 2.0, 4.0], "torch": [9.0, 8.0, 9.0]}
    return {name: Fake(name, asked, n, times.get(name, [5.0, 5.0, 5.0])) for name, n in numbers.items()}, asked


def test_a_race_checks_and_then_takes_turns() -> None:
    running, asked = fakes(tinyrnn=[[1.0, 1.0]], torch=[[1.0, 1.0]], jax=[[1.0, 1.0]], numpy=[])
    found = turns.race(CASE, "float32", running, 3, 0.1)
    found.pop("others")
    assert found == {
        "seconds": {"tinyrnn": 2.0, "torch": 8.0, "jax": 5.0},
        "spread": 2.0,
        "compiling": 1.5,
        "products": 1e-6,
    }
    assert asked[:3] == ["tinyrnn check", "torch check", "jax check"]
    assert asked[3:] == ["tinyrnn time", "torch time", "jax time", "tinyrnn products"] * 3


def test_a_disagreement_ends_the_race_before_anything_is_timed() -> None:
    running, asked = fakes(tinyrnn=[[1.0, 1.0]], torch=[[1.0, 1.1]])
    with pytest.raises(RuntimeError, match="tinyrnn and torch did not compute the same"):
        turns.race(CASE, "float32", running, 3, 0.1)
    assert not [request for request in asked if "time" in request]


def test_ours_runs_alone_without_a_peer() -> None:
    running, _ = fakes(tinyrnn=[[1.0, 1.0]])
    assert turns.race(CASE, "float32", running, 1, 0.1)["seconds"] == {"tinyrnn": 3.0}


def test_avx512_is_asked_where_the_case_has_it() -> None:
    wide = next(case for case in CASES if case.avx512)
    running, _ = fakes(tinyrnn=[[1.0, 1.0]], avx512=[[1.0, 1.0]], torch=[[1.0, 1.0]])
    assert set(turns.race(wide, "float32", running, 1, 0.1)["seconds"]) == {"tinyrnn", "avx512", "torch"}
    running, _ = fakes(tinyrnn=[[1.0, 1.0]], avx512=[[1.0, 1.0]], torch=[[1.0, 1.0]])
    assert set(turns.race(CASE, "float32", running, 1, 0.1)["seconds"]) == {"tinyrnn", "torch"}


def test_real_processes() -> None:
    with turns.processes(1, avx512=False, without=("torch", "jax")) as running:
        assert set(running) == {"tinyrnn", "recording", "numpy"}
        assert running["tinyrnn"].ask("versions")["blas"]["threads"] in (1, None)
        found = turns.race(BY_HAND, "float64", running, 1, 0.001)
        assert set(found["seconds"]) == {"tinyrnn", "numpy"}
        assert all(0 < seconds < 1 for seconds in found["seconds"].values())
        with pytest.raises(RuntimeError, match=r"(?s)numpy, check .*KeyError"):
            running["numpy"].ask("check", "no such", "case", "float64")
        assert running["numpy"].ask("time", 0.001) > 0  # a problem does not end it
    assert all(process.process.returncode == 0 for process in running.values())


def test_a_process_that_has_ended_is_told() -> None:
    process = turns.Process("no_such_library")
    with pytest.raises(RuntimeError, match=r"(?s)no_such_library, versions .*: *\n.*has ended"):
        process.ask("versions")
    process.close()


def test_the_environment_sets_every_library_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in turns.THREADS:
        monkeypatch.delenv(name, raising=False)
    assert not set(turns.THREADS) & set(turns.environment(0))
    set_ = turns.environment(3, turns.AVX512)
    assert {set_[name] for name in turns.THREADS} == {"3"}
    assert set_["OPENBLAS_CORETYPE"] == "SkylakeX"
    assert str(turns.HERE.parent) in set_["PYTHONPATH"].split(os.pathsep)


def test_import_seconds() -> None:
    assert 0 < turns.import_seconds("tinyrnn", 1) < 60


def test_a_case_is_done_by_torch_where_no_peer_is_given() -> None:
    case = Case("line", "name", CASE.make)
    assert set(case.everyone) == {"tinyrnn", "torch"}
