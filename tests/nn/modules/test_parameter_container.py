"""ParameterList and ParameterDict: as lists and dicts, as torch's, and how they print."""

import copy
import pickle
import re
from collections import OrderedDict

import numpy as np
import pytest

import tinyrnn
from tinyrnn import nn


def test_a_list_of_parameters():
    ps = nn.ParameterList([tinyrnn.zeros(2, 3), nn.Parameter(tinyrnn.ones(3)), "a word"])
    assert [type(p) for p in ps] == [nn.Parameter, nn.Parameter, str]
    assert [name for name, _ in ps.named_parameters()] == ["0", "1"]
    assert ps[-1] == "a word"
    ps[2] = tinyrnn.ones(1)
    assert type(ps[2]) is nn.Parameter
    assert ps.append(tinyrnn.ones(4)) is ps
    ps += [tinyrnn.ones(5)]
    ps.extend(iter([tinyrnn.ones(6)]))
    assert len(ps) == 6
    part = ps[1:3]
    assert type(part) is nn.ParameterList
    assert part[0] is ps[1]
    assert list(ps.state_dict()) == [str(k) for k in range(6)]
    assert "0" not in dir(ps)


def test_a_dict_of_parameters():
    ps = nn.ParameterDict({"b": tinyrnn.ones(2), "a": nn.Parameter(tinyrnn.zeros(3))})
    assert list(ps) == ["a", "b"]  # torch sorts a plain dict
    assert list(nn.ParameterDict([("b", tinyrnn.ones(2)), ("a", tinyrnn.ones(1))])) == ["b", "a"]
    assert list(nn.ParameterDict(OrderedDict(b=1, a=2))) == ["b", "a"]
    assert type(ps["b"]) is nn.Parameter
    assert ps.b is ps["b"]
    assert "b" in ps
    assert list(reversed(ps)) == ["b", "a"]
    assert ps.get("z") is None
    assert ps.get("z", 3) == 3
    assert ps.get("a") is ps.a
    assert ps.setdefault("c", tinyrnn.ones(1)) is ps["c"]
    assert ps.setdefault("c", tinyrnn.ones(9)).shape == (1,)
    assert list(ps.keys()) == ["a", "b", "c"]
    assert [id(p) for p in ps.values()] == [id(p) for _, p in ps.items()]
    assert [name for name, _ in ps.named_parameters()] == ["a", "b", "c"]
    assert ps.popitem()[0] == "c"
    other = ps.copy()
    assert other["a"] is ps["a"]
    assert ps.pop("a") is other["a"]
    assert list(ps) == ["b"]
    both = ps | nn.ParameterDict({"x": tinyrnn.ones(1)})
    assert list(both) == ["b", "x"]
    assert list({"q": tinyrnn.ones(1)} | ps) == ["q", *ps]
    ps |= {"y": tinyrnn.ones(1)}
    assert list(ps) == ["b", "y"]
    assert list(ps.fromkeys(["m", "n"], 0)) == ["m", "n"]
    ps.clear()
    assert len(ps) == 0


class Net(nn.Module):
    """One of each."""

    def __init__(self):
        super().__init__()
        self.list = nn.ParameterList([tinyrnn.ones(2) for _ in range(2)])
        self.dict = nn.ParameterDict({"w": tinyrnn.ones(2)})


def test_gradients_reach_them():
    net = Net()
    (net.list[0] * net.list[1] * 3 * net.dict["w"]).sum().backward()
    assert {name: p.grad.tolist() for name, p in net.named_parameters()} == {
        name: [3, 3] for name in ("list.0", "list.1", "dict.w")
    }
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert repr(other) == repr(net)
        assert np.array_equal(other.dict["w"].array, net.dict["w"].array)
        assert other.double().list[1].dtype == tinyrnn.float64


@pytest.mark.parametrize(
    "made",
    [
        "ParameterList()",
        "ParameterList([m.zeros(2, 3)])",
        "ParameterList([m.zeros(2, 3), m.zeros(()), m.zeros(2, dtype=m.float64), 'word'])",
        "ParameterDict()",
        "ParameterDict({'a': m.zeros(2, 3)})",
        "ParameterDict({'b': m.zeros(2, 3), 'a': m.zeros(2, dtype=m.float64), 'c': 5})",
        "ModuleList([m.nn.ParameterList([m.zeros(2), m.zeros(3)])])",
    ],
)
def test_repr_and_state_as_torchs(torch, made):
    ours, theirs = (eval(f"m.nn.{made}", {"m": m}) for m in (tinyrnn, torch))
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())


@pytest.mark.parametrize(
    ("call", "exception", "message"),
    [
        (lambda: nn.ParameterList(tinyrnn.ones(3)), TypeError, "ParameterList.extend: got a Tensor, expected several"),
        (lambda: nn.ParameterList()[0], IndexError, "ParameterList: index 0 is out of range for 0 elements"),
        (lambda: nn.ParameterList([1])(), RuntimeError, "ParameterList: it cannot be called"),
        (lambda: nn.ParameterDict({"a": 1})(), RuntimeError, "ParameterDict: it cannot be called"),
        (lambda: nn.ParameterDict({3: 1}), TypeError, "ParameterDict: the name is a int, expected a string"),
        (lambda: nn.ParameterDict({"keys": 1}), KeyError, "'keys' is an attribute of every ParameterDict"),
        (lambda: nn.ParameterDict({"a": 1})["b"], KeyError, "b"),
        (lambda: nn.ParameterDict().popitem(), KeyError, "ParameterDict.popitem: there is nothing in it"),
        (lambda: nn.ParameterDict([1]), TypeError, "ParameterDict.update: got a int, expected (name, value) pairs"),
    ],
)
def test_what_does_not_fit_is_refused(call, exception, message):
    with pytest.raises(exception, match=re.escape(message)):
        call()
