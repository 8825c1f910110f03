"""Landmarks: numbers that no code of ours produced, from closed forms, from textbooks and from published runs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinyrnn
from tinyrnn import nn, optim
from tinyrnn.nn.utils import clip_grad_value_

F64 = {"dtype": tinyrnn.float64}


@pytest.mark.parametrize("T", [1, 2, 3, 10])
def test_the_gradient_of_a_linear_recurrence(T: int) -> None:
    """h_t = w h_{t-1}: dh_T/dw = T w^(T-1) h_0, dh_T/dh_0 = w^T; dh_3/dw = 3 w^2 h_0."""
    w0, h0 = 0.7, 2.0
    layer = nn.RNN(1, 1, nonlinearity="identity", bias=False, **F64)
    nn.init.constant_(layer.weight_hh_l0, w0)
    start = tinyrnn.full((1, 1, 1), h0, requires_grad=True, **F64)
    layer(tinyrnn.zeros(T, 1, 1, **F64), start)[1].sum().backward()
    w, h = tinyrnn.tensor(w0, requires_grad=True, **F64), tinyrnn.tensor(h0, requires_grad=True, **F64)
    state = h
    for _ in range(T):
        state = w * state
    state.backward()
    for dw, dh in ((layer.weight_hh_l0.grad, start.grad), (w.grad, h.grad)):
        assert dw.item() == pytest.approx(T * w0 ** (T - 1) * h0, rel=1e-14)
        assert dh.item() == pytest.approx(w0**T, rel=1e-14)


def test_the_gradient_of_a_tanh_recurrence() -> None:
    """h_1 = tanh(w h_0), h_2 = tanh(w h_1): dh_2/dw = (1 - h_2^2) (h_1 + w (1 - h_1^2) h_0), at w = h_0 = 1/2."""
    h1 = np.tanh(0.25)
    h2 = np.tanh(0.5 * h1)
    expected = (1 - h2**2) * (h1 + 0.5 * (1 - h1**2) * 0.5)
    layer = nn.RNN(1, 1, bias=False, **F64)
    nn.init.constant_(layer.weight_hh_l0, 0.5)
    layer(tinyrnn.zeros(2, 1, 1, **F64), tinyrnn.full((1, 1, 1), 0.5, **F64))[1].sum().backward()
    assert layer.weight_hh_l0.grad.item() == pytest.approx(expected, rel=1e-14)


def test_an_lstm_whose_gates_are_all_one_half() -> None:
    """With all weights 0 every gate is 1/2 and g is 0: c_t = c_0 / 2^t, h_t = tanh(c_t) / 2."""
    layer = nn.LSTM(2, 1, **F64)
    for p in layer.parameters():
        nn.init.zeros_(p)
    c0 = tinyrnn.full((1, 1, 1), 3.0, requires_grad=True, **F64)
    y, (_, c_n) = layer(tinyrnn.ones(4, 1, 2, **F64), (tinyrnn.zeros(1, 1, 1, **F64), c0))
    np.testing.assert_allclose(y.detach().numpy().ravel(), [np.tanh(3 / 2**t) / 2 for t in (1, 2, 3, 4)], rtol=1e-15)
    c_n.sum().backward()
    assert c0.grad.item() == 1 / 16


def test_a_gru_whose_gates_are_all_one_half() -> None:
    """With all weights 0: z = 1/2 and n = 0, so h_t = h_0 / 2^t."""
    layer = nn.GRU(2, 1, **F64)
    for p in layer.parameters():
        nn.init.zeros_(p)
    h0 = tinyrnn.full((1, 1, 1), 3.0, requires_grad=True, **F64)
    y, _ = layer(tinyrnn.ones(4, 1, 2, **F64), h0)
    np.testing.assert_array_equal(y.detach().numpy().ravel(), [3 / 2**t for t in (1, 2, 3, 4)])
    y[-1].sum().backward()
    assert h0.grad.item() == 1 / 16


@pytest.mark.parametrize(
    ("nonlinearity", "published"),
    [("identity", ["4.0000", "12.0000", "32.0000"]), ("tanh", ["1.9281", "1.9985", "2.0000"])],
)
def test_the_simple_recurrent_network_with_all_weights_one(nonlinearity: str, published: list[str]) -> None:
    """Two inputs, two hidden units, two outputs, every weight 1, inputs 1, 1, 2: the outputs as published."""
    layer, out = nn.RNN(2, 2, nonlinearity=nonlinearity, bias=False, **F64), nn.Linear(2, 2, bias=False, **F64)
    for p in (*layer.parameters(), *out.parameters()):
        nn.init.ones_(p)
    x = tinyrnn.tensor([[[1.0, 1.0]], [[1.0, 1.0]], [[2.0, 2.0]]], **F64)
    y = out(layer(x)[0]).detach().numpy()
    a, h = 0.0, []
    for s in (2, 2, 4):  # the sum of the inputs; both units are alike
        a = s + 2 * (h[-1] if h else 0)
        h.append(np.tanh(a) if nonlinearity == "tanh" else a)
    np.testing.assert_allclose(y[:, 0, 0], y[:, 0, 1])
    np.testing.assert_allclose(y[:, 0, 0], 2 * np.array(h), rtol=1e-14)
    assert [f"{v:.4f}" for v in y[:, 0, 0]] == published


# the character model: its smoothed loss, as printed every 2000 iterations

PUBLISHED = {0: 23.087336, 2000: 27.884160, 4000: 25.901815, 6000: 24.608779}
MADE_UP = "ada\nbela\ncaro\ndido\neva\nfinn\ngoro\n"


def weights(V: int, n: int = 50) -> list[Any]:
    """Of input, state and output, by NumPy's legacy generator: the set-up of the published run."""
    rng = np.random.RandomState(1)
    return [rng.randn(n, V) * 0.01, rng.randn(n, n) * 0.01, rng.randn(V, n) * 0.01]


def names_of(text: str) -> tuple[list[str], dict[str, int]]:
    index = {char: i for i, char in enumerate(sorted(set(text.lower())))}
    names = [line.strip() for line in text.lower().splitlines()]
    np.random.RandomState(0).shuffle(names)
    return names, index


def by_layers(text: str, iterations: int) -> list[float]:
    """The smoothed losses of nn.RNN and nn.Linear: SGD, one name a step, the state carried on, gradients clipped."""
    names, index = names_of(text)
    V = len(index)
    rnn, out = nn.RNN(V, 50, **F64), nn.Linear(50, V, **F64)
    W, U, Y = weights(V)
    zeros = {"bias_ih_l0": np.zeros(50), "bias_hh_l0": np.zeros(50)}
    rnn.load_state_dict({"weight_ih_l0": W, "weight_hh_l0": U, **zeros})
    out.load_state_dict({"weight": Y, "bias": np.zeros(V)})
    rnn.bias_hh_l0.requires_grad = False  # one bias is all that the published model has
    parameters = [p for p in (*rnn.parameters(), *out.parameters()) if p.requires_grad]
    optimizer = optim.SGD(parameters, lr=0.01)
    eye, h, smoothed, losses = np.eye(V), tinyrnn.zeros(1, 1, 50, **F64), np.log(V) * 7, []
    for i in range(iterations):
        chars = [index[char] for char in names[i % len(names)]]
        x = np.concatenate([np.zeros((1, V)), eye[chars]])[:, None]
        y, h = rnn(tinyrnn.from_numpy(x), h.detach())
        target = tinyrnn.tensor([*chars, index["\n"]])
        loss = nn.functional.cross_entropy(out(y)[:, 0], target, reduction="sum")
        optimizer.zero_grad()
        loss.backward()
        clip_grad_value_(parameters, 5)
        optimizer.step()
        smoothed = 0.999 * smoothed + 0.001 * loss.item()
        losses.append(smoothed)
    return losses


def by_hand(text: str, iterations: int) -> list[float]:
    """The same, its backward pass through time written out in NumPy."""
    names, index = names_of(text)
    V = len(index)
    W, U, Y = weights(V)
    b, c, h0 = np.zeros(50), np.zeros(V), np.zeros(50)
    smoothed, losses = np.log(V) * 7, []
    for i in range(iterations):
        given = [None, *[index[char] for char in names[i % len(names)]]]
        wanted = [*given[1:], index["\n"]]
        hs, ps, loss = [h0], [], 0.0
        for k, j in zip(given, wanted, strict=True):
            hs.append(np.tanh((0 if k is None else W[:, k]) + U @ hs[-1] + b))
            e = np.exp(Y @ hs[-1] + c)
            ps.append(e / e.sum())
            loss -= np.log(ps[-1][j])
        dW, dU, dY, db, dc, dh = (np.zeros_like(a) for a in (W, U, Y, b, c, b))
        for t in range(len(wanted))[::-1]:
            dz = ps[t].copy()
            dz[wanted[t]] -= 1
            dY += np.outer(dz, hs[t + 1])
            dc += dz
            da = (1 - hs[t + 1] ** 2) * (Y.T @ dz + dh)
            db += da
            dU += np.outer(da, hs[t])
            if given[t] is not None:
                dW[:, given[t]] += da
            dh = U.T @ da
        for p, g in ((W, dW), (U, dU), (Y, dY), (b, db), (c, dc)):
            p -= 0.01 * np.clip(g, -5, 5)
        h0 = hs[-1]
        smoothed = 0.999 * smoothed + 0.001 * loss
        losses.append(smoothed)
    return losses


def test_the_character_model_on_a_made_up_list() -> None:
    found, expected = by_layers(MADE_UP, 300), by_hand(MADE_UP, 300)
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert found[-1] < found[0]


def test_the_first_published_loss() -> None:
    """It is that of one name and 27 letters; near to equal chances, log V for each of 11 letters and the end."""
    text = "turiasaurus\n" * 30 + "abcdefghijklmnopqrstuvwxyz\n"  # all letters, and the first name of the shuffled list
    assert names_of(text)[0][0] == "turiasaurus"
    for first in (by_layers(text, 1)[0], by_hand(text, 1)[0]):
        assert round(float(first), 6) == PUBLISHED[0]
    assert PUBLISHED[0] == pytest.approx(0.999 * 7 * np.log(27) + 0.001 * 12 * np.log(27), abs=1e-4)


@pytest.mark.slow
def test_the_published_losses_of_the_original_list() -> None:
    """TINYRNN_NAMES=names.txt, the list of 1536 names of the published run, which is not part of the project."""
    path = os.environ.get("TINYRNN_NAMES")
    if not path:
        pytest.skip("TINYRNN_NAMES does not say where the original list of names is")
    losses = by_layers(Path(path).read_text(), max(PUBLISHED) + 1)
    assert {i: round(losses[i], 6) for i in PUBLISHED} == PUBLISHED
