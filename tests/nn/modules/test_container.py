"""Sequential, ModuleList and ModuleDict: as lists and dicts, as torch's, and how they print."""

import copy
import pickle
import re
from collections import OrderedDict

import numpy as np
import pytest

import tinyrnn
from tinyrnn import nn


def names(module):
    return [name for name, _ in module.named_children()]


def net():
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))


def test_sequential_calls_one_after_another():
    model, x = net(), tinyrnn.randn(5, 3)
    assert np.array_equal(model(x).detach().array, model[2](model[1](model[0](x))).detach().array)
    assert list(model.state_dict()) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert nn.Sequential()(x) is x


def test_sequential_of_names():
    model = nn.Sequential(OrderedDict([("first", nn.Linear(3, 4)), ("act", nn.Tanh())]))
    assert names(model) == ["first", "act"]
    assert model.act is model[1]
    assert model[-1] is model.act
    part = model[:1]
    assert type(part) is nn.Sequential
    assert names(part) == ["first"]
    assert part.first is model.first
    assert repr(model) == (
        "Sequential(\n  (first): Linear(in_features=3, out_features=4, bias=True)\n  (act): Tanh()\n)"
    )


def test_a_subclass_of_sequential():
    class Net(nn.Sequential):
        def __init__(self):
            super().__init__(nn.Linear(2, 2), nn.ReLU())
            self.extra = nn.Linear(2, 1)

    model = Net()
    assert len(model) == 3
    assert model(tinyrnn.ones(4, 2)).shape == (4, 1)
    assert repr(model).startswith("Net(\n  (0): Linear(")


# each works on a Sequential or ModuleList of the letters' modules, and on a list of letters
EDITS = [
    lambda c, new: c.append(new),
    lambda c, new: c.insert(0, new),
    lambda c, new: c.insert(2, new),
    lambda c, new: c.insert(-1, new),
    lambda c, new: c.insert(4, new),
    lambda c, new: c.__setitem__(1, new),
    lambda c, new: c.__setitem__(-1, new),
    lambda c, new: c.__delitem__(0),
    lambda c, new: c.__delitem__(-2),
    lambda c, new: c.__delitem__(slice(1, 3)),
    lambda c, new: c.__delitem__(slice(None, None, 2)),
    lambda c, new: c.pop(1),
    lambda c, new: c.pop(-1),
    lambda c, new: c.extend([new, new]),
    lambda c, new: c.__iadd__(nn.Sequential(new) if isinstance(c, nn.Sequential) else [new]),
]


@pytest.mark.parametrize("kind", [nn.Sequential, nn.ModuleList])
@pytest.mark.parametrize("edit", EDITS)
def test_it_changes_as_a_list_does(kind, edit):
    modules = [nn.Linear(1, k + 1) for k in range(4)]
    container = kind(*modules) if kind is nn.Sequential else kind(modules)
    expected, new = list(modules), nn.Linear(1, 9)
    edit(container, new)
    edit(expected, new)
    assert [id(m) for m in container] == [id(m) for m in expected]
    assert len(container) == len(expected)
    assert [name for name, _ in container._modules.items()] == [str(k) for k in range(len(expected))]
    assert [id(container[k]) for k in range(-len(expected), len(expected))] == [id(m) for m in expected * 2]


@pytest.mark.parametrize("kind", [nn.Sequential, nn.ModuleList])
def test_slices_are_of_the_same_modules(kind):
    modules = [nn.Linear(1, k + 1) for k in range(4)]
    container = kind(*modules) if kind is nn.Sequential else kind(modules)
    for index in (slice(1, 3), slice(None, None, -1), slice(-2, None), slice(9, None)):
        part = container[index]
        assert type(part) is kind
        assert [id(m) for m in part] == [id(m) for m in modules[index]]
    assert container.pop(slice(1, 3))[0] is modules[1]
    assert [id(m) for m in container] == [id(modules[0]), id(modules[3])]
    assert container.append(modules[1]) is container


def test_sums_and_products():
    a, b = net(), nn.Sequential(nn.ReLU())
    both = a + b
    assert [id(m) for m in both] == [id(m) for m in [*a, *b]]
    assert names(both) == ["0", "1", "2", "3"]
    twice = b * 2
    assert len(twice) == len(2 * b) == 2
    assert twice[0] is twice[1] is b[0]
    b *= 3
    assert len(b) == 3
    a += b
    assert len(a) == 6
    first, second = nn.ModuleList([nn.Tanh()]), [nn.ReLU()]
    lists = first + second
    assert type(lists) is nn.ModuleList
    assert repr(lists) == "ModuleList(\n  (0): Tanh()\n  (1): ReLU()\n)"
    with pytest.raises(TypeError, match="unsupported operand"):
        a + second
    with pytest.raises(ValueError, match="Sequential: cannot be repeated 0 times"):
        a * 0


def test_module_list_registers_parameters_and_has_no_forward():
    layers = nn.ModuleList(nn.Linear(2, 2) for _ in range(3))
    assert len(list(layers.parameters())) == 6
    assert list(layers.state_dict())[:2] == ["0.weight", "0.bias"]
    with pytest.raises(NotImplementedError, match="ModuleList has no forward"):
        layers(1)
    assert "0" not in dir(layers)
    assert "append" in dir(layers)


def test_a_module_that_stands_twice_counts_once():
    layer = nn.Linear(2, 2)
    layers = nn.ModuleList([layer, layer])
    assert len(layers) == 2
    assert len(list(layers.parameters())) == 2
    assert list(layers.state_dict()) == ["0.weight", "0.bias", "1.weight", "1.bias"]


def test_module_dict_is_a_dict():
    d = nn.ModuleDict({"b": nn.Tanh(), "a": nn.Linear(2, 3)})
    assert list(d) == list(d.keys()) == ["b", "a"]
    assert [id(m) for m in d.values()] == [id(d["b"]), id(d["a"])]
    assert dict(d.items())["a"] is d.a
    assert "a" in d
    assert "c" not in d
    d["c"] = nn.ReLU()
    d.update({"a": nn.Linear(1, 1)})
    d.update([("e", nn.Tanh())])
    d.update(nn.ModuleDict({"f": nn.Tanh()}))
    assert list(d) == ["b", "a", "c", "e", "f"]
    assert d["a"].in_features == 1
    assert type(d.pop("c")) is nn.ReLU
    del d["e"], d["f"]
    assert len(d) == 2
    assert list(d.state_dict()) == ["a.weight", "a.bias"]
    assert repr(d) == "ModuleDict(\n  (b): Tanh()\n  (a): Linear(in_features=1, out_features=1, bias=True)\n)"
    d.clear()
    assert len(d) == 0
    with pytest.raises(KeyError, match="zz"):
        d["zz"]
    with pytest.raises(KeyError, match="zz"):
        del d["zz"]


def test_containers_are_copied_and_pickled_whole():
    model = nn.ModuleDict({"a": nn.ModuleList([net(), net()])})
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert repr(other) == repr(model)
        assert all(np.array_equal(x.array, model.state_dict()[name].array) for name, x in other.state_dict().items())
        assert other["a"][0][0].weight is not model["a"][0][0].weight


MODELS = [
    "ModuleList([])",
    "ModuleList([nn.Linear(2, 2), nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 2)])",
    "ModuleList([nn.Sequential(nn.Linear(2, 2), nn.Tanh()) for _ in range(3)])",
    "ModuleList([nn.ModuleList([nn.Linear(2, 2)] * 2), nn.ModuleList([nn.Linear(2, 2)] * 2), nn.ReLU()])",
    "Sequential(nn.ModuleDict({'b': nn.Tanh(), 'a': nn.ModuleList()}), nn.Sequential())",
    "ModuleDict([('x', nn.Linear(1, 1)), ['y', nn.Sequential(nn.ReLU())]])",
    "Sequential(nn.Linear(1, 2), nn.Linear(1, 2)) * 2",
    "Sequential(OrderedDict([('x', nn.Linear(1, 1))]))",
]


@pytest.mark.parametrize("made", MODELS)
def test_repr_and_state_as_torchs(torch, made):
    ours = eval(f"nn.{made}", {"nn": nn, "OrderedDict": OrderedDict})
    theirs = eval(f"nn.{made}", {"nn": torch.nn, "OrderedDict": OrderedDict})
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())


@pytest.mark.parametrize(
    ("call", "exception", "message"),
    [
        (lambda: nn.Sequential(nn.Tanh(), 3), TypeError, "Sequential: got a int, expected a Module"),
        (lambda: nn.Sequential([nn.Tanh()]), TypeError, "Sequential: got a list, expected a Module"),
        (lambda: nn.ModuleList([nn.Tanh(), None]), TypeError, "ModuleList: got a NoneType, expected a Module"),
        (lambda: nn.ModuleList(3), TypeError, "ModuleList.extend: got a int, expected several modules"),
        (lambda: nn.ModuleList()[0], IndexError, "ModuleList: index 0 is out of range for 0 elements"),
        (lambda: net()[3], IndexError, "Sequential: index 3 is out of range for 3 elements"),
        (lambda: net().insert(5, nn.Tanh()), IndexError, "Sequential.insert: index 5 is out of range for 3 modules"),
        (lambda: net().append(3), TypeError, "Sequential: got a int, expected a Module"),
        (
            lambda: nn.Sequential(OrderedDict(a=nn.Tanh())).insert(0, nn.Tanh()),
            KeyError,
            "Sequential.insert: the modules have names, ['a'], expected numbers",
        ),
        (lambda: nn.ModuleDict({"a": 3}), TypeError, "ModuleDict: got a int, expected a Module"),
        (lambda: nn.ModuleDict({"a.b": nn.Tanh()}), KeyError, "the name is 'a.b', expected a string without dots"),
        (lambda: nn.ModuleDict({"keys": nn.Tanh()}), KeyError, "ModuleDict has an attribute 'keys' already"),
        (lambda: nn.ModuleDict(3), TypeError, "ModuleDict.update: got a int, expected a mapping or"),
        (lambda: nn.ModuleDict([3]), TypeError, "ModuleDict.update: got a int, expected (name, value) pairs"),
        (lambda: nn.ModuleDict([(3,)]), ValueError, "ModuleDict.update: got 1 values, expected (name, value) pairs"),
    ],
)
def test_what_does_not_fit_is_refused(call, exception, message):
    with pytest.raises(exception, match=re.escape(message)):
        call()


def test_a_bad_extension_changes_nothing():
    layers = nn.ModuleList([nn.Tanh()])
    with pytest.raises(TypeError, match="ModuleList: got a int"):
        layers.extend([nn.Tanh(), 3])
    assert len(layers) == 1
