"""The parts that training steps are made of, written once for tinyrnn and torch: `lib` is either."""

from __future__ import annotations

from typing import Any

from work import Work, gradients


def layer(lib: Any, dtype: str, kind: str, T: int, N: int, I: int, H: int) -> Work:
    """Forward and backward of nn.RNN, nn.GRU or nn.LSTM: x (T, N, I), which needs no gradient, to y (T, N, H)."""
    dt = getattr(lib, dtype)
    lib.manual_seed(0)
    module = getattr(lib.nn, kind)(I, H, dtype=dt)
    x, g = lib.randn(T, N, I, dtype=dt), lib.randn(T, N, H, dtype=dt)

    def step() -> Any:
        module.zero_grad()
        y, _ = module(x)
        y.backward(g)
        return y

    return Work(step, gradients(list(module.parameters())))


def forward(lib: Any, dtype: str, kind: str, T: int, N: int, I: int, H: int, recording: bool = False) -> Work:
    """The forward pass alone, under no_grad unless `recording`."""
    dt = getattr(lib, dtype)
    lib.manual_seed(0)
    module, x = getattr(lib.nn, kind)(I, H, dtype=dt), lib.randn(T, N, I, dtype=dt)

    def step() -> Any:
        with lib.set_grad_enabled(recording):
            return module(x)[0]

    return Work(step, list)


def cell(lib: Any, dtype: str, kind: str, T: int, N: int, I: int, H: int) -> Work:
    """nn.RNNCell, nn.GRUCell or nn.LSTMCell in a Python loop over T steps, and the backward pass of their sum."""
    dt = getattr(lib, dtype)
    lib.manual_seed(0)
    module = getattr(lib.nn, kind)(I, H, dtype=dt)
    x, zeros = lib.randn(T, N, I, dtype=dt), lib.zeros(N, H, dtype=dt)

    def step() -> Any:
        state: Any = (zeros, zeros) if kind == "LSTMCell" else zeros
        for t in range(T):
            state = module(x[t], state)
        loss = (state[0] if kind == "LSTMCell" else state).sum()
        module.zero_grad()
        loss.backward()
        return loss

    return Work(step, gradients(list(module.parameters())))


def chain(lib: Any, dtype: str) -> Work:
    """400 ops, one after the other, on arrays of 4 elements, forward and backward: what the tape itself costs."""
    lib.manual_seed(0)
    x = lib.rand(4, dtype=getattr(lib, dtype)).requires_grad_()

    def step() -> Any:
        y = x
        for _ in range(100):
            y = (y * x + x).tanh() - x
        loss = y.sum()
        x.grad = None
        loss.backward()
        return loss

    return Work(step, gradients([x]))


def optimizer(lib: Any, dtype: str, kind: str, **options: float) -> Work:
    """One step of an optimizer over 100 small parameters, (16, 16) and (16,) in turns, whose gradients stay."""
    dt = getattr(lib, dtype)
    lib.manual_seed(0)
    parameters = [lib.nn.Parameter(lib.randn(*shape, dtype=dt)) for shape in [(16, 16), (16,)] * 50]
    for p in parameters:
        p.grad = lib.randn(*p.shape, dtype=dt)
    optimizer = getattr(lib.optim, kind)(parameters, **options)

    def step() -> Any:
        optimizer.step()
        return parameters[0]

    return Work(step, lambda: parameters)
