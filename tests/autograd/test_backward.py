"""Asking for gradients: what `backward` and `grad` fill and return, and what they refuse before any arithmetic."""

import sys
import threading

import numpy as np
import pytest

import tinyrnn
from tinyrnn.autograd import backward, grad
from tinyrnn.autograd.record import record


def leaf(*shape, dtype=tinyrnn.float64):
    return tinyrnn.randn(*shape, dtype=dtype, requires_grad=True)


def counted(x, calls, name="probe"):
    """2 x, by an operation that counts the calls of its pullback."""

    def pullback(g):
        calls.append(name)
        return (2 * g,)

    return record(name, 2 * x.array, (x,), pullback)


def error(got, expected):
    """The largest difference, relative to the largest entry expected."""
    assert got.shape == expected.shape
    return np.abs(got - expected).max(initial=0) / max(np.abs(expected).max(initial=0), 1e-300)


# what is filled and returned


@pytest.mark.parametrize("shape", [(), (1,), (1, 1), (1, 1, 1)])
@pytest.mark.parametrize("dtype", [tinyrnn.float32, tinyrnn.float64])
def test_of_a_single_element_the_gradient_is_1(shape, dtype):
    x = leaf(*shape, dtype=dtype)
    (3 * x).backward()
    assert (x.grad.shape, x.grad.dtype, x.grad.item()) == (shape, dtype, 3)


def test_backward_takes_several_outputs_each_with_its_gradient():
    x = leaf(2, 3)
    g = tinyrnn.randn(2, 3, dtype=tinyrnn.float64)
    backward([x * 2, (x * x).sum(), x], [g, None, 5 * g])
    assert error(x.grad.array, 7 * g.array + 2 * x.array) < 1e-15
    assert type(x.grad) is tinyrnn.Tensor


def test_an_output_that_another_was_computed_from_gets_both_gradients():
    calls, x = [], leaf(3)
    h = counted(x, calls)
    y = counted(h, calls)
    backward([h, y, h], [tinyrnn.full((3,), c, dtype=tinyrnn.float64) for c in (1.0, 10.0, 100.0)])
    assert x.grad.tolist() == [2 * (1 + 100 + 2 * 10)] * 3
    assert len(calls) == 2


def test_backward_adds_to_the_gradient_that_is_there_and_makes_one_where_there_is_none():
    x = leaf(3)
    (2 * x).sum().backward()
    first = x.grad
    (5 * x).sum().backward()
    assert x.grad is first
    assert first.tolist() == [7, 7, 7]
    assert first._version == 1
    x.grad = None
    x.sum().backward()
    assert x.grad is not first
    assert (x.grad.tolist(), first.tolist()) == ([1, 1, 1], [7, 7, 7])


def test_a_gradient_needs_no_gradient():
    x = leaf(3)
    (x * x).sum().backward()
    assert not x.grad.requires_grad
    assert x.grad.is_leaf
    (h,) = grad((x * x).sum(), x)
    assert not h.requires_grad


def test_backward_and_grad_work_while_recording_is_off():
    x = leaf(3)
    y, z = (x * x).sum(), (x * x).sum()
    with tinyrnn.no_grad():
        y.backward()
        (g,) = grad(z, x)
    assert np.array_equal(x.grad.array, 2 * x.array)
    assert np.array_equal(g.array, 2 * x.array)


def test_backward_from_a_leaf_gives_it_the_gradient_itself():
    x, g = leaf(3), tinyrnn.randn(3, dtype=tinyrnn.float64)
    x.backward(g)
    x.backward(g)
    assert np.array_equal(x.grad.array, 2 * g.array)


def test_backward_with_inputs_fills_these_alone():
    a, b, c = leaf(2), leaf(2), leaf(2)
    h = a * b
    loss = (h * c).sum()
    loss.backward(inputs=[b, h], retain_graph=True)
    assert (a.grad, c.grad) == (None, None)
    assert error(b.grad.array, a.array * c.array) < 1e-15
    assert np.array_equal(h.grad.array, c.array)
    loss.backward(inputs=b)
    assert error(b.grad.array, 2 * a.array * c.array) < 1e-15


def test_grad_returns_gradients_of_leaves_and_others_and_fills_none():
    x, w = leaf(2, 3), leaf(3, 4)
    h = x @ w
    y = h.tanh()
    v = tinyrnn.randn(2, 4, dtype=tinyrnn.float64)
    dw, dh, dy, again = grad(y, [w, h, y, w], v)
    expected = v.array * (1 - y.array**2)
    assert error(dh.array, expected) < 1e-14
    assert error(dw.array, x.array.T @ expected) < 1e-14
    assert np.array_equal(dy.array, v.array)
    assert np.array_equal(again.array, dw.array)
    assert (x.grad, w.grad, h.total_grad) == (None, None, None)
    arrays = [t.array for t in (dw, dh, dy, again, v)]
    assert not any(np.shares_memory(a, b) for i, a in enumerate(arrays) for b in arrays[:i])


def test_grad_of_several_outputs_is_that_of_their_sum():
    x, v = leaf(3), [tinyrnn.randn(3, dtype=tinyrnn.float64) for _ in range(2)]
    (g,) = grad([x * x, x.tanh()], [x], v)
    assert error(g.array, 2 * x.array * v[0].array + (1 - np.tanh(x.array) ** 2) * v[1].array) < 1e-14


def test_grad_gives_none_for_an_unused_input_if_allowed_and_else_names_it():
    calls, x, other = [], leaf(3), leaf(2, 7)
    y = counted(x, calls).sum()
    with pytest.raises(RuntimeError, match=r"inputs\[1\], of shape \(2, 7\).*allow_unused=True"):
        grad(y, [x, other])
    assert calls == []
    g, none = grad(y, [x, other], allow_unused=True)
    assert g.tolist() == [2, 2, 2]
    assert none is None


@pytest.mark.parametrize("dtype", [tinyrnn.float32, tinyrnn.float64])
@pytest.mark.parametrize("of_g", [tinyrnn.float32, tinyrnn.float64, tinyrnn.int64])
def test_the_gradient_passed_is_taken_in_the_dtype_of_the_output(dtype, of_g):
    seen, x = [], leaf(3, dtype=dtype)
    y = record("probe", x.array, (x,), lambda g: (seen.append(g.dtype) or g,))
    y.backward(tinyrnn.tensor([1, 2, 3], dtype=of_g))
    assert seen == [dtype]
    assert (x.grad.dtype, x.grad.tolist()) == (dtype, [1, 2, 3])


# a second pass


@pytest.mark.parametrize("name", ["tanh", "mul", "add", "sum"])
def test_a_second_backward_names_the_operation_and_the_ways_out(name):
    calls, x = [], leaf(3)
    h = counted(x, calls)
    y = {"tanh": h.tanh, "mul": lambda: h * h, "add": lambda: h + 1, "sum": h.sum}[name]()
    g = tinyrnn.ones_like(y)
    y.backward(g)
    before = x.grad.array.copy()
    with pytest.raises(RuntimeError, match=rf"a second time through '{name}'") as refusal:
        y.backward(g)
    assert all(way in str(refusal.value) for way in ("retain_graph=True", "compute the loss again", "detach()"))
    assert len(calls) == 1
    assert np.array_equal(x.grad.array, before)


def test_retain_graph_allows_passes_with_the_same_numbers_and_they_add_up():
    x, w = leaf(4, 3), leaf(3, 5)
    y = (x @ w).tanh()
    h = y[1:] * y[:-1] + x.sum()
    v = tinyrnn.randn(3, 5, dtype=tinyrnn.float64)
    once = grad(h, [x, w], v, retain_graph=True)
    for n in range(1, 4):
        h.backward(v, retain_graph=n < 3)
        assert error(x.grad.array, n * once[0].array) < 1e-15
        assert error(w.grad.array, n * once[1].array) < 1e-15
    with pytest.raises(RuntimeError, match="a second time"):
        h.backward(v)


@pytest.mark.parametrize("retain_graph", [None, False])
def test_a_part_that_two_losses_share_is_freed_by_the_first(retain_graph):
    calls, x = [], leaf(3)
    shared = counted(x, calls, "shared")
    first, second = shared.sum(), (shared * shared).sum()
    first.backward(retain_graph=retain_graph)
    with pytest.raises(RuntimeError, match="a second time through 'shared'"):
        second.backward()
    assert x.grad.tolist() == [2, 2, 2]
    assert calls == ["shared"]


@pytest.mark.parametrize("how", ["one after the other", "together", "their sum"])
def test_two_losses_that_share_a_part_give_the_sum(how):
    x = leaf(3)
    shared = x.tanh()
    losses = [shared.sum(), (shared * shared).sum()]
    if how == "one after the other":
        losses[0].backward(retain_graph=True)
        losses[1].backward()
    elif how == "together":
        backward(losses)
    else:
        (losses[0] + losses[1]).backward()
    y = np.tanh(x.array)
    assert error(x.grad.array, (1 + 2 * y) * (1 - y * y)) < 1e-15


def test_a_carried_state_must_be_detached_as_the_message_says():
    w, h = leaf(3), tinyrnn.zeros(3, dtype=tinyrnn.float64)
    for _ in range(3):
        h = (h.detach() * w + 1).tanh()
        h.sum().backward()
    h = (h * w).tanh()
    with pytest.raises(RuntimeError, match=r"carried from one training step to the next needs detach\(\)"):
        h.sum().backward()


# what is refused, before any arithmetic

F64 = tinyrnn.float64
BAD = {
    "no gradient for several elements": (lambda y: y.backward(), RuntimeError, r"shape \(2, 3\).*\.sum\(\)"),
    "no gradient for no element": (lambda y: y[:0].backward(), RuntimeError, r"shape \(0, 3\)"),
    "another shape": (
        lambda y: y.backward(tinyrnn.ones(3, 2, dtype=F64)),
        ValueError,
        r"gradient has shape \(3, 2\), the output has shape \(2, 3\)",
    ),
    "a shape that would broadcast": (lambda y: y.backward(tinyrnn.ones(3, dtype=F64)), ValueError, r"\(3,\).*\(2, 3\)"),
    "an array": (lambda y: y.backward(np.ones((2, 3))), TypeError, "gradient is ndarray, expected a tensor"),
    "a number": (lambda y: y.sum().backward(2.0), TypeError, "backward: the gradient is float, expected a tensor"),
    "a number of numpy": (lambda y: y.sum().backward(np.float32(2)), TypeError, "backward: the gradient is float32"),
    "a list in a list": (lambda y: y.backward([[1.0] * 3] * 1), TypeError, "gradient is list, expected a tensor"),
    "too few gradients": (lambda y: backward([y, y], [tinyrnn.ones(2, 3)]), ValueError, "1 gradients for 2 outputs"),
    "one gradient for two": (lambda y: backward([y, y], tinyrnn.ones(2, 3)), ValueError, "1 gradients for 2 outputs"),
    "no outputs": (lambda y: backward([]), ValueError, "backward: outputs is empty"),
    "an array as output": (lambda y: backward([y, y.detach().numpy()]), TypeError, r"outputs\[1\] is ndarray"),
    "an output without a graph": (
        lambda y: backward([y.sum(), y.detach().sum()]),
        RuntimeError,
        r"does not require a gradient.*requires_grad=True.*no_grad\(\), detached",
    ),
    "whole numbers": (lambda y: (y > 0).backward(y), RuntimeError, "does not require a gradient"),
    "create_graph": (lambda y: y.sum().backward(create_graph=True), NotImplementedError, "create_graph=True"),
    "no inputs": (lambda y: y.sum().backward(inputs=[]), ValueError, "backward: inputs is empty"),
    "an input without a graph": (
        lambda y: y.sum().backward(inputs=[y, tinyrnn.ones(7)]),
        RuntimeError,
        r"shape \(7,\) does not require",
    ),
    "an array as input": (lambda y: y.sum().backward(inputs=[np.ones(2)]), TypeError, r"inputs\[0\] is ndarray"),
    "grad, no gradient": (lambda y: grad(y, y), RuntimeError, r"^grad: the output has shape \(2, 3\)"),
    "grad, another shape": (lambda y: grad(y, y, tinyrnn.ones(2)), ValueError, r"^grad: .*\(2,\).*\(2, 3\)"),
    "grad, an input without a graph": (lambda y: grad(y.sum(), tinyrnn.ones(7)), RuntimeError, r"^grad: .*\(7,\)"),
    "grad, create_graph": (lambda y: grad(y.sum(), y, create_graph=True), NotImplementedError, "^grad: create_graph"),
    "grad, no inputs": (lambda y: grad(y.sum(), []), ValueError, "^grad: inputs is empty"),
}


@pytest.mark.parametrize(("call", "kind", "message"), BAD.values(), ids=BAD)
def test_what_cannot_be_done_is_refused_before_any_arithmetic_and_the_graph_stays(call, kind, message):
    calls, x = [], leaf(2, 3)
    y = counted(x, calls)
    with pytest.raises(kind, match=message):
        call(y)
    assert calls == []
    assert x.grad is None
    v = tinyrnn.randn(2, 3, dtype=F64)
    y.backward(v)  # the way out: the graph is as it was
    assert np.array_equal(x.grad.array, 2 * v.array)


@pytest.mark.parametrize(
    "make",
    [
        lambda: tinyrnn.ones(1),
        lambda: leaf(1).detach(),
        lambda: leaf(1).data,
        lambda: tinyrnn.no_grad()(lambda: leaf(1) * 2)(),
        lambda: leaf(1) > 0,
    ],
    ids=["a constant", "detached", "data", "under no_grad", "a comparison"],
)
def test_backward_on_something_without_a_graph_says_why_there_may_be_none(make):
    with pytest.raises(RuntimeError, match=r"backward: a tensor of shape \(1,\) does not require a gradient"):
        make().backward()


@pytest.mark.parametrize("saved", ["an operand", "a weight, by the optimizer", "a result", "a state, by its view"])
def test_a_saved_value_that_was_changed_is_refused_before_any_arithmetic(saved):
    calls, w = [], leaf(3, 3)
    x = leaf(3, 3)
    h = counted(x, calls)
    y = h @ w
    z = y.tanh()
    name = "tanh" if saved in ("a result", "a state, by its view") else "matmul"
    if saved == "an operand":
        h.mul_(2)
    elif saved == "a weight, by the optimizer":
        with tinyrnn.no_grad():
            w -= 0.1
    elif saved == "a result":
        z += 1
    else:
        z[0].zero_()
    with pytest.raises(
        RuntimeError, match=rf"{name!r} needs was changed in place.*optimizer.*after backward.*clone\(\).*detach\(\)"
    ):
        z.sum().backward()
    assert calls == []
    assert (x.grad, w.grad) == (None, None)


def test_threads_that_share_a_leaf_lose_no_gradient():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(30):
            w, start = tinyrnn.ones(1, requires_grad=True), threading.Barrier(4)

            def work(w=w, start=start):
                start.wait()
                (w * 1.0).sum().backward()

            threads = [threading.Thread(target=work) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert w.grad.item() == 4
    finally:
        sys.setswitchinterval(before)
