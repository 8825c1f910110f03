"""Hooks of modules: what they are given, what they may replace, their order, and their end."""

import copy
import pickle

import numpy as np
import pytest

import tinyrnn
from tinyrnn import nn


class Two(nn.Module):
    """Two inputs, two outputs, one of them no tensor."""

    def forward(self, a, b=None, flip=False):
        y = a * 3 if b is None else a * b
        return (-y if flip else y), a + 1, "word"


def leaf(*values):
    return tinyrnn.tensor(values, requires_grad=True)


def test_a_forward_pre_hook_sees_and_replaces_the_arguments():
    layer, seen = Two(), []
    first = layer.register_forward_pre_hook(lambda module, args: seen.append((module, args)))
    x = leaf(1.0)
    layer(x, flip=True)
    assert seen == [(layer, (x,))]
    one = layer.register_forward_pre_hook(lambda module, args: args[0] + 1)
    assert layer(x)[0].item() == 6
    layer.register_forward_pre_hook(lambda module, args: (args[0], args[0]))
    assert layer(x)[0].item() == 4
    one.remove()
    assert layer(x)[0].item() == 1
    first.remove()
    assert len(seen) == 4


def test_a_forward_pre_hook_with_kwargs():
    layer = Two()
    handle = layer.register_forward_pre_hook(lambda m, args, kwargs: ((args[0] + 1,), {"flip": True}), with_kwargs=True)
    assert layer(leaf(1.0))[0].item() == -6
    handle.remove()
    layer.register_forward_pre_hook(lambda m, args, kwargs: None, with_kwargs=True)
    assert layer(leaf(1.0))[0].item() == 3
    layer.register_forward_pre_hook(lambda m, args, kwargs: args, with_kwargs=True)
    with pytest.raises(RuntimeError, match=r"it returned a tuple, expected None or \(args, kwargs\)"):
        layer(leaf(1.0))


def test_a_forward_hook_sees_and_replaces_the_output():
    layer, seen = Two(), []
    layer.register_forward_hook(lambda module, args, output: seen.append((module, args, output)))
    x = leaf(1.0)
    y = layer(x, flip=True)
    assert seen == [(layer, (x,), y)]
    layer.register_forward_hook(lambda module, args, kwargs, output: (output[0], kwargs), with_kwargs=True)
    assert layer(x, flip=True)[1] == {"flip": True}
    layer.register_forward_hook(lambda module, args, output: None)
    layer.register_forward_hook(lambda module, args, output: "new")
    assert layer(x) == "new"


@pytest.mark.parametrize(
    "register",
    ["forward_pre_hook", "forward_hook", "full_backward_pre_hook", "full_backward_hook"],
)
def test_order_and_removal(register):
    layer, calls = nn.Tanh(), []

    def add(name, prepend=False):
        return getattr(layer, f"register_{register}")(lambda *args: calls.append(name), prepend=prepend)

    def run():
        calls.clear()
        layer(leaf(1.0)).backward(tinyrnn.ones(1))
        return "".join(calls)

    a, _ = add("a"), add("b")
    add("c", prepend=True)
    assert run() == "cab"
    a.remove()
    a.remove()
    assert run() == "cb"
    with add("d"):
        assert run() == "cbd"
    assert run() == "cb"
    with pytest.raises(TypeError, match="register hook: got a int, expected a function"):
        getattr(layer, f"register_{register}")(3)


def test_a_hook_may_remove_itself():
    layer, calls = nn.Tanh(), []

    def once(*args):
        calls.append(1)
        handle.remove()

    handle = layer.register_forward_hook(once)
    layer.register_forward_hook(lambda *args: calls.append(2))
    layer(leaf(1.0))
    layer(leaf(1.0))
    assert calls == [1, 2, 2]


def test_hooks_that_are_always_called_see_an_exception_pass():
    layer, calls = Two(), []
    layer.register_forward_hook(lambda *args: calls.append(("plain", args[2])))
    layer.register_forward_hook(lambda *args: calls.append(("always", args[2])), always_call=True)
    with pytest.raises(TypeError):
        layer("no tensor", 2.5)
    assert calls == [("always", None)]
    calls.clear()
    layer(leaf(1.0))
    assert [name for name, _ in calls] == ["plain", "always"]


def test_an_error_in_such_a_hook_is_a_warning_beside_the_first_one():
    layer = Two()
    layer.register_forward_hook(lambda *args: 1 / 0, always_call=True)
    with (
        pytest.raises(TypeError),
        pytest.warns(UserWarning, match="forward hook: it raised ZeroDivisionError"),
    ):
        layer("no tensor", 2.5)
    with pytest.raises(ZeroDivisionError):
        layer(leaf(1.0))


def test_a_full_backward_hook_sees_the_gradients():
    layer, seen = Two(), []
    layer.register_full_backward_hook(lambda module, gi, go: seen.append((module, gi, go)))
    a, b = leaf(2.0, 3.0), leaf(5.0, 7.0)
    y, z, word = layer(a, b, False)
    assert word == "word"
    g = tinyrnn.tensor([1.0, 10.0])
    (y * g).sum().backward()
    ((module, gi, go),) = seen
    assert module is layer
    assert gi[0].tolist() == a.grad.tolist() == [5, 70]
    assert gi[1].tolist() == b.grad.tolist() == [2, 30]
    assert gi[2] is None
    assert go[0].tolist() == [1, 10]
    assert go[1].tolist() == [0, 0]  # not used by the loss
    assert go[2] is None
    assert z.requires_grad


def test_a_full_backward_hook_replaces_the_gradient_of_the_input():
    layer, a = Two(), leaf(2.0, 3.0)
    layer.register_full_backward_hook(lambda module, gi, go: (gi[0] * 2,))
    layer.register_full_backward_hook(lambda module, gi, go: (gi[0] + 1,))
    layer(a)[0].sum().backward()
    assert a.grad.tolist() == [7, 7]
    layer.register_full_backward_hook(lambda module, gi, go: (None,))
    a.grad = None
    layer(a)[0].sum().backward()
    assert a.grad is None or not a.grad.array.any()


def test_a_full_backward_pre_hook_replaces_the_gradient_of_the_output():
    layer, x, seen = nn.Linear(2, 1), leaf(2.0, 3.0), []
    layer.register_full_backward_pre_hook(lambda module, go: (go[0] * 10,))
    layer.register_full_backward_hook(lambda module, gi, go: seen.append(go[0].item()))
    layer(x).backward(tinyrnn.ones(1))
    assert seen == [10]
    np.testing.assert_allclose(x.grad.array, 10 * layer.weight.array[0])
    assert layer.bias.grad.item() == 10


def test_without_a_gradient_for_the_input_the_hook_is_called_all_the_same():
    layer, seen = nn.Linear(2, 1), []
    layer.register_full_backward_hook(lambda module, gi, go: seen.append((gi, go)))
    with pytest.warns(UserWarning, match="Full backward hook is firing"):
        layer(tinyrnn.ones(2)).backward(tinyrnn.tensor([4.0]))
    assert [(gi, go[0].item()) for gi, go in seen] == [((None,), 4)]
    assert layer.bias.grad.item() == 4
    layer.register_full_backward_hook(lambda module, gi, go: (tinyrnn.ones(2),))
    with (
        pytest.warns(UserWarning, match="Full backward hook is firing"),
        pytest.raises(RuntimeError, match="no input of the module needs a gradient, so the hook can replace none"),
    ):
        layer(tinyrnn.ones(2)).backward(tinyrnn.ones(1))


def test_without_recording_no_backward_hook_is_in_the_way():
    layer = nn.Tanh()
    layer.register_full_backward_hook(lambda module, gi, go: None)
    with tinyrnn.no_grad():
        y = layer(leaf(1.0))
    assert not y.requires_grad


@pytest.mark.parametrize(
    ("returned", "exception", "message"),
    [
        ((1, 2), RuntimeError, "it returned 2 gradients, expected 1, or None"),
        ((3.0,), TypeError, "it returned a float, expected tensors or None"),
        (tinyrnn.ones(3), ValueError, r"it returned a gradient of shape \(3,\), expected \(1,\)"),
    ],
)
@pytest.mark.parametrize("register", ["full_backward_pre_hook", "full_backward_hook"])
def test_what_a_backward_hook_may_not_return(register, returned, exception, message):
    layer = nn.Tanh()
    getattr(layer, f"register_{register}")(lambda *args: returned)
    with pytest.raises(exception, match=message):
        layer(leaf(1.0)).backward(tinyrnn.ones(1))


@pytest.mark.filterwarnings("ignore:Full backward hook is firing")
def test_hooks_on_every_layer_of_a_net_in_place():
    """A hook on each; ReLU in place writes into a copy, so that the gradients are right."""
    tinyrnn.manual_seed(1)
    net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(inplace=True), nn.Linear(4, 1))
    x = tinyrnn.randn(5, 3)
    net(x).sum().backward()
    expected = [p.grad.array.copy() for p in net.parameters()]
    net.zero_grad()
    order = []
    for k, layer in enumerate(net):
        layer.register_full_backward_hook(lambda module, gi, go, k=k: order.append(k))
    net(x).sum().backward()
    assert order == [2, 1, 0]
    for p, g in zip(net.parameters(), expected, strict=True):
        np.testing.assert_array_equal(p.grad.array, g)


def test_two_calls_in_one_graph_are_kept_apart():
    layer, seen = nn.Tanh(), []
    layer.register_full_backward_hook(lambda module, gi, go: seen.append((gi[0].item(), go[0].item())))
    x = leaf(0.5)
    h = layer(x)
    (layer(h) * 3).sum().backward()
    outer = 3 * (1 - np.tanh(np.tanh(0.5)) ** 2)
    np.testing.assert_allclose(seen, [(outer, 3), (outer * (1 - np.tanh(0.5) ** 2), outer)], rtol=1e-5)


def double(module, gi, go):
    return tuple(None if g is None else 2 * g for g in gi)


def test_a_copy_keeps_its_hooks():
    layer = nn.Tanh()
    layer.register_full_backward_hook(double)
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        x = leaf(0.0)
        other(x).backward(tinyrnn.ones(1))
        assert x.grad.item() == 2


@pytest.mark.filterwarnings("ignore:Full backward hook is firing")
def test_against_torch(torch):
    """Hooks of all kinds on a small net; what each of them sees."""

    def run(m):
        log = []

        def note(*values):
            for value in values:
                if isinstance(value, tuple):
                    note(*value)
                elif isinstance(value, m.Tensor):
                    log.append(value.detach().tolist())
                elif value is None:
                    log.append(None)

        class Net(m.nn.Module):
            def __init__(self):
                super().__init__()
                self.act = m.nn.Tanh()

            def forward(self, x, y, scale=1.0):
                return self.act(x * y) * scale, x + y

        net = Net()
        for layer in (net, net.act):
            layer.register_forward_pre_hook(lambda module, args: note("pre", args))
            layer.register_forward_hook(lambda module, args, output: note("post", args, output))
            layer.register_full_backward_pre_hook(lambda module, go: note("back pre", go))
            layer.register_full_backward_hook(lambda module, gi, go: note("back", gi, go))
        net.act.register_forward_pre_hook(lambda module, args: (args[0] * 2,))
        net.act.register_forward_hook(lambda module, args, output: output * 3)
        net.act.register_full_backward_hook(lambda module, gi, go: (gi[0] * 5,))
        net.act.register_full_backward_pre_hook(lambda module, go: (go[0] * 7,))
        x = m.tensor([0.1, 0.2], dtype=m.float64, requires_grad=True)
        y = m.tensor([0.3, -0.2], dtype=m.float64)
        a, b = net(x, y, scale=2.0)
        (a.sum() + (b * b).sum()).backward()
        note(x.grad)
        return log

    ours, theirs = run(tinyrnn), run(torch)
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            np.testing.assert_allclose(a, b, rtol=1e-12)


def test_a_module_may_keep_its_handles_under_any_name():
    net = nn.Linear(2, 2)
    net._hooks = [net.register_forward_hook(lambda module, args, output: output * 0)]
    assert net(tinyrnn.ones(2)).tolist() == [0, 0]
    net._hooks[0].remove()
    assert net(tinyrnn.ones(2)).tolist() != [0, 0]
