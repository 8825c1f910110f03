"""Recomputation: keep a function's arguments instead of all that its backward pass reads, and compute it again then.

    forward    y = f(x), recorded; then its graph is dropped, and one node takes its place: its parents are the edges
               that lead out of this graph (to x, weights, anything that f has read)
    backward   y = f(x) again, recorded. The edges of the new results replace the parents, and the pass goes on through
               the new graph: its nodes have the largest numbers, so they come next

T steps in sqrt(T) segments of sqrt(T) steps need the memory of one segment and of sqrt(T) arguments, O(sqrt T) instead
of O(T), and one forward pass more, where a training step costs about three: 4/3 of the time.

Source: Griewank and Walther, Revolve, 2000; Chen, Xu, Zhang and Guestrin, Training deep nets with sublinear memory
cost, 2016. Names and arguments: torch.utils.checkpoint.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from typing import Any

import numpy as np

from tinyrnn.autograd.graph import Array, Edge, Gradient, Node, Spec, Value, make, numbers
from tinyrnn.autograd.modes import enable_grad, state
from tinyrnn.autograd.record import save
from tinyrnn.autograd.views import edge_of, version_of
from tinyrnn.random import default_generator, fork_rng, get_rng_state, set_rng_state
from tinyrnn.tensor import Tensor
from tinyrnn.utils.nested import each, tensors_in

__all__ = ["checkpoint", "checkpoint_sequential"]

Contexts = tuple[AbstractContextManager[Any], AbstractContextManager[Any]]


def no_contexts() -> Contexts:
    """What surrounds the two computations if nothing else is asked for."""
    return nullcontext(), nullcontext()


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = None,
    context_fn: Callable[[], Contexts] = no_contexts,
    determinism_check: str = "default",
    debug: bool = False,
    early_stop: bool = True,
    preserve_rng_state: bool = True,
    **kwargs: Any,
) -> Any:
    """function(*args, **kwargs), of which only the arguments are kept: the backward pass computes it again.

    function            returns tensors, also in tuples, lists and dicts, and does the same both times. Weights, and all
                        else that it reads without being given it, get their gradients too
    context_fn          () -> two contexts, for the first and the second computation
    determinism_check   "none" does without comparing the shapes and dtypes of the two results
    preserve_rng_state  draw the same random numbers the second time, as dropout has to
    use_reentrant, debug, early_stop  without effect: always as with torch's use_reentrant=False, and without a warning
    Where nothing is recorded, the function is called, and that is all.

    The gradients are those of calling the function, to the last bit. A result that is a view becomes a copy.
    Raises ValueError for determinism_check, and RuntimeError if the function changes an argument in place. In the
    backward pass, before any gradient is changed, RuntimeError for a second pass; if an argument, a weight or a tensor
    of the function's closure was changed in place meanwhile (in torch, a wrong gradient); if the second result has
    another shape or dtype, or needs no gradient; and if it depends on another leaf. Other tensors that the function
    reads, as attributes of a module that are no leaves, are refused after a recorded change only.
    Source: torch.utils.checkpoint.checkpoint.

    >>> import tinyrnn
    >>> w = tinyrnn.tensor([2.0, 3.0], requires_grad=True)
    >>> checkpoint(lambda x, n: (w * x) ** n, tinyrnn.ones(2), n=2, use_reentrant=False).sum().backward()
    >>> w.grad
    tensor([4., 6.])
    """
    if determinism_check not in ("default", "none"):
        raise ValueError(f'checkpoint: determinism_check is {determinism_check!r}, expected "default" or "none"')
    first, second = context_fn()
    if not state.grad:
        with first:
            return function(*args, **kwargs)

    cells = [cell.cell_contents for cell in getattr(function, "__closure__", None) or () if _is_filled(cell)]
    given = list(tensors_in((args, kwargs)))
    versions = [version_of(x)[0] for x in given]
    args_again, kwargs_again = each(_same, args), each(_same, kwargs)
    rng, changes = _rng_state() if preserve_rng_state else None, default_generator.changes
    before = next(numbers)  # nodes are numbered as they are made: those of the function come after this one
    with first:
        result = function(*args, **kwargs)
    for k, (x, version) in enumerate(zip(given, versions, strict=True)):
        if version_of(x)[0] != version:
            raise RuntimeError(
                f"checkpoint: the function has changed an argument in place, the tensor {k} of shape {x.shape}, and "
                "could not be computed again from what it was: change a clone() of it"
            )
    if default_generator.changes == changes:
        rng = None  # it draws nothing
    results = list(tensors_in(result))
    edges = [edge_of(y) for y in results]
    places = [k for k, edge in enumerate(edges) if edge is not None and _number(edge) > before]
    if not places:
        return result

    parents = list(_outside([edges[k] for k in places], before))
    specs = [(results[k].array.shape, results[k].dtype) for k in places]
    checked = specs if determinism_check == "default" else None
    again = Again(function, args_again, kwargs_again, second, rng, len(results), places, checked, parents)
    node = Node("checkpoint", again.parents, again, *specs[0])
    node.more = specs[1:]
    again.number = node.number
    save(node, [*given, *tensors_in(cells), *[leaf for leaf, _ in parents if isinstance(leaf, Value)]])
    recorded: dict[int, Tensor] = {}
    for k, place in enumerate(places):
        y = results[place]
        out: Tensor = make(y.result, y.array if y.base is None else y.array.copy())  # the base would keep its graph
        out.version = version_of(y) if y.base is None else None
        out.edge = (node, k)
        recorded.setdefault(id(y), out)
    return each(lambda y: recorded.get(id(y), y), result)


def _same(x: Tensor) -> Tensor:
    """A tensor in the same memory, with the same edge: x itself might come to depend on the result, a cycle."""
    edge = edge_of(x)
    if edge is not None and edge[0] is x:
        return x
    same: Tensor = make(x.result, x.array)
    same.version, same.edge = version_of(x), edge
    return same


def _is_filled(cell: Any) -> bool:
    """Whether the variable of a closure has a value yet."""
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return False
    return True


def _number(edge: Edge) -> int:
    return edge[0].number if isinstance(edge[0], Node) else 0


def _outside(roots: Sequence[Edge | None], before: int) -> Iterator[Edge]:
    """The edges from the nodes below the roots whose number is larger than `before` to all others."""
    seen, stack = set(roots), list(roots)
    while stack:
        for parent in stack.pop()[0].parents:  # type: ignore[index, union-attr]
            if parent is None or parent in seen:
                continue
            seen.add(parent)
            if _number(parent) > before:
                stack.append(parent)
            else:
                yield parent


class Again:
    """The pullback of a checkpoint: computes the function again, and hands the gradients on to the new results."""

    def __init__(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        context: AbstractContextManager[Any],
        rng: Array | None,
        tensors: int,
        places: list[int],
        specs: Sequence[Spec] | None,
        outside: list[Edge],
    ) -> None:
        self.function, self.args, self.kwargs, self.context = function, args, kwargs, context
        self.rng = rng  # the state to draw from
        self.tensors = tensors  # how many the function returns
        self.places = places  # the positions of those that need a gradient
        self.specs = specs  # the shape and dtype of each of these, if they are compared
        self.outside = frozenset(outside)  # the edges that led out of the graph at first
        self.parents: list[Edge | None] = [*outside]  # those of the node: the list itself, which the call changes
        self.number = 0  # of the node

    def __call__(self, *gradients: Array | None) -> Sequence[Gradient]:
        start = next(numbers)
        results = self.compute()
        edges = [self.edge_of(results, k) for k in range(len(gradients))]
        self.check([edge for edge, g in zip(edges, gradients, strict=True) if g is not None], start)
        self.parents[:] = edges
        return gradients

    def check(self, roots: Sequence[Edge], start: int) -> None:
        """Refuses another leaf, and an edge to a node that was made after the checkpoint and before this call."""
        seen: set[Edge] = set()
        stack = list(roots)
        while stack:
            edge = stack.pop()
            if edge in seen or edge in self.outside:
                continue
            seen.add(edge)
            source = edge[0]
            if isinstance(source, Value):
                raise RuntimeError(
                    "checkpoint: when it was computed again, the function has read another tensor that requires a "
                    f"gradient, of shape {source.shape}: it has to do the same both times"
                )
            if self.number <= source.number <= start:
                raise RuntimeError(
                    "checkpoint: a tensor that the function reads was changed in place after the checkpoint, by "
                    f"{source.name!r}: change it after backward, or a clone() of it"
                )
            stack += [parent for parent in source.parents if parent is not None]

    def compute(self) -> list[Tensor]:
        """The tensors that the function returns this time."""
        with ExitStack() as contexts:
            if self.rng is not None:
                contexts.enter_context(fork_rng())
                set_rng_state(self.rng)
            contexts.enter_context(enable_grad())
            contexts.enter_context(self.context)
            results = list(tensors_in(self.function(*self.args, **self.kwargs)))
        if len(results) != self.tensors:
            raise RuntimeError(
                f"checkpoint: the function has returned {self.tensors} tensors at first, and {len(results)} when it "
                "was computed again: it has to do the same both times"
            )
        return results

    def edge_of(self, results: list[Tensor], k: int) -> Edge:
        """The edge of the k-th result that needs a gradient, which has to be like the first time."""
        y = results[self.places[k]]
        edge = edge_of(y)
        if edge is None:
            raise RuntimeError(
                f"checkpoint: a result of shape {y.shape} needed a gradient at first, and none when it was computed "
                "again: the function has to do the same both times"
            )
        if self.specs is not None and (y.array.shape, y.dtype) != self.specs[k]:
            shape, dtype = self.specs[k]
            raise RuntimeError(
                f"checkpoint: a result was {shape} of {dtype} at first, and {y.shape} of {y.dtype} when it was "
                "computed again: the function has to do the same both times"
            )
        return edge


def _rng_state() -> Array:
    """The state of the random numbers, which takes as long to copy as many operations: not twice the same."""
    global _last_rng_state
    changes, rng = _last_rng_state
    if changes != default_generator.changes:
        changes, rng = default_generator.changes, get_rng_state()
        _last_rng_state = changes, rng
    return rng


_last_rng_state: tuple[int, Array] = (-1, np.empty(0))


def checkpoint_sequential(
    functions: Iterable[Callable[[Any], Any]],
    segments: int,
    input: Any,
    use_reentrant: bool | None = None,
    *,
    preserve_rng_state: bool = True,
) -> Any:
    """f_n(... f_2(f_1(x))), in segments of n // segments functions, each under checkpoint() but the last.

    functions  nn.Sequential, or several functions of one argument; for the last segment, with which the backward pass
               begins, there is nothing to be gained. The others, as in checkpoint
    Raises ValueError unless there are at least as many functions as segments, and one. Unlike torch's it takes a module
    that stands in a Sequential twice both times. Source: torch.utils.checkpoint.checkpoint_sequential.

    >>> import tinyrnn
    >>> from tinyrnn import nn
    >>> net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2), nn.Tanh())
    >>> checkpoint_sequential(net, 2, tinyrnn.ones(5, 3), use_reentrant=False).shape
    (5, 2)
    """
    several = list(functions)
    if isinstance(segments, bool) or not isinstance(segments, int) or not 1 <= segments <= len(several):
        raise ValueError(
            f"checkpoint_sequential: segments is {segments!r}, expected a whole number from 1 to the number of "
            f"functions, {len(several)}"
        )
    size = len(several) // segments
    last = size * (segments - 1)
    for start in range(0, last, size):
        part = functools.partial(_in_turn, several[start : start + size])
        input = checkpoint(part, input, use_reentrant=use_reentrant, preserve_rng_state=preserve_rng_state)
    return _in_turn(several[last:], input)


def _in_turn(functions: Sequence[Callable[[Any], Any]], x: Any) -> Any:
    for function in functions:
        x = function(x)
    return x
