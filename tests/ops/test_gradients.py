"""Every operation against central differences: in every memory layout, broadcast, 0-d, empty and with itself."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import tinyrnn
from tinyrnn import Tensor, ops
from tinyrnn.autograd.gradcheck import gradcheck
from tinyrnn.ops import arithmetic, compare, indexing, inplace, linalg, pointwise, reduction, shaping

ONE = [(), (3,), (2, 3), (0,), (2, 0, 3), (2, 1, 3)]
TWO = [((), ()), ((2, 3), (2, 3)), ((2, 3), (3,)), ((2, 1), (1, 3)), ((), (2, 3)), ((2, 3), ()), ((0, 3), (1, 3))]
MASK = np.array([[True, False, True], [False, False, True]])

Case = tuple[Callable[..., Any], list[Any]]  # a function of tensors, and the shapes to try it with


def one(op: Callable[..., Any]) -> list[Case]:
    return [(op, ONE)]


def two(op: Callable[..., Any]) -> list[Case]:
    return [(op, TWO), (lambda x: op(x, x), ONE)]


def positive(x: Tensor) -> Tensor:
    return x * x + 0.5


def clone_then(op: Callable[..., Any]) -> Callable[..., Any]:
    """`op`, which changes its first argument in place, on a clone, with a use of what it was before."""

    def changed(x: Tensor, *others: Tensor) -> Tensor:
        y = x * 1
        before = y.tanh()
        op(y, *others)
        return y * 2 + before

    return changed


def on_a_view(op: Callable[..., Any]) -> Callable[..., Any]:
    """`op` on a part of a clone: the rest has to keep its gradient, and other views to see the change."""

    def changed(x: Tensor, *others: Tensor) -> tuple[Tensor, ...]:
        y = x * 1
        other = y.t()
        op(y[1:], *others)
        return y, other

    return changed


def set_to(index: Any) -> Callable[..., Any]:
    def changed(x: Tensor, y: Tensor) -> Tensor:
        z = x * 1
        indexing.setitem(z, index, y)
        return z

    return changed


def in_place(op: Callable[..., Any]) -> list[Case]:
    return [
        (clone_then(op), [((2, 3), (2, 3)), ((2, 3), (3,)), ((2, 3), ()), ((), ()), ((0, 3), (1, 3))]),
        (on_a_view(op), [((3, 2), (2, 2)), ((3, 2), ())]),
    ]


CASES: dict[str, list[Case]] = {
    "arithmetic.add": two(arithmetic.add) + two(lambda x, y: arithmetic.add(x, y, alpha=-2.5)),
    "arithmetic.sub": two(arithmetic.sub) + two(lambda x, y: arithmetic.sub(x, y, alpha=-2.5)),
    "arithmetic.mul": two(arithmetic.mul),
    "arithmetic.div": two(lambda x, y: arithmetic.div(x, positive(y))),
    "arithmetic.pow": [
        *two(lambda x, y: arithmetic.pow(positive(x), y)),
        *(case for n in (-1.5, -1, 0.5, 1, 2, 3) for case in one(lambda x, n=n: arithmetic.pow(positive(x), n))),
        *one(lambda x: arithmetic.pow(x, 3)),
        *one(lambda x: arithmetic.pow(x, 0) + x),
    ],
    "arithmetic.neg": one(arithmetic.neg),
    "arithmetic.square": one(arithmetic.square),
    "arithmetic.rsub": one(lambda x: arithmetic.rsub(x, 2.5)) + two(arithmetic.rsub),
    "arithmetic.rdiv": one(lambda x: arithmetic.rdiv(positive(x), 2.5)),
    "arithmetic.rpow": one(lambda x: arithmetic.rpow(x, 2.5)),
    "arithmetic.maximum": [(arithmetic.maximum, TWO)],  # not with itself: a tie is a kink
    "arithmetic.minimum": [(arithmetic.minimum, TWO)],
    "pointwise.exp": one(pointwise.exp),
    "pointwise.log": one(lambda x: pointwise.log(positive(x))),
    "pointwise.sqrt": one(lambda x: pointwise.sqrt(positive(x))),
    "pointwise.sin": one(pointwise.sin),
    "pointwise.cos": one(pointwise.cos),
    "pointwise.tanh": one(pointwise.tanh),
    "pointwise.sigmoid": one(pointwise.sigmoid),
    "pointwise.relu": one(pointwise.relu),
    "pointwise.abs": one(pointwise.abs),
    "pointwise.clamp": [
        *one(lambda x: pointwise.clamp(x, -0.5, 0.5)),
        *one(lambda x: pointwise.clamp(x, min=-0.3)),
        *one(lambda x: pointwise.clamp(x, max=0.3)),
    ],
    "pointwise.clone": one(pointwise.clone),
    "pointwise.cast": one(lambda x: pointwise.cast(x, tinyrnn.float64) * 2),  # to float32, see test_pointwise.py
    "reduction.sum": [
        *one(reduction.sum),
        *one(lambda x: reduction.sum(x, -1)),
        (lambda x: reduction.sum(x, (0, -1), keepdim=True), [(2, 3), (2, 0, 3), (2, 1, 3)]),
    ],
    "reduction.mean": [
        *[(reduction.mean, [(), (3,), (2, 3)])],
        (lambda x: reduction.mean(x, -1), [(3,), (2, 3), (0, 3)]),
        (lambda x: reduction.mean(x, (0, -1), keepdim=True), [(2, 3), (2, 1, 3)]),
    ],
    "linalg.matmul": [
        (
            linalg.matmul,
            [
                ((3,), (3,)),
                ((3,), (3, 2)),
                ((2, 3), (3,)),
                ((2, 3), (3, 4)),
                ((3,), (2, 3, 4)),
                ((2, 2, 3), (3,)),
                ((2, 1, 2, 3), (3, 3, 2)),
                ((2, 3), (2, 3, 2)),
                ((0, 3), (3, 2)),
                ((2, 0), (0, 3)),
            ],
        ),
        (lambda x: linalg.matmul(x, x), [(2, 2), (3,), (2, 2, 2)]),
        (lambda x: linalg.matmul(x, x.mT), [(2, 3), (2, 2, 3)]),
    ],
    "shaping.reshape": [(lambda x: shaping.reshape(x, -1), ONE[:4]), (lambda x: shaping.reshape(x, 3, 2), [(2, 3)])],
    "shaping.view": [(lambda x: shaping.view(x.clone(), 3, 1, -1), [(2, 3), (3,)])],
    "shaping.flatten": [*one(shaping.flatten), (lambda x: shaping.flatten(x, 1), [(2, 1, 3), (2, 3)])],
    "shaping.permute": [(lambda x: shaping.permute(x, 2, 0, -2), [(2, 1, 3), (2, 0, 3)])],
    "shaping.transpose": [(lambda x: shaping.transpose(x, 0, -1), ONE)],
    "shaping.t": [(shaping.t, ONE[:4])],
    "shaping.squeeze": [*one(shaping.squeeze), (lambda x: shaping.squeeze(x, (0, 1)), [(2, 1, 3), (1, 1, 2)])],
    "shaping.unsqueeze": [*one(lambda x: shaping.unsqueeze(x, -1)), *one(lambda x: shaping.unsqueeze(x, 0))],
    "shaping.expand": [(lambda x: shaping.expand(x, 2, -1, 3), [(2, 1, 3), (1, 1), (3, 1), (1, 0, 3)])],
    "shaping.cat": [
        (lambda *xs: shaping.cat(xs, 1), [((2, 3), (2, 1)), ((2, 0), (2, 3)), ((0,), (2, 3), (2, 2))]),
        (lambda x: shaping.cat([x, 2 * x, x]), [(3,), (2, 3), (0,)]),
    ],
    "shaping.stack": [
        (lambda *xs: shaping.stack(xs, -1), [((), ()), ((2, 3), (2, 3)), ((0,), (0,))]),
        (lambda x: shaping.stack([x, 2 * x, x]), ONE),
    ],
    "shaping.unbind": [(lambda x: shaping.unbind(x, -1), [(3,), (2, 3), (0, 2)]), (lambda x: x.unbind()[1], [(2, 3)])],
    "shaping.split": [
        (lambda x: shaping.split(x, 2, -1), [(3,), (2, 5), (2, 1)]),
        (lambda x: shaping.split(x, [1, 0, 2], -1)[::2], [(3,), (2, 3)]),
    ],
    "shaping.chunk": [(lambda x: shaping.chunk(x, 2, -1), [(3,), (2, 5), (2, 0)])],
    "indexing.getitem": [
        (lambda x: indexing.getitem(x, 1) * indexing.getitem(x, -1), [(3,), (2, 3)]),
        (lambda x: indexing.getitem(x, (..., slice(None, None, -2), None)), [(3,), (2, 3), (0,)]),
        (lambda x: indexing.getitem(x, ([1, 0, 1, 1],)), [(3,), (2, 3)]),
        (lambda x: indexing.getitem(x, ([1, 0], slice(None), [[2], [2]])), [(2, 1, 3), (2, 2, 3)]),
        (lambda x: indexing.getitem(x, (1, slice(None), [2, 0, 2])), [(2, 1, 3), (2, 2, 3)]),
        (lambda x: indexing.getitem(x, MASK), [(2, 3)]),
        (lambda x: indexing.getitem(x, []), [(3,), (2, 3)]),
        (lambda x: x[0] * x[:, 1].sum() + x[0, 2] * x[-1], [(2, 3)]),
    ],
    "indexing.setitem": [
        (set_to(1), [((3,), ()), ((2, 3), (3,)), ((2, 3), (1,))]),
        (set_to((..., slice(None, None, -2))), [((3,), (2,)), ((2, 3), (2, 1)), ((2, 0), ())]),
        (set_to(MASK), [((2, 3), (3,)), ((2, 3), ())]),
        (set_to(([0, 1, 0], [2, 1, 2])), [((2, 3), (3,)), ((2, 3), ())]),  # an element twice: the last value stays
        (set_to((1, slice(None), [2, 0])), [((2, 2, 3), (2, 2)), ((2, 2, 3), (2,))]),
        (lambda x: set_to(0)(x, x[1] * x[0]), [(2, 3), (3,)]),
    ],
    "inplace.add_": in_place(inplace.add_),
    "inplace.sub_": in_place(inplace.sub_),
    "inplace.mul_": in_place(inplace.mul_),
    "inplace.div_": in_place(lambda x, y: inplace.div_(x, positive(y))),
    "inplace.pow_": in_place(lambda x, y: inplace.pow_(x, 3)) + in_place(lambda x, y: inplace.pow_(x, 1).mul_(y)),
    "inplace.neg_": in_place(lambda x, y: inplace.neg_(x)),
    "inplace.clamp_": in_place(lambda x, y: inplace.clamp_(x, -0.5, 0.5)),
    "inplace.copy_": in_place(inplace.copy_),
    "inplace.fill_": in_place(lambda x, y: inplace.fill_(x, y.sum())),
    "inplace.zero_": in_place(lambda x, y: inplace.zero_(x).add_(y)),
    "compare.where": [
        (lambda x, y: compare.where(x.detach() > 0, x, y), TWO),
        (lambda x: compare.where(x > 0, x, 2.5) + compare.where(x > 0, 2.5, x), ONE),
        (lambda x: compare.where(x > 0, x, x * x), ONE),
    ],
}
# No gradient can flow: the result is a bool.
BOOL = {f"compare.{name}" for name in ("eq", "ne", "lt", "le", "gt", "ge", "allclose")}


def operations() -> Iterator[str]:
    """The public functions of all files of ops/ but operands.py, which holds none."""
    for module in pkgutil.iter_modules(ops.__path__):
        if module.name != "operands":
            found = importlib.import_module(f"{ops.__name__}.{module.name}")
            for name, function in vars(found).items():
                if inspect.isfunction(function) and function.__module__ == found.__name__ and name[0] != "_":
                    yield f"{module.name}.{name}"


def test_every_operation_has_a_gradient_check() -> None:
    assert set(operations()) == set(CASES) | BOOL


def test_every_check_calls_the_operation_that_it_is_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each name of CASES is among the operations that its first case goes through."""
    for name, cases in CASES.items():
        topic, function = name.split(".")
        code = getattr(importlib.import_module(f"{ops.__name__}.{topic}"), function).__code__
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


@pytest.mark.parametrize("name", CASES)
def test_a_change_before_backward_is_refused_or_changes_no_gradient(name: str) -> None:
    """Whatever a pullback reads has to be named by `saved` or `saves_output`: here everything is changed in turn."""

    def gradients(op: Callable[..., Any], shapes: Any, changed: int | None) -> list[Any]:
        """With the inputs and then the outputs counted through, and one of them changed in between."""
        xs = inputs(shapes, 0)
        ys = op(*xs)
        ys = [ys] if isinstance(ys, Tensor) else list(ys)
        if changed is not None and (value := [*xs, *ys][changed]).array.flags.writeable:
            with tinyrnn.no_grad():
                value.mul_(-3).add_(1)
        cotangents = [tinyrnn.tensor(np.random.default_rng(1).standard_normal(y.shape)) for y in ys]
        tinyrnn.autograd.backward(ys, cotangents)
        return [None if x.grad is None else x.grad.array for x in xs]

    for op, cases in CASES[name]:
        expected = gradients(op, cases[-1], None)
        for changed in range(-1, len(expected)):  # -1: the last output
            try:
                found = gradients(op, cases[-1], changed)
            except RuntimeError as error:
                assert "changed in place" in str(error)  # noqa: PT017
            else:
                for g, e in zip(found, expected, strict=True):
                    np.testing.assert_array_equal(g, e)
