"""State dicts of schedulers that do not fit: refused, before anything is changed."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from typing import Any

import pytest

import tinyrnn
from tinyrnn.optim import SGD, lr_scheduler
from tinyrnn.optim.lr_scheduler.loading import check_alike, check_saved


class Decay:
    """A factor that is an object, with an attribute."""

    def __init__(self) -> None:
        self.rate = 0.5

    def __call__(self, t: int) -> float:
        return self.rate**t


SCHEDULERS: dict[str, Callable[[Any], Any]] = {
    "StepLR": lambda o: lr_scheduler.StepLR(o, 2),
    "MultiStepLR": lambda o: lr_scheduler.MultiStepLR(o, [2, 3]),
    "ConstantLR": lambda o: lr_scheduler.ConstantLR(o),
    "LinearLR": lambda o: lr_scheduler.LinearLR(o),
    "ExponentialLR": lambda o: lr_scheduler.ExponentialLR(o, 0.9),
    "PolynomialLR": lambda o: lr_scheduler.PolynomialLR(o),
    "CosineAnnealingLR": lambda o: lr_scheduler.CosineAnnealingLR(o, 5),
    "CosineAnnealingWarmRestarts": lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 5),
    "CyclicLR": lambda o: lr_scheduler.CyclicLR(o, 0.1, 0.2),
    "OneCycleLR": lambda o: lr_scheduler.OneCycleLR(o, 0.1, 10),
    "LambdaLR": lambda o: lr_scheduler.LambdaLR(o, Decay()),
    "MultiplicativeLR": lambda o: lr_scheduler.MultiplicativeLR(o, Decay()),
    "ReduceLROnPlateau": lambda o: lr_scheduler.ReduceLROnPlateau(o),
    "SequentialLR": lambda o: lr_scheduler.SequentialLR(
        o, [lr_scheduler.StepLR(o, 2), lr_scheduler.LambdaLR(o, Decay())], [3]
    ),
    "ChainedScheduler": lambda o: lr_scheduler.ChainedScheduler(
        [lr_scheduler.LambdaLR(o, Decay()), lr_scheduler.StepLR(o, 2)]
    ),
}
BAD = {int: [None, "x", [1]], float: [None, "x", [1.0]], bool: [None, 1], str: [None, "x"], list: [None, "x", []]}


def made(name: str) -> Any:
    optimizer = SGD([tinyrnn.zeros(2, requires_grad=True)], lr=0.1, momentum=0.9)
    scheduler = SCHEDULERS[name](optimizer)
    optimizer.step()
    scheduler.step(*[1.0] * (name == "ReduceLROnPlateau"))
    return scheduler


def test_every_scheduler_is_here() -> None:
    assert set(lr_scheduler.__all__) - {"LRScheduler"} == set(SCHEDULERS)


@pytest.mark.parametrize("name", SCHEDULERS)
def test_every_entry_of_another_kind_is_refused_and_nothing_is_changed(name: str) -> None:
    saved = made(name).state_dict()
    tried = 0
    for key, value in saved.items():
        for bad in BAD.get(type(value), []):
            scheduler = made(name)
            before = copy.deepcopy(scheduler.state_dict())
            with pytest.raises((TypeError, ValueError), match=f"^{name}: load_state_dict: .*expected|got the states"):
                scheduler.load_state_dict({**copy.deepcopy(saved), key: bad})
            assert scheduler.state_dict() == before, key
            tried += 1
    assert tried >= 3


@pytest.mark.parametrize("name", SCHEDULERS)
def test_a_state_goes_on(name: str) -> None:
    scheduler, saved = made(name), copy.deepcopy(made(name).state_dict())
    scheduler.load_state_dict(saved)
    assert scheduler.state_dict() == saved
    scheduler.step(*[1.0] * (name == "ReduceLROnPlateau"))


@pytest.mark.parametrize(
    ("name", "entries", "error", "message"),
    [
        ("StepLR", {"last_epoch": 1.5}, ValueError, "last_epoch is 1.5, expected a whole number"),
        ("StepLR", {"base_lrs": [0.1, 0.1]}, ValueError, "base_lrs is [0.1, 0.1], expected a list of 1"),
        ("StepLR", {"base_lrs": ["x"]}, TypeError, "base_lrs[0] is 'x', expected a number"),
        ("StepLR", {"step": 3}, ValueError, "got the key 'step', which no state_dict() has"),
        ("StepLR", {"optimizer": None}, ValueError, "got the key 'optimizer', which no state_dict() has"),
        ("MultiStepLR", {"milestones": [2]}, TypeError, "milestones is [2], expected a dict"),
        ("MultiStepLR", {"milestones": {"x": 1}}, TypeError, "milestones: a key is 'x', expected a number"),
        ("ReduceLROnPlateau", {"mode": "x"}, ValueError, "mode is 'x', expected 'min' or 'max'"),
        ("LambdaLR", {"lr_lambdas": []}, ValueError, "lr_lambdas is [], expected a list of 1"),
        ("LambdaLR", {"lr_lambdas": [3]}, TypeError, "lr_lambdas[0] is 3, expected the attributes of"),
        ("OneCycleLR", {"_schedule_phases": [{}, {}]}, TypeError, "_schedule_phases[0] is {}, expected a dict"),
        ("SequentialLR", {"_schedulers": [{}, {}]}, ValueError, "is this the state of another scheduler?"),
        ("ChainedScheduler", {"_schedulers": [None, 1]}, TypeError, "got a NoneType, expected a dict"),
    ],
)
def test_a_state_that_does_not_fit_is_refused(name: str, entries: Any, error: Any, message: str) -> None:
    scheduler = made(name)
    before = copy.deepcopy(scheduler.state_dict())
    with pytest.raises(error, match=re.escape(message)):
        scheduler.load_state_dict({**before, **entries})
    assert scheduler.state_dict() == before


def test_the_last_of_several_schedulers_does_not_fit_and_none_is_changed() -> None:
    scheduler, saved = made("SequentialLR"), made("SequentialLR").state_dict()
    before = copy.deepcopy(scheduler.state_dict())
    saved = copy.deepcopy(saved)
    saved["_schedulers"][0]["gamma"] = 0.7
    saved["_schedulers"][1]["lr_lambdas"] = ["x"]
    with pytest.raises(TypeError, match="expected the attributes of"):
        scheduler.load_state_dict(saved)
    assert scheduler.state_dict() == before


def test_what_is_alike() -> None:
    for value, own in [(1, 0.5), (tinyrnn.tensor(1.0), 0.5), (0.5, tinyrnn.tensor([1.0])), ("max", "min"), ((1,), [2])]:
        check_alike("x", value, own)
    check_saved("name", {"a": 1}, {"a": 2, "more": None}, object)
