"""The records of the reference loops: the share of each step in a weight's gradient, and bad input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from textbook import CELLS, WEIGHTS, complex_step, error, outputs
from tinyrnn.kernels.records import factors_of, share, sum_of_shares

G = {"rnn": 1, "lstm": 4, "gru": 3}
T, N, I, H, P = 4, 3, 2, 5, 6


def problem(cell: str) -> dict[str, Any]:
    """Random arguments by their names."""
    rng, rows = np.random.default_rng(0), G[cell] * H
    out = P if cell == "lstm" else H
    shapes = {"x": (T, N, I), "h0": (N, out)} | ({"c0": (N, H)} if cell == "lstm" else {})
    shapes |= {"w_ih": (rows, I), "w_hh": (rows, out), "b_ih": (rows,), "b_hh": (rows,)}
    shapes |= {"w_hr": (P, H)} if cell == "lstm" else {}
    return {name: rng.standard_normal(shape) for name, shape in shapes.items()}


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_the_share_of_a_step_is_the_gradient_of_the_weights_that_it_used(cell: str, reverse: bool) -> None:
    """Steps before, step t with weights that move, steps after: three forward passes, one after the other."""
    given = problem(cell)
    x, weights = given["x"], [given[name] for name in WEIGHTS[cell]]
    states = [given[name] for name in ("h0", "c0") if name in given]
    run = CELLS[cell][0](**given, reverse=reverse)
    dy = np.random.default_rng(1).standard_normal(run.h.shape)
    back = CELLS[cell][1](run, dy)
    assert [*back.dweights] == [*back.factors] == [*WEIGHTS[cell]]
    for name, g in back.dweights.items():
        assert back.shares(name).shape == (T, *given[name].shape)
        assert error(back.shares(name).sum(0), g) < 1e-14
    t = 1
    spans = [slice(0, t), slice(t, t + 1), slice(t + 1, T)]

    def loss(*moved: Any) -> list[Any]:
        now, ys = states, {}
        for k in (2, 1, 0) if reverse else (0, 1, 2):
            ys[k], *now = outputs(cell, x[spans[k]], *now, *(moved if k == 1 else weights), reverse=reverse)
        return [np.concatenate([ys[k] for k in range(3)])]

    for name, expected in zip(WEIGHTS[cell], complex_step(loss, weights, [dy]), strict=True):
        assert error(back.shares(name)[t], expected) < 1e-13


def test_shares_and_their_sum() -> None:
    rng = np.random.default_rng(0)
    d, v = rng.standard_normal((T, 2, N, 5)), rng.standard_normal((T, N, I))
    for t in range(T):
        np.testing.assert_allclose(share(d, v, t), np.einsum("snk,ni->ski", d[t], v[t]), rtol=1e-12)
        np.testing.assert_allclose(share(d, None, t), np.einsum("snk->sk", d[t]), rtol=1e-12)
    found = sum_of_shares({"w": (d, v), "b": (d, None)})
    np.testing.assert_allclose(found["w"], np.einsum("tsnk,tni->ski", d, v), rtol=1e-12)
    np.testing.assert_allclose(found["b"], d.sum((0, 2)), rtol=1e-12)


def test_a_missing_bias_has_no_share() -> None:
    given = problem("gru") | {"b_ih": None, "b_hh": None}
    run = CELLS["gru"][0](**given)
    assert [*factors_of(run, run.a, run.u)] == ["w_ih", "w_hh"]
    assert [*CELLS["gru"][1](run, run.h).dweights] == ["w_ih", "w_hh"]


@pytest.mark.parametrize("cell", CELLS)
def test_every_argument_of_another_shape_is_refused_by_its_name(cell: str) -> None:
    for name, array in problem(cell).items():
        longer = () if name == "x" else (np.concatenate((array, array)),)  # x may have any number of steps
        for wrong in (array[..., 1:], array[None], *longer):
            with pytest.raises(ValueError, match=rf"^{cell}: \w+ has shape \(.*expected"):
                CELLS[cell][0](**problem(cell) | {name: wrong})
        with pytest.raises(TypeError, match=rf"^{cell}: {name} is a list, expected a NumPy array"):
            CELLS[cell][0](**problem(cell) | {name: array.tolist()})


@pytest.mark.parametrize(
    ("cell", "changed", "message"),
    [
        ("rnn", {"x": np.ones((0, N, I))}, r"rnn: x has shape \(0, 3, 2\), expected \(T, N, I\) with T >= 1"),
        ("rnn", {"x": np.ones((T, I))}, r"rnn: x has shape \(4, 2\), .*one sequence is x\[:, None\]"),
        ("gru", {"h0": np.ones((N + 1, H))}, r"gru: h0 has shape \(4, 5\), expected \(3, \.\): x is \(4, 3, 2\)"),
        ("gru", {"w_ih": np.ones((H, I))}, r"gru: w_ih has shape \(5, 2\), expected \(15, 2\) for the shapes {'x': "),
        ("gru", {"b_hh": None}, r"gru: one of b_ih and b_hh is None, expected both or neither: give zeros for it"),
        ("lstm", {"w_hr": None}, r"lstm: h0 has shape \(3, 6\), expected \(3, 5\)"),
        ("lstm", {"c0": np.ones((N, H + 1))}, r"lstm: w_ih has shape \(20, 2\), expected \(24, 2\)"),
    ],
)
def test_what_the_message_says(cell: str, changed: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CELLS[cell][0](**problem(cell) | changed)


@pytest.mark.parametrize("cell", CELLS)
def test_cotangents_that_do_not_fit(cell: str) -> None:
    run = CELLS[cell][0](**problem(cell))
    backward, y = CELLS[cell][1], run.h
    for dy in (y[1:], y[:, 1:], y[..., 1:], y[0], y.tolist()):
        with pytest.raises(ValueError, match=rf"{cell}: dy has .*expected that of y, \({T}, {N}, "):
            backward(run, dy)
    for dh_n in (y, y[0, 1:]):
        with pytest.raises(ValueError, match=rf"{cell}: dh_n has shape .*expected \(3, .*: dy is \("):
            backward(run, y, dh_n)
    with pytest.raises(ValueError, match=rf"{cell}: dh_n has shape .*expected \(7, 3, "):
        backward(run, np.ones((T, 7, *y.shape[1:])), y[0])
    if cell == "lstm":
        with pytest.raises(ValueError, match=r"lstm: dc_n has shape \(3, 6\), expected \(3, 5\)"):
            backward(run, y, y[0], y[0])
