"""gradcheck: the gradient that a backward pass computes, held against central differences.

For f: (x_1, ..., x_n) -> (y_1, ..., y_m) and random cotangents v_1, ..., v_m, let

    L(x) = sum_k <v_k, y_k(x)>,        analytic  = dL/dx_i by backward,
                                       numeric_j = (L(x + h e_j) - L(x - h e_j)) / 2h   for every element j.

The difference quotient is off by about (h^2/6) L''' + eps |L| / h; h = cbrt(eps) makes both small, in float64 alone.
The error is taken relative to the largest entry of the gradient, so that a vanished gradient cannot pass. What rounding
alone can do to the quotient is allowed for; where it hides the gradient altogether, the check says so and fails.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinyrnn.autograd.backward import grad
from tinyrnn.autograd.engine import explore
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
    if not all(np.isfinite(y.array).all() for y in outputs):
        raise ValueError("gradcheck: func gives NaN or infinity here: check it at another point")
    rng = np.random.default_rng(seed)
    cotangents = [rng.standard_normal(y.shape) for y in outputs]
    differentiable = [
        (y, make(y.result, v)) for y, v in zip(outputs, cotangents, strict=True) if source_of(y) is not None
    ]
    if not differentiable:
        raise ValueError("gradcheck: no output of func depends on an input that requires a gradient")
    leaves = [x for x in values if x.wants_grad]
    sources = [source_of(y) for y in outputs]
    below = [set() if source is None else set(explore([source])) for source in sources]  # what each was computed from
    ys, vs = zip(*differentiable, strict=True)
    analytic = grad(ys, leaves, vs, allow_unused=True)

    def evaluate() -> list[Array]:
        with no_grad():
            return [y.array.copy() for y in _outputs(func, values)]

    if any(not np.array_equal(y.array, again) for y, again in zip(outputs, evaluate(), strict=True)):
        raise RuntimeError("gradcheck: func gives another result each time (dropout, perhaps?): make it deterministic")
    for i, (x, found) in enumerate(zip(leaves, analytic, strict=True)):
        by_backward = np.zeros(x.shape) if found is None else found.array
        numeric = _differences(evaluate, x.array, cotangents, eps)
        terms = [v * y.array for y, v, nodes in zip(outputs, cotangents, below, strict=True) if x in nodes]
        size = sum(float(np.abs(term).sum()) for term in terms)
        problem = _compare(by_backward, numeric, size, eps, rtol)
        if problem and raise_exception:
            raise AssertionError(f"gradcheck: the gradient of input {i}, of shape {x.shape}, {problem}")
        if problem:
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
            raise ValueError(
                f"gradcheck: inputs[{i}] was computed from others, expected a leaf: .detach().requires_grad_()"
            )
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


def _differences(evaluate: Callable[[], list[Array]], x: Array, cotangents: list[Array], eps: float) -> Array:
    """sum_k <v_k, y_k(x + h e_j) - y_k(x - h e_j)> / 2h for each element j of `x`, which is changed and put back.

    The outputs are subtracted before they are summed: what stays as it is adds no rounding.
    """
    numeric = np.empty(x.shape)
    for j in np.ndindex(x.shape):
        before = float(x[j])
        h = eps * max(1.0, abs(before))
        high, low = before + h, before - h
        try:
            x[j] = high
            above = evaluate()
            x[j] = low
            below = evaluate()
        finally:
            x[j] = before
        terms = zip(cotangents, above, below, strict=True)
        change = sum(float(np.sum(v * np.subtract(up, down, dtype=np.float64))) for v, up, down in terms)
        numeric[j] = change / (high - low)  # the step that rounding has left
    return numeric


def _compare(analytic: Array, numeric: Array, size: float, eps: float, rtol: float) -> str:
    """What is wrong with the analytic gradient, in words; nothing, if it agrees.

    `size` is that of the terms of L that x is in. Their rounding, over 2h, hides what is below 8 EPS size / eps; what
    backward should have found to be zero, and rounding has left, is below 100 EPS size.
    """
    hidden = 8 * EPS * size / eps
    if not analytic.size:
        return ""
    finite = np.abs([analytic, numeric])[np.isfinite([analytic, numeric])]
    largest = float(np.max(finite, initial=0))
    error = np.abs(analytic - numeric)
    off = ~(error <= rtol * largest + hidden)  # written so that NaN is off
    if not off.any() and 100 * EPS * size < np.max(np.abs(analytic)) <= hidden:
        return (
            f"cannot be checked: its largest entry, {largest:.2g}, drowns in the rounding of the outputs, which hides "
            f"{hidden:.2g}: scale or shift func, so that its outputs are of the size of their changes"
        )
    if not off.any():
        return ""
    j = np.unravel_index(np.argmax(np.where(off, np.where(np.isnan(error), np.inf, error), -1)), error.shape)
    where = f"[{', '.join(str(int(n)) for n in j)}]" if j else "its one entry"
    return (
        f"is wrong. Worst at {where}: backward says {analytic[j]:.9g}, central differences say {numeric[j]:.9g}; "
        f"the error is {error[j] / largest if largest else np.inf:.2g} of the largest entry, "
        f"{np.count_nonzero(off)} of {off.size} entries are off"
    )
