"""Whole training steps, written once for tinyrnn and torch, which have the same names: `lib` is either.

They are the steps of well-known small programs, with their sizes, losses and optimizers. The data of a step are made
before; the state is carried on from step to step, without its history, where the program does that.
"""

from __future__ import annotations

from itertools import cycle
from typing import Any

import numpy as np

from work import Work, gradients

LETTERS = "SE?abcdefghijklmnopqrstuvwxyz"  # start, end, padding
PAIRS = ("man women", "black white", "king queen", "girl boy", "up down", "high low")
NAMES = ("acrocanthos", "brachytrach", "diplodocusa", "tyrannosaur")  # of 11 letters: with its beginning T = 12


def sine_parts(lib: Any, dtype: str) -> tuple[Any, Any, list[Any]]:
    """The RNN and its linear layer, and three windows of a sine wave with their answers, (1, 49, 1)."""
    dt = getattr(lib, dtype)
    lib.manual_seed(0)
    rnn = lib.nn.RNN(1, 16, batch_first=True, dtype=dt)
    for p in rnn.parameters():
        lib.nn.init.normal_(p, mean=0.0, std=0.001)
    waves = [lib.tensor(np.sin(np.linspace(start, start + 10, 50)), dtype=dt).view(1, 50, 1) for start in range(3)]
    return rnn, lib.nn.Linear(16, 1, dtype=dt), [(wave[:, :-1], wave[:, 1:]) for wave in waves]


def sine(lib: Any, dtype: str) -> Work:
    """RNN 16 says the next of 49 points of a sine wave; weights drawn with a deviation of 0.001; MSE, Adam."""
    rnn, linear, data = sine_parts(lib, dtype)
    criterion, parameters = lib.nn.MSELoss(), [*rnn.parameters(), *linear.parameters()]
    optimizer = lib.optim.Adam(parameters, lr=0.01)
    windows, state = cycle(data), lib.zeros(1, 1, 16, dtype=getattr(lib, dtype))

    def step() -> Any:
        nonlocal state
        x, y = next(windows)
        out, state = rnn(x, state)
        state = state.detach()
        loss = criterion(linear(out.view(-1, 16)).unsqueeze(0), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    return Work(step, gradients(parameters))


def sin_to_cos_parts(lib: Any, dtype: str) -> tuple[Any, Any, list[Any]]:
    """The RNN and its linear layer, and two windows of sin with their cos, (1, 10, 1)."""
    dt = getattr(lib, dtype)
    lib.manual_seed(0)
    rnn, linear = lib.nn.RNN(1, 32, batch_first=True, dtype=dt), lib.nn.Linear(32, 1, dtype=dt)
    times = [np.linspace(k * np.pi, (k + 1) * np.pi, 10).reshape(1, 10, 1) for k in range(2)]
    return rnn, linear, [(lib.tensor(np.sin(t), dtype=dt), lib.tensor(np.cos(t), dtype=dt)) for t in times]


def sin_to_cos(lib: Any, dtype: str, at_once: bool = True) -> Work:
    """RNN 32 maps 10 points of sin to cos; MSE, SGD. Its linear layer reads all ten outputs at once, or one by one."""
    rnn, linear, data = sin_to_cos_parts(lib, dtype)
    criterion, parameters = lib.nn.MSELoss(), [*rnn.parameters(), *linear.parameters()]
    optimizer = lib.optim.SGD(parameters, lr=0.01)
    windows, state = cycle(data), None

    def step() -> Any:
        nonlocal state
        x, y = next(windows)
        out, state = rnn(x, state)
        state = state.detach()
        said = linear(out) if at_once else lib.stack([linear(out[:, t, :]) for t in range(out.size(1))], dim=1)
        loss = criterion(said, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    return Work(step, gradients(parameters))


def encode(name: str) -> tuple[list[int], list[int]]:
    """What is read of a name, -1 for its beginning and then its letters, and what comes next, 0 at its end."""
    letters = [1 + ord(c) - ord("a") for c in name]
    return [-1, *letters], [*letters, 0]


def names_parts(lib: Any, dtype: str) -> tuple[Any, Any, Any]:
    """The RNN and its linear layer, with the weights of `by_hand.names`, and the 27 characters, one-hot."""
    dt = getattr(lib, dtype)
    lib.manual_seed(0)
    rnn, linear = lib.nn.RNN(27, 50, dtype=dt), lib.nn.Linear(50, 27, dtype=dt)
    random = np.random.RandomState(1)
    with lib.no_grad():
        for bias in (rnn.bias_ih_l0, rnn.bias_hh_l0, linear.bias):
            bias.zero_()
        for weight in (rnn.weight_ih_l0, rnn.weight_hh_l0, linear.weight):
            weight.copy_(lib.from_numpy(0.01 * random.randn(*weight.shape)))
    rnn.bias_hh_l0.requires_grad_(False)
    return rnn, linear, lib.cat([lib.eye(27, dtype=dt), lib.zeros(1, 27, dtype=dt)])  # a name's beginning is all zeros


def names(lib: Any, dtype: str) -> Work:
    """RNN 50 spells a name of T = 12, one of 27 characters after the other; gradients clipped to +-5, SGD.

    It is the program of `by_hand.names`: its weights, one bias (the second stays 0), its summed loss.
    """
    rnn, linear, one_hot = names_parts(lib, dtype)
    parameters = [p for p in (*rnn.parameters(), *linear.parameters()) if p.requires_grad]
    optimizer = lib.optim.SGD(parameters, lr=0.01)
    spelled = cycle([tuple(map(lib.tensor, encode(name))) for name in NAMES])
    state = lib.zeros(1, 50, dtype=one_hot.dtype)

    def step() -> Any:
        nonlocal state
        x, y = next(spelled)
        out, state = rnn(one_hot[x], state)
        state = state.detach()
        loss = lib.nn.functional.cross_entropy(linear(out), y, reduction="sum")
        optimizer.zero_grad()
        loss.backward()
        lib.nn.utils.clip_grad_value_(parameters, 5)
        optimizer.step()
        return loss

    return Work(step, gradients(parameters))


def encoder_decoder(lib: Any, dtype: str) -> Work:
    """Two RNNs of 128 units: one reads a word, T 6, batch 3, the other writes its pair; a loss a word; Adam."""
    dt, size = getattr(lib, dtype), len(LETTERS)
    lib.manual_seed(0)
    encoder, decoder = lib.nn.RNN(size, 128, dtype=dt), lib.nn.RNN(size, 128, dtype=dt)
    linear, criterion = lib.nn.Linear(128, size, dtype=dt), lib.nn.CrossEntropyLoss()
    parameters = [p for part in (encoder, decoder, linear) for p in part.parameters()]
    optimizer = lib.optim.Adam(parameters, lr=0.001)
    pairs = [[word.ljust(5, "?") for word in pair.split()] for pair in PAIRS]
    coded = [[[LETTERS.index(c) for c in text] for text in (a + "E", "S" + b, b + "E")] for a, b in pairs]
    batches = []
    for half in (coded[:3], coded[3:]):
        read, written, answers = map(lib.tensor, np.swapaxes(np.array(half), 0, 1).copy())
        batches.append((lib.eye(size, dtype=dt)[read], lib.eye(size, dtype=dt)[written], answers))
    turn = cycle(batches)

    def step() -> Any:
        read, written, answers = next(turn)
        _, state = encoder(read.transpose(0, 1), lib.zeros(1, 3, 128, dtype=dt))
        out, _ = decoder(written.transpose(0, 1), state)
        scores = linear(out).transpose(0, 1)
        loss = 0
        for word, answer in zip(scores, answers, strict=True):
            loss = loss + criterion(word, answer)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    return Work(step, gradients(parameters))


def characters(lib: Any, dtype: str) -> Work:
    """A character model: Embedding of 65 characters, two LSTM layers of 128, T 50, batch 50; clipped norm; Adam."""
    dt = getattr(lib, dtype)
    lib.manual_seed(0)
    embedding, lstm = lib.nn.Embedding(65, 128, dtype=dt), lib.nn.LSTM(128, 128, num_layers=2, dtype=dt)
    linear, criterion = lib.nn.Linear(128, 65, dtype=dt), lib.nn.CrossEntropyLoss()
    parameters = [p for part in (embedding, lstm, linear) for p in part.parameters()]
    optimizer = lib.optim.Adam(parameters, lr=0.002)
    text = lib.tensor(np.random.RandomState(0).randint(65, size=(51, 50)))
    x, y, state = text[:-1], text[1:].reshape(-1), None

    def step() -> Any:
        nonlocal state
        out, state = lstm(embedding(x), state)
        state = tuple(part.detach() for part in state)
        loss = criterion(linear(out).reshape(-1, 65), y)
        optimizer.zero_grad()
        loss.backward()
        lib.nn.utils.clip_grad_norm_(parameters, 5)
        optimizer.step()
        return loss

    return Work(step, gradients(parameters))


def binary_addition(lib: Any, dtype: str) -> Work:
    """A sigmoid RNN of 16 units without biases adds two 7-bit numbers: the program of `by_hand.binary_addition`.

    Sigmoid units are tinyrnn's own: torch's nn.RNN has tanh and ReLU.
    """
    dt, random = getattr(lib, dtype), np.random.RandomState(0)
    rnn = lib.nn.RNN(2, 16, nonlinearity="sigmoid", bias=False, dtype=dt)
    linear = lib.nn.Linear(16, 1, bias=False, dtype=dt)
    parameters = [rnn.weight_ih_l0, linear.weight, rnn.weight_hh_l0]
    with lib.no_grad():
        for weight in parameters:
            weight.copy_(lib.from_numpy(2 * random.random_sample(weight.shape[::-1]).T - 1))
    optimizer = lib.optim.SGD(parameters, lr=0.1)
    bits = (np.arange(256)[:, None] >> np.arange(8) & 1).astype(dtype)  # lowest first

    def step() -> Any:
        a, b = random.randint(128), random.randint(128)
        x, target = lib.from_numpy(bits[[a, b]].T), lib.from_numpy(bits[a + b])
        out, _ = rnn(x)
        loss = ((target - linear(out).sigmoid().squeeze(1)) ** 2).sum() / 2
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    return Work(step, gradients(parameters))
