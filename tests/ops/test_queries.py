"""What a tensor says of itself, as torch's does."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

import tinyrnn
from tinyrnn import tensor


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (2, 1, 3), (0, 2)])
def test_sizes_are_torchs(torch: ModuleType, shape: tuple[int, ...]) -> None:
    x, y = tinyrnn.ones(shape), torch.ones(shape)
    assert x.shape == tuple(y.shape) == x.size()
    assert (x.ndim, x.dim(), x.ndimension()) == (y.ndim, y.dim(), y.ndimension())
    assert x.numel() == x.nelement() == tinyrnn.numel(x) == y.numel() == x.shape.numel()
    assert (x.element_size(), x.itemsize, x.nbytes) == (y.element_size(), y.itemsize, y.nbytes)
    for dim in range(-len(shape), len(shape)):
        assert x.size(dim) == x.size(dim=dim) == y.size(dim)
        assert not x.numel() or x.stride(dim) == y.stride(dim)


def test_strides_count_elements(torch: ModuleType) -> None:
    x, y = tinyrnn.ones(4, 3), torch.ones(4, 3)
    for ours, theirs in ((x, y), (x.t(), y.t()), (x[::2], y[::2]), (x[:, 1], y[:, 1])):
        assert ours.stride() == theirs.stride()


@pytest.mark.parametrize("name", ["size", "stride"])
def test_an_axis_that_is_not_there_has_no_size(name: str) -> None:
    with pytest.raises(IndexError, match=f"^{name}: dim 2 is out of range for a tensor of 2 axes, expected -2 to 1"):
        getattr(tinyrnn.ones(2, 3), name)(2)
    with pytest.raises(IndexError, match=f"^{name}: a 0-d tensor has no axes, and so no dim 0"):
        getattr(tinyrnn.ones(()), name)(0)


def test_kinds_are_those_of_the_dtype() -> None:
    for name in ("float16", "float32", "float64"):
        assert tinyrnn.ones(1, dtype=name).is_floating_point()
    for name in ("bool", "int64", "uint8"):
        assert not tinyrnn.is_floating_point(tinyrnn.ones(1, dtype=name))
    assert tensor([1j]).is_complex()
    assert not tinyrnn.is_complex(tensor([1.0]))


def test_the_truth_of_one_element() -> None:
    assert tinyrnn.is_nonzero(tensor([[2.0]]))
    assert not tensor(0).is_nonzero()
    with pytest.raises(ValueError, match=r"^is_nonzero: a tensor of shape \(2,\) has 2 elements, expected one"):
        tinyrnn.ones(2).is_nonzero()


def test_the_same_size_is_the_same_shape() -> None:
    assert tinyrnn.is_same_size(tinyrnn.ones(2, 3), tinyrnn.zeros(2, 3).long())
    assert not tinyrnn.ones(2).is_same_size(tinyrnn.ones(1, 2))


def test_the_address_is_that_of_the_first_element() -> None:
    x = tinyrnn.arange(6.0)
    assert x[2:].data_ptr() == x.data_ptr() + 8
    assert x.detach().data_ptr() == x.data_ptr() != x.clone().data_ptr()
    assert tinyrnn.from_numpy(array := np.ones(2)).data_ptr() == array.ctypes.data


def test_there_is_one_device() -> None:
    x = tinyrnn.ones(2)
    assert (str(x.device), x.is_cuda, x.get_device()) == ("cpu", False, -1)


@pytest.mark.parametrize("name", ["numel", "is_floating_point", "is_complex", "is_nonzero"])
@pytest.mark.parametrize("other", [3, [1.0], np.ones(2), None])
def test_only_tensors_are_asked(name: str, other: Any) -> None:
    with pytest.raises(TypeError, match=f"^{name}: expected a tensor, got "):
        getattr(tinyrnn, name)(other)
