"""Accelerators of any kind: there is none."""

from __future__ import annotations

from types import ModuleType

import tinyrnn


def test_there_is_none() -> None:
    a = tinyrnn.accelerator
    assert (a.is_available(), a.device_count(), a.current_accelerator()) == (False, 0, None)


def test_the_usual_question_has_the_usual_answer(torch: ModuleType) -> None:
    for m in (tinyrnn, torch):
        device = m.accelerator.current_accelerator().type if m.accelerator.is_available() else "cpu"
        assert device == "cpu"
