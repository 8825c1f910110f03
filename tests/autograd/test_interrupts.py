"""Signals wait until what must be whole is whole; steps and loading are interrupted here at every single line."""

from __future__ import annotations

import copy
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinyrnn
from tinyrnn import nn, optim
from tinyrnn.autograd.interrupts import held

PACKAGE = str(Path(tinyrnn.__file__).parent)


class Stop(BaseException):
    """What the handlers here raise, in place of KeyboardInterrupt."""


def stop(number: int, frame: Any) -> None:
    raise Stop(number)


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    found = {number: signal.getsignal(number) for number in before}
    for number, handler in before.items():
        signal.signal(number, handler)
    assert set(found.values()) == {stop}, "a handler was not restored"


def test_a_signal_waits_for_the_end_of_the_block() -> None:
    done = []
    with pytest.raises(Stop), held():  # noqa: PT012
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        done.append(signal.getsignal(signal.SIGINT) is not stop)
    assert done == [True]


def test_blocks_nest_and_the_outermost_lets_go() -> None:
    done = []
    with pytest.raises(Stop), held():  # noqa: PT012
        with held():
            signal.raise_signal(signal.SIGINT)
        done.append(1)
    assert done == [1]


def test_several_signals_all_arrive() -> None:
    seen = []
    signal.signal(signal.SIGTERM, lambda number, frame: seen.append(number))
    with pytest.raises(Stop), held():  # noqa: PT012
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
        assert not seen
    signal.signal(signal.SIGTERM, stop)
    assert seen == [signal.SIGTERM]


def test_an_error_of_the_block_is_the_context_of_the_interrupt() -> None:
    with pytest.raises(Stop) as caught, held():  # noqa: PT012
        signal.raise_signal(signal.SIGINT)
        raise ValueError("of the block")
    assert isinstance(caught.value.__context__, ValueError)


def test_an_error_of_the_block_alone_goes_on() -> None:
    with pytest.raises(ValueError, match="of the block"), held():
        raise ValueError("of the block")


def test_where_it_is_lifted_signals_come_at_once() -> None:
    done = []
    with held() as interrupts:
        with pytest.raises(Stop), interrupts.lifted():  # noqa: PT012
            signal.raise_signal(signal.SIGINT)
            done.append("not reached")
        done.append(signal.getsignal(signal.SIGINT) is not stop)
    assert done == [True]


def test_handlers_that_are_not_pythons_stay() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with held():
        signal.raise_signal(signal.SIGTERM)
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_IGN
    signal.signal(signal.SIGTERM, stop)


def test_another_thread_need_not_wait() -> None:
    found = []

    def run() -> None:
        with held():
            found.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert found == [stop]


def interrupted(run: Callable[[], Any], at: int) -> bool:
    """run(), with Ctrl-C before its `at`-th line in the package. Whether there were so many."""
    left = at

    def trace(frame: Any, event: str, argument: Any) -> Any:
        nonlocal left
        if not frame.f_code.co_filename.startswith(PACKAGE):
            return None
        if event == "line":
            left -= 1
            if left == 0:
                signal.raise_signal(signal.SIGINT)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        run()
    except Stop:
        assert left <= 0
    finally:
        sys.settrace(before)
    return left <= 0


def numbers(value: Any) -> Any:
    """Tensors as arrays, and all else as it is, to compare."""
    if isinstance(value, dict):
        return {key: numbers(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [numbers(part) for part in value]
    return value.detach().numpy().copy() if isinstance(value, tinyrnn.Tensor) else value


def same(a: Any, b: Any) -> bool:
    try:
        np.testing.assert_equal(a, b)
    except AssertionError:
        return False
    return True


def whole_or_not_at_all(make: Callable[[], tuple[Callable[[], Any], Callable[[], Any]]], stride: int = 1) -> int:
    """make() -> (what to run, what it changes). Interrupts it at every line; how often it was done all the same."""
    run, look = make()
    before = numbers(look())
    run()
    after = numbers(look())
    assert not same(before, after)
    done, at, more = 0, 1, True
    while more:
        run, look = make()
        more = interrupted(run, at)
        found = numbers(look())
        assert same(found, before) or same(found, after), f"half done when interrupted at line {at}"
        assert tinyrnn.is_grad_enabled()
        done += same(found, after)
        at += stride
    return done


SETTINGS: dict[str, dict[str, Any]] = {
    "SGD": {"momentum": 0.9, "weight_decay": 0.1, "nesterov": True},
    "Adam": {"amsgrad": True, "maximize": True},
    "AdamW": {},
    "RMSprop": {"momentum": 0.5, "centered": True},
    "Adagrad": {},
    "Adadelta": {},
    "Adamax": {},
    "NAdam": {},
    "RAdam": {},
    "Rprop": {},
}


def training(name: str, steps: int) -> tuple[list[nn.Parameter], optim.Optimizer]:
    params = [nn.Parameter(tinyrnn.arange(n, dtype=tinyrnn.float64) + 1) for n in (2, 3)]
    for p in params:
        p.grad = p.detach().cos()
    optimizer = getattr(optim, name)(params, lr=0.1, **SETTINGS[name])
    for _ in range(steps):
        optimizer.step()
    return params, optimizer


@pytest.mark.parametrize("steps", [0, 2])
@pytest.mark.parametrize("name", SETTINGS)
def test_an_interrupted_step_is_whole_or_not_made(name: str, steps: int) -> None:
    def make() -> tuple[Callable[[], Any], Callable[[], Any]]:
        params, optimizer = training(name, steps)
        return optimizer.step, lambda: [params, optimizer.state_dict()]

    assert whole_or_not_at_all(make, 1 if name == "SGD" else 4) > 5


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
def test_an_interrupted_step_of_lbfgs_is_whole_or_not_made(search: str | None) -> None:
    """Its closure may be interrupted too: then all is as before the step."""

    def make() -> tuple[Callable[[], Any], Callable[[], Any]]:
        w = nn.Parameter(tinyrnn.tensor([3.0, -2.0], dtype=tinyrnn.float64))
        optimizer = optim.LBFGS([w], max_iter=3, line_search_fn=search)

        def closure() -> tinyrnn.Tensor:
            loss = ((w - 1) ** 4).sum()
            w.grad = 4 * (w.detach() - 1) ** 3
            return loss

        return lambda: optimizer.step(closure), lambda: [w, optimizer.state_dict()]

    assert whole_or_not_at_all(make, stride=7) > 1


def test_a_closure_that_raises_takes_a_step_of_lbfgs_back() -> None:
    w = nn.Parameter(tinyrnn.tensor([3.0, -2.0]))
    optimizer, calls = optim.LBFGS([w]), []

    def closure() -> tinyrnn.Tensor:
        calls.append(1)
        if len(calls) == 3:
            raise ZeroDivisionError
        optimizer.zero_grad()
        loss = ((w - 1) ** 4).sum()
        loss.backward()
        return loss

    with pytest.raises(ZeroDivisionError):
        optimizer.step(closure)
    assert w.tolist() == [3, -2]
    assert optimizer.state_dict()["state"] == {}


@pytest.mark.parametrize("name", SETTINGS)
def test_an_interrupted_load_of_an_optimizer_is_whole_or_not_made(name: str) -> None:
    saved = copy.deepcopy(training(name, 3)[1].state_dict())
    saved["param_groups"][0]["lr"] = 0.01

    def make() -> tuple[Callable[[], Any], Callable[[], Any]]:
        params, optimizer = training(name, 1)
        return lambda: optimizer.load_state_dict(saved), lambda: [params, optimizer.state_dict()]

    assert whole_or_not_at_all(make, stride=3)


def test_an_interrupted_load_of_a_module_is_whole_or_not_made() -> None:
    saved = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)).state_dict()

    def make() -> tuple[Callable[[], Any], Callable[[], Any]]:
        tinyrnn.manual_seed(5)
        module = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
        return lambda: module.load_state_dict(saved), module.state_dict

    assert whole_or_not_at_all(make, stride=3)


def test_an_interrupted_load_of_a_scheduler_is_whole_or_not_made() -> None:
    def scheduler() -> optim.lr_scheduler.LRScheduler:
        optimizer = training("SGD", 1)[1]
        parts = [optim.lr_scheduler.ConstantLR(optimizer), optim.lr_scheduler.ExponentialLR(optimizer, 0.5)]
        return optim.lr_scheduler.SequentialLR(optimizer, parts, [2])

    other = scheduler()
    for _ in range(4):
        other.step()
    saved = copy.deepcopy(other.state_dict())

    def make() -> tuple[Callable[[], Any], Callable[[], Any]]:
        mine = scheduler()
        return lambda: mine.load_state_dict(saved), mine.state_dict

    assert whole_or_not_at_all(make, stride=3)


def test_what_interrupts_a_step_that_does_not_hold_is_seen_here() -> None:
    """A planted fault: a step of one's own that moves the parameters one by one."""

    class Plain(optim.Optimizer):
        def step(self, closure: Any = None) -> None:
            for p in self.param_groups[0]["params"]:
                with tinyrnn.no_grad():
                    p -= p.grad

    def make() -> tuple[Callable[[], Any], Callable[[], Any]]:
        params, _ = training("SGD", 0)
        return Plain(params, {}).step, lambda: params

    with pytest.raises(AssertionError, match="half done"):
        whole_or_not_at_all(make)
