"""The same elements several times: torch's values, gradients and argument forms, and refusals in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinyrnn
from tinyrnn import tensor

EXPRESSIONS: list[tuple[str, tuple[int, ...]]] = [
    ("x.expand(4, -1, 3)", (2, 1)),
    ("x.expand((2, 3))", (3,)),
    ("x.expand(size=(2, 3))", (3,)),
    ("x.expand(2, 3)", ()),
    ("x.expand(0, 3)", (1, 3)),
    ("x.expand(2, 0, 3)", (0, 3)),
    ("x.expand(m.tensor(2), 3)", (3,)),
    ("x.expand_as(m.zeros(2, 3))", (3,)),
    ("x.broadcast_to((2, 3))", (3,)),
    ("m.broadcast_to(x, size=(2, 2, 3))", (2, 1)),
    ("m.broadcast_tensors(x, m.zeros(4, 1, 1), m.tensor(1.0))", (2, 3)),
    ("m.broadcast_tensors(x)", (2, 3)),
    ("x.repeat(2, 3)", (2, 3)),
    ("x.repeat((2, 3))", (3,)),
    ("x.repeat([4, 1, 2])", (2, 3)),
    ("x.repeat(repeats=(2, 1))", (2, 3)),
    ("x.repeat(2)", ()),
    ("x.repeat(())", ()),
    ("x.repeat(0, 2)", (2, 3)),
    ("x.repeat(2, 2)", (0, 3)),
    ("x.repeat(x.size(0), 1, 1)", (2, 3)),
    ("x.tile(2)", (2, 3)),
    ("x.tile((2, 2))", (3,)),
    ("m.tile(x, dims=(2, 1, 2))", (2, 3)),
    ("x.tile(())", (2, 3)),
    ("x.repeat_interleave(2)", (2, 3)),
    ("x.repeat_interleave(2, dim=1)", (2, 3)),
    ("x.repeat_interleave(0, -1)", (2, 3)),
    ("x.repeat_interleave(3)", ()),
    ("x.repeat_interleave(m.tensor([2, 1]), 0)", (2, 3)),
    ("m.repeat_interleave(x, m.tensor([2, 0, 1]), dim=1, output_size=3)", (2, 3)),
    ("x.repeat_interleave(m.tensor([2]))", (2, 3)),
    ("x.repeat_interleave(m.tensor(2), 0)", (2, 3)),
    ("m.repeat_interleave(x, repeats=m.tensor([0, 0, 0]))", (3,)),
    ("m.meshgrid(x, x * 2, indexing='ij')", (3,)),
    ("m.meshgrid([x, x[:2]], indexing='xy')", (3,)),
    ("m.meshgrid(x, x[:2], x[:1], indexing='xy')", (3,)),
    ("m.meshgrid(x[0], x, indexing='xy')", (3,)),
    ("m.meshgrid(x, indexing='xy')", (3,)),
    ("m.meshgrid(x, x, indexing='ij')", (0,)),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "shape"), EXPRESSIONS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_value_dtype_and_gradient_are_torchs(
    agree: Callable[..., None], expression: str, shape: tuple[int, ...], dtype: str
) -> None:
    x = np.arange(1, 1 + np.prod(shape, dtype=int), dtype=dtype).reshape(shape)
    agree(lambda m, x: eval(expression), x)


@given(st.lists(st.integers(0, 3), max_size=3), st.lists(st.integers(0, 3), max_size=4))
def test_any_repetition_is_numpys_and_torchs(agree: Callable[..., None], shape: list[int], times: list[int]) -> None:
    x = np.arange(np.prod(shape, dtype=int), dtype=np.float64).reshape(shape)
    agree(lambda m, x: x.tile(times), x)
    np.testing.assert_array_equal(tensor(x).tile(*times).numpy() if times else x, np.tile(x, times), strict=True)


def test_the_numbers_of_the_slices_alone() -> None:
    assert tinyrnn.repeat_interleave(tensor([2, 0, 1])).tolist() == [0, 0, 2]


def test_the_whole_of_a_large_repetition_is_summed_without_losing_digits() -> None:
    x = tinyrnn.ones(1, requires_grad=True)
    x.repeat(10**6).backward(tinyrnn.full((10**6,), 0.1))
    assert x.grad is not None
    assert abs(x.grad.item() / 1e5 - 1) < 1e-6


def test_what_was_expanded_to_its_own_shape_can_be_written_to(agree: Callable[..., None]) -> None:
    def change(m: Any, x: Any) -> Any:
        y = x * 1
        y.expand(1, -1, 3).mul_(2)
        return y

    agree(change, np.ones((2, 3)))


def test_meshgrid_without_indexing_warns_as_torchs() -> None:
    with pytest.warns(UserWarning, match="^meshgrid: .*required to pass the indexing argument"):
        rows, _ = tinyrnn.meshgrid(tensor([1, 2]), tensor([3]))
    assert rows.tolist() == [[1], [2]]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: x.expand(3, 3), ValueError, r"^expand: shape \(2, 3\) does not expand to \(3, 3\): expected sizes"),
        (lambda x: x.expand(3), ValueError, "^expand: "),
        (lambda x: x.expand(-1, 2, 3), ValueError, "^expand: "),
        (lambda x: x.expand(-2, 3), ValueError, "^expand: "),
        (lambda x: x[:1].expand(-2, 3), ValueError, "^expand: "),
        (lambda x: x.expand_as((2, 3)), TypeError, "^expand_as: expected a tensor, got tuple"),
        (lambda x: tinyrnn.broadcast_tensors(x, x.t()), ValueError, r"^broadcast_tensors: shapes .* do not broadcast"),
        (lambda x: tinyrnn.broadcast_tensors(x, 1), TypeError, r"^broadcast_tensors: tensors\[1\]: expected a tensor"),
        (lambda x: x.repeat(2), ValueError, r"^repeat: 1 numbers \(2,\) for a tensor of 2 axes, expected one for each"),
        (lambda x: x.repeat(2, -1), ValueError, r"^repeat: \(2, -1\) has a negative number"),
        (lambda x: x.repeat(2, 0.5), TypeError, "^repeat: got .*expected whole numbers"),
        (lambda x: x.repeat_interleave(-1), ValueError, "^repeat_interleave: repeats has a negative number"),
        (lambda x: x.repeat_interleave(1.5), TypeError, "^repeat_interleave: got .*expected whole numbers"),
        (lambda x: x.repeat_interleave(tensor([1.0])), ValueError, r"^repeat_interleave: .*float32, expected one axis"),
        (
            lambda x: x.repeat_interleave(tensor([1, 2, 3]), 0),
            ValueError,
            "^repeat_interleave: 3 repeats for an axis of",
        ),
        (lambda x: x.repeat_interleave(2, 2), IndexError, "^repeat_interleave: dim 2"),
        (lambda x: x.repeat_interleave(2, 0, output_size=3), ValueError, "output_size is 3, but repeats makes 4"),
        (lambda x: tinyrnn.meshgrid(indexing="ij"), ValueError, r"^meshgrid: got shapes \[\], expected at least one"),
        (lambda x: tinyrnn.meshgrid(x, indexing="ij"), ValueError, r"^meshgrid: got shapes \[\(2, 3\)\]"),
        (lambda x: tinyrnn.meshgrid(x[0], indexing="ji"), ValueError, "^meshgrid: indexing is 'ji', expected"),
        (lambda x: tinyrnn.meshgrid(x[0], x[0].long(), indexing="ij"), TypeError, "^meshgrid: got dtypes"),
    ],
)
def test_what_does_not_fit_is_refused(call: Callable[..., Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call(tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))
