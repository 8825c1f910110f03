"""Seeing, keeping and replacing the gradient of any value while a backward pass runs."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from tinyrnn.autograd.engine import accumulate
from tinyrnn.autograd.graph import Array, Hook, Value, make
from tinyrnn.autograd.modes import no_grad
from tinyrnn.autograd.views import edge_of


class RemovableHandle:
    """What `register_hook` returns: `remove()`, or the end of a `with` block, takes the hook away again."""

    def __init__(self, hooks: list[Any], hook: Any) -> None:
        self._hooks, self._hook = hooks, hook

    def remove(self) -> None:
        """Takes the hook away. A second call does nothing."""
        self._hooks[:] = [hook for hook in self._hooks if hook is not self._hook]

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()


def _attach(name: str, value: Value, call: Callable[[Array], Array | None], keeps: bool) -> tuple[list[Hook], Hook]:
    edge = edge_of(value)
    if edge is None:
        raise RuntimeError(
            f"{name}: this tensor needs no gradient, so no backward pass will come by: requires_grad_() it first"
        )
    source, k = edge
    source.hooks = source.hooks or []
    source.hooks.append(Hook(call, k, keeps))
    return source.hooks, source.hooks[-1]


def register_hook(value: Value, hook: Callable[[Any], Any]) -> RemovableHandle:
    """Calls `hook(dL/d value)` in every backward pass, once the gradient is complete; a result replaces it.

    hook      takes a tensor of the value's shape (its own copy); returns None, or a tensor of that shape to use instead
    Hooks run as the pass visits values, the last one computed first; those of leaves run when all others have (in
    torch, as soon as the leaf's own gradient is complete).
    Returns a handle with `remove()`. Raises RuntimeError if the value needs no gradient and, in the backward pass,
    TypeError or ValueError if the hook returns anything else. Source: torch.Tensor.register_hook.

    >>> import tinyrnn
    >>> h = tinyrnn.ones(2, requires_grad=True)
    >>> handle = h.register_hook(lambda g: g / 2)
    >>> (3 * h).sum().backward()
    >>> h.grad
    tensor([1.5000, 1.5000])
    """
    shape, dtype, cls = value.array.shape, value.array.dtype, Value.result

    def call(g: Array) -> Array | None:
        with no_grad():
            returned = hook(make(cls, g.copy()))
        if returned is None:
            return None
        if not isinstance(returned, Value):
            raise TypeError(f"register_hook: the hook returned {type(returned).__name__}, expected a tensor or None")
        if returned.array.shape != shape:
            raise ValueError(f"register_hook: the hook returned shape {returned.array.shape}, the tensor has {shape}")
        if returned.array.dtype.kind == "c":
            raise TypeError(f"register_hook: the hook returned a gradient of {returned.array.dtype}, expected {dtype}")
        return returned.array.astype(dtype)

    return RemovableHandle(*_attach("register_hook", value, call, False))


def retain_grad(value: Value) -> None:
    """Asks every backward pass to leave dL/d value in `.grad` of this value, although it is not a leaf.

    Does nothing for a leaf, whose gradient is kept anyway. Raises RuntimeError if the value needs no gradient.

    >>> import tinyrnn
    >>> w = tinyrnn.ones(2, requires_grad=True)
    >>> h = 3 * w
    >>> h.retain_grad()
    >>> (h * h).sum().backward()
    >>> h.grad
    tensor([6., 6.])
    """
    kept = weakref.ref(value)  # weak: a value keeps its graph alive, not the graph its values

    def keep(g: Array) -> None:
        value = kept()
        if value is not None:
            accumulate({value: g})

    edge = edge_of(value)
    if value.retained is None and (edge is None or edge[0] is not value):
        value.retained = _attach("retain_grad", value, keep, True)[1]
