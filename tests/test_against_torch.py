"""RNN, RNNCell, Linear, MSELoss, dropout, SGD, Adam and clipping beside torch's, where torch is installed."""

import inspect
import itertools
import warnings

import numpy as np
import pytest

import tinyrnn
from tinyrnn import nn, optim
from tinyrnn.nn import functional

DTYPES = pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-10), ("float32", 1e-5)])

RNN_OPTIONS = [
    {"num_layers": num_layers, "nonlinearity": nonlinearity, "bias": bias, "bidirectional": bidirectional}
    for num_layers, nonlinearity, bias, bidirectional in itertools.product(
        [1, 2], ["tanh", "relu"], [True, False], [False, True]
    )
]
CELL_OPTIONS = [{"bias": bias, "nonlinearity": f} for bias in (True, False) for f in ("tanh", "relu")]
LAYERS = [
    *[("RNN", (4, 6), options) for options in RNN_OPTIONS],
    *[("RNNCell", (4, 6), options) for options in CELL_OPTIONS],
    *[("Linear", (4, 6), {"bias": bias}) for bias in (True, False)],
]


def arrays(state):
    """A state_dict of torch's as arrays."""
    return {name: tensor.detach().numpy() for name, tensor in state.items()}


def error(got, expected):
    """The largest difference, relative to the largest entry that torch has. `got` is ours, `expected` torch's."""
    a, b = got.array, expected.detach().numpy()
    assert (a.shape, a.dtype) == (b.shape, b.dtype)
    scale = np.abs(b).max(initial=0)
    return np.abs(a - b).max(initial=0) / (scale if scale > 0 else 1)


def random(torch, *shape, dtype="float64"):
    """The same numbers as a leaf of ours and of torch's."""
    numbers = np.random.default_rng(shape).standard_normal(shape).astype(dtype)
    return tinyrnn.tensor(numbers, requires_grad=True), torch.tensor(numbers, requires_grad=True)


def both(torch, name, *args, dtype="float64", **options):
    """The same module of ours and of torch's, with torch's numbers in both."""
    torch.manual_seed(0)
    theirs = getattr(torch.nn, name)(*args, dtype=getattr(torch, dtype), **options)
    ours = getattr(nn, name)(*args, dtype=dtype, **options)
    assert ours.load_state_dict(arrays(theirs.state_dict())) == ([], [])
    return ours, theirs


def check(torch, ours, theirs, pairs, tolerance, outputs):
    """Compares outputs, and after backward with random cotangents the gradients of all leaves."""
    results = [ours(*[x for x, _ in pairs]), theirs(*[x for _, x in pairs])]
    ys, expected = (list(result) if isinstance(result, tuple) else [result] for result in results)
    cotangents = [random(torch, *y.shape, dtype=y.dtype.name) for y in ys]
    tinyrnn.autograd.backward([ys[k] for k in outputs], [cotangents[k][0].detach() for k in outputs])
    torch.autograd.backward([expected[k] for k in outputs], [cotangents[k][1].detach() for k in outputs])
    for got, wanted in zip(ys, expected, strict=True):
        assert error(got, wanted) < tolerance
    leaves = [*pairs, *zip(ours.parameters(), theirs.parameters(), strict=True)]
    for i, (got, wanted) in enumerate(leaves):
        assert error(got.grad, wanted.grad) < tolerance, i


# the face


@pytest.mark.parametrize(
    "path",
    ["optim.SGD", "nn.Linear", "nn.RNNCell", "nn.functional.dropout", "nn.utils.clip_grad_norm_",
     "nn.utils.clip_grad_value_", "nn.Parameter", "nn.Module.register_parameter", "nn.Module.register_buffer",
     "nn.Module.add_module", "nn.Module.named_parameters", "nn.Module.named_buffers", "nn.Module.named_modules",
     "nn.Module.parameters", "nn.Module.zero_grad", "nn.Module.train", "nn.Module.requires_grad_", "nn.Module.apply",
     "optim.Optimizer.step", "optim.Optimizer.zero_grad", "optim.Optimizer.add_param_group"],
)  # fmt: skip
def test_arguments_have_torchs_order_names_and_defaults(torch, path):
    ours, theirs = tinyrnn, torch
    for name in path.split("."):
        ours, theirs = getattr(ours, name), getattr(theirs, name)
    if path == "nn.Parameter":
        ours, theirs = ours.__new__, theirs.__new__
    given, expected = (inspect.signature(f).parameters for f in (ours, theirs))
    empty = {(): None} if path == "nn.Parameter" else {}  # Parameter() is empty in both
    optional = {"decoupled_weight_decay"}  # that of AdamW, and not in every torch
    assert [(p.name, p.kind, empty.get(p.default, p.default)) for p in given.values()] == [
        (p.name, p.kind, p.default) for p in expected.values() if p.name not in optional
    ]


@pytest.mark.parametrize(
    "path",
    ["nn.functional.mse_loss", "nn.MSELoss", "nn.init.uniform_", "nn.init.normal_",
     "nn.init.constant_", "nn.init.zeros_"],
)  # fmt: skip
def test_arguments_that_are_there_have_torchs_names_and_defaults(torch, path):
    ours, theirs = tinyrnn, torch
    for name in path.split("."):
        ours, theirs = getattr(ours, name), getattr(theirs, name)
    given, expected = (inspect.signature(f).parameters for f in (ours, theirs))
    assert [(name, p.default) for name, p in given.items()] == [
        (name, p.default) for name, p in expected.items() if name in given
    ]


def test_an_rnn_takes_its_arguments_in_torchs_order(torch):
    arguments = (3, 4, 2, "relu", False, True, 0.25, True)  # torch.nn.RNN's signature says only *args
    ours, theirs = nn.RNN(*arguments), torch.nn.RNN(*arguments)
    names = inspect.getfullargspec(nn.RNN).args[1:9]
    assert [getattr(ours, name) for name in names] == [getattr(theirs, name) for name in names] == list(arguments)
    plain = [[getattr(module(3, 4), name) for name in names] for module in (nn.RNN, torch.nn.RNN)]
    assert plain[0] == plain[1]


def nested(nn):
    """The same modules, nested, built from either package."""

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn = nn.RNN(4, 6, num_layers=2, batch_first=True, dropout=0.5, bidirectional=True, bias=False)
            self.register_buffer("scale", nn.Parameter(nn.Linear(2, 2).weight.detach()).detach())
            self.part = nn.Module()
            self.part.cell = nn.RNNCell(4, 6, nonlinearity="relu", bias=False)
            self.part.add_module("0", nn.Linear(6, 2, bias=False))
            self.own = nn.Parameter(nn.Linear(1, 1).bias.detach())
            self.loss = nn.MSELoss()
            self.again = self.part.cell

    return Net()


def test_names_order_shapes_and_repr_are_torchs(torch):
    ours, theirs = nested(nn), nested(torch.nn)
    assert repr(ours) == repr(theirs)
    for listing in ("named_parameters", "named_modules", "named_children", "named_buffers"):
        assert [name for name, _ in getattr(ours, listing)()] == [name for name, _ in getattr(theirs, listing)()]
    shapes = [[(name, tuple(t.shape)) for name, t in net.state_dict().items()] for net in (ours, theirs)]
    assert shapes[0] == shapes[1]
    names = [[n for n, _ in net.named_parameters(remove_duplicate=False)] for net in (ours, theirs)]
    assert names[0] == names[1]


@pytest.mark.parametrize(("name", "args", "options"), LAYERS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_same_seed_gives_the_same_layer_to_the_bit(torch, name, args, options, dtype):
    tinyrnn.manual_seed(12)
    torch.manual_seed(12)
    ours = getattr(nn, name)(*args, dtype=dtype, **options)
    theirs = getattr(torch.nn, name)(*args, dtype=getattr(torch, dtype), **options)
    expected = arrays(theirs.state_dict())
    assert list(ours.state_dict()) == list(expected)
    assert repr(ours) == repr(theirs)
    for key, tensor in ours.state_dict().items():
        assert tensor.dtype == dtype
        assert np.array_equal(tensor.array, expected[key]), key
    assert np.array_equal(tinyrnn.rand(5).array, torch.rand(5).numpy())  # and the streams go on together


def test_the_same_seed_gives_the_same_model_to_the_bit(torch):
    tinyrnn.manual_seed(3)
    torch.manual_seed(3)
    ours, theirs = nested(nn), arrays(nested(torch.nn).state_dict())
    assert all(np.array_equal(tensor.array, theirs[name]) for name, tensor in ours.state_dict().items())


# outputs and gradients


@DTYPES
@pytest.mark.parametrize("options", RNN_OPTIONS)
@pytest.mark.parametrize("outputs", [(0,), (1,), (0, 1)])
def test_rnn(torch, options, dtype, tolerance, outputs):
    ours, theirs = both(torch, "RNN", 4, 6, dtype=dtype, **options)
    rows = options["num_layers"] * (1 + options["bidirectional"])
    pairs = [random(torch, 5, 3, 4, dtype=dtype), random(torch, rows, 3, 6, dtype=dtype)]
    check(torch, ours, theirs, pairs, tolerance, outputs)


@DTYPES
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize(("T", "N"), [(5, 3), (5, 1), (1, 3), (5, None)])
@pytest.mark.parametrize("given", [False, True])
def test_rnn_in_every_layout(torch, dtype, tolerance, batch_first, T, N, given):
    ours, theirs = both(torch, "RNN", 4, 6, 2, bidirectional=True, batch_first=batch_first, dtype=dtype)
    batch = () if N is None else (N,)
    x = (*batch, T) if batch_first else (T, *batch)
    pairs = [random(torch, *x, 4, dtype=dtype), random(torch, 4, *batch, 6, dtype=dtype)][: 1 + given]
    check(torch, ours, theirs, pairs, tolerance, (0, 1))


@DTYPES
@pytest.mark.parametrize("options", CELL_OPTIONS)
@pytest.mark.parametrize("batch", [(3,), ()])
@pytest.mark.parametrize("given", [False, True])
def test_rnn_cell(torch, options, dtype, tolerance, batch, given):
    ours, theirs = both(torch, "RNNCell", 4, 6, dtype=dtype, **options)
    pairs = [random(torch, *batch, 4, dtype=dtype), random(torch, *batch, 6, dtype=dtype)][: 1 + given]
    check(torch, ours, theirs, pairs, tolerance, (0,))


@DTYPES
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(4,), (3, 4), (2, 3, 4)])
def test_linear(torch, bias, dtype, tolerance, shape):
    ours, theirs = both(torch, "Linear", 4, 6, bias=bias, dtype=dtype)
    check(torch, ours, theirs, [random(torch, *shape, dtype=dtype)], tolerance, (0,))


@DTYPES
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_mse_loss(torch, reduction, dtype, tolerance):
    pairs = [random(torch, 5, 3, dtype=dtype), random(torch, 5, 3, dtype=dtype)]
    pairs[1][0].array *= 2
    pairs[1][1].data *= 2
    check(torch, nn.MSELoss(reduction=reduction), torch.nn.MSELoss(reduction=reduction), pairs, tolerance, (0,))


@pytest.mark.parametrize(
    "action",
    [
        lambda nn, zeros: nn.RNN(3, 4, dropout=0.5),
        lambda nn, zeros: nn.RNN(3, 4, num_layers=2, dropout=0.5),
        lambda nn, zeros: nn.RNN(3, 4),
        lambda nn, zeros: nn.MSELoss()(zeros(4, 1), zeros(4)),
        lambda nn, zeros: nn.functional.mse_loss(zeros(4), zeros(())),
        lambda nn, zeros: nn.MSELoss()(zeros(4), zeros(4)),
    ],
)
def test_warnings_come_where_torchs_do(torch, action):
    seen = []
    for modules, zeros in ((nn, tinyrnn.zeros), (torch.nn, torch.zeros)):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            action(modules, zeros)
        seen.append([w.category for w in caught])
    assert seen[0] == seen[1]


# dropout


@DTYPES
@pytest.mark.parametrize("p", [0.0, 0.2, 0.5, 0.9, 1.0])
@pytest.mark.parametrize(
    ("shape", "order"),
    [
        *[((7,), None), ((5, 3, 4), None), ((100, 33), None), ((0, 3), None), ((), None)],
        *[((5, 3), (1, 0)), ((5, 3, 4), (1, 0, 2)), ((5, 3, 4), (2, 0, 1))],  # of another layout in memory
    ],
)
def test_dropout_masks_are_torchs(torch, p, dtype, tolerance, shape, order):
    ours, theirs = random(torch, *shape, dtype=dtype)
    if order:
        ours, theirs = ours.permute(order), theirs.permute(order)
    tinyrnn.manual_seed(5)
    torch.manual_seed(5)
    y, expected = functional.dropout(ours, p), torch.nn.functional.dropout(theirs, p)
    assert np.array_equal(y.array == 0, expected.detach().numpy() == 0)
    assert error(y, expected) < tolerance / 10
    assert np.array_equal(tinyrnn.rand(5).array, torch.rand(5).numpy())


@DTYPES
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("batch", [(3,), ()])
def test_an_rnn_drops_what_torchs_does(torch, dtype, tolerance, batch_first, bidirectional, batch):
    options = {"dropout": 0.4, "batch_first": batch_first, "bidirectional": bidirectional}
    ours, theirs = both(torch, "RNN", 4, 6, 3, dtype=dtype, **options)
    tinyrnn.manual_seed(8)
    torch.manual_seed(8)
    check(torch, ours, theirs, [random(torch, *batch, 5, 4, dtype=dtype)], tolerance, (0, 1))
    assert np.array_equal(tinyrnn.rand(5).array, torch.rand(5).numpy())
    check(torch, ours.eval(), theirs.eval(), [random(torch, *batch, 5, 4, dtype=dtype)], tolerance, (0, 1))


# training

OPTIMIZERS = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "weight_decay": 0.05}),
    ("SGD", {"lr": 0.05, "momentum": 0.9}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "dampening": 0.5, "weight_decay": 0.01}),
    ("SGD", {"lr": 0.02, "momentum": 0.9, "nesterov": True}),
    ("SGD", {"lr": 0.05, "momentum": 0.8, "nesterov": True, "weight_decay": 0.01}),
    ("SGD", {"lr": 0.001, "momentum": 0.5, "maximize": True, "weight_decay": 0.01}),
    ("Adam", {}),
    ("Adam", {"lr": 0.01, "weight_decay": 0.05}),
    ("Adam", {"lr": 0.01, "amsgrad": True}),
    ("Adam", {"lr": 0.002, "betas": (0.5, 0.9), "eps": 1e-2}),
    ("Adam", {"lr": 0.001, "maximize": True, "weight_decay": 0.01, "amsgrad": True}),
]


class Pair:
    """A small model in both packages, its data and its optimizers; and a step of training in either."""

    def __init__(self, torch, name, settings, dtype, groups=False):
        self.torch = torch
        self.rnn, self.linear = both(torch, "RNN", 2, 8, dtype=dtype), both(torch, "Linear", 8, 1, dtype=dtype)
        self.x, self.y = random(torch, 12, 5, 2, dtype=dtype), random(torch, 12, 5, 1, dtype=dtype)
        self.parameters = [
            [*rnn.parameters(), *linear.parameters()] for rnn, linear in zip(self.rnn, self.linear, strict=True)
        ]
        self.optimizers = []
        for package, ps in zip((optim, torch.optim), self.parameters, strict=True):
            given = [{"params": ps[:4]}, {"params": ps[4:], "lr": 0.02, "weight_decay": 0.1}] if groups else ps
            self.optimizers.append(getattr(package, name)(given, **settings))

    def step(self, i):
        self.optimizers[i].zero_grad()
        module = (nn, self.torch.nn)[i]
        loss = module.functional.mse_loss(self.linear[i](self.rnn[i](self.x[i].detach())[0]), self.y[i].detach())
        loss.backward()
        module.utils.clip_grad_norm_(self.parameters[i], 0.5)
        self.optimizers[i].step()
        return loss.item()

    def error(self):
        return max(error(got, wanted) for got, wanted in zip(*self.parameters, strict=True))


@DTYPES
@pytest.mark.parametrize(("name", "settings"), OPTIMIZERS)
def test_fifty_steps_of_training(torch, name, settings, dtype, tolerance):
    pair = Pair(torch, name, settings, dtype)
    for _ in range(50):
        ours, theirs = pair.step(0), pair.step(1)
        assert abs(ours - theirs) < tolerance * theirs
    assert pair.error() < tolerance


@DTYPES
@pytest.mark.parametrize(("name", "settings"), [("SGD", {"lr": 0.1, "momentum": 0.9}), ("Adam", {"lr": 0.01})])
def test_fifty_steps_with_groups(torch, name, settings, dtype, tolerance):
    pair = Pair(torch, name, settings, dtype, groups=True)
    for step in range(50):
        assert abs(pair.step(0) - pair.step(1)) < tolerance
        if step == 20:  # as a scheduler does
            for optimizer in pair.optimizers:
                optimizer.param_groups[0]["lr"] *= 0.1
    assert pair.error() < tolerance


@pytest.mark.parametrize(("name", "settings"), OPTIMIZERS)
def test_torchs_optimizer_goes_on_here_and_ours_there(torch, name, settings):
    pair = Pair(torch, name, settings, "float64")
    ours, theirs = pair.optimizers
    for _ in range(7):
        pair.step(1)  # torch alone
    for got, wanted in zip(*pair.parameters, strict=True):
        got.detach().copy_(wanted.detach().numpy())
    state = theirs.state_dict()
    for entries in state["state"].values():
        entries.update({key: v.numpy() for key, v in entries.items() if v is not None})
    ours.load_state_dict(state)
    for _ in range(7):
        pair.step(0)
    there = Pair(torch, name, settings, "float64")  # what ours has become, back in torch
    for got, wanted in zip(pair.parameters[0], there.parameters[1], strict=True):
        wanted.data = torch.from_numpy(got.array.copy())
    back = {i: {key: torch.as_tensor(getattr(v, "array", v)) for key, v in entries.items() if v is not None}
            for i, entries in ours.state_dict()["state"].items()}  # fmt: skip
    for entries in back.values():
        if name == "Adam":
            entries["step"] = entries["step"].float()
        else:
            entries.setdefault("momentum_buffer", None)
    groups = there.optimizers[1].state_dict()["param_groups"]
    there.optimizers[1].load_state_dict({"state": back, "param_groups": groups})
    for _ in range(7):
        there.step(1)
    alone = Pair(torch, name, settings, "float64")
    for _ in range(21):
        alone.step(1)
    for got, wanted in zip(there.parameters[1], alone.parameters[1], strict=True):
        assert error(tinyrnn.tensor(got.detach().numpy()), wanted) < 1e-10


# clipping


@DTYPES
@pytest.mark.parametrize("p", [1, 2, 2.5, float("inf"), "inf"])
@pytest.mark.parametrize("max_norm", [0, 0.5, 1e6])
def test_clip_grad_norm(torch, p, max_norm, dtype, tolerance):
    pairs = [random(torch, *shape, dtype=dtype) for shape in [(4, 3), (5,), ()]]
    pairs += [(tinyrnn.zeros(2, requires_grad=True), torch.zeros(2, requires_grad=True))]  # without a gradient
    for ours, theirs in pairs[:3]:
        ours.grad, theirs.grad = 3 * ours.detach(), 3 * theirs.detach()
    norm = nn.utils.clip_grad_norm_((ours for ours, _ in pairs), max_norm, p)
    expected = torch.nn.utils.clip_grad_norm_((theirs for _, theirs in pairs), max_norm, p)
    assert error(norm, expected) < tolerance
    for ours, theirs in pairs[:3]:
        assert error(ours.grad, theirs.grad) < tolerance


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
@pytest.mark.parametrize("p", [1, 2, float("inf")])
def test_clip_grad_norm_of_what_is_not_finite(torch, bad, p):
    ours, theirs = random(torch, 4, 3)
    ours.grad, theirs.grad = ours.detach().clone(), theirs.detach().clone()
    ours.grad[1, 2] = theirs.grad[1, 2] = bad
    for package in (nn, torch.nn):
        with pytest.raises(RuntimeError):
            package.utils.clip_grad_norm_([ours if package is nn else theirs], 1.0, p, error_if_nonfinite=True)
    with np.errstate(invalid="ignore"):  # NumPy warns of inf * 0
        norm = nn.utils.clip_grad_norm_([ours], 1.0, p)
    assert np.array_equal(norm.array, torch.nn.utils.clip_grad_norm_([theirs], 1.0, p).numpy(), equal_nan=True)
    assert np.array_equal(ours.grad.array, theirs.grad.numpy(), equal_nan=True)


def test_clip_grad_norm_of_nothing(torch):
    norm, expected = nn.utils.clip_grad_norm_([], 1.0), torch.nn.utils.clip_grad_norm_([], 1.0)
    assert error(norm, expected) == 0


@DTYPES
def test_clip_grad_value(torch, dtype, tolerance):
    ours, theirs = random(torch, 4, 3, dtype=dtype)
    ours.grad, theirs.grad = 3 * ours.detach(), 3 * theirs.detach()
    ours.grad[0, 0] = theirs.grad[0, 0] = float("nan")
    nn.utils.clip_grad_value_([ours], 1.5)
    torch.nn.utils.clip_grad_value_([theirs], 1.5)
    assert np.array_equal(ours.grad.array, theirs.grad.numpy(), equal_nan=True)
    assert ours.grad.dtype == dtype


@pytest.mark.parametrize("fill", ["uniform_", "normal_", "zeros_", "ones_"])
@DTYPES
def test_init(torch, fill, dtype, tolerance):
    tinyrnn.manual_seed(1)
    torch.manual_seed(1)
    ours = getattr(nn.init, fill)(tinyrnn.empty(7, 5, dtype=dtype))
    theirs = getattr(torch.nn.init, fill)(torch.empty(7, 5, dtype=getattr(torch, dtype)))
    assert error(ours, theirs) < (tolerance if fill == "normal_" else 1e-30)
