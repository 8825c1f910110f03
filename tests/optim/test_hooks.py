"""Hooks around step(): their order and arguments, what they may change, and what leaves them out."""

import copy

import pytest

import tinyrnn
from tinyrnn.optim import LBFGS, SGD, Optimizer


class Own(Optimizer):
    """A step() of one's own, as under torch, and one that calls that of its base."""

    def step(self, closure=None, factor=1):
        self.seen = (closure, factor)
        return "stepped"


class Further(Own):
    def step(self, closure=None, factor=1):
        return super().step(closure, factor), "further"


def leaf():
    w = tinyrnn.ones(2, requires_grad=True)
    w.grad = tinyrnn.ones(2)
    return w


@pytest.mark.parametrize("make", [lambda w: SGD([w], lr=0.5), lambda w: Own([w], {}), lambda w: Further([w], {})])
def test_hooks_are_called_once_in_order_with_the_arguments(make):
    optimizer, calls = make(leaf()), []
    for name in ("first", "second"):
        optimizer.register_step_pre_hook(lambda *given, name=name: calls.append((f"{name} before", *given)))
        optimizer.register_step_post_hook(lambda *given, name=name: calls.append((f"{name} after", *given)))
    optimizer.step(closure=None)
    assert [call[0] for call in calls] == ["first before", "second before", "first after", "second after"]
    for _, given, args, kwargs in calls:
        assert given is optimizer
        assert args == (optimizer,)  # as under torch, the optimizer is the first argument
        assert kwargs == {"closure": None}


def test_hooks_stand_around_the_step():
    w = leaf()
    optimizer, seen = SGD([w], lr=0.5), []
    optimizer.register_step_pre_hook(lambda *_: seen.append(w.tolist()))
    optimizer.register_step_post_hook(lambda *_: seen.append(w.tolist()))
    optimizer.step()
    assert seen == [[1, 1], [0.5, 0.5]]


def test_a_pre_hook_may_change_the_arguments():
    optimizer = Further([leaf()], {})
    optimizer.register_step_pre_hook(lambda _, args, kwargs: (args, {**kwargs, "factor": 3}))
    optimizer.register_step_pre_hook(lambda _, args, kwargs: ((args[0], "closure"), kwargs))
    assert optimizer.step() == ("stepped", "further")
    assert optimizer.seen == ("closure", 3)
    optimizer.register_step_pre_hook(lambda *_: 5)
    with pytest.raises(RuntimeError, match=r"Further: step: a pre-hook returned 5, expected None or \(args, kwargs\)"):
        optimizer.step()


@pytest.mark.parametrize("register", ["register_step_pre_hook", "register_step_post_hook"])
def test_a_hook_is_removed_by_its_handle_and_only_it(register):
    optimizer, calls = SGD([leaf()], lr=0.5), []
    hook = lambda *_: calls.append(1)  # noqa: E731
    handle, _ = (getattr(optimizer, register)(hook) for _ in range(2))
    optimizer.step()
    handle.remove()
    handle.remove()
    optimizer.step()
    assert len(calls) == 3
    with getattr(optimizer, register)(hook):
        optimizer.step()
    optimizer.step()
    assert len(calls) == 6


def test_hooks_belong_to_one_optimizer_and_are_not_copied():
    optimizer, calls = SGD([leaf()], lr=0.5), []
    optimizer.register_step_post_hook(lambda *_: calls.append(1))
    copy.deepcopy(optimizer).step()
    SGD([leaf()], lr=0.5).step()
    assert calls == []


def test_lbfgs_has_them_too():
    w = tinyrnn.ones(2, requires_grad=True)
    optimizer, calls = LBFGS([w], max_iter=1), []
    optimizer.register_step_post_hook(lambda *_: calls.append(1))

    def closure():
        optimizer.zero_grad()
        loss = (w**4).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    assert calls == [1]


@pytest.mark.parametrize("make", [lambda w: SGD([w], lr=0.5), lambda w: Own([w], {})])
def test_whether_a_step_was_made_is_known(make):
    optimizer = make(leaf())
    assert optimizer._opt_called is False
    optimizer.step()
    assert optimizer._opt_called is True


def test_a_step_keeps_its_name_and_its_doc():
    assert SGD.step.__name__ == "step"
    assert "closure" in SGD.step.__doc__


def test_a_wrapper_that_never_calls_init_can_step():
    class Lookahead(Optimizer):
        def __init__(self, optimizer):
            self.optimizer, self.param_groups = optimizer, optimizer.param_groups

        def step(self, closure=None):
            return self.optimizer.step(closure)

    w = leaf()
    Lookahead(SGD([w], lr=0.5)).step()
    assert w.tolist() == [0.5, 0.5]
