"""What all optimizers share: groups, which parameters move, closures, rules of one's own, and what bad input gets."""

import copy
import inspect
import re

import numpy as np
import pytest

import tinyrnn
from tinyrnn import nn, optim
from tinyrnn.optim import SGD, Adam, Optimizer
from tinyrnn.optim.optimizer import required

SETTINGS = {
    "SGD": {"momentum": 0.9, "weight_decay": 0.01},
    "Adam": {"amsgrad": True, "weight_decay": 0.01},
    "AdamW": {},
    "RMSprop": {"momentum": 0.5, "centered": True, "weight_decay": 0.01},
    "Adagrad": {"initial_accumulator_value": 0.1, "weight_decay": 0.01},
    "Adadelta": {"weight_decay": 0.01},
    "Adamax": {"weight_decay": 0.01},
    "NAdam": {"weight_decay": 0.01},
    "RAdam": {"weight_decay": 0.01, "decoupled_weight_decay": True},
    "Rprop": {},
}
MAKE = {
    name: lambda params, lr=0.1, name=name, settings=settings: getattr(optim, name)(params, lr, **settings)
    for name, settings in SETTINGS.items()
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
        group["lr"], group["step_sizes"] = 0.0, (0.0, 0.0)  # the second for Rprop
    run(optimizer, params, range(2))
    assert same(numbers(params), before)
    assert optimizer.defaults["lr"] == 0.1


@EVERY
def test_a_setting_that_was_spoiled_later_is_an_error_before_anything_moves(make):
    params = leaves()
    optimizer = make(params)
    run(optimizer, params, [0])
    before, state = numbers(params), copy.deepcopy(optimizer.state_dict()["state"])
    optimizer.param_groups[0].update(lr="fast", step_sizes=("fast", 1))  # the second for Rprop
    with pytest.raises(ValueError, match="fast"):
        optimizer.step()
    assert same(numbers(params), before)
    for i, entries in optimizer.state_dict()["state"].items():
        assert entries.get("step") == state[i].get("step")


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
    name = type(make(layer.parameters())).__name__
    lr = {"Adadelta": 1.0, "Adagrad": 0.5, "RMSprop": 0.001}.get(name, 0.05)
    optimizer, y = make(layer.parameters(), lr=lr), target(x).detach()
    for group in optimizer.param_groups:
        group["weight_decay"] = 0
    for _ in range(500):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(layer(x), y)
        loss.backward()
        optimizer.step()
    assert loss.item() < 1e-6


W = nn.Parameter(tinyrnn.zeros(2))


@EVERY
@pytest.mark.parametrize(
    ("params", "exception", "message"),
    [
        (W, TypeError, "got a Parameter, expected tensors in an order: put them in a list"),
        (nn.Linear(2, 3), TypeError, "got a Linear, expected tensors in an order: say .parameters()"),
        (3, TypeError, "got a int, expected tensors in an order"),
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
    with pytest.raises(ValueError, match="lr is -1"):
        optimizer.add_param_group({"params": W, "lr": -1})
    assert len(optimizer.param_groups) == 1
    optimizer.add_param_group({"params": W})


def test_a_rule_of_ones_own():
    class Sign(Optimizer):
        def first_state(self, w, group):
            return {"step": 0, "sum": tinyrnn.zeros(*w.shape)}

        def numbers(self, group, t):
            return group["lr"] / t, 2.0

        def update(self, w, g, state, group, numbers):
            size, two = numbers
            assert size.dtype == two.dtype == w.dtype
            assert two == 2
            state["sum"].array[...] += g
            w -= size * np.sign(g)

    w = tinyrnn.zeros(3, requires_grad=True)
    optimizer = Sign([w], {"lr": 0.5})
    w.grad = tinyrnn.tensor([3.0, -2.0, 0.0])
    optimizer.step()
    assert w.tolist() == [-0.5, 0.5, 0]
    optimizer.step()
    assert w.tolist() == [-0.75, 0.75, 0]
    assert optimizer.state[w]["step"] == 2
    assert optimizer.state_dict()["state"][0]["sum"].tolist() == [6, -4, 0]
    with pytest.raises(NotImplementedError, match=r"Optimizer has neither a step\(\) nor an update\(\) of its own"):
        Optimizer([w], {}).step()


class HandWritten(Optimizer):
    """Adam as tutorials write it for torch."""

    def __init__(self, params, lr=required, betas=(0.9, 0.999), eps=1e-8):
        if lr is not required and lr < 0.0:
            raise ValueError(f"Invalid learning rate: {lr}")
        defaults = dict(lr=lr, betas=betas, eps=eps)  # noqa: C408
        super().__init__(params, defaults)

    def __setstate__(self, state):
        super().__setstate__(state)
        for group in self.param_groups:
            group.setdefault("nesterov", False)

    def step(self, closure=None):
        loss = None
        if closure is not None:
            with tinyrnn.enable_grad():
                loss = closure()
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                grad, state = p.grad.data, self.state[p]
                if len(state) == 0:
                    state["step"] = 0
                    state["exp_avg"] = tinyrnn.zeros_like(p.data)
                    state["exp_avg_sq"] = tinyrnn.zeros_like(p.data)
                state["step"] += 1
                m, v = state["exp_avg"], state["exp_avg_sq"]
                m.mul_(beta1).add_(grad * (1 - beta1))
                v.mul_(beta2).add_(grad * grad * (1 - beta2))
                scale = group["lr"] / (1 - beta1 ** state["step"])
                denominator = (v / (1 - beta2 ** state["step"])).sqrt() + group["eps"]
                with tinyrnn.no_grad():
                    p.add_(-scale * (m / denominator))
        return loss


def test_an_optimizer_written_for_torch():
    params = leaves()
    others, thirds = twins(params), twins(params)
    optimizer, adam = HandWritten(params, lr=0.1), Adam(others, lr=0.1)
    assert dict(optimizer.state) == {}
    run(optimizer, params, range(5))
    run(adam, others, range(5))
    for p, q in zip(params, others, strict=True):
        np.testing.assert_allclose(p.array, q.array, rtol=1e-10)
    for p, q in zip(params, thirds, strict=True):
        q.data = p.data.clone()
    again = HandWritten([{"params": thirds, "lr": 7.0}])
    again.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    assert again.param_groups[0]["lr"] == 0.1
    assert again.param_groups[0]["nesterov"] is False
    run(optimizer, params, [9])
    run(again, thirds, [9])
    assert same(numbers(params), numbers(thirds))
    assert again.step(lambda: 3) == 3


def test_a_setting_without_a_default_is_asked_of_every_group():
    w, v = (tinyrnn.zeros(1, requires_grad=True) for _ in range(2))
    assert HandWritten([{"params": w, "lr": 0.1}]).param_groups[0]["lr"] == 0.1
    with pytest.raises(ValueError, match="HandWritten: a group has no 'lr', which has no default"):
        HandWritten([{"params": w, "lr": 0.1}, {"params": v}])
    assert repr(required) == "<required parameter>"


def test_names_are_kept_with_the_parameters():
    layer = nn.Linear(2, 3)
    optimizer = SGD(layer.named_parameters(), lr=0.1)
    assert optimizer.param_groups[0]["param_names"] == ["weight", "bias"]
    assert [p is q for p, q in zip(optimizer.param_groups[0]["params"], layer.parameters(), strict=True)] == [True] * 2
    assert optimizer.state_dict()["param_groups"][0]["param_names"] == ["weight", "bias"]
    v = tinyrnn.zeros(1, requires_grad=True)
    with pytest.raises(ValueError, match="SGD: some parameters are given with names and some without"):
        optimizer.add_param_group({"params": [v]})
    with pytest.raises(ValueError, match="SGD: some parameters are given with names and some without"):
        SGD([("w", W), v], lr=0.1)
    optimizer.add_param_group({"params": [("v", v)]})
    assert optimizer.param_groups[1]["param_names"] == ["v"]


@EVERY
def test_the_learning_rate_may_be_a_tensor(make):
    params, rate = leaves(), tinyrnn.tensor(0.1, dtype=tinyrnn.float64)
    others = twins(params)
    optimizer, other = make(params, lr=rate), make(others, lr=0.1)
    run(optimizer, params, range(2))
    run(other, others, range(2))
    rate.fill_(0.25)  # the tensor itself is in the groups
    other.param_groups[0]["lr"] = 0.25
    run(optimizer, params, range(2, 4))
    run(other, others, range(2, 4))
    assert same(numbers(params), numbers(others))
    with pytest.raises(ValueError, match=re.escape("lr is a tensor of shape (2,), expected one element")):
        make(leaves(), lr=tinyrnn.ones(2))


@pytest.mark.parametrize("name", [*SETTINGS, "LBFGS"])
def test_arguments_defaults_settings_and_repr_are_torchs(torch, name):
    def arguments(cls):
        parameters = inspect.signature(cls.__init__).parameters.values()
        return [(p.name, p.kind, p.default) for p in parameters]

    ours, theirs = getattr(optim, name), getattr(torch.optim, name)
    assert arguments(ours) == arguments(theirs)
    makers = [
        lambda lib, cls: cls([lib.zeros(2, requires_grad=True)]),
        lambda lib, cls: cls([{"params": [lib.zeros(2, requires_grad=True)], "lr": 0.5}]),
        lambda lib, cls: cls(
            [{"params": [lib.zeros(2, requires_grad=True)]}, {"params": [lib.zeros(2, requires_grad=True)]}], lr=0.5
        ),
    ]
    for make in makers[: 2 if name == "LBFGS" else 3]:
        a, b = make(tinyrnn, ours), make(torch, theirs)
        assert a.defaults == b.defaults
        assert repr(a) == repr(b)
        assert a.state_dict()["param_groups"] == b.state_dict()["param_groups"]


@pytest.mark.parametrize("name", SETTINGS)
def test_the_keywords_on_how_to_loop_change_nothing(name):
    cls, ends = getattr(optim, name), []
    accepted = set(inspect.signature(cls.__init__).parameters)
    for keywords in ({}, {"foreach": True, "fused": False, "capturable": True}):
        w = tinyrnn.ones(3, requires_grad=True)
        w.grad = tinyrnn.ones(3)
        cls([w], **{key: value for key, value in keywords.items() if key in accepted}).step()
        ends.append(w.tolist())
    assert ends[0] == ends[1] != [1, 1, 1]


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_that_are_numbers_of_numpys_widen_nothing(name):
    w = tinyrnn.ones(3, requires_grad=True)
    wide = {k: np.float64(v) if isinstance(v, float) else v for k, v in SETTINGS[name].items()}
    optimizer = getattr(optim, name)([w], lr=np.float64(0.1), **wide)
    for key in ("betas", "etas"):
        if key in optimizer.param_groups[0]:
            optimizer.param_groups[0][key] = [np.float64(value) for value in optimizer.param_groups[0][key]]
    for _ in range(2):
        (w * w).sum().backward()
        optimizer.step()
    assert w.dtype == tinyrnn.float32
    tensors = [v for v in optimizer.state[w].values() if isinstance(v, tinyrnn.Tensor)]
    assert {v.dtype for v in tensors} <= {np.dtype("float32")}


def test_parameters_of_two_dtypes_may_stand_in_one_group():
    a, b = tinyrnn.ones(2, requires_grad=True), tinyrnn.ones(2, dtype=tinyrnn.float64, requires_grad=True)
    optimizer = Adam([a, b], lr=0.1, weight_decay=0.1)
    for _ in range(3):
        ((a * a).sum() + (b * b).sum()).backward()
        optimizer.step()
    assert (a.dtype, b.dtype) == (tinyrnn.float32, tinyrnn.float64)
    assert optimizer.state[b]["exp_avg"].dtype == tinyrnn.float64
    np.testing.assert_allclose(a.array, b.array, rtol=1e-6)
    assert b.array[0] != np.float32(b.array[0])


def test_an_optimizer_of_torchs_that_is_not_here_is_said_to_be_absent():
    with pytest.raises(AttributeError, match=r"optim has no 'SparseAdam'.* Instead: "):
        optim.SparseAdam  # noqa: B018


@EVERY
def test_what_is_remembered_follows_a_parameter_that_is_cast(make):
    w = tinyrnn.randn(3, 2, requires_grad=True)
    one, optimizer = tinyrnn.randn((), requires_grad=True), None
    optimizer = make([w, one])
    for dtype in (tinyrnn.float32, tinyrnn.float64, tinyrnn.float32):
        twin = make([tinyrnn.tensor(p.array.astype(dtype), requires_grad=True) for p in (w, one)])
        for p in (w, one):
            p.data = p.data.to(dtype)
        twin.load_state_dict(optimizer.state_dict())
        for seed in range(3):
            for o in (optimizer, twin):
                o.zero_grad()
                fill_grad(o.param_groups[0]["params"], seed)
                o.step()
        for p, q in zip((w, one), twin.param_groups[0]["params"], strict=True):
            assert p.dtype == dtype
            assert np.array_equal(p.array, q.array)
        kinds = {
            value.dtype for value in optimizer.state[w].values() if isinstance(value, tinyrnn.Tensor) and value.ndim
        }
        assert kinds == {dtype}


@EVERY
def test_what_is_remembered_of_a_replaced_parameter_is_refused_by_name(make):
    w = tinyrnn.randn(2, 3, requires_grad=True)
    optimizer = make([w])
    fill_grad([w], 0)
    optimizer.step()
    w.data, w.grad = tinyrnn.zeros(1, 3), None
    w.grad = tinyrnn.ones(1, 3)
    message = r"step: \w+ has shape \(2, 3\), the parameter has \(1, 3\) by now: delete its entry in state"
    with pytest.raises(ValueError, match=message):
        optimizer.step()
    assert not w.array.any()
    del optimizer.state[w]
    optimizer.step()
    assert w.array.any()
