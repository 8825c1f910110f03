"""What the tests of the operations share: one comparison with torch, in every memory layout."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import tinyrnn

TOLERANCE = {"float64": 1e-12, "float32": 1e-5, "float16": 1e-2}  # of the largest entry


def _contiguous(x: np.ndarray) -> np.ndarray:
    return x.copy()


def _transposed(x: np.ndarray) -> np.ndarray:
    return x.T.copy().T


def _strided(x: np.ndarray) -> np.ndarray:
    """Every second element, from the end, of a wider array whose others are of no concern."""
    if not x.ndim:
        return x.copy()
    wide = np.ones((*x.shape[:-1], 2 * x.shape[-1]), x.dtype)
    wide[..., ::-2] = x
    return wide[..., ::-2]


def assert_same(ours: Any, theirs: Any, tolerance: float) -> None:
    """Equal in shape, dtype and, up to an error relative to the largest entry, in value."""
    assert f"torch.{ours.dtype}" == str(theirs.dtype)
    assert ours.shape == tuple(theirs.shape)
    x, y = ours.detach().numpy(), theirs.detach().numpy()
    if x.dtype.kind != "f":
        np.testing.assert_array_equal(x, y)
        return
    largest = np.max(np.abs(y), where=np.isfinite(y), initial=0)
    np.testing.assert_allclose(x, y, rtol=0, atol=tolerance * largest)


def _agree(torch: ModuleType, op: Callable[..., Any], *arrays: Any) -> None:
    arrays = tuple(np.asarray(x) for x in arrays)
    for layout in (_contiguous, _transposed, _strided):
        ours = [tinyrnn.from_numpy(layout(x)) for x in arrays]
        theirs = [torch.tensor(x) for x in arrays]
        inputs = [(x, y) for x, y in zip(ours, theirs, strict=True) if x.is_floating_point()]
        for x, y in inputs:
            x.requires_grad_()
            y.requires_grad_()
        results = [op(tinyrnn, *ours), op(torch, *theirs)]
        xs, ys = (result if isinstance(result, tuple | list) else (result,) for result in results)
        tolerance = max(TOLERANCE.get(str(x.dtype), 0) for x in (*ours, *xs))  # of the least precise
        for x, y in zip(xs, ys, strict=True):
            assert_same(x, y, tolerance)
            assert x.requires_grad == y.requires_grad
        outputs = [(x, y) for x, y in zip(xs, ys, strict=True) if y.requires_grad]
        if outputs:
            rng = np.random.default_rng(0)
            # of one sign, so that sums do not cancel to less than their rounding
            cotangents = [np.asarray(rng.uniform(0.5, 2, x.shape)).astype(x.dtype) for x, _ in outputs]
            found, expected = (
                m.autograd.grad(
                    [pair[k] for pair in outputs],
                    [pair[k] for pair in inputs],
                    [m.tensor(g) for g in cotangents],
                    allow_unused=True,
                )
                for k, m in enumerate((tinyrnn, torch))
            )
            for (x, y), dx, dy in zip(inputs, found, expected, strict=True):
                dx, dy = tinyrnn.zeros_like(x) if dx is None else dx, torch.zeros_like(y) if dy is None else dy
                assert_same(dx, dy, tolerance)


@pytest.fixture(scope="session")
def agree(torch: ModuleType) -> Callable[..., None]:
    """agree(op, *arrays): op(module, *tensors) gives the same in tinyrnn and in torch: its results, their dtypes and
    shapes, whether they require a gradient, and the gradients of the floating inputs for random cotangents."""

    def agree(op: Callable[..., Any], *arrays: Any) -> None:
        _agree(torch, op, *arrays)

    return agree
