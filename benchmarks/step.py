"""A training step, part by part, timed against torch's on the CPU in one run.

    python benchmarks/step.py            a table: microseconds a step here and under torch, and the ratio
    python benchmarks/step.py --rounds 5

Both start from the same seed, and a row is timed only after both have computed the same loss. They take turns, round by
round, each on one thread; the fastest of all steps counts, since everything else on a machine only makes a step slower.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable
from typing import Any

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):  # read when NumPy is loaded, so before it
    os.environ.setdefault(name, "1")

import numpy as np  # noqa: E402

import tinyrnn  # noqa: E402

Step = Callable[[], Any]  # makes one training step, and returns the loss


def training_step(lib: Any, dtype: str, module: Any, run: Callable[[Any], Any], make_optimizer: Any) -> Step:
    """A step on 49 points of a sine wave: `run` makes states (49, 1, 16) of them, and a linear layer the answers."""
    wave = lib.tensor(np.sin(np.linspace(0, 10, 50)).reshape(50, 1, 1).astype(dtype))
    x, y = wave[:-1], wave[1:]
    linear, criterion = lib.nn.Linear(16, 1), lib.nn.MSELoss()
    for part in (module, linear):
        part.to(getattr(lib, dtype))
    optimizer = make_optimizer([*module.parameters(), *linear.parameters()], lr=0.01)

    def step() -> Any:
        loss = criterion(linear(run(x)), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    return step


def sine(lib: Any, dtype: str) -> Step:
    """The step of demos/sine.py: an RNN of 16 units, Adam."""
    lib.manual_seed(0)
    rnn = lib.nn.RNN(1, 16)
    return training_step(lib, dtype, rnn, lambda x: rnn(x)[0], lib.optim.Adam)


def cells(lib: Any, dtype: str) -> Step:
    """The same network as a loop over 49 calls of RNNCell, all tape and no kernel; SGD."""
    lib.manual_seed(0)
    cell = lib.nn.RNNCell(1, 16)

    def run(x: Any) -> Any:
        h, states = None, []
        for x_t in x:
            h = cell(x_t, h)
            states.append(h)
        return lib.stack(states)

    return training_step(lib, dtype, cell, run, lib.optim.SGD)


def chain(lib: Any, dtype: str) -> Step:
    """400 ops on arrays of 4 elements, forward and backward: what the tape itself costs."""
    lib.manual_seed(0)
    x = lib.rand(4).to(getattr(lib, dtype)).requires_grad_()

    def step() -> Any:
        y = x
        for _ in range(100):
            y = ((y * x + x).tanh()) - x
        loss = y.sum()
        x.grad = None
        loss.backward()
        return loss

    return step


CASES = {
    "sine step (RNN 16, T 49, Adam)": sine,
    "cells in a loop (RNNCell 16, T 49, SGD)": cells,
    "400 small ops": chain,
}


def fastest(step: Step, seconds: float) -> float:
    """The shortest time of one step, of as many as fit into `seconds`, in microseconds."""
    best, end = float("inf"), time.perf_counter() + seconds
    while (start := time.perf_counter()) < end:
        step()
        best = min(best, time.perf_counter() - start)
    return best * 1e6


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="how often the two take turns (3)")
    parser.add_argument("--seconds", type=float, default=0.5, help="how long a turn is (0.5)")
    options = parser.parse_args(argv)
    libraries = [tinyrnn]
    try:
        import torch
    except ImportError:
        print("torch is not installed: times without ratios", file=sys.stderr)
    else:
        torch.set_num_threads(1)
        libraries.append(torch)
    versions = ", ".join(f"{lib.__name__} {lib.__version__}" for lib in [np, *libraries])
    print(f"Python {platform.python_version()}, {versions}; {platform.machine()}, one thread\n")
    print("| a step of | dtype | tinyrnn, us | torch, us | torch / tinyrnn |\n|---|---|---|---|---|")
    for title, case in CASES.items():
        for dtype in ("float32", "float64"):
            steps = [case(lib, dtype) for lib in libraries]
            losses = [[step().item() for _ in range(3)] for step in steps]
            np.testing.assert_allclose(losses[0], losses[-1], rtol=1e-4 if dtype == "float32" else 1e-9)
            rounds = [[fastest(step, options.seconds) for step in steps] for _ in range(options.rounds)]
            best = np.min(rounds, axis=0)
            peer = f"{best[1]:.0f} | {best[1] / best[0]:.1f}" if len(best) == 2 else "- | -"
            print(f"| {title} | {dtype} | {best[0]:.0f} | {peer} |", flush=True)


if __name__ == "__main__":
    main()
