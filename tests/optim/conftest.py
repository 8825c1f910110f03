"""An optimizer beside its equations in plain NumPy, and beside torch's, over random gradients."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinyrnn

SHAPES = [(4, 3), (5,), ()]


@pytest.fixture
def follows() -> Callable[..., None]:
    """follows(make, equations, settings, shape, dtype, tolerance): 20 steps of make([w], **settings) beside
    equations(w, gradients, **settings) in float64; errors relative to the largest entry."""

    def compare(make: Any, equations: Any, settings: dict[str, Any], shape: Any, dtype: Any, tolerance: float) -> None:
        rng = np.random.default_rng(0)
        start, gradients = rng.standard_normal(shape), rng.standard_normal((20, *shape))
        gradients[:3] *= 5  # so that a largest gradient has to be remembered
        w = tinyrnn.tensor(start, dtype=dtype, requires_grad=True)
        optimizer = make([w], **settings)
        for g in gradients:
            w.grad = tinyrnn.tensor(g, dtype=dtype)
            optimizer.step()
            assert np.array_equal(w.grad.array, g.astype(dtype))  # read, not written
        expected = equations(start, gradients, **settings)
        assert w.dtype == dtype
        assert all(v.dtype == dtype for v in optimizer.state[w].values() if np.ndim(v) and v is not None)
        assert np.abs(w.array - expected).max() < tolerance * np.abs([start, expected]).max()

    return compare


@pytest.fixture
def beside_torch(torch: Any) -> Callable[..., None]:
    """beside_torch(name, settings): 50 steps on parameters in two groups, one of them without a gradient now and then,
    in float64 and float32, beside torch's optimizer of that name: parameters and states."""

    def compare(name: str, settings: dict[str, Any], second: dict[str, Any] | None = None) -> None:
        for dtype, tolerance in (("float64", 1e-12), ("float32", 5e-6)):
            rng = np.random.default_rng(1)
            starts = [rng.standard_normal(shape).astype(dtype) for shape in SHAPES]
            both = []
            for lib in (tinyrnn, torch):
                ps = [lib.tensor(w.copy(), requires_grad=True) for w in starts]
                groups = [{"params": ps[:2]}, {"params": ps[2:], **(second or {"lr": 0.03})}]
                both.append((lib, ps, getattr(lib.optim, name)(groups, **copy.deepcopy(settings))))
            for t in range(50):
                gradients = [rng.standard_normal(shape).astype(dtype) for shape in SHAPES]
                for lib, ps, optimizer in both:
                    for i, (p, g) in enumerate(zip(ps, gradients, strict=True)):
                        p.grad = None if i == 1 and t % 7 == 0 else lib.tensor(g)
                    optimizer.step()
                if t % 10 == 9:
                    agree(*[(ps, optimizer) for _, ps, optimizer in both], tolerance)

    return compare


def agree(ours: Any, theirs: Any, tolerance: float) -> None:
    """Parameters and states are those of torch's optimizer; errors relative to the largest entry of all parameters."""
    (ps, optimizer), (qs, other) = ours, theirs
    entries = {"w": [(p.array, q.detach().numpy()) for p, q in zip(ps, qs, strict=True)]}
    for p, q in zip(ps, qs, strict=True):
        assert set(optimizer.state[p]) == set(other.state[q])
        for key, value in optimizer.state[p].items():
            entries.setdefault(key, []).append((np.asarray(value), other.state[q][key].numpy()))
    for key, pairs in entries.items():
        largest = max(np.abs(b).max() for _, b in pairs)
        for a, b in pairs:
            assert a.shape == b.shape
            assert a.dtype == b.dtype or key == "step"
            assert np.abs(a - b).max() <= tolerance * largest, key
