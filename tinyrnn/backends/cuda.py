"""CUDA is not here. backends.cuda.matmul.allow_tf32 may be set, without effect."""

from __future__ import annotations

from types import SimpleNamespace

matmul = SimpleNamespace(allow_tf32=False)


def is_built() -> bool:
    """False."""
    return False
