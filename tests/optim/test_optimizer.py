"""What all optimizers share: groups, which parameters move, closures, state dicts, and what bad input gets."""

import copy
import pickle
import re

import numpy as np
import pytest

import tinyrnn
from tinyrnn import nn
from tinyrnn.optim import SGD, Adam, Optimizer

MAKE = {
    "SGD": lambda params, lr=0.1: SGD(params, lr, momentum=0.9, weight_decay=0.01),
    "Adam": lambda params, lr=0.1: Adam(params, lr, amsgrad=True, weight_decay=0.01),
}
EVERY = pytest.mark.parametrize("make", MAKE.values(), ids=MAKE)


def leaves(n=3, dtype=tinyrnn.float64):
    return [tinyrnn.randn(4, i + 1, dtype=dtype, requires_grad=True) for i in range(n)]


def fill_grad(params, seed):
    rng = np.random.default_rng(seed)
    for p in params:
        p.grad = tinyrnn.tensor(rng.standard_normal(p.shape), dtype=p.dtype)


def run(optimizer, params, seeds):
    for seed in seeds:
        fill_grad(params, seed)
        optimizer.step()


def numbers(params):
    return [p.array.copy() for p in params]


def same(a, b):
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def twins(params):
    return [p.detach().clone().requires_grad_() for p in params]


@EVERY
def test_parameters_may_be_given_in_every_form(make):
    forms = [
        lambda ps: ps,
        lambda ps: (p for p in ps),
        lambda ps: [{"params": ps}],
        lambda ps: ({"params": [p]} for p in ps),
        lambda ps: [{"params": ps[0]}, {"params": (p for p in ps[1:])}],
        lambda ps: [(f"p{i}", p) for i, p in enumerate(ps)],
    ]
    start, ends = leaves(), []
    for form in forms:
        params = twins(start)
        optimizer = make(form(params))
        run(optimizer, params, range(3))
        ends.append(numbers(params))
    assert not same(ends[0], numbers(start))
    assert all(same(end, ends[0]) for end in ends)


@EVERY
def test_groups_have_settings_of_their_own(make):
    params, rates = leaves(), [0.01, 0.5, 0.0]
    others = twins(params)
    optimizer = make([{"params": params[:1]}, {"params": params[1], "lr": 0.5}], lr=0.01)
    optimizer.add_param_group({"params": params[2], "lr": 0.0})
    assert [group["lr"] for group in optimizer.param_groups] == rates
    run(optimizer, params, range(3))
    alone = [make([p], lr) for p, lr in zip(others, rates, strict=True)]
    for seed in range(3):
        fill_grad(others, seed)
        for single in alone:
            single.step()
    assert same(numbers(params), numbers(others))


@EVERY
def test_settings_may_change_between_steps(make):
    params = leaves()
    optimizer, before = make(params), numbers(params)
    for group in optimizer.param_groups:
        group["lr"] = 0.0
    run(optimizer, params, range(2))
    assert same(numbers(params), before)
    assert optimizer.defaults["lr"] == 0.1


@EVERY
def test_parameters_without_a_gradient_stay(make):
    params = leaves()
    before = numbers(params)
    optimizer = make(params)
    fill_grad(params[1:2], 0)
    optimizer.step()
    assert same(numbers(params[::2]), before[::2])
    assert not np.array_equal(params[1].array, before[1])
    assert set(optimizer.state_dict()["state"]) == {1}


@EVERY
def test_a_step_keeps_the_tensors_their_memory_and_their_gradients(make):
    for dtype in (tinyrnn.float32, tinyrnn.float64):
        params = leaves(dtype=dtype)
        memory = [p.array for p in params]
        run(make(params), params, range(3))
        for p, array in zip(params, memory, strict=True):
            assert p.array is array
            assert p.is_leaf
            assert p.requires_grad
            assert (p.dtype, p.grad.dtype) == (dtype, dtype)


@EVERY
def test_a_step_between_forward_and_backward_is_refused(make):
    layer = nn.RNN(2, 3)
    optimizer = make(layer.parameters())
    loss = layer(tinyrnn.randn(4, 1, 2))[0].square().sum()
    loss.backward(retain_graph=True)
    optimizer.step()
    with pytest.raises(RuntimeError, match="'rnn' needs was changed in place"):
        loss.backward()


@EVERY
def test_data_that_the_user_replaced_is_what_the_next_step_moves(make):
    params = leaves(1)
    optimizer = make(params)
    run(optimizer, params, range(2))
    new = np.asarray(np.random.default_rng(9).standard_normal((1, 4)).T)  # of another layout in memory
    params[0].data = tinyrnn.from_numpy(new.copy(order="F"))
    other = twins(params)
    alike = make(other)
    alike.load_state_dict(optimizer.state_dict())
    run(optimizer, params, [2])
    run(alike, other, [2])
    assert same(numbers(params), numbers(other))
    assert not np.array_equal(params[0].array, new)


@EVERY
def test_a_closure_is_called_with_recording_on_and_its_loss_returned(make):
    params, modes = leaves(1), []
    optimizer = make(params)

    def closure():
        modes.append(tinyrnn.is_grad_enabled())
        optimizer.zero_grad()
        loss = params[0].square().sum()
        loss.backward()
        return loss

    before = params[0].square().sum().item()
    with tinyrnn.no_grad():
        assert optimizer.step(closure).item() == before
    assert modes == [True]
    assert params[0].square().sum().item() < before
    assert optimizer.step() is None


@EVERY
@pytest.mark.parametrize("set_to_none", [True, False])
def test_zero_grad(make, set_to_none):
    params = leaves()
    fill_grad(params[:2], 0)
    grads = [p.grad for p in params]
    make(params).zero_grad(set_to_none)
    for p, g in zip(params, grads, strict=True):
        assert p.grad is (None if set_to_none else g)
        assert g is None or g.array.any() == set_to_none


@EVERY
def test_a_minimum_is_found(make):
    layer, target = nn.Linear(3, 2, dtype=tinyrnn.float64), nn.Linear(3, 2, dtype=tinyrnn.float64)
    x = tinyrnn.randn(20, 3, dtype=tinyrnn.float64)
    optimizer, y = make(layer.parameters(), lr=0.05), target(x).detach()
    for group in optimizer.param_groups:
        group["weight_decay"] = 0
    for _ in range(400):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(layer(x), y)
        loss.backward()
        optimizer.step()
    assert loss.item() < 1e-6


@EVERY
@pytest.mark.parametrize("form", ["tensors", "arrays"])
def test_a_state_dict_goes_on_bit_for_bit(make, form):
    params = [*leaves(), tinyrnn.tensor(0.5, dtype=tinyrnn.float64, requires_grad=True)]
    optimizer = make([{"params": params[:1], "lr": 0.3}, {"params": params[1:]}])
    run(optimizer, params, range(3))
    others, state = twins(params), optimizer.state_dict()
    if form == "arrays":
        for entries in state["state"].values():
            entries.update({key: getattr(value, "array", value) for key, value in entries.items()})
    other = make([{"params": others[:1]}, {"params": others[1:]}])
    other.load_state_dict(state)
    assert [group["lr"] for group in other.param_groups] == [0.3, 0.1]
    run(other, others, range(3, 6))  # first: it must not change what it was loaded from
    run(optimizer, params, range(3, 6))
    assert same(numbers(params), numbers(others))


@EVERY
def test_a_state_dict_is_plain_and_shows_the_memory_itself(make):
    params = leaves()
    optimizer = make(params)
    assert optimizer.state_dict()["state"] == {}
    run(optimizer, params, range(2))
    state = optimizer.state_dict()
    assert state["param_groups"][0]["params"] == [0, 1, 2]
    assert list(state["state"]) == [0, 1, 2]
    for i, entries in state["state"].items():
        for key, value in entries.items():
            if key != "step":
                assert np.shares_memory(value.array, optimizer.state[params[i]][key])
                assert not value.requires_grad


@EVERY
def test_a_state_dict_of_another_dtype_is_cast(make):
    params = leaves(dtype=tinyrnn.float32)
    optimizer = make(params)
    run(optimizer, params, range(2))
    others = [p.detach().double().requires_grad_() for p in params]
    other = make(others)
    other.load_state_dict(optimizer.state_dict())
    arrays = [v for entries in other.state.values() for v in entries.values() if isinstance(v, np.ndarray)]
    assert {v.dtype for v in arrays} == {tinyrnn.float64}
    run(other, others, [2])


def bad_state(change):
    """A state_dict for three parameters of `leaves`, spoiled."""

    def spoiled(make):
        params = leaves()
        optimizer = make(params)
        run(optimizer, params, range(2))
        state = copy.deepcopy(optimizer.state_dict())
        change(state)
        return state

    return spoiled


@EVERY
@pytest.mark.parametrize(
    ("state", "message"),
    [
        (bad_state(lambda s: s["param_groups"][0]["params"].pop()), "groups of [2] parameters, expected groups of [3]"),
        (bad_state(lambda s: s["param_groups"].append({"params": []})), "groups of [3, 0] parameters, expected groups"),
        (bad_state(lambda s: s["state"].update({2: s["state"][0]})), "has shape (4, 1), its parameter has (4, 3)"),
        (bad_state(lambda s: s["param_groups"][0].update(lr=-1)), "lr is -1, expected 0.0 <= lr"),
        (bad_state(lambda s: s.pop("state")), "load_state_dict: got the keys ['param_groups'], expected 'state' and"),
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(make, state, message):
    params = leaves()
    optimizer, twin = make(params), make(others := twins(params))
    run(optimizer, params, [7])
    run(twin, others, [7])
    name = type(optimizer).__name__
    with pytest.raises(ValueError, match=f"{name}: .*{re.escape(message)}"):
        optimizer.load_state_dict(state(make))
    run(optimizer, params, [8])
    run(twin, others, [8])
    assert same(numbers(params), numbers(others))


@EVERY
@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda pair: pickle.loads(pickle.dumps(pair))])
def test_a_copy_of_a_model_with_its_optimizer_goes_on_alike(make, duplicate):
    model = nn.RNN(2, 3)
    optimizer = make(model.parameters())
    run(optimizer, list(model.parameters()), range(2))
    other, its_optimizer = duplicate((model, optimizer))
    for m, o in ((model, optimizer), (other, its_optimizer)):
        run(o, list(m.parameters()), range(2, 4))
    assert same(numbers(model.parameters()), numbers(other.parameters()))


W = nn.Parameter(tinyrnn.zeros(2))


@EVERY
@pytest.mark.parametrize(
    ("params", "exception", "message"),
    [
        (W, TypeError, "got a Parameter, expected tensors in an order: put them in a list"),
        ({W}, TypeError, "got a set, expected tensors in an order: put them in a list"),
        ([], ValueError, "there are no parameters (was the generator used before? make a new one)"),
        ([np.zeros(2)], TypeError, "params[0] is a ndarray, expected a tensor"),
        ([W, 2.0], TypeError, "params[1] is a float, expected a tensor"),
        ([2 * W], ValueError, "params[0] was computed from others, expected a leaf"),
        ([W, W], ValueError, "params[1], of shape (2,), is given twice, expected each once"),
        ([{"params": [W]}, {"params": [W]}], ValueError, "params[0], of shape (2,), is given twice"),
        ([{"params": [W]}, W], TypeError, "a group is a Parameter, expected a dict with the key 'params'"),
        ([{"lr": 0.1}], TypeError, "a group is a dict, expected a dict with the key 'params'"),
        ([{"params": [W], "lr": -1}], ValueError, "lr is -1, expected 0.0 <= lr"),
        ([{"params": {W}}], TypeError, "a group's params are a set, expected an order: put them in a list"),
    ],
)
def test_what_is_no_parameter_is_refused(make, params, exception, message):
    name = type(make([tinyrnn.zeros(1, requires_grad=True)])).__name__
    with pytest.raises(exception, match=re.escape(f"{name}: ") + ".*" + re.escape(message)):
        make(params)


@EVERY
def test_a_group_that_is_refused_is_not_added(make):
    optimizer = make([tinyrnn.zeros(1, requires_grad=True)])
    with pytest.raises(ValueError, match="weight_decay is -1"):
        optimizer.add_param_group({"params": W, "weight_decay": -1})
    assert len(optimizer.param_groups) == 1
    optimizer.add_param_group({"params": W})


def test_a_rule_of_ones_own():
    class Sign(Optimizer):
        def update(self, w, g, state, group):
            state["count"] = state.get("count", 0) + 1
            w -= group["lr"] * np.sign(g)

    w = tinyrnn.zeros(3, requires_grad=True)
    optimizer = Sign([w], {"lr": 0.5})
    w.grad = tinyrnn.tensor([3.0, -2.0, 0.0])
    optimizer.step()
    assert w.tolist() == [-0.5, 0.5, 0]
    assert optimizer.state_dict()["state"] == {0: {"count": 1}}
    with pytest.raises(NotImplementedError, match=r"Optimizer has no update\(\)"):
        Optimizer([w], {}).step()


def test_repr_lists_the_settings_of_each_group():
    optimizer = SGD([{"params": W}], lr=0.1, momentum=0.9)
    assert repr(optimizer).splitlines()[:4] == ["SGD (", "Parameter Group 0", "    dampening: 0", "    lr: 0.1"]
    assert "    momentum: 0.9" in repr(optimizer)


@pytest.mark.parametrize(
    "make",
    [
        lambda w: SGD([w], lr=np.float64(0.1), momentum=np.float64(0.9), weight_decay=np.float64(0.1)),
        lambda w: Adam(
            [w], lr=np.float64(0.1), betas=(np.float64(0.9), np.float64(0.99)), weight_decay=np.float64(0.1)
        ),
    ],
)
def test_settings_that_are_numbers_of_numpys_widen_nothing(make):
    w = tinyrnn.ones(3, requires_grad=True)
    optimizer = make(w)
    for _ in range(2):
        (w * w).sum().backward()
        optimizer.step()
    assert w.dtype == tinyrnn.float32
    assert {v.dtype for v in optimizer.state[w].values() if isinstance(v, np.ndarray)} == {np.dtype("float32")}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda s: s.update(state={str(i): v for i, v in s["state"].items()}),
        lambda s: s["param_groups"][0].update(params=[0, 0]),
    ],
)
def test_a_state_that_belongs_to_nobody_is_refused(spoil):
    w, v = (tinyrnn.ones(2, requires_grad=True) for _ in range(2))
    optimizer = SGD([w, v], lr=0.1, momentum=0.9)
    (w * v).sum().backward()
    optimizer.step()
    state = optimizer.state_dict()
    spoil(state)
    with pytest.raises(ValueError, match="expected each parameter once"):
        optimizer.load_state_dict(state)
