"""How far to go along a direction: far enough to help, not so far as to hurt."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tinyrnn.autograd.graph import Array

LESS, FLATTER = 1e-4, 0.9  # c1 and c2 of the Wolfe conditions


class Point(NamedTuple):
    """A point w + t d of a line: the loss f there, its gradient g, and its slope g d along the line."""

    t: Any
    f: float
    g: Array
    slope: Any


def cubic_minimum(a: Point, b: Point, low: Any, high: Any) -> Any:
    """Where between low and high the cubic that has the losses and slopes of both points is smallest; the middle, if
    it has no minimum. Source: Nocedal and Wright, Numerical optimization, 2006, equation 3.59."""
    left, right = (a, b) if a.t <= b.t else (b, a)
    with np.errstate(divide="ignore", invalid="ignore"):  # there is none: NaN; a straight line: infinity
        d1 = a.slope + b.slope - 3 * np.divide(a.f - b.f, a.t - b.t)
        d2 = np.sqrt(d1**2 - a.slope * b.slope)
        t = right.t - (right.t - left.t) * np.divide(right.slope + d2 - d1, right.slope - left.slope + 2 * d2)
    return (low + high) / 2 if np.isnan(t) else min(max(t, low), high)


def strong_wolfe(
    evaluate: Callable[[Any], Point], start: Point, t: Any, reach: Any, tolerance: float, most: int
) -> tuple[Point, int]:
    """A point with f <= f_0 + c1 t slope_0 and |slope| <= c2 |slope_0|, or the best of those seen; and how many were.

    evaluate   t -> the Point there
    start      the point at t = 0, of a negative slope
    t          where to look first
    reach      max |d|: an interval shorter than tolerance / reach is not searched
    most       how many points to look at after the first
    Source: Nocedal and Wright 2006, algorithms 3.5 and 3.6; the safeguards are those of minFunc (Schmidt 2005), which
    torch's LBFGS has too.
    """

    def too_high(p: Point) -> bool:
        return bool(p.f > start.f + LESS * p.t * start.slope)

    def flat(p: Point) -> bool:
        return bool(abs(p.slope) <= -FLATTER * start.slope)

    # Outwards, until a minimum must lie between the last two points.
    before, here, n = start, evaluate(t), 0
    while n < most:
        if too_high(here) or (n > 1 and here.f >= before.f):
            break
        if flat(here):
            return here, n + 1
        if here.slope >= 0:
            break
        t = cubic_minimum(before, here, here.t + 0.01 * (here.t - before.t), here.t * 10)
        before, here, n = here, evaluate(t), n + 1
    bracket = [before if n < most else start, here]

    # Inwards: bracket[low] is the best point so far, and on its side of the other one the loss falls.
    low, stuck = _lower(bracket), False
    while n < most and not abs(bracket[1].t - bracket[0].t) * reach < tolerance:
        left, right = sorted(p.t for p in bracket)
        t = cubic_minimum(bracket[0], bracket[1], left, right)
        margin = 0.1 * (right - left)
        near = min(right - t, t - left) < margin
        if near and (stuck or t >= right or t <= left):  # twice at an end: away from it
            t = right - margin if abs(t - right) < abs(t - left) else left + margin
            near = False
        stuck = near
        here, n = evaluate(t), n + 1
        if too_high(here) or here.f >= bracket[low].f:
            bracket[1 - low] = here
            low = _lower(bracket)
            continue
        if not flat(here) and here.slope * (bracket[1 - low].t - bracket[low].t) >= 0:
            bracket[1 - low] = bracket[low]
        bracket[low] = here
        if flat(here):
            break
    return bracket[low], n + 1


def _lower(bracket: list[Point]) -> int:
    return 0 if bracket[0].f <= bracket[1].f else 1
