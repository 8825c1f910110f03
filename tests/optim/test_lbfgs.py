"""LBFGS beside torch's, beside its formula with the whole matrix, at known minima; its state, and what is refused."""

import copy
import re

import numpy as np
import pytest

import tinyrnn
from tinyrnn.optim import LBFGS

LINES = [None, "strong_wolfe"]


def rosenbrock(lib, dtype="float64"):
    """(1 - x)^2 + 100 (y - x^2)^2 over two parameters, of shapes () and (1, 1): a banana, its minimum at 1, 1."""
    x = lib.tensor(-1.5, dtype=getattr(lib, dtype), requires_grad=True)
    y = lib.tensor([[2.0]], dtype=getattr(lib, dtype), requires_grad=True)
    return [x, y], lambda: ((1 - x) ** 2 + 100 * (y - x**2) ** 2).sum()


def network(lib, dtype="float64"):
    """A small network on a curve: a matrix, vectors, and one parameter that no loss depends on."""
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(shape).astype(dtype) for shape in ((1, 4), (4,), (4, 1), (1,), (3,))]
    ps = [lib.tensor(a, requires_grad=True) for a in arrays]
    return ps, loss_of(lib, ps, dtype)


def loss_of(lib, ps, dtype="float64"):
    x = lib.tensor(np.linspace(-2, 2, 12, dtype=dtype)[:, None])
    y = lib.tensor(np.sin(2 * np.linspace(-2, 2, 12)).astype(dtype)[:, None])
    return lambda: (((x @ ps[0] + ps[1]).tanh() @ ps[2] + ps[3] - y) ** 2).mean()


def closure_of(optimizer, loss):
    def closure():
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value

    return closure


def run(lib, problem, steps, dtype="float64", **settings):
    ps, loss = problem(lib, dtype)
    optimizer = lib.optim.LBFGS(ps, **settings)
    losses = [optimizer.step(closure_of(optimizer, loss)).item() for _ in range(steps)]
    return ps, optimizer, losses


SETTINGS = [
    {"lr": 0.01},
    {"lr": 0.5, "max_iter": 7, "history_size": 3},
    {"line_search_fn": "strong_wolfe"},
    {"line_search_fn": "strong_wolfe", "lr": 0.3, "history_size": 2, "max_iter": 5},
    {"line_search_fn": "strong_wolfe", "max_eval": 4},
    {"line_search_fn": "strong_wolfe", "max_eval": 1},
    {"line_search_fn": "strong_wolfe", "tolerance_grad": 0.05, "max_iter": 40},
    {"lr": 0.1, "tolerance_change": 1e-3},
]


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("problem", [rosenbrock, network])
def test_steps_are_torchs(torch, problem, settings):
    lr_is_too_large = problem is rosenbrock and settings.get("lr") == 0.5
    settings = {**settings, "lr": 0.001} if lr_is_too_large else settings
    ours, theirs = (run(lib, problem, 4, **settings) for lib in (tinyrnn, torch))
    np.testing.assert_allclose(ours[2], theirs[2], rtol=1e-7, atol=1e-12)
    for p, q in zip(ours[0], theirs[0], strict=True):
        np.testing.assert_allclose(p.array, q.detach().numpy(), rtol=1e-6, atol=1e-9)
    state, expected = ours[1].state[ours[0][0]], theirs[1].state[theirs[0][0]]
    assert set(expected) - set(state) <= {"al"}  # torch's scratch
    for key in ("func_evals", "n_iter"):
        assert state[key] == expected[key]
    assert len(state["old_dirs"]) == len(expected["old_dirs"]) == len(state["ro"])


@pytest.mark.parametrize("line", LINES)
def test_the_first_steps_are_torchs_to_the_last_digits(torch, line):
    for dtype, tolerance in (("float64", 1e-11), ("float32", 1e-4)):
        ours, theirs = (run(lib, network, 1, dtype, max_iter=6, line_search_fn=line) for lib in (tinyrnn, torch))
        for p, q in zip(ours[0], theirs[0], strict=True):
            assert p.dtype == p.grad.dtype if p.grad is not None else True
            assert str(p.dtype) == dtype
            np.testing.assert_allclose(p.array, q.detach().numpy(), rtol=tolerance, atol=tolerance)


def test_the_direction_is_that_of_the_whole_matrix():
    """BFGS with the inverse Hessian H written out, on a quadratic, with steps of a fixed length."""
    rng = np.random.default_rng(3)
    root = rng.standard_normal((5, 5))
    a, start = root @ root.T + np.eye(5), rng.standard_normal(5)
    w = tinyrnn.tensor(start, requires_grad=True)
    matrix = tinyrnn.tensor(a)
    optimizer = LBFGS([w], lr=0.05, max_iter=6, history_size=50)
    optimizer.step(closure_of(optimizer, lambda: 0.5 * w @ matrix @ w))

    x, pairs = start, []
    for n in range(6):
        g = a @ x
        if pairs:  # the last pair sets the scale, and then all of them are learnt again
            s, y = pairs[-1]
            h = np.eye(5) * (y @ s) / (y @ y)
            for s, y in pairs:
                v = np.eye(5) - np.outer(y, s) / (y @ s)
                h = v.T @ h @ v + np.outer(s, s) / (y @ s)
        else:
            h = np.eye(5)
        t = 0.05 * (min(1, 1 / np.abs(g).sum()) if n == 0 else 1)
        step = -t * h @ g
        pairs.append((step, a @ step))
        x = x + step
    np.testing.assert_allclose(w.array, x, rtol=1e-10)


@pytest.mark.parametrize("problem", [rosenbrock, network])
def test_a_minimum_is_found(problem):
    ps, _, losses = run(tinyrnn, problem, 30, line_search_fn="strong_wolfe", tolerance_change=1e-16)
    if problem is rosenbrock:
        assert losses[-1] < 1e-15
        np.testing.assert_allclose([p.item() for p in ps], [1, 1], atol=1e-8)
    else:
        assert losses[-1] < 1e-3 * losses[0]
        assert np.array_equal(ps[4].array, network(tinyrnn)[0][4].array)  # no gradient, no step
    assert ps[0].is_leaf
    assert ps[0].requires_grad


def test_the_first_loss_is_returned_and_the_closure_runs_with_recording_on():
    ps, loss = rosenbrock(tinyrnn)
    optimizer, modes = LBFGS(ps), []
    inner = closure_of(optimizer, loss)

    def closure():
        modes.append(tinyrnn.is_grad_enabled())
        return inner()

    before = loss().item()
    with tinyrnn.no_grad():
        returned = optimizer.step(closure)
    assert returned.item() == before > loss().item()
    assert all(modes)
    assert len(modes) == optimizer.state[ps[0]]["func_evals"]
    with pytest.raises(TypeError):
        optimizer.step()


def test_at_a_minimum_nothing_moves():
    w = tinyrnn.zeros(2, requires_grad=True)
    optimizer = LBFGS([w])
    optimizer.step(closure_of(optimizer, lambda: (w * w).sum()))
    assert w.tolist() == [0, 0]
    assert optimizer.state[w] == {"func_evals": 1, "n_iter": 0}


def test_max_eval_bounds_the_calls_of_the_closure():
    ps, loss = rosenbrock(tinyrnn)
    optimizer = LBFGS(ps, max_iter=8, line_search_fn="strong_wolfe")
    assert optimizer.param_groups[0]["max_eval"] == 10
    optimizer.step(closure_of(optimizer, loss))
    assert optimizer.state[ps[0]]["func_evals"] <= 11


def test_the_steps_are_counted_as_changes():
    w = tinyrnn.ones(2, requires_grad=True)
    y = (w * w).sum()
    optimizer = LBFGS([w], max_iter=1)
    optimizer.step(closure_of(optimizer, lambda: (w**3).sum()))
    with pytest.raises(RuntimeError, match="changed in place"):
        y.backward()


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_state_dict_goes_on_bit_for_bit(line, dtype):
    settings = {"lr": 0.5, "max_iter": 3, "history_size": 4, "line_search_fn": line}
    ps, _, _ = run(tinyrnn, network, 10, dtype, **settings)
    qs, optimizer, _ = run(tinyrnn, network, 5, dtype, **settings)
    state = copy.deepcopy(optimizer.state_dict())
    rs, loss = network(tinyrnn, dtype)
    for r, q in zip(rs, qs, strict=True):
        r.array[...] = q.array
    other = LBFGS(rs)
    other.load_state_dict(state)
    for _ in range(5):
        other.step(closure_of(other, loss))
    assert all(np.array_equal(p.array, r.array) for p, r in zip(ps, rs, strict=True))


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("there", ["from torch", "to torch"])
def test_a_state_dict_travels(torch, line, there):
    settings = {"lr": 0.5, "max_iter": 3, "line_search_fn": line}
    ours, theirs = (run(lib, network, 3, **settings) for lib in (tinyrnn, torch))
    lib, other_lib, source = (tinyrnn, torch, theirs) if there == "from torch" else (torch, tinyrnn, ours)
    ps, loss = network(lib)
    with lib.no_grad():
        for p, q in zip(ps, source[0], strict=True):
            p.copy_(lib.tensor(np.array(q.tolist())))
    other = lib.optim.LBFGS(ps)

    def as_torch(value):
        if isinstance(value, dict | list):
            pairs = value.items() if isinstance(value, dict) else enumerate(value)
            made = {key: as_torch(v) for key, v in pairs}
            return made if isinstance(value, dict) else list(made.values())
        return torch.tensor(value.array) if isinstance(value, tinyrnn.Tensor) else value

    state = source[1].state_dict()
    other.load_state_dict(state if there == "from torch" else as_torch(state))
    last = other.step(closure_of(other, loss)).item()
    expected = source[1].step(closure_of(source[1], loss_of(other_lib, source[0])))
    np.testing.assert_allclose(last, expected.item(), rtol=1e-9)
    for p, q in zip(ps, source[0], strict=True):
        np.testing.assert_allclose(np.array(p.tolist()), np.array(q.tolist()), rtol=1e-8, atol=1e-10)


def test_a_closure_that_fails_leaves_the_state_as_it_was():
    ps, optimizer, _ = run(tinyrnn, network, 2, line_search_fn="strong_wolfe")
    before = copy.deepcopy(optimizer.state_dict()["state"][0])
    calls = []

    def closure():
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return closure_of(optimizer, lambda: sum((p**2).sum() for p in ps))()

    with pytest.raises(KeyboardInterrupt):
        optimizer.step(closure)
    after = optimizer.state_dict()["state"][0]
    assert after["n_iter"] == before["n_iter"]
    assert len(after["ro"]) == len(before["ro"]) == len(after["old_dirs"])
    assert np.array_equal(after["d"].array, before["d"].array)


W = tinyrnn.zeros(2, requires_grad=True)


@pytest.mark.parametrize(
    ("settings", "exception", "message"),
    [
        ({"lr": -1}, ValueError, "LBFGS: lr is -1, expected 0.0 <= lr"),
        ({"max_iter": 0}, ValueError, "LBFGS: max_iter is 0, expected at least 1"),
        ({"max_iter": 2.5}, TypeError, "LBFGS: max_iter is 2.5, expected a whole number"),
        ({"max_eval": 0}, ValueError, "LBFGS: max_eval is 0, expected at least 1"),
        ({"history_size": 0}, ValueError, "LBFGS: history_size is 0, expected at least 1"),
        ({"tolerance_grad": "small"}, TypeError, "LBFGS: tolerance_grad is 'small', expected a number"),
        ({"tolerance_change": -1}, ValueError, "LBFGS: tolerance_change is -1, expected 0.0 <= tolerance_change"),
        (
            {"line_search_fn": "armijo"},
            ValueError,
            "LBFGS: line_search_fn is 'armijo', expected None or 'strong_wolfe'",
        ),
    ],
)
def test_bad_settings_are_refused(settings, exception, message):
    with pytest.raises(exception, match=re.escape(message)):
        LBFGS([W], **settings)


def test_a_second_group_is_refused():
    v = tinyrnn.zeros(1, requires_grad=True)
    with pytest.raises(ValueError, match="LBFGS: got a second group of parameters, expected one"):
        LBFGS([{"params": W}, {"params": v}])
    optimizer = LBFGS([W])
    with pytest.raises(ValueError, match="LBFGS: got a second group"):
        optimizer.add_param_group({"params": v})
    assert len(optimizer.param_groups) == 1


def test_a_state_of_other_parameters_is_refused():
    _, optimizer, _ = run(tinyrnn, rosenbrock, 1)
    w, v = (tinyrnn.zeros(2, requires_grad=True) for _ in range(2))
    other = LBFGS([w, v])
    with pytest.raises(ValueError, match=re.escape("d, of all parameters together, has shape (2,), expected (4,)")):
        other.load_state_dict(optimizer.state_dict())
    assert other.state_dict()["state"] == {}


def test_the_history_follows_parameters_that_are_cast():
    w = tinyrnn.tensor([1.0, 2.0, 3.0], requires_grad=True)
    optimizer = LBFGS([w], max_iter=2)

    def closure():
        optimizer.zero_grad()
        loss = (w**4).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    w.data, w.grad = w.data.double(), None
    optimizer.step(closure)
    state = optimizer.state[w]
    assert {v.dtype for v in (w, state["d"], *state["old_dirs"], *state["old_stps"])} == {tinyrnn.float64}
    w.data, w.grad = tinyrnn.ones(2), None
    with pytest.raises(ValueError, match="LBFGS: step: the parameters had 3 elements at the last step and have 2 now"):
        optimizer.step(closure)
