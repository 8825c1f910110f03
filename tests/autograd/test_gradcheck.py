"""gradcheck passes right gradients, catches planted faults, says where they are, and leaves its inputs as they were."""

import numpy as np
import pytest

import tinyrnn
from tinyrnn import nn
from tinyrnn.autograd.gradcheck import StepSweep, gradcheck, step_sweep
from tinyrnn.autograd.record import record, record_many

F64 = tinyrnn.float64


def leaf(*shape):
    return tinyrnn.randn(*shape, dtype=F64, requires_grad=True)


def op(forward, *pullbacks):
    """An operation on arrays, with a pullback for each of its inputs: g, then the inputs -> a gradient."""

    def func(*xs):
        arrays = [x.array.copy() for x in xs]
        return record("planted", forward(*arrays), xs, lambda g: [p(g, *arrays) for p in pullbacks])

    return func


# what is right passes

RIGHT = {
    "tanh": (lambda x: x.tanh(), [(2, 3)]),
    "a product": (lambda x, w: x @ w, [(4, 2), (2, 3)]),
    "broadcasting": (lambda x, b: x * b + b, [(4, 2, 3), (2, 1)]),
    "several outputs": (lambda x, y: (x * y, x.sum(), y.tanh()), [(2, 3), (2, 3)]),
    "a list of outputs": (lambda x: list(x.split(1)), [(3, 2)]),
    "an input itself": (lambda x: x, [(2,)]),
    "an input among others": (lambda x: (x, x * x), [(2,)]),
    "no axes": (lambda x, y: x * y, [(), ()]),
    "nothing in it": (lambda x: x * 2, [(0, 3)]),
    "nothing beside something": (lambda x, y: (x * 2, y * y), [(0, 3), (2,)]),
    "an input that is not used": (lambda x, y: x * x, [(2,), (3,)]),
    "a gradient that is zero": (lambda x, y: x * x + 0 * y, [(2,), (2,)]),
    "large and small outputs, each of its input": (lambda x, y: (1e8 * x, 1e-8 * y), [(3,), (3,)]),
    "changes in place": (lambda x, y: (x * 1).mul_(y)[0].add_(x[1]), [(2, 3), (2, 3)]),
    "large": (lambda x: 1e12 * x.tanh(), [(2, 3)]),
    "small": (lambda x: 1e-12 * x.tanh(), [(2, 3)]),
    "large and small entries": (
        lambda x: x * tinyrnn.tensor([1e-9, 1.0, 1e9], dtype=F64),
        [(2, 3)],
    ),
    "small beside a large constant": (lambda x: 1e6 + x.tanh(), [(2, 3)]),
    "a recurrence": (
        lambda x, w, h: [h := (x[t] + h @ w).tanh() for t in range(5)],
        [(5, 2, 3), (3, 3), (2, 3)],
    ),
}


@pytest.mark.parametrize(("func", "shapes"), RIGHT.values(), ids=RIGHT)
@pytest.mark.parametrize("method", ["central", "complex", "directional"])
@pytest.mark.parametrize("seed", range(3))
def test_what_is_right_passes(func, shapes, method, seed):
    assert gradcheck(func, [leaf(*shape) for shape in shapes], method=method, seed=seed) is True


ZERO = {
    "a shift of what is centred": lambda x, b: (x + b[0, 0] - (x + b[0, 0]).mean()).tanh(),
    "a shift of rows that are centred": lambda x, b: (x + b - (x + b).mean(1, keepdim=True)).tanh(),
    "a shift of what is normalised": lambda x, b: (x + b[0, 0]).exp() / (x + b[0, 0]).exp().sum(),
}


@pytest.mark.parametrize("func", ZERO.values(), ids=ZERO)
def test_a_gradient_that_is_zero_but_for_rounding_passes(func):
    for seed in range(20):
        assert gradcheck(func, [leaf(2, 3), leaf(2, 1)], seed=seed)


@pytest.mark.parametrize(("scale", "step"), [(1e-3, 1e-8), (1.0, None), (1e3, None), (1e6, None)])
def test_what_is_right_passes_at_inputs_of_any_size(scale, step):
    """Where a function bends within less than 1, the step has to be chosen for it."""
    x = (scale * leaf(3)).detach().requires_grad_()
    assert gradcheck(lambda x: (x * x, (x / scale).tanh(), x.sum()), x, **({"eps": step} if step else {}))


def test_one_input_may_be_given_as_it_is_several_in_any_sequence():
    x, y = leaf(2), leaf(2)
    assert gradcheck(lambda x: x * x, x)
    assert gradcheck(lambda x: x * x, (x,))
    assert gradcheck(lambda x, y: x * y, iter([x, y]))


def test_inputs_that_require_no_gradient_are_passed_on_in_any_dtype():
    x, n, c = leaf(3), tinyrnn.tensor([2, 0, 1]), tinyrnn.ones(3, dtype=tinyrnn.float32)
    seen = []
    assert gradcheck(lambda x, n, c: (seen.append((n, c)), x[n] * c.double())[1], [x, n, c])
    assert all(pair[0] is n and pair[1] is c for pair in seen)


def test_outputs_without_a_gradient_may_stand_beside_others():
    assert gradcheck(lambda x: (x * x, tinyrnn.arange(3), x > 100), leaf(3))


# what is wrong is caught

SQUARE = np.random.default_rng(7).normal(size=(3, 3))
E12 = np.zeros((2, 3))
E12[1, 2] = 1


def double_but(pullback):
    return op(lambda x: 2 * x, pullback)


def recurrence(dropped):
    """h_t = tanh(x_t + h_{t-1} W) for five steps, with a backward loop that leaves out something."""

    def func(x, w):
        xs, W = x.array.copy(), w.array.copy()
        h = [np.zeros(xs.shape[1:])]
        for x_t in xs:
            h.append(np.tanh(x_t + h[-1] @ W))

        def pullback(g):
            dx, dW, dh = np.zeros_like(xs), np.zeros_like(W), g
            for t in reversed(range(5)):
                da = dh * (1 - h[t + 1] ** 2)
                dx[t] = da
                if t != 1 or dropped != "a step of dW":
                    dW += h[t].T @ da
                dh = da @ W.T if dropped != "dh" else np.zeros_like(dh)
            return dx, dW

        return record("planted", h[-1], (x, w), pullback)

    return func


LSTM_CELL = nn.LSTMCell(3, 2, dtype=F64)
LSTM_CELL.load_state_dict({n: np.random.default_rng(3).normal(size=p.shape) for n, p in LSTM_CELL.named_parameters()})


def lstm_without_dc(x):
    """An LSTM over the steps of x that forgets to carry dL/dc from step to step."""
    hc, hs = None, []
    for x_t in x:
        hc = LSTM_CELL(x_t, hc and (hc[0], hc[1].detach()))
        hs.append(hc[0])
    return hs


FAULTS = {
    "2.001 instead of 2": (double_but(lambda g, x: 2.001 * g), [(2, 3)]),
    "2.00001 instead of 2": (double_but(lambda g, x: 2.00001 * g), [(2, 3)]),
    "a sign": (double_but(lambda g, x: -2 * g), [(2, 3)]),
    "one entry of many": (double_but(lambda g, x: 2 * g + 1e-4 * E12), [(2, 3)]),
    "zero": (double_but(lambda g, x: 0 * g), [(2, 3)]),
    "None": (double_but(lambda g, x: None), [(2, 3)]),
    "1e-7 times too small": (double_but(lambda g, x: 2e-7 * g), [(2, 3)]),
    "zero, of a small gradient": (op(lambda x: 1e-6 * x, lambda g, x: 0 * g), [(2, 3)]),
    "zero, of a large gradient": (op(lambda x: 1e9 * x, lambda g, x: 0 * g), [(2, 3)]),
    "zero, beside a large constant": (op(lambda x: 1e6 + x, lambda g, x: 0 * g), [(2, 3)]),
    "zero, beside a large output of another input": (
        lambda x, y: (1e8 * x, op(lambda y: 1e-8 * y, lambda g, y: 0 * g)(y)),
        [(3,), (3,)],
    ),
    "1.00002 instead of 1, beside 1000": (op(lambda x: 1e3 + x, lambda g, x: 1.00002 * g), [(2, 3)]),
    "right for cotangents of ones": (double_but(lambda g, x: np.full_like(x, 2 * g.mean())), [(2, 3)]),
    "the square of the cotangent": (double_but(lambda g, x: 2 * g * g), [(2, 3)]),
    "reversed": (double_but(lambda g, x: 2 * g[::-1]), [(2, 3)]),
    "NaN": (double_but(lambda g, x: np.nan * g), [(2, 3)]),
    "one NaN": (double_but(lambda g, x: np.where(E12, np.nan, 2 * g)), [(2, 3)]),
    "one infinity": (double_but(lambda g, x: np.where(E12, np.inf, 2 * g)), [(2, 3)]),
    "NaN in a single element": (double_but(lambda g, x: np.nan * g), [()]),
    "a transposed weight": (op(lambda x: x @ SQUARE, lambda g, x: g @ SQUARE), [(4, 3)]),
    "the other input's": (op(lambda x, y: x * y, lambda g, x, y: g * x, lambda g, x, y: g * y), [(3,), (3,)]),
    "the second input's": (op(lambda x, y: x * y, lambda g, x, y: g * y, lambda g, x, y: 0 * g), [(3,), (3,)]),
    "a mean for a sum": (op(lambda x, b: x + b, lambda g, x, b: g, lambda g, x, b: g.mean(0)), [(4, 3), (3,)]),
    "a constant's": (op(lambda x: np.ones(3), lambda g, x: g), [(3,)]),
    "dh is not carried": (recurrence("dh"), [(5, 2, 3), (3, 3)]),
    "a step of dW is missing": (recurrence("a step of dW"), [(5, 2, 3), (3, 3)]),
    "dc is not carried": (lstm_without_dc, [(4, 2, 3)]),
    "an output without its graph": (lambda x: (x * x, (3 * x).detach()), [(3,)]),
    "zero, of a small output beside a large one": (
        lambda x: (1e8 * x, op(lambda x: x * x, lambda g, x: 0 * g)(x)),
        [(3,)],
    ),
    "the second output's": (
        lambda x: record_many("planted", [x.array * 2, x.array * 3], (x,), lambda a, b: (2 * a,)),
        [(3,)],
    ),
}


@pytest.mark.parametrize(("func", "shapes"), FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("method", ["central", "complex", "directional"])
@pytest.mark.parametrize("seed", range(3))
def test_what_is_wrong_is_caught(func, shapes, method, seed):
    inputs = [leaf(*shape) for shape in shapes]
    if method == "complex" and func is FAULTS["a constant's"][0]:
        with pytest.raises(TypeError, match="does not carry complex numbers"):
            gradcheck(func, inputs, method=method)
        return
    with pytest.raises(AssertionError, match=r"gradcheck: the gradient of input \d, of shape .* is wrong"):
        gradcheck(func, inputs, method=method, seed=seed)
    assert gradcheck(func, inputs, method=method, seed=seed, raise_exception=False) is False


def test_the_recurrence_with_nothing_dropped_is_right():
    """So that it was the fault that was caught above."""
    assert gradcheck(recurrence(None), [leaf(5, 2, 3), leaf(3, 3)])


@pytest.mark.parametrize("factor", [2e-9, -1e-9, 1e-8])
def test_a_gradient_that_drowns_in_the_rounding_of_the_outputs_is_not_passed_in_silence(factor):
    """1e-9 x beside 1e3: what the differences show is rounding, so that any gradient as small seems right."""
    with pytest.raises((AssertionError, RuntimeError), match="rounding"):
        gradcheck(op(lambda x: 1e3 + 1e-9 * x, lambda g, x: factor * g), leaf(3))


def test_the_message_names_the_worst_entry_and_both_numbers():
    def func(x, y):
        g_of_y = [3 * E12 + 0.5 * np.roll(E12, 1)]
        return record("planted", x.array * 2 + y.array, (x, y), lambda g: (2 * g, g + g_of_y[0]))

    with pytest.raises(AssertionError) as caught:
        gradcheck(func, [leaf(2, 3), leaf(2, 3)])
    v = np.random.default_rng(0).standard_normal((2, 3))[1, 2]
    scale = max(np.abs(np.random.default_rng(0).standard_normal((2, 3)) + 3 * E12 + 0.5 * np.roll(E12, 1)).max(), 1)
    message = str(caught.value)
    assert "input 1, of shape (2, 3)" in message
    assert "[1, 2]" in message
    assert f"backward says {v + 3:.6g}"[:-1] in message
    assert f"central differences say {v:.6g}"[:-1] in message
    assert f"the error is {3 / scale:.2g} of the largest entry" in message
    assert "2 of 6 entries are off" in message


@pytest.mark.parametrize("rtol", [1e-6, 1e-3])
def test_the_message_counts_the_entries_that_are_off_by_more_than_rtol(rtol):
    func = double_but(lambda g, x: 2 * g + 1e-4 * np.abs(g).max() * np.ones_like(x) + E12)
    with pytest.raises(AssertionError, match=f"{6 if rtol < 1e-4 else 1} of 6 entries are off"):
        gradcheck(func, leaf(2, 3), rtol=rtol)


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_the_message_names_an_entry_that_is_no_number(number):
    with pytest.raises(AssertionError, match=rf"Worst at \[1, 2\]: backward says {number}.* 1 of 6 entries are off"):
        gradcheck(double_but(lambda g, x: np.where(E12, number, 2 * g)), leaf(2, 3))


def test_of_a_tensor_without_axes_the_message_names_its_one_entry():
    with pytest.raises(AssertionError, match=r"input 0, of shape \(\).* one .*1 of 1 entries"):
        gradcheck(double_but(lambda g, x: 3 * g), leaf())


def test_outputs_that_are_no_numbers_are_called_so():
    with pytest.raises((AssertionError, ValueError, RuntimeError), match="NaN"):
        gradcheck(lambda x: x * np.nan, leaf(3))


@pytest.mark.parametrize(("rtol", "passes"), [(1e-2, True), (1e-4, False)])
def test_rtol_is_the_error_that_is_allowed(rtol, passes):
    assert gradcheck(double_but(lambda g, x: 2.001 * g), leaf(3), rtol=rtol, raise_exception=False) is passes


def test_eps_is_the_step_of_the_differences():
    steps, x = [], tinyrnn.tensor([0.5, 100.0], dtype=F64, requires_grad=True)
    before = x.array.copy()
    gradcheck(lambda x: (steps.append(x.array - before), x * 2)[1], x, eps=0.125)
    taken = {tuple(step) for step in map(np.ndarray.tolist, steps) if any(step)}
    assert taken == {(0.125, 0.0), (-0.125, 0.0), (0.0, 12.5), (0.0, -12.5)}  # relative where x is large


def test_the_seed_chooses_the_cotangents():
    def cotangents(seed):
        seen = []
        gradcheck(double_but(lambda g, x: (seen.append(g.tolist()), 2 * g)[1]), leaf(3), seed=seed)
        return seen

    assert cotangents(0) == cotangents(0) != cotangents(1)
    assert len(set(cotangents(0)[0])) == 3


@pytest.mark.parametrize("method", ["central", "complex", "directional"])
def test_what_is_wrong_at_large_inputs_is_caught(method):
    """A step that grows with x makes the rounding that it allows for smaller."""
    x = (1e8 * leaf(3)).detach().requires_grad_()
    with pytest.raises(AssertionError, match="is wrong"):
        gradcheck(op(lambda x: x * x, lambda g, x: 2.001 * g * x), x, method=method)
    assert gradcheck(lambda x: x * x, x, method=method)


@pytest.mark.parametrize("method", ["central", "directional"])
@pytest.mark.parametrize("factor", [1.0, 1.1])
def test_a_gradient_of_which_rounding_hides_much_is_not_passed(method, factor):
    func = op(lambda x: 1e8 + x, lambda g, x: factor * g)
    with pytest.raises(AssertionError, match=r"cannot be checked.*rounding.*method='complex'|is wrong"):
        gradcheck(func, leaf(3), method=method)
    assert gradcheck(func, leaf(3), method="complex", raise_exception=False) is (factor == 1)


def test_what_is_wrong_from_one_output_is_called_by_its_number():
    func = op(lambda x: x * x, lambda g, x: 0 * g)
    with pytest.raises(AssertionError, match=r"input 0, of shape \(3,\), is wrong from output 1 alone\. Worst at"):
        gradcheck(lambda x: (1e8 * x, func(x)), leaf(3))


def test_numbers_of_any_size_give_no_warnings():
    for factor in (1e200, np.nan, np.inf):
        for method in ("central", "complex", "directional"):
            with pytest.raises(AssertionError, match="is wrong"):
                gradcheck(double_but(lambda g, x, factor=factor: factor * g), leaf(3), method=method)


# what it leaves behind


@pytest.mark.parametrize("outcome", ["passes", "fails", "returns False", *range(1, 16)])
def test_inputs_are_left_as_they_were_to_the_bit(outcome):
    """Whatever comes of it: an exception, even, in the k-th call of the function."""
    values = np.array([[0.1, -0.0, 1e3], [-1e-300, 3.0, 0.7]])
    x = tinyrnn.tensor(values, requires_grad=True)
    c = tinyrnn.ones(3, dtype=F64)
    calls = []

    def func(x, c):
        calls.append(1)
        if len(calls) == outcome:
            raise KeyError("planted")
        return record("planted", x.array.sum() + 0 * c.array, (x, c), lambda g: (x.array * 0 + 5, g))

    if outcome == "passes":
        assert gradcheck(lambda x, c: x * c, [x, c])
    elif outcome == "returns False":
        assert gradcheck(func, [x, c], raise_exception=False) is False
    else:
        with pytest.raises((AssertionError, KeyError)):
            gradcheck(func, [x, c])
    assert x.array.tobytes() == values.tobytes()
    assert c.tolist() == [1, 1, 1]
    assert (x.grad, c.grad) == (None, None)
    assert x.requires_grad
    assert x._version == 0


@pytest.mark.parametrize("method", ["central", "complex", "directional"])
@pytest.mark.parametrize("fails", [False, True])
def test_buffers_are_left_as_they_were(method, fails):
    class Counting(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm, self.linear = nn.BatchNorm1d(3), nn.Linear(3, 2)
            self.register_buffer("calls", tinyrnn.zeros(2))

        def forward(self, x):
            self.calls = self.calls + 1  # a new tensor
            if fails and self.calls.array[0].real > 3:
                raise KeyboardInterrupt
            return self.linear(x if method == "complex" else self.norm(x))

    model, x = Counting().double(), leaf(4, 3)
    before = {name: (tensor, tensor.array.copy()) for name, tensor in model.state_dict().items()}
    calls = model.calls
    if fails:
        with pytest.raises(KeyboardInterrupt):
            gradcheck(model, x, method=method)
    else:
        assert gradcheck(model, x, method=method)
    assert model.calls is calls
    for name, tensor in model.state_dict().items():
        assert tensor.array.dtype == before[name][1].dtype
        np.testing.assert_array_equal(tensor.array, before[name][1])


def test_inputs_that_the_function_itself_changes_are_put_back():
    def func(x):
        with tinyrnn.no_grad():
            x.mul_(2)
        return x * x

    x = leaf(3)
    before = x.tolist()
    with pytest.raises(RuntimeError, match="another result each time"):
        gradcheck(func, x)
    assert x.tolist() == before


# what is refused

REFUSED = {
    "float32": (
        lambda: gradcheck(lambda x, y: x, [leaf(2), tinyrnn.ones(2, requires_grad=True)]),
        TypeError,
        r"input 1 is float32.*\.double\(\)",
    ),
    "computed": (
        lambda: gradcheck(lambda x: x, leaf(2) * 2),
        ValueError,
        r"input 0 was computed.*leaf.*detach\(\)",
    ),
    "a view that was computed": (
        lambda: gradcheck(lambda x: x, leaf(2).detach().requires_grad_()[:1]),
        ValueError,
        r"input 0 was computed",
    ),
    "no gradient required": (
        lambda: gradcheck(lambda x: x, tinyrnn.ones(2)),
        ValueError,
        r"none of the inputs.*requires_grad_",
    ),
    "no inputs": (lambda: gradcheck(lambda: leaf(2), []), ValueError, "none of the inputs requires a gradient"),
    "expanded": (
        lambda: gradcheck(lambda x: x, tinyrnn.ones(1, dtype=F64).expand(3).detach().requires_grad_()),
        ValueError,
        r"input 0 is expanded.*\.clone\(\)",
    ),
    "shared memory": (
        lambda: gradcheck(lambda x, y: x * y, [x := leaf(2), x.detach()]),
        ValueError,
        r"input 1 shares its memory with input 0: \.clone\(\)",
    ),
    "an array": (lambda: gradcheck(lambda x: x, [np.ones(2)]), TypeError, r"input 0 is ndarray, expected a tensor"),
    "an output that is an array": (
        lambda: gradcheck(lambda x: (x, x.detach().numpy()), leaf(2)),
        TypeError,
        "output 1 of func is ndarray, expected a tensor",
    ),
    "no output of the inputs": (
        lambda: gradcheck(lambda x: tinyrnn.ones(2), leaf(2)),
        ValueError,
        "no output of func depends",
    ),
    "a detached output": (lambda: gradcheck(lambda x: x.detach(), leaf(2)), ValueError, "no output of func depends"),
    "a random function": (
        lambda: gradcheck(lambda x: x * tinyrnn.randn(3, dtype=F64), leaf(3)),
        RuntimeError,
        "another result each time",
    ),
    "a function that changes its input": (
        lambda: gradcheck(lambda x: x.mul_(2), leaf(2)),
        RuntimeError,
        "mul_: a leaf",
    ),
}


@pytest.mark.parametrize(("call", "kind", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_checked_is_refused(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


# modules, kinks, tables and steps


@pytest.mark.parametrize("method", ["central", "complex", "directional"])
@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_a_module_is_checked_with_its_parameters(kind, method):
    layer = getattr(nn, kind)(3, 2, 2, bidirectional=True).double()
    assert gradcheck(layer, leaf(4, 2, 3), method=method)
    assert gradcheck(layer, leaf(4, 2, 3).detach(), method=method)


class Planted(nn.Module):
    """The gradient of `weight` is twice what it should be; `bias` is right."""

    def __init__(self):
        super().__init__()
        self.bias = nn.Parameter(tinyrnn.zeros(3, dtype=F64))
        self.weight = nn.Parameter(tinyrnn.ones(3, dtype=F64))

    def forward(self, x):
        return op(lambda w: 3 * w, lambda g, w: 6 * g)(self.weight) * x + self.bias


@pytest.mark.parametrize("method", ["central", "complex", "directional"])
def test_a_parameter_is_called_by_its_name(method):
    with pytest.raises(AssertionError, match=r"gradcheck: the gradient of weight, of shape \(3,\), is wrong") as caught:
        gradcheck(Planted(), leaf(4, 3), method=method)
    assert "bias" not in str(caught.value)
    model = Planted()
    model.weight.requires_grad = False
    assert gradcheck(model, leaf(4, 3), method=method)


def test_a_parameter_of_float32_is_refused_by_its_name():
    with pytest.raises(TypeError, match=r"gradcheck: weight is float32.*model\.double\(\)"):
        gradcheck(nn.Linear(3, 2), leaf(4, 3))


def test_the_table_lists_the_worst_entries_of_all_inputs():
    func = op(lambda x, y: x * y, lambda g, x, y: g * y * 1.5, lambda g, x, y: g * x + E12)
    with pytest.raises(AssertionError) as caught:
        gradcheck(func, [leaf(2, 3), leaf(2, 3)])
    first, head, *rows = str(caught.value).splitlines()
    assert "input 0" in first
    assert head.split() == ["backward", "central", "differences", "error"]
    assert len(rows) == 7
    assert sum(row.startswith("input 1  [1, 2]") for row in rows) == 1
    errors = [float(row.split()[-1]) for row in rows]
    assert errors == sorted(errors, reverse=True)


@pytest.mark.parametrize("func", [lambda x: x.relu(), lambda x: x.clamp(min=0), lambda x: nn.functional.elu(x, 0.5)])
def test_a_kink_is_called_one(func):
    x = tinyrnn.tensor([0.0, -1.0, 0.0], dtype=F64, requires_grad=True)
    with pytest.raises(ValueError, match=r"func has a kink at input 0 \[[02]\].*another point"):
        gradcheck(func, x)


@pytest.mark.parametrize("method", ["central", "directional"])
@pytest.mark.parametrize("at", [0.0, 3e-7, 2e-6, -4e-6])
def test_a_kink_that_is_only_near_is_called_one_too(method, at):
    x = tinyrnn.tensor([at, 1.0], dtype=F64, requires_grad=True)
    with pytest.raises(ValueError, match="func has a kink at input 0"):
        gradcheck(lambda x: x.relu(), x, method=method)


def test_a_fault_beside_a_kink_is_still_a_fault():
    x = tinyrnn.tensor([0.0, -1.0, 2.0], dtype=F64, requires_grad=True)
    func = op(lambda x: np.maximum(x, 0), lambda g, x: 1.5 * g * (x > 0))
    with pytest.raises(AssertionError, match=r"\(a kink\)") as caught:
        gradcheck(func, x)
    assert "[2]" in str(caught.value)


def test_a_curve_that_is_merely_steep_is_no_kink():
    x = tinyrnn.tensor([0.0], dtype=F64, requires_grad=True)
    with pytest.raises(AssertionError, match="is wrong"):
        gradcheck(op(lambda x: np.tanh(1e3 * x), lambda g, x: 1.01e3 * g), x, rtol=1e-3)


def test_what_does_not_carry_complex_numbers_is_said():
    with pytest.raises(TypeError, match=r"does not carry complex numbers.*use method='central'"):
        gradcheck(lambda x: x.abs(), leaf(3), method="complex")
    with pytest.raises(ValueError, match="method is 'forward', expected one of central, complex, directional"):
        gradcheck(lambda x: x, leaf(3), method="forward")


def test_complex_steps_see_what_differences_cannot():
    wrong = op(lambda x: np.exp(x), lambda g, x: g * np.exp(x) * (1 + 1e-9))
    assert gradcheck(wrong, leaf(3))
    with pytest.raises(AssertionError, match="complex steps say"):
        gradcheck(wrong, leaf(3), method="complex", rtol=1e-12)


def test_parameters_and_arrays_are_back_after_complex_steps():
    layer, x = nn.GRU(3, 2).double(), leaf(4, 2, 3)
    tensors = [x, *layer.parameters()]
    before = [(t.array, t.array.copy()) for t in tensors]
    gradcheck(layer, x, method="complex")
    with pytest.raises(TypeError):
        gradcheck(lambda x: layer(x)[0].abs(), x, method="complex")
    for t, (array, values) in zip(tensors, before, strict=True):
        assert t.array is array
        np.testing.assert_array_equal(array, values)


def test_the_directional_mode_runs_the_function_twice_a_direction():
    calls = []

    def func(x):
        calls.append(1)
        return x.tanh()

    gradcheck(func, leaf(50, 40), method="directional", directions=3)
    assert len(calls) == 2 + 2 * 3


def test_a_sweep_falls_and_rises_for_a_right_gradient_and_stays_for_a_wrong_one():
    sweep = step_sweep(lambda x: x.exp(), leaf(3))
    assert isinstance(sweep, StepSweep)
    errors = dict(sweep)
    assert errors[1e-1] / errors[1e-2] == pytest.approx(100, rel=0.05)
    assert errors[1e-5] < 1e-8 < errors[1e-12]
    assert len(str(sweep).splitlines()) == 13
    wrong = dict(step_sweep(double_but(lambda g, x: 2.001 * g), leaf(3)))
    assert all(error == pytest.approx(5e-4, rel=0.01) for h, error in wrong.items() if h > 1e-9)
    assert dict(step_sweep(nn.Linear(3, 2).double(), leaf(4, 3)))[1e-5] < 1e-8
