"""The one device there is: the CPU. Programs may name it wherever torch's let them."""

from __future__ import annotations

from typing import Any


def check_device(name: str, device: Any) -> None:
    """Raises ValueError unless `device` is None or the CPU."""
    if device is not None and str(device).partition(":")[0] != "cpu":
        raise ValueError(f"{name}: device {str(device)!r} is not available: tinyrnn runs on the CPU, say device='cpu'")
