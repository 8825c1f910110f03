"""The dicts _parameters, _buffers and _modules, through which torch programs look at a module, and change it."""

import pytest

import tinyrnn
from tinyrnn import nn


def test_they_show_what_there_is():
    layer = nn.BatchNorm1d(2)
    layer.extra = nn.Tanh()
    assert list(layer._parameters) == ["weight", "bias"]
    assert layer._parameters["weight"] is layer.weight
    assert list(layer._buffers) == ["running_mean", "running_var", "num_batches_tracked"]
    assert list(layer._modules.items()) == [("extra", layer.extra)]
    assert repr(layer._modules) == "{'extra': Tanh()}"
    assert len(layer._parameters) == 2
    assert "weight" in layer._parameters
    assert "weight" not in layer._buffers


def test_what_is_changed_there_changes_here():
    layer = nn.Linear(2, 2)
    new = nn.Parameter(tinyrnn.ones(2, 2))
    layer._parameters["weight"] = new
    assert layer.weight is new
    layer._parameters["second"] = new
    assert layer.second is new
    del layer._parameters["weight"]
    assert not hasattr(layer, "weight")
    layer._buffers["count"] = tinyrnn.zeros(1)
    assert list(layer.state_dict()) == ["bias", "second", "count"]
    layer._modules["part"] = nn.Tanh()
    assert list(layer.children()) == [layer.part]
    with pytest.raises(KeyError, match="zz"):
        del layer._parameters["zz"]
    with pytest.raises(TypeError, match="register_parameter: 'w' is a Tensor, expected Parameter"):
        layer._parameters["w"] = tinyrnn.ones(2)


def test_a_name_that_stands_for_none_can_be_asked_for():
    layer = nn.Linear(2, 2, bias=False)
    assert layer._parameters["bias"] is None
    assert list(layer._parameters) == ["weight"]
    with pytest.raises(KeyError, match="in_features"):
        layer._parameters["in_features"]
