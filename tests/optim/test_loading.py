"""State dicts: what goes on bit for bit, what travels to torch and back, and what does not fit."""

import copy
import pickle
import re

import numpy as np
import pytest

import tinyrnn
from tinyrnn import nn, optim
from tinyrnn.optim import SGD, Adam, Optimizer

SETTINGS = {
    "SGD": {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01},
    "Adam": {"lr": 0.1, "amsgrad": True, "weight_decay": 0.01},
    "AdamW": {"lr": 0.1},
    "RMSprop": {"lr": 0.1, "momentum": 0.5, "centered": True},
    "Adagrad": {"lr": 0.1, "initial_accumulator_value": 0.1, "lr_decay": 0.1},
    "Adadelta": {"lr": 0.1},
    "Adamax": {"lr": 0.1},
    "NAdam": {"lr": 0.1},
    "RAdam": {"lr": 0.1, "decoupled_weight_decay": True},
    "Rprop": {"lr": 0.1},
}
EVERY = pytest.mark.parametrize("name", SETTINGS)


def make(name, params, lib=tinyrnn):
    return getattr(lib.optim, name)(params, **SETTINGS[name])


def leaves(n=3, dtype=tinyrnn.float64):
    return [tinyrnn.randn(4, i + 1, dtype=dtype, requires_grad=True) for i in range(n)]


def run(optimizer, params, seeds, lib=tinyrnn):
    for seed in seeds:
        rng = np.random.default_rng(seed)
        for p in params:
            p.grad = lib.tensor(rng.standard_normal(tuple(p.shape)), dtype=p.dtype)
        optimizer.step()


def numbers(params):
    return [np.array(p.tolist()) for p in params]


def same(a, b):
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def twins(params):
    return [p.detach().clone().requires_grad_() for p in params]


def in_form(state, convert):
    """A copy of a state dict with its tensors converted."""
    entries = {
        i: {k: convert(v) if hasattr(v, "shape") else v for k, v in e.items()} for i, e in state["state"].items()
    }
    return {"state": entries, "param_groups": copy.deepcopy(state["param_groups"])}


FORMS = {
    "itself": lambda state: state,
    "deepcopy": copy.deepcopy,
    "pickle": lambda state: pickle.loads(pickle.dumps(state)),
    "arrays": lambda state: in_form(state, lambda v: v.array.copy()),
}


@EVERY
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", [tinyrnn.float32, tinyrnn.float64])
def test_five_steps_and_five_more_are_ten(name, form, dtype):
    params = [*leaves(dtype=dtype), tinyrnn.tensor(0.5, dtype=dtype, requires_grad=True)]
    optimizer = make(name, [{"params": params[:1], "lr": 0.3}, {"params": params[1:]}])
    run(optimizer, params, range(5))
    others, state = twins(params), FORMS[form](optimizer.state_dict())
    other = make(name, [{"params": others[:1]}, {"params": others[1:]}])
    other.load_state_dict(state)
    assert [group["lr"] for group in other.param_groups] == [0.3, 0.1]
    run(other, others, range(5, 10))  # first: it must not change what it was loaded from
    run(optimizer, params, range(5, 10))
    assert same(numbers(params), numbers(others))
    for p, q in zip(params, others, strict=True):
        assert optimizer.state[p]["step"] == other.state[q]["step"] == 10 if name != "SGD" else True


@EVERY
@pytest.mark.parametrize("form", ["tensors", "arrays"])
def test_a_state_of_torchs_goes_on_here(torch, name, form):
    params = leaves()
    there = [torch.tensor(p.array, requires_grad=True) for p in params]
    theirs = make(name, there, torch)
    run(theirs, there, range(5), torch)
    state = theirs.state_dict()
    if form == "arrays":
        state = in_form(state, lambda v: v.numpy())
    others = [tinyrnn.tensor(q.detach().numpy(), requires_grad=True) for q in there]
    optimizer = make(name, others)
    optimizer.load_state_dict(state)
    run(optimizer, others, range(5, 10))
    run(theirs, there, range(5, 10), torch)
    for p, q in zip(others, there, strict=True):
        np.testing.assert_allclose(p.array, q.detach().numpy(), rtol=1e-11, atol=1e-11)
    for group in optimizer.param_groups:
        assert set(group) == set(theirs.param_groups[0])


@EVERY
def test_a_state_goes_on_under_torch(torch, name):
    params = leaves()
    optimizer = make(name, params)
    run(optimizer, params, range(5))
    there = [torch.tensor(p.array, requires_grad=True) for p in params]
    theirs = make(name, there, torch)
    theirs.load_state_dict(in_form(optimizer.state_dict(), lambda v: torch.tensor(v.array)))
    run(optimizer, params, range(5, 10))
    run(theirs, there, range(5, 10), torch)
    for p, q in zip(params, there, strict=True):
        tolerance = 1e-7 if name == "NAdam" else 1e-11  # there, mu_product is cast to float64 when it is loaded
        np.testing.assert_allclose(p.array, q.detach().numpy(), rtol=tolerance, atol=tolerance)


@EVERY
def test_a_state_dict_is_plain_and_is_the_optimizers_own(name):
    params = leaves()
    optimizer = make(name, params)
    assert optimizer.state_dict()["state"] == {}
    run(optimizer, params, range(2))
    state = optimizer.state_dict()
    assert state["param_groups"][0]["params"] == [0, 1, 2]
    assert list(state["state"]) == [0, 1, 2]
    run(optimizer, params, [2])
    for i, entries in state["state"].items():
        for key, value in entries.items():
            assert value is optimizer.state[params[i]][key]
            assert isinstance(value, tinyrnn.Tensor | int)
            assert key == "step" or not value.requires_grad


@EVERY
def test_a_state_dict_of_another_dtype_is_cast(name):
    params = leaves(dtype=tinyrnn.float32)
    optimizer = make(name, params)
    run(optimizer, params, range(2))
    others = [p.detach().double().requires_grad_() for p in params]
    other = make(name, others)
    other.load_state_dict(optimizer.state_dict())
    arrays = [v for entries in other.state.values() for k, v in entries.items() if k not in ("step", "mu_product")]
    assert {v.dtype for v in arrays} == {np.dtype("float64")}
    run(other, others, [2])


def test_loaded_settings_are_the_optimizers_own():
    w, v = (tinyrnn.ones(2, requires_grad=True) for _ in range(2))
    optimizer, other = (Adam([p], lr=tinyrnn.tensor(0.5), betas=[0.8, 0.9]) for p in (w, v))
    state = optimizer.state_dict()
    other.load_state_dict(state)
    optimizer.param_groups[0]["lr"].fill_(0.25)
    assert other.param_groups[0]["lr"].item() == 0.5
    state["param_groups"][0].update(lr=np.float64(0.125), betas=[0.5, 0.5])  # as from a file
    other.load_state_dict(state)
    assert other.param_groups[0]["lr"] == 0.125
    assert other.param_groups[0]["betas"] == (0.5, 0.5)
    assert other.param_groups[0]["params"][0] is v


def test_settings_that_were_not_saved_stay():
    w = tinyrnn.ones(2, requires_grad=True)
    optimizer = SGD([("w", w)], lr=0.1, momentum=0.5)
    state = {"state": {}, "param_groups": [{"lr": 0.3, "params": [0]}]}  # as of an older torch
    optimizer.load_state_dict(state)
    group = optimizer.param_groups[0]
    assert (group["lr"], group["momentum"], group["param_names"]) == (0.3, 0.5, ["w"])
    assert state == {"state": {}, "param_groups": [{"lr": 0.3, "params": [0]}]}


def test_parameters_without_a_state_begin_anew():
    params = leaves()
    optimizer = make("Adam", params)
    run(optimizer, params[:1], range(2))
    other = make("Adam", others := twins(params))
    other.load_state_dict(optimizer.state_dict())
    run(other, others, [2])
    assert [other.state[p]["step"] for p in others] == [3, 1, 1]


def bad_state(change):
    """A state_dict for three parameters of `leaves`, spoiled."""

    def spoiled(name):
        params = leaves()
        optimizer = make(name, params)
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
        (bad_state(lambda s: s["state"].update({2: s["state"][0]})), "has shape (4, 1), expected (4, 3)"),
        (bad_state(lambda s: s["param_groups"][0].update(lr=-1)), "lr is -1, expected 0.0 <= lr"),
        (bad_state(lambda s: s.pop("state")), "load_state_dict: got the keys ['param_groups'], expected 'state' and"),
        (bad_state(lambda s: s["state"].update({1: {"other": 1}})), "is this the state of another optimizer?"),
        (
            bad_state(lambda s: s.update(state={str(i): v for i, v in s["state"].items()})),
            "expected each parameter once, and a state only for these",
        ),
        (bad_state(lambda s: s["param_groups"][0].update(params=[0, 0, 0])), "expected each parameter once"),
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(name, state, message):
    params = leaves()
    optimizer, twin = make(name, params), make(name, others := twins(params))
    run(optimizer, params, [7])
    run(twin, others, [7])
    with pytest.raises(ValueError, match=f"{name}: .*{re.escape(message)}"):
        optimizer.load_state_dict(state(name))
    run(optimizer, params, [8])
    run(twin, others, [8])
    assert same(numbers(params), numbers(others))


def entry(key, value):
    """Spoils an entry of the second parameter: "array" is the first of its arrays."""

    def change(state):
        entries = state["state"][1]
        entries[key if key != "array" else next(k for k, v in entries.items() if np.shape(v))] = value

    return change


WRONG = [  # what is spoiled, the error, a part of its message
    (entry("array", [1.0]), TypeError, "is [1.0], expected a tensor of shape (4, 2)"),
    (entry("array", "x"), TypeError, "is 'x', expected a tensor of shape (4, 2)"),
    (entry("array", {}), TypeError, "is {}, expected a tensor of shape (4, 2)"),
    (entry("array", True), TypeError, "is True, expected a tensor of shape (4, 2)"),
    (entry("array", 1.0), ValueError, "has shape (), expected (4, 2)"),
    (entry("array", np.zeros((4, 2), complex)), TypeError, "is complex128, expected real numbers"),
    (entry("array", np.full((4, 2), "x")), TypeError, "is <U1, expected real numbers"),
    (lambda s: s["state"].update({1: None}), TypeError, "the state of parameter 1 is a NoneType, expected a dict"),
    (lambda s: s["state"].update({1: [1]}), TypeError, "the state of parameter 1 is a list, expected a dict"),
    (lambda s: s.update(state=[]), TypeError, "'state' is a list, expected a dict {number: entries}"),
    (lambda s: s.update(param_groups=None), TypeError, "param_groups[0] is no dict with a list 'params'"),
    (lambda s: s.update(param_groups=[3]), TypeError, "param_groups[0] is no dict with a list 'params'"),
    (lambda s: s["param_groups"][0].update(params=3), TypeError, "param_groups[0] is no dict with a list 'params'"),
    (lambda s: s["param_groups"][0].update(lr="x"), TypeError, "lr is 'x', expected a number"),
    (lambda s: s["param_groups"][0].update(lr=None), TypeError, "lr is None, expected a number"),
]
WRONG_STEPS = [
    (-3, ValueError, "is -3, expected a whole number of at least 0"),
    (2.5, ValueError, "is 2.5, expected a whole number of at least 0"),
    (float("nan"), ValueError, "is nan, expected a whole number of at least 0"),
    ("x", TypeError, "is 'x', expected a number"),
    (None, TypeError, "is None, expected a number"),
    (True, TypeError, "is True, expected a number"),
    ([1], TypeError, "is [1], expected a number"),
    (tinyrnn.tensor([1.0, 2.0]), TypeError, "expected a number"),
]


COUNTED = [(entry("step", value), *rest) for value, *rest in WRONG_STEPS]
COUNTED.append((entry("array", None), TypeError, "is None, expected a tensor"))
CHANGES = [(name, *case) for name in SETTINGS for case in WRONG + COUNTED * (name != "SGD")]  # whose buffer may be None


@pytest.mark.parametrize(("name", "change", "error", "message"), CHANGES)
def test_a_state_of_another_kind_changes_nothing(name, change, error, message):
    state = bad_state(change)(name)
    params = leaves()
    optimizer = make(name, params)
    run(optimizer, params, [7])
    before = copy.deepcopy(optimizer.state_dict())
    with pytest.raises(error, match=f"{name}: .*{re.escape(message)}"):
        optimizer.load_state_dict(state)
    np.testing.assert_equal(in_form(optimizer.state_dict(), lambda v: v.array), in_form(before, lambda v: v.array))
    with pytest.raises(TypeError, match=f"{name}: load_state_dict: got a NoneType, expected a dict"):
        optimizer.load_state_dict(None)


def test_what_is_no_tensor_may_be_a_number_where_one_is_expected():
    params = leaves()
    optimizer = make("NAdam", params)
    run(optimizer, params, [0])
    state = copy.deepcopy(optimizer.state_dict())
    state["state"][0].update(mu_product=0.25, step=tinyrnn.tensor([4.0]))
    optimizer.load_state_dict(state)
    assert optimizer.state[params[0]]["mu_product"].item() == 0.25
    assert optimizer.state[params[0]]["step"] == 4


class Number(int):
    """The number of a parameter, that counts how often it is looked up."""

    looked_up = 0

    def __hash__(self):
        Number.looked_up += 1
        return int.__hash__(self)


@EVERY
def test_loading_takes_time_in_proportion_to_the_number_of_parameters(name):
    n = 300
    params = [tinyrnn.ones(1, requires_grad=True) for _ in range(n)]
    optimizer = make(name, params)
    run(optimizer, params, [0])
    state = optimizer.state_dict()
    state["param_groups"][0]["params"] = [Number(i) for i in range(n)]
    state["state"] = {Number(i): entries for i, entries in state["state"].items()}
    Number.looked_up = 0
    optimizer.load_state_dict(state)
    assert 0 < Number.looked_up < 20 * n


@EVERY
def test_a_step_that_one_parameter_cannot_take_moves_none(name):
    params = leaves()
    optimizer = make(name, params)
    run(optimizer, params, [0])
    for p in params:
        p.grad = tinyrnn.ones_like(p)
    before = [p.array.copy() for p in params]
    params[2].data = tinyrnn.ones(7, dtype=tinyrnn.float64)
    with pytest.raises(
        ValueError, match=rf"{name}: step: the gradient has shape \(4, 3\), the parameter \(7,\) by now"
    ):
        optimizer.step()
    params[2].grad = tinyrnn.ones(7, dtype=tinyrnn.float64)
    if name != "SGD":
        with pytest.raises(ValueError, match=rf"{name}: step: \w+ has shape \(4, 3\), the parameter has \(7,\) by now"):
            optimizer.step()
    optimizer.param_groups[0]["params"].pop()
    optimizer.state.pop(params[2])
    optimizer.add_param_group({"params": [params[2]]})
    optimizer.param_groups[1]["lr"] = "x"
    with pytest.raises(ValueError, match="could not convert"):
        optimizer.step()
    assert same([p.array for p in params[:2]], before[:2])


def test_a_state_of_another_optimizer_is_refused():
    params = leaves()
    sgd, adam = make("SGD", params), make("Adam", params)
    run(sgd, params, [0])
    with pytest.raises(ValueError, match=re.escape("['momentum_buffer'], without ['step', 'exp_avg', 'exp_avg_sq'")):
        adam.load_state_dict(sgd.state_dict())


@EVERY
@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda pair: pickle.loads(pickle.dumps(pair))])
def test_a_copy_of_a_model_with_its_optimizer_goes_on_alike(name, duplicate):
    model = nn.RNN(2, 3)
    optimizer = make(name, model.parameters())
    run(optimizer, list(model.parameters()), range(2))
    other, its_optimizer = duplicate((model, optimizer))
    for m, o in ((model, optimizer), (other, its_optimizer)):
        run(o, list(m.parameters()), range(2, 4))
    assert same(numbers(model.parameters()), numbers(other.parameters()))


def test_what_an_optimizer_of_ones_own_remembers_is_kept_as_it_is():
    class Own(Optimizer):
        def step(self, closure=None):
            pass

    w, v = (tinyrnn.ones(2, requires_grad=True) for _ in range(2))
    optimizer, other = Own([w], {"lr": 0.1}), Own([v], {"lr": 0.2})
    wide = tinyrnn.arange(3, dtype=tinyrnn.float64)
    entries = {"rows": wide, "step": tinyrnn.tensor(2.0), "list": [wide, None, 3], "dict": {"a": (wide, "b")}}
    optimizer.state[w].update(entries)
    optimizer.state["rounds"] = 7
    other.load_state_dict(optimizer.state_dict())
    loaded = other.state[v]
    assert other.state["rounds"] == 7
    assert loaded["step"].item() == 2
    for value in (loaded["rows"], loaded["list"][0], loaded["dict"]["a"][0]):
        assert value.tolist() == [0, 1, 2]
        assert value.dtype == tinyrnn.float32  # as its parameter's
        assert value is not wide
    assert loaded["list"][1:] == [None, 3]
    assert loaded["dict"]["a"][1] == "b"


def test_a_parameter_that_was_taken_out_has_no_number():
    params = leaves()
    optimizer = make("Adam", [{"params": params[:2]}, {"params": params[2:]}])
    run(optimizer, params, [0])
    del optimizer.param_groups[0]
    assert list(optimizer.state_dict()["state"]) == [0]
    assert optimizer.state_dict()["state"][0]["exp_avg"].shape == (4, 3)


def test_every_optimizer_is_here():
    rules = {name for name in optim.__all__ if isinstance(getattr(optim, name), type)} - {"Optimizer", "LBFGS"}
    assert rules == set(SETTINGS)
