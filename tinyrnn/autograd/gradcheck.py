"""gradcheck: the gradient that a backward pass computes, held against central differences.

For f: (x_1, ..., x_n) -> (y_1, ..., y_m) and random cotangents v_1, ..., v_m, let

    L(x) = sum_k <v_k, y_k(x)>,        analytic  = dL/dx_i by backward,
                                       numeric_j = (L(x + h e_j) - L(x - h e_j)) / 2h   for every element j.

The difference quotient is off by about (h^2/6) L''' + eps |L| / h; h = cbrt(eps) makes both small, in float64 alone.
The error is taken relative to the largest entry of the gradient, so that a vanished gradient cannot pass; what
rounding alone can do to the quotient is allowed for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinyrnn.autograd.backward import grad
from tinyrnn.autograd.graph import Array, Value, make
from tinyrnn.autograd.modes import no_grad
from tinyrnn.autograd.views import source_of

EPS = float(np.finfo(np.float64).eps)


def gradcheck(
    func: Callable[..., Any],
    inputs: Value | Sequence[Value],
    *,
    eps: float = EPS ** (1 / 3),
    rtol: float = 1e-6,
    seed: int = 0,
    raise_exception: bool = True,
) -> bool:
    """Whether the backward pass through `func` agrees with central differences, for every element of every input.

    func             takes the inputs; returns a tensor or several; must give the same result each time
    inputs           tensors of any shape; those that require a gradient are checked, and must be float64 leaves
    eps              the step h; for an element x it is h max(1, |x|)
    rtol             the largest error allowed, relative to the largest entry of the gradient of that input
    seed             of the random cotangents
    raise_exception  whether a disagreement raises AssertionError, which names the worst entry, or returns False
    Raises TypeError for float32 inputs (their rounding drowns the quotient: use .double()) and for what is no tensor,
    ValueError if nothing requires a gradient, RuntimeError if func is not deterministic.

    >>> import tinyrnn
    >>> x = tinyrnn.tensor([0.5, -1.0], dtype=tinyrnn.float64, requires_grad=True)
    >>> gradcheck(lambda x: (x * x).tanh(), x)
    True
    """
    values = _checked(inputs)
    outputs = _outputs(func, values)
    rng = np.random.default_rng(seed)
    cotangents = [rng.standard_normal(y.shape) for y in outputs]
    differentiable = [(y, v) for y, v in zip(outputs, cotangents, strict=True) if source_of(y) is not None]
    if not differentiable:
        raise ValueError("gradcheck: no output of func depends on an input that requires a gradient")
    leaves = [x for x in values if x.wants_grad]

    def loss() -> tuple[float, float]:
        """L, and the size of the terms that it is summed from: what its rounding error is relative to."""
        with no_grad():
            ys = _outputs(func, values)
        terms = [v * y.array for v, y in zip(cotangents, ys, strict=True)]
        return sum(float(t.sum()) for t in terms), sum(float(np.abs(t).sum()) for t in terms)

    base, size = loss()
    if loss()[0] != base:
        raise RuntimeError("gradcheck: func gives another result each time (dropout, perhaps?): make it deterministic")
    analytic = grad(
        [y for y, _ in differentiable],
        leaves,
        [make(y.result, v) for y, v in differentiable],
        allow_unused=True,
    )
    for i, (x, found) in enumerate(zip(leaves, analytic, strict=True)):
        by_backward = np.zeros(x.shape) if found is None else found.array
        numeric = _differences(lambda: loss()[0], x.array, eps)
        noise = 8 * EPS * size / eps
        error = np.abs(by_backward - numeric)
        largest = max(_largest(numeric), _largest(by_backward))
        allowed = rtol * largest + noise
        if not np.all(error <= allowed):  # written so that NaN fails
            if raise_exception:
                raise AssertionError(_report(i, error, by_backward, numeric))
            return False
    return True


def _checked(inputs: Any) -> list[Any]:
    values = [inputs] if isinstance(inputs, Value) else list(inputs)
    for i, x in enumerate(values):
        if not isinstance(x, Value):
            raise TypeError(f"gradcheck: inputs[{i}] is {type(x).__name__}, expected a tensor")
        if x.wants_grad and x.dtype != np.float64:
            raise TypeError(
                f"gradcheck: inputs[{i}] is {x.dtype}, whose rounding drowns the differences: use .double(), as in "
                "tinyrnn.randn(3, dtype=tinyrnn.float64, requires_grad=True)"
            )
        if x.node is not None:
            raise ValueError(f"gradcheck: inputs[{i}] was computed from others, expected a leaf: detach() it")
    if not any(x.wants_grad for x in values):
        raise ValueError("gradcheck: none of the inputs requires a gradient: requires_grad_() those to be checked")
    return values


def _outputs(func: Callable[..., Any], values: Sequence[Value]) -> list[Any]:
    returned = func(*values)
    ys = [returned] if isinstance(returned, Value) else list(returned)
    for k, y in enumerate(ys):
        if not isinstance(y, Value):
            raise TypeError(f"gradcheck: output {k} of func is {type(y).__name__}, expected a tensor")
    return ys


def _differences(loss: Callable[[], float], x: Array, eps: float) -> Array:
    """(L(x + h e_j) - L(x - h e_j)) / 2h for each element j of `x`, which is changed in place and put back."""
    numeric = np.empty(x.shape)
    for j in np.ndindex(x.shape):
        before = x[j]
        h = eps * max(1.0, abs(before))
        x[j] = before + h
        above, high = loss(), x[j]
        x[j] = before - h
        below, low = loss(), x[j]
        x[j] = before
        numeric[j] = (above - below) / (high - low)  # the step that rounding has left
    return numeric


def _largest(x: Array) -> float:
    return float(np.max(np.abs(x), initial=0))


def _report(i: int, error: Array, analytic: Array, numeric: Array) -> str:
    """Which entry is worst, and by how much."""
    error = np.where(np.isnan(error), np.inf, error)
    j = np.unravel_index(np.argmax(error), error.shape)
    largest = max(_largest(numeric), _largest(analytic))
    where = f"[{', '.join(map(str, map(int, j)))}]" if j else ""
    return (
        f"gradcheck: the gradient of input {i}, of shape {error.shape}, is wrong. Worst at {where or 'its one entry'}: "
        f"backward says {analytic[j]:.9g}, central differences say {numeric[j]:.9g}; the error is "
        f"{error[j] / largest:.2g} of the largest entry, {np.count_nonzero(error > 1e-6 * largest)} of {error.size} "
        "entries are off"
    )
