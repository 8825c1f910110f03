"""Shapes and orders of axes: torch's values, gradients and argument forms, and refusals in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinyrnn
from tinyrnn import tensor

# An expression of a module m and a tensor x of the shape, the same here and in torch.
EXPRESSIONS: list[tuple[str, tuple[int, ...]]] = [
    ("m.reshape(x, (3, 2))", (2, 3)),
    ("x.reshape(-1)", (2, 3)),
    ("x.reshape(3, -1)", (2, 3)),
    ("x.reshape([6, 1])", (2, 3)),
    ("x.reshape(())", (1, 1)),
    ("x.reshape(-1, 3)", (0, 3)),
    ("x.reshape(shape=(3, 2))", (2, 3)),
    ("m.reshape(input=x, shape=(3, 2))", (2, 3)),
    ("x.reshape(m.tensor(3), np.int64(2))", (2, 3)),
    ("x.reshape(x.shape[1], -1)", (2, 3)),
    ("x.reshape_as(m.zeros(3, 2))", (2, 3)),
    ("x.t().reshape(6)", (2, 3)),
    ("x.t().reshape(3, 2, 1)", (2, 3)),
    ("x.contiguous().view(3, 2)", (2, 3)),
    ("x.contiguous().view((1, -1))", (2, 3)),
    ("x.contiguous().view(size=(3, 2))", (2, 3)),
    ("x.contiguous().view(x.size(1), x.size(0))", (2, 3)),
    ("x.contiguous().view_as(m.zeros(3, 2))", (2, 3)),
    ("x.contiguous().view(x.dtype)", (2, 3)),
    ("x.view(1, 1)", ()),
    ("x.ravel()", (2, 3)),
    ("m.ravel(x.t())", (2, 3)),
    ("x.ravel()", ()),
    ("x.flatten()", (2, 3, 4)),
    ("x.flatten()", ()),
    ("x.flatten()", (0, 2)),
    ("x.flatten(1)", (2, 3, 4)),
    ("m.flatten(x, 0, 1)", (2, 3, 4)),
    ("m.flatten(x, start_dim=-2, end_dim=-1)", (2, 3, 4)),
    ("x.t().flatten()", (2, 3)),
    ("x.unflatten(1, (2, 3))", (2, 6)),
    ("x.unflatten(-1, (3, -1, 1))", (2, 6)),
    ("m.unflatten(x, dim=0, sizes=[2, 1])", (2, 6)),
    ("x.unflatten(0, (-1, 2))", (0, 3)),
    ("x.contiguous()", (2, 3)),
    ("x.t().contiguous()", (2, 3)),
    ("x.contiguous(memory_format=m.contiguous_format)", (2, 3)),
    ("x.permute(2, 0, 1)", (2, 3, 4)),
    ("m.permute(x, (1, -1, 0))", (2, 3, 4)),
    ("m.permute(input=x, dims=(1, 2, 0))", (2, 3, 4)),
    ("x.permute(())", ()),
    ("x.transpose(0, -1)", (2, 3, 4)),
    ("x.transpose(dim0=0, dim1=1)", (2, 3, 4)),
    ("m.transpose(x, 1, 1)", (2, 3)),
    ("x.transpose(0, 0)", ()),
    ("x.swapaxes(0, 1)", (2, 3)),
    ("m.swapaxes(x, axis0=0, axis1=-1)", (2, 3, 4)),
    ("x.swapdims(dim0=0, dim1=1)", (2, 3)),
    ("x.movedim(0, 2)", (2, 3, 4)),
    ("x.movedim((0, 1), (-1, 0))", (2, 3, 4)),
    ("m.movedim(x, source=2, destination=0)", (2, 3, 4)),
    ("m.moveaxis(x, [2, 0], [0, 1])", (2, 3, 4)),
    ("x.movedim(0, 0)", ()),
    ("x.t()", (2, 3)),
    ("m.t(x)", (3,)),
    ("x.t()", ()),
    ("x.T", (2, 3)),
    ("x.mT", (2, 3, 4)),
    ("x.squeeze()", (2, 1, 3, 1)),
    ("x.squeeze(1)", (2, 1, 3)),
    ("m.squeeze(x, 0)", (2, 1, 3)),
    ("x.squeeze((0, -1))", (1, 2, 1)),
    ("x.squeeze(axis=0)", (1, 2)),
    ("m.squeeze(x, dim=(0, 1))", (1, 2)),
    ("x.squeeze(0)", ()),
    ("x.squeeze()", (1, 1)),
    ("x.unsqueeze(0)", (2, 3)),
    ("m.unsqueeze(x, -1)", (2, 3)),
    ("x.unsqueeze(dim=1)", (2, 3)),
    ("x.unsqueeze(axis=1)", (2, 3)),
    ("x.unsqueeze(-3)", (2, 3)),
    ("x.unsqueeze(0)", ()),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "shape"), EXPRESSIONS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_value_dtype_and_gradient_are_torchs(
    agree: Callable[..., None], expression: str, shape: tuple[int, ...], dtype: str
) -> None:
    x = np.arange(1, 1 + np.prod(shape, dtype=int), dtype=dtype).reshape(shape)
    agree(lambda m, x: eval(expression), x)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=4), st.data())
def test_any_order_of_the_axes_is_torchs(agree: Callable[..., None], shape: list[int], data: Any) -> None:
    order = data.draw(st.permutations(range(len(shape))))
    signed = [axis - len(shape) * data.draw(st.booleans()) for axis in order]
    a, b = data.draw(st.sampled_from(order)), data.draw(st.sampled_from(signed))
    n = data.draw(st.integers(0, len(shape)))
    to = data.draw(st.permutations(range(len(shape))))[:n]
    x = np.arange(np.prod(shape, dtype=int), dtype=np.float64).reshape(shape)
    agree(lambda m, x: x.permute(signed), x)
    agree(lambda m, x: x.transpose(a, b), x)
    agree(lambda m, x: x.movedim(signed[:n], to), x)
    expected = np.moveaxis(x, signed[:n], to)
    np.testing.assert_array_equal(tensor(x).movedim(signed[:n], to).numpy(), expected, strict=True)


@given(st.lists(st.integers(1, 4), max_size=3), st.data())
def test_unflatten_undoes_flatten(shape: list[int], data: Any) -> None:
    x = tensor(np.arange(float(np.prod(shape))).reshape(shape))
    first = data.draw(st.integers(0, max(len(shape) - 1, 0)))
    if shape:
        assert x.flatten(first).unflatten(first, shape[first:]).equal(x)


def test_contiguous_is_the_tensor_itself_if_it_is() -> None:
    x = tinyrnn.ones(2, 3)
    assert x.is_contiguous()
    assert x.contiguous() is x
    assert not x.t().is_contiguous()
    assert x.t().contiguous().stride() == (2, 1)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "int64", "float64", "float16"])
def test_the_bytes_of_a_tensor_as_another_dtype_are_torchs(torch: Any, dtype: str) -> None:
    array = np.arange(8, dtype=np.float32).reshape(2, 4)
    ours = tinyrnn.from_numpy(array).view(getattr(tinyrnn, dtype))
    theirs = torch.from_numpy(array.copy()).view(getattr(torch, dtype))
    np.testing.assert_array_equal(ours.numpy(), theirs.numpy(), strict=True)


def test_the_bytes_are_shared_and_changes_of_them_counted() -> None:
    x = tinyrnn.ones(2)
    bits = x.view(dtype=tinyrnn.int32)
    bits.zero_()
    assert x.tolist() == [0, 0]
    assert x._version == 1
    w = tinyrnn.ones(2, requires_grad=True)
    assert not w.view(tinyrnn.int32).requires_grad
    assert not w.view(tinyrnn.float32).requires_grad


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: x.reshape(4), ValueError, r"^reshape: a tensor of shape \(2, 3\) has 6 elements, which do not make"),
        (lambda x: x.reshape(-1, -1), ValueError, r"^reshape: .*\(-1, -1\).*at most one of them -1"),
        (lambda x: x.reshape(-2, 3), ValueError, "^reshape: "),
        (lambda x: x.reshape(-1, 4), ValueError, "^reshape: "),
        (lambda x: x[:0].reshape(-1, 0), ValueError, "^reshape: "),
        (lambda x: x.reshape(2.0, 3), TypeError, r"^reshape: got \(2.0, 3\), expected whole numbers"),
        (lambda x: x.view(4), ValueError, "^view: .*6 elements"),
        (lambda x: x.t().view(6), ValueError, "^view: .*not contiguous.*: use reshape"),
        (lambda x: x.expand(2, 2, 3).view(12), ValueError, "^view: .*not contiguous"),
        (lambda x: x.view(tinyrnn.float64), ValueError, r"^view: shape \(2, 3\) of float32 cannot be seen as float64"),
        (lambda x: x.view(str), TypeError, "^view: dtype .* is not supported"),
        (lambda x: x.view_as(3), TypeError, "^view_as: expected a tensor, got int"),
        (lambda x: x.reshape_as(3), TypeError, "^reshape_as: expected a tensor, got int"),
        (lambda x: x.flatten(1, 0), ValueError, "^flatten: start_dim 1 comes after end_dim 0"),
        (lambda x: x.flatten(2), IndexError, "^flatten: dim 2 is out of range for a tensor of 2 axes"),
        (lambda x: x.unflatten(1, (2, 2)), ValueError, r"^unflatten: sizes \(2, 2\) for an axis of size 3"),
        (lambda x: x.unflatten(1, (2, -1)), ValueError, "^unflatten: sizes"),
        (lambda x: x.unflatten(1, (-1, -1, 3)), ValueError, "^unflatten: sizes"),
        (lambda x: x.unflatten(1, ()), TypeError, r"^unflatten: sizes is \(\), expected a tuple"),
        (lambda x: x.unflatten(1, 3), TypeError, "^unflatten: sizes is 3, expected a tuple"),
        (lambda x: x.unflatten(2, (3,)), IndexError, "^unflatten: dim 2"),
        (
            lambda x: x.contiguous(memory_format="nhwc"),
            ValueError,
            "^contiguous: memory_format 'nhwc' is not supported",
        ),
        (lambda x: x.permute(0), ValueError, r"^permute: dims \(0,\) for a tensor of 2 axes, expected each of them"),
        (lambda x: x.permute(0, 0), ValueError, "^permute: "),
        (lambda x: x.permute(0, 2), IndexError, "^permute: dim 2"),
        (lambda x: x.permute("a", 1), TypeError, "^permute: .*expected whole numbers"),
        (lambda x: x.transpose(0, 2), IndexError, "^transpose: dim 2"),
        (lambda x: x.movedim((0, 0), (0, 1)), ValueError, r"^movedim: source \(0, 0\) names an axis twice"),
        (lambda x: x.movedim((0, 1), (1, -1)), ValueError, r"^movedim: destination \(1, -1\) names an axis twice"),
        (lambda x: x.movedim(0, (0, 1)), ValueError, "^movedim: source 0 and destination .*as many of each"),
        (lambda x: x.movedim(2, 0), IndexError, "^movedim: dim 2"),
        (lambda x: x[None].t(), ValueError, r"^t: the tensor has 3 axes, expected at most 2: use transpose"),
        (lambda x: x[0].mT, IndexError, "^transpose: dim -2"),
        (lambda x: x.squeeze(2), IndexError, "^squeeze: dim 2"),
        (lambda x: x.unsqueeze(3), IndexError, "^unsqueeze: dim 3"),
        (lambda x: x.unsqueeze(-4), IndexError, "^unsqueeze: dim -4"),
    ],
)
def test_what_does_not_fit_is_refused(call: Callable[..., Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call(tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))
