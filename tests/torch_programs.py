"""Programs written for torch, run as they are, or with their import lines changed.

A program is a function that imports what it needs, as a script would, prints what it likes and returns the numbers that
are compared.
"""

from __future__ import annotations

import contextlib
import inspect
import io
import re
import textwrap
from collections.abc import Callable
from typing import Any

import pytest

CHANGES = [
    (r"^(\s*)import torch(?=\s*$)", r"\1import tinyrnn as torch"),
    (r"^(\s*)import torch\.([\w.]+) as ", r"\1import tinyrnn.\2 as "),
    (r"^(\s*)import torch\.([\w.]+)(?=\s*$)", r"\1import tinyrnn.\2, tinyrnn as torch"),
    (r"^(\s*)from torch([\w.]*) import ", r"\1from tinyrnn\2 import "),
]


def with_our_imports(source: str) -> str:
    """The program for tinyrnn: its import lines changed, and nothing else."""
    for pattern, replacement in CHANGES:
        source = re.sub(pattern, replacement, source, flags=re.MULTILINE)
    assert not re.search(r"^\s*(import|from) torch\b", source, re.MULTILINE)
    return source


def run(program: Callable[..., Any], framework: str, *arguments: Any) -> tuple[Any, str]:
    """What the program returns and what it prints, under "torch" or "tinyrnn"."""
    if framework == "tinyrnn":
        source = with_our_imports(textwrap.dedent(inspect.getsource(program)))
        namespace = dict(program.__globals__)
        exec(compile(source, f"{program.__name__} with tinyrnn", "exec"), namespace)
        program = namespace[program.__name__]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        result = program(*arguments)
    return result, printed.getvalue()


def compare(program: Callable[..., Any], *arguments: Any, rel: float = 1e-4, absolute: float = 1e-7) -> Any:
    """Runs the program under both: the numbers are the same within `rel`. Returns ours."""
    (ours, _), (theirs, _) = (run(program, framework, *arguments) for framework in ("tinyrnn", "torch"))
    assert len(theirs) > 0
    assert ours == pytest.approx(theirs, rel=rel, abs=absolute)
    return ours
