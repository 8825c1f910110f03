"""StepLR, MultiStepLR and ConstantLR beside their formulas and beside torch."""

import re

import pytest

from tinyrnn.optim.lr_scheduler import ConstantLR, MultiStepLR, StepLR

CASES = {
    "step": lambda s, o, **k: s.StepLR(o, 3, **k),
    "step, gamma": lambda s, o, **k: s.StepLR(o, step_size=7, gamma=0.9, **k),
    "step, every epoch": lambda s, o, **k: s.StepLR(o, 1, 0.97, **k),
    "step, a part of an epoch more": lambda s, o, **k: s.StepLR(o, 2.5, 0.5, **k),
    "milestones": lambda s, o, **k: s.MultiStepLR(o, [4, 12, 13, 60], **k),
    "milestones, in no order and twice": lambda s, o, **k: s.MultiStepLR(o, [30, 5, 5, 12], gamma=0.7, **k),
    "milestones, none": lambda s, o, **k: s.MultiStepLR(o, [], **k),
    "constant": lambda s, o, **k: s.ConstantLR(o, **k),
    "constant, long": lambda s, o, **k: s.ConstantLR(o, factor=0.25, total_iters=20, **k),
    "constant, no iterations": lambda s, o, **k: s.ConstantLR(o, 0.5, 0, **k),
    "constant, 1": lambda s, o, **k: s.ConstantLR(o, 1.0, 12, **k),
}


@pytest.mark.parametrize("make", CASES.values(), ids=CASES)
def test_torchs_rates(agree, make):
    agree(make)


@pytest.mark.parametrize(
    ("cls", "settings", "factor"),
    [
        (StepLR, (3, 0.5), lambda t: 0.5 ** (t // 3)),
        (MultiStepLR, ([2, 5, 5, 9], 0.1), lambda t: 0.1 ** ((t >= 2) + 2 * (t >= 5) + (t >= 9))),
        (ConstantLR, (0.25, 6), lambda t: 0.25 if t < 6 else 1),
    ],
)
def test_the_rates_are_those_of_the_formula(follow, optimizer, cls, settings, factor):
    expected = [[0.8 * factor(t), 0.05 * factor(t)] for t in range(40)]
    for rates, wanted in zip(follow(cls, *settings), expected, strict=True):
        assert rates == pytest.approx(wanted, rel=1e-12)
    scheduler = cls(optimizer, *settings)
    optimizer.step()
    for t in (17, 3, 0, 39):
        with pytest.warns(UserWarning, match="deprecated"):
            scheduler.step(t)
        assert scheduler.get_last_lr() == pytest.approx(expected[t], rel=1e-12)


def test_a_constant_factor_of_zero_ends_at_the_initial_rates(follow):
    rates = follow(ConstantLR, 0.0, 3, steps=6)
    assert rates == [[0.0, 0.0]] * 3 + [[0.8, 0.05]] * 3


@pytest.mark.parametrize(
    ("cls", "settings", "exception", "message"),
    [
        (StepLR, {"step_size": 0}, ValueError, "StepLR: step_size is 0, expected 0 < step_size"),
        (StepLR, {"step_size": None}, TypeError, "StepLR: step_size is None, expected a number"),
        (StepLR, {"step_size": 2, "gamma": -1}, ValueError, "StepLR: gamma is -1, expected 0 <= gamma"),
        (MultiStepLR, {"milestones": ["a"]}, TypeError, "MultiStepLR: milestones[0] is 'a', expected a number"),
        (MultiStepLR, {"milestones": [3], "gamma": "a"}, TypeError, "MultiStepLR: gamma is 'a', expected a number"),
        (ConstantLR, {"factor": 1.5}, ValueError, "ConstantLR: factor is 1.5, expected 0 <= factor <= 1"),
        (ConstantLR, {"total_iters": True}, TypeError, "ConstantLR: total_iters is True, expected a number"),
    ],
)
def test_bad_settings_are_refused(optimizer, cls, settings, exception, message):
    before = [dict(group) for group in optimizer.param_groups]
    with pytest.raises(exception, match=re.escape(message)):
        cls(optimizer, **settings)
    assert optimizer.param_groups == before
