"""Module: attributes in their order, parameters, buffers, state_dict, modes, dtypes, copies, and how it prints."""

import copy
import pickle
import re

import numpy as np
import pytest

import tinyrnn
from tinyrnn import nn


class Net(nn.Module):
    """Parameters, buffers of both kinds and modules, set in an order of their own."""

    def __init__(self):
        super().__init__()
        self.rnn = nn.RNN(2, 3)
        self.scale = nn.Parameter(tinyrnn.randn(3))
        self.register_buffer("mean", tinyrnn.randn(2))
        self.linear = nn.Linear(3, 2)
        self.register_buffer("calls", tinyrnn.tensor(0), persistent=False)
        self.register_parameter("shift", None)
        self.size = 3

    def forward(self, x, flip=False):
        y = self.linear(self.rnn(x - self.mean)[0] * self.scale)
        return -y if flip else y


RNN_NAMES = ["rnn.weight_ih_l0", "rnn.weight_hh_l0", "rnn.bias_ih_l0", "rnn.bias_hh_l0"]
NAMES = ["scale", *RNN_NAMES, "linear.weight", "linear.bias"]


def names(pairs):
    return [name for name, _ in pairs]


def numbers(module):
    """A copy of all of its state."""
    return {name: tensor.array.copy() for name, tensor in module.state_dict().items()}


def same(a, b):
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


def test_parameters_buffers_and_modules_come_in_the_order_in_which_they_were_set():
    net = Net()
    assert names(net.named_parameters()) == NAMES
    assert names(net.named_parameters(recurse=False)) == ["scale"]
    assert names(net.named_parameters(prefix="a.b"))[:2] == ["a.b.scale", "a.b.rnn.weight_ih_l0"]
    assert [id(p) for p in net.parameters()] == [id(p) for _, p in net.named_parameters()]
    assert names(net.named_buffers()) == ["mean", "calls"]
    assert [b is c for b, c in zip(net.buffers(), (net.mean, net.calls), strict=True)] == [True, True]
    assert list(net.named_children()) == [("rnn", net.rnn), ("linear", net.linear)]
    assert list(net.children()) == [net.rnn, net.linear]
    assert list(net.named_modules()) == [("", net), ("rnn", net.rnn), ("linear", net.linear)]
    assert list(net.modules()) == [net, net.rnn, net.linear]
    assert list(net.state_dict()) == ["scale", "mean", *NAMES[1:]]


def test_calling_a_module_calls_forward_with_all_arguments():
    net, x = Net(), tinyrnn.randn(4, 1, 2)
    assert np.array_equal(net(x, flip=True).array, -net.forward(x).array)


def test_a_module_without_forward_says_so():
    class Empty(nn.Module):
        pass

    with pytest.raises(NotImplementedError, match=r"Empty has no forward\(\)"):
        Empty()(1)


def test_a_subclass_may_leave_out_the_init_of_module():
    class Bare(nn.Module):
        def __init__(self):
            self.w = nn.Parameter(tinyrnn.ones(2))

    bare = Bare()
    assert bare.training
    assert names(bare.named_parameters()) == ["w"]
    assert bare.eval().training is False
    assert Bare.training
    assert list(bare.state_dict()) == ["w"]


def test_a_parameter_can_be_replaced_removed_and_set_again_in_its_place():
    net, new = Net(), nn.Parameter(tinyrnn.zeros(3))
    net.scale = new
    assert next(net.parameters()) is new
    assert names(net.named_parameters()) == NAMES
    net.scale = None
    assert names(net.named_parameters()) == NAMES[1:]
    net.shift = new
    assert dict(net.named_parameters())["shift"] is new
    del net.shift
    assert "shift" not in net.state_dict()
    net.linear = nn.Linear(3, 5)
    assert dict(net.named_parameters())["linear.weight"].shape == (5, 3)
    net.linear = None
    assert list(net.children()) == [net.rnn]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("scale", tinyrnn.zeros(3), "Net.scale is a parameter, and cannot become a Tensor: assign a Parameter or None"),
        ("scale", np.zeros(3), "Net.scale is a parameter, and cannot become a ndarray"),
        ("rnn", 3, "Net.rnn is a module, and cannot become a int"),
        ("mean", 0.5, "Net.mean is a buffer, and cannot become a float"),
    ],
)
def test_what_an_attribute_is_stays(name, value, message):
    net = Net()
    before = getattr(net, name)
    with pytest.raises(TypeError, match=re.escape(message)):
        setattr(net, name, value)
    assert getattr(net, name) is before


@pytest.mark.parametrize(
    ("register", "name", "value", "exception", "message"),
    [
        ("parameter", "", None, KeyError, "register_parameter: the name is '', expected a string without dots"),
        ("parameter", "a.b", None, KeyError, "register_parameter: the name is 'a.b'"),
        ("buffer", 3, None, KeyError, "register_buffer: the name is 3"),
        ("parameter", "size", None, KeyError, "register_parameter: Net has an attribute 'size' already"),
        ("parameter", "forward", None, KeyError, "register_parameter: Net has an attribute 'forward' already"),
        ("buffer", "scale", tinyrnn.zeros(3), KeyError, "register_buffer: Net has an attribute 'scale' already"),
        ("parameter", "mean", None, KeyError, "register_parameter: Net has an attribute 'mean' already"),
        ("module", "scale", None, KeyError, "register_module: Net has an attribute 'scale' already"),
        ("parameter", "new", tinyrnn.zeros(3), TypeError, "register_parameter: 'new' is a Tensor, expected Parameter"),
        ("buffer", "new", np.zeros(3), TypeError, "register_buffer: 'new' is a ndarray, expected Tensor or None"),
        ("module", "new", tinyrnn.zeros(3), TypeError, "register_module: 'new' is a Tensor, expected Module or None"),
    ],
)
def test_registering_what_does_not_fit_is_refused(register, name, value, exception, message):
    net = Net()
    before = dict(vars(net))
    with pytest.raises(exception, match=re.escape(message)):
        getattr(net, f"register_{register}")(name, value)
    assert vars(net) == before


def test_a_name_can_be_registered_again_with_its_kind():
    net = Net()
    for register, name, value in [
        (net.register_parameter, "scale", nn.Parameter(tinyrnn.ones(1))),
        (net.register_parameter, "shift", nn.Parameter(tinyrnn.ones(2))),
        (net.register_buffer, "mean", tinyrnn.ones(4)),
        (net.add_module, "rnn", nn.Linear(1, 1)),
    ]:
        register(name, value)
        assert getattr(net, name) is value


def test_a_parameter_in_a_buffers_place_is_a_parameter():
    net = Net()
    net.calls = nn.Parameter(tinyrnn.ones(1))
    assert "calls" in names(net.named_parameters())
    assert names(net.named_buffers()) == ["mean"]
    assert "calls" in net.state_dict()


def test_modules_under_names_that_are_numbers():
    stack = nn.Module()
    for i in range(3):
        stack.add_module(str(i), nn.Linear(i + 1, 2, bias=False))
    assert names(stack.named_parameters()) == ["0.weight", "1.weight", "2.weight"]
    assert getattr(stack, "1").in_features == 2
    other = copy.deepcopy(stack)
    assert other.load_state_dict(stack.state_dict()) == ([], [])
    assert repr(stack).startswith("Module(\n  (0): Linear(in_features=1, out_features=2, bias=False)\n  (1): ")


def tied():
    net = Net()
    net.again = net.linear  # a module under two names
    net.embedding = nn.Linear(3, 2, bias=False)
    net.embedding.weight = net.linear.weight  # a parameter under two names
    return net


def test_what_is_shared_counts_once_but_has_all_its_names_in_the_state():
    net = tied()
    assert names(net.named_parameters()) == NAMES
    shared = ["again.weight", "again.bias", "embedding.weight"]
    assert names(net.named_parameters(remove_duplicate=False)) == NAMES + shared
    assert names(net.named_modules()) == ["", "rnn", "linear", "embedding"]
    assert names(net.named_modules(remove_duplicate=False)) == ["", "rnn", "linear", "again", "embedding"]
    assert names(net.named_children()) == ["rnn", "linear", "embedding"]
    assert names(net.named_modules({net.rnn})) == ["", "linear", "embedding"]
    assert list(net.state_dict()) == ["scale", "mean", *NAMES[1:], *shared]
    assert "(again): Linear(" in repr(net)
    calls = []
    net.apply(calls.append)
    assert calls == [net.rnn, net.linear, net.embedding, net]


def test_a_shared_parameter_gets_the_sum_of_its_gradients():
    net = tied()
    x = tinyrnn.randn(5, 3)
    net.linear(x).sum().backward()
    once = net.linear.weight.grad.array.copy()
    net.embedding(x).sum().backward()
    assert net.embedding.weight.grad is net.linear.weight.grad
    np.testing.assert_allclose(net.linear.weight.grad.array, 2 * once)


def test_train_and_eval_reach_everything_below():
    net = Net()
    net.deeper = Net()
    assert net.eval() is net
    assert [module.training for module in net.modules()] == [False] * 6
    net.train()
    assert [module.training for module in net.modules()] == [True] * 6
    net.deeper.train(False)
    assert [module.training for module in net.modules()] == [True] * 3 + [False] * 3


def test_apply_goes_from_below_to_the_top():
    net, seen = Net(), []
    assert net.apply(seen.append) is net
    assert seen == [net.rnn, net.linear, net]


@pytest.mark.parametrize("set_to_none", [True, False])
def test_zero_grad(set_to_none):
    net = Net()
    net.zero_grad(set_to_none)  # nothing there yet
    assert all(p.grad is None for p in net.parameters())
    net(tinyrnn.randn(4, 1, 2)).sum().backward()
    kept = [p.grad for p in net.parameters()]
    assert all(g.array.any() for g in kept)
    net.zero_grad(set_to_none)
    for p, g in zip(net.parameters(), kept, strict=True):
        assert p.grad is (None if set_to_none else g)
        assert g.array.any() == set_to_none


def test_requires_grad_switches_all_parameters():
    net = Net()
    assert net.requires_grad_(False) is net
    assert not net(tinyrnn.randn(4, 1, 2)).requires_grad
    net.requires_grad_()
    assert all(p.requires_grad for p in net.parameters())
    assert not net.mean.requires_grad


CASTS = [
    (lambda net: net.double(), "float64"),
    (lambda net: net.double().float(), "float32"),
    (lambda net: net.to(tinyrnn.float64), "float64"),
    (lambda net: net.to("cpu", tinyrnn.float64), "float64"),
    (lambda net: net.to(tinyrnn.zeros(1, dtype=tinyrnn.float64)), "float64"),
    (lambda net: net.to(dtype=tinyrnn.float64, device="cpu"), "float64"),
    (lambda net: net.to("cpu"), "float32"),
]


@pytest.mark.parametrize(("cast", "dtype"), CASTS)
def test_a_cast_keeps_the_tensors_and_takes_gradients_and_buffers_along(cast, dtype):
    net = tied()
    net(tinyrnn.randn(4, 1, 2)).square().sum().backward()
    before = {name: (p, p.array.copy(), p.grad.array.copy()) for name, p in net.named_parameters()}
    assert cast(net) is net
    assert net.embedding.weight is net.linear.weight
    assert (net.mean.dtype, net.calls.dtype) == (dtype, "int64")
    for name, p in net.named_parameters():
        old, data, grad = before[name]
        assert p is old
        assert p.is_leaf
        assert p.requires_grad
        assert (p.dtype, p.grad.dtype) == (dtype, dtype)
        assert np.array_equal(p.array, data)
        assert np.array_equal(p.grad.array, grad)
    net.zero_grad()
    y = net(tinyrnn.randn(4, 1, 2, dtype=dtype))
    y.sum().backward()
    assert {y.dtype, *[p.grad.dtype for p in net.parameters()]} == {np.dtype(dtype)}


@pytest.mark.parametrize(
    ("arguments", "exception", "message"),
    [
        ((tinyrnn.int64,), TypeError, "to: a module's parameters cannot become int64, expected a floating dtype"),
        (("cuda",), ValueError, "to: device 'cuda' is not available"),
        ((3.5,), TypeError, "to: 3.5 is not a dtype"),
    ],
)
def test_a_cast_to_what_there_is_not_is_refused(arguments, exception, message):
    with pytest.raises(exception, match=re.escape(message)):
        Net().to(*arguments)


def test_state_dict_shows_the_memory_itself_outside_the_graph():
    net = Net()
    state = net.state_dict()
    assert all(np.shares_memory(state[name].array, p.array) for name, p in net.named_parameters())
    assert not any(tensor.requires_grad for tensor in state.values())
    state["scale"].fill_(7)
    assert net.scale.tolist() == [7, 7, 7]
    assert list(net.linear.state_dict(prefix="net.linear.")) == ["net.linear.weight", "net.linear.bias"]


def test_a_change_through_state_dict_is_counted():
    net = Net()
    loss = net(tinyrnn.randn(4, 1, 2)).sum()
    net.load_state_dict(net.state_dict())
    with pytest.raises(RuntimeError, match=r"'(linear|rnn|mul)' needs was changed in place"):
        loss.backward()


@pytest.mark.parametrize("form", ["tensors", "arrays", "lists", "float64"])
def test_load_state_dict_copies_the_numbers(form):
    source, net = Net(), Net()
    given = numbers(source)
    state = {
        "tensors": source.state_dict(),
        "arrays": given,
        "lists": {name: array.tolist() for name, array in given.items()},
        "float64": {name: array.astype(np.float64) for name, array in given.items()},
    }[form]
    places = dict(net.named_parameters())
    result = net.load_state_dict(state)
    assert result == ([], [])
    assert (result.missing_keys, result.unexpected_keys) == ([], [])
    assert same(numbers(net), given)
    assert all(p is places[name] and p.requires_grad and p.dtype == "float32" for name, p in net.named_parameters())
    net.scale.detach().zero_()
    assert same(numbers(source), given)


def test_the_buffers_that_are_not_persistent_stay_out_of_the_state():
    net, other = Net(), Net()
    net.calls.fill_(5)
    net.mean.fill_(5)
    other.load_state_dict(net.state_dict())
    assert other.calls.item() == 0
    assert other.mean.tolist() == [5, 5]


def test_not_strict_loads_what_fits_and_says_what_did_not():
    net, other = Net(), Net()
    state = {"extra": tinyrnn.zeros(1), **net.state_dict()}
    del state["linear.bias"], state["mean"]
    before = numbers(other)
    result = other.load_state_dict(state, strict=False)
    assert result.missing_keys == ["mean", "linear.bias"]
    assert result.unexpected_keys == ["extra"]
    after = numbers(other)
    assert same({k: after[k] for k in result.missing_keys}, {k: before[k] for k in result.missing_keys})
    assert np.array_equal(after["scale"], net.scale.array)


@pytest.mark.parametrize(
    ("change", "strict", "exception", "message"),
    [
        ({"linear.bias": None}, True, RuntimeError, "Net cannot take this: missing: linear.bias (strict=False loads"),
        ({"extra": 1.0}, True, RuntimeError, "Net cannot take this: unexpected: extra (strict=False loads the rest)"),
        ({"linear.bias": np.zeros(3)}, True, RuntimeError, "linear.bias has shape (3,), expected (2,)"),
        ({"linear.bias": np.zeros((2, 1))}, False, RuntimeError, "linear.bias has shape (2, 1), expected (2,)"),
        ({"linear.bias": "zeros"}, True, TypeError, "load_state_dict: linear.bias is a str, expected a tensor"),
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(change, strict, exception, message):
    net = Net()
    state = {name: array + 1 for name, array in numbers(Net()).items()} | change
    if state["linear.bias"] is None:
        del state["linear.bias"]
    before = numbers(net)
    with pytest.raises(exception, match=re.escape(message)):
        net.load_state_dict(state, strict)
    assert same(numbers(net), before)


def test_a_state_that_is_no_mapping_is_refused():
    with pytest.raises(TypeError, match="load_state_dict: got a list, expected a dict"):
        Net().load_state_dict([tinyrnn.zeros(1)])


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_a_copy_is_whole_and_independent(duplicate):
    net = tied().eval()
    net.register_buffer("late", tinyrnn.ones(1), persistent=False)
    other = duplicate(net)
    assert type(other) is Net
    assert same(numbers(other), numbers(net))
    assert names(other.named_parameters()) == NAMES
    assert other.embedding.weight is other.linear.weight
    assert other.again is other.linear
    assert all(type(p) is nn.Parameter and p.requires_grad and p.is_leaf for p in other.parameters())
    assert names(other.named_buffers()) == ["mean", "calls", "late"]
    assert not other.training
    assert repr(other) == repr(net)
    x = tinyrnn.randn(4, 1, 2)
    assert np.array_equal(other(x).array, net(x).array)
    before = numbers(net)
    for p in other.parameters():
        p.detach().zero_()
    assert same(numbers(net), before)


def test_a_deep_copy_has_a_copy_of_the_gradients():
    net = nn.Linear(3, 2)
    net(tinyrnn.randn(4, 3)).sum().backward()
    other = copy.deepcopy(net)
    assert np.array_equal(other.weight.grad.array, net.weight.grad.array)
    assert not np.shares_memory(other.weight.grad.array, net.weight.grad.array)


def test_repr_nests():
    class Loss(nn.Module):
        def extra_repr(self):
            return "a=1,\nb=2"

    net = Net()
    net.inner = Loss()
    net.inner.part = nn.MSELoss()
    net.last = Loss()
    assert repr(net).splitlines() == [
        "Net(",
        "  (rnn): RNN(2, 3)",
        "  (linear): Linear(in_features=3, out_features=2, bias=True)",
        "  (inner): Loss(",
        "    a=1,",
        "    b=2",
        "    (part): MSELoss()",
        "  )",
        "  (last): Loss(",
        "    a=1,",
        "    b=2",
        "  )",
        ")",
    ]
    assert repr(nn.Module()) == "Module()"


def test_a_cast_to_the_dtype_that_is_there_leaves_all_as_it_is():
    layer = nn.Linear(2, 1)
    array = layer.weight.array
    loss = (layer(tinyrnn.ones(3, 2)) ** 2).sum()
    layer.float()
    assert layer.weight.array is array
    with tinyrnn.no_grad():
        layer.weight.add_(1)
    x = tinyrnn.ones(3, 2, requires_grad=True)
    loss = layer(x).sum()
    layer.to(tinyrnn.float32)
    with tinyrnn.no_grad():
        layer.weight.add_(1)
    with pytest.raises(RuntimeError, match="changed in place"):
        loss.backward()


def test_a_part_cannot_take_the_name_of_a_method():
    module = nn.Module()
    for part in (nn.Linear(2, 2), nn.Parameter(tinyrnn.zeros(2))):
        with pytest.raises(AttributeError, match="'children' is a method of Module"):
            module.children = part


def test_a_buffer_that_was_deleted_is_a_plain_attribute_when_it_comes_again():
    module = nn.Module()
    module.register_buffer("b", tinyrnn.zeros(2))
    del module.b
    module.b = 3
    assert module.b == 3
    assert list(module.buffers()) == []


def test_a_buffer_that_was_computed_is_cast_without_a_warning():
    layer = nn.Linear(2, 2)
    layer.register_buffer("h", tinyrnn.ones(2, requires_grad=True) * 2)
    assert layer.double().h.dtype == tinyrnn.float64


def test_parts_are_found_by_their_paths():
    net = Net()
    net.inner = Net()
    assert net.get_submodule("") is net
    assert net.get_submodule("inner.linear") is net.inner.linear
    assert net.get_parameter("inner.linear.weight") is net.inner.linear.weight
    assert net.get_parameter("scale") is net.scale
    assert net.get_buffer("inner.mean") is net.inner.mean


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda net: net.get_submodule("linear.deep"), "get_submodule: 'linear.deep': Linear has no module 'deep'"),
        (lambda net: net.get_submodule("scale"), "get_submodule: 'scale': Net has no module 'scale'"),
        (lambda net: net.get_parameter("linear.size"), "get_parameter: 'linear.size': Linear has no parameter 'size'"),
        (lambda net: net.get_parameter("mean"), "get_parameter: 'mean': Net has no parameter 'mean'"),
        (lambda net: net.get_buffer("scale"), "get_buffer: 'scale': Net has no buffer 'scale'"),
        (lambda net: net.set_submodule("new", nn.Tanh(), strict=True), "Net has no module 'new'"),
        (lambda net: net.set_submodule("scale", nn.Tanh()), "Net has no module 'scale'"),
    ],
)
def test_paths_that_lead_nowhere_are_refused(call, message):
    with pytest.raises(AttributeError, match=re.escape(message)):
        call(Net())


def test_a_part_is_set_by_its_path():
    net = nn.Sequential(nn.Sequential(nn.Linear(2, 2), nn.Tanh()))
    new = nn.ReLU()
    net.set_submodule("0.1", new)
    assert net[0][1] is new
    net.set_submodule("0.extra", nn.Tanh())
    assert [name for name, _ in net[0].named_children()] == ["0", "1", "extra"]
    for arguments in (("", new), ("0.1", 3)):
        with pytest.raises(ValueError, match=r"set_submodule: got .*, expected a path and a module"):
            net.set_submodule(*arguments)


def test_half_and_type():
    net = Net()
    assert net.half() is net
    assert (net.scale.dtype, net.mean.dtype, net.calls.dtype) == ("float16", "float16", "int64")
    net.type(tinyrnn.float64)
    assert (net.scale.dtype, net.mean.dtype, net.calls.dtype) == ("float64", "float64", "float64")
    assert net.scale.is_leaf
    assert net.scale.requires_grad


def test_there_is_one_device():
    net = Net()
    assert net.cpu() is net
    assert net.to("cpu", non_blocking=True) is net
    for arguments in ((), (0,), ("cuda:1",)):
        with pytest.raises(ValueError, match=r"cuda: device 'cuda.*' is not available: tinyrnn runs on the CPU"):
            net.cuda(*arguments)


def test_a_class_may_print_under_another_name():
    class Other(nn.Module):
        def _get_name(self):
            return "Mine"

    assert repr(Other()) == "Mine()"


def test_tied_weights_are_one_parameter():
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder = nn.Embedding(5, 3)
            self.decoder = nn.Linear(3, 5)
            self.decoder.weight = self.encoder.weight

    model = Model()
    assert names(model.named_parameters()) == ["encoder.weight", "decoder.bias"]
    model.decoder(model.encoder(tinyrnn.tensor([1, 1, 2]))).sum().backward()
    assert model.decoder.weight.grad is model.encoder.weight.grad
    assert list(model.state_dict()) == ["encoder.weight", "decoder.weight", "decoder.bias"]
    other = copy.deepcopy(model)
    assert other.decoder.weight is other.encoder.weight


@pytest.mark.parametrize(
    "path",
    [
        "module.Module",
        "linear.Linear",
        "linear.Identity",
        "linear.Bilinear",
        "activation.Tanh",
        "activation.LogSoftmax",
        "container.Sequential",
        "container.ModuleList",
        "container.ModuleDict",
        "container.ParameterList",
        "container.ParameterDict",
        "sparse.Embedding",
        "batchnorm.BatchNorm1d",
        "normalization.LayerNorm",
        "dropout.Dropout",
        "flatten.Flatten",
    ],
)
def test_torchs_long_paths_lead_to_the_same_classes(path):
    file, name = path.split(".")
    assert getattr(getattr(nn.modules, file), name) is getattr(nn, name)


def test_a_part_may_refuse_to_be_trained():
    class Frozen(nn.BatchNorm1d):
        def train(self, mode=True):
            return super().train(False)

    net = nn.Sequential(Frozen(2), nn.Sequential(nn.Dropout(0.5), Frozen(2)))
    assert net.train() is net
    assert [module.training for module in net.modules()] == [True, False, True, True, False]
    net.eval()
    assert not any(module.training for module in net.modules())
