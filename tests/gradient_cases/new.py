"""ops/new.py: new tensors are leaves."""

from __future__ import annotations

NO_GRADIENT = {f"new.{name}" for name in ("new_tensor", "new_zeros", "new_ones", "new_empty", "new_full", "new")}
