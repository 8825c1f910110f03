"""In place: scatter_, index_add_, masked_fill_ and their kin, the sums of products addmm_ ..., and diagonals.

As in inplace.py, each is the operation without the underscore, whose result is then written into the memory of x.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from tinyrnn.ops import diagonals, linalg, scattering
from tinyrnn.ops.indexing import setitem
from tinyrnn.ops.inplace import _in_place
from tinyrnn.ops.operands import tensor_argument

if TYPE_CHECKING:
    from tinyrnn.tensor import Tensor


def _here(op: Callable[..., Tensor]) -> Callable[..., Tensor]:
    op_ = _in_place(op)
    op_.__module__ = __name__
    return op_


scatter_ = _here(scattering.scatter)
scatter_add_ = _here(scattering.scatter_add)
index_add_ = _here(scattering.index_add)
index_copy_ = _here(scattering.index_copy)
index_fill_ = _here(scattering.index_fill)
masked_fill_ = _here(scattering.masked_fill)

tril_ = _here(diagonals.tril)
triu_ = _here(diagonals.triu)

addmm_ = _here(linalg.addmm)
addmv_ = _here(linalg.addmv)
addr_ = _here(linalg.addr)
addbmm_ = _here(linalg.addbmm)
baddbmm_ = _here(linalg.baddbmm)


def fill_diagonal_(input: Tensor, fill_value: float, wrap: bool = False) -> Tensor:
    """x[i, i, ...] = a number, in place; wrap begins anew, one row further, below the end of a tall matrix.

    Raises ValueError for a tensor of fewer than 2 axes, or of more that are not of one size.
    """
    shape = tensor_argument("fill_diagonal_", input).shape
    if len(shape) < 2 or (len(shape) > 2 and len(set(shape)) > 1):
        raise ValueError(f"fill_diagonal_: got shape {shape}, expected a matrix, or more axes, all of one size")
    rows = np.arange(shape[0] if wrap and len(shape) == 2 else min(shape))
    columns = rows % (shape[1] + 1)
    there = columns < shape[1]
    setitem(input, (rows[there], *[columns[there]] * (len(shape) - 1)), fill_value)
    return input
