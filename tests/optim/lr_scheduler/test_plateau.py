"""ReduceLROnPlateau by hand and beside torch."""

import copy
import math
import re

import numpy as np
import pytest

import tinyrnn
from tinyrnn.optim.lr_scheduler import ReduceLROnPlateau

SETTINGS = {
    "as it comes": {},
    "impatient": {"patience": 0, "factor": 0.5},
    "max": {"mode": "max", "patience": 2, "factor": 0.7},
    "abs": {"threshold_mode": "abs", "threshold": 0.3, "patience": 3},
    "max, abs": {"mode": "max", "threshold_mode": "abs", "threshold": 0.05, "patience": 1},
    "cooldown": {"patience": 1, "cooldown": 4, "factor": 0.3},
    "min_lr": {"patience": 0, "min_lr": 0.01, "factor": 0.9},
    "min_lr, one each": {"patience": 0, "min_lr": [0.1, 0.04], "factor": 0.6},
    "eps": {"patience": 0, "factor": 0.5, "eps": 0.02},
}


def losses(n=200):
    rng = np.random.default_rng(3)
    noisy = np.exp(-np.arange(n) / 60) + 0.1 * rng.standard_normal(n)
    noisy[n // 2] = math.nan
    return noisy.tolist()


def optimizer_of(framework):
    groups = [{"params": [framework.zeros(2, requires_grad=True)], "lr": lr} for lr in (0.8, 0.05)]
    return framework.optim.SGD(groups, lr=0.1)


def trace(framework, settings, resume=False):
    def fresh():
        optimizer = optimizer_of(framework)
        return optimizer, framework.optim.lr_scheduler.ReduceLROnPlateau(optimizer, **settings)

    optimizer, scheduler = fresh()
    seen = []
    for i, loss in enumerate(losses()):
        scheduler.step(framework.tensor(loss, dtype=framework.float64) if i % 2 else loss)
        seen.append([*scheduler.get_last_lr(), scheduler.num_bad_epochs, scheduler.best, scheduler.cooldown_counter])
        seen[-1] += [group["lr"] for group in optimizer.param_groups]
        if resume and i == 70:
            states = [copy.deepcopy(x.state_dict()) for x in (optimizer, scheduler)]
            optimizer, scheduler = fresh()
            optimizer.load_state_dict(states[0])
            scheduler.load_state_dict(states[1])
    return [x for row in seen for x in row]


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_torchs_rates(torch, settings):
    theirs = trace(torch, settings)
    assert trace(tinyrnn, settings) == pytest.approx(theirs, rel=1e-12)
    assert trace(tinyrnn, settings, resume=True) == pytest.approx(theirs, rel=1e-12)


def test_less_after_more_than_patience_without_a_better_one(optimizer):
    scheduler = ReduceLROnPlateau(optimizer, factor=0.5, patience=2, threshold=0.1, cooldown=2, min_lr=0.03)
    rates = []
    # 0.95 is no better than 1 by a tenth; 0.8 is. After the change of the seventh, two do not count.
    for loss in [1.0, 0.95, 1.2, 0.8, 0.8, 0.8, 0.8, 0.9, 0.9, 0.9, 0.9, 0.9]:
        scheduler.step(loss)
        rates.append(scheduler.get_last_lr()[0])
    assert rates == [0.8] * 6 + [0.4] * 5 + [0.2]
    assert optimizer.param_groups[1]["lr"] == 0.03
    assert not scheduler.in_cooldown or scheduler.cooldown_counter == 2


def test_an_epoch_is_taken_with_a_warning(optimizer):
    scheduler = ReduceLROnPlateau(optimizer)
    with pytest.warns(UserWarning, match=re.escape("ReduceLROnPlateau: step(epoch) is deprecated")):
        scheduler.step(1.0, 7)
    assert scheduler.last_epoch == 7
    scheduler.step(1.0)
    assert scheduler.last_epoch == 8


def test_groups_that_come_later(optimizer):
    one, each = ReduceLROnPlateau(optimizer, patience=0, min_lr=0.1), ReduceLROnPlateau(optimizer, min_lr=[0.1, 0.2])
    optimizer.add_param_group({"params": [tinyrnn.zeros(1, requires_grad=True)], "lr": 2.0})
    for _ in range(2):
        one.step(1.0)
    assert one.get_last_lr() == pytest.approx([0.1, 0.05, 0.2])
    each.patience = 0
    each.step(1.0)
    with pytest.raises(RuntimeError, match="min_lr has 2 entries, but the optimizer has 3 groups: add the new ones'"):
        each.step(1.0)


@pytest.mark.parametrize(
    ("settings", "exception", "message"),
    [
        ({"factor": 1.0}, ValueError, "ReduceLROnPlateau: factor is 1.0, expected factor < 1"),
        ({"factor": -0.1}, ValueError, "ReduceLROnPlateau: factor is -0.1, expected 0 <= factor"),
        ({"factor": "a"}, TypeError, "ReduceLROnPlateau: factor is 'a', expected a number"),
        ({"mode": "least"}, ValueError, "ReduceLROnPlateau: mode is 'least', expected 'min' or 'max'"),
        ({"threshold_mode": "r"}, ValueError, "ReduceLROnPlateau: threshold_mode is 'r', expected 'rel' or 'abs'"),
        ({"threshold": None}, TypeError, "ReduceLROnPlateau: threshold is None, expected a number"),
        ({"patience": -1}, ValueError, "ReduceLROnPlateau: patience is -1, expected 0 <= patience"),
        ({"min_lr": [0.1]}, ValueError, "ReduceLROnPlateau: min_lr has 1 entries, but the optimizer has 2 groups"),
    ],
)
def test_bad_settings_are_refused(optimizer, settings, exception, message):
    with pytest.raises(exception, match=re.escape(message)):
        ReduceLROnPlateau(optimizer, **settings)
    with pytest.raises(TypeError, match="ReduceLROnPlateau: got a str, expected an optimizer"):
        ReduceLROnPlateau("optimizer")


def test_a_metric_that_is_no_number_changes_nothing(optimizer):
    scheduler = ReduceLROnPlateau(optimizer)
    with pytest.raises(TypeError):
        scheduler.step(None)
    assert (scheduler.last_epoch, scheduler.num_bad_epochs) == (0, 0)
