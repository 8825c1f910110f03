"""The RNN kernel beside the reference loop, complex step, central differences, torch and a closed form."""

import warnings

import numpy as np
import pytest

from textbook import error, outputs_and_gradients
from tinyrnn.kernels.reference import rnn_forward
from tinyrnn.kernels.rnn import NONLINEARITIES, in_one_row, rnn

ALL = (True,) * 6
NAMES = ("x", "h0", "w_ih", "w_hh", "b_ih", "b_hh")
SIZES = [(2, 9), (4, 6), (7, 3), (60, 70)]  # I and H; which of them stand in one row: see the test of in_one_row
EVERY_NONLINEARITY = pytest.mark.parametrize("nonlinearity", NONLINEARITIES)
BOTH_WAYS = pytest.mark.parametrize("reverse", [False, True])
BATCHES = pytest.mark.parametrize("N", [1, 3])  # a single sequence takes a branch of its own
COTANGENTS = pytest.mark.parametrize(("on_y", "on_h_n"), [(1, 0), (0, 1), (1, 1)])


def problem(T=5, N=3, I=4, H=6, dtype=np.float64, bias=True, seed=0):
    """Random arguments and cotangents: no ones, and no two sizes alike, so that no transposition can hide."""
    rng = np.random.default_rng(seed)
    shapes = [(T, N, I), (N, H), (H, I), (H, H), (H,), (H,), (T, N, H), (N, H)]
    *args, dy, dh_n = (rng.normal(scale=0.6, size=shape).astype(dtype) for shape in shapes)
    return (args if bias else [*args[:4], None, None]), dy, dh_n


def numerical(args, dy, dh_n, d, **options):
    """All six gradients of L = sum(y dy) + sum(h_n dh_n), one entry at a time.

    An imaginary d is a complex step, Im L(w + d) / Im d: nothing is subtracted, so d may be tiny and the
    result is exact to rounding. A real d is a central difference.
    """

    def loss(i, index, d):
        nudged = [a.astype(type(d)) for a in args]
        nudged[i][index] += d
        (y, h_n), _ = rnn(*nudged, **options)
        return np.sum(y * dy) + np.sum(h_n * dh_n)

    gradients = [np.zeros(a.shape) for a in args]
    for i, gradient in enumerate(gradients):
        for index in np.ndindex(gradient.shape):
            if isinstance(d, complex):
                gradient[index] = loss(i, index, d).imag / d.imag
            else:
                gradient[index] = (loss(i, index, d) - loss(i, index, -d)) / (2 * d)
    return gradients


@EVERY_NONLINEARITY
@BOTH_WAYS
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("N", [1, 3, 20])
@pytest.mark.parametrize(("I", "H"), SIZES)
def test_it_equals_the_reference_at_every_length(I, H, N, bias, reverse, nonlinearity):
    for T in (*range(1, 13), max(100, 600 // N)):
        (x, h0, *weights), dy, dh_n = problem(T, N, I, H, bias=bias)
        given = [x, h0, *[w if w is None else w / H**0.5 for w in weights]]
        outputs, pullback = rnn(*given, nonlinearity, reverse)
        found = *outputs, *pullback(dy, dh_n, (*ALL[:4], bias, bias))
        expected = outputs_and_gradients("rnn", given, [dy, dh_n], nonlinearity=nonlinearity, reverse=reverse)
        for name, f, e in zip(("y", "h_n", *NAMES), found, expected, strict=True):
            assert (f is None) == (e is None)
            assert f is None or error(f, e) < 1e-12, (T, name)


def test_the_sizes_above_take_both_branches():
    assert [[in_one_row(T, 1, I, H, True) for T in (1, 12, 600)] for I, H in SIZES] == [
        [True, True, True],
        [True, True, False],
        [False, False, False],
        [False, False, False],
    ]
    assert not any(in_one_row(T, N, I, H, True) for T in (1, 12, 200) for N in (3, 20) for I, H in SIZES)


@pytest.mark.parametrize("nonlinearity", ["tanh", "sigmoid", "identity"])
@BATCHES
def test_forward_in_complex_numbers(N, nonlinearity):
    args, _, _ = problem(N=N)
    args = [a + 0.1j * np.roll(a, 1) for a in args]
    (y, h_n), _ = rnn(*args, nonlinearity)
    expected = rnn_forward(*args, nonlinearity)
    assert y.dtype == h_n.dtype == np.complex128
    assert error(y, expected.h) < 1e-13
    assert error(h_n, expected.h_n) < 1e-13


@pytest.mark.parametrize("nonlinearity", ["tanh", "sigmoid", "identity"])
@BOTH_WAYS
@COTANGENTS
@BATCHES
def test_gradients_against_complex_step(N, nonlinearity, reverse, on_y, on_h_n):
    args, dy, dh_n = problem(N=N)
    dy, dh_n = dy * on_y, dh_n * on_h_n
    _, pullback = rnn(*args, nonlinearity, reverse)
    expected = numerical(args, dy, dh_n, 1e-30j, nonlinearity=nonlinearity, reverse=reverse)
    for name, got, gradient in zip(NAMES, pullback(dy, dh_n, ALL), expected, strict=True):
        assert error(got, gradient) < 1e-12, name


@BOTH_WAYS
@COTANGENTS
@BATCHES
def test_relu_gradients_against_central_differences(N, reverse, on_y, on_h_n):
    args, dy, dh_n = problem(N=N, seed=5)
    dy, dh_n = dy * on_y, dh_n * on_h_n
    a = rnn_forward(*args, "relu", reverse).a
    assert np.abs(a).min() > 1e-3, "a kink is near: take another seed"
    assert (a < 0).any()
    _, pullback = rnn(*args, "relu", reverse)
    expected = numerical(args, dy, dh_n, 1e-5, nonlinearity="relu", reverse=reverse)
    for name, got, gradient in zip(NAMES, pullback(dy, dh_n, ALL), expected, strict=True):
        assert error(got, gradient) < 1e-8, name


def test_relu_lets_nan_and_its_gradient_through():
    one = np.ones((1, 1, 1))
    (y, _), pullback = rnn(np.nan * one, 0 * one[0], one[0], one[0], None, None, "relu")
    dx = pullback(one, 0 * one[0], (True, *[False] * 5))[0]
    assert np.isnan(y).all()
    assert dx.item() == 1


def test_relu_passes_no_gradient_at_its_kink():
    ones, zeros = np.ones((2, 1, 1)), np.zeros((1, 1))
    (y, _), pullback = rnn(0 * ones, zeros, np.ones((1, 1)), np.ones((1, 1)), None, None, "relu")
    assert not y.any()
    assert not pullback(ones, zeros, ALL)[0].any()


@BATCHES
def test_gradients_without_bias_and_with_one_step(N):
    for T, bias in ((5, False), (1, True)):
        args, dy, dh_n = problem(T=T, N=N, bias=bias)
        zeros = np.zeros(6)
        full = [zeros if a is None else a for a in args]
        got = rnn(*args)[1](dy, dh_n, ALL)
        expected = numerical(full, dy, dh_n, 1e-30j)
        for name, g, e in zip(NAMES[:4], got, expected, strict=False):
            assert error(g, e) < 1e-12, (T, name)


def test_closed_form():
    """h_t = w h_{t-1}, so h_3 = w^3 h_0 and dh_3/dw = 3 w^2 h_0: three steps meet in one weight."""
    w, h0 = 1.7, 0.6
    args = (np.zeros((3, 1, 1)), np.array([[h0]]), np.zeros((1, 1)), np.array([[w]]), None, None, "identity")
    (y, h_n), pullback = rnn(*args)
    _, dh0, _, dw, _, _ = pullback(np.zeros((3, 1, 1)), np.ones((1, 1)), ALL)
    np.testing.assert_allclose(y.ravel(), [w * h0, w**2 * h0, w**3 * h0], rtol=1e-14)
    got = [h_n.item(), dw.item(), dh0.item()]
    np.testing.assert_allclose(got, [w**3 * h0, 3 * w**2 * h0, w**3], rtol=1e-14)


@BOTH_WAYS
def test_reverse_is_time_turned_round(reverse):
    (x, *rest), dy, dh_n = problem()
    (y, h_n), pullback = rnn(x, *rest, reverse=reverse)
    (y2, h_n2), pullback2 = rnn(x[::-1], *rest, reverse=not reverse)
    assert error(y2[::-1], y) < 1e-14
    assert error(h_n2, h_n) < 1e-14
    dx, *others = pullback(dy, dh_n, ALL)
    dx2, *others2 = pullback2(dy[::-1], dh_n, ALL)
    for got, expected in zip((dx2[::-1], *others2), (dx, *others), strict=True):
        assert error(got, expected) < 1e-14


@BOTH_WAYS
@BATCHES
def test_memory_layout_does_not_matter(N, reverse):
    args, dy, dh_n = problem(N=N)

    def strided(a):  # the same numbers, behind a transposed and stepped view
        wide = np.full((*a.shape[::-1][:-1], 2 * a.shape[0]), np.nan)
        wide[..., ::2] = a.T
        return wide[..., ::2].T

    views = [strided(a) for a in args]
    assert not views[0].flags.c_contiguous
    assert not views[3].flags.c_contiguous
    (y, h_n), pullback = rnn(*args, reverse=reverse)
    (y2, h_n2), pullback2 = rnn(*views, reverse=reverse)
    got = (y2, h_n2, *pullback2(strided(dy), strided(dh_n), ALL))
    for g, expected in zip(got, (y, h_n, *pullback(dy, dh_n, ALL)), strict=True):
        assert error(g, expected) < 1e-14


@BOTH_WAYS
def test_an_empty_batch(reverse):
    args, dy, dh_n = problem(N=0)
    (y, h_n), pullback = rnn(*args, reverse=reverse)
    assert (y.shape, h_n.shape) == ((5, 0, 6), (0, 6))
    for gradient, arg in zip(pullback(dy, dh_n, ALL), args, strict=True):
        assert gradient.shape == arg.shape
        assert not gradient.any()


@EVERY_NONLINEARITY
@BATCHES
def test_float32_stays_float32(N, nonlinearity):
    args, dy, dh_n = problem(N=N, dtype=np.float32)
    (y, h_n), pullback = rnn(*args, nonlinearity)
    gradients = pullback(dy, dh_n, ALL)
    assert {a.dtype for a in (y, h_n, *gradients)} == {np.dtype(np.float32)}
    (y64, h_n64), pullback64 = rnn(*(a.astype(np.float64) for a in args), nonlinearity)
    expected = (y64, h_n64, *pullback64(dy.astype(np.float64), dh_n.astype(np.float64), ALL))
    for got, exact in zip((y, h_n, *gradients), expected, strict=True):
        assert error(got, exact) < 1e-5


@BATCHES
def test_needs_leaves_out_what_is_not_wanted_and_changes_nothing_else(N):
    args, dy, dh_n = problem(N=N)
    _, pullback = rnn(*args)
    full = pullback(dy, dh_n, ALL)
    for mask in range(2**6):
        needs = tuple(bool(mask >> i & 1) for i in range(6))
        for needed, got, gradient in zip(needs, pullback(dy, dh_n, needs), full, strict=True):
            assert np.array_equal(got, gradient) if needed else got is None


@EVERY_NONLINEARITY
@BOTH_WAYS
@BATCHES
def test_pullback_repeats_itself_and_modifies_nothing(N, nonlinearity, reverse):
    args, dy, dh_n = problem(N=N)
    (y, h_n), pullback = rnn(*args, nonlinearity, reverse)
    watched = [*args, dy, dh_n, y, h_n]
    before = [a.copy() for a in watched]
    first = pullback(dy, dh_n, ALL)
    kept = [g.copy() for g in first]
    second = pullback(dy, dh_n, ALL)
    for a, b in zip((*watched, *first, *second), (*before, *kept, *kept), strict=True):
        assert np.array_equal(a, b)
    assert not any(np.shares_memory(g, a) for g in first for a in (*watched, *second))


@pytest.mark.parametrize("T", [1, 5])
@BOTH_WAYS
@BATCHES
def test_outputs_share_memory_with_nothing(N, T, reverse):
    args, _, _ = problem(T=T, N=N)
    (y, h_n), _ = rnn(*args, "identity", reverse)
    assert not np.shares_memory(y, h_n)
    assert not any(np.shares_memory(out, a) for out in (y, h_n) for a in args)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sigmoid_does_not_overflow(dtype):
    one = np.ones((1, 1), dtype)
    x = np.array([1000, -1000, 1000], dtype).reshape(3, 1, 1)
    with warnings.catch_warnings(), np.errstate(over="raise", invalid="raise", divide="raise"):
        warnings.simplefilter("error")
        (y, _), pullback = rnn(x, 0 * one, one, one, None, None, "sigmoid")
        gradients = pullback(np.ones_like(y), one, ALL)
    assert y.ravel().tolist() == [1, 0, 1]
    assert not any(g.any() for g in gradients)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_long_chain_stays_finite(dtype):
    """2000 steps of a rotation: the state, and the gradient on its way back, keep their length."""
    T, angle = 2000, 0.3
    w_hh = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]], dtype)
    h0, x, w_ih = np.array([[0.6, -0.8]], dtype), np.zeros((T, 1, 1), dtype), np.ones((2, 1), dtype)
    (y, h_n), pullback = rnn(x, h0, w_ih, w_hh, None, None, "identity")
    gradients = pullback(np.zeros_like(y), h_n, ALL)
    assert all(np.isfinite(g).all() for g in gradients)
    assert error(gradients[1], h0) < T * np.finfo(dtype).eps  # W^T turns h_n back into h_0


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float32", 1e-5)])
@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
@pytest.mark.parametrize("bias", [True, False])
@BOTH_WAYS
@BATCHES
def test_against_torch(torch, N, dtype, tolerance, nonlinearity, bias, reverse):
    args, dy, dh_n = problem(T=7, N=N, dtype=dtype, bias=bias)
    module = torch.nn.RNN(4, 6, nonlinearity=nonlinearity, bias=bias, dtype=getattr(torch, dtype))
    with torch.no_grad():
        for parameter, a in zip(module.parameters(), args[2:], strict=False):
            parameter.copy_(torch.from_numpy(a))
    x, h0 = (torch.from_numpy(a).requires_grad_() for a in args[:2])

    def turned(a):  # torch has no lone reverse direction: turn time round on the way in and on the way out
        return a.flip(0) if reverse else a

    y, h_n = module(turned(x), h0[None])
    torch.autograd.backward((turned(y), h_n), (torch.from_numpy(dy), torch.from_numpy(dh_n)[None]))
    expected = [turned(y), h_n[0], *(leaf.grad for leaf in (x, h0, *module.parameters()))]
    outputs, pullback = rnn(*args, nonlinearity, reverse)
    got = (*outputs, *pullback(dy, dh_n, (*ALL[:4], bias, bias)))
    for name, g, e in zip(("y", "h_n", *NAMES), got, expected, strict=False):
        assert error(g, e.detach().numpy()) < tolerance, name


@BOTH_WAYS
@BATCHES
def test_without_keep_the_results_are_the_same_and_there_is_no_backward_pass(N, reverse):
    args, dy, dh_n = problem(N=N)
    found, pullback = rnn(*args, reverse=reverse, keep=False)
    for f, expected in zip(found, rnn(*args, reverse=reverse)[0], strict=True):
        np.testing.assert_array_equal(f, expected)
    with pytest.raises(RuntimeError, match="kept nothing"):
        pullback(dy, dh_n, ALL)


@BOTH_WAYS
@BATCHES
def test_what_is_written_into_the_results_does_not_reach_the_backward_pass(N, reverse):
    args, dy, dh_n = problem(N=N)
    (y, h_n), pullback = rnn(*args, reverse=reverse)
    expected = pullback(dy, dh_n, ALL)
    y[...] = h_n[...] = 7
    for f, e in zip(pullback(dy, dh_n, ALL), expected, strict=True):
        np.testing.assert_array_equal(f, e)


@BOTH_WAYS
@pytest.mark.parametrize("piece", [1, 18, 40])
@BATCHES
def test_the_backward_loop_in_pieces_is_the_loop_at_once(monkeypatch, N, piece, reverse):
    args, dy, dh_n = problem(N=N)
    _, pullback = rnn(*args, reverse=reverse)
    expected = pullback(dy, dh_n, ALL)
    monkeypatch.setattr("tinyrnn.kernels.rnn.PIECE", piece)
    for found, e in zip(pullback(dy, dh_n, ALL), expected, strict=True):
        assert error(found, e) < 1e-14


@BATCHES
def test_a_bias_gradient_over_many_steps_keeps_its_digits(N: int) -> None:
    T, H = 200_000, 2
    zeros = np.zeros((T, N, 1), np.float32), np.zeros((N, H), np.float32), *np.zeros((2, H, 1), np.float32)
    x, h0, w_ih, b = *zeros[:3], np.zeros(H, np.float32)
    (y, h_n), pullback = rnn(x, h0, w_ih, np.zeros((H, H), np.float32), b, b, "identity")
    needs = [False] * 4 + [True] * 2
    for db in pullback(np.full_like(y, 0.1), np.zeros_like(h_n), needs)[4:]:  # da_t = dy_t, as nothing is carried
        assert db is not None
        assert db.dtype == np.float32
        assert np.abs(db / (np.float64(np.float32(0.1)) * T * N) - 1).max() < 1e-6
