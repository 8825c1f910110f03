"""CUDA is not here; its one switch can be set."""

from __future__ import annotations

import tinyrnn


def test_it_is_not_there() -> None:
    assert not tinyrnn.backends.cuda.is_built()
    assert tinyrnn.backends.cuda.matmul.allow_tf32 is False


def test_the_switch_keeps_what_it_is_set_to() -> None:
    tinyrnn.backends.cuda.matmul.allow_tf32 = True
    assert tinyrnn.backends.cuda.matmul.allow_tf32
    tinyrnn.backends.cuda.matmul.allow_tf32 = False
