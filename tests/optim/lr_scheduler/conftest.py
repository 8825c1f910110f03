"""What the tests of the schedulers share: the rates of a schedule, ours and torch's, driven in several ways."""

import copy
import warnings
from types import ModuleType

import pytest

import tinyrnn
from tinyrnn import optim

KINDS = {"SGD": {"momentum": 0.5}, "Adam": {"betas": (0.6, 0.9)}}


def optimizer_of(framework, lrs=(0.8, 0.05), kind="SGD", **settings):
    groups = [{"params": [framework.zeros(2, requires_grad=True)], "lr": lr} for lr in lrs]
    return getattr(framework.optim, kind)(groups, lr=0.1, **{**KINDS[kind], **settings})


def rates_of(optimizer):
    """Everything in the groups that a scheduler may write."""
    keys = ("lr", "momentum", "betas", "initial_lr", "max_lr", "min_lr", "base_momentum", "max_momentum")
    return [[group[key] for key in keys if key in group] for group in optimizer.param_groups]


def flat(x):
    return [y for part in x for y in flat(part)] if isinstance(x, list | tuple) else [float(x)]


class Ways:
    """Ways to drive a schedule. Each gives the rates that it saw, as one flat list."""

    def __init__(self, framework: ModuleType, make, kind: str) -> None:
        self.framework, self.make, self.kind = framework, make, kind

    def fresh(self):
        optimizer = optimizer_of(self.framework, kind=self.kind)
        return optimizer, self.make(self.framework.optim.lr_scheduler, optimizer)

    def go(self, optimizer, scheduler, steps, seen):
        for _ in range(steps):
            seen += [*flat(rates_of(optimizer)), *scheduler.get_last_lr()]
            optimizer.step()
            scheduler.step()
        return seen

    def through(self, steps):
        return self.go(*self.fresh(), steps, [])

    def changed_by_hand(self, steps):
        optimizer, scheduler = self.fresh()
        seen = self.go(optimizer, scheduler, 7, [])
        for group, factor in zip(optimizer.param_groups, (3.0, 0.25), strict=True):
            group["lr"] *= factor
        return self.go(optimizer, scheduler, steps - 7, seen)

    def resumed(self, steps):
        seen = self.go(*(one := self.fresh()), steps // 3, [])
        states = copy.deepcopy([x.state_dict() for x in one])
        other = self.fresh()
        for x, state in zip(other, states, strict=True):
            x.load_state_dict(state)
        return self.go(*other, steps - steps // 3, seen)

    def epochs_given(self, steps):
        optimizer, scheduler = self.fresh()
        optimizer.step()
        seen = []
        for i in range(steps):
            epoch = i * 7 % 31
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                scheduler.step(epoch)
            seen += flat(rates_of(optimizer))
        return self.go(optimizer, scheduler, 5, seen)

    def begun_later(self, steps, last_epoch=11):
        optimizer, scheduler = self.fresh()
        self.go(optimizer, scheduler, last_epoch + 1, [])
        scheduler = self.make(self.framework.optim.lr_scheduler, optimizer, last_epoch=last_epoch)
        return self.go(optimizer, scheduler, steps, [])


EVERY = ("through", "changed_by_hand", "resumed", "epochs_given", "begun_later")


@pytest.fixture
def agree(torch):
    """agree(make): make(lr_scheduler, optimizer, **last_epoch) gives torch's rates, in every way to drive it."""

    def check(make, ways=EVERY, steps=200, kind="SGD"):
        for way in ways:
            ours, theirs = (
                getattr(Ways(framework, make, kind), way)(steps if way == "through" else 80)
                for framework in (tinyrnn, torch)
            )
            assert ours == pytest.approx(theirs, rel=1e-12, abs=1e-15), way

    return check


@pytest.fixture
def follow():
    """follow(scheduler class, settings): the rates of 40 steps from lr 0.8 and 0.05, one list for each step."""

    def rates(cls, *args, steps=40, **settings):
        optimizer = optimizer_of(tinyrnn)
        scheduler = cls(optimizer, *args, **settings)
        seen = []
        for _ in range(steps):
            seen.append(scheduler.get_last_lr())
            assert seen[-1] == [group["lr"] for group in optimizer.param_groups]
            optimizer.step()
            scheduler.step()
        return seen

    return rates


@pytest.fixture
def optimizer():
    return optimizer_of(tinyrnn)


@pytest.fixture
def plain_optimizer():
    """One that has no momentum."""

    class Plain(optim.Optimizer):
        pass

    return Plain([tinyrnn.zeros(2, requires_grad=True)], {"lr": 0.1})
