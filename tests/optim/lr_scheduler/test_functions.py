"""LambdaLR and MultiplicativeLR beside their formulas and beside torch; what their states keep of the functions."""

import copy
import re

import pytest

from tinyrnn.optim.lr_scheduler import LambdaLR, MultiplicativeLR


class Decay:
    """A function that is an object, with something to remember."""

    def __init__(self, rate):
        self.rate, self.calls = rate, 0

    def __call__(self, epoch):
        self.calls += 1
        return self.rate ** (self.calls % 5)


CASES = {
    "lambda": lambda s, o, **k: s.LambdaLR(o, lambda t: 0.95**t, **k),
    "lambda, one each": lambda s, o, **k: s.LambdaLR(o, [lambda t: 1 / (1 + t), lambda t: t // 30], **k),
    "multiplicative": lambda s, o, **k: s.MultiplicativeLR(o, lr_lambda=lambda t: 0.95 + 0.01 * (t % 3), **k),
    "multiplicative, one each": lambda s, o, **k: s.MultiplicativeLR(o, (lambda t: 0.9, lambda t: 1.01), **k),
    "lambda, objects": lambda s, o, **k: s.LambdaLR(o, [Decay(0.9), Decay(0.5)], **k),
    "multiplicative, objects": lambda s, o, **k: s.MultiplicativeLR(o, [Decay(0.9), lambda t: 1.0], **k),
}


@pytest.mark.parametrize("make", CASES.values(), ids=CASES)
def test_torchs_rates(agree, make):
    agree(make)


def test_the_rates_are_those_of_the_formula(follow):
    rates = follow(LambdaLR, lambda t: 1 / (1 + t))
    assert rates == [[0.8 * (1 / (1 + t)), 0.05 * (1 / (1 + t))] for t in range(40)]
    lr, other = 0.8, 0.05
    for t, seen in enumerate(follow(MultiplicativeLR, [lambda t: 1 / t, lambda t: 0.5])):
        lr, other = (lr / t, other * 0.5) if t else (lr, other)
        assert seen == pytest.approx([lr, other], rel=1e-12)


@pytest.mark.parametrize("cls", [LambdaLR, MultiplicativeLR])
def test_the_state_has_the_attributes_of_objects_and_no_functions(optimizer, cls):
    scheduler = cls(optimizer, [Decay(0.9), lambda t: 1.0])
    optimizer.step()
    scheduler.step()
    state = scheduler.state_dict()
    calls = scheduler.lr_lambdas[0].calls
    assert calls > 0
    assert state["lr_lambdas"] == [{"rate": 0.9, "calls": calls}, None]
    kept = copy.deepcopy(state)
    functions = [Decay(0.1), lambda t: 0.5]
    other = cls(optimizer, functions)
    other.load_state_dict(state)
    assert state == kept
    assert other.lr_lambdas == functions
    assert vars(functions[0]) == {"rate": 0.9, "calls": calls}
    assert other.last_epoch == scheduler.last_epoch == 1


@pytest.mark.parametrize("cls", [LambdaLR, MultiplicativeLR])
def test_functions_without_attributes_of_their_own(optimizer, cls):
    scheduler = cls(optimizer, float)
    scheduler = cls(optimizer, [abs, abs])
    assert scheduler.state_dict()["lr_lambdas"] == [None, None]
    scheduler.load_state_dict(scheduler.state_dict())


@pytest.mark.parametrize("cls", [LambdaLR, MultiplicativeLR])
def test_bad_functions_are_refused(optimizer, cls):
    name = cls.__name__
    with pytest.raises(ValueError, match=f"{name}: lr_lambda has 1 entries, but the optimizer has 2 groups"):
        cls(optimizer, [lambda t: 1.0])
    with pytest.raises(TypeError, match=re.escape(f"{name}: lr_lambda is a float, expected a function of the epoch")):
        cls(optimizer, 0.5)
    with pytest.raises(TypeError, match=f"{name}: got a list, expected an optimizer"):
        cls([], lambda t: 1.0)
    assert all("initial_lr" not in group for group in optimizer.param_groups)
