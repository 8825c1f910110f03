"""Memory by count: what a forward pass keeps, what a training step takes, and that both are linear in the length.

What is kept is counted when the pool of kernels/memory.py, which holds 32 MiB at most for later, has been released.
"""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import tinyrnn
from tinyrnn import nn
from tinyrnn.kernels import memory, workspace
from tinyrnn.kernels.gates import beside, pieces
from tinyrnn.kernels.rnn import PIECE, in_one_row

KINDS = ["RNN", "GRU", "LSTM"]
SIZES = [(200, 16, 32, 64), (1000, 1, 27, 50), (1000, 1, 8, 50), (2000, 2, 3, 32)]  # T, N, I, H
SIZES += [(200, 1, 27, 50), (500, 1, 27, 50)]  # short single sequences, which are computed in other ways
VIEWS = {"RNN": (300, 200), "GRU": (1600, 500), "LSTM": (1600, 800)}  # bytes a step, forward and back, at most
SMALL = 16_384  # bytes that do not grow with T: initial and last states, nodes, all that is only small


@dataclass
class Count:
    """The bytes that have to be there for T steps of N sequences, I inputs and H units in float32."""

    saved: int  # what the backward pass reads: h_t, or the rows or columns [h; x; 1] or [h; 1]; the gates
    y: int  # which its owner may write into, so that it is not h
    share: int  # W_ih x_t of those gates that get it apart from W_hh h_{t-1}: where they will stand, if they are saved
    piece: int  # in the backward pass: f' of a block of steps, da of a piece, and its columns in another order
    weights: int
    views: tuple[int, int] = (0, 0)  # of a workspace that is lent again, forward and back

    def step(self) -> int:
        """At most, in a training step."""
        # A piece goes when the next one has been made. Of the weights there are up to 3 copies in other orders, and up
        # to 5 of their gradients.
        return self.saved + self.y + 2 * self.piece + 8 * self.weights + sum(self.views) + SMALL


def count(kind: str, T: int, N: int, I: int, H: int) -> Count:
    forward, back = (T * each for each in VIEWS[kind]) if N == 1 and T <= workspace.STEPS else (0, 0)
    unit = 4 * N * H  # a number of float32 for each sequence and unit of one step
    weights = 4 * {"RNN": 1, "GRU": 3, "LSTM": 4}[kind] * H * (I + H + 2)
    if kind == "RNN":
        piece = min(T, PIECE // (N * H)) * unit
        states = 4 * N * (H + I + 1) if in_one_row(T, N, I, H, True) else unit
        return Count((T + 1) * states, T * unit, 0, piece, weights, (forward, back))
    with_x = beside(I, H, N)
    column = 4 * N * (H + 1 + I * with_x)
    start, stop, blocks = next(pieces(T, H, N))
    (first, end), *_ = blocks
    if kind == "GRU":  # r, z, n and u_n = W_n h + b_n
        gates, apart, factors, sent = 4 * T, 1 if with_x else 3, 5, 4
    else:  # i, f, g, o and c
        gates, apart, factors, sent = 5 * (T + 1), 0 if with_x else 4, 6, 4
    piece = factors * (end - first) * unit + (stop - start) * (sent * unit + column)
    share = apart * T * unit
    return Count(gates * unit + (T + 1) * column, T * unit, share, piece, weights, (forward, back))


def measured(run: Callable[[], Any]) -> tuple[int, int]:
    """Bytes that are in use after run() as long as its result is held, and at most while it ran."""
    gc.collect()
    workspace.release()  # whose arrays go to the pool
    memory.release()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        held = run()
        peak = tracemalloc.get_traced_memory()[1]
        workspace.release()
        memory.release()
        after = tracemalloc.get_traced_memory()[0]
        del held
        return after - before, peak - before
    finally:
        tracemalloc.stop()


def layer_and_input(kind: str, T: int, N: int, I: int, H: int) -> tuple[nn.Module, Any, Any]:
    rng = np.random.default_rng(0)
    x, dy = (tinyrnn.tensor(rng.standard_normal((T, N, n), np.float32)) for n in (I, H))
    layer = getattr(nn, kind)(I, H)
    layer(x[:2])[0].sum().backward()  # whatever is only made once
    return layer, x, dy


def step(layer: nn.Module, x: Any, dy: Any) -> None:
    layer.zero_grad()
    layer(x)[0].backward(dy)


def forward(layer: nn.Module, x: Any) -> Any:
    with tinyrnn.no_grad():
        return layer(x)


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_a_recording_forward_keeps_what_the_backward_pass_reads(kind: str, size: tuple[int, ...]) -> None:
    layer, x, _ = layer_and_input(kind, *size)
    kept, peak = measured(lambda: layer(x))
    need = count(kind, *size)
    assert 0 <= kept - (need.saved + need.y) < 3 * need.weights + need.views[0] + SMALL
    assert peak < need.saved + need.y + 3 * need.weights + need.views[0] + SMALL


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_a_forward_under_no_grad_keeps_nothing_but_its_results(kind: str, size: tuple[int, ...]) -> None:
    T, N, _, H = size
    layer, x, _ = layer_and_input(kind, *size)
    kept, _ = measured(lambda: forward(layer, x))
    tuples = 200 * T * (N == 1 and T <= workspace.STEPS)  # of a workspace's steps, which Python keeps for itself
    assert kept < 4 * (T + 3) * N * H + 8192 + tuples  # y, the last states, and the initial one before y


@pytest.mark.parametrize("sizes", [(16, 32, 64), (1, 27, 50), (1, 8, 50)], ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_what_a_forward_under_no_grad_needs_for_each_step(kind: str, sizes: tuple[int, ...]) -> None:
    N, I, H = sizes
    peaks = []
    for T in (1000, 3000):
        layer, x, _ = layer_and_input(kind, T, N, I, H)
        peaks.append(measured(lambda layer=layer, x=x: forward(layer, x))[1])
    need = 4 * N * H  # y; in an RNN it is h, unless that stands in rows
    if kind == "RNN":
        need += 4 * N * (H + I + 1) * in_one_row(3000, N, I, H, False)
    else:
        one, two = count(kind, 1, N, I, H), count(kind, 2, N, I, H)
        gates = {"GRU": 4, "LSTM": 5}[kind] * 4 * N * H  # which are the same memory at every step
        need = two.saved - one.saved - gates + one.share + one.y
    assert (peaks[1] - peaks[0]) / 2000 == pytest.approx(need, rel=0.02)


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_a_training_step_takes_what_the_equations_need(kind: str, size: tuple[int, ...]) -> None:
    layer, x, dy = layer_and_input(kind, *size)
    _, peak = measured(lambda: step(layer, x, dy))
    need = count(kind, *size)
    assert need.saved + need.y < peak < need.step()


@pytest.mark.parametrize("size", [(1000, 16, 32, 64), (30_000, 1, 8, 50), (20_000, 2, 30, 32)], ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_a_training_step_within_1_3_times_what_is_saved(kind: str, size: tuple[int, ...]) -> None:
    # Long ones, beside which the pieces are small.
    layer, x, dy = layer_and_input(kind, *size)
    _, peak = measured(lambda: step(layer, x, dy))
    need = count(kind, *size)
    assert peak < 1.3 * (need.saved + need.y)


def exponent(lengths: list[int], bytes_: list[int]) -> float:
    """k of the fit bytes ~ T^k."""
    return float(np.polyfit(np.log(lengths), np.log(bytes_), 1)[0])


@pytest.mark.parametrize("kind", KINDS)
def test_memory_is_linear_in_the_length(kind: str) -> None:
    lengths, peaks = [2000, 4000, 8000], []
    for T in lengths:
        layer, x, dy = layer_and_input(kind, T, 16, 32, 64)
        peaks.append(measured(lambda layer=layer, x=x, dy=dy: step(layer, x, dy))[1])
    assert 0.9 < exponent(lengths, peaks) < 1.02, peaks


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_memory_is_linear_from_100_to_100_000_steps(kind: str) -> None:
    for T in (100, 1000, 10_000, 100_000):
        layer, x, dy = layer_and_input(kind, T, 1, 3, 16)
        start = time.perf_counter()
        step(layer, x, dy)
        seconds = time.perf_counter() - start
        peak, need = measured(lambda layer=layer, x=x, dy=dy: step(layer, x, dy))[1], count(kind, T, 1, 3, 16)
        print(f"{kind}: {T} steps, {peak / T:.0f} bytes and {seconds / T * 1e6:.2f} us a step")
        assert need.saved + need.y < peak < need.step()


@pytest.mark.parametrize("longest", [10_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_the_tape_is_linear_in_the_length(longest: int) -> None:
    w = tinyrnn.tensor(0.999, requires_grad=True)

    def run(T: int) -> None:
        w.grad = None
        h = tinyrnn.ones(())
        for _ in range(T):
            h = h * w
        h.backward()

    run(10)
    lengths, peaks = [longest // 100, longest // 10, longest], []
    for T in lengths:
        start = time.perf_counter()
        run(T)
        seconds = time.perf_counter() - start
        peaks.append(measured(lambda T=T: run(T))[1])
        print(f"tape: {T} steps, {peaks[-1] / T:.0f} bytes and {seconds / T * 1e6:.2f} us a step")
    assert 0.95 < exponent(lengths, peaks) < 1.05, peaks
