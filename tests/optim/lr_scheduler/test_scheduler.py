"""What all schedulers share: schedules of one's own, warnings, states, and what is refused."""

import copy
import pickle
import re
import warnings

import pytest

import tinyrnn
from tinyrnn import optim
from tinyrnn.optim import SGD, Adam, lr_scheduler
from tinyrnn.optim.lr_scheduler import CosineAnnealingLR, ExponentialLR, LRScheduler, MultiStepLR, StepLR

MAKE = {
    "StepLR": lambda s, o: s.StepLR(o, 3),
    "MultiStepLR": lambda s, o: s.MultiStepLR(o, [2, 7]),
    "ConstantLR": lambda s, o: s.ConstantLR(o),
    "LinearLR": lambda s, o: s.LinearLR(o),
    "ExponentialLR": lambda s, o: s.ExponentialLR(o, 0.9),
    "PolynomialLR": lambda s, o: s.PolynomialLR(o),
    "CosineAnnealingLR": lambda s, o: s.CosineAnnealingLR(o, 10),
    "CosineAnnealingWarmRestarts": lambda s, o: s.CosineAnnealingWarmRestarts(o, 4),
    "LambdaLR": lambda s, o: s.LambdaLR(o, lambda t: 0.9**t),
    "MultiplicativeLR": lambda s, o: s.MultiplicativeLR(o, lambda t: 0.9),
    "OneCycleLR": lambda s, o: s.OneCycleLR(o, 0.5, 100),
    "CyclicLR": lambda s, o: s.CyclicLR(o, 0.1, 0.5, 3),
    "ReduceLROnPlateau": lambda s, o: s.ReduceLROnPlateau(o),
    "SequentialLR": lambda s, o: s.SequentialLR(o, [s.LinearLR(o), s.StepLR(o, 4)], [5]),
    "ChainedScheduler": lambda s, o: s.ChainedScheduler([s.LinearLR(o), s.StepLR(o, 4)]),
}


def sgd(framework=tinyrnn, lr=0.8):
    return framework.optim.SGD([framework.zeros(2, requires_grad=True)], lr=lr, momentum=0.9)


def test_the_face():
    assert set(MAKE) | {"LRScheduler"} == set(lr_scheduler.__all__)
    assert optim.lr_scheduler is lr_scheduler is tinyrnn.optim.lr_scheduler
    assert issubclass(StepLR, lr_scheduler._LRScheduler)


def test_torch_has_the_same_names(torch):
    assert set(lr_scheduler.__all__) == set(torch.optim.lr_scheduler.__all__)


@pytest.mark.parametrize("name", MAKE)
def test_torchs_arguments(torch, name):
    import inspect

    ours, theirs = (inspect.signature(getattr(f.optim.lr_scheduler, name)).parameters for f in (tinyrnn, torch))
    assert [(p.name, p.default) for p in ours.values()] == [(p.name, p.default) for p in theirs.values()]


class Warmup(lr_scheduler._LRScheduler):
    """As schedulers in the wild are written: a linear rise, then another scheduler."""

    def __init__(self, optimizer, steps, after, last_epoch=-1):
        self.steps, self.after = steps, after
        super().__init__(optimizer, last_epoch)

    def get_lr(self):
        if not self._get_lr_called_within_step:
            warnings.warn("use get_last_lr()", UserWarning, stacklevel=2)
        if self.last_epoch > self.steps:
            return self.after.get_last_lr()
        return [base_lr * (self.last_epoch + 1) / (self.steps + 1) for base_lr in self.base_lrs]

    def step(self, epoch=None):
        if self.last_epoch >= self.steps:
            self.after.step(epoch)
        super().step(epoch)


def inverse_root(framework):
    class InverseRoot(framework.optim.lr_scheduler.LRScheduler):
        def get_lr(self):
            return [group["initial_lr"] * (self.last_epoch + 1) ** -0.5 for group in self.optimizer.param_groups]

        def _get_closed_form_lr(self):
            return [base_lr * (self.last_epoch + 1) ** -0.5 for base_lr in self.base_lrs]

    return InverseRoot(sgd(framework))


def test_a_schedule_of_ones_own():
    optimizer = sgd()
    after = ExponentialLR(optimizer, 0.5)
    scheduler = Warmup(optimizer, 3, after)
    rates = []
    for _ in range(7):
        rates += scheduler.get_last_lr()
        optimizer.step()
        scheduler.step()
    assert rates == pytest.approx([0.2, 0.4, 0.6, 0.8, 0.4, 0.2, 0.1])


def test_a_schedule_of_ones_own_as_in_torch(torch):
    seen = []
    for framework in (tinyrnn, torch):
        scheduler = inverse_root(framework)
        rates = []
        for _ in range(20):
            scheduler.optimizer.step()
            scheduler.step()
            rates += scheduler.get_last_lr()
        with pytest.warns(UserWarning, match="deprecated"):
            scheduler.step(99)
        seen.append([*rates, *scheduler.get_last_lr()])
    assert seen[0] == pytest.approx(seen[1], rel=1e-12)
    assert seen[0][-1] == pytest.approx(0.08)


def test_a_schedule_without_rates():
    with pytest.raises(NotImplementedError, match=re.escape("LRScheduler has no get_lr()")):
        LRScheduler(sgd())


def test_a_schedule_that_fails_leaves_its_epoch():
    class Failing(LRScheduler):
        def get_lr(self):
            if self.last_epoch == 2:
                raise RuntimeError("no more")
            return self.base_lrs

    optimizer = sgd()
    scheduler = Failing(optimizer)
    optimizer.step()
    scheduler.step()
    for _ in range(2):
        with pytest.raises(RuntimeError, match="no more"):
            scheduler.step()
    assert scheduler.last_epoch == 1
    assert not scheduler._get_lr_called_within_step
    with pytest.raises(ValueError, match="argument"):
        type("Short", (LRScheduler,), {"get_lr": lambda self: []})(optimizer)


def test_a_step_before_the_optimizers_warns_once():
    optimizer = sgd()
    scheduler = StepLR(optimizer, 2)
    with pytest.warns(UserWarning, match=re.escape("StepLR: step() comes before the first step of the optimizer")):
        scheduler.step()
    scheduler.step()
    optimizer.step()
    scheduler.step()
    StepLR(optimizer, 2).step()


def test_an_optimizer_with_a_step_of_its_own_is_watched_too():
    class Own(SGD):
        def step(self, closure=None):
            pass

    early, late = (Own([tinyrnn.zeros(1, requires_grad=True)], lr=0.1) for _ in range(2))
    with pytest.warns(UserWarning, match=re.escape("StepLR: step() comes before the first step of the optimizer")):
        StepLR(early, 2).step()
    late.step()
    StepLR(late, 2).step()


def test_an_epoch_is_taken_with_a_warning():
    optimizer = sgd()
    scheduler = ExponentialLR(optimizer, 0.5)
    optimizer.step()
    with pytest.warns(UserWarning, match=re.escape("ExponentialLR: step(epoch) is deprecated")):
        scheduler.step(3)
    assert scheduler.last_epoch == 3
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.1)


@pytest.mark.parametrize("name", list(MAKE)[:12])
def test_get_lr_is_not_for_everybody(name):
    scheduler = MAKE[name](lr_scheduler, sgd())
    with pytest.warns(
        UserWarning, match=re.escape(f"{name}: get_lr() is for step() to call: get_last_lr() gives")
    ) as w:
        scheduler.get_lr()
    assert w[0].filename == __file__


@pytest.mark.parametrize("name", MAKE)
def test_rates_are_numbers_in_the_groups_and_the_state_is_plain(name):
    optimizer = sgd()
    scheduler = MAKE[name](lr_scheduler, optimizer)
    optimizer.step()
    scheduler.step(*[1.0] * (name == "ReduceLROnPlateau"))
    assert all(type(lr) is float for lr in scheduler.get_last_lr())
    assert scheduler.get_last_lr() == [group["lr"] for group in optimizer.param_groups]
    state = scheduler.state_dict()
    assert "optimizer" not in state
    assert repr(pickle.loads(pickle.dumps(state))) == repr(state)
    rates = scheduler.get_last_lr()
    kept = list(rates)
    optimizer.step()
    scheduler.step(*[1.0] * (name == "ReduceLROnPlateau"))
    assert rates == kept


@pytest.mark.parametrize("name", MAKE)
def test_torchs_states_are_understood(torch, name):
    optimizer, scheduler = (theirs := sgd(torch)), MAKE[name](torch.optim.lr_scheduler, theirs)
    ours = sgd()
    mine = MAKE[name](lr_scheduler, ours)
    arguments = [0.5] * (name == "ReduceLROnPlateau")
    for _ in range(6):
        optimizer.step()
        scheduler.step(*arguments)
    mine.load_state_dict(copy.deepcopy(scheduler.state_dict()))
    ours.load_state_dict({"state": {}, "param_groups": optimizer.state_dict()["param_groups"]})
    for _ in range(20):
        optimizer.step()
        scheduler.step(*arguments)
        mine.step(*arguments)
        assert mine.get_last_lr() == pytest.approx(scheduler.get_last_lr(), rel=1e-12)
        assert ours.param_groups[0]["momentum"] == pytest.approx(optimizer.param_groups[0]["momentum"], rel=1e-12)


def test_going_on_from_an_epoch_needs_initial_rates():
    optimizer = sgd()
    with pytest.raises(KeyError, match="StepLR: last_epoch is 5, but group 0 has no 'initial_lr': load the"):
        StepLR(optimizer, 2, last_epoch=5)
    assert "initial_lr" not in optimizer.param_groups[0]


def test_the_state_of_another_kind_is_refused():
    scheduler = MultiStepLR(sgd(), [3])
    before = copy.deepcopy(scheduler.state_dict())
    with pytest.raises(ValueError, match=r"MultiStepLR: load_state_dict: got the keys .*, without \['milestones'\]"):
        scheduler.load_state_dict(StepLR(sgd(), 3).state_dict())
    assert scheduler.state_dict() == before


@pytest.mark.parametrize("name", [name for name in MAKE if name not in ("SequentialLR", "ChainedScheduler")])
def test_what_is_no_optimizer_is_refused(name):
    with pytest.raises(TypeError, match=f"^{name}: got a list, expected an optimizer"):
        MAKE[name](lr_scheduler, [sgd()])


def test_two_schedulers_multiply():
    optimizer = sgd(lr=1.0)
    schedulers = [StepLR(optimizer, 2, 0.5), ExponentialLR(optimizer, 0.9)]
    for t in range(12):
        assert optimizer.param_groups[0]["lr"] == pytest.approx(0.5 ** (t // 2) * 0.9**t, rel=1e-12)
        optimizer.step()
        for scheduler in schedulers:
            scheduler.step()


def test_a_run_goes_on_exactly_where_it_stopped():
    def train(w, optimizer, scheduler, steps):
        for _ in range(steps):
            optimizer.zero_grad()
            ((w - 3) ** 2).sum().backward()
            optimizer.step()
            scheduler.step()

    def fresh():
        w = tinyrnn.zeros(3, requires_grad=True)
        optimizer = Adam([w], lr=0.3)
        return w, optimizer, CosineAnnealingLR(optimizer, 10, 0.01)

    whole = fresh()
    train(*whole, 14)
    first = fresh()
    train(*first, 5)
    states = copy.deepcopy([x.state_dict() for x in first[1:]])
    second = fresh()
    with tinyrnn.no_grad():
        second[0].copy_(first[0])
    for x, state in zip(second[1:], states, strict=True):
        x.load_state_dict(state)
    train(*second, 9)
    assert second[0].tolist() == whole[0].tolist()
    assert second[2].state_dict() == whole[2].state_dict()
