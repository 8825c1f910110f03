"""The constructors of old: torch's values, dtypes and shapes, and types that tensors are instances of."""

from __future__ import annotations

import pickle
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import tinyrnn
from tinyrnn import nn

NAMES = ["Half", "Float", "Double", "Byte", "Char", "Short", "Int", "Long", "Bool"]
DATA = [
    "[1, 2]",
    "[[1, 0], [0, 2]]",
    "[True, False]",
    "[]",
    "(1, 2)",
    "range(3)",
    "np.ones((2, 1))",
    "[np.int64(2), 1]",
]
DATA += ["[1.75, 0.0]", "[m.tensor(1), m.tensor(0)]", "np.array([3, 4])"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("data", DATA)
def test_values_and_dtypes_of_data_are_torchs(torch: ModuleType, name: str, data: str) -> None:
    ours, theirs = (getattr(m, name + "Tensor")(eval(data, {"m": m, "np": np})) for m in (tinyrnn, torch))
    assert f"torch.{ours.dtype}" == str(theirs.dtype)
    np.testing.assert_array_equal(ours.numpy(), theirs.numpy(), strict=True)


@pytest.mark.parametrize("arguments", ["(2, 3)", "(3,)", "(m.ones(2, 3).size(),)", "(0,)", "()", "(m.tensor(2), 3)"])
def test_sizes_are_torchs(torch: ModuleType, arguments: str) -> None:
    for name in ("Tensor", "FloatTensor", "LongTensor"):
        ours, theirs = (getattr(m, name)(*eval(arguments, {"m": m})) for m in (tinyrnn, torch))
        assert ours.shape == tuple(theirs.shape)
        assert f"torch.{ours.dtype}" == str(theirs.dtype)


def test_a_tensor_is_an_instance_of_the_type_of_its_dtype(torch: ModuleType) -> None:
    for m in (tinyrnn, torch):
        for x in (m.ones(2), m.nn.Parameter(m.ones(1)), m.ones(1).long(), m.ones(1).bool(), 3):
            found = [name for name in NAMES if isinstance(x, getattr(m, name + "Tensor"))]
            assert found == ([] if isinstance(x, int) else [x.type()[6:-6]])


def test_the_types_have_names() -> None:
    assert tinyrnn.FloatTensor.__name__ == "FloatTensor"
    assert repr(tinyrnn.FloatTensor) == "<class 'tinyrnn.FloatTensor'>"
    assert tinyrnn.LongTensor.__doc__.startswith("Tensors of int64")
    assert pickle.loads(pickle.dumps(tinyrnn.FloatTensor)) is tinyrnn.FloatTensor


def test_a_tensor_that_is_given_shares_its_memory() -> None:
    x = tinyrnn.ones(2)
    y = tinyrnn.FloatTensor(x)
    y[0] = 5
    assert x.tolist() == [5, 1]
    assert x._version == 1


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (
            lambda: tinyrnn.LongTensor(tinyrnn.ones(2)),
            TypeError,
            "^LongTensor: got a tensor of float32, expected one of i",
        ),
        (lambda: tinyrnn.FloatTensor(1.5), TypeError, "^FloatTensor: got float, expected sizes, or a list of numbers"),
        (lambda: tinyrnn.FloatTensor("a"), TypeError, "^FloatTensor: got str"),
        (lambda: tinyrnn.FloatTensor(["a"]), TypeError, "^FloatTensor: dtype <U1 is not supported"),
        (lambda: tinyrnn.ByteTensor([300]), ValueError, "^ByteTensor: not all numbers fit uint8"),
        (lambda: tinyrnn.FloatTensor([[1], [2, 3]]), ValueError, "^FloatTensor: the lists are ragged"),
        (lambda: tinyrnn.FloatTensor(-1), ValueError, r"^FloatTensor: the shape is \(-1,\)"),
    ],
)
def test_what_makes_no_tensor_is_refused(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize("kind", [tinyrnn.DoubleTensor, "torch.DoubleTensor"])
def test_the_default_type_is_the_default_dtype(kind: Any) -> None:
    try:
        with pytest.warns(UserWarning, match="is deprecated, as in torch: use set_default_dtype"):
            tinyrnn.set_default_tensor_type(kind)
        assert tinyrnn.Tensor([1]).dtype == tinyrnn.zeros(1).dtype == nn.Linear(1, 1).weight.dtype == tinyrnn.float64
    finally:
        tinyrnn.set_default_dtype(tinyrnn.float32)


@pytest.mark.parametrize("kind", [3, "float64", tinyrnn.float64])
def test_what_is_no_type_is_no_default(kind: Any) -> None:
    with pytest.raises(TypeError, match=r"^set_default_tensor_type: got .*expected tinyrnn.FloatTensor"):
        tinyrnn.set_default_tensor_type(kind)


@pytest.mark.filterwarnings("ignore:set_default_tensor_type")
def test_the_default_type_is_a_floating_one() -> None:
    with pytest.raises(TypeError, match="int64 is not a floating dtype"):
        tinyrnn.set_default_tensor_type(tinyrnn.LongTensor)
