"""x.new_zeros(2, 3) and its kin: new tensors in the dtype of x. Leaves, which no gradient leaves.

The keywords are those of creation.py: dtype (that of x without one), device, requires_grad, layout, pin_memory, and
what is raised is the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from tinyrnn.making import Options, Sized, as_array, check_options, construct, leaf, shape_of, wanted
from tinyrnn.ops.operands import number, tensor_argument

if TYPE_CHECKING:
    from tinyrnn.tensor import Tensor

__all__: list[str] = []  # methods only


def new_tensor(input: Tensor, data: Any, *, dtype: Any = None, **options: Unpack[Options]) -> Tensor:
    """With a copy of `data`, as tensor(data) has."""
    x = tensor_argument("new_tensor", input)
    check_options("new_tensor", options)
    array = np.array(as_array("new_tensor", data, x.dtype if dtype is None else dtype))
    result: Tensor = leaf(input.result, array, options)
    return result


def new_zeros(input: Tensor, *shape: Any, dtype: Any = None, **options: Unpack[Sized]) -> Tensor:
    """All 0."""
    x, size = tensor_argument("new_zeros", input), shape_of("new_zeros", shape, options)
    result: Tensor = leaf(input.result, np.zeros(size, wanted("new_zeros", dtype, options, x)), options)
    return result


def new_ones(input: Tensor, *shape: Any, dtype: Any = None, **options: Unpack[Sized]) -> Tensor:
    """All 1."""
    x, size = tensor_argument("new_ones", input), shape_of("new_ones", shape, options)
    result: Tensor = leaf(input.result, np.ones(size, wanted("new_ones", dtype, options, x)), options)
    return result


def new_empty(input: Tensor, *shape: Any, dtype: Any = None, **options: Unpack[Sized]) -> Tensor:
    """With whatever the memory held."""
    x, size = tensor_argument("new_empty", input), shape_of("new_empty", shape, options)
    result: Tensor = leaf(input.result, np.empty(size, wanted("new_empty", dtype, options, x)), options)
    return result


def new_full(input: Tensor, size: Any, fill_value: Any, *, dtype: Any = None, **options: Unpack[Options]) -> Tensor:
    """All fill_value, a number, of shape `size`."""
    kind = wanted("new_full", dtype, options, tensor_argument("new_full", input))
    value = as_array("new_full", number("new_full", "fill_value", fill_value), kind)
    result: Tensor = leaf(input.result, np.full(shape_of("new_full", (size,), {}), value, kind), options)
    return result


def new(input: Tensor, *args: Any, **options: Unpack[Sized]) -> Tensor:
    """What old programs write: x.new(2, 3) is of that shape, with whatever the memory held; x.new([1, 2]) has the data.

    As FloatTensor and its kin, in the dtype of x.
    """
    result: Tensor = construct(input.result, "new", args, tensor_argument("new", input).dtype, options)
    return result
