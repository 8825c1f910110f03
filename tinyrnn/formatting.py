"""How a tensor prints: as torch prints it.

Four decimals; none where all numbers are whole ("2."); powers of ten where the largest number is over 1000 times the
smallest, over 1e8, or one is under 1e-4; the middle left out of tensors of over 1000 elements; lines of 80 characters.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from tinyrnn.autograd.graph import Array, Node
from tinyrnn.dtypes import get_default_dtype

_DEFAULT: dict[str, Any] = {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80}
_PROFILES: dict[str, dict[str, Any]] = {
    "default": _DEFAULT,
    "short": _DEFAULT | {"precision": 2, "edgeitems": 2},
    "full": _DEFAULT | {"threshold": math.inf},
}
options = SimpleNamespace(**_DEFAULT, sci_mode=None)


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """How tensors print from now on; what is None stays as it is, but sci_mode, which is then chosen by the numbers.

    precision  digits after the point (4)               threshold  of more elements the middle is left out (1000)
    edgeitems  how many are shown at each end then (3)   linewidth  characters of a line (80)
    profile    "default", "short" or "full", the others on top of it      sci_mode  powers of ten, always or never
    Raises ValueError for another profile. Source: torch.set_printoptions.
    """
    if profile is not None:
        if profile not in _PROFILES:
            raise ValueError(f"set_printoptions: profile is {profile!r}, expected one of {', '.join(_PROFILES)}")
        vars(options).update(_PROFILES[profile])
    given = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    vars(options).update({name: value for name, value in given.items() if value is not None})
    options.sci_mode = sci_mode


def format_tensor(array: Array, grad_fn: Node | None, requires_grad: bool, name: str = "tensor") -> str:
    """tensor([1., 2.], requires_grad=True)"""
    indent = len(name) + 1
    kind = array.dtype
    suffixes = []
    if array.size == 0:
        body = "[]"
        if array.ndim != 1:
            suffixes.append(f"size={array.shape}")
    else:
        summarize = array.size > options.threshold
        body = _body(array, indent, *_formatter(_edges(array) if summarize else array), summarize)
    usual = (get_default_dtype(), np.dtype("int64"), np.dtype("bool")) if array.size else (get_default_dtype(),)
    if kind not in usual:
        suffixes.append(f"dtype=tinyrnn.{kind}")
    if grad_fn is not None:
        suffixes.append(f"grad_fn={grad_fn}")
    elif requires_grad:
        suffixes.append("requires_grad=True")
    text = f"{name}({body}"
    last_line = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        if last_line + len(suffix) + 2 > options.linewidth:
            text += ",\n" + " " * indent + suffix
            last_line = indent + len(suffix)
        else:
            text += ", " + suffix
            last_line += len(suffix) + 2
    return text + ")"


def _edges(array: Array) -> Array:
    """The elements that are shown of a large tensor."""
    for axis, n in enumerate(array.shape):
        if n > 2 * options.edgeitems:
            array = array.take([*range(options.edgeitems), *range(n - options.edgeitems, n)], axis)
    return array


def _formatter(array: Array) -> tuple[Callable[[Any], str], int]:
    """A function that writes each element of `array` in one width, and that width."""
    if array.dtype.kind != "f":
        plain = max(len(str(value)) for value in array.ravel())
        return lambda value: str(value).rjust(plain), plain
    values = array.astype(np.float64).ravel()
    usual = values[np.isfinite(values) & (values != 0)]  # inf, nan and -0 do not count, not even for the width
    normal, write = np.abs(usual), _whole
    if normal.size:
        low, high = float(normal.min()), float(normal.max())
        wide = high / low > 1000.0 or high > 1e8
        whole = bool(np.all(normal == np.ceil(normal)))
        powers = (wide or (low < 1e-4 and not whole)) if options.sci_mode is None else options.sci_mode
        write = _scientific if powers else _whole if whole else _fixed
    width = max((len(write(value)) for value in usual), default=1)
    return lambda value: write(float(value)).rjust(width), width


def _whole(value: float) -> str:
    return f"{value:.0f}." if np.isfinite(value) else f"{value:.0f}"


def _fixed(value: float) -> str:
    return f"{value:.{options.precision}f}"


def _scientific(value: float) -> str:
    return f"{value:.{options.precision}e}"


def _body(array: Array, indent: int, write: Callable[[Any], str], width: int, summarize: bool) -> str:
    """The brackets and what is between them, with the lines after the first indented."""
    if array.ndim == 0:
        return write(array[()])
    shown: list[Any] = list(array)
    if summarize and len(shown) > 2 * options.edgeitems:
        shown = [*shown[: options.edgeitems], None, *shown[-options.edgeitems :]]
    if array.ndim > 1:
        rows = ["..." if row is None else _body(row, indent + 1, write, width, summarize) for row in shown]
        return "[" + ("," + "\n" * (array.ndim - 1) + " " * (indent + 1)).join(rows) + "]"
    words = [" ..." if value is None else write(value) for value in shown]
    per_line = max(1, (options.linewidth - indent) // (width + 2))
    lines = [", ".join(words[i : i + per_line]) for i in range(0, len(words), per_line)]
    return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"
