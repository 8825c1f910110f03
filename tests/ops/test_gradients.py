"""Every operation against central differences: in every memory layout, broadcast, 0-d, empty and with itself."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import tinyrnn
from gradient_cases import CASES, NO_GRADIENT
from tinyrnn import Tensor, ops
from tinyrnn.autograd.gradcheck import gradcheck
from tinyrnn.ops import inplace


def operations() -> Iterator[str]:
    """The public functions of all files of ops/ but operands.py and methods.py, which hold none; an alias is none."""
    makers = (inplace.in_place,)  # of operations
    for module in pkgutil.iter_modules(ops.__path__):
        if module.name not in ("operands", "methods"):
            found = importlib.import_module(f"{ops.__name__}.{module.name}")
            for name, function in vars(found).items():
                own = inspect.isfunction(function) and function.__module__ == found.__name__ and name[0] != "_"
                if own and function not in makers:
                    yield f"{module.name}.{function.__name__}"


def test_every_operation_has_a_gradient_check() -> None:
    assert set(operations()) == set(CASES) | NO_GRADIENT


def test_every_check_calls_the_operation_that_it_is_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each name of CASES is among the operations that its first case goes through."""
    for name, cases in CASES.items():
        topic, function = name.split(".")
        code = inspect.unwrap(getattr(importlib.import_module(f"{ops.__name__}.{topic}"), function)).__code__
        called = False

        def watch(frame: Any, event: str, argument: Any, code: Any = code) -> None:
            nonlocal called
            called = called or (event == "call" and frame.f_code is code)

        op, shapes = cases[0]
        xs = inputs(shapes[-1], 0)
        sys.setprofile(watch)
        try:
            op(*xs)
        finally:
            sys.setprofile(None)
        assert called, name


def inputs(shapes: Any, layout: int) -> list[Tensor]:
    rng = np.random.default_rng(len(str(shapes)))
    several = shapes if shapes and isinstance(shapes[0], tuple) else (shapes,)
    xs = []
    for shape in several:
        x = np.asarray(rng.uniform(0.1, 1.5, shape) * rng.choice([-1, 1], shape))  # away from the kinks at 0
        if layout == 1:
            x = x.T.copy().T
        elif layout == 2 and x.ndim:
            x = np.repeat(x, 2, -1)[..., ::-2]
        xs.append(tinyrnn.from_numpy(x).requires_grad_())
    return xs


@pytest.mark.parametrize("name", CASES)
def test_the_gradient_is_the_difference_quotient(name: str) -> None:
    for op, cases in CASES[name]:
        for shapes in cases:
            for layout in range(3):
                assert gradcheck(op, inputs(shapes, layout), rtol=1e-7)


@pytest.mark.parametrize("name", CASES)
def test_a_float32_gradient_is_float32(name: str) -> None:
    for op, cases in CASES[name]:
        xs = [x.detach().float().requires_grad_() for x in inputs(cases[-1], 0)]
        ys = op(*xs)
        ys = [ys] if isinstance(ys, Tensor) else list(ys)
        assert {y.dtype for y in ys} <= {tinyrnn.float64 if name == "pointwise.cast" else tinyrnn.float32}
        tinyrnn.autograd.backward(ys, [tinyrnn.ones_like(y) for y in ys])
        assert {x.grad.dtype for x in xs if x.grad is not None} == {np.dtype("float32")}
