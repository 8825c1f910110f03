"""The README's programs run, and print what their comments say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

README = Path(__file__).parent.parent / "README.md"
PROGRAMS = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)


def answers(program: str) -> list[str]:
    """What the comments behind the calls of print say, a line each; " | " parts the lines that a loop prints."""
    comments = re.findall(r"print\(.*\)  # (.*)$", program, re.MULTILINE)
    return [answer for comment in comments for answer in comment.split(" | ")]


def test_there_are_programs_with_answers() -> None:
    assert len(PROGRAMS) >= 2
    assert all(answers(program) for program in PROGRAMS)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.splitlines()[0])
def test_a_program_prints_its_answers(program: str, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(program, "README.md", "exec"), {})
    assert capsys.readouterr().out.splitlines() == answers(program)


def test_the_first_program_prints_the_same_under_torch(torch: object, capsys: pytest.CaptureFixture[str]) -> None:
    program = PROGRAMS[0].replace("import tinyrnn as torch", "import torch").replace("from tinyrnn", "from torch")
    exec(compile(program, "README.md", "exec"), {})
    assert capsys.readouterr().out.splitlines() == answers(program)
