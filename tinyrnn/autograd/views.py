"""Values that share memory, and what an in-place change does to the graph.

A change in place gives a value new content, so another node has made it. If the value is a view (x[0], x.t() ...),
the memory belongs to its base: the base gets the new node, and every view finds out by the version they share.

    after  view[...] = new:     d base_before = g with the view's part zeroed,   d new = the view's part of g
    after  base changed:        view = the view's part of base,                  d base = g laid into zeros

"The view's part" of a gradient is found by address: the gradient is laid out in memory exactly as the base is,
and looked at with the view's offset and strides. That covers every chain of views at once.

Source: the convention (who sees what after an in-place change, and what is refused) is torch's.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.lib.array_utils import byte_bounds

from tinyrnn.autograd.graph import UNTRACKED, Array, Node, Source, Value
from tinyrnn.autograd.modes import mode


class _Layout(NamedTuple):
    """Where the elements of an array lie in a flat buffer."""

    shape: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int

    def of(self, buffer: Array) -> Array:
        return np.ndarray(self.shape, buffer.dtype, buffer, self.offset, self.strides)


def _layouts(base: Array, view: Array) -> tuple[int, _Layout, _Layout]:
    """The number of elements that `base` spans, and where it and `view` lie in such a buffer."""
    low, high = byte_bounds(base)
    places = (_Layout(a.shape, a.strides, a.__array_interface__["data"][0] - low) for a in (base, view))
    return ((high - low) // base.itemsize, *places)  # type: ignore[return-value]


def version_of(value: Value) -> list[int]:
    """The count of in-place changes that `value` shares with everything that shows its memory."""
    if value.version is None:
        value.version = [0]
    return value.version


def share(view: Value, base: Value) -> None:
    """Makes `view`, whose array shows the memory of `base`, a view of it."""
    view.base = base if base.base is None else base.base
    view.version = version_of(base)
    view.node_version = view.version[0] if mode.grad else UNTRACKED


def source_of(value: Value) -> Source | None:
    """Where a gradient for `value` has to go; None when it needs none."""
    if value.base is not None and value.node_version not in (version_of(value)[0], UNTRACKED):
        _refresh(value, value.base)
    return value.node or (value if value.wants_grad else None)


def _refresh(view: Value, base: Value) -> None:
    """The memory of `view` was changed through another name: it shows a part of the base's new content now."""
    parent = source_of(base)
    view.node_version = version_of(view)[0]
    if parent is None or view.array.size == 0:
        view.node = None
        return
    size, whole, part = _layouts(base.array, view.array)

    def pullback(g: Array) -> tuple[Array]:
        buffer = np.zeros(size, g.dtype)
        part.of(buffer)[...] = g
        return (whole.of(buffer),)

    view.node = Node("view", (parent,), pullback, view.array.shape, view.array.dtype)


def check_in_place(name: str, value: Value, new: Source | None = None) -> None:
    """Refuses an in-place change, before it is made, that would make a gradient wrong. Raises RuntimeError.

    `new` is where the new content comes from, if it needs a gradient.
    """
    if not value.array.flags.writeable:
        raise RuntimeError(f"{name}: this tensor's memory is read-only (expanded, perhaps): change a clone() of it")
    if not mode.grad:
        return
    owner = value if value.base is None else value.base
    if owner.node is None and owner.wants_grad:
        what = "a leaf that requires a gradient" if owner is value else "a view of a leaf that requires a gradient"
        raise RuntimeError(
            f"{name}: {what} cannot be changed in place while operations are recorded: "
            "make the change under no_grad(), or change a clone()"
        )
    if value.node_version == UNTRACKED and (new is not None or owner.node is not None):
        raise RuntimeError(
            f"{name}: this view was made under no_grad(), so that a recorded change of it would not reach the tensor "
            "it is a view of: make the view outside of no_grad(), or the change inside"
        )


def changed_in_place(value: Value, new: Node | None) -> None:
    """`value` has got new content in the same memory, made by `new`. Counts the change and mends the graph."""
    version_of(value)[0] += 1
    base = value.base
    if not mode.grad:
        return
    if base is None:
        value.node = new
        return
    before = source_of(base)
    if (before is None and new is None) or value.array.size == 0:
        return
    size, whole, part = _layouts(base.array, value.array)

    def pullback(g: Array) -> tuple[Array, Array]:
        buffer = np.empty(size, g.dtype)
        whole.of(buffer)[...] = g
        dnew = part.of(buffer).copy()
        part.of(buffer)[...] = 0
        return whole.of(buffer), dnew

    base.node = Node("copy_slices", (before, new), pullback, base.array.shape, base.array.dtype)
