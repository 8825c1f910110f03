"""Softmax and what is made of it, as functions whose dim may be left out, as old programs do.

dim    the axis whose elements sum to 1. None: 0 for an input of 0, 1 or 3 axes, else 1, with torch's warning
dtype  what the input is cast to before
Raises as the functions of ops/ do: IndexError for a dim that is not there, TypeError for what is no floating tensor.
Source: torch.nn.functional.
"""

from __future__ import annotations

import warnings
from typing import Any

from numpy.typing import DTypeLike

from tinyrnn import ops
from tinyrnn.ops.operands import tensor_argument
from tinyrnn.tensor import Tensor

__all__ = ["log_softmax", "softmax", "softmin"]


def softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: DTypeLike | None = None) -> Tensor:
    """y_k = e^(x_k) / sum_j e^(x_j) over dim,  dx = y (g - sum_j g_j y_j)."""
    return ops.softmax(input, _dim("softmax", input, dim, _stacklevel), dtype=dtype)


def log_softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: DTypeLike | None = None) -> Tensor:
    """y_k = x_k - log sum_j e^(x_j) over dim,  dx = g - e^y sum_j g_j."""
    return ops.log_softmax(input, _dim("log_softmax", input, dim, _stacklevel), dtype=dtype)


def softmin(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: DTypeLike | None = None) -> Tensor:
    """softmax(-x)."""
    tensor_argument("softmin", input)
    return ops.softmax(-input, _dim("softmin", input, dim, _stacklevel), dtype=dtype)


def _dim(name: str, input: Any, dim: int | None, stacklevel: int) -> int:
    if dim is not None:
        return dim
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an argument.",
        UserWarning,
        stacklevel=stacklevel,
    )
    return 0 if tensor_argument(name, input).ndim in (0, 1, 3) else 1
