"""CyclicLR and CosineAnnealingWarmRestarts beside their formulas and beside torch."""

import math
import re

import numpy as np
import pytest

import tinyrnn
from tinyrnn.optim.lr_scheduler import CosineAnnealingWarmRestarts, CyclicLR

CASES = {
    "triangular": lambda s, o, **k: s.CyclicLR(o, 0.01, 0.1, step_size_up=6, **k),
    "triangular, as it comes": lambda s, o, **k: s.CyclicLR(o, 0.01, 0.1, **k),
    "triangular, one each": lambda s, o, **k: s.CyclicLR(o, [0.01, 0.2], (0.1, 0.3), 5, 9, **k),
    "triangular2": lambda s, o, **k: s.CyclicLR(o, 0.01, 0.1, 4, 11, mode="triangular2", **k),
    "exp_range": lambda s, o, **k: s.CyclicLR(o, 0.01, 0.1, 4, mode="exp_range", gamma=0.98, **k),
    "scale_fn": lambda s, o, **k: s.CyclicLR(o, 0.01, 0.1, 4, mode="?", scale_fn=lambda x: 1 / x, **k),
    "scale_fn, iterations": lambda s, o, **k: s.CyclicLR(
        o, 0.01, 0.1, 4, scale_fn=lambda x: 0.9**x, scale_mode="iterations", **k
    ),
    "no momenta": lambda s, o, **k: s.CyclicLR(o, 0.01, 0.1, 4, cycle_momentum=False, **k),
    "momenta": lambda s, o, **k: s.CyclicLR(o, 0.01, 0.1, 7, base_momentum=[0.7, 0.8], max_momentum=0.99, **k),
    "no way down": lambda s, o, **k: s.CyclicLR(o, 0.01, 0.1, 7, 0, **k),
    "restarts": lambda s, o, **k: s.CosineAnnealingWarmRestarts(o, 10, **k),
    "restarts, longer": lambda s, o, **k: s.CosineAnnealingWarmRestarts(o, 5, 2, eta_min=0.01, **k),
    "restarts, at once": lambda s, o, **k: s.CosineAnnealingWarmRestarts(o, T_0=1, T_mult=2, **k),
}


@pytest.mark.parametrize("kind", ["SGD", "Adam"])
@pytest.mark.parametrize("make", CASES.values(), ids=CASES)
def test_torchs_rates(agree, make, kind):
    agree(make, kind=kind)


def test_the_triangle(follow, optimizer):
    heights = np.interp(np.arange(40) % 14, [0, 5, 14], [0, 1, 0])
    for rates, h in zip(follow(CyclicLR, 0.01, [0.1, 0.5], 5, 9), heights, strict=True):
        assert rates == pytest.approx([0.01 + 0.09 * h, 0.01 + 0.49 * h], rel=1e-12)
    scheduler = CyclicLR(optimizer, 0.01, 0.1, 5, 9, base_momentum=0.6, max_momentum=0.8)
    for h in heights:
        for group in optimizer.param_groups:
            assert group["momentum"] == pytest.approx(0.8 - 0.2 * h, rel=1e-12)
        optimizer.step()
        scheduler.step()


@pytest.mark.parametrize(
    ("settings", "scale"),
    [
        ({"mode": "triangular2"}, lambda t, cycle: 0.5 ** (cycle - 1)),
        ({"mode": "exp_range", "gamma": 0.9}, lambda t, cycle: 0.9**t),
        ({"scale_fn": lambda x: 1 / x}, lambda t, cycle: 1 / cycle),
        ({"scale_fn": lambda x: 1 / (1 + x), "scale_mode": "iterations"}, lambda t, cycle: 1 / (1 + t)),
    ],
)
def test_the_peaks_are_scaled(follow, settings, scale):
    for t, rates in enumerate(follow(CyclicLR, 0.0, 1.0, 4, **settings)):
        height = 1 - abs(t % 8 - 4) / 4
        assert rates == pytest.approx([height * scale(t, t // 8 + 1)] * 2, rel=1e-12)


class Shrink:
    def __init__(self, by):
        self.by = by

    def __call__(self, x):
        return self.by**x


def test_the_state_of_a_cycle_has_the_attributes_of_its_function(optimizer):
    state = CyclicLR(optimizer, 0.1, 0.2, scale_fn=Shrink(0.5)).state_dict()
    assert state["_scale_fn_custom"] == {"by": 0.5}
    other = CyclicLR(optimizer, 0.1, 0.2, scale_fn=Shrink(0.1))
    other.load_state_dict(state)
    assert isinstance(other._scale_fn_custom, Shrink)
    assert other.scale_fn(2) == 0.25
    assert CyclicLR(optimizer, 0.1, 0.2, scale_fn=lambda x: 1.0).state_dict()["_scale_fn_custom"] is None


def test_restarts(follow):
    periods = [(0, 5), (5, 10), (15, 20), (35, 40)]  # where each begins, and its length
    for t, rates in enumerate(follow(CosineAnnealingWarmRestarts, 5, 2, 0.01)):
        start, length = next(p for p in reversed(periods) if p[0] <= t)
        h = (1 + math.cos(math.pi * (t - start) / length)) / 2
        assert rates == pytest.approx([0.01 + 0.79 * h, 0.01 + 0.04 * h], rel=1e-12)


@pytest.mark.parametrize("t_mult", [1, 2, 3])
def test_restarts_between_epochs_as_in_torch(torch, t_mult):
    seen = []
    for framework in (tinyrnn, torch):
        optimizer = framework.optim.SGD([framework.zeros(2, requires_grad=True)], lr=0.8)
        scheduler = framework.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, 4, t_mult, eta_min=0.1)
        rates = []
        for i in range(300):
            scheduler.step(i / 7)
            rates += scheduler.get_last_lr()
        for _ in range(30):
            scheduler.step()
            rates += [*scheduler.get_last_lr(), scheduler.last_epoch]
        seen.append(rates)
    assert seen[0] == pytest.approx(seen[1], rel=1e-12)


@pytest.mark.parametrize(("t_mult", "epoch"), [(1, 700), (2, 7 * 1023), (3, 7 * 121), (10, 777)])
def test_restarts_are_found_exactly(optimizer, t_mult, epoch):
    scheduler = CosineAnnealingWarmRestarts(optimizer, 7, t_mult)
    scheduler.step(epoch)
    assert scheduler.get_last_lr() == [0.8, 0.05]
    scheduler.step(epoch - 1e-6)
    assert scheduler.get_last_lr() == pytest.approx([0, 0], abs=1e-6)


@pytest.mark.parametrize(
    ("cls", "settings", "exception", "message"),
    [
        (CyclicLR, (0.1, [0.2]), ValueError, "CyclicLR: max_lr has 1 entries, but the optimizer has 2 groups"),
        (CyclicLR, (-0.1, 0.2), ValueError, "CyclicLR: base_lr is -0.1, expected 0 <= base_lr"),
        (CyclicLR, (0.1, "a"), TypeError, "CyclicLR: max_lr is 'a', expected a number"),
        (CyclicLR, (0.1, 0.2, 0), ValueError, "CyclicLR: step_size_up is 0, expected 0 < step_size_up"),
        (CyclicLR, (0.1, 0.2, 1, -1), ValueError, "CyclicLR: step_size_down is -1, expected 0 <= step_size_down"),
        (CyclicLR, (0.1, 0.2, 1, 1, "square"), ValueError, "CyclicLR: mode is 'square', expected 'triangular', "),
        (CyclicLR, (0.1, 0.2, 1, 1, "x", 1.0, 3), TypeError, "CyclicLR: scale_fn is a int, expected a function"),
        (CyclicLR, (0.1, 0.2, 1, 1, "x", 1.0, abs, "y"), ValueError, "CyclicLR: scale_mode is 'y', expected 'cycle' o"),
        (CyclicLR, (0.1, 0.2, 1, 1, "triangular", -1), ValueError, "CyclicLR: gamma is -1, expected 0 <= gamma"),
        (CosineAnnealingWarmRestarts, (0,), ValueError, "CosineAnnealingWarmRestarts: T_0 is 0, expected 1 <= T_0"),
        (CosineAnnealingWarmRestarts, (2.5,), ValueError, "CosineAnnealingWarmRestarts: T_0 is 2.5, expected an integ"),
        (CosineAnnealingWarmRestarts, (2, 0), ValueError, "CosineAnnealingWarmRestarts: T_mult is 0, expected 1 <= "),
        (CosineAnnealingWarmRestarts, (2, 1, "a"), TypeError, "CosineAnnealingWarmRestarts: eta_min is 'a', expected"),
    ],
)
def test_bad_settings_are_refused(optimizer, cls, settings, exception, message):
    before = [dict(group) for group in optimizer.param_groups]
    with pytest.raises(exception, match=re.escape(message)):
        cls(optimizer, *settings)
    assert optimizer.param_groups == before


def test_bad_momenta_are_refused(optimizer, plain_optimizer):
    with pytest.raises(ValueError, match=r"CyclicLR: Plain has neither momentum nor betas, .*say cycle_momentum=False"):
        CyclicLR(plain_optimizer, 0.1, 0.2)
    assert CyclicLR(plain_optimizer, 0.1, 0.2, cycle_momentum=False).get_last_lr() == [0.1]
    before = [dict(group) for group in optimizer.param_groups]
    with pytest.raises(ValueError, match="CyclicLR: base_momentum is -1, expected 0 <= base_momentum"):
        CyclicLR(optimizer, 0.1, 0.2, base_momentum=-1)
    with pytest.raises(ValueError, match="CyclicLR: max_momentum has 3 entries, but the optimizer has 2 groups"):
        CyclicLR(optimizer, 0.1, 0.2, max_momentum=[0.9] * 3)
    assert optimizer.param_groups == before


def test_restarts_know_no_negative_epoch(optimizer):
    scheduler = CosineAnnealingWarmRestarts(optimizer, 4)
    with pytest.raises(ValueError, match=re.escape("step: epoch is -1, expected epoch >= 0")):
        scheduler.step(-1)
    assert (scheduler.last_epoch, scheduler.T_cur) == (0, 0)
