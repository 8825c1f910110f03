"""LinearLR, ExponentialLR, PolynomialLR and CosineAnnealingLR beside their formulas and beside torch."""

import math
import re

import pytest

from tinyrnn.optim.lr_scheduler import CosineAnnealingLR, ExponentialLR, LinearLR, PolynomialLR

CASES = {
    "linear": lambda s, o, **k: s.LinearLR(o, **k),
    "linear, down": lambda s, o, **k: s.LinearLR(o, 1.0, 0.1, 50, **k),
    "linear, to zero": lambda s, o, **k: s.LinearLR(o, start_factor=0.9, end_factor=0.0, total_iters=30, **k),
    "exponential": lambda s, o, **k: s.ExponentialLR(o, 0.97, **k),
    "exponential, 0": lambda s, o, **k: s.ExponentialLR(o, gamma=0.0, **k),
    "polynomial": lambda s, o, **k: s.PolynomialLR(o, **k),
    "polynomial, squared": lambda s, o, **k: s.PolynomialLR(o, total_iters=90, power=2.0, **k),
    "polynomial, root": lambda s, o, **k: s.PolynomialLR(o, 20, 0.5, **k),
    "cosine": lambda s, o, **k: s.CosineAnnealingLR(o, 50, **k),
    "cosine, not to zero": lambda s, o, **k: s.CosineAnnealingLR(o, T_max=8, eta_min=0.01, **k),
    "cosine, at once": lambda s, o, **k: s.CosineAnnealingLR(o, 1, 0.1, **k),
}


@pytest.mark.parametrize("make", CASES.values(), ids=CASES)
def test_torchs_rates(agree, make):
    agree(make)


def test_no_iterations_as_in_torch(agree):
    for cls in ("LinearLR", "PolynomialLR"):
        agree(lambda s, o, cls=cls, **k: getattr(s, cls)(o, total_iters=0, **k), ("through", "changed_by_hand"))


@pytest.mark.parametrize(
    ("cls", "settings", "rate"),
    [
        (LinearLR, (0.5, 1.0, 4), lambda lr, t: lr * min(1, 0.5 + t / 8)),
        (ExponentialLR, (0.9,), lambda lr, t: lr * 0.9**t),
        (PolynomialLR, (10, 2.0), lambda lr, t: lr * max(0, 1 - t / 10) ** 2),
        (CosineAnnealingLR, (6, 0.02), lambda lr, t: 0.02 + (lr - 0.02) * math.cos(math.pi * t / 12) ** 2),
    ],
)
def test_the_rates_are_those_of_the_formula(follow, optimizer, cls, settings, rate):
    expected = [[rate(lr, t) for lr in (0.8, 0.05)] for t in range(40)]
    for rates, wanted in zip(follow(cls, *settings), expected, strict=True):
        assert rates == pytest.approx(wanted, rel=1e-12)
    scheduler = cls(optimizer, *settings)
    optimizer.step()
    for t in (17, 3, 0, 39):
        with pytest.warns(UserWarning, match="deprecated"):
            scheduler.step(t)
        assert scheduler.get_last_lr() == pytest.approx(expected[t], rel=1e-12)


def test_a_line_to_zero_ends_there_and_not_below(follow):
    for steps in range(1, 40):
        assert min(rate for rates in follow(LinearLR, 0.9, 0.0, steps) for rate in rates) >= 0


@pytest.mark.parametrize(("cls", "factor"), [(LinearLR, 1 / 3), (PolynomialLR, 1)])
def test_no_iterations_leave_the_first_rates(optimizer, cls, factor):
    scheduler = cls(optimizer, total_iters=0)
    optimizer.step()
    scheduler.step()
    assert scheduler.get_last_lr() == pytest.approx([0.8 * factor, 0.05 * factor])
    with pytest.warns(UserWarning, match="deprecated"):
        scheduler.step(4)
    assert scheduler.get_last_lr() == pytest.approx([0.8 * factor, 0.05 * factor])


@pytest.mark.parametrize(
    ("cls", "settings", "exception", "message"),
    [
        (LinearLR, {"start_factor": 0}, ValueError, "LinearLR: start_factor is 0, expected 0 < start_factor <= 1"),
        (LinearLR, {"end_factor": 1.1}, ValueError, "LinearLR: end_factor is 1.1, expected 0 <= end_factor <= 1"),
        (LinearLR, {"total_iters": -1}, ValueError, "LinearLR: total_iters is -1, expected 0 <= total_iters"),
        (ExponentialLR, {"gamma": -0.5}, ValueError, "ExponentialLR: gamma is -0.5, expected 0 <= gamma"),
        (PolynomialLR, {"total_iters": -1}, ValueError, "PolynomialLR: total_iters is -1, expected 0 <= total_iters"),
        (PolynomialLR, {"power": "2"}, TypeError, "PolynomialLR: power is '2', expected a number"),
        (CosineAnnealingLR, {"T_max": 0}, ValueError, "CosineAnnealingLR: T_max is 0, expected 0 < T_max"),
        (CosineAnnealingLR, {"T_max": 3, "eta_min": None}, TypeError, "CosineAnnealingLR: eta_min is None, expected a"),
    ],
)
def test_bad_settings_are_refused(optimizer, cls, settings, exception, message):
    before = [dict(group) for group in optimizer.param_groups]
    with pytest.raises(exception, match=re.escape(message)):
        cls(optimizer, **settings)
    assert optimizer.param_groups == before
