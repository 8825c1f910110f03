"""Function: an operation with a derivative of one's own, under tinyrnn and under torch."""

from __future__ import annotations

import gc
import weakref
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import tinyrnn
from tinyrnn.autograd import Function, gradcheck


def programs(m: Any) -> dict[str, Any]:
    """The same classes under either framework."""

    class Scale(m.autograd.Function):
        """An argument that is no tensor, kept as an attribute."""

        @staticmethod
        def forward(ctx, x, factor):
            ctx.factor = factor
            return x * factor

        @staticmethod
        def backward(ctx, g):
            return g * ctx.factor, None

    class Product(m.autograd.Function):
        """Two inputs, saved."""

        @staticmethod
        def forward(ctx, x, y):
            ctx.save_for_backward(x, y)
            return x * y

        @staticmethod
        def backward(ctx, g):
            x, y = ctx.saved_tensors
            dx = g * y if ctx.needs_input_grad[0] else None
            dy = g * x if ctx.needs_input_grad[1] else None
            return dx, dy

    class Exp(m.autograd.Function):
        """The result, saved."""

        @staticmethod
        def forward(ctx, x):
            y = x.exp()
            ctx.save_for_backward(y)
            return y

        @staticmethod
        def backward(ctx, g):
            (y,) = ctx.saved_tensors
            return g * y

    class Step(m.autograd.Function):
        """A straight-through estimator: a derivative that the operation does not have."""

        @staticmethod
        def forward(ctx, x):
            return (x > 0).to(x.dtype)

        @staticmethod
        def backward(ctx, g):
            return g

    class Halves(m.autograd.Function):
        """Two results."""

        @staticmethod
        def forward(ctx, x):
            return x[:1] * 2, x[1:] * 3

        @staticmethod
        def backward(ctx, g, h):
            return m.cat([g * 2, h * 3])

    class Largest(m.autograd.Function):
        """A result that carries no gradient."""

        @staticmethod
        def forward(ctx, x):
            y, i = x * 1, x.argmax()
            ctx.mark_non_differentiable(i)
            return y, i

        @staticmethod
        def backward(ctx, g, _):
            return g

    class Late(m.autograd.Function):
        """forward without ctx, which setup_context fills."""

        @staticmethod
        def forward(x, power):
            return x**power

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(inputs[0])
            ctx.power = inputs[1]

        @staticmethod
        def backward(ctx, g):
            return g * ctx.power * ctx.saved_tensors[0] ** (ctx.power - 1), None

    class Reverse(m.autograd.Function):
        """The input itself as the result: what gradient reversal does."""

        @staticmethod
        def forward(ctx, x):
            return x

        @staticmethod
        def backward(ctx, g):
            return -g

    return {name: value for name, value in locals().items() if name != "m"}


USES: dict[str, Any] = {
    "Scale": lambda f, x, y: f(x, 2.5),
    "Product": lambda f, x, y: f(x, y) + f(x, x),
    "Product of one that needs no gradient": lambda f, x, y: f(x.detach(), y),
    "Exp": lambda f, x, y: f(x) * y,
    "Step": lambda f, x, y: f(x) * y,
    "Halves": lambda f, x, y: sum(part.sum() for part in f(x)) * y,
    "Halves, of which one is used": lambda f, x, y: f(x)[1] * y[1:],
    "Largest": lambda f, x, y: f(x)[0] * f(x)[1],
    "Late": lambda f, x, y: f(x * y, 3),
    "Reverse": lambda f, x, y: f(x * y) * y,
}


@pytest.mark.parametrize("use", USES)
def test_values_and_gradients_are_torchs(torch: ModuleType, use: str) -> None:
    found = []
    for m in (tinyrnn, torch):
        x, y = (m.tensor(a, requires_grad=True) for a in ([0.5, -1.0, 2.0], [1.5, 0.25, -0.75]))
        out = USES[use](programs(m)[use.split()[0].rstrip(",")].apply, x, y)
        (out * m.arange(1.0, 1 + out.numel()).reshape(out.shape)).sum().backward()
        found.append([v if v is None else v.detach().numpy() for v in (out, x.grad, y.grad)])
    for ours, theirs in zip(*found, strict=True):
        if theirs is None:
            assert ours is None
        else:
            np.testing.assert_allclose(ours, theirs, rtol=1e-6)


@pytest.mark.parametrize("name", ["Scale", "Product", "Exp", "Late"])
def test_the_gradient_is_the_difference_quotient(name: str) -> None:
    x, y = (tinyrnn.tensor(a, dtype=tinyrnn.float64, requires_grad=True) for a in ([0.5, 1.0], [1.5, 0.25]))
    f = programs(tinyrnn)[name].apply
    assert gradcheck(lambda x, y: USES[name](f, x, y) * y, [x, y])


def test_without_a_gradient_to_compute_nothing_is_recorded() -> None:
    f = programs(tinyrnn)["Exp"].apply
    assert f(tinyrnn.ones(2)).is_leaf
    with tinyrnn.no_grad():
        assert f(tinyrnn.ones(2, requires_grad=True)).is_leaf


def test_a_change_of_what_was_saved_is_an_error() -> None:
    for name in ("Product", "Exp"):
        x = tinyrnn.ones(2, requires_grad=True) * 1
        f = programs(tinyrnn)[name].apply
        y = f(x, x) if name == "Product" else f(x)
        (x if name == "Product" else y).add_(1)
        with pytest.raises(RuntimeError, match=f"'{name}'.*changed in place"):
            y.sum().backward()


def test_the_graph_goes_with_its_result() -> None:
    gc.disable()
    try:
        y = programs(tinyrnn)["Exp"].apply(tinyrnn.ones(2, requires_grad=True))
        gone = weakref.ref(y)
        del y
        assert gone() is None
    finally:
        gc.enable()


def test_what_is_no_tensor_is_refused() -> None:
    class Wrong(Function):
        """Returns what it is told to."""

        @staticmethod
        def forward(ctx: Any, x: Any, there: Any, back: Any) -> Any:
            ctx.back = back
            return x * 1 if there is None else there

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return ctx.back

    x = tinyrnn.ones(2, requires_grad=True)
    with pytest.raises(TypeError, match=r"^Wrong: forward returned float, expected tensors"):
        Wrong.apply(x, 1.0, None)
    with pytest.raises(TypeError, match=r"^Wrong: backward returned float, expected tensors or None"):
        Wrong.apply(x, None, 1.0).sum().backward()
    with pytest.raises(RuntimeError, match="'Wrong' returned 2 gradients for 3 inputs"):
        Wrong.apply(x, None, (x, None)).sum().backward()
    with pytest.raises(RuntimeError, match=r"'Wrong' returned a gradient of shape \(3,\) for an input of shape \(2,\)"):
        Wrong.apply(x, None, (tinyrnn.ones(3), None, None)).sum().backward()
    Wrong.apply(x, None, (tinyrnn.ones(2), None, None, None)).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [1, 1]


@pytest.mark.parametrize(
    ("meanwhile", "words"),
    [
        (lambda w, h: w.mul_(10), "changed in place"),  # a backward pass is not recorded
        (lambda w, h: tinyrnn.autograd.backward(h, tinyrnn.ones(2)), "a second time"),
    ],
    ids=["a saved value", "the same graph"],
)
def test_what_backward_changes_or_goes_through_is_noticed(meanwhile, words):
    x, w = tinyrnn.tensor([1.0, 1.0], requires_grad=True), tinyrnn.tensor([2.0, 3.0], requires_grad=True)
    h = x * w * w

    class Through(Function):
        @staticmethod
        def forward(ctx, h):
            return h.clone()

        @staticmethod
        def backward(ctx, g):
            meanwhile(w, h)
            return g

    y = Through.apply(h)
    with pytest.raises(RuntimeError, match=words):
        y.sum().backward()
    assert x.grad is None or words == "a second time"
