"""The line search on functions of one variable: where it ends, what it asks for, and the cubic that it follows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyrnn.optim.line_search import FLATTER, LESS, Point, cubic_minimum, strong_wolfe


def point(t, f, slope):
    return Point(t, f, np.array([slope]), slope)


coefficients = st.floats(-5, 5)


@given(coefficients, coefficients, coefficients, st.floats(0.1, 3), st.floats(0.1, 3))
def test_the_minimum_of_a_cubic_is_found_from_two_points(a, b, c, left, right):
    def at(t):
        return point(t, a * t**3 + b * t**2 + c * t, 3 * a * t**2 + 2 * b * t + c)

    low, high = -left, right
    t = cubic_minimum(at(low), at(high), low, high)
    assert t == pytest.approx(cubic_minimum(at(high), at(low), low, high), abs=1e-6)
    assert low <= t <= high
    if low + 1e-3 < t < high - 1e-3 and (2 * b) ** 2 - 12 * a * c > 1e-3 and abs(a) > 1e-3:
        assert at(t).slope == pytest.approx(0, abs=1e-6 * (1 + abs(a) + abs(b) + abs(c)) * 10)
        assert 6 * a * t + 2 * b > 0


def test_without_a_minimum_the_middle_is_taken():
    assert cubic_minimum(point(0, 0.0, -1.0), point(1, -0.6, -1.0), 3, 7) == 5


CURVES = {
    "parabola": (lambda t: (t - 3) ** 2, lambda t: 2 * (t - 3)),
    "quartic": (lambda t: (t - 2) ** 4 - t, lambda t: 4 * (t - 2) ** 3 - 1),
    "valley": (lambda t: -t / (t * t + 2), lambda t: (t * t - 2) / (t * t + 2) ** 2),
    "wall": (lambda t: np.exp(4 * t) - 8 * t, lambda t: 4 * np.exp(4 * t) - 8),
}


@pytest.mark.parametrize("curve", ["parabola", "quartic", "valley", "wall"])
@pytest.mark.parametrize("first", [0.01, 0.3, 1.0, 4.0])
def test_the_strong_wolfe_conditions_hold_where_it_ends(curve, first):
    f, slope = CURVES[curve]
    seen = []

    def evaluate(t):
        seen.append(t)
        return point(t, f(t), slope(t))

    start = point(0, f(0), slope(0))
    assert start.slope < 0
    end, count = strong_wolfe(evaluate, start, first, 1.0, 1e-9, 25)
    assert seen[0] == first
    assert count == len(seen)
    assert end.t in seen
    assert end.f <= start.f + LESS * end.t * start.slope
    assert abs(end.slope) <= FLATTER * abs(start.slope)


def test_a_good_first_step_is_taken_at_once():
    f, slope = CURVES["parabola"]
    end, count = strong_wolfe(lambda t: point(t, f(t), slope(t)), point(0, 9.0, -6.0), 2.5, 1.0, 1e-9, 25)
    assert (end.t, count) == (2.5, 1)


@pytest.mark.parametrize("most", range(6))
def test_no_more_points_are_looked_at_than_allowed(most):
    def straight(t):  # falls for ever: no point is flat
        return point(t, -t, -1.0)

    end, count = strong_wolfe(straight, point(0, 0.0, -1.0), 1.0, 1.0, 1e-9, most)
    assert count == most + 1
    assert end.t >= 1


def test_a_short_interval_is_not_searched():
    f, slope = CURVES["wall"]
    end, count = strong_wolfe(lambda t: point(t, f(t), slope(t)), point(0, f(0), slope(0)), 3.0, 1.0, 10.0, 25)
    assert (end.t, count) == (0, 1)  # 3.0 is too far, and the interval shorter than the tolerance
