"""The one device there is, the CPU, and the one layout. Programs may name them wherever torch's let them."""

from __future__ import annotations

from typing import Any

__all__ = [
    "contiguous_format",
    "device",
    "get_default_device",
    "layout",
    "memory_format",
    "preserve_format",
    "set_default_device",
    "strided",
    "use_deterministic_algorithms",
]


class device:  # noqa: N801 (torch's name)
    """The CPU. device("cpu"), device("cpu", 0), device("cpu:0"), device(another); as a context it changes nothing.

    Raises ValueError for any other device. Source: torch.device.

    >>> device("cpu"), device("cpu:0").index, str(device("cpu", 0))
    (device(type='cpu'), 0, 'cpu:0')
    """

    __slots__ = ("index", "type")

    def __init__(self, type: Any, index: int | None = None) -> None:
        check_device("device", type)
        number = str(type).partition(":")[2]
        self.type = "cpu"
        self.index = int(number) if number else index

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device) and self.index == other.index

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __repr__(self) -> str:
        return f"device(type='cpu'{'' if self.index is None else f', index={self.index}'})"

    def __enter__(self) -> device:
        return self

    def __exit__(self, *exception: object) -> None:
        pass


CPU = device.__new__(device)  # what x.device is
CPU.type, CPU.index = "cpu", None


def check_device(name: str, device: Any) -> None:
    """Raises ValueError unless `device` is None or the CPU."""
    if device is not None and device is not CPU:
        kind, colon, index = str(device).partition(":")
        if kind != "cpu" or (colon and not index.isdecimal()):
            raise ValueError(
                f"{name}: device {str(device)!r} is not available: tinyrnn runs on the CPU, say device='cpu'"
            )


def set_default_device(device: Any) -> None:
    """Accepts the CPU, where every tensor is made anyway. Raises ValueError for any other device."""
    check_device("set_default_device", device)


def get_default_device() -> device:
    """The CPU."""
    return CPU


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Accepted: there are no others here. The same program with the same seed gives the same numbers."""


class layout:  # noqa: N801 (torch's name)
    """How the elements lie in memory: with strides, which is all there is here."""

    def __repr__(self) -> str:
        return "tinyrnn.strided"


class memory_format:  # noqa: N801 (torch's name)
    """The order in which a new tensor's elements lie: rows first, or as in the tensor that it is made like."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return f"tinyrnn.{self._name}"


strided = layout()
contiguous_format, preserve_format = memory_format("contiguous_format"), memory_format("preserve_format")
