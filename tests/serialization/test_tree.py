"""Descriptions: what comes back is what was described, to the bit, and nothing else can be made of one."""

from __future__ import annotations

import json
import math
import struct
from collections import Counter, OrderedDict, defaultdict, namedtuple
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import tinyrnn
from tinyrnn import Tensor, nn
from tinyrnn.serialization.tree import Description, OpaqueError, build


def around(obj: Any) -> Any:
    """What comes back of `obj`, by way of JSON."""
    described = Description(obj)
    tree, tensors = json.loads(json.dumps([described.tree, described.tensors], allow_nan=False))
    return build(tree, tensors, lambda name: described.arrays[name].copy())


def same(a: Any, b: Any) -> bool:
    """Equal in type and to the bit, all the way down; but a float that is NaN is any NaN."""
    if type(a) is not type(b):
        return False
    if isinstance(a, Tensor):
        return a.requires_grad == b.requires_grad and same(a.detach().numpy(), b.detach().numpy())
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, np.generic):
        padded = a.dtype == np.longdouble  # 10 of its 16 bytes count
        return a.dtype == b.dtype and (bool(a == b) if padded else a.tobytes() == b.tobytes())
    if isinstance(a, dict):
        return same(list(a), list(b)) and same(list(a.values()), list(b.values()))
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float):
        return struct.pack("d", a) == struct.pack("d", b) or (math.isnan(a) and math.isnan(b))
    if isinstance(a, complex):
        return same((a.real, a.imag), (b.real, b.imag))
    return bool(a == b)


PLAIN: list[Any] = [
    *(None, True, False, 0, -1, 2**63, -(10**400), 10**5000, "", "é\0\n\ud800", b"", b"\0\xff", bytearray(b"x")),
    *(0.0, -0.0, 0.1, 5e-324, 1.7976931348623157e308, math.inf, -math.inf, math.nan, 1 / 3),
    *(1j, complex(-0.0, math.nan), complex(math.inf, 0.1)),
    *([], (), {}, set(), frozenset({1, "a"}), {(1, 2.5), None}, OrderedDict(b=1, a=2), Counter("aab")),
    *({1: "int", "1": "str", 1.5: 2, None: 0, (1, "x"): [], b"k": 1, True + 1: "two"}, {"z": 1, "a": 2, "m": [{}]}),
    *([1, [2, (3, [4, ()])]], {"tensor": 0}, {"dict": [["a", 1]]}, [{"array": "x"}]),  # these look like descriptions
    *(np.float32(0.1), np.float64("nan"), np.int8(-3), np.uint64(2**64 - 1), np.bool_(True), np.float16(-0.0)),
    *(
        np.complex64(1 - 2j),
        np.str_("aé"),
        np.str_(""),
        np.bytes_(b"ab"),
        np.datetime64("2020-01-02"),
        np.longdouble(1) / 3,
    ),
    *(
        tinyrnn.float32,
        np.dtype("int64"),
        np.dtype(">f4"),
        np.dtype("<U3"),
        tinyrnn.Size((2, 3)),
        tinyrnn.device("cpu"),
    ),
]


@pytest.mark.parametrize("value", PLAIN, ids=lambda value: type(value).__name__)
def test_plain_values(value: Any) -> None:
    assert same(around(value), value)
    assert same(around({"k": [value, (value,)]}), {"k": [value, (value,)]})


leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.binary(max_size=5)
    | st.complex_numbers()
    | hnp.arrays(hnp.scalar_dtypes(), hnp.array_shapes(min_dims=0, min_side=0, max_dims=3, max_side=3))
)
keys = st.text(max_size=3) | st.integers() | st.tuples(st.integers(), st.booleans())


@given(
    st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner) | st.dictionaries(keys, inner, max_size=3),
    )
)
def test_any_tree(tree: Any) -> None:
    assert same(around(tree), tree)


@pytest.mark.parametrize("dtype", ["?", "b", "B", "h", "H", "i", "I", "q", "Q", "e", "f", "d", "F", "D"])
def test_tensors_of_every_dtype(dtype: str) -> None:
    x = tinyrnn.from_numpy(np.array([[1, 0, 3], [0, 1, 1]]).astype(dtype))
    assert same(around(x), x)


def test_tensors_and_parameters() -> None:
    leaf = tinyrnn.randn(2, 3, requires_grad=True)
    tree = {
        "leaf": leaf,
        "computed": leaf * 2,
        "plain": tinyrnn.arange(3),
        "0-d": tinyrnn.tensor(1.5),
        "empty": tinyrnn.zeros(0, 4),
        "turned": leaf.detach().t(),
        "stepped": tinyrnn.arange(10)[::3],
        "parameter": nn.Parameter(tinyrnn.ones(2)),
        "frozen": nn.Parameter(tinyrnn.ones(2), requires_grad=False),
    }
    loaded = around(tree)
    assert same(loaded, tree)
    assert loaded["leaf"].is_leaf
    assert loaded["computed"].is_leaf  # as torch loads it
    assert loaded["computed"].requires_grad


def test_what_was_one_stays_one() -> None:
    w, x = tinyrnn.randn(3), np.arange(2)
    tied = nn.Parameter(w)
    loaded = around({"a": w, "b": w, "view": w.detach(), "tied": tied, "x": x, "y": [x], "copy": w.clone()})
    assert loaded["a"] is loaded["b"]
    assert loaded["x"] is loaded["y"][0]
    loaded["view"].mul_(0)
    assert loaded["a"].tolist() == loaded["tied"].tolist() == [0, 0, 0]
    assert loaded["copy"].tolist() == w.tolist()
    two = around([tinyrnn.zeros(0), tinyrnn.zeros(0)])
    assert two[0] is not two[1]


def test_changes_of_shared_memory_are_counted_for_both() -> None:
    x = tinyrnn.ones(2)
    a, b = around([x, x.detach()])
    weight = tinyrnn.ones(2, requires_grad=True)
    y = (weight * a).sum()
    b.add_(1)
    with pytest.raises(RuntimeError, match="mul"):
        y.backward()


def test_arrays_are_named_by_their_places() -> None:
    x = {k: np.arange(n) for n, k in enumerate(["rnn.weight_ih_l0", "../up", "a b", "", "x" * 300, ".hidden", "é"])}
    names = list(Description({"model": x, 3: np.ones(9), "model/3": np.ones(8)}).arrays)
    assert names == [
        "model/rnn.weight_ih_l0",
        *[f"array_{n}" for n in range(1, 7)],
        "3",
        "model/3",
    ]
    assert list(Description([np.ones(2), {"array_0": np.ones(3)}, np.ones(4)]).arrays) == ["0", "1/array_0", "2"]
    assert list(Description({"../a": np.ones(1), "array_0": np.ones(2)}).arrays) == ["array_0", "array_0_"]


Pair = namedtuple("Pair", "a b")


class Words(str):
    pass


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (nn.Linear(1, 1), r"a tinyrnn\.nn\.modules\.linear\.Linear"),
        (Pair(1, 2), r"Pair"),
        (defaultdict(list), r"a collections\.defaultdict"),
        (Words("a"), "Words"),
        (Path("x"), "Path"),
        (len, r"a builtins\.builtin_function_or_method"),
        (np.array([None]), r"a numpy\.ndarray"),
        (np.zeros(2, "i4,f4"), r"a numpy\.ndarray"),
        (np.ma.masked_array([1]), "MaskedArray"),
        (range(3), r"a builtins\.range"),
    ],
)
def test_what_only_pickle_can_describe(value: Any, found: str) -> None:
    with pytest.raises(OpaqueError, match=rf"{found}$"):
        Description(value)
    with pytest.raises(OpaqueError, match=rf"{found} at \['x'\]\[1\]$"):
        Description({"x": (0, value)})


def test_what_holds_itself() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(OpaqueError, match="nested more than 100 deep"):
        Description(loop)
    deep: Any = 1
    for _ in range(100):
        deep = [deep]
    assert around(deep) == deep


WRONG: list[Any] = [
    {"object": 1},
    {},
    {"tuple": [], "list": []},
    {"tuple": 3},
    {"dict": [["a"]]},
    {"dict": [[[], 1]]},
    {"set": [[]]},
    {"tensor": 5},
    {"tensor": "x"},
    {"array": "missing"},
    {"array": []},
    {"float": "1.5"},
    {"int": "zz"},
    {"int": 3},
    {"complex": [1]},
    {"bytes": 3},
    {"scalar": ["O", "00"]},
    {"scalar": ["<f4", "00"]},
    {"scalar": ["<f4", "zz"]},
    {"scalar": []},
    {"dtype": "O"},
    {"dtype": "i4,f4"},
    {"dtype": "no such"},
    {"device": "cuda"},
    {"__class__": "os.system"},
]


@pytest.mark.parametrize("tree", WRONG, ids=str)
def test_what_is_no_description(tree: Any) -> None:
    with pytest.raises((LookupError, TypeError, ValueError, ArithmeticError, AttributeError)):
        build([tree], [], {"x": np.ones(2)}.__getitem__)


@pytest.mark.parametrize(
    "tensors", [3, [3], [["x"]], [["x", True, "Module"]], [["y", True, "Tensor"]], [["text", False, "Tensor"]]]
)
def test_what_is_no_table_of_tensors(tensors: Any) -> None:
    with pytest.raises((LookupError, TypeError, ValueError)):
        build(None, tensors, {"x": np.ones(2), "text": np.array(["a"])}.__getitem__)
