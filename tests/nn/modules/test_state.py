"""state_dict and load_state_dict: what test_module.py does not try, destinations, prefixes and assignment."""

from collections import OrderedDict

import numpy as np
import pytest

import tinyrnn
from tinyrnn import nn


def model():
    net = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    net.register_buffer("late", tinyrnn.ones(1), persistent=False)
    return net


def test_it_is_an_ordered_dict_of_what_torchs_is(torch):
    theirs = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    state = model().state_dict()
    assert type(state) is OrderedDict
    assert list(state) == list(theirs.state_dict())
    net = model()
    assert net.load_state_dict({name: x.numpy() for name, x in theirs.state_dict().items()}) == ([], [])
    assert np.array_equal(net[0].weight.array, theirs[0].weight.detach().numpy())


def test_destination_prefix_and_keep_vars():
    net, given = model(), {"first": 1}
    assert net.state_dict(destination=given, prefix="net.") is given
    assert list(given)[:3] == ["first", "net.0.weight", "net.0.bias"]
    assert list(net[0].state_dict(prefix="a_")) == ["a_weight", "a_bias"]
    state = net.state_dict(keep_vars=True)
    assert state["0.weight"] is net[0].weight
    assert state["1.running_mean"] is net[1].running_mean
    assert not net.state_dict()["0.weight"].requires_grad


def test_assignment_takes_the_tensors_themselves():
    net = model()
    weight, bias = net[0].weight, net[0].bias.requires_grad_(False)
    state = {name: tensor.detach().to(tinyrnn.float64) * 2 for name, tensor in net.state_dict().items()}
    expected = {name: tensor.array for name, tensor in state.items()}
    assert net.load_state_dict(state, assign=True) == ([], [])
    assert type(net[0].weight) is nn.Parameter
    assert net[0].weight is not weight
    assert net[0].weight.dtype == tinyrnn.float64
    assert net[0].weight.requires_grad
    assert not net[0].bias.requires_grad
    assert bias is not net[0].bias
    assert all(net.state_dict()[name].array is array for name, array in expected.items())
    mine = nn.Parameter(tinyrnn.ones(2, 3))
    net[0].load_state_dict({"weight": mine, "bias": np.ones(2)}, assign=True)
    assert net[0].weight is mine
    assert net[0].bias.tolist() == [1, 1]


def test_an_assignment_that_does_not_fit_changes_nothing():
    net = model()
    before = dict(net.named_parameters())
    with pytest.raises(RuntimeError, match=r"missing: 0\.bias"):
        net.load_state_dict({"0.weight": tinyrnn.ones(2, 3)}, assign=True)
    assert all(p is before[name] for name, p in net.named_parameters())
    state = {**net.state_dict(), "0.weight": tinyrnn.ones(2, 3), "0.bias": tinyrnn.tensor([1, 2])}
    with pytest.raises(TypeError, match=r"load_state_dict: 0\.bias is int64, and cannot carry the gradient"):
        net.load_state_dict(state, assign=True)
    assert all(p is before[name] for name, p in net.named_parameters())


def test_nothing_is_copied_if_one_place_is_read_only():
    net = nn.Linear(2, 2)
    net.register_buffer("fixed", tinyrnn.zeros(1).expand(3))
    weight = net.weight.array.copy()
    with pytest.raises(RuntimeError, match="fixed is read-only here"):
        net.load_state_dict({"weight": np.ones((2, 2)), "bias": np.ones(2), "fixed": np.ones(3)})
    assert np.array_equal(net.weight.array, weight)


def test_the_answer_prints_as_torchs(torch):
    for m in (tinyrnn, torch):
        layer = m.nn.Linear(1, 1)
        state = layer.state_dict()
        assert (
            repr(layer.load_state_dict(state)) == str(layer.load_state_dict(state)) == "<All keys matched successfully>"
        )
        state["x"] = state.pop("bias")
        printed = "_IncompatibleKeys(missing_keys=['bias'], unexpected_keys=['x'])"
        assert repr(layer.load_state_dict(state, strict=False)) == printed


class Counting(nn.Linear):
    """A part with a state that is no tensor, and an entry of its own."""

    steps = 0

    def get_extra_state(self):
        return {"steps": self.steps}

    def set_extra_state(self, state):
        self.steps = state["steps"]

    def state_dict(self, *args, destination=None, prefix="", keep_vars=False):
        state = super().state_dict(*args, destination=destination, prefix=prefix, keep_vars=keep_vars)
        state[prefix + "note"] = tinyrnn.ones(1)
        return state


def test_a_part_adds_to_the_state_what_its_own_methods_say():
    net = nn.Sequential(nn.Tanh(), Counting(2, 2))
    net[1].steps = 7
    state = net.state_dict()
    assert list(state) == ["1.weight", "1.bias", "1._extra_state", "1.note"]
    other = nn.Sequential(nn.Tanh(), Counting(2, 2))
    assert other.load_state_dict(state, strict=False) == ([], ["1.note"])
    assert other[1].steps == 7
    assert other.load_state_dict({"1.weight": state["1.weight"]}, strict=False).missing_keys == [
        "1.bias",
        "1._extra_state",
    ]
    with pytest.raises(RuntimeError, match=r"missing: 1\.bias, 1\._extra_state"):
        other.load_state_dict({"1.weight": state["1.weight"]})
