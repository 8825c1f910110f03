"""The command, on few and short rows: what it prints, writes, reads again and draws."""

from __future__ import annotations

import json
import struct
import sys
from pathlib import Path
from typing import Any

import pytest

import speed
from cases import CASES

FEW = ["--only", "binary addition", "--without", "torch", "jax", "--threads", "1"]


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "QUICK", (1, 0.001))


def test_a_row_is_printed_written_read_again_and_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, plot = tmp_path / "speed.json", tmp_path / "speed.png"
    speed.main([*FEW, "--json", str(file)])
    printed = capsys.readouterr().out
    assert "without torch" in printed
    assert "| binary addition step, by hand in NumPy | float64 |" in printed
    (row,) = json.loads(file.read_text())["rows"]
    assert row["ratio"] == pytest.approx(row["theirs"] / row["ours"])

    speed.main(["--load", str(file), "--plot", str(plot)])
    again = capsys.readouterr().out
    assert again == printed + f"picture: {plot}\n"
    head = plot.read_bytes()[:24]
    assert head[1:4] == b"PNG"
    assert struct.unpack(">II", head[16:])[0] == 1100


def test_without_torch_a_layer_has_a_time_and_a_floor(capsys: pytest.CaptureFixture[str]) -> None:
    speed.main(["--only", "RNN T 10, .*float32", "--without", "torch", "jax"])
    printed = capsys.readouterr().out
    assert "| RNN T 10, batch 1, 27 to 50 | float32 |" in printed
    assert "calls)" in printed
    assert "ratios reached" not in printed


def test_the_quick_mode_leaves_cases_out() -> None:
    every = [(case, dtype) for case in CASES for dtype in case.dtypes]
    assert speed.chosen("", full=True) == every
    assert speed.chosen("", full=False) == [(case, dtype) for case, dtype in every if not case.full]
    assert {dtype for _, dtype in speed.chosen("lstm.*float32", full=True)} == {"float32"}


def test_a_disagreement_ends_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(self: Any, request: str, *arguments: Any) -> Any:
        answer = ask(self, request, *arguments)
        if request == "check" and self.library == "numpy":
            answer["numbers"][-1][0] *= 1.001
        return answer

    ask = speed.turns.Process.ask
    monkeypatch.setattr(speed.turns.Process, "ask", wrong)
    with pytest.raises(RuntimeError, match="tinyrnn and numpy did not compute the same"):
        speed.main(FEW)


def test_ctrl_c_tells_what_was_measured(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(*arguments: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(speed.turns, "race", interrupted)
    with pytest.raises(SystemExit) as end:
        speed.main(FEW)
    assert end.value.code == 130
    assert "stopped" in capsys.readouterr().err


def test_without_tqdm_there_is_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tqdm", None)
    assert speed.bar([1, 2], "rows") == [1, 2]


@pytest.mark.parametrize(
    "wrong",
    [
        ["--threads", "-1"],
        ["--threads", "0"],
        ["--only", "("],
        ["--only", "no such row"],
        ["--load", __file__],
        ["--without", "numpy"],
        ["--json", "no/such/folder/a.json"],
        ["--plot", "no/such/folder/a.png"],
        ["--load", "no_such.json"],
    ],
)
def test_wrong_options_are_refused(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        speed.main(wrong)
    assert end.value.code == 2
    assert wrong[0] in capsys.readouterr().err
