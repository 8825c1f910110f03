"""Values that share memory, and what an in-place change does to the graph.

A change in place gives a value new content, so another node has made it. If the value is a view (x[0], x.t() ...), the
memory belongs to its base: the base gets the new node, and every view finds out by the version they all share.

    y = 2 * x       y: made by mul,                        version 0
    v = y[0]        v: a view of y, made by getitem        of version 0
    u = y[0]        u: likewise
    v *= 3          y: now made by copy_slices, from mul's y and the new v: version 1
    u + v           u and v were made at version 0: each is made anew, as a part of what y is now

    copy_slices, backwards:      d(y before) = g, zero in the part that v shows;  d(new v) = g in that part
    a part made anew, backwards: d(y) = zero, g in that part

The part is found by address: a gradient of y is laid out in memory exactly as y is, and looked at with the offset and
the strides of v. That covers every chain of views at once. A view made under no_grad is UNTRACKED: it stays as it is.

Source: the convention (who sees what after an in-place change, and what is refused) is torch's.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.lib.array_utils import byte_bounds

from tinyrnn.autograd.graph import FRESH, IN_PLACE, UNTRACKED, Array, Edge, Gradient, Node, Value
from tinyrnn.autograd.modes import state


class _Layout(NamedTuple):
    """Where the elements of an array lie in a flat buffer."""

    shape: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int

    def of(self, buffer: Array) -> Array:
        return np.ndarray(self.shape, buffer.dtype, buffer, self.offset, self.strides)

    def put(self, g: Array, buffer: Array) -> None:
        """Adds `g` into the buffer; where the view shows an element several times, it gets the sum."""
        expanded = tuple([axis for axis, n in enumerate(self.shape) if n > 1 and self.strides[axis] == 0])
        once = self._replace(shape=tuple([1 if axis in expanded else n for axis, n in enumerate(self.shape)]))
        np.add.at(once.of(buffer), (), g.sum(expanded, keepdims=True) if expanded else g)


def _layouts(base: Array, view: Array) -> tuple[int, _Layout, _Layout]:
    """The number of elements that `base` spans, and where it and `view` lie in such a buffer."""
    if view.size and not np.may_share_memory(base, view):
        raise RuntimeError(
            "views: the tensor that this one was a view of has been given other memory, by assigning .data: make the "
            "view again"
        )
    low, high = byte_bounds(base)
    whole, part = (_Layout(a.shape, a.strides, a.__array_interface__["data"][0] - low) for a in (base, view))
    return -(-(high - low) // base.itemsize), whole, part


def version_of(value: Value) -> list[int]:
    """The count of in-place changes that `value` shares with everything that shows its memory."""
    if value.version is None:
        value.version = [0]
    return value.version


def share(view: Value, base: Value) -> None:
    """Makes `view`, whose array shows the memory of `base`, a view of it."""
    view.base = base if base.base is None else base.base
    view.version = version_of(base)
    view.node_version = view.version[0] if state.grad else UNTRACKED


def edge_of(value: Value) -> Edge | None:
    """Where a gradient for `value` goes; None if it needs none. The edge of a view is brought up to date first."""
    if value.base is not None and value.node_version not in (version_of(value)[0], UNTRACKED):
        _refresh(value, value.base)
    return value.edge or ((value, 0) if value.wants_grad else None)


def _refresh(view: Value, base: Value) -> None:
    """The base was modified through another alias: the view shows a part of the base's new content now."""
    parent = edge_of(base)
    view.node_version = version_of(view)[0]
    if parent is None:
        set_edge(view, None)
        return
    empty = view.array.size == 0
    size, whole, part = _layouts(base.array, base.array if empty else view.array)

    def pullback(g: Array) -> tuple[Array]:
        buffer = np.zeros(size, g.dtype)
        if not empty:
            part.put(g, buffer)
        return (whole.of(buffer),)

    set_edge(view, (Node("view", (parent,), pullback, view.shape, view.dtype, FRESH), 0))


def set_edge(value: Value, edge: Edge | None) -> None:
    """Another operation has computed `value`: the gradient that retain_grad keeps is that of its new content."""
    hook = value.retained
    if hook is not None and edge is not None:
        if value.node is not None and value.node.hooks:
            value.node.hooks = [other for other in value.node.hooks if other is not hook]
        value.retained = hook._replace(k=edge[1])
        edge[0].hooks = [*(edge[0].hooks or ()), value.retained]
    value.edge = edge


def check_in_place(name: str, value: Value, new: Edge | None = None) -> None:
    """Refuses an in-place change, before it is made, that would make a gradient wrong. Raises RuntimeError.

    `new` is where the new content comes from, if it needs a gradient.
    """
    if not value.array.flags.writeable:
        raise RuntimeError(f"{name}: this tensor's memory is read-only (expanded, perhaps): change a clone() of it")
    if not state.grad:
        return
    owner = value if value.base is None else value.base
    for leaf, what in ((value, "a leaf"), (owner, "a view of a leaf")):
        if leaf.edge is None and leaf.wants_grad:
            raise RuntimeError(
                f"{name}: {what} that requires a gradient cannot be changed in place while operations are recorded: "
                "make the change under no_grad(), or change a clone()"
            )
    if value.node_version == UNTRACKED and (new is not None or owner.edge is not None):
        raise RuntimeError(
            f"{name}: this view was made under no_grad(), so that a recorded change of it would not reach the tensor "
            "it is a view of: make the view outside of no_grad(), or the change inside"
        )


def changed_in_place(value: Value, new: Edge | None) -> None:
    """`value` has got new content in the same memory, from `new`. Counts the change and updates the graph."""
    version_of(value)[0] += 1
    base = value.base
    if not state.grad:
        return
    if base is None:
        set_edge(value, new)
        return
    before = edge_of(base)
    if before is None and new is None:
        return
    spec = base.array.shape, base.array.dtype
    if value.array.size == 0:  # nothing has changed; but the base depends on `new` from now on, as in torch
        if before is None:
            nothing = np.zeros(value.shape, value.array.dtype)
            set_edge(base, (Node("copy_slices", (new,), lambda g: (nothing,), *spec), 0))
        return
    size, whole, part = _layouts(base.array, value.array)
    plain = base.array.flags.c_contiguous

    def pullback(g: Array) -> tuple[Gradient, Gradient]:
        if plain and g.flags.c_contiguous:
            buffer = g.reshape(-1)  # g may be overwritten, and has the layout of the base already
        else:
            buffer = np.empty(size, g.dtype)
            whole.of(buffer)[...] = g
        dnew = part.of(buffer).copy()
        part.of(buffer)[...] = 0
        return whole.of(buffer), dnew

    set_edge(base, (Node("copy_slices", (before, new), pullback, *spec, IN_PLACE), 0))
