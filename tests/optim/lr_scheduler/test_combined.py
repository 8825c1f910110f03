"""SequentialLR and ChainedScheduler beside their parts and beside torch."""

import re

import pytest

import tinyrnn
from tinyrnn.optim import SGD
from tinyrnn.optim.lr_scheduler import (
    ChainedScheduler,
    ConstantLR,
    CosineAnnealingLR,
    ExponentialLR,
    LinearLR,
    OneCycleLR,
    ReduceLROnPlateau,
    SequentialLR,
    StepLR,
)

SEQUENCES = {
    "two": lambda s, o: s.SequentialLR(o, [s.ConstantLR(o, 0.1, 2), s.ExponentialLR(o, 0.9)], milestones=[2]),
    "warmup": lambda s, o: s.SequentialLR(o, [s.LinearLR(o, 0.1, total_iters=8), s.CosineAnnealingLR(o, 150)], [8]),
    "three": lambda s, o: s.SequentialLR(
        o, [s.LinearLR(o), s.StepLR(o, 3, 0.5), s.PolynomialLR(o, 40)], milestones=[5, 60]
    ),
    "one": lambda s, o: s.SequentialLR(o, [s.ExponentialLR(o, 0.9)], []),
    "restarts": lambda s, o: s.SequentialLR(o, [s.LinearLR(o), s.CosineAnnealingWarmRestarts(o, 7, 2)], [5]),
    "the first left out": lambda s, o: s.SequentialLR(o, [s.LinearLR(o), s.ExponentialLR(o, 0.9)], [0]),
    "without closed forms": lambda s, o: s.SequentialLR(
        o, [s.MultiplicativeLR(o, lambda t: 0.9), s.LambdaLR(o, lambda t: 0.5**t)], [20]
    ),
    "a cycle": lambda s, o: s.SequentialLR(o, [s.CyclicLR(o, 0.1, 0.2, 5), s.ConstantLR(o)], [30]),
}

CHAINS = {
    "one": lambda s, o: s.ChainedScheduler([s.ExponentialLR(o, 0.9)]),
    "two": lambda s, o: s.ChainedScheduler([s.ConstantLR(o, 0.1, 2), s.ExponentialLR(o, 0.9)], optimizer=o),
    "three": lambda s, o: s.ChainedScheduler(
        [s.LinearLR(o, total_iters=30), s.CosineAnnealingLR(o, 50, 0.01), s.MultiStepLR(o, [4, 20])]
    ),
    "a chain in a chain": lambda s, o: s.ChainedScheduler(
        (s.ChainedScheduler([s.StepLR(o, 3), s.ExponentialLR(o, 0.99)]), s.MultiplicativeLR(o, lambda t: 1.01))
    ),
}


@pytest.mark.parametrize("make", [*SEQUENCES.values(), *CHAINS.values()], ids=[*SEQUENCES, *CHAINS])
def test_torchs_rates(agree, make):
    agree(make, ("through", "changed_by_hand", "resumed"))


def test_a_sequence_is_its_parts_one_after_another(optimizer, follow):
    parts = [LinearLR(optimizer, 0.25, total_iters=6), StepLR(optimizer, 2, 0.5), CosineAnnealingLR(optimizer, 10)]
    scheduler = SequentialLR(optimizer, parts, [6, 11])
    wanted = [
        *follow(LinearLR, 0.25, total_iters=6, steps=6),
        *follow(StepLR, 2, 0.5, steps=5),
        *follow(CosineAnnealingLR, 10, steps=9),
    ]
    for rates in wanted:
        assert scheduler.get_last_lr() == pytest.approx(rates, rel=1e-12)
        optimizer.step()
        scheduler.step()


def test_a_chain_is_the_product_of_its_parts(optimizer, follow):
    scheduler = ChainedScheduler([ConstantLR(optimizer, 0.25, 7), ExponentialLR(optimizer, 0.9)])
    for constant, exponential in zip(follow(ConstantLR, 0.25, 7), follow(ExponentialLR, 0.9), strict=True):
        wanted = [a * b / lr for a, b, lr in zip(constant, exponential, (0.8, 0.05), strict=True)]
        assert scheduler.get_last_lr() == pytest.approx(wanted, rel=1e-12)
        optimizer.step()
        scheduler.step()


@pytest.mark.parametrize(
    "inner",
    [
        lambda o: ChainedScheduler([StepLR(o, 2, 0.5), ExponentialLR(o, 0.9)]),
        lambda o: SequentialLR(o, [StepLR(o, 2, 0.5), ExponentialLR(o, 0.9)], [3]),
    ],
)
def test_combined_ones_may_come_later_in_a_sequence(inner):
    # torch fails here: neither has a get_lr().
    alone, after = (SGD([tinyrnn.zeros(1, requires_grad=True)], lr=0.8) for _ in range(2))
    wanted, rates = [], []
    for optimizer, seen, scheduler in [
        (alone, wanted, inner(alone)),
        (after, rates, SequentialLR(after, [ConstantLR(after, 1.0), inner(after)], [4])),
    ]:
        for _ in range(12):
            seen += scheduler.get_last_lr()
            optimizer.step()
            scheduler.step()
    assert rates == pytest.approx([0.8] * 4 + wanted[:8], rel=1e-12)


def test_a_state_of_other_schedulers_is_refused(optimizer):
    chain = ChainedScheduler([StepLR(optimizer, 2), ExponentialLR(optimizer, 0.9)])
    with pytest.raises(ValueError, match="ChainedScheduler: load_state_dict: got the states of 1 schedulers, expected"):
        chain.load_state_dict(ChainedScheduler([StepLR(optimizer, 2)]).state_dict())
    with pytest.raises(ValueError, match="got the states of 0 schedulers, expected 2"):
        chain.load_state_dict(StepLR(optimizer, 2).state_dict())


@pytest.mark.parametrize("cls", [SequentialLR, ChainedScheduler])
def test_bad_parts_are_refused(optimizer, cls):
    name = cls.__name__
    other = SGD([tinyrnn.zeros(1, requires_grad=True)], lr=0.1)

    def build(*parts):
        return cls(optimizer, parts, list(range(len(parts) - 1))) if cls is SequentialLR else cls(parts)

    with pytest.raises(ValueError, match=f"{name}: got no schedulers, expected at least one"):
        build()
    with pytest.raises(TypeError, match=re.escape(f"{name}: schedulers[1] is a float, expected a scheduler")):
        build(StepLR(optimizer, 2), 0.5)
    with pytest.raises(ValueError, match=re.escape(f"{name}: schedulers[1] is a ReduceLROnPlateau, whose step() need")):
        build(StepLR(optimizer, 2), ReduceLROnPlateau(optimizer))
    with pytest.raises(
        ValueError, match=re.escape(f"{name}: schedulers[1] has another optimizer, expected one and th")
    ):
        build(StepLR(optimizer, 2), StepLR(other, 2))


def test_a_sequence_refuses_other_optimizers_and_milestones(optimizer):
    other = SGD([tinyrnn.zeros(1, requires_grad=True)], lr=0.1)
    parts = [StepLR(optimizer, 2), ExponentialLR(optimizer, 0.9), OneCycleLR(optimizer, 0.1, 10)]
    with pytest.raises(ValueError, match=re.escape("SequentialLR: schedulers[0] has another optimizer")):
        SequentialLR(other, parts, [2, 4])
    for milestones in ([2], [2, 4, 6], [4, 2]):
        with pytest.raises(ValueError, match=re.escape(f"SequentialLR: milestones is {milestones}, expected 2 of the")):
            SequentialLR(optimizer, parts, milestones)
    with pytest.raises(ValueError, match=re.escape("SequentialLR: milestones[0] is -1, expected 0 <= milestones[0]")):
        SequentialLR(optimizer, parts, [-1, 4])
    with pytest.raises(ValueError, match=re.escape("ChainedScheduler: schedulers[0] has another optimizer")):
        ChainedScheduler(parts, optimizer=other)
