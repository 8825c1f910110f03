"""What is told of the machine, and what to set where AVX-512 is left unused: from made-up processors."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

import machine
import tinyrnn

FACTS: dict[str, Any] = {
    "processor": {"model": "Abacus 9", "cores": 4, "system": "Linux", "avx512": True},
    "python": "3.12.1",
    "libraries": {
        "tinyrnn": {
            "version": "0.1.0",
            "numpy": "2.4.0",
            "blas": {"name": "openblas", "version": "0.3.30", "kernels": "SkylakeX", "threads": 4},
        }
    },
}


def told(**changes: Any) -> str:
    facts = copy.deepcopy(FACTS)
    for name, value in changes.items():
        if name in ("kernels", "threads"):
            facts["libraries"]["tinyrnn"]["blas"][name] = value
        elif name in ("torch", "jax"):
            facts["libraries"][name] = value
        else:
            facts[name] = value
    return "\n".join(machine.headline(facts))


@pytest.mark.parametrize(
    ("avx512", "kernels", "expected"),
    [
        (True, "Zen", True),
        (True, "Haswell", True),
        (True, "SkylakeX", False),
        (True, "Cooperlake", False),
        (True, "neoversev1", False),
        (True, None, False),
        (False, "Haswell", False),
    ],
)
def test_the_hint_is_for_avx2_kernels_on_avx512(avx512: bool, kernels: str | None, expected: bool) -> None:
    advice = machine.hint(avx512, kernels)
    assert (advice is not None) == expected == machine.avx512_left_unused(avx512, kernels)
    if advice:
        assert kernels is not None
        assert kernels in advice
        assert "OPENBLAS_CORETYPE=SkylakeX before NumPy is loaded" in advice


def test_headline() -> None:
    text = told(torch={"version": "2.13.0", "kernels": "AVX512", "threads": 2})
    assert "Abacus 9, 4 cores, with AVX-512; Linux; Python 3.12.1" in text
    assert "tinyrnn 0.1.0 on NumPy 2.4.0, openblas 0.3.30: SkylakeX, 4 threads" in text
    assert "torch 2.13.0: AVX512, 2 threads" in text
    assert "CORETYPE" not in text


def test_headline_tells_what_is_missing() -> None:
    text = told(kernels=None, threads=None)
    assert "kernels unknown" in text
    assert "threads unknown" in text
    assert "without torch" in text
    assert "JAX" not in text
    assert "JAX 0.9 on cpu" in told(jax={"version": "0.9", "devices": "cpu"})
    assert "OPENBLAS_CORETYPE" in told(kernels="Haswell")


def test_this_machine() -> None:
    facts = machine.facts()
    assert facts["processor"]["cores"] >= 1
    assert facts["processor"]["model"]
    facts["libraries"]["tinyrnn"] = ours = machine.library("tinyrnn", tinyrnn)
    assert ours["numpy"] == np.__version__
    assert ours["version"] == tinyrnn.__version__
    assert machine.headline(facts)
    if "openblas" in ours["blas"]["name"]:
        assert ours["blas"]["threads"] >= 1
        assert ours["blas"]["kernels"]
    else:
        assert machine.ask_openblas("corename", None) is None


def test_a_cpuinfo_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    info = "processor\t: 0\nmodel name\t: Abacus 9\ncpu family\t: 7\nmodel\t\t: 3\nflags\t\t: fpu avx2 avx512f\n"
    monkeypatch.setattr(machine.Path, "is_file", lambda path: True)
    monkeypatch.setattr(machine.Path, "read_text", lambda path: info)
    found = machine.processor()
    assert found["model"] == "Abacus 9 (family 7, model 3)"
    assert found["avx512"]
    monkeypatch.setattr(machine.Path, "read_text", lambda path: info.replace("avx512f", "avx"))
    assert not machine.processor()["avx512"]


def test_what_others_have_is_what_is_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    tick, now = machine.os.sysconf("SC_CLK_TCK"), [0.0]
    monkeypatch.setattr(machine.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(machine.Path, "is_file", lambda path: True)

    def read(path: machine.Path) -> str:
        busy = int(now[0] * tick)  # idle and waiting are 7 and 9; ours has a name with a bracket
        everyone = f"cpu  {busy} 0 {busy} {busy * 7} {busy * 9} 0 0 0 0 0\ncpu0 1 2 3\n"
        return everyone if path.name == "stat" and path.parent.name == "proc" else f"1 (a) b) R {'0 ' * 10}{busy} 0 0"

    monkeypatch.setattr(machine.Path, "read_text", read)
    one, none = machine.Others([1]), machine.Others([])
    now[0] = 10.0
    assert (one.cores(), none.cores()) == (1.0, 2.0)
    monkeypatch.setattr(machine.Path, "is_file", lambda path: False)
    assert machine.Others([1]).cores() is None
