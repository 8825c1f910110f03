"""compare and compare_training: every recurrent layer against torch on the CPU and, where there is one, a GPU."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

import tinyrnn
from tinyrnn import nn
from tinyrnn.nn.utils.rnn import pack_sequence
from tinyrnn.testing import Differences, compare, compare_training

T, N, I, H = 5, 3, 2, 4
BOUND = {"float64": 1e-10, "float32": 1e-5}


@pytest.fixture(params=["cpu", "cuda"])
def device(request: pytest.FixtureRequest, torch: ModuleType) -> str:
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("torch sees no CUDA device here")
    return str(request.param)


def states(kind: str, options: dict[str, Any], batch: tuple[int, ...]) -> Any:
    rows = options.get("num_layers", 1) * (2 if options.get("bidirectional") else 1)
    h = tinyrnn.randn(rows, *batch, options.get("proj_size", H))
    return (h, tinyrnn.randn(rows, *batch, H)) if kind == "LSTM" else h


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")  # torch's own
@pytest.mark.parametrize("dtype", BOUND)
@pytest.mark.parametrize("form", ["batch", "single", "packed"])
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("RNN", {}),
        ("RNN", {"nonlinearity": "relu", "num_layers": 2, "bidirectional": True}),
        ("LSTM", {}),
        ("LSTM", {"num_layers": 2, "bidirectional": True, "batch_first": True}),
        ("LSTM", {"proj_size": 3, "bias": False}),
        ("GRU", {}),
        ("GRU", {"num_layers": 2, "bidirectional": True, "batch_first": True}),
    ],
    ids=str,
)
def test_layers(kind: str, options: dict[str, Any], form: str, dtype: str, device: str) -> None:
    layer = getattr(nn, kind)(I, H, **options)
    if form == "packed":
        x: Any = pack_sequence([tinyrnn.randn(n, I) for n in (2, 5, 1)], enforce_sorted=False)
    else:
        x = tinyrnn.randn(T, I) if form == "single" else tinyrnn.randn(N, T, I)
    n = () if form == "single" else (N if form == "packed" or options.get("batch_first") else T,)
    found = compare(layer, x, states(kind, options, n), dtype=dtype, device=device)
    print(f"{device} {dtype} {layer} {form}: {found.worst:.1e}", file=sys.stderr)
    assert len(found) > len(list(layer.parameters())) + 3
    assert found.worst < BOUND[dtype]


@pytest.mark.parametrize("dtype", BOUND)
@pytest.mark.parametrize("kind", ["RNNCell", "LSTMCell", "GRUCell"])
def test_cells(kind: str, dtype: str, device: str) -> None:
    hx = states(kind.removesuffix("Cell"), {}, (N,))
    hx = tuple(h[0] for h in hx) if isinstance(hx, tuple) else hx[0]
    assert compare(getattr(nn, kind)(I, H), tinyrnn.randn(N, I), hx, dtype=dtype, device=device).worst < BOUND[dtype]


@pytest.mark.parametrize("seen", [{0}, {1}, {2}, {0, 2}])
def test_a_loss_that_sees_only_some_outputs(torch: ModuleType, seen: set[int]) -> None:
    found = compare(nn.LSTM(I, H), tinyrnn.randn(T, N, I), dtype="float64", cotangents=seen.__contains__)
    assert found.worst < 1e-12


OPTIMIZERS: dict[str, dict[str, Any]] = {
    "SGD": {"lr": 0.1, "momentum": 0.9},
    "Adam": {"lr": 0.01},
    "AdamW": {"lr": 0.01},
    "RMSprop": {"lr": 0.01},
    "Adagrad": {"lr": 0.1},
    "Adadelta": {},
    "Adamax": {"lr": 0.01},
    "NAdam": {"lr": 0.01},
    "RAdam": {"lr": 0.01},
    "Rprop": {"lr": 0.001},
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_fifty_steps_of_training(name: str, device: str) -> None:
    found = compare_training(
        nn.GRU(I, H),
        lambda optim, p: getattr(optim, name)(p, **OPTIMIZERS[name]),
        tinyrnn.randn(T, N, I),
        dtype="float64",
        device=device,
    )
    assert found.worst < 1e-10


def test_lbfgs(device: str) -> None:
    def optimizer(optim: Any, p: Any) -> Any:
        return optim.LBFGS(p, max_iter=4, line_search_fn="strong_wolfe")

    x = tinyrnn.randn(T, N, I)
    assert compare_training(nn.RNN(I, H), optimizer, x, steps=5, dtype="float64", device=device).worst < 1e-10


class Wrong(nn.Module):
    """Looks alike and is not: under torch `extra` is added."""

    extra = 0.0

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(tinyrnn.ones(3))

    def forward(self, x: Any) -> Any:
        return x * self.w if x.device.type == "cpu" and hasattr(x, "array") else x * self.w.detach() * 2


def test_what_differs_is_found(torch: ModuleType) -> None:
    with pytest.raises(ValueError, match="w has a gradient in tinyrnn and none in torch"):
        compare(Wrong(), tinyrnn.randn(2, 3))


class Scaled(nn.Linear):
    """Forward or backward by a factor larger than under torch."""

    forward_by, backward_by = 1.0, 1.0

    def forward(self, x: Any) -> Any:
        y = super().forward(x)
        if hasattr(x, "array"):
            y.register_hook(lambda g: g * self.backward_by)
            return y * self.forward_by
        return y


def test_a_factor_is_found_and_no_more_than_that(torch: ModuleType) -> None:
    x = tinyrnn.randn(4, 3)
    module = Scaled(3, 2)
    assert compare(module, x, dtype="float64").worst < 1e-12
    module.backward_by = 1.001
    found = compare(module, x, dtype="float64")
    assert found["output 0"] < 1e-12
    assert all(error == pytest.approx(1e-3, rel=1e-6) for name, error in found.items() if name.startswith("d "))
    module.backward_by, module.forward_by = 1.0, 1.001
    assert compare(module, x, dtype="float64")["output 0"] == pytest.approx(1e-3, rel=1e-6)


def test_nothing_of_the_users_is_changed(torch: ModuleType) -> None:
    layer, x = nn.RNN(I, H), tinyrnn.randn(T, N, I)
    compare(layer, x, dtype="float64")
    compare_training(layer, lambda optim, p: optim.SGD(p, lr=0.1), x, steps=2, dtype="float64")
    assert layer.weight_ih_l0.dtype == tinyrnn.float32
    assert all(p.grad is None for p in layer.parameters())
    assert not x.requires_grad


def test_differences_are_relative_and_print_as_a_table() -> None:
    table = Differences({"output 0": 1e-7, "d weight": float("nan"), "d x": 2e-3})
    assert str(table).splitlines() == ["d weight  nan", "d x       2.0e-03", "output 0  1.0e-07"]
    assert Differences({"a": 0.5, "b": 2.0}).worst == 2.0
    assert str(table.worst) == "nan"
    assert Differences().worst == 0
