"""Hooks see, replace and keep the gradient of any value, in order, once it is complete; and harm nobody."""

import gc
import weakref

import numpy as np
import pytest

import tinyrnn
from tinyrnn.autograd import grad
from tinyrnn.autograd.record import record


def leaf(*shape, dtype=tinyrnn.float64):
    return tinyrnn.randn(*shape, dtype=dtype, requires_grad=True)


def graph(kind, dtype=tinyrnn.float64):
    """(x, h, y): h is the leaf x itself, or computed from it; y is computed from h along two paths."""
    x = leaf(2, 3, dtype=dtype)
    kinds = {"leaf": x, "result": x * 2, "view": (x * 2)[:, 1:], "part": x.split(2, 1)[0]}
    h = kinds[kind]
    return x, h, (h * h).sum() + 3 * h.sum()


EVERYWHERE = pytest.mark.parametrize("kind", ["leaf", "result", "view", "part"])


@EVERYWHERE
def test_a_hook_sees_the_complete_gradient_once(kind):
    seen = []
    _, h, y = graph(kind)
    h.register_hook(seen.append)
    y.backward()
    (g,) = seen
    assert type(g) is tinyrnn.Tensor
    assert (g.shape, g.dtype, g.requires_grad) == (h.shape, h.dtype, False)
    np.testing.assert_allclose(g.array, 2 * h.array + 3, rtol=1e-14)


@EVERYWHERE
def test_what_a_hook_returns_replaces_the_gradient(kind):
    x, h, y = graph(kind)
    (dx,) = grad(y, x, retain_graph=True)
    h.register_hook(lambda g: -5 * g)
    y.backward()
    np.testing.assert_allclose(x.grad.array, -5 * dx.array, rtol=1e-14)


@EVERYWHERE
def test_hooks_run_in_the_order_of_their_registration_each_on_what_the_one_before_left(kind):
    seen = []
    _, h, y = graph(kind)
    h.register_hook(lambda g: (seen.append(g.array.copy()), g * 2)[1])
    h.register_hook(lambda g: seen.append(g.array.copy()))
    h.register_hook(lambda g: (seen.append(g.array.copy()), g + 1)[1])
    h.register_hook(lambda g: seen.append(g.array.copy()))
    y.backward()
    g = 2 * h.array + 3
    for got, expected in zip(seen, [g, 2 * g, 2 * g, 2 * g + 1], strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-14)


@EVERYWHERE
def test_a_hook_that_writes_into_its_argument_harms_nobody(kind):
    x, h, y = graph(kind)
    (dx,) = grad(y, x, retain_graph=True)
    seen = []
    h.register_hook(lambda g: (g.zero_(), None)[1])
    h.register_hook(lambda g: seen.append(g.array.copy()))
    y.backward()
    np.testing.assert_allclose(x.grad.array, dx.array, rtol=1e-14)
    np.testing.assert_allclose(seen[0], 2 * h.array + 3, rtol=1e-14)


def test_a_hook_that_keeps_its_argument_or_what_it_returned_shares_it_with_nobody():
    kept = []
    x = leaf(3)
    x.register_hook(lambda g: kept.append(g))
    x.register_hook(lambda g: kept.append(g) or g)
    x.register_hook(lambda g: kept.append(g * 2) or kept[-1])
    for _ in range(2):
        (x * 5).sum().backward()
    assert x.grad.tolist() == [20, 20, 20]
    assert not any(np.shares_memory(x.grad.array, g.array) for g in kept)
    assert [g.tolist()[0] for g in kept] == [5, 5, 10] * 2


@EVERYWHERE
def test_a_removed_hook_does_not_run_and_the_others_do(kind):
    seen = []
    _, h, y = graph(kind)
    handles = [h.register_hook(lambda g, k=k: seen.append(k)) for k in range(3)]
    handles[1].remove()
    handles[1].remove()
    y.backward(retain_graph=True)
    assert seen == [0, 2]
    with h.register_hook(lambda g: seen.append("inside")):
        y.backward(retain_graph=True)
    y.backward()
    assert seen == [0, 2, 0, 2, "inside", 0, 2]


def test_the_same_function_registered_twice_runs_twice_and_is_removed_once():
    x, hook = leaf(3), (lambda g: g * 2)
    handle = x.register_hook(hook)
    x.register_hook(hook)
    x.sum().backward()
    handle.remove()
    x.sum().backward()
    assert x.grad.tolist() == [4 + 2] * 3


def test_hooks_run_in_every_pass_and_grad_returns_what_they_leave():
    x = leaf(3)
    h = x * 2
    h.register_hook(lambda g: g * 10)
    y = h.sum()
    dx, dh = grad(y, [x, h], retain_graph=True)
    assert (dx.tolist(), dh.tolist()) == ([20] * 3, [10] * 3)
    y.backward()
    assert x.grad.tolist() == [20] * 3


def test_a_hook_on_the_output_itself_runs():
    x = leaf(3)
    y = x * 2
    y.register_hook(lambda g: g * 10)
    y.backward(tinyrnn.ones_like(y))
    assert x.grad.tolist() == [20] * 3


def test_a_hook_of_a_value_that_the_loss_does_not_reach_does_not_run():
    seen, x = [], leaf(4)
    a, b = x.split(2)
    dead, overwritten = a * 1, a * 2
    for h in (dead, b, overwritten):
        h.register_hook(seen.append)
    (a + record("stop", overwritten.array, (overwritten,), lambda g: (None,))).sum().backward()
    assert seen == []
    assert x.grad.tolist() == [1, 1, 0, 0]


def test_hooks_run_with_recording_off():
    modes, x = [], leaf(3)
    x.register_hook(lambda g: modes.append(tinyrnn.is_grad_enabled()))
    x.sum().backward()
    assert modes == [False]
    assert tinyrnn.is_grad_enabled()


def test_a_hook_may_run_a_backward_pass_of_its_own():
    x, w = leaf(3), leaf(3)

    def hook(g):
        with tinyrnn.enable_grad():
            (w * g).sum().backward()

    x.register_hook(hook)
    (x * 4).sum().backward()
    assert w.grad.tolist() == [4, 4, 4]
    assert x.grad.tolist() == [4, 4, 4]


def test_a_hook_stays_with_the_value_as_it_was_when_that_is_changed_in_place():
    x = leaf(3)
    h = x * 2
    h.register_hook(lambda g: g * 10)
    h.mul_(3)
    h.register_hook(lambda g: g + 1)
    h.sum().backward()
    assert x.grad.tolist() == [(1 + 1) * 3 * 10 * 2] * 3


@EVERYWHERE
@pytest.mark.parametrize("dtype", [tinyrnn.float32, tinyrnn.float64])
def test_what_a_hook_returns_is_taken_in_the_dtype_of_the_value(kind, dtype):
    x, h, y = graph(kind, dtype)
    h.register_hook(lambda g: tinyrnn.ones(g.shape, dtype=tinyrnn.int64))
    h.retain_grad()
    y.backward()
    assert x.grad.dtype == h.grad.dtype == dtype
    assert (h.grad.array == 1).all()


@pytest.mark.parametrize(
    ("returned", "kind", "message"),
    [
        (np.ones((2, 3)), TypeError, "register_hook: the hook returned ndarray, expected a tensor or None"),
        (2.0, TypeError, "register_hook: the hook returned float"),
        (tinyrnn.ones(3, 2), ValueError, r"register_hook: the hook returned shape \(3, 2\), the tensor has \(2, 3\)"),
        (tinyrnn.ones(()), ValueError, r"returned shape \(\)"),
    ],
)
@pytest.mark.parametrize("on", ["leaf", "result"])
def test_a_hook_that_returns_something_else_is_refused(returned, kind, message, on):
    x, h, y = graph(on)
    h.register_hook(lambda g: returned)
    with pytest.raises(kind, match=message):
        y.backward()
    assert x.grad is None


@pytest.mark.parametrize("method", ["register_hook", "retain_grad"])
@pytest.mark.parametrize("kind", ["constant", "detached", "no_grad"])
def test_a_value_that_needs_no_gradient_takes_no_hook(method, kind):
    with tinyrnn.set_grad_enabled(kind != "no_grad"):
        h = {"constant": lambda: tinyrnn.ones(2), "detached": lambda: leaf(2).detach(), "no_grad": lambda: leaf(2) * 1}
        value = h[kind]()
    with pytest.raises(RuntimeError, match=rf"^{method}: this tensor needs no gradient.*requires_grad_\(\)"):
        value.register_hook(print) if method == "register_hook" else value.retain_grad()


def test_a_hook_does_not_keep_its_value_alive():
    gc.collect()
    gc.disable()
    try:
        h = leaf(3) * 2
        h.register_hook(lambda g: g * 2)
        h.retain_grad()
        y = h.sum()
        seen = weakref.ref(h)
        del h
        assert seen() is None
        y.backward()  # and the pass does without it
    finally:
        gc.enable()


# retain_grad


@pytest.mark.parametrize("kind", ["result", "view", "part"])
def test_retain_grad_leaves_the_gradient_in_a_value_that_is_no_leaf(kind):
    x, h, y = graph(kind)
    h.retain_grad()
    assert h.grad is None
    y.backward(retain_graph=True)
    np.testing.assert_allclose(h.grad.array, 2 * h.array + 3, rtol=1e-14)
    assert (type(h.grad), h.grad.dtype) == (tinyrnn.Tensor, h.dtype)
    assert not np.shares_memory(h.grad.array, x.grad.array)
    first = h.grad
    y.backward()
    assert h.grad is first
    np.testing.assert_allclose(first.array, 2 * (2 * h.array + 3), rtol=1e-14)


def test_without_retain_grad_only_leaves_keep_a_gradient():
    x = leaf(3)
    h = x * 2
    h.sum().backward()
    with pytest.warns(UserWarning, match=r"call\s+retain_grad"):
        assert h.grad is None
    assert x.grad is not None


def test_retain_grad_keeps_what_the_hooks_left_whenever_they_were_registered():
    x = leaf(3)
    h = x * 2
    h.register_hook(lambda g: g * 2)
    h.retain_grad()
    h.register_hook(lambda g: g * 5)
    h.sum().backward()
    assert h.grad.tolist() == [10] * 3
    assert x.grad.tolist() == [20] * 3


@pytest.mark.parametrize("times", [2, 3])
def test_retain_grad_called_again_changes_nothing(times):
    x = leaf(3)
    h = x * 2
    for _ in range(times):
        x.retain_grad()
        h.retain_grad()
    (h * 7).sum().backward()
    assert h.grad.tolist() == [7] * 3
    assert x.grad.tolist() == [14] * 3


CHANGES = {
    "in place": (lambda h: h.mul_(3), [30, 30, 30]),
    "an item": (lambda h: h.__setitem__(0, 7.0), [0, 10, 10]),
    "through a view": (lambda h: h[1:].mul_(3), [10, 30, 30]),
    "under no_grad": (tinyrnn.no_grad()(lambda h: h.mul_(3)), [10, 10, 10]),
}


@pytest.mark.parametrize(("change", "expected"), CHANGES.values(), ids=CHANGES)
def test_retain_grad_keeps_the_gradient_of_the_value_as_it_is_after_a_change(change, expected):
    x = leaf(3)
    h = x * 2
    h.retain_grad()
    change(h)
    (h * 5).sum().backward()
    assert h.grad.tolist() == [5] * 3
    assert x.grad.tolist() == expected


def hooks_and_retained(lib, values):
    """What a program with hooks of all kinds sees and leaves."""
    seen = []
    x = lib.tensor(values, requires_grad=True)
    h = x * 3
    h.register_hook(lambda g: g * 2)
    h.retain_grad()
    v = h[0]
    v.register_hook(lambda g: seen.append(g.tolist()))
    v.retain_grad()
    x.register_hook(lambda g: g + 1)
    y = (v * v).sum() + h.sum()
    for value in (x, h):  # asked for both at once, torch's gradient of h lacks what the hook of h did
        seen += [lib.autograd.grad(y, value, retain_graph=True)[0].tolist(), h.grad.tolist(), v.grad.tolist()]
    y.backward()
    return [*seen, x.grad.tolist(), h.grad.tolist(), v.grad.tolist()]


def test_hooks_see_and_leave_what_they_do_in_torch(torch):
    values = np.random.default_rng(0).normal(size=(2, 3))
    for got, expected in zip(hooks_and_retained(tinyrnn, values), hooks_and_retained(torch, values), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-14)


def test_a_hook_may_take_itself_away_and_the_next_is_called():
    x, seen = leaf(2), []
    handle = x.register_hook(lambda g: (seen.append(1), handle.remove())[1])
    x.register_hook(lambda g: seen.append(2))
    for _ in range(2):
        (x * 2).sum().backward()
    assert seen == [1, 2, 2]


def test_a_pass_that_a_hook_begins_through_what_this_pass_needs_is_refused_in_words():
    x = leaf(2)
    shared = x * x
    other, y = shared.sum(), shared * 3
    y.register_hook(lambda g: other.backward())
    with pytest.raises(RuntimeError, match=r"a second time through 'mul'"):
        y.sum().backward()


def test_what_a_hook_changes_in_place_is_noticed():
    w = leaf(1)
    a = w * 1
    b = a * a
    b.register_hook(lambda g: (a.detach().mul_(10), None)[1])
    with pytest.raises(RuntimeError, match="changed in place"):
        b.sum().backward()
    assert w.grad is None
