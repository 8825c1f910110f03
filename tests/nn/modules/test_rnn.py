"""RNN and RNNCell: the fused layer against the unrolled cell, gradcheck, options, states, and what bad input gets."""

import gc
import itertools
import re
import weakref

import numpy as np
import pytest

import tinyrnn
from tinyrnn import nn
from tinyrnn.autograd import backward, gradcheck
from tinyrnn.nn import functional

NONLINEARITIES = ["tanh", "relu", "sigmoid", "identity"]
BOTH_WAYS = pytest.mark.parametrize("bidirectional", [False, True])


def error(got, expected):
    """The largest difference, relative to the largest entry expected."""
    assert got.shape == expected.shape
    scale = np.abs(expected.array).max(initial=0)
    return np.abs(got.array - expected.array).max(initial=0) / (scale if scale > 0 else 1)


def random(*shape, dtype=tinyrnn.float64, requires_grad=False):
    return tinyrnn.randn(*shape, dtype=dtype, requires_grad=requires_grad)


def cells_of(layer):
    """A cell with the numbers of each layer and direction, in the order of h_n."""
    cells = []
    for k, end in itertools.product(range(layer.num_layers), ["", "_reverse"][: 1 + layer.bidirectional]):
        numbers = {name.removesuffix(f"_l{k}{end}"): p for name, p in layer.state_dict().items()}
        I = numbers["weight_ih"].shape[1]
        cells.append(nn.RNNCell(I, layer.hidden_size, layer.bias, layer.nonlinearity, dtype=tinyrnn.float64))
        cells[-1].load_state_dict({name: numbers[name] for name in cells[-1].state_dict()})
    return cells


def unrolled(layer, cells, x, h_0):
    """What `layer` computes, one cell and one step at a time on the tape."""
    D = 1 + layer.bidirectional
    xs, finals = list((x.transpose(0, 1) if layer.batch_first and x.ndim == 3 else x).unbind()), []
    for k in range(layer.num_layers):
        ways = []
        for way in range(D):
            h, ys = None if h_0 is None else h_0[k * D + way], {}
            for t in range(len(xs))[:: -1 if way else 1]:
                h = ys[t] = cells[k * D + way](xs[t], h)
            finals.append(h)
            ways.append(ys)
        xs = [tinyrnn.cat([ys[t] for ys in ways], -1) for t in range(len(xs))]
    y = tinyrnn.stack(xs)
    return (y.transpose(0, 1) if layer.batch_first and x.ndim == 3 else y), tinyrnn.stack(finals)


def check_against_the_cell(layer, T=4, N=3, given=True, on_y=True, on_h_n=True):
    D, H = 1 + layer.bidirectional, layer.hidden_size
    batch = () if N is None else (N,)
    x_shape = (*batch, T, layer.input_size) if layer.batch_first else (T, *batch, layer.input_size)
    x, dy = random(*x_shape), random(*x_shape[:-1], D * H)
    h_0, dh_n = (random(layer.num_layers * D, *batch, H) for _ in range(2))
    cells, results = cells_of(layer), []
    for run in (layer, lambda x, h_0: unrolled(layer, cells, x, h_0)):
        leaves = [x.clone().requires_grad_(), h_0.clone().requires_grad_()]
        y, h_n = run(leaves[0], leaves[1] if given else None)
        asked = [(y, dy)] * on_y + [(h_n, dh_n)] * on_h_n
        backward([out for out, _ in asked], [cotangent for _, cotangent in asked])
        results.append([y, h_n, *(leaf.grad for leaf in leaves[: 1 + given])])
    results[0] += [p.grad for p in layer.parameters()]
    results[1] += [p.grad for cell in cells for p in cell.parameters()]
    for i, (fused, tape) in enumerate(zip(*results, strict=True)):
        assert fused.dtype == tinyrnn.float64
        assert error(fused, tape) < 1e-12, i


@pytest.mark.parametrize("num_layers", [1, 2, 3])
@BOTH_WAYS
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("batch_first", "N"), [(False, 3), (True, 3), (False, 1), (False, None), (True, None)])
@pytest.mark.parametrize("given", [True, False])
def test_the_fused_layer_is_the_unrolled_cell_in_every_layout(num_layers, bidirectional, bias, batch_first, N, given):
    options = {"bias": bias, "batch_first": batch_first, "bidirectional": bidirectional}
    check_against_the_cell(nn.RNN(4, 6, num_layers, dtype=tinyrnn.float64, **options), N=N, given=given)


@pytest.mark.parametrize("nonlinearity", NONLINEARITIES)
@pytest.mark.parametrize("T", [1, 2, 9])
@BOTH_WAYS
@pytest.mark.parametrize(("on_y", "on_h_n"), [(True, False), (False, True), (True, True)])
def test_the_fused_layer_is_the_unrolled_cell_for_every_nonlinearity(nonlinearity, T, bidirectional, on_y, on_h_n):
    layer = nn.RNN(3, 5, 2, nonlinearity, bidirectional=bidirectional, dtype=tinyrnn.float64)
    check_against_the_cell(layer, T, on_y=on_y, on_h_n=on_h_n)


@pytest.mark.parametrize("nonlinearity", NONLINEARITIES)
@BOTH_WAYS
def test_gradcheck_of_the_layer_and_its_parameters(nonlinearity, bidirectional):
    layer = nn.RNN(2, 3, 2, nonlinearity, batch_first=True, bidirectional=bidirectional).double()
    inputs = [random(2, 3, 2, requires_grad=True), random(2 + 2 * bidirectional, 2, 3, requires_grad=True)]
    assert gradcheck(lambda x, h_0, *parameters: layer(x, h_0), [*inputs, *layer.parameters()])


@pytest.mark.parametrize("nonlinearity", NONLINEARITIES)
@pytest.mark.parametrize("bias", [True, False])
def test_gradcheck_of_the_cell_and_its_parameters(nonlinearity, bias):
    cell = nn.RNNCell(2, 3, bias, nonlinearity).double()
    inputs = [random(4, 2, requires_grad=True), random(4, 3, requires_grad=True)]
    assert gradcheck(lambda x, h, *parameters: cell(x, h), [*inputs, *cell.parameters()])
    assert gradcheck(lambda x, *parameters: cell(x), [random(2, requires_grad=True), *cell.parameters()])


def test_gradcheck_of_a_layer_with_dropout_under_a_fixed_seed():
    layer = nn.RNN(2, 3, 3, dropout=0.4, dtype=tinyrnn.float64)

    def func(x, *parameters):
        tinyrnn.manual_seed(3)
        return layer(x)

    assert gradcheck(func, [random(4, 2, 2, requires_grad=True), *layer.parameters()])


def test_the_cell_computes_its_formula():
    cell = nn.RNNCell(3, 4, dtype=tinyrnn.float64)
    x, h = random(2, 3), random(2, 4)
    W, U, b, c = (p.array for p in cell.parameters())
    expected = np.tanh(x.array @ W.T + b + h.array @ U.T + c)
    assert error(cell(x, h), tinyrnn.tensor(expected)) < 1e-15
    assert error(cell(x[1], h[1]), tinyrnn.tensor(expected[1])) < 1e-15


def test_the_names_shapes_and_order_of_the_parameters():
    layer = nn.RNN(3, 4, 2, bidirectional=True)
    assert {name: p.shape for name, p in layer.named_parameters()} == {
        **{f"{name}_l0{end}": shape for end in ("", "_reverse") for name, shape in _shapes(3, 4)},
        **{f"{name}_l1{end}": shape for end in ("", "_reverse") for name, shape in _shapes(8, 4)},
    }
    assert list(layer.state_dict()) == [
        f"{name}_l{k}{end}" for k in (0, 1) for end in ("", "_reverse") for name, _ in _shapes(3, 4)
    ]
    assert [name for name, _ in nn.RNN(3, 4, bias=False).named_parameters()] == ["weight_ih_l0", "weight_hh_l0"]
    assert [(name, p.shape) for name, p in nn.RNNCell(3, 4).named_parameters()] == _shapes(3, 4)
    assert [name for name, _ in nn.RNNCell(3, 4, bias=False).named_parameters()] == ["weight_ih", "weight_hh"]


def _shapes(I, H):
    return [("weight_ih", (H, I)), ("weight_hh", (H, H)), ("bias_ih", (H,)), ("bias_hh", (H,))]


@pytest.mark.parametrize("make", [lambda: nn.RNN(3, 25, 2), lambda: nn.RNNCell(3, 25)])
def test_parameters_start_uniform_and_anew_at_each_reset(make):
    module = make()
    before = [p.clone() for p in module.parameters()]
    for p in before:
        assert np.abs(p.array).max() <= 0.2
        assert np.abs(p.array).max() > 0.15
        assert abs(p.array.mean()) < 0.08
    module.reset_parameters()
    assert all((p != q).array.mean() > 0.9 for p, q in zip(module.parameters(), before, strict=True))
    assert all(p.is_leaf and p.requires_grad for p in module.parameters())


def test_the_output_holds_the_final_states():
    y, h_n = nn.RNN(3, 4)(random(5, 2, 3, dtype=tinyrnn.float32))
    assert np.array_equal(y.array[-1], h_n.array[0])
    y, h_n = nn.RNN(3, 4, 2, bidirectional=True, batch_first=True)(random(2, 5, 3, dtype=tinyrnn.float32))
    assert np.array_equal(y.array[:, -1, :4], h_n.array[2])  # forward ends at T, the way back at 1
    assert np.array_equal(y.array[:, 0, 4:], h_n.array[3])


@pytest.mark.parametrize("dtype", [tinyrnn.float32, tinyrnn.float64])
def test_outputs_and_gradients_have_the_dtype_of_the_layer(dtype):
    for module, x in [(nn.RNN(3, 4, 2, dtype=dtype), random(5, 2, 3)), (nn.RNNCell(3, 4, dtype=dtype), random(2, 3))]:
        x = x.to(dtype).requires_grad_()
        outputs = module(x)
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        backward(outputs, [tinyrnn.randn(*out.shape) for out in outputs])
        assert {t.dtype for t in (*outputs, x.grad, *[p.grad for p in module.parameters()])} == {dtype}


@pytest.mark.parametrize("batch_first", [False, True])
def test_an_empty_batch_works(batch_first):
    layer = nn.RNN(3, 4, 2, batch_first=batch_first, bidirectional=True)
    x = tinyrnn.zeros((0, 5, 3) if batch_first else (5, 0, 3), requires_grad=True)
    y, h_n = layer(x)
    assert (y.shape, h_n.shape) == ((0, 5, 8) if batch_first else (5, 0, 8), (4, 0, 4))
    (y.sum() + h_n.sum()).backward()
    assert x.grad.shape == x.shape
    assert not any(p.grad.array.any() for p in layer.parameters())
    assert nn.RNNCell(3, 4)(tinyrnn.zeros(0, 3)).shape == (0, 4)


def test_dropout_acts_between_layers_in_training_only():
    layer = nn.RNN(3, 6, 2, dropout=0.5)
    parts = [nn.RNN(3, 6), nn.RNN(6, 6)]
    for k, part in enumerate(parts):
        part.load_state_dict(
            {name.replace("_l1", "_l0"): p for name, p in layer.state_dict().items() if f"_l{k}" in name}
        )
    x = random(5, 2, 3, dtype=tinyrnn.float32)
    below, first = parts[0](x)
    for training in (True, False):
        layer.train(training)
        tinyrnn.manual_seed(1)
        y, h_n = layer(x)
        tinyrnn.manual_seed(1)
        expected, last = parts[1](functional.dropout(below, 0.5, training))
        assert np.array_equal(y.array, expected.array)
        assert np.array_equal(h_n.array, tinyrnn.cat([first, last]).array)
        assert np.array_equal(layer(x)[0].array, y.array) != training


def test_dropout_with_one_layer_warns_that_it_has_no_effect():
    with pytest.warns(UserWarning, match=r"RNN: dropout=0.3 has no effect with num_layers=1"):
        layer = nn.RNN(3, 4, dropout=0.3)
    x = random(5, 2, 3, dtype=tinyrnn.float32)
    assert np.array_equal(layer(x)[0].array, layer(x)[0].array)


@pytest.mark.parametrize("changed", ["weight_ih_l0", "weight_hh_l0", "x"])
@pytest.mark.parametrize("batch_first", [False, True])
def test_what_the_backward_pass_reads_must_not_change_in_place(changed, batch_first):
    layer = nn.RNN(3, 4, batch_first=batch_first)
    x = random(5, 2, 3, dtype=tinyrnn.float32, requires_grad=True)
    y, h_n = layer(x)
    with tinyrnn.no_grad():
        {**dict(layer.named_parameters()), "x": x}[changed].mul_(2)
    with pytest.raises(RuntimeError, match=r"'rnn' needs was changed in place"):
        (y.sum() + h_n.sum()).backward()
    assert x.grad is None


def test_what_the_backward_pass_does_not_read_may_change_in_place():
    layer = nn.RNN(3, 4, dtype=tinyrnn.float64)
    x, h_0, gradients = random(5, 2, 3), random(1, 2, 4), []
    for change in (False, True):
        y, h_n = layer(x, h_0)
        if change:
            with tinyrnn.no_grad():
                for tensor in (layer.weight_ih_l0, layer.bias_ih_l0, layer.bias_hh_l0, h_0):  # x needs no gradient
                    tensor.zero_()
            h_n.mul_(3)
        (y * y).sum().backward()
        gradients.append([p.grad for p in layer.parameters()])
        layer.zero_grad()
    for before, after in zip(*gradients, strict=True):
        assert np.array_equal(before.array, after.array)


@pytest.mark.parametrize("layer", [nn.RNN, nn.LSTM, nn.GRU])
@pytest.mark.parametrize("batch", [1, 2])
def test_the_output_may_be_changed_in_place(layer, batch):
    net = layer(3, 4, batch_first=True, dtype=tinyrnn.float64)
    x, gradients = random(batch, 5, 3), []
    for in_place in (False, True):
        y, _ = net(x)
        if in_place:
            y *= 2
            y[:, 1:3] = 0
        else:
            y = y * tinyrnn.tensor([2, 0, 0, 2, 2]).unsqueeze(-1)
        (y * y).sum().backward()
        gradients.append([p.grad for p in net.parameters()])
        net.zero_grad()
    for before, after in zip(*gradients, strict=True):
        assert np.allclose(before.array, after.array, rtol=1e-12, atol=0)


def test_the_cell_refuses_a_backward_pass_through_changed_weights():
    cell = nn.RNNCell(3, 4)
    h = cell(random(2, 3, dtype=tinyrnn.float32), random(2, 4, dtype=tinyrnn.float32, requires_grad=True))
    with tinyrnn.no_grad():
        cell.weight_hh.mul_(2)
    with pytest.raises(RuntimeError, match=r"'affine' needs was changed in place"):
        h.sum().backward()


def test_a_state_is_carried_on_detached_but_not_without():
    layer, h = nn.RNN(3, 4), None
    for _ in range(3):
        y, h = layer(random(5, 2, 3, dtype=tinyrnn.float32), h)
        y.sum().backward()
        h = h.detach()
    y, h = layer(random(5, 2, 3, dtype=tinyrnn.float32), h)
    y.sum().backward()
    y, h = layer(random(5, 2, 3, dtype=tinyrnn.float32), h)
    with pytest.raises(RuntimeError, match=r"second time through 'rnn'(?s:.*)detach\(\)"):
        y.sum().backward()


def test_two_windows_are_one_sequence_if_the_state_is_carried():
    layer, x = nn.RNN(3, 4, 2, dtype=tinyrnn.float64), random(7, 2, 3)
    whole, end = layer(x)
    first, h = layer(x[:3])
    rest, h = layer(x[3:], h)
    assert error(tinyrnn.cat([first, rest]), whole) < 1e-14
    assert error(h, end) < 1e-14


def test_frozen_parameters_and_no_grad():
    layer, x = nn.RNN(3, 4, dtype=tinyrnn.float64), random(5, 2, 3)
    layer(x)[0].square().sum().backward()
    expected = layer.weight_hh_l0.grad
    layer.zero_grad()
    layer.weight_ih_l0.requires_grad_(False)
    layer(x)[0].square().sum().backward()
    assert layer.weight_ih_l0.grad is None
    assert np.array_equal(layer.weight_hh_l0.grad.array, expected.array)
    with tinyrnn.no_grad():
        y, h_n = layer(x)
    assert not y.requires_grad
    assert not h_n.requires_grad
    assert not layer.requires_grad_(False)(x)[0].requires_grad


def test_arguments_are_left_alone():
    layer, x, h_0 = nn.RNN(3, 4, 2, batch_first=True), random(2, 5, 3).float(), random(2, 2, 4).float()
    before = [a.array.copy() for a in (x, h_0, *layer.parameters())]
    y, _ = layer(x, h_0)
    y.sum().backward()
    for a, b in zip((x, h_0, *layer.parameters()), before, strict=True):
        assert np.array_equal(a.array, b)


@pytest.mark.parametrize("k", [0, 1])
@pytest.mark.parametrize("batch_first", [False, True])
def test_the_gradient_that_the_layer_is_given_is_left_alone(k, batch_first):
    out = nn.RNN(3, 4, batch_first=batch_first)(random(5, 2, 3).float())[k]
    beside, g = tinyrnn.zeros(*out.shape, requires_grad=True), random(*out.shape).float()
    (beside + out).backward(g)  # a sum hands one array to both of its operands
    assert np.array_equal(beside.grad.array, g.array)


def test_a_graph_that_nobody_holds_is_gone_without_the_garbage_collector():
    layer = nn.RNN(3, 4, 2, bidirectional=True, batch_first=True)
    gc.disable()
    try:
        y, h_n = layer(random(2, 5, 3).float())
        kept = weakref.ref(y.array if y.array.base is None else y.array.base)
        loss = y.sum() + h_n.sum()
        del y, h_n, loss
        assert kept() is None
    finally:
        gc.enable()


def zeros(*shape, dtype=tinyrnn.float32):
    return tinyrnn.zeros(shape, dtype=dtype)


@pytest.fixture
def no_arithmetic(monkeypatch):
    """Makes the kernel, and the product that the cell is made of, refuse to run."""

    def run(*args, **kwargs):
        raise AssertionError("computed before the arguments were checked")

    monkeypatch.setattr("tinyrnn.nn.modules.rnn.rnn", run)
    monkeypatch.setattr(functional, "linear", run)


@pytest.mark.usefixtures("no_arithmetic")
@pytest.mark.parametrize(
    ("options", "x", "h_0", "exception", "message"),
    [
        ({}, np.zeros((5, 2, 3)), None, TypeError, "RNN: the input is a ndarray, expected a tensor of shape (T, N, 3)"),
        ({}, zeros(5, 2, 4), None, ValueError, "RNN: the input has shape (5, 2, 4), expected (T, N, 3), or (T, 3)"),
        ({"batch_first": True}, zeros(5, 2, 4), None, ValueError, "(5, 2, 4), expected (N, T, 3), or (T, 3)"),
        ({}, zeros(3), None, ValueError, "RNN: the input has shape (3,), expected (T, N, 3), or (T, 3)"),
        ({}, zeros(1, 5, 2, 3), None, ValueError, "RNN: the input has shape (1, 5, 2, 3), expected (T, N, 3)"),
        ({}, zeros(0, 2, 3), None, ValueError, "RNN: the input has shape (0, 2, 3), whose sequence has no steps"),
        ({}, zeros(0, 3), None, ValueError, "RNN: the input has shape (0, 3), whose sequence has no steps: expected T"),
        ({"batch_first": True}, zeros(2, 0, 3), None, ValueError, "has shape (2, 0, 3), whose sequence has no steps"),
        ({}, zeros(5, 2, 3).double(), None, TypeError, "RNN: the input is float64, the weights are float32"),
        ({}, zeros(5, 2, 3).long(), None, TypeError, ".float() or .double(), or the whole module"),
        ({}, zeros(5, 2, 3), np.zeros((1, 2, 4)), TypeError, "RNN: h_0 is a ndarray, expected a tensor or None"),
        ({}, zeros(5, 2, 3), (zeros(1, 2, 4), zeros(1, 2, 4)), TypeError, "RNN: h_0 is a tuple, expected a tensor"),
        (
            {},
            zeros(5, 2, 3),
            zeros(1, 3, 4),
            ValueError,
            "h_0 has shape (1, 3, 4), expected (1, 2, 4), which is (layers times directions, N",
        ),
        (
            {},
            zeros(5, 2, 3),
            zeros(1, 3, 4),
            ValueError,
            "for a last, smaller batch take as many states as it has rows",
        ),
        ({}, zeros(5, 2, 3), zeros(2, 4), ValueError, "RNN: h_0 has shape (2, 4), expected (1, 2, 4)"),
        ({}, zeros(5, 3), zeros(1, 2, 4), ValueError, "expected (1, 4), which is (layers times directions, H)"),
        ({"num_layers": 2, "bidirectional": True}, zeros(5, 2, 3), zeros(2, 2, 4), ValueError, "expected (4, 2, 4)"),
        ({"batch_first": True}, zeros(2, 5, 3), zeros(2, 1, 4), ValueError, "is batch_first, but h_0 is not"),
        ({}, zeros(5, 2, 3), zeros(1, 2, 4).double(), TypeError, "RNN: h_0 is float64, the weights are float32"),
    ],
)
def test_the_layer_says_what_does_not_fit(options, x, h_0, exception, message):
    with pytest.raises(exception, match=re.escape(message)):
        nn.RNN(3, 4, **options)(x, h_0)


@pytest.mark.usefixtures("no_arithmetic")
@pytest.mark.parametrize(
    ("x", "h", "exception", "message"),
    [
        ([1.0], None, TypeError, "RNNCell: the input is a list, expected a tensor of shape (N, 3) or (3,)"),
        (zeros(2, 4), None, ValueError, "RNNCell: the input has shape (2, 4), expected (N, 3) or (3,)"),
        (zeros(), None, ValueError, "RNNCell: the input has shape (), expected (N, 3) or (3,)"),
        (zeros(5, 2, 3), None, ValueError, "expected (N, 3) or (3,): the cell takes one step, RNN a sequence"),
        (zeros(2, 3).double(), None, TypeError, "RNNCell: the input is float64, the weights are float32"),
        (zeros(2, 3), zeros(3, 4), ValueError, "RNNCell: the state has shape (3, 4), expected (2, 4), as the input is"),
        (zeros(2, 3), zeros(4), ValueError, "RNNCell: the state has shape (4,), expected (2, 4)"),
        (zeros(3), zeros(1, 4), ValueError, "RNNCell: the state has shape (1, 4), expected (4,)"),
        (zeros(2, 3), zeros(2, 4).double(), TypeError, "RNNCell: the state is float64, the weights are float32"),
        (zeros(2, 3), (zeros(2, 4),), TypeError, "RNNCell: the state is a tuple, expected a tensor or None"),
    ],
)
def test_the_cell_says_what_does_not_fit(x, h, exception, message):
    with pytest.raises(exception, match=re.escape(message)):
        nn.RNNCell(3, 4)(x, h)


@pytest.mark.parametrize(
    ("make", "exception", "message"),
    [
        (lambda: nn.RNN(0, 4), ValueError, "RNN: input_size is 0, expected at least 1"),
        (lambda: nn.RNN(3, 4.0), TypeError, "RNN: hidden_size is 4.0, expected a whole number"),
        (lambda: nn.RNN(3, 4, -1), ValueError, "RNN: num_layers is -1, expected at least 1"),
        (lambda: nn.RNN(3, 4, 1, "swish"), ValueError, "RNN: the nonlinearity is 'swish', expected one of tanh, relu"),
        (lambda: nn.RNN(3, 4, 1, ["tanh"]), ValueError, "RNN: the nonlinearity is ['tanh'], expected one of tanh"),
        (
            lambda: nn.RNN(3, 4, 2, dropout=1.5),
            ValueError,
            "RNN: the probability is 1.5, expected a number from 0 to 1",
        ),
        (lambda: nn.RNN(3, 4, 2, dropout="0.5"), ValueError, "RNN: the probability is '0.5', expected a number"),
        (lambda: nn.RNN(3, 4, device="cuda"), ValueError, "device 'cuda' is not available"),
        (lambda: nn.RNNCell(3, 0), ValueError, "RNNCell: hidden_size is 0, expected at least 1"),
        (lambda: nn.RNNCell(3, 4, nonlinearity="selu"), ValueError, "RNNCell: the nonlinearity is 'selu'"),
    ],
)
def test_arguments_that_are_none_are_refused(make, exception, message):
    with pytest.raises(exception, match=re.escape(message)):
        make()


def test_half_a_bias_is_refused():
    layer = nn.RNN(3, 4)
    layer.bias_ih_l0 = None
    with pytest.raises(ValueError, match="of bias_ih and bias_hh one is None, expected both or neither"):
        layer(zeros(5, 2, 3))
    layer.bias_hh_l0 = None
    assert layer(zeros(5, 2, 3))[0].shape == (5, 2, 4)


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        (lambda: nn.RNN(3, 4), "RNN(3, 4)"),
        (lambda: nn.RNN(3, 4, 2, "relu", False, True, 0.5, True),
         "RNN(3, 4, num_layers=2, bias=False, batch_first=True, dropout=0.5, bidirectional=True)"),
        (lambda: nn.RNNCell(3, 4), "RNNCell(3, 4)"),
        (lambda: nn.RNNCell(3, 4, False, "relu"), "RNNCell(3, 4, bias=False, nonlinearity=relu)"),
    ],
)  # fmt: skip
def test_repr(module, expected):
    assert repr(module()) == expected


@pytest.mark.parametrize("option", ["bias", "batch_first", "bidirectional"])
def test_a_flag_is_true_or_false(option):
    with pytest.raises(TypeError, match=f"RNN: {option} is 'False', expected True or False"):
        nn.RNN(2, 3, **{option: "False"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("weight_ih_l0", tinyrnn.zeros(4, 3)),
        ("weight_hh_l0", tinyrnn.zeros(4, 3)),
        ("bias_ih_l0", tinyrnn.zeros(2, 4)),
        ("bias_hh_l0", tinyrnn.zeros(4, dtype=tinyrnn.float64)),
    ],
)
def test_a_parameter_that_does_not_fit_is_refused_in_words(name, value):
    layer = nn.RNN(2, 4)
    setattr(layer, name, nn.Parameter(value))
    with pytest.raises(ValueError, match=r"RNN: a parameter has shape .*, expected .* of float32"):
        layer(tinyrnn.zeros(3, 1, 2))


def test_cells_and_layers_have_their_bases():
    assert all(issubclass(cell, nn.RNNCellBase) for cell in (nn.RNNCell, nn.LSTMCell, nn.GRUCell))
    assert all(issubclass(layer, nn.RNNBase) for layer in (nn.RNN, nn.LSTM, nn.GRU))


@pytest.mark.parametrize("layer", [nn.RNN, nn.LSTM, nn.GRU])
@pytest.mark.parametrize("options", [{}, {"num_layers": 2}, {"bidirectional": True}, {"batch_first": True}])
@pytest.mark.parametrize("states", ["zero", "given", "learned"])
def test_one_sequence_is_a_batch_of_one(layer, options, states):
    net = layer(3, 4, dtype=tinyrnn.float64, learn_initial_state=states == "learned", **options)
    rows = net.num_layers * (2 if net.bidirectional else 1)
    axis = 0 if net.batch_first else 1
    alone, found = random(5, 3), []
    given = [random(rows, 4) for _ in net.state_names] if states == "given" else []
    for batch in (False, True):
        net.zero_grad()
        x, h = alone.clone().requires_grad_(), [h.clone().requires_grad_() for h in given]
        hs = [s.unsqueeze(1) for s in h] if batch else h
        hx = None if not hs else tuple(hs) if len(hs) > 1 else hs[0]
        y, last = net(x.unsqueeze(axis) if batch else x, hx)
        last = last if isinstance(last, tuple) else (last,)
        if batch:
            y, last = y.squeeze(axis), [s.squeeze(1) for s in last]
        (y * y).sum().backward(retain_graph=True)
        sum((s * s).sum() * 2 for s in last).backward()
        found.append([y.detach(), *[s.detach() for s in last], x.grad, *[s.grad for s in h]])
        found[-1] += [p.grad for p in net.parameters()]
    for one, other in zip(*found, strict=True):
        assert one.shape == other.shape
        assert np.allclose(one.array, other.array, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("layer", [nn.RNN, nn.LSTM, nn.GRU])
@pytest.mark.parametrize("shape", [(5, 2), (5,), (1, 2)])
def test_initial_states_may_change_in_place_after_the_forward(layer, shape):
    net, x = layer(3, 4, dtype=tinyrnn.float64), random(*shape, 3)
    starts, gradients = [random(1, *shape[1:], 4) for _ in net.state_names], []
    for change in (False, True):
        net.zero_grad()
        given = [h.clone() for h in starts]
        y, _ = net(x, tuple(given) if len(given) > 1 else given[0])
        for h in given:
            h.mul_(3 if change else 1)
        (y * y).sum().backward()
        gradients.append([p.grad for p in net.parameters()])
    for before, after in zip(*gradients, strict=True):
        assert np.array_equal(before.array, after.array)
