"""cuDNN is not here. Its switches may be set, as backends.cudnn.benchmark = True, without effect."""

from __future__ import annotations

enabled, benchmark, deterministic, allow_tf32 = True, False, False, True  # torch's defaults


def is_available() -> bool:
    """False."""
    return False


def version() -> None:
    """None: there is none."""
