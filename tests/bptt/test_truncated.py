"""Truncated BPTT: which terms of the gradient are kept, by hand, by full BPTT and by torch; and constant memory."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinyrnn
from textbook import error
from tinyrnn import nn, optim
from tinyrnn.bptt import detach, truncated
from tinyrnn.tensor import Tensor

f64 = tinyrnn.float64


class States(NamedTuple):
    h: Tensor
    c: Tensor


def test_detach_reaches_everything() -> None:
    w = tinyrnn.ones(2, requires_grad=True)
    h = w * 2
    nested = {"a": (h, [h, None]), "b": States(h, h), "n": 3}
    free = detach(nested)
    assert isinstance(free["b"], States)
    assert free["n"] == 3
    assert free["a"][1][1] is None
    for x in (free["a"][0], free["a"][1][0], *free["b"]):
        assert not x.requires_grad
        assert np.shares_memory(x.array, h.array)
    assert nested["a"][0].requires_grad
    assert detach(None) is None
    with pytest.raises(TypeError, match="a state is a ndarray, expected a tensor"):
        detach((h, [np.ones(2)]))


# which terms are kept


def kept_terms(T: int, k1: int, k2: int) -> list[set[tuple[int, int]]]:
    """For each window the pairs (t, s): the loss after item t reaches the weights as they were used for item s."""
    windows = []
    for done in range(0, T, k1):
        end = min(done + k1, T)
        first = max(0, done + k1 - k2)
        windows.append({(t, s) for t in range(done, end) for s in range(first, t + 1)})
    return windows


@given(st.integers(1, 12), st.integers(1, 5), st.integers(0, 6))
def test_by_hand(T: int, k1: int, more: int) -> None:
    """h_t = h_{t-1} + w 2^s at s = t: then dh_t/dw shows bit by bit through which items it came."""
    w = tinyrnn.tensor(1.0, dtype=f64, requires_grad=True)

    def step(t: int, h: Tensor | None) -> tuple[Tensor, Tensor]:
        h = w * 2.0**t + (0.0 if h is None else h)
        return h * 4096.0**t if T <= 4 else h, h

    expected = kept_terms(T, k1, k1 + more)
    losses = []
    for loss, h in truncated(step, iter(range(T)), k1=k1, k2=k1 + more):
        w.grad = None
        loss.backward()
        losses.append(w.grad.item())
        assert not h.requires_grad
    assert h.item() == 2.0**T - 1
    assert losses == [sum(2.0**s * (4096.0**t if T <= 4 else 1) for t, s in terms) for terms in expected]


@pytest.mark.parametrize(("k1", "k2"), [(1, 1), (3, 3), (1, 4), (2, 6), (3, 5), (4, 100)])
def test_each_window_is_full_bptt_from_a_detached_state(k1: int, k2: int) -> None:
    T, cell, readout = 11, nn.LSTMCell(2, 3, dtype=f64), nn.Linear(3, 1, dtype=f64)
    x, parameters = tinyrnn.randn(T, 4, 2, dtype=f64), [*cell.parameters(), *readout.parameters()]

    def step(x: Tensor, hx: Any) -> tuple[Tensor, Any]:
        h, c = cell(x, hx)
        return (readout(h) ** 2).mean(), (h, c)

    with tinyrnn.no_grad():
        states = [None]
        for t in range(T):
            states.append(step(x[t], states[-1])[1])
    windows = list(range(0, T, k1))
    for done, (loss, (h, c)) in zip(windows, truncated(step, x.unbind(), k1=k1, k2=k2), strict=True):
        end, first = min(done + k1, T), max(0, done + k1 - k2)
        hx, full = states[first], tinyrnn.zeros((), dtype=f64)
        for t in range(first, end):
            term, hx = step(x[t], hx)
            full = full + term if t >= done else full
        found, expected = [], []
        for gradients, L in ((found, loss), (expected, full)):
            cell.zero_grad()
            readout.zero_grad()
            L.backward()
            gradients += [p.grad.array for p in parameters]
        assert abs(loss.item() - full.item()) < 1e-14
        assert error(h.array, states[end][0].array) == error(c.array, states[end][1].array) == 0
        assert all(error(*pair) < 1e-14 for pair in zip(found, expected, strict=True))


@pytest.mark.parametrize(("k1", "k2"), [(5, 5), (2, 6)])
def test_against_torch(torch: Any, k1: int, k2: int) -> None:
    """The windows in torch by hand, with a step of SGD after each: losses and weights after the whole stream."""
    rng = np.random.default_rng(0)
    xs, ys, w0 = rng.standard_normal((23, 2, 3)), rng.standard_normal((23, 2, 4)), rng.standard_normal((2, 4, 4)) / 3
    U0 = rng.standard_normal((3, 4))

    def program(library: Any) -> tuple[Any, Any, Any]:
        W, U = library.tensor(w0[0], requires_grad=True), library.tensor(U0, requires_grad=True)

        def step(x: Any, y: Any, h: Any) -> tuple[Any, Any]:
            h = library.tanh(x @ U + h @ W)
            return ((h - y) ** 2).sum(), h

        return step, [W, U], library.zeros(2, 4, dtype=library.float64)

    step, weights, h0 = program(tinyrnn)
    optimizer, ours = optim.SGD(weights, lr=0.01), []
    stream = ((tinyrnn.tensor(x), tinyrnn.tensor(y)) for x, y in zip(xs, ys, strict=True))
    for loss, _ in truncated(step, stream, h0, k1=k1, k2=k2):
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        ours.append(loss.item())

    step, theirs, h = program(torch)
    optimizer, expected, states = torch.optim.SGD(theirs, lr=0.01), [], {0: h}
    for done in range(0, 23, k1):
        first, end, L = max(0, done + k1 - k2), min(done + k1, 23), 0
        h = states[first].detach()
        for t in range(first, end):
            states[t] = h
            term, h = step(torch.tensor(xs[t]), torch.tensor(ys[t]), h)
            L = L + term if t >= done else L
        states[end] = h
        optimizer.zero_grad()
        L.backward()
        optimizer.step()
        expected.append(L.item())
    assert np.abs(np.array(ours) - expected).max() < 1e-12 * max(expected)
    for w, v in zip(weights, theirs, strict=True):
        assert error(w.detach().array, v.detach().numpy()) < 1e-12


def test_the_initial_state_is_learned_by_the_windows_that_begin_with_it() -> None:
    h0 = tinyrnn.zeros(1, requires_grad=True)
    gradients = []
    for loss, _ in truncated(lambda x, h: ((h + x).sum(), h + x), tinyrnn.ones(5, 1).unbind(), h0, k1=2, k2=4):
        h0.grad = None
        if loss.requires_grad:
            loss.backward()
        gradients.append(None if h0.grad is None else h0.grad.item())
    assert gradients == [2, 2, None]


def test_items_and_states_of_any_form() -> None:
    seen = []

    def f(*args: Any) -> tuple[Tensor, Any]:
        seen.append(args)
        return tinyrnn.ones(()), {"states": [args[-1] and None, 1]}

    items = [(1, 2), [3], 4, {"x": 5}]
    out = list(truncated(f, iter(items)))
    assert [args[:-1] for args in seen] == [(1, 2), (3,), (4,), ({"x": 5},)]
    assert seen[0][-1] is None
    assert seen[1][-1] == {"states": [None, 1]}
    assert len(out) == 4
    assert list(truncated(f, [])) == []


def test_the_stream_is_read_only_as_far_as_needed() -> None:
    read = []

    def stream() -> Iterator[int]:
        for t in range(100):
            read.append(t)
            yield t

    windows = truncated(lambda t, h: (tinyrnn.ones(()), None), stream(), k1=3, k2=7)
    assert read == []
    next(windows)
    assert read == [0, 1, 2]
    next(windows)
    assert read == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"k1": 0}, "k1 is 0, expected a whole number"),
        ({"k1": 2.0}, "k1 is 2.0"),
        ({"k1": True}, "k1 is True"),
        ({"k1": 2, "k2": -1}, "k2 is -1"),
        (
            {"k1": 5, "k2": 3},
            "k1 = 5 and k2 = 3, expected k1 <= k2: of the 5 losses of a window, 2 would have no gradient",
        ),
    ],
)
def test_steps_that_do_not_fit(options: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        truncated(lambda *args: pytest.fail("called"), [], **options)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (tinyrnn.ones(()), r"has returned a Tensor, expected \(loss, hx\)"),
        ((tinyrnn.ones(()), None, None), "has returned 3 values"),
        ((1.0, None), "has returned a float as loss"),
        ((tinyrnn.ones(()), np.ones(2)), "a state is a ndarray"),
    ],
)
def test_a_function_that_returns_something_else(made: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        list(truncated(lambda x, h: made, [1]))


# memory


CACHES = 20_000  # what Python and NumPy keep of freed tuples and dimensions, up to a limit, for later


def peaks_over_a_stream(kind: str, k1: int, k2: int, chunk: int, marks: list[int]) -> list[int]:
    """The most bytes in use at any time during the five windows behind each mark, given in steps of the stream."""
    layer, readout = getattr(nn, kind)(2, 8), nn.Linear(8, 1)
    optimizer = optim.Adam([*layer.parameters(), *readout.parameters()], lr=1e-3)

    def loss_of(x: Tensor, y: Tensor, hx: Any) -> tuple[Tensor, Any]:
        out, hx = layer(x, hx)
        return ((readout(out) - y) ** 2).mean(), hx

    def stream() -> Iterator[tuple[Tensor, Tensor]]:
        while True:
            x = tinyrnn.randn(chunk, 1, 2)
            yield x, x.sum(-1, keepdim=True)

    starts, peaks = [mark // (k1 * chunk) for mark in marks], []
    tracemalloc.start()
    try:
        for window, (loss, _) in enumerate(truncated(loss_of, stream(), k1=k1, k2=k2)):
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if window in starts:
                gc.collect()
                tracemalloc.reset_peak()
            if window - 5 in starts:
                peaks.append(tracemalloc.get_traced_memory()[1])
                if len(peaks) == len(starts):
                    return peaks
        raise AssertionError("the stream has no end")
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(("k1", "k2"), [(1, 1), (1, 3)])
def test_constant_memory(k1: int, k2: int) -> None:
    first, last = peaks_over_a_stream("GRU", k1, k2, 50, [1000, 10_000])
    assert last - first < CACHES, (first, last)  # 180 windows apart: the state alone, kept, would take 50,000


@pytest.mark.slow
@pytest.mark.parametrize(("k1", "k2"), [(1, 1), (2, 4)])
def test_constant_memory_over_a_million_steps(k1: int, k2: int) -> None:
    first, *others = peaks_over_a_stream("RNN", k1, k2, 500, [10_000, 100_000, 1_000_000])
    print(f"bytes after 10,000, 100,000 and a million steps: {first}, {others}")
    assert all(peak - first < CACHES for peak in others), (first, others)


@pytest.mark.parametrize("wrong", [(3, [1]), (lambda x, h: (x, h), 5), ([1], lambda x, h: (x, h))])
def test_what_is_no_function_or_no_stream_is_refused(wrong: Any) -> None:
    with pytest.raises(TypeError, match="expected a function and a stream"):
        truncated(*wrong)
