"""What a batch becomes: torch's type, dtype and numbers for every kind of sample, gradients, and what is refused."""

from __future__ import annotations

from collections import Counter, OrderedDict, UserDict, UserList, defaultdict, namedtuple
from types import MappingProxyType, ModuleType
from typing import Any

import numpy as np
import pytest

import tinyrnn
from tinyrnn import Tensor
from tinyrnn.utils.data import default_collate, default_convert

Point = namedtuple("Point", ["x", "y"])

# Batches of each kind; t makes a tensor of the library's.
BATCHES: dict[str, Any] = {
    "tensors": lambda t: [t([[1.0, 2.0]]), t([[3.0, 4.0]])],
    "tensors of ints": lambda t: [t([1, 2]), t([3, 4]), t([5, 6])],
    "0-d tensors": lambda t: [t(1.0), t(2.0)],
    "tensors without elements": lambda t: [t([[], []]), t([[], []])],
    "tensors of two dtypes": lambda t: [t([1, 2]), t([0.5, 1.5])],
    "one tensor": lambda t: [t([True, False])],
    "transposed": lambda t: [t([[1.0, 2.0], [3.0, 4.0]]).t(), t([[5.0, 6.0], [7.0, 8.0]]).t()],
    "arrays": lambda t: [np.array([1.0, 2.0]), np.array([3.0, 4.0])],
    "arrays of float32": lambda t: [np.ones((2, 2), np.float32)] * 3,
    "0-d arrays": lambda t: [np.array(1), np.array(2)],
    "ints": lambda t: [0, 1, 2],
    "large ints": lambda t: [2**40],
    "floats": lambda t: [0.5, 1.5],
    "floats and ints": lambda t: [0.5, 1],
    "ints and floats": lambda t: [1, 2.5],
    "bools": lambda t: [True, False],
    "bools and ints": lambda t: [True, 2],
    "np.float64": lambda t: [np.float64(1), np.float64(2)],
    "np.float32": lambda t: [np.float32(1)],
    "np.float16": lambda t: [np.float16(1)],
    "np.int32": lambda t: [np.int32(1), np.int32(-1)],
    "np.bool": lambda t: [np.True_, np.False_],
    "strings": lambda t: ["a", "bc"],
    "np.str_": lambda t: [np.str_("a")],
    "bytes": lambda t: [b"a", b""],
    "pairs": lambda t: [(t([1.0]), 0), (t([2.0]), 1)],
    "string, number, tensor": lambda t: [("a", 1, t([1.0])), ("b", 2, t([2.0]))],
    "lists": lambda t: [[1, 2.0], [3, 4.0]],
    "empty tuples": lambda t: [(), ()],
    "dicts": lambda t: [{"a": 1, "b": [t(1.0)]}, {"a": 2, "b": [t(2.0)], "more": 0}],
    "ordered dicts": lambda t: [OrderedDict(b=1, a=2.0)] * 2,
    "default dicts": lambda t: [defaultdict(list, a=1)] * 2,
    "counters": lambda t: [Counter("aab")] * 2,
    "read-only dicts": lambda t: [MappingProxyType({"a": 1})],
    "user dicts": lambda t: [UserDict(a=1), UserDict(a=2)],
    "user lists": lambda t: [UserList([1, 2]), UserList([3, 4])],
    "named tuples": lambda t: [Point(1, t([0.5])), Point(2, t([1.5]))],
    "ranges": lambda t: [range(3), range(1, 4)],
    "nested": lambda t: [{"x": (1, [t([1.0]), ("s", {"y": 0.5})])}] * 2,
}


def described(value: Any) -> Any:
    """A batch as plain data: types by name, tensors as dtype and numbers."""
    if type(value).__name__ == "Tensor":
        return ("Tensor", str(value.dtype).removeprefix("torch."), tuple(value.shape), value.tolist())
    if isinstance(value, dict | UserDict | MappingProxyType):
        return (type(value).__name__, [(key, described(item)) for key, item in value.items()])
    if isinstance(value, list | tuple | UserList):
        return (type(value).__name__, [described(item) for item in value])
    return (type(value).__name__, value)


@pytest.mark.parametrize("make", BATCHES.values(), ids=BATCHES)
def test_collated_as_torch_does(torch: ModuleType, make: Any) -> None:
    ours = default_collate(make(tinyrnn.tensor))
    theirs = torch.utils.data.default_collate(make(torch.tensor))
    assert described(ours) == described(theirs)


@pytest.mark.parametrize("make", BATCHES.values(), ids=BATCHES)
def test_converted_as_torch_does(torch: ModuleType, make: Any) -> None:
    ours = [default_convert(sample) for sample in make(tinyrnn.tensor)]
    theirs = [torch.utils.data.default_convert(sample) for sample in make(torch.tensor)]
    assert described(ours) == described(theirs)


def test_without_torch() -> None:
    pairs, word, scores = default_collate([((1, True), "a", 0.5), ((2, False), "b", 1.5)])
    assert [x.tolist() for x in pairs] == [[1, 2], [True, False]]
    assert word == ("a", "b")
    assert scores.dtype == tinyrnn.float64
    point = default_collate([Point(tinyrnn.ones(2), 0), Point(tinyrnn.zeros(2), 1)])
    assert type(point) is Point
    assert point.x.tolist() == [[1, 1], [0, 0]]
    kept = default_collate([defaultdict(list, a=1)])
    assert kept["new"] == []  # the factory came along


def test_the_batch_is_a_copy() -> None:
    x = tinyrnn.zeros(3)
    batch = default_collate([x, x])
    batch += 1
    assert x.tolist() == [0, 0, 0]
    assert default_convert(x) is x


@pytest.mark.parametrize("view", [False, True])
def test_gradients_pass_through(view: bool) -> None:
    w = tinyrnn.randn(4, 3, requires_grad=True)
    x = 2 * w if view else w
    samples = list(x) if view else [w, w]
    batch = default_collate(samples)
    g = tinyrnn.randn(batch.shape)
    batch.backward(g)
    expected = 2 * g if view else g[0] + g[1]
    assert w.grad is not None
    assert (w.grad - expected).abs().max() < 1e-6


def test_gradients_pass_when_only_one_sample_has_them() -> None:
    w = tinyrnn.ones(2, requires_grad=True)
    (3 * default_collate([tinyrnn.zeros(2), w])).sum().backward()
    assert w.grad is not None
    assert w.grad.tolist() == [3, 3]
    with tinyrnn.no_grad():
        assert not default_collate([w, w]).requires_grad


@pytest.mark.parametrize(
    ("batch", "error", "message"),
    [
        ([], IndexError, "default_collate: there are no samples"),
        ([None], TypeError, "a sample holds NoneType, expected tensors.*collate_fn"),
        ([{1}, {2}], TypeError, "a sample holds set"),
        ([1j], TypeError, "a sample holds complex"),
        ([np.array(["a"])], TypeError, "a sample holds an array of <U1"),
        ([np.array([None])], TypeError, "a sample holds an array of object"),
        ([(1, object())], TypeError, "a sample holds object"),
        (
            [tinyrnn.ones(2), tinyrnn.ones(2), tinyrnn.ones(3)],
            RuntimeError,
            r"sample 2 of the batch has shape \(3,\), the first has \(2,\).*pad_sequence",
        ),
        ([tinyrnn.ones(2, 3), tinyrnn.ones(6)], RuntimeError, "pad_sequence"),
        ([tinyrnn.ones(2, requires_grad=True), tinyrnn.ones(3)], RuntimeError, "pad_sequence"),
        ([tinyrnn.ones(0), tinyrnn.ones(0, 1)], RuntimeError, "pad_sequence"),
        ([np.ones(2), np.ones(3)], RuntimeError, "pad_sequence"),
        ([[1, 2], [1]], RuntimeError, r"sequences of \[2, 1\] elements.*pad_sequence"),
        ([{"a": 1}, {"b": 1}], KeyError, "sample 1 of the batch has no key 'a'"),
        ([tinyrnn.ones(1), 1.0], TypeError, r"tensors\[1\]"),
        ([1.0, "a"], TypeError, "tensor"),
    ],
)
def test_what_is_refused(batch: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        default_collate(batch)


def test_the_long_path() -> None:
    from tinyrnn.utils.data import _utils, dataloader

    assert dataloader.default_collate is _utils.collate.default_collate is default_collate
    assert isinstance(default_collate([1]), Tensor)
