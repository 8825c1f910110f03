"""Truncated back-propagation through time: a stream without end, learned from in constant memory.

The gradient of the loss at step t reaches back a limited number of steps; behind, the state counts as a constant:

    t        1  2  3  4  5  6  7  8  9 10 11 12        k1 = 2, k2 = 6, in the items that the stream gives
    window 5             |- - - - - - - L  L|          the losses of 9 and 10, back to the state between 4 and 5
    window 6                   |- - - - - - - L  L|    those of 11 and 12, back to the state between 6 and 7

Each loss counts once, and reaches back k2 - k1 + 1 to k2 items. With k1 = k2, windows do not overlap.

Source: Williams and Peng, An efficient gradient-based algorithm for on-line training of recurrent network
trajectories, 1990, whose BPTT(h; h') has h = k2 and h' = k1; Sutskever, Training recurrent neural networks, 2013, for
the names k1 and k2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tinyrnn.tensor import Tensor
from tinyrnn.utils.nested import each


def detach(hx: Any) -> Any:
    """The states hx as constants: the same numbers, through which no gradient flows back.

    hx  a tensor, None, or a tuple, list or dict of these, nested in any way, as a layer takes and returns it; numbers
        and strings stay as they are
    Raises TypeError for anything else, in which a tensor might be hidden, and with it all that made it.

    >>> import tinyrnn
    >>> from tinyrnn import bptt, nn
    >>> layer, hx = nn.LSTM(3, 4), None
    >>> for x in tinyrnn.randn(20, 5, 3).split(10):  # ten steps at a time
    ...     y, hx = layer(x, bptt.detach(hx))
    ...     y.sum().backward()
    """
    _check(hx)
    return each(Tensor.detach, hx)


def truncated(
    function: Callable[..., tuple[Tensor, Any]],
    stream: Iterable[Any],
    hx: Any = None,
    k1: int = 1,
    k2: int | None = None,
) -> Iterator[tuple[Tensor, Any]]:
    """Goes through a stream, and yields (loss, states) every k1 items: a loss whose gradient reaches back k2 items.

        loss_u = sum of the losses of items u - k1 + 1 .. u,   h_{u-k2} a constant;   u = k1, 2 k1, ..., and the end

    function  function(*item, h), or function(item, h) if the item is no tuple or list, returns (loss, new h): for a
              step, or a chunk of steps
    stream    anything to iterate over, a generator, say: the last k2 items are held, and no others
    hx        the states at the beginning, or None. They are not detached: an initial state can be learned
    k1, k2    1 <= k1 <= k2 (k1 if None). Where k1 < k2, windows overlap by k2 - k1 items, which are computed again
              from the state before them, with the weights as they are by then: each loss is a function of the present
              weights, and its gradient exact for the window. So k2/k1 times each item is computed, forward and
              backward

    An item is what the function takes: for a layer pieces of several steps, as in x.split(20), not the tensor x itself,
    whose items are its steps. You call loss.backward(), and the optimizer; what is yielded second are the states after
    the last item, detached. Memory: k2 items and their activations, and one state, however long the stream.
    Raises ValueError for k1 and k2, and TypeError for what is no function or no stream, a function that returns no
    pair, a loss that is no tensor, states that detach() refuses.

    >>> import tinyrnn
    >>> from tinyrnn import bptt, nn, optim
    >>> cell, readout = nn.RNNCell(1, 8), nn.Linear(8, 1)
    >>> def step(x, target, h):
    ...     h = cell(x, h)
    ...     return ((readout(h) - target) ** 2).mean(), h
    >>> waves = ((tinyrnn.full((1, 1), t % 3.0), tinyrnn.full((1, 1), (t + 1) % 3.0)) for t in range(100))
    >>> optimizer = optim.SGD([*cell.parameters(), *readout.parameters()], lr=0.1)
    >>> for loss, h in bptt.truncated(step, waves, k1=5, k2=10):
    ...     optimizer.zero_grad()
    ...     loss.backward()
    ...     optimizer.step()
    >>> h.shape, h.requires_grad
    ((1, 8), False)
    """
    if not callable(function) or not isinstance(stream, Iterable):
        got = f"{type(function).__name__} and {type(stream).__name__}"
        raise TypeError(f"truncated: got {got}, expected a function and a stream of items to go through")
    k2 = k1 if k2 is None else k2
    for name, k in (("k1", k1), ("k2", k2)):
        if isinstance(k, bool) or not isinstance(k, int) or k < 1:
            raise ValueError(f"truncated: {name} is {k!r}, expected a whole number, at least 1")
    if k2 < k1:
        raise ValueError(
            f"truncated: k1 = {k1} and k2 = {k2}, expected k1 <= k2: of the {k1} losses of a window, {k1 - k2} would "
            "have no gradient"
        )
    return _windows(function, stream, hx, k1, k2)


def _windows(
    function: Callable[..., tuple[Tensor, Any]], stream: Iterable[Any], hx: Any, k1: int, k2: int
) -> Iterator[tuple[Tensor, Any]]:
    before: list[Any] = []  # items of the windows so far that the next one goes through again; hx is the state before
    new: list[Any] = []

    def window() -> tuple[Tensor, Any]:
        nonlocal before, new, hx
        items, kept = before + new, min(len(before) + len(new), k2 - k1)
        losses, h = [], hx
        for k, item in enumerate(items):
            if k and k == len(items) - kept:
                hx = detach(h)  # the next window begins here
            loss, h = _pair(function(*item, h) if isinstance(item, tuple | list) else function(item, h))
            if k >= len(before):
                losses.append(loss)
        total, h = sum(losses[1:], losses[0]), detach(h)
        if kept == 0:
            hx = h
        before, new = items[len(items) - kept :], []
        return total, h

    for item in stream:
        new.append(item)
        if len(new) == k1:
            yield window()  # held by nobody here while the next one is computed
    if new:
        yield window()


def _pair(made: Any) -> tuple[Tensor, Any]:
    if not isinstance(made, tuple) or len(made) != 2:
        got = f"{len(made)} values" if isinstance(made, tuple) else f"a {type(made).__name__}"
        raise TypeError(f"truncated: the function has returned {got}, expected (loss, hx)")
    if not isinstance(made[0], Tensor):
        raise TypeError(f"truncated: the function has returned a {type(made[0]).__name__} as loss, expected a tensor")
    return made


def _check(hx: Any) -> None:
    if isinstance(hx, tuple | list | dict):
        for part in hx.values() if isinstance(hx, dict) else hx:
            _check(part)
    elif not isinstance(hx, Tensor | int | float | str | None):
        raise TypeError(
            f"detach: a state is a {type(hx).__name__}, expected a tensor, None, or a tuple, list or dict of these"
        )
