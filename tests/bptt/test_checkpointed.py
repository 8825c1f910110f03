"""Long sequences in segments that are computed again: the same numbers, and memory that grows as the root of T."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest

import tinyrnn
from textbook import error
from tinyrnn import nn
from tinyrnn.bptt import checkpointed
from tinyrnn.kernels import memory
from tinyrnn.tensor import Tensor

T, N, I, H = 23, 2, 3, 4
LAYERS = {
    "RNN": lambda dtype: nn.RNN(I, H, dtype=dtype),
    "GRU": lambda dtype: nn.GRU(I, H, num_layers=2, dtype=dtype),
    "LSTM": lambda dtype: nn.LSTM(I, H, num_layers=2, proj_size=2, dtype=dtype),
    "dropout": lambda dtype: nn.LSTM(I, H, num_layers=2, dropout=0.5, dtype=dtype),
    "learned": lambda dtype: nn.LSTM(I, H, learn_initial_state=True, dtype=dtype),
    "cell": lambda dtype: nn.Recurrent(nn.GRUCell(I, H, dtype=dtype)),
}


def in_segments(layer: nn.Module, x: Tensor, segments: int) -> tuple[Tensor, Any]:
    """The same without recomputation, written out."""
    hx, ys = None, []
    for k in range(segments):
        y, hx = layer(x[T * k // segments : T * (k + 1) // segments], hx)
        ys.append(y)
    return tinyrnn.cat(ys), hx


def gradients(layer: nn.Module, x: Tensor, made: tuple[Tensor, Any]) -> list[Any]:
    y, hx = made
    lasts = hx if isinstance(hx, tuple) else (hx,)
    layer.zero_grad()
    x.grad = None
    rng = np.random.default_rng(0)
    sum((out * tinyrnn.tensor(rng.standard_normal(out.shape))).sum() for out in (y, *lasts)).backward()
    return [out.array for out in (y, *lasts)] + [p.grad.array for p in (x, *layer.parameters())]


@pytest.mark.parametrize("segments", [1, 2, 5, 23])
@pytest.mark.parametrize("kind", LAYERS)
def test_to_the_last_bit_the_segments_without_recomputation(kind: str, segments: int) -> None:
    layer, x = LAYERS[kind](tinyrnn.float32), tinyrnn.randn(T, N, I, requires_grad=True)
    runs = []
    for run in (in_segments, lambda layer, x, S: checkpointed(layer, x, segments=S)):
        tinyrnn.manual_seed(1)
        runs.append(gradients(layer, x, run(layer, x, segments)))
    for expected, found in zip(*runs, strict=True):
        assert found.dtype == np.float32
        assert np.array_equal(expected, found)


@pytest.mark.parametrize("kind", [kind for kind in LAYERS if kind != "dropout"])
def test_up_to_rounding_the_whole_sequence_at_once(kind: str) -> None:
    layer, x = LAYERS[kind](tinyrnn.float64), tinyrnn.randn(T, N, I, dtype=tinyrnn.float64, requires_grad=True)
    whole = gradients(layer, x, layer(x))
    for segments in (None, 3):
        for expected, found in zip(whole, gradients(layer, x, checkpointed(layer, x, segments=segments)), strict=True):
            assert error(found, expected) < 1e-13


def test_a_loss_of_each_segment() -> None:
    layer, readout = nn.LSTM(I, H, batch_first=True, dtype=tinyrnn.float64), nn.Linear(H, 1, dtype=tinyrnn.float64)
    x, target = tinyrnn.randn(N, T, I, dtype=tinyrnn.float64), tinyrnn.randn(N, T, dtype=tinyrnn.float64)
    start = tuple(tinyrnn.randn(1, N, H, dtype=tinyrnn.float64, requires_grad=True) for _ in range(2))
    parameters, lengths = [*layer.parameters(), *readout.parameters(), *start], []

    def squares(x: Tensor, target: Tensor, hx: Any) -> tuple[dict[str, Tensor], Any]:
        y, hx = layer(x, hx)
        out = readout(y)[..., 0]
        lengths.append(x.shape[1])
        return {"loss": ((out - target) ** 2).sum(), "out": out}, hx

    runs = []
    for made, hx in (squares(x, target, start), checkpointed(squares, (x, target), start, segments=4, dim=1)):
        for p in parameters:
            p.grad = None
        made["loss"].backward()
        runs.append(
            [made["loss"].array, made["out"].array, *[h.array for h in hx], *[p.grad.array for p in parameters]]
        )
    assert lengths == [T, 5, 6, 6, 6, 6, 6, 5]  # forward; back, but for the last
    assert made["out"].shape == (N, T)
    for expected, found in zip(*runs, strict=True):
        assert error(found, expected) < 1e-13


def test_how_many_segments() -> None:
    calls: list[int] = []

    def f(x: Tensor, hx: Any) -> tuple[Tensor, Any]:
        calls.append(len(x))
        return x.sum(), None

    for T, S in ((1, 1), (256, 1), (257, 2), (1000, 4), (10_000, 40), (200_000, 448)):
        calls.clear()
        out, hx = checkpointed(f, tinyrnn.ones(T, 1))
        assert len(calls) == S
        assert sum(calls) == out.item() == T
        assert hx is None


@pytest.mark.parametrize(
    ("inputs", "options", "exception", "message"),
    [
        (np.ones((3, 2)), {}, TypeError, r"inputs\[0\] is a ndarray, expected a tensor"),
        (tinyrnn.ones(0, 2), {}, ValueError, r"shapes \[\(0, 2\)\], expected the same number of steps, at least 1"),
        ((), {}, ValueError, "one input at least"),
        ((tinyrnn.ones(4, 2), tinyrnn.ones(5, 2)), {}, ValueError, r"\(4, 2\), \(5, 2\)"),
        (tinyrnn.ones(4), {"dim": 1}, ValueError, "along axis 1"),
        (tinyrnn.ones(4, 2), {"segments": 5}, ValueError, "segments is 5, expected a whole number from 1 to .* 4"),
        (tinyrnn.ones(4, 2), {"segments": 2.0}, ValueError, "segments is 2.0"),
    ],
)
def test_what_does_not_fit(inputs: Any, options: Any, exception: type[Exception], message: str) -> None:
    with pytest.raises(exception, match=message):
        checkpointed(lambda *args: pytest.fail("called"), inputs, **options)


@pytest.mark.parametrize("made", [tinyrnn.ones(2), (tinyrnn.ones(2),)])
def test_a_function_that_returns_no_pair(made: Any) -> None:
    with pytest.raises(TypeError, match=r"expected \(out, hx\)"):
        checkpointed(lambda x, hx: made, tinyrnn.ones(4, 2))


# memory


def peak_of_a_step(kind: str, T: int, recomputed: bool) -> int:
    """Bytes beside the inputs and the weights, their gradients among them, in forward and backward pass."""
    layer, readout = getattr(nn, kind)(4, 16), nn.Linear(16, 1)

    def loss(x: Tensor, target: Tensor, hx: Any) -> tuple[Tensor, Any]:
        y, hx = layer(x, hx)
        return ((readout(y) - target) ** 2).sum(), hx

    def step(x: Tensor, target: Tensor) -> None:
        (checkpointed(loss, (x, target)) if recomputed else loss(x, target, None))[0].backward()

    step(tinyrnn.ones(100, 8, 4), tinyrnn.ones(100, 8, 1))
    x, target = tinyrnn.randn(T, 8, 4), tinyrnn.randn(T, 8, 1)
    memory.release()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        step(x, target)
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", ["RNN", "GRU", "LSTM"])
def test_memory_grows_as_the_root_of_the_length(kind: str) -> None:
    lengths = [1024, 4096, 16_384]  # in 4, 16 and 64 segments of 256 steps
    peaks = [peak_of_a_step(kind, T, True) for T in lengths]
    exponent = np.polyfit(np.log(lengths), np.log(peaks), 1)[0]
    assert exponent < 0.55, (
        exponent,
        peaks,
    )  # less where what is the same for any T counts
    segment = peak_of_a_step(kind, 256, False)
    y = 4 * 256 * 8 * 16  # which the plain pass frees before it comes to the layer; and its gradient
    nodes = 8 * 16_384  # the states, nodes and views of each segment
    assert peaks[2] < 1.1 * segment + 2 * y + nodes, (peaks, segment)
    assert peak_of_a_step(kind, 16_384, False) > 4 * peaks[2]


def test_layers_that_cannot_be_cut_into_segments_are_refused() -> None:
    x = tinyrnn.randn(8, 600, 3)
    two_ways = nn.LSTM(3, 4, bidirectional=True)
    with pytest.raises(ValueError, match="LSTM is bidirectional"):
        checkpointed(two_ways, x)
    batch_first, time_first = nn.GRU(3, 4, batch_first=True), nn.GRU(3, 4)
    with pytest.raises(ValueError, match="batch_first=True, and the inputs are cut along dim=0: expected dim=1"):
        checkpointed(batch_first, x)
    with pytest.raises(ValueError, match="batch_first=False, and the inputs are cut along dim=1: expected dim=0"):
        checkpointed(time_first, x, dim=1)
    y, _ = checkpointed(batch_first, x, dim=1, segments=3)
    np.testing.assert_allclose(y.array, batch_first(x)[0].array, rtol=1e-5, atol=1e-6)
