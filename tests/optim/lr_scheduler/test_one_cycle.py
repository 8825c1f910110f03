"""OneCycleLR beside its formula and beside torch."""

import re

import numpy as np
import pytest

from tinyrnn.optim.lr_scheduler import OneCycleLR

CASES = {
    "cosine": lambda s, o, **k: s.OneCycleLR(o, 0.5, total_steps=250, **k),
    "linear": lambda s, o, **k: s.OneCycleLR(o, 0.5, 260, anneal_strategy="linear", **k),
    "three phases": lambda s, o, **k: s.OneCycleLR(o, 0.5, 260, pct_start=0.25, three_phase=True, **k),
    "three phases, linear": lambda s, o, **k: s.OneCycleLR(
        o, [0.5, 0.1], 260, three_phase=True, anneal_strategy="linear", **k
    ),
    "three phases, the rise too long": lambda s, o, **k: s.OneCycleLR(
        o, 0.5, 260, pct_start=0.8, three_phase=True, **k
    ),
    "by epochs": lambda s, o, **k: s.OneCycleLR(o, 0.5, epochs=32, steps_per_epoch=7, **k),
    "momenta": lambda s, o, **k: s.OneCycleLR(
        o, [0.5, 0.1], 220, base_momentum=0.7, max_momentum=[0.9, 0.8], div_factor=10.0, final_div_factor=100, **k
    ),
    "no momenta": lambda s, o, **k: s.OneCycleLR(o, 0.5, 220, cycle_momentum=False, **k),
    "no rise": lambda s, o, **k: s.OneCycleLR(o, 0.5, 220, pct_start=0.0, **k),
}


@pytest.mark.parametrize("kind", ["SGD", "Adam"])
@pytest.mark.parametrize("make", CASES.values(), ids=CASES)
def test_torchs_rates(agree, make, kind):
    agree(make, kind=kind)


@pytest.mark.parametrize("three_phase", [False, True])
def test_the_straight_lines(follow, optimizer, three_phase):
    low, least = 0.5 / 25, 0.5 / 25 / 1e4
    ends, rates = ([0, 9, 18, 39], [low, 0.5, low, least]) if three_phase else ([0, 9, 39], [low, 0.5, least])
    momenta = [0.95, 0.85, 0.95, 0.95][: len(ends)]
    settings = {"total_steps": 40, "pct_start": 0.25, "anneal_strategy": "linear", "three_phase": three_phase}
    wanted = np.interp(np.arange(40), ends, rates)
    for seen, rate in zip(follow(OneCycleLR, [0.5, 1.0], **settings), wanted, strict=True):
        assert seen == pytest.approx([rate, 2 * rate], rel=1e-12)
    scheduler = OneCycleLR(optimizer, 0.5, **settings)
    for momentum in np.interp(np.arange(40), ends, momenta):
        assert [group["momentum"] for group in optimizer.param_groups] == pytest.approx([momentum] * 2, rel=1e-12)
        optimizer.step()
        scheduler.step()


def test_half_cosines_meet_the_lines_in_the_middle(follow):
    lines, cosines = (
        follow(OneCycleLR, 0.5, total_steps=40, pct_start=0.275, anneal_strategy=strategy)
        for strategy in ("linear", "cos")
    )
    for t in (0, 5, 10, 39):
        assert cosines[t] == pytest.approx(lines[t], rel=1e-12)
    assert cosines[2][0] < lines[2][0]
    assert cosines[8][0] > lines[8][0]
    assert max(cosines) == cosines[10] == [0.5, 0.5]


def test_a_phase_of_no_steps_is_at_its_end(follow, optimizer):
    # torch divides by zero in both.
    assert follow(OneCycleLR, 0.5, total_steps=10, pct_start=0.1, steps=1) == [[0.5, 0.5]]
    scheduler = OneCycleLR(optimizer, 0.5, total_steps=5, pct_start=1.0)
    for peak in range(5):
        assert (scheduler.get_last_lr() == [0.5, 0.5]) == (peak == 4)
        optimizer.step()
        scheduler.step()
    assert scheduler.get_last_lr() == pytest.approx([0.5 / 25 / 1e4] * 2)


def test_no_step_after_the_last(optimizer):
    scheduler = OneCycleLR(optimizer, 0.5, total_steps=3)
    for _ in range(3):
        optimizer.step()
        scheduler.step()
    before = [dict(group) for group in optimizer.param_groups]
    with pytest.raises(ValueError, match="OneCycleLR: this is step 4, but total_steps is 3"):
        scheduler.step()
    assert scheduler.last_epoch == 3
    assert optimizer.param_groups == before


@pytest.mark.parametrize(
    ("settings", "exception", "message"),
    [
        ({}, ValueError, "OneCycleLR: got no total_steps, expected it, or epochs and steps_per_epoch"),
        ({"epochs": 3}, ValueError, "OneCycleLR: got no total_steps, expected it, or epochs and steps_per_epoch"),
        ({"total_steps": 0}, ValueError, "OneCycleLR: total_steps is 0, expected 1 <= total_steps"),
        ({"total_steps": 2.5}, ValueError, "OneCycleLR: total_steps is 2.5, expected an integer"),
        ({"epochs": 3, "steps_per_epoch": "4"}, TypeError, "OneCycleLR: steps_per_epoch is '4', expected a number"),
        ({"total_steps": 9, "pct_start": 1.5}, ValueError, "OneCycleLR: pct_start is 1.5, expected 0 <= pct_start <="),
        ({"total_steps": 9, "anneal_strategy": "sin"}, ValueError, "OneCycleLR: anneal_strategy is 'sin', expected "),
        ({"total_steps": 9, "div_factor": 0}, ValueError, "OneCycleLR: div_factor is 0, expected 0 < div_factor"),
        ({"total_steps": 9, "max_lr": [1.0]}, ValueError, "OneCycleLR: max_lr has 1 entries, but the optimizer has 2"),
        ({"total_steps": 9, "max_lr": None}, TypeError, "OneCycleLR: max_lr is None, expected a number"),
        ({"total_steps": 9, "max_momentum": -1}, ValueError, "OneCycleLR: max_momentum is -1, expected 0 <= max_mome"),
    ],
)
def test_bad_settings_are_refused(optimizer, settings, exception, message):
    before = [dict(group) for group in optimizer.param_groups]
    with pytest.raises(exception, match=re.escape(message)):
        OneCycleLR(optimizer, **{"max_lr": 0.5, **settings})
    assert optimizer.param_groups == before


def test_an_optimizer_without_momentum(plain_optimizer):
    with pytest.raises(ValueError, match="OneCycleLR: Plain has neither momentum nor betas"):
        OneCycleLR(plain_optimizer, 0.5, total_steps=10)
    assert OneCycleLR(plain_optimizer, 0.5, total_steps=10, cycle_momentum=False).get_last_lr() == pytest.approx([0.02])
