"""Casts: torch's dtypes and values, by every name that torch has for them."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import tinyrnn
from tinyrnn import Tensor, tensor

CASTS = [
    "x.half()", "x.float()", "x.double()", "x.byte()", "x.char()", "x.short()", "x.int()", "x.long()", "x.bool()",
    "x.to(m.float64)", "x.to(dtype=m.float16)", "x.to(m.tensor([1]))", "x.to('cpu')", "x.to(m.device('cpu'))",
    "x.to('cpu', m.float64)", "x.to('cpu', m.float64, True)", "x.to(m.float64, True, True)", "x.to(None)", "x.to()",
    "x.to(m.ones(1).double(), False, True)", "x.to(device='cpu', dtype=m.int32)", "x.to(m.float32, copy=True)",
    "x.to('cpu', non_blocking=True)", "x.to(m.int64, non_blocking=False)", "x.to(memory_format=m.contiguous_format)",
    "x.to(float)", "x.to(int)", "x.to(bool)", "x.type(m.float64)", "x.type('torch.DoubleTensor')",
    "x.type(m.LongTensor)", "x.type(m.FloatTensor)", "x.type(dtype=m.int32)", "x.type_as(m.ones(1).long())", "x.cpu()",
]  # fmt: skip


@pytest.mark.parametrize("cast", CASTS)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "uint8", "bool"])
def test_dtype_and_values_are_torchs(torch: ModuleType, cast: str, dtype: str) -> None:
    data = np.array([[0.0, 1.75, 3.0], [2.5, 100.0, 0.25]]).astype(dtype)
    for layout in (data, np.asfortranarray(data), data[:, ::-1], data[:0], data[0, 1]):
        results = []
        for m in (tinyrnn, torch):
            x = m.tensor(np.ascontiguousarray(layout))
            y = eval(cast, {"m": m, "x": x})
            results.append((str(y.dtype).removeprefix("torch."), y.numpy(), y is x))
        assert results[0][0] == results[1][0]
        assert results[0][2] == results[1][2]
        np.testing.assert_array_equal(results[0][1], results[1][1], strict=True)


def test_the_names_are_those_of_the_dtypes() -> None:
    """Where torch is not at hand."""
    x = tensor([1.75, 0.0])
    names = {"half": "float16", "float": "float32", "double": "float64", "byte": "uint8", "char": "int8"}
    names |= {"short": "int16", "int": "int32", "long": "int64", "bool": "bool"}
    for name, dtype in names.items():
        y = getattr(x, name)()
        assert y.dtype == dtype
        assert y.tolist() == np.array([1.75, 0.0]).astype(dtype).tolist()


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "uint8", "int8", "int16", "int32", "int64", "bool"])
def test_the_name_of_old_is_torchs(torch: ModuleType, dtype: str) -> None:
    assert tinyrnn.ones(1, dtype=dtype).type() == torch.ones(1, dtype=getattr(torch, dtype)).type()


def test_a_type_can_be_named_with_our_own_name_too() -> None:
    x = tensor([1.5])
    assert x.type() == "torch.FloatTensor"
    assert x.type("tinyrnn.LongTensor").dtype == x.type("LongTensor").dtype == tinyrnn.int64
    assert tinyrnn.ones(1, dtype="uint16").type() == "uint16"


@pytest.mark.parametrize("cast", [lambda x: x.double(), lambda x: x.to(tinyrnn.float64), lambda x: x.type_as(W)])
def test_the_gradient_comes_back_in_the_dtype_of_the_input(cast: Callable[[Tensor], Tensor]) -> None:
    x = tensor([1.5, 2.5], requires_grad=True)
    (cast(x) * 3).sum().backward()
    assert x.grad is not None
    assert (x.grad.tolist(), x.grad.dtype) == ([3, 3], tinyrnn.float32)


W = tinyrnn.ones(1, dtype=tinyrnn.float64)


def test_a_copy_that_is_asked_for_is_another_tensor_in_the_graph() -> None:
    x = tensor([1.5], requires_grad=True)
    for y in (x.to(tinyrnn.float32, copy=True), x.to("cpu", tinyrnn.float32, False, True), x.to(copy=True)):
        assert y is not x
        assert not np.shares_memory(y.array, x.array)
        assert y.requires_grad
        assert not y.is_leaf
    assert x.to(tinyrnn.float32) is x.to(tinyrnn.float32, True, False) is x


@pytest.mark.parametrize(
    ("cast", "error", "message"),
    [
        (lambda x: x.to("cuda"), ValueError, r"^to: device 'cuda' is not available.*device='cpu'"),
        (lambda x: x.cuda(), ValueError, r"^cuda: device 'cuda' is not available.*device='cpu'"),
        (lambda x: x.cuda(1), ValueError, r"^cuda: device 'cuda:1' is not available"),
        (lambda x: x.to(5), TypeError, "^to: 5 is not a dtype"),
        (lambda x: x.type("float"), ValueError, "^type: got 'float', expected the name of a type, such as 'torch.Fl"),
        (lambda x: x.type(object), TypeError, "^type: dtype object is not supported"),
        (lambda x: x.type_as(3), TypeError, "^type_as: expected a tensor, got int"),
    ],
)
def test_what_is_no_dtype_or_device_is_refused(cast: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        cast(tinyrnn.ones(2))
