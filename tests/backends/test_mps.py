"""Apple's GPUs are not here."""

from __future__ import annotations

import tinyrnn


def test_they_are_not_here() -> None:
    assert not tinyrnn.backends.mps.is_available()
    assert not tinyrnn.backends.mps.is_built()
