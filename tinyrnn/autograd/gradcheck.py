"""gradcheck: the gradient that a backward pass computes, held against derivatives found without one (quotients.py).

For f: (x_1, ..., x_n) -> (y_1, ..., y_m) and random cotangents v_1, ..., v_m, let

    L(x) = sum_k <v_k, y_k(x)>,        analytic  = dL/dx_i by backward,
    "central"                          numeric_j = (L(x + h e_j) - L(x - h e_j)) / 2h   for every element j
    "complex"                          numeric_j = Im L(x + i h e_j) / h, exact but for rounding
    "directional"                      <dL/dx_i, u> = (L(x_i + h u) - L(x_i - h u)) / 2h   for a few random u

The difference quotient is off by about (h^2/6) L''' + eps |L| / h; h = cbrt(eps) makes both small, in float64 alone.
The error is taken relative to the largest entry of the gradient, so that a vanished gradient cannot pass. What rounding
alone can do to the quotient is allowed for; where that is more than a hundredth of the gradient, the check says so and
fails. Of several outputs each is checked by itself too: a large one cannot hide what is wrong with a small one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from tinyrnn.autograd.backward import grad
from tinyrnn.autograd.engine import explore
from tinyrnn.autograd.graph import Array, Value, make
from tinyrnn.autograd.modes import no_grad
from tinyrnn.autograd.quotients import (
    EPS,
    central_differences,
    central_differences_of_each,
    complex_steps_of_each,
    is_a_kink,
    slopes_along,
)
from tinyrnn.autograd.views import edge_of

METHODS = {"central": "central differences", "complex": "complex steps", "directional": "central differences"}
HIDDEN = 0.01  # the share of the gradient that rounding may hide
ROWS = 8  # of the table of what is off
STEPS = tuple([10.0**-k for k in range(1, 13)])


def gradcheck(
    func: Callable[..., Any],
    inputs: Value | Sequence[Value] = (),
    *,
    method: str = "central",
    eps: float = EPS ** (1 / 3),
    rtol: float = 1e-6,
    directions: int = 8,
    seed: int = 0,
    raise_exception: bool = True,
) -> bool:
    """Whether the backward pass through `func` agrees with derivatives found without one, for every input.

    func             takes the inputs; returns a tensor or several; must give the same result each time. Of a module,
                     the parameters are checked too, and called by their paths
    inputs           tensors of any shape; those that require a gradient are checked, and must be float64 leaves
    method           "central": every element by central differences. "complex": every element by a complex step, which
                     is exact but for rounding, for functions that carry complex numbers (sums, products, exp, tanh,
                     sigmoid, the recurrent layers ...; not abs, comparisons or casts). "directional": whole tensors
                     along random directions, for large models: two runs of func each
    eps              the step h of differences; for an element x it is h max(1, |x|)
    rtol             the largest error allowed, relative to the largest entry of the gradient of that input; for
                     "directional", to its norm
    directions       how many, for each tensor
    seed             of the random cotangents and directions
    raise_exception  whether a disagreement raises AssertionError, with a table of the worst entries, or returns False
    Raises TypeError for float32 (its rounding drowns the quotient: use .double()) and for what is no tensor, or does
    not carry complex numbers; ValueError if nothing requires a gradient, for NaN, and where all that disagrees lies at
    kinks, as relu at 0; RuntimeError if func is not deterministic. Inputs, and a module's parameters and buffers, are
    left as they were, whatever comes of it.

    >>> import tinyrnn
    >>> x = tinyrnn.tensor([0.5, -1.0], dtype=tinyrnn.float64, requires_grad=True)
    >>> gradcheck(lambda x: (x * x).tanh(), x)
    True
    >>> gradcheck(tinyrnn.nn.LSTM(3, 4).double(), tinyrnn.randn(5, 2, 3, dtype=tinyrnn.float64), method="complex")
    True
    """
    if method not in METHODS:
        raise ValueError(f"gradcheck: method is {method!r}, expected one of {', '.join(METHODS)}")
    values, named = _checked(inputs, func)
    problem, rows = "", list[_Row]()
    with _as_before(func, values):
        check = _Check(func, values, named, seed)
        for leaf in check.leaves:
            if method == "directional":
                words, found = _along(check, leaf, eps, rtol, directions, seed)
            else:
                words, found = _by_element(check, leaf, method, eps, rtol)
            if words:
                problem = problem or f"gradcheck: the gradient of {leaf.name}, of shape {leaf.x.shape}, {words}"
                rows += [_Row(leaf.name, *row) for row in found]
    if not problem:
        return True
    if rows and all(row.kink for row in rows):
        row = rows[0]
        raise ValueError(
            f"gradcheck: func has a kink at {row.name} {row.where}, where its slopes on the two sides differ: backward "
            f"says {row.analytic:.6g}, and no difference quotient can tell. Check it at another point"
        )
    if raise_exception:
        raise AssertionError("\n".join([problem, *(_table(rows, METHODS[method]) if rows else ())]))
    return False


class _Row(NamedTuple):
    """One entry that is off."""

    name: str
    where: str
    analytic: float
    numeric: float
    error: float
    kink: bool = False


Found = tuple[str, list[tuple[Any, ...]]]  # what is wrong, in words; and the rows for the table without their names


class _Leaf(NamedTuple):
    """What is checked: a tensor, its gradients by backward, and the sizes of the terms of L that it is in."""

    name: str
    x: Value
    gradients: list[tuple[str, Array, list[int]]]  # "" and dL/dx; then, of several outputs, of each by itself: which
    sizes: list[float]  # of each output, sum |v y|; 0 where x is not in it

    def views(self, each: Array) -> Iterator[tuple[str, Array, Array, float]]:
        """(from which output, the gradient by backward, the one found for it, the size of its terms)."""
        for source, analytic, outputs in self.gradients:
            yield source, analytic, each[outputs].sum(0), sum(self.sizes[k] for k in outputs)


class _Check:
    """A function with its inputs, random cotangents, and the gradients of each leaf by backward."""

    def __init__(self, func: Callable[..., Any], values: list[Any], named: list[tuple[str, Any]], seed: int) -> None:
        outputs = _outputs(func, values)
        if not all(np.isfinite(y.array).all() for y in outputs):
            raise ValueError("gradcheck: func gives NaN or infinity here: check it at another point")
        rng = np.random.default_rng(seed)
        self.cotangents = [rng.standard_normal(y.shape) for y in outputs]
        edges = [edge_of(y) for y in outputs]
        differentiable = [k for k, edge in enumerate(edges) if edge is not None]
        if not differentiable:
            raise ValueError("gradcheck: no output of func depends on an input that requires a gradient")
        below = [{source for source, _ in explore([edge])[1]} for edge in edges]
        leaves = [x for _, x in named if x.wants_grad]

        def gradients(of: list[int]) -> list[Array]:
            ys, vs = [outputs[k] for k in of], [make(outputs[k].result, self.cotangents[k]) for k in of]
            found = grad(ys, leaves, vs, allow_unused=True, retain_graph=True)
            return [np.zeros(x.shape) if g is None else g.array for x, g in zip(leaves, found, strict=True)]

        every = list(range(len(outputs)))
        passes = [("", gradients(differentiable), every)]
        if len(differentiable) > 1:
            passes += [(f" from output {k} alone", gradients([k]), [k]) for k in differentiable]
        terms = [float(np.abs(v * y.array).sum()) for y, v in zip(outputs, self.cotangents, strict=True)]
        self.leaves = []
        for n, (name, x) in enumerate((name, x) for name, x in named if x.wants_grad):
            sizes = [term if x in sources else 0.0 for term, sources in zip(terms, below, strict=True)]
            self.leaves.append(_Leaf(name, x, [(source, gs[n], of) for source, gs, of in passes], sizes))
        used = [x for sources in below for x in sources if isinstance(x, Value)]
        self.all = list({id(x): x for x in [*values, *used, *_state_of(func)]}.values())

        def evaluate() -> list[Array]:
            with no_grad():
                return [y.array.copy() for y in _outputs(func, values)]

        self.evaluate = evaluate
        if any(not np.array_equal(y.array, again) for y, again in zip(outputs, evaluate(), strict=True)):
            raise RuntimeError(
                "gradcheck: func gives another result each time (dropout, perhaps?): make it deterministic"
            )


def _by_element(check: _Check, leaf: _Leaf, method: str, eps: float, rtol: float) -> Found:
    x = leaf.x
    steps = eps * np.maximum(1.0, np.abs(x.array))
    if method == "complex":
        try:
            each = complex_steps_of_each(check.evaluate, check.all, x, check.cotangents)
        except (TypeError, RuntimeError) as refusal:
            message = f"gradcheck: func does not carry complex numbers ({refusal}): use method='central'"
            raise TypeError(message) from refusal
    else:
        each = central_differences_of_each(check.evaluate, x.array, check.cotangents, eps)
    for source, analytic, numeric, size in leaf.views(each):
        hidden = np.full(x.shape, 100 * EPS * size) if method == "complex" else 8 * EPS * size / steps
        words, off, error = _compare(analytic, numeric, size, hidden, rtol, METHODS[method], not source)
        if not words:
            continue
        rows = []
        for j in sorted(map(tuple, np.argwhere(off)), key=lambda j: -error[j])[:ROWS] if off is not None else ():
            u = np.zeros(x.shape)
            u[j] = 1
            kink = method == "central" and is_a_kink(check.evaluate, x.array, u, check.cotangents, float(steps[j]))
            rows.append((_at(j), analytic[j], numeric[j], error[j], kink))
        return words.replace("is wrong", f"is wrong{source}", 1), rows
    return "", []


def _along(check: _Check, leaf: _Leaf, eps: float, rtol: float, directions: int, seed: int) -> Found:
    rng, x = np.random.default_rng([seed, 1]), leaf.x
    h = eps * max(1.0, float(np.max(np.abs(x.array), initial=0)))
    us = [np.asarray(rng.choice([-1.0, 1.0], x.shape)) for _ in range(directions)]
    each = np.array([slopes_along(check.evaluate, x.array, u, check.cotangents, h) for u in us])
    for source, analytic, numeric, size in leaf.views(each.reshape(len(us), len(check.cotangents)).T):
        norm, hidden, rows = _norm(analytic), 8 * EPS * size / h, []
        for k, (u, slope) in enumerate(zip(us, numeric.tolist(), strict=True)):
            with np.errstate(invalid="ignore"):
                expected = float(np.sum(analytic * u))
            error, largest = abs(expected - slope), max(norm, abs(slope))
            if not error <= rtol * largest + hidden:  # written so that NaN is off
                kink = is_a_kink(check.evaluate, x.array, u, check.cotangents, h)
                rows.append((f"direction {k}", expected, slope, error / largest if largest else np.inf, kink))
        if not rows and not source and us and 100 * EPS * size < norm < hidden / HIDDEN:
            return _drowned("norm", norm, hidden), []
        if rows:
            worst = max(rows, key=lambda row: row[3])
            return (
                f"is wrong{source}. Worst along {worst[0]}: backward says {worst[1]:.9g}, central differences say "
                f"{worst[2]:.9g}; the error is {worst[3]:.2g} of the gradient's norm, {len(rows)} of {directions} "
                "directions are off"
            ), rows
    return "", []


def _norm(g: Array) -> float:
    """sqrt(sum g^2) of the entries that are finite, whatever their size."""
    finite = np.abs(g[np.isfinite(g)])
    largest = float(np.max(finite, initial=0))
    return largest * float(np.sqrt(np.sum(np.square(finite / largest)))) if largest else 0.0


@contextmanager
def _as_before(func: Any, values: Sequence[Value]) -> Iterator[None]:
    """Puts the numbers of all inputs, parameters and buffers back: batch norm in training, say, changes its own."""
    modules = list(func.modules()) if hasattr(func, "named_parameters") else []
    attributes = [(vars(m), name, x) for m in modules for name, x in vars(m).items() if isinstance(x, Value)]
    tensors = {id(x): x for x in [*values, *[x for _, _, x in attributes]]}.values()
    before = [(x, x.array, x.array.copy()) for x in tensors]
    try:
        yield
    finally:
        for owner, name, x in attributes:
            owner[name] = x
        for x, array, numbers in before:
            x.array = array
            if array.flags.writeable:
                array[...] = numbers


def _state_of(func: Any) -> list[Value]:
    """The parameters and buffers of a module; nothing of a plain function."""
    return [*func.parameters(), *func.buffers()] if hasattr(func, "named_parameters") else []


def _checked(inputs: Any, func: Any) -> tuple[list[Any], list[tuple[str, Any]]]:
    """The inputs, and (name, leaf) of all that is to be checked, the parameters of a module among them."""
    values = [inputs] if isinstance(inputs, Value) else list(inputs)
    named = [(f"input {i}", x) for i, x in enumerate(values)]
    for name, x in named:
        if not isinstance(x, Value):
            raise TypeError(f"gradcheck: {name} is {type(x).__name__}, expected a tensor")
    given = {id(x) for x in values}
    named += [(name, p) for name, p in getattr(func, "named_parameters", list)() if id(p) not in given]
    for name, x in named:
        if x.wants_grad and x.dtype != np.float64:
            raise TypeError(
                f"gradcheck: {name} is {x.dtype}, whose rounding drowns the differences: use .double(), as in "
                "tinyrnn.randn(3, dtype=tinyrnn.float64, requires_grad=True) or model.double()"
            )
        if x.edge is not None:
            raise ValueError(f"gradcheck: {name} was computed from others, expected a leaf: .detach().requires_grad_()")
    if not any(x.wants_grad for _, x in named):
        raise ValueError("gradcheck: none of the inputs requires a gradient: requires_grad_() those to be checked")
    for n, (name, x) in enumerate(named):
        if x.wants_grad and not x.array.flags.writeable:
            raise ValueError(f"gradcheck: {name} is expanded: its elements share memory: .clone() it before")
        for other, y in named[:n]:
            if x is not y and (x.wants_grad or y.wants_grad) and np.shares_memory(x.array, y.array):
                raise ValueError(f"gradcheck: {name} shares its memory with {other}: .clone() one of them before")
    return values, named


def _outputs(func: Callable[..., Any], values: Sequence[Value]) -> list[Any]:
    """The tensors that func returns: one, or several, also in tuples within tuples, as (y, (h, c))."""

    def flat(returned: Any) -> list[Any]:
        return [y for part in returned for y in flat(part)] if isinstance(returned, tuple | list) else [returned]

    ys = flat(func(*values))
    for k, y in enumerate(ys):
        if not isinstance(y, Value):
            raise TypeError(f"gradcheck: output {k} of func is {type(y).__name__}, expected a tensor")
    return ys


def _compare(
    analytic: Array, numeric: Array, size: float, hidden: Array, rtol: float, what: str, whole: bool
) -> tuple[str, Any, Array]:
    """(what is wrong with the analytic gradient, in words, or nothing; which entries are off; their errors, relative).

    `size` is that of the terms of L that x is in. Their rounding hides what is below `hidden`; what backward should
    have found to be zero, and rounding has left, is below 100 EPS size. A gradient that drowns is `whole`, of all
    outputs: one of them may well drown.
    """
    if not analytic.size:
        return "", None, analytic
    finite = np.abs([analytic, numeric])[np.isfinite([analytic, numeric])]
    largest = float(np.max(finite, initial=0))
    error = np.abs(analytic - numeric)
    off = ~(error <= rtol * largest + hidden)  # written so that NaN is off
    relative = np.where(np.isnan(error), np.inf, error) / (largest if largest else 1)
    if not off.any():
        drowns = whole and 100 * EPS * size < np.max(np.abs(analytic)) and largest < np.max(hidden) / HIDDEN
        return _drowned("largest entry", largest, float(np.max(hidden))) if drowns else "", None, relative
    j = tuple(np.unravel_index(np.argmax(np.where(off, relative, -1)), error.shape))
    words = (
        f"is wrong. Worst at {_at(j)}: backward says {analytic[j]:.9g}, {what} say {numeric[j]:.9g}; "
        f"the error is {error[j] / largest if largest else np.inf:.2g} of the largest entry, "
        f"{np.count_nonzero(off)} of {off.size} entries are off"
    )
    return words, off, relative


def _drowned(what: str, number: float, hidden: float) -> str:
    return (
        f"cannot be checked: its {what}, {number:.2g}, drowns in the rounding of the outputs, which hides "
        f"{hidden:.2g}: scale or shift func, so that its outputs are of the size of their changes, or use "
        "method='complex'"
    )


def _at(j: tuple[Any, ...]) -> str:
    return f"[{', '.join(str(int(n)) for n in j)}]" if j else "its one entry"


def _table(rows: list[_Row], what: str) -> list[str]:
    """The worst entries of all tensors, one a line."""
    worst = sorted(rows, key=lambda row: -row.error)[:ROWS]
    cells = [("", "", "backward", what, "error")]
    for row in worst:
        note = "  (a kink)" if row.kink else ""
        cells.append((row.name, row.where, f"{row.analytic:.6g}", f"{row.numeric:.6g}", f"{row.error:.1e}{note}"))
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]


class StepSweep(list[tuple[float, float]]):
    """[(h, the largest relative error of central differences with that step)]; prints as a table, a bar for each."""

    def __str__(self) -> str:
        lines = ["step h   error"]
        for h, error in self:
            digits = -np.log10(max(error, 1e-16)) if np.isfinite(error) else 0
            lines.append(f"{h:.0e}    {error:.1e}  {'#' * max(0, round(2 * digits))}")
        return "\n".join(lines)


def step_sweep(
    func: Callable[..., Any],
    inputs: Value | Sequence[Value] = (),
    steps: Sequence[float] = STEPS,
    *,
    seed: int = 0,
) -> StepSweep:
    """How far backward and central differences are apart for each step h: the picture behind gradcheck's choice of h.

    For a right gradient the error falls as h^2 while h is large and grows as 1/h when it is small, with 1e-10 or so
    between, at h = 1e-5. For a wrong one it stays where it is. func, inputs, seed and what is raised: as in gradcheck.

    >>> import tinyrnn
    >>> x = tinyrnn.tensor([0.5, -1.0], dtype=tinyrnn.float64, requires_grad=True)
    >>> print(step_sweep(lambda x: x.exp(), x, [1e-1, 1e-3, 1e-5]))  # doctest: +ELLIPSIS
    step h   error
    1e-01    1.7e-03  ######
    1e-03    1.7e-07  ##############
    1e-05    ...
    """
    values, named = _checked(inputs, func)
    sweep = StepSweep()
    with _as_before(func, values):
        check = _Check(func, values, named, seed)
        for h in steps:
            worst = 0.0
            for leaf in check.leaves:
                numeric = central_differences(check.evaluate, leaf.x.array, check.cotangents, h)
                analytic = leaf.gradients[0][1]
                largest = max(float(np.max(np.abs(g), initial=0)) for g in (analytic, numeric))
                worst = max(worst, float(np.max(np.abs(analytic - numeric), initial=0)) / (largest or 1))
            sweep.append((float(h), worst))
    return sweep
