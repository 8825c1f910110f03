"""The GRU kernel beside the reference loop, whatever way it computes, and its memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from textbook import error, outputs_and_gradients
from tinyrnn.kernels import gates
from tinyrnn.kernels.gru import gru
from tinyrnn.kernels.reference import gru_forward


def arrays(T: int, N: int, I: int, H: int, bias: bool = True, dtype: Any = np.float64) -> list[Any]:
    rng = np.random.default_rng([T, N, I, H])
    shapes = [(T, N, I), (N, H), (3 * H, I), (3 * H, H), (3 * H,), (3 * H,)]
    found: list[Any] = [rng.standard_normal(shape).astype(dtype) for shape in shapes]
    if not bias:
        found[4] = found[5] = None
    return found


def cotangents(outputs: Any) -> list[Any]:
    rng = np.random.default_rng(7)
    return [rng.standard_normal(y.shape).astype(y.dtype) for y in outputs]


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("N", [1, 3, 20])
@pytest.mark.parametrize(("I", "H"), [(2, 3), (70, 60)])
def test_it_equals_the_reference_at_every_length(I: int, H: int, N: int, bias: bool, reverse: bool) -> None:
    for T in (*range(1, 13), max(100, 600 // N)):  # the last in several blocks or pieces where H = 60
        x, h0, *weights = arrays(T, N, I, H, bias)
        given = [x, h0, *[w if w is None else w / H**0.5 for w in weights]]
        outputs, pullback = gru(*given, reverse=reverse)
        gs = cotangents(outputs)
        expected = outputs_and_gradients("gru", given, gs, reverse=reverse)
        for f, e in zip([*outputs, *pullback(*gs, [True] * 4 + [bias] * 2)], expected, strict=True):
            assert (f is None) == (e is None)
            assert f is None or error(f, e) < 1e-12, T


@pytest.mark.parametrize("block", [1, 7, 20])
@pytest.mark.parametrize("N", [1, 3])
def test_steps_in_blocks_are_the_steps_at_once(monkeypatch: pytest.MonkeyPatch, block: int, N: int) -> None:
    given = arrays(11, N, 2, 3)
    outputs, pullback = gru(*given)
    gs = cotangents(outputs)
    expected = pullback(*gs, [True] * 6)
    monkeypatch.setattr(gates, "BLOCK", block * 3 * N)
    for found, e in zip(pullback(*gs, [True] * 6), expected, strict=True):
        if e is not None:
            assert error(found, e) < 1e-15


@pytest.mark.parametrize("N", [1, 3])
def test_only_what_is_needed_is_given(N: int) -> None:
    outputs, pullback = gru(*arrays(4, N, 2, 3))
    gs = cotangents(outputs)
    every = pullback(*gs, [True] * 6)
    for k in range(6):
        found = pullback(*gs, [i == k for i in range(6)])
        assert [g is None for g in found] == [i != k or every[i] is None for i in range(6)]
        if every[k] is not None:
            np.testing.assert_array_equal(found[k], every[k])


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("N", [1, 3])
def test_what_it_is_given_is_left_alone_and_what_it_gives_is_contiguous(N: int, reverse: bool) -> None:
    given = arrays(4, N, 2, 3)
    before = [a.copy() for a in given]
    (y, *last), pullback = gru(*given, reverse=reverse)
    gs = cotangents([y, *last])
    copies = [g.copy() for g in gs]
    first = [g.copy() for g in pullback(*gs, [True] * 6)]
    for found, expected in zip([*given, *gs, *pullback(*gs, [True] * 6)], [*before, *copies, *first], strict=True):
        np.testing.assert_array_equal(found, expected)
    assert y.flags.c_contiguous
    assert not any(np.shares_memory(y, state) for state in last)


@pytest.mark.parametrize("N", [1, 3])
def test_float32_stays_float32(N: int) -> None:
    given = arrays(5, N, 2, 3)
    outputs, pullback = gru(*given)
    small, small_pullback = gru(*[a.astype(np.float32) for a in given])
    gs = cotangents(outputs)
    pairs = [*zip(small, outputs, strict=True)]
    pairs += zip(
        small_pullback(*[g.astype(np.float32) for g in gs], [True] * 6), pullback(*gs, [True] * 6), strict=True
    )
    for found, expected in pairs:
        assert found.dtype == np.float32
        assert error(found, expected) < 1e-5


def test_large_numbers_do_not_overflow() -> None:
    given = arrays(3, 2, 2, 3)
    outputs, pullback = gru(1e4 * given[0], given[1], *[1e4 * a for a in given[2:]])
    assert all(np.isfinite(y).all() for y in outputs)
    assert all(g is None or np.isfinite(g).all() for g in pullback(*cotangents(outputs), [True] * 6))


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("N", [1, 3])
@pytest.mark.parametrize(("short", "broadcast", "columns"), [(0, 4096, 512), (0, 0, 1), (512, 0, 512), (512, 4096, 1)])
def test_every_way_of_computing_gives_the_same(
    monkeypatch: pytest.MonkeyPatch, N: int, reverse: bool, short: int, broadcast: int, columns: int
) -> None:
    given = arrays(11, N, 2, 3)
    outputs, pullback = gru(*given, reverse=reverse)
    gs = cotangents(outputs)
    expected = pullback(*gs, [True] * 6)
    monkeypatch.setattr(gates, "SHORT", short)
    monkeypatch.setattr(gates, "COLUMNS", columns)
    monkeypatch.setattr(gates, "BLOCK", 4 * 3 * N)
    monkeypatch.setattr(f"{gru.__module__}.BROADCAST", broadcast)
    found, found_pullback = gru(*given, reverse=reverse)
    for f, e in zip([*found, *found_pullback(*gs, [True] * 6)], [*outputs, *expected], strict=True):
        if e is not None:
            assert error(f, e) < 1e-14


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("N", [1, 3, 20])
def test_without_keep_the_results_are_the_same_and_there_is_no_backward_pass(N: int, reverse: bool) -> None:
    given = arrays(4, N, 2, 3)
    found, pullback = gru(*given, reverse=reverse, keep=False)
    for f, expected in zip(found, gru(*given, reverse=reverse)[0], strict=True):
        np.testing.assert_array_equal(f, expected)
    with pytest.raises(RuntimeError, match="kept nothing"):
        pullback(*cotangents(found), [True] * 6)


@pytest.mark.parametrize("N", [1, 2, 20])
def test_an_infinite_input_saturates_the_gates_and_is_no_nan(N: int) -> None:
    given = arrays(4, N, 2, 3)
    given[0][1, 0, 1] = np.inf
    (y, _), _ = gru(*given)
    for found, expected in zip(y, gru_forward(*given).h, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert np.isfinite(y).all()
