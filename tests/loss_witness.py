"""A loss beside torch's: value, dtype, and the gradients for random cotangents, in two memory layouts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import numpy as np

import tinyrnn

REDUCTIONS = ("mean", "sum", "none")
TOLERANCE = {"float64": 1e-12, "float32": 1e-5, "float16": 2e-3}  # of the largest entry


def assert_close(ours: Any, theirs: Any, tolerance: float) -> None:
    """Equal in shape, dtype and, up to an error relative to the largest entry, in value; NaN where theirs is."""
    assert f"torch.{ours.dtype}" == str(theirs.dtype)
    assert tuple(ours.shape) == tuple(theirs.shape)
    x, y = ours.detach().numpy(), theirs.detach().numpy()
    largest = np.max(np.abs(y), where=np.isfinite(y), initial=0)
    np.testing.assert_allclose(x, y, rtol=0, atol=tolerance * largest)


def agree(torch: ModuleType, loss: Callable[..., Any], *arrays: Any, of: Sequence[int] = (0,)) -> None:
    """loss(module, *tensors) is the same in tinyrnn and torch, and so are the gradients of its inputs `of`."""
    arrays = tuple(np.asarray(x) for x in arrays)
    for layout in (np.copy, lambda x: x.T.copy().T):
        xs, ys = [tinyrnn.from_numpy(layout(x)) for x in arrays], [torch.tensor(x) for x in arrays]
        for k in of:
            xs[k].requires_grad_()
            ys[k].requires_grad_()
        x, y = loss(tinyrnn, *xs), loss(torch, *ys)
        tolerance = max(TOLERANCE[str(a.dtype)] for a in (x, *xs) if a.is_floating_point())
        assert_close(x, y, tolerance)
        assert x.requires_grad
        g = np.random.default_rng(0).uniform(0.5, 2, x.shape).astype(x.dtype)
        x.backward(tinyrnn.tensor(g))
        y.backward(torch.tensor(g))
        for k in of:
            assert_close(xs[k].grad, ys[k].grad, tolerance)


def leaf(*shape: int, dtype: Any = tinyrnn.float64) -> tinyrnn.Tensor:
    return tinyrnn.randn(shape, dtype=dtype, requires_grad=True)
