"""The reference loops beside scalar formulas, complex steps of the forward pass, torch and closed forms."""

from __future__ import annotations

import math
import warnings
from decimal import Decimal, localcontext
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from textbook import CELLS, WEIGHTS, complex_step, error, outputs, outputs_and_gradients
from tinyrnn.kernels.reference import NONLINEARITIES, gru_forward, lstm_forward, rnn_forward, sigmoid, steps

G = {"rnn": 1, "lstm": 4, "gru": 3}
# Every cell with every option: the cell, the projection's size, the options.
KINDS = [
    *[("rnn", 0, {"nonlinearity": f}) for f in NONLINEARITIES],
    ("lstm", 0, {}),
    ("lstm", 2, {}),
    ("gru", 0, {}),
]


def every_kind(kinds: list[tuple[str, int, dict[str, Any]]]) -> pytest.MarkDecorator:
    names = ["-".join([cell, *options.values(), *["projected"] * bool(P)]) for cell, P, options in kinds]
    return pytest.mark.parametrize(("cell", "P", "options"), kinds, ids=names)


EVERY_KIND = every_kind(KINDS)
BOTH_WAYS = pytest.mark.parametrize("reverse", [False, True])


def problem(cell: str, T: int = 4, N: int = 3, I: int = 2, H: int = 3, P: int = 0, bias: bool = True) -> list[Any]:
    """Random arguments of the cell's forward pass, small enough that no unit saturates."""
    rng = np.random.default_rng([T, N, I, H, P])
    shapes = {"x": (T, N, I), "h0": (N, P or H), "c0": (N, H), "w_ih": (G[cell] * H, I), "w_hh": (G[cell] * H, P or H)}
    shapes |= {"b_ih": (G[cell] * H,), "b_hh": (G[cell] * H,), "w_hr": (P, H)}
    names = ("x", "h0", *(["c0"] if cell == "lstm" else []), *WEIGHTS[cell])
    arrays = {name: rng.normal(scale=0.6, size=shapes[name]) for name in names}
    absent = {*([] if bias else ["b_ih", "b_hh"]), *([] if P else ["w_hr"])}
    return [None if name in absent else array for name, array in arrays.items()]


def random_like(arrays: Any, seed: int = 7) -> list[Any]:
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(a.shape) for a in arrays]


def test_the_numbers_of_one_unit_are_those_of_the_scalar_formulas() -> None:
    """Two steps of one unit, written with Python's numbers."""

    def s(a: float) -> float:
        return 1 / (1 + math.exp(-a))

    rng = np.random.default_rng(0)
    xs, h, c = (0.7, -1.2), 0.3, -0.4
    w = rng.standard_normal((4, 4))  # w_ih, w_hh, b_ih, b_hh of each gate

    def given(gates: int) -> list[Any]:
        return [*(w[:gates, k : k + 1] for k in (0, 1)), w[:gates, 2], w[:gates, 3]]

    x, h0, c0 = np.array(xs).reshape(2, 1, 1), np.array([[h]]), np.array([[c]])
    run, h_t = rnn_forward(x, h0, *given(1)), h
    for t in (0, 1):
        a = w[0, 0] * xs[t] + w[0, 2] + w[0, 1] * h_t + w[0, 3]
        h_t = math.tanh(a)
        np.testing.assert_allclose([run.a[t].item(), run.h[t].item()], [a, h_t], rtol=1e-14)
    lstm, h_t, c_t = lstm_forward(x, h0, c0, *given(4), w_hr=np.array([[-1.7]])), h, c
    for t in (0, 1):
        a = [w[k, 0] * xs[t] + w[k, 2] + w[k, 1] * h_t + w[k, 3] for k in range(4)]
        i, f, g, o = s(a[0]), s(a[1]), math.tanh(a[2]), s(a[3])
        c_t = f * c_t + i * g
        m_t = o * math.tanh(c_t)
        h_t = -1.7 * m_t
        found = [*lstm.a[t, 0], *[gate[t].item() for gate in lstm.gates.values()]]
        found += [lstm.c[t].item(), lstm.m[t].item(), lstm.h[t].item()]
        np.testing.assert_allclose(found, [*a, i, f, g, o, c_t, m_t, h_t], rtol=1e-14)
    gru, h_t = gru_forward(x, h0, *given(3)), h
    for t in (0, 1):
        a, u = ([w[k, j] * v + w[k, j + 2] for k in range(3)] for j, v in ((0, xs[t]), (1, h_t)))
        r, z = s(a[0] + u[0]), s(a[1] + u[1])
        n = math.tanh(a[2] + r * u[2])
        h_t = (1 - z) * n + z * h_t
        found = [*gru.a[t, 0], *gru.u[t, 0], *[gate[t].item() for gate in gru.gates.values()], gru.h[t].item()]
        np.testing.assert_allclose(found, [*a, *u, r, z, n, h_t], rtol=1e-14)


@EVERY_KIND
@BOTH_WAYS
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize(("T", "N"), [(1, 1), (1, 3), (4, 1), (4, 3)])
def test_the_gradients_are_complex_steps(
    cell: str, P: int, options: dict[str, Any], T: int, N: int, bias: bool, reverse: bool
) -> None:
    given = problem(cell, T, N, P=P, bias=bias)
    run = partial(outputs, cell, reverse=reverse, **options)
    gs = random_like(run(*given))
    found = outputs_and_gradients(cell, given, gs, reverse=reverse, **options)[len(gs) :]
    for g, expected in zip(found, complex_step(run, given, gs), strict=True):
        assert (g is None) == (expected is None)
        if g is not None:
            assert error(g, expected) < 1e-13


@EVERY_KIND
@BOTH_WAYS
def test_every_gradient_of_a_step_is_a_complex_step(cell: str, P: int, options: dict[str, Any], reverse: bool) -> None:
    """later, dc_later: the initial states' gradients of the steps left. da: dx where W_ih is the identity matrix."""
    T, N, H = 4, 2, 3
    forward, backward = CELLS[cell]
    x, *others = problem(cell, T, N, G[cell] * H, H, P)
    S = 2 if cell == "lstm" else 1
    states, weights = others[:S], [np.eye(G[cell] * H), *others[S + 1 :]]
    run: Any = forward(x, *states, *weights, reverse=reverse, **options)
    dy, *dlast = random_like(outputs(cell, x, *states, *weights, **options))
    back: Any = backward(run, dy, *dlast)

    found = complex_step(lambda v: outputs(cell, v, *states, *weights, reverse=reverse, **options), [x], [dy, *dlast])
    assert error(back.da, found[0]) < 1e-13
    np.testing.assert_allclose(back.direct + back.later, back.dh, rtol=1e-15)
    for t in range(T):
        rest = slice(0, t) if reverse else slice(t + 1, T)
        ends = [run.h[t], *([run.c[t]] if cell == "lstm" else [])]
        expected = dlast
        if x[rest].size:
            go = partial(outputs, cell, x[rest], reverse=reverse, **options)
            expected = complex_step(lambda *s, go=go: go(*s, *weights), ends, [dy[rest], *dlast])
        assert error(back.later[t], expected[0]) < 1e-13
        np.testing.assert_array_equal(back.direct[t], dy[t])
        if cell == "lstm":
            assert error(back.dc_later[t], expected[1]) < 1e-13

            def through_h(c: Any, t: int = t) -> list[Any]:
                m = run.gates["o"][t] * np.tanh(c)
                return [m @ run.weights["w_hr"].T if P else m, c]

            (dc,) = complex_step(through_h, [run.c[t]], [back.dh[t], back.dc_later[t]])
            assert error(back.dc[t], dc) < 1e-13
            assert error(back.dc_direct[t], dc - back.dc_later[t]) < 1e-13


def slope(f: Any, a: Any) -> Any:
    return f(a + 1e-30j).imag / 1e-30


@BOTH_WAYS
def test_the_gradients_of_gates_come_before_their_slopes(reverse: bool) -> None:
    for cell in ("lstm", "gru"):
        given = problem(cell)
        run: Any = CELLS[cell][0](*given, reverse=reverse)
        back: Any = CELLS[cell][1](run, *random_like([run.h]))
        a, da = np.split(run.a, G[cell], -1), np.split(back.da, G[cell], -1)
        if cell == "gru":
            u, du = np.split(run.u, 3, -1), np.split(back.du, 3, -1)
            a = [a[0] + u[0], a[1] + u[1], a[2] + run.gates["r"] * u[2]]
            for found, expected in zip(du, [da[0], da[1], da[2] * run.gates["r"]], strict=True):
                np.testing.assert_allclose(found, expected, rtol=1e-14)
        for (name, dgate), a_gate, da_gate in zip(back.dgates.items(), a, da, strict=True):
            f = np.tanh if name in "gn" else sigmoid
            np.testing.assert_allclose(run.gates[name], f(a_gate), rtol=1e-14)
            np.testing.assert_allclose(dgate * slope(f, a_gate), da_gate, rtol=1e-12)


@pytest.mark.parametrize("nonlinearity", NONLINEARITIES)
def test_the_slope_of_an_rnn_is_that_of_its_nonlinearity(nonlinearity: str) -> None:
    run = rnn_forward(*problem("rnn"), nonlinearity=nonlinearity)
    np.testing.assert_allclose(run.slope, slope(NONLINEARITIES[nonlinearity][0], run.a), rtol=1e-12)


@EVERY_KIND
@BOTH_WAYS
def test_each_step_starts_from_the_state_before(cell: str, P: int, options: dict[str, Any], reverse: bool) -> None:
    given = problem(cell, P=P)
    run: Any = CELLS[cell][0](*given, reverse=reverse, **options)
    order = [3, 2, 1, 0] if reverse else [0, 1, 2, 3]
    assert [*steps(4, reverse)] == order
    pairs = [(run.h_before, run.h, run.h_n, given[1])]
    pairs += [(run.c_before, run.c, run.c_n, given[2])] if cell == "lstm" else []
    for before, after, last, first in pairs:
        np.testing.assert_array_equal(before[order], [first, *after[order[:-1]]])
        np.testing.assert_array_equal(last, after[order[-1]])
        assert not np.shares_memory(last, after)


@EVERY_KIND
def test_reverse_is_time_turned_round(cell: str, P: int, options: dict[str, Any]) -> None:
    x, *others = problem(cell, P=P)
    dy, *dlast = random_like(outputs(cell, x, *others, **options))
    found = outputs_and_gradients(cell, [x, *others], [dy, *dlast], reverse=True, **options)
    turned = outputs_and_gradients(cell, [x[::-1], *others], [dy[::-1], *dlast], **options)
    for k, (f, e) in enumerate(zip(found, turned, strict=True)):
        if f is not None:
            np.testing.assert_allclose(f, e[::-1] if k in (0, 1 + len(dlast)) else e, rtol=1e-12, atol=1e-14)


@EVERY_KIND
@BOTH_WAYS
def test_many_losses_at_once_are_each_loss_alone(cell: str, P: int, options: dict[str, Any], reverse: bool) -> None:
    forward, backward = CELLS[cell]
    run = forward(*problem(cell, P=P), reverse=reverse, **options)
    rng = np.random.default_rng(0)
    T, *rest = run.h.shape
    dy, dh_n = rng.standard_normal((T, 5, 2, *rest)), rng.standard_normal((5, 2, *rest))
    together: Any = backward(run, dy, dh_n)
    for k in np.ndindex(5, 2):
        alone: Any = backward(run, dy[:, *k], dh_n[k])
        for name in ("later", "dh", "da", "dx", *[name for name in ("du", "dc", "dc_later") if hasattr(alone, name)]):
            np.testing.assert_allclose(getattr(together, name)[:, *k], getattr(alone, name), rtol=1e-12, atol=1e-14)
        for name in ("dh0", *(["dc0"] if cell == "lstm" else [])):
            np.testing.assert_allclose(getattr(together, name)[k], getattr(alone, name), rtol=1e-12, atol=1e-14)
        for name, g in alone.dweights.items():
            np.testing.assert_allclose(together.dweights[name][k], g, rtol=1e-12, atol=1e-14)
            np.testing.assert_allclose(together.shares(name)[:, *k], alone.shares(name), rtol=1e-12, atol=1e-14)


@EVERY_KIND
def test_the_gradients_of_the_last_states_are_zero_if_not_given(cell: str, P: int, options: dict[str, Any]) -> None:
    given = problem(cell, P=P)
    (y, *last) = outputs(cell, *given, **options)
    dy = random_like([y])
    found = outputs_and_gradients(cell, given, dy, **options)
    expected = outputs_and_gradients(cell, given, [*dy, *[0 * h for h in last]], **options)
    for f, e in zip(found, expected, strict=True):
        np.testing.assert_array_equal(f, e)


@every_kind([kind for kind in KINDS if kind[2].get("nonlinearity") not in ("sigmoid", "identity")])  # as torch
@BOTH_WAYS
@pytest.mark.parametrize("bias", [False, True])
def test_against_torch(
    torch: ModuleType, cell: str, P: int, options: dict[str, Any], bias: bool, reverse: bool
) -> None:
    given = problem(cell, 7, 3, 4, 5, P, bias)
    S = 2 if cell == "lstm" else 1
    sizes = {"proj_size": P} if P else {}
    module = getattr(torch.nn, cell.upper())(4, 5, bias=bias, dtype=torch.float64, **options, **sizes)
    with torch.no_grad():
        for parameter, a in zip(module.parameters(), [w for w in given[1 + S :] if w is not None], strict=True):
            parameter.copy_(torch.from_numpy(a))
    x, *states = (torch.from_numpy(a).requires_grad_() for a in given[: 1 + S])
    y, last = module(x.flip(0) if reverse else x, states[0][None] if S == 1 else tuple(h[None] for h in states))
    outs = [y.flip(0) if reverse else y, *([last[0]] if S == 1 else [h[0] for h in last])]
    gs = random_like([out.detach().numpy() for out in outs])
    torch.autograd.backward(outs, [torch.from_numpy(g) for g in gs])
    expected = [*outs, *[leaf.grad for leaf in (x, *states, *module.parameters())]]
    found = [a for a in outputs_and_gradients(cell, given, gs, reverse=reverse, **options) if a is not None]
    for f, e in zip(found, expected, strict=True):
        assert error(f, e.detach().numpy()) < 1e-12


def test_three_steps_meet_in_one_weight() -> None:
    """h_t = w h_{t-1}: h_3 = w^3 h_0, dh_3/dw = 3 w^2 h_0, and each step's share is w^2 h_0."""
    w, h0 = 1.7, 0.6
    given = np.zeros((3, 1, 1)), np.array([[h0]]), np.zeros((1, 1)), np.array([[w]])
    run = CELLS["rnn"][0](*given, nonlinearity="identity")
    back = CELLS["rnn"][1](run, np.zeros((3, 1, 1)), np.ones((1, 1)))
    np.testing.assert_allclose(run.h.ravel(), [w * h0, w**2 * h0, w**3 * h0], rtol=1e-14)
    np.testing.assert_allclose(back.dh.ravel(), [w**2, w, 1], rtol=1e-14)
    np.testing.assert_allclose(back.shares("w_hh").ravel(), [w**2 * h0] * 3, rtol=1e-14)
    np.testing.assert_allclose([back.dweights["w_hh"].item(), back.dh0.item()], [3 * w**2 * h0, w**3], rtol=1e-14)


def test_relu_is_flat_at_its_kink_and_lets_nan_through() -> None:
    f, slope_of = NONLINEARITIES["relu"]
    np.testing.assert_array_equal(f(np.array([-2.0, 0.0, 3.0, np.nan])), [0, 0, 3, np.nan])
    np.testing.assert_array_equal(slope_of(np.array([-2.0, 0.0, 3.0, np.nan])), [0, 0, 1, 1])


def test_sigmoid_has_every_digit() -> None:
    """Beside 40 decimal places: relative to each value, also where it is tiny."""
    a = np.concatenate((np.linspace(-700, 40, 149), np.random.default_rng(0).normal(scale=5, size=50)))
    with localcontext(prec=60):
        expected = [1 / (1 + (-Decimal(float(v))).exp()) for v in a]
        worst = max(abs(Decimal(float(s)) / e - 1) for s, e in zip(sigmoid(a), expected, strict=True))
    assert worst < 4 * np.finfo(float).eps
    a = a[a > -500]  # the step times the slope must not underflow
    np.testing.assert_allclose(slope(sigmoid, a), sigmoid(a) * sigmoid(-a), rtol=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sigmoid_cannot_overflow(dtype: Any) -> None:
    with warnings.catch_warnings(), np.errstate(over="raise", invalid="raise", divide="raise"):
        warnings.simplefilter("error")
        found = sigmoid(np.array([1e4, -1e4, np.inf, -np.inf, np.nan], dtype))
    np.testing.assert_array_equal(found, [1, 0, 1, 0, np.nan])
    assert found.dtype == dtype


@EVERY_KIND
def test_dtypes(cell: str, P: int, options: dict[str, Any]) -> None:
    given = problem(cell, P=P)
    gs = random_like(outputs(cell, *given, **options))
    expected = outputs_and_gradients(cell, given, gs, **options)
    small = [None if a is None else a.astype(np.float32) for a in given]
    found = outputs_and_gradients(cell, small, [g.astype(np.float32) for g in gs], **options)
    for f, e in zip(found, expected, strict=True):
        if f is not None:
            assert f.dtype == np.float32
            assert error(f, e) < 1e-5
    whole = [None if a is None else np.sign(a).astype(int) for a in given]
    y = outputs(cell, *whole, **options)[0]
    assert y.dtype == np.float64
    np.testing.assert_array_equal(y, outputs(cell, *[a if a is None else a.astype(float) for a in whole], **options)[0])


@EVERY_KIND
@BOTH_WAYS
def test_nothing_that_it_is_given_changes(cell: str, P: int, options: dict[str, Any], reverse: bool) -> None:
    given = problem(cell, P=P)
    gs = random_like(outputs(cell, *given, **options))
    watched = [a for a in (*given, *gs) if a is not None]
    before = [a.copy() for a in watched]
    first = outputs_and_gradients(cell, given, gs, reverse=reverse, **options)
    for a, b in zip(watched, before, strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(first, outputs_and_gradients(cell, given, gs, reverse=reverse, **options), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("cell", CELLS)
def test_an_empty_batch(cell: str) -> None:
    given = problem(cell, N=0)
    found = outputs_and_gradients(cell, given, random_like(outputs(cell, *given)))
    for g, a in zip(found[-len(given) :], given, strict=True):
        assert g is None or (g.shape == a.shape and not g.any())


def test_an_unknown_nonlinearity() -> None:
    with pytest.raises(ValueError, match=r"rnn: nonlinearity is 'tan', expected one of tanh, relu"):
        rnn_forward(*problem("rnn"), nonlinearity="tan")
