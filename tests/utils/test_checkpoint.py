"""Recomputation: gradients to the last bit those of the plain run, and what is refused."""

from __future__ import annotations

import gc
import tracemalloc
import weakref
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest

import tinyrnn
from tinyrnn import nn
from tinyrnn.autograd import Function, grad, gradcheck
from tinyrnn.tensor import Tensor
from tinyrnn.utils.checkpoint import checkpoint, checkpoint_sequential

Run = Callable[..., Any]


def plain(function: Run, *args: Any, **kwargs: Any) -> Any:
    return function(*args, **kwargs)


def same(build: Callable[[Run], tuple[Tensor, list[Tensor]]]) -> None:
    """Whether loss and gradients of build(call) -> (loss, leaves) have the same bits for both ways to call."""
    runs = []
    for call in (plain, checkpoint):
        tinyrnn.manual_seed(3)
        loss, leaves = build(call)
        loss.backward()
        assert all(leaf.grad is not None for leaf in leaves)
        runs.append([loss.array, *[leaf.grad.array for leaf in leaves], tinyrnn.rand(1).array])
    for expected, found in zip(*runs, strict=True):
        assert found.dtype == expected.dtype
        assert np.array_equal(found, expected)


def leaf(*shape: int) -> Tensor:
    return tinyrnn.randn(*shape, requires_grad=True)


def test_the_same_bits_for_a_kernel_in_segments() -> None:
    for make in (lambda: nn.RNN(3, 5, 2), lambda: nn.GRU(3, 5, bidirectional=True), lambda: nn.LSTM(3, 5, proj_size=2)):

        def build(call: Run, make: Any = make) -> tuple[Tensor, list[Tensor]]:
            layer, x, hx, loss = make(), leaf(20, 2, 3), None, tinyrnn.zeros(())
            for part in x.split(6):
                y, hx = call(layer, part, hx)
                loss = loss + (y * y).sum()
            return loss, [x, *layer.parameters()]

        same(build)


def test_the_same_bits_for_a_loop_over_cells() -> None:
    def build(call: Run) -> tuple[Tensor, list[Tensor]]:
        cell, readout, x, h = nn.GRUCell(3, 5), nn.Linear(5, 2), leaf(20, 2, 3), leaf(2, 5)
        start, loss = h, tinyrnn.zeros(())

        def segment(xs: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
            ys = []
            for t in range(len(xs)):
                h = cell(xs[t], h)
                ys.append(readout(h))
            return tinyrnn.stack(ys).exp().sum(), h

        for part in x.split(6):
            new, h = call(segment, part, h)
            loss = loss + new
        return loss, [x, start, *cell.parameters(), *readout.parameters()]

    same(build)


def test_random_numbers_are_drawn_again() -> None:
    def build(call: Run) -> tuple[Tensor, list[Tensor]]:
        net, x = nn.Sequential(nn.Linear(4, 50), nn.Dropout(0.5), nn.Linear(50, 4), nn.Dropout(0.3)), leaf(3, 4)
        y = call(net, call(net, x) + tinyrnn.randn(3, 4))
        return (y * y).sum(), [x, *net.parameters()]

    same(build)


def test_without_preserve_rng_state_others_are_drawn() -> None:
    x, drawn = leaf(1000), []

    def noisy(x: Tensor) -> Tensor:
        drawn.append(tinyrnn.rand(1000))
        return x * drawn[-1]

    checkpoint(noisy, x, preserve_rng_state=False).sum().backward()
    assert (drawn[0] != drawn[1]).any()
    drawn.clear()
    checkpoint(noisy, x).sum().backward()
    assert (drawn[0] == drawn[1]).all()


def test_weights_and_results_of_others_that_are_closed_over() -> None:
    def build(call: Run) -> tuple[Tensor, list[Tensor]]:
        w, x, b = leaf(4, 4), leaf(4), leaf(4)
        tied, loss = w.t() @ w, tinyrnn.zeros(())
        for _ in range(3):
            x2 = call(lambda x: (tied @ x + b).tanh() @ w, x)
            loss = loss + x2.sum() + tied.sum()
        return loss, [w, x, b]

    same(build)


def test_keywords_containers_and_what_is_no_tensor() -> None:
    def f(xs: list[Tensor], n: int, *, scale: dict[str, Any], name: str) -> dict[str, Any]:
        y = xs[0] * scale["a"] ** n
        return {"y": y, "both": (y, xs[1] * 2), "name": name, "index": y.argmax(), "plain": xs[2] + 1}

    def build(call: Run) -> tuple[Tensor, list[Tensor]]:
        xs, a = [leaf(3), leaf(3), tinyrnn.ones(3)], leaf(3)
        out = call(f, xs, 2, scale={"a": a}, name="n")
        assert out["name"] == "n"
        assert out["both"][0] is out["y"]
        assert [out[k].requires_grad for k in ("y", "index", "plain")] == [True, False, False]
        return (out["y"] * out["both"][1]).sum(), [*xs[:2], a]

    same(build)


def test_a_result_that_the_loss_does_not_use_costs_nothing_and_gets_nothing() -> None:
    w, v = leaf(3), leaf(3)
    y, _ = checkpoint(lambda: ((w * w).sum(), (v * v).sum()))
    y.backward()
    assert v.grad is None
    assert np.array_equal(w.grad.array, 2 * w.array)


def test_nested() -> None:
    def build(call: Run) -> tuple[Tensor, list[Tensor]]:
        w, x = leaf(3, 3), leaf(3)

        def inner(x: Tensor) -> Tensor:
            return nn.functional.dropout((w @ x).tanh(), 0.4)

        def outer(x: Tensor) -> Tensor:
            return call(inner, call(inner, x)) * x

        return call(outer, call(outer, x)).sum(), [w, x]

    same(build)


def test_in_place_inside_and_views() -> None:
    def build(call: Run) -> tuple[Tensor, list[Tensor]]:
        w, x = leaf(3), leaf(4, 3)

        def f(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            filled = tinyrnn.zeros(4, 3)
            for t in range(4):
                filled[t] = x[t] * w
            filled[1:] *= 2
            copied = tinyrnn.zeros(3)
            copied.copy_(w)
            return filled, copied, x[1:3]

        filled, copied, part = call(f, x)
        return (filled * filled).sum() + copied.sum() + (part * 3).sum(), [w, x]

    same(build)


def test_a_view_from_outside_that_is_only_looked_up_inside() -> None:
    def build(call: Run) -> tuple[Tensor, list[Tensor]]:
        w, x = leaf(3), leaf(3)
        base = tinyrnn.stack([w, w * 2])
        view = base[0]
        base.mul_(3)  # from here on the view needs another node, which is made when it is used next
        y = call(lambda x: x * view, x)
        z = call(lambda x: x * view, y)
        return (y + z + view).sum(), [w, x]

    same(build)


def test_what_the_function_made_once_and_keeps_for_later() -> None:
    def build(call: Run) -> tuple[Tensor, list[Tensor]]:
        w, x, made = leaf(3), leaf(3), []

        def f(x: Tensor) -> Tensor:
            if not made:
                made.append((w * w).exp())
            return x * made[0]

        return (call(f, call(f, x)) * made[0]).sum(), [w, x]

    same(build)


def test_a_tensor_that_the_second_computation_changes_under_the_pass() -> None:
    w, x, calls = leaf(3), leaf(3), []
    factor = tinyrnn.ones(3)

    def f(x: Tensor) -> Tensor:
        calls.append(1)
        if len(calls) == 2:
            factor.add_(1)
        return x * 2

    h = w * factor  # read after the checkpoint was passed
    y = checkpoint(f, h)
    with pytest.raises(RuntimeError, match="'mul' needs was changed in place"):
        (x * y).sum().backward()
    assert w.grad is None
    assert x.grad is None


def test_modes_inside_are_as_in_the_plain_run() -> None:
    modes = []

    def f(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        modes.append(tinyrnn.is_grad_enabled())
        with tinyrnn.no_grad():
            constant = x * 2
            modes.append(tinyrnn.is_grad_enabled())
        with tinyrnn.enable_grad():
            recorded = (x * 3).unsqueeze_(0)
        return x * constant, constant, recorded

    x = leaf(3)
    y, constant, recorded = checkpoint(f, x)
    assert y.requires_grad
    assert recorded.requires_grad
    assert not constant.requires_grad
    (y.sum() + recorded.sum()).backward()
    assert np.allclose(x.grad.array, 2 * x.array + 3)
    assert modes == [True, False] * 2


def test_own_functions_and_module_hooks() -> None:
    class Cube(Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            ctx.save_for_backward(x)
            return x * x * x

        @staticmethod
        def backward(ctx: Any, g: Tensor) -> Tensor:
            (x,) = ctx.saved_tensors
            return 3 * x * x * g

    seen = []

    def build(call: Run) -> tuple[Tensor, list[Tensor]]:
        net, x = nn.Linear(3, 3), leaf(3)
        net.register_full_backward_hook(lambda module, before, after: seen.append(after[0].array.copy()))
        return call(lambda x: Cube.apply(net(x)), x).sum(), [x, *net.parameters()]

    same(build)
    assert len(seen) == 2
    assert np.array_equal(*seen)


def test_a_hook_of_a_weight_sees_the_whole_gradient_once() -> None:
    w, seen = leaf(3), []
    w.register_hook(lambda g: seen.append(g.array.copy()))
    y = checkpoint(lambda: (w * w).sum()) + checkpoint(lambda: w.sum())
    y.backward()
    assert len(seen) == 1
    assert np.allclose(seen[0], 2 * w.array + 1)


def test_grad_of_leaves_and_of_intermediate_values() -> None:
    x, w = leaf(3), leaf(3)
    h = x * 2
    y = checkpoint(lambda h: (h * w).exp().sum(), h)
    (dh, dw), e = grad(y, [h, w]), np.exp(h.array * w.array)
    assert np.allclose(dh.array, w.array * e)
    assert np.allclose(dw.array, h.array * e)
    assert w.grad is None


def test_nothing_needs_a_gradient_or_nothing_is_recorded() -> None:
    calls = []

    def f(x: Tensor) -> Tensor:
        calls.append(1)
        return x * 2

    assert not checkpoint(f, tinyrnn.ones(2)).requires_grad
    with tinyrnn.no_grad():
        assert not checkpoint(f, leaf(2)).requires_grad
    assert len(calls) == 2


def test_a_function_that_returns_what_it_is_given() -> None:
    x, w = leaf(3), leaf(3)
    same_x, y, none = checkpoint(lambda x: (x, x * w, None), x)
    assert same_x is x
    assert none is None
    (same_x.sum() + y.sum()).backward()
    assert np.allclose(x.grad.array, 1 + w.array)


def test_against_finite_differences() -> None:
    def f(x: Tensor, w: Tensor) -> Tensor:
        return checkpoint(lambda a: (checkpoint(lambda b: b @ w, a) * w.sum()).tanh(), x)

    assert gradcheck(f, [tinyrnn.randn(*n, dtype=tinyrnn.float64, requires_grad=True) for n in ((2, 3), (3, 4))])


def test_retain_graph_and_the_second_pass() -> None:
    w = leaf(3)
    y = checkpoint(lambda: (w * w).sum())
    y.backward(retain_graph=True)
    y.backward()
    assert np.allclose(w.grad.array, 4 * w.array)
    with pytest.raises(RuntimeError, match="a second time through 'checkpoint'"):
        y.backward()


def test_contexts_of_both_computations() -> None:
    entered = []

    class Noted(nullcontext[None]):
        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

        def __enter__(self) -> None:
            entered.append(self.name)

    y = checkpoint(lambda x: x * 2, leaf(2), context_fn=lambda: (Noted("first"), Noted("second")))
    assert entered == ["first"]
    y.sum().backward()
    assert entered == ["first", "second"]


# what is refused


@pytest.mark.parametrize("change", ["argument", "constant argument", "weight"])
def test_a_change_in_place_between_the_two(change: str) -> None:
    w, x, constant = leaf(3), leaf(3), tinyrnn.ones(3)
    h = x * 2
    y = checkpoint(lambda h, c: (h * c + w).sum(), h, constant)
    with tinyrnn.no_grad():
        {"argument": h, "constant argument": constant, "weight": w}[change].add_(1)
    with pytest.raises(RuntimeError, match="'checkpoint' needs was changed in place"):
        y.backward()
    assert w.grad is None


def test_an_argument_changed_in_place_by_the_function() -> None:
    h = leaf(3) * 2
    with pytest.raises(RuntimeError, match=r"the tensor 0 of shape \(3,\).*clone"):
        checkpoint(lambda h: h.mul_(2), h)


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (lambda x, w: (x * w)[:2], r"was \(3,\) of float32 at first, and \(2,\) of float32"),
        (lambda x, w: (x * w).double(), r"at first, and \(3,\) of float64"),
        (lambda x, w: (x * w, x), "has returned 1 tensors at first, and 2 when"),
        (lambda x, w: (x * w).detach(), "needed a gradient at first, and none"),
        (lambda x, w: x * w * leaf(3), "has read another tensor that requires a gradient"),
    ],
)
def test_another_result_the_second_time(second: Run, message: str) -> None:
    x, w, calls = leaf(3), leaf(3), []

    def f(x: Tensor) -> Any:
        calls.append(1)
        return x * w if len(calls) == 1 else second(x, w)

    y = checkpoint(f, x)
    with pytest.raises(RuntimeError, match=message):
        y.sum().backward()
    assert x.grad is None
    assert w.grad is None


def test_without_the_check_the_engine_says_so() -> None:
    x, calls = leaf(3), []
    y = checkpoint(lambda x: (calls.append(1), x[: 4 - len(calls)] * 2)[1], x, determinism_check="none")
    with pytest.raises(RuntimeError, match="shape"):
        y.sum().backward()


def test_a_tensor_that_was_not_returned_has_a_graph_of_its_own() -> None:
    x, w, hidden = leaf(3), leaf(3), []

    def f(x: Tensor) -> Tensor:
        hidden.append(x * w)
        return hidden[-1] * 3

    y = checkpoint(f, x * 2)
    (y.sum() + hidden[0].sum()).backward()
    assert np.allclose(x.grad.array, 8 * w.array)
    assert np.allclose(w.grad.array, 8 * x.array)


def test_an_error_inside_leaves_everything_as_it_was() -> None:
    def broken(x: Tensor) -> Tensor:
        raise KeyError("inside")

    with pytest.raises(KeyError):
        checkpoint(broken, leaf(2))
    assert (leaf(2) * 2).requires_grad


def test_arguments_that_are_none() -> None:
    with pytest.raises(ValueError, match="determinism_check is 'strict'"):
        checkpoint(lambda x: x, leaf(2), determinism_check="strict")


# memory


def test_only_the_arguments_are_kept() -> None:
    x, w = leaf(50_000), leaf(50_000)

    def deep(x: Tensor) -> Tensor:
        for _ in range(20):
            x = (x * w).tanh()
        return x

    def kept(call: Run) -> int:
        before = tracemalloc.get_traced_memory()[0]
        y = call(deep, x)
        after = tracemalloc.get_traced_memory()[0]
        y.sum().backward()
        return after - before

    kept(checkpoint)
    tracemalloc.start()
    try:
        assert kept(plain) > 20 * x.array.nbytes
        assert kept(checkpoint) < x.array.nbytes + 10_000  # y, and no more
    finally:
        tracemalloc.stop()


def test_no_reference_cycle() -> None:
    gc.disable()
    try:
        big = tinyrnn.randn(1000)
        w, gone = leaf(1000), weakref.ref(big)
        h = w * 2
        y = checkpoint(lambda h, big: h * big, h, big)
        h.copy_(y)  # the argument now depends on the result
        del big, y, h
        assert gone() is None
    finally:
        gc.enable()


# checkpoint_sequential


@pytest.mark.parametrize("segments", [1, 2, 3, 5])
def test_sequential(segments: int) -> None:
    net = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Dropout(0.5), nn.Linear(6, 3), nn.Tanh())
    x, bits = leaf(2, 4), []
    for call in (net, lambda x: checkpoint_sequential(net, segments, x, use_reentrant=False)):
        tinyrnn.manual_seed(1)
        net.zero_grad()
        x.grad = None
        y = call(x)
        (y * y).sum().backward()
        bits.append([y.array.tobytes(), x.grad.array.tobytes(), *[p.grad.array.tobytes() for p in net.parameters()]])
    assert bits[0] == bits[1]


def test_sequential_takes_functions_and_a_module_twice() -> None:
    layer = nn.Linear(3, 3)
    x = leaf(3)
    assert np.array_equal(
        checkpoint_sequential([layer, tinyrnn.tanh, layer, tinyrnn.exp], 3, x).array, layer(layer(x).tanh()).exp().array
    )
    net = nn.Sequential(layer, nn.Tanh(), layer)
    assert np.array_equal(checkpoint_sequential(net, 2, x).array, net(x).array)


@pytest.mark.parametrize("segments", [0, 4, 1.0, True])
def test_sequential_refuses(segments: Any) -> None:
    with pytest.raises(ValueError, match="expected a whole number from 1 to the number of functions, 3"):
        checkpoint_sequential([tinyrnn.exp] * 3, segments, leaf(2))


# torch


def test_against_torch(torch: Any) -> None:
    from torch.utils.checkpoint import checkpoint as theirs

    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(n) for n in ((5, 3), (3, 3), (3,))]
    gradients = []
    for library, call in ((tinyrnn, checkpoint), (torch, theirs)):
        x, w, b = [library.tensor(a, requires_grad=True) for a in arrays]

        def f(x: Any, n: int, *, b: Any, w: Any = w, library: Any = library) -> tuple[Any, Any]:
            h = library.tanh(x @ w + b)
            return h**n, h.sum()

        y, s = call(f, x, 2, b=b, use_reentrant=False)
        ((y * x).sum() * s).backward()
        gradients.append([np.asarray(a.grad) for a in (x, w, b)])
    for ours, torchs in zip(*gradients, strict=True):
        assert np.abs(ours - torchs).max() <= 1e-12 * np.abs(torchs).max()
