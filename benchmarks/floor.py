"""The floor of a layer: what its matrix products cost alone, and its NumPy calls, at the cost of the smallest.

Nothing written in Python over NumPy can be faster than that; the rest is arithmetic between the products, and Python.
    products  those that forward and backward have to form, for their shapes, each in the faster of both orientations:
              W x and W's gradient for all T at once, U h and U' da step by step, and U's gradient at once
    calls     counted in one forward and backward pass, by `python floor.py`: every function of NumPy that is called by
              name and every method of an array. Operators (a + b) are not seen: the floor may be lower than it seems.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from types import BuiltinFunctionType
from typing import Any

import numpy as np

from work import fastest

GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}


def product(dtype: str, m: int, k: int, n: int) -> float:
    """Seconds of (m, k) by (k, n), or of the transposed product (n, k) by (k, m), whichever is faster."""

    def seconds(m: int, n: int) -> float:
        a, b, out = (np.ones(shape, dtype) for shape in ((m, k), (k, n), (m, n)))
        return fastest(lambda: a.dot(b, out), 0.004, 3)

    return min(seconds(m, n), seconds(n, m))


def products(dtype: str, kind: str, T: int, N: int, I: int, H: int) -> float:
    """Seconds of the matrix products of one forward and backward pass, without a gradient of x."""
    G = GATES[kind] * H
    at_once = product(dtype, G, I, T * N) + product(dtype, G, T * N, I) + product(dtype, G, T * N, H)
    return at_once + T * (product(dtype, G, H, N) + product(dtype, H, G, N))


def small_call() -> float:
    """Seconds of a NumPy call on 16 numbers: the mean of a sum, a product, and a copy, all with `out`."""
    a, b, out = np.ones((3, 16))
    calls: tuple[Callable[[], Any], ...] = (
        lambda: np.add(a, b, out),
        lambda: np.multiply(a, b, out),
        lambda: np.copyto(out, a),
    )
    nothing = fastest(lambda: None, 0.01, 1000)
    return sum(fastest(call, 0.01, 1000) - nothing for call in calls) / len(calls)


class Counter:
    """Counts NumPy's calls: stands in for its functions, and is told of built-in functions and methods by Python."""

    def __init__(self) -> None:
        self.calls, self.products, self.inside = 0, 0, False

    def count(self, name: str) -> None:
        if not self.inside:
            self.calls += 1
            self.products += name in ("dot", "matmul")

    def watch(self, frame: Any, event: str, function: Any) -> None:
        """For sys.setprofile, which tells of all functions written in C but those of type ufunc."""
        owner = getattr(function, "__self__", None)
        if event == "c_call" and (
            isinstance(owner, np.ndarray | np.ufunc) or getattr(function, "__module__", "") == "numpy"
        ):
            self.count(function.__name__)

    def stand_in(self, function: Any) -> Any:
        """Does what `function` does, and counts it."""
        return StandIn(self, function)


class StandIn:
    """One of NumPy's functions, counted."""

    def __init__(self, counter: Counter, function: Any) -> None:
        self.counter, self.function = counter, function

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        counter = self.counter
        counter.count(self.function.__name__)
        before, counter.inside = counter.inside, True  # what it calls itself is a part of it
        try:
            return self.function(*arguments, **options)
        finally:
            counter.inside = before

    def __getattr__(self, name: str) -> Any:
        return getattr(self.function, name)


def install() -> Counter:
    """Puts stand-ins into NumPy: for good, so in a process of its own, and before tinyrnn is imported."""
    counter = Counter()
    for name, function in list(vars(np).items()):
        if isinstance(function, np.ufunc) or type(function).__name__ == "_ArrayFunctionDispatcher":
            setattr(np, name, counter.stand_in(function))
    assert isinstance(np.empty, BuiltinFunctionType)  # such functions are left to `watch`
    return counter


def main() -> None:
    """Prints, for every layer, how many calls one pass makes, and how many of them are products."""
    counter = install()
    import tinyrnn
    from cases import CASES

    counts = {}
    for case in CASES:
        if case.layer:
            step = case.make(tinyrnn, "float32").step
            step()  # what is made once is there now
            counter.calls = counter.products = 0
            sys.setprofile(counter.watch)
            step()
            sys.setprofile(None)
            counts[case.name] = counter.calls, counter.products
    print(json.dumps(counts))


if __name__ == "__main__":
    main()
