"""Joining and taking apart: torch's values, gradients, dtypes and argument forms, and refusals in words."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinyrnn
from tinyrnn import tensor

EXPRESSIONS: list[tuple[str, tuple[int, ...]]] = [
    ("m.cat([x, x * 2, x])", (2, 3)),
    ("m.cat((x, x), 1)", (2, 3)),
    ("m.cat([x, x], dim=-2)", (2, 3, 1)),
    ("m.cat(tensors=[x, x], axis=1)", (2, 3)),
    ("m.cat([x])", (2, 3)),
    ("m.cat([m.zeros(2, 0).double(), x.double()], 1)", (2, 3)),
    ("m.concat([x, x], axis=1)", (2, 3)),
    ("m.concatenate((x, x), dim=0)", (2, 3)),
    ("m.stack([x, x * 2])", (2, 3)),
    ("m.stack((x, x), dim=-1)", (2, 3)),
    ("m.stack(tensors=[x, x], axis=1)", (2, 3)),
    ("m.stack([x, x], 1)", (2,)),
    ("m.stack([x, x])", ()),
    ("m.hstack([x, x])", (2, 3)),
    ("m.hstack((x, x, x))", (3,)),
    ("m.hstack([x, x])", ()),
    ("m.vstack([x, x])", (2, 3)),
    ("m.vstack(tensors=(x, x))", (3,)),
    ("m.vstack([x, x])", ()),
    ("m.column_stack([x, x])", (3,)),
    ("m.column_stack((x, x))", (2, 3)),
    ("m.column_stack([x, x])", ()),
    ("x.unbind()", (2, 3)),
    ("m.unbind(x, 1)", (2, 3)),
    ("x.unbind(dim=-1)", (3,)),
    ("x.unbind(axis=1)", (2, 3)),
    ("x.unbind(1)", (0, 2)),
    ("x.split(2)", (5, 2)),
    ("x.split(2, -1)", (2, 4)),
    ("x.split(split_size=2, dim=1)", (2, 4)),
    ("x.split(m.tensor(2))", (5,)),
    ("m.split(tensor=x, split_size_or_sections=[1, 0, 4], dim=0)", (5, 2)),
    ("m.split(x, 9)", (5,)),
    ("x.split(0)", (0, 2)),
    ("x.split(3)", (0, 2)),
    ("x.split([])", (0, 2)),
    ("x.split_with_sizes([1, 4])", (5, 2)),
    ("m.split_with_sizes(x, split_sizes=(1, 3), dim=-1)", (2, 4)),
    ("x.chunk(2)", (5, 2)),
    ("x.chunk(4)", (5,)),
    ("x.chunk(9)", (5,)),
    ("m.chunk(x, 3, dim=-1)", (2, 7)),
    ("x.chunk(chunks=2, axis=1)", (2, 7)),
    ("x.chunk(3)", (0, 2)),
    ("x.tensor_split(3)", (7, 2)),
    ("x.tensor_split(3, -1)", (2, 2)),
    ("m.tensor_split(x, sections=2, dim=0)", (5,)),
    ("x.tensor_split((1, 3))", (7,)),
    ("x.tensor_split((3, 1))", (7,)),
    ("x.tensor_split([-2, 99], dim=1)", (2, 7)),
    ("m.tensor_split(x, indices=(2,))", (7,)),
    ("x.tensor_split(m.tensor([1, 3]))", (7,)),
    ("x.tensor_split(m.tensor(3))", (7,)),
    ("x.tensor_split(2)", (0, 2)),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "shape"), EXPRESSIONS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_value_dtype_and_gradient_are_torchs(
    agree: Callable[..., None], expression: str, shape: tuple[int, ...], dtype: str
) -> None:
    x = np.arange(1, 1 + np.prod(shape, dtype=int), dtype=dtype).reshape(shape)
    agree(lambda m, x: eval(expression), x)


@pytest.mark.parametrize(
    ("expression", "shape"),
    [
        ("m.cat([m.zeros(0), x, m.zeros(0)], 1)", (2, 3)),
        ("m.cat([m.zeros(0), x], -2)", (2, 3)),
        ("m.cat([m.zeros(0), x])", (2,)),
        ("m.cat([m.zeros(0), x])", (0, 3)),
        ("m.cat([m.zeros(0), m.zeros(0)])", ()),
        ("m.hstack([m.zeros(0), x])", (2, 3)),
    ],
)
def test_an_empty_vector_is_passed_over(agree: Callable[..., None], expression: str, shape: tuple[int, ...]) -> None:
    x = np.arange(1, 1 + np.prod(shape, dtype=int), dtype=np.float32).reshape(shape)
    agree(lambda m, x: eval(expression), x)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=3), st.integers(1, 6), st.data())
def test_any_taking_apart_is_torchs_and_cat_puts_it_together(
    agree: Callable[..., None], shape: list[int], n: int, data: Any
) -> None:
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    x = np.arange(np.prod(shape, dtype=int), dtype=np.float64).reshape(shape)
    agree(lambda m, x: x.split(n, axis), x)
    agree(lambda m, x: x.chunk(n, axis), x)
    agree(lambda m, x: x.tensor_split(n, axis), x)
    agree(lambda m, x: m.cat(x.split(n, axis), axis), x)
    if shape[axis]:
        agree(lambda m, x: m.stack(x.unbind(axis), axis), x)
    for part, expected in zip(tensor(x).tensor_split(n, axis), np.array_split(x, n, axis), strict=True):
        np.testing.assert_array_equal(part.numpy(), expected, strict=True)


@pytest.mark.parametrize("name", ["cat", "stack"])
def test_joined_dtypes_are_torchs(torch: ModuleType, name: str) -> None:
    dtypes = ["bool", "uint8", "int8", "int64", "float16", "float32", "float64"]
    for a in dtypes:
        for b in dtypes:
            for shapes in [((2,), (2,)), ((0,), (0,))] + [((0,), (2, 2))] * (name == "cat"):
                ours = getattr(tinyrnn, name)([tinyrnn.ones(s, dtype=d) for s, d in zip(shapes, (a, b), strict=True)])
                kinds = (getattr(torch, a), getattr(torch, b))
                theirs = getattr(torch, name)([torch.ones(s, dtype=d) for s, d in zip(shapes, kinds, strict=True)])
                assert str(ours.dtype).removeprefix("torch.") == str(theirs.dtype).removeprefix("torch.")


def test_joined_dtypes_send_each_its_own_gradient(agree: Callable[..., None]) -> None:
    x, y, z = np.ones((2, 3), np.float32), np.ones((2, 2)), np.ones((2, 1), np.int64)
    agree(lambda m, x, y, z: m.cat([x, y, z], 1), x, y, z)
    agree(lambda m, x, y: m.stack([x[:, 0], y[:, 0]], 1), x, y)


def test_any_iterable_of_tensors_is_joined() -> None:
    assert tinyrnn.cat(tinyrnn.full((n,), n) for n in (1, 2)).tolist() == [1, 2, 2]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: tinyrnn.cat([]), ValueError, "^cat: there are no tensors, expected at least one"),
        (lambda x: tinyrnn.cat([x, x[0]]), ValueError, r"^cat: tensors\[1\] has shape \(3,\), the first has \(2, 3\)"),
        (lambda x: tinyrnn.cat([x, x[:, :2]]), ValueError, r"^cat: tensors\[1\].*the same sizes but for axis 0"),
        (lambda x: tinyrnn.cat([x[0, 0]]), ValueError, r"^cat: tensors\[0\].*at least 1"),
        (lambda x: tinyrnn.cat([x, x], 2), IndexError, "^cat: dim 2"),
        (lambda x: tinyrnn.cat([x, 1.0]), TypeError, r"^cat: tensors\[1\]: expected a tensor, got float"),
        (lambda x: tinyrnn.cat(x), TypeError, r"^cat: got a tensor, expected a list or tuple of tensors"),
        (lambda x: tinyrnn.cat([x], dim=0, axis=0), TypeError, "unexpected keyword argument 'axis'"),
        (lambda x: tinyrnn.stack([]), ValueError, "^stack: there are no tensors"),
        (
            lambda x: tinyrnn.stack([x, x[:1]]),
            ValueError,
            r"^stack: tensors\[1\] has shape \(1, 3\).*expected one shape",
        ),
        (lambda x: tinyrnn.stack([x, x], 3), IndexError, "^stack: dim 3"),
        (lambda x: tinyrnn.stack(x), TypeError, "^stack: got a tensor"),
        (lambda x: tinyrnn.hstack([]), ValueError, "^hstack: there are no tensors"),
        (lambda x: tinyrnn.vstack([x, 1]), TypeError, r"^vstack: tensors\[1\]: expected a tensor, got int"),
        (lambda x: tinyrnn.column_stack([x, x[0]]), ValueError, r"^cat: tensors\[1\] has shape \(3, 1\)"),
        (lambda x: x[0, 0].unbind(), ValueError, "^unbind: a 0-d tensor has no slices"),
        (lambda x: x.unbind(2), IndexError, "^unbind: dim 2"),
        (lambda x: x.split(0), ValueError, "^split: parts of size 0, expected at least 1"),
        (lambda x: x.split(-1), ValueError, "^split: parts of size -1"),
        (
            lambda x: x.split([1, 2]),
            ValueError,
            r"^split: sizes \(1, 2\) for an axis of size 2, expected sizes that add",
        ),
        (lambda x: x.split([3, -1]), ValueError, "^split: sizes"),
        (lambda x: x.split(1.5), TypeError, "^split: got .*expected whole numbers"),
        (lambda x: x.split(), TypeError, "^split: got .*expected whole numbers"),
        (lambda x: x[0, 0].split(1), ValueError, "^split: a 0-d tensor has no parts"),
        (lambda x: x.split_with_sizes([1]), ValueError, r"^split_with_sizes: sizes \(1,\) for an axis of size 2"),
        (lambda x: x.chunk(0), ValueError, "^chunk: 0 chunks, expected at least 1"),
        (lambda x: x[0, 0].chunk(1), ValueError, "^chunk: a 0-d tensor has no parts"),
        (lambda x: x.chunk(2, 2), IndexError, "^chunk: dim 2"),
        (lambda x: x.tensor_split(0), ValueError, "^tensor_split: 0 sections, expected at least 1"),
        (lambda x: x.tensor_split(), TypeError, "^tensor_split: got .*expected whole numbers"),
        (lambda x: x.tensor_split([0.5]), TypeError, "^tensor_split: got .*expected whole numbers"),
        (lambda x: x[0, 0].tensor_split(1), ValueError, "^tensor_split: a 0-d tensor has no parts"),
    ],
)
def test_what_does_not_fit_is_refused(call: Callable[..., Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call(tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))
