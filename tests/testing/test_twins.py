"""twin: torch's classes, options, weights, dtypes and modes; modules of one's own; and what has no twin."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import tinyrnn
import tinyrnn.nn.functional as F  # noqa: N812 (as users write it)
from tinyrnn import nn, tanh
from tinyrnn.nn import functional
from tinyrnn.nn.functional import dropout
from tinyrnn.nn.utils.rnn import pack_sequence
from tinyrnn.testing.twins import as_torch, import_torch, twin

MODULES = [
    lambda: nn.Linear(3, 2, bias=False),
    lambda: nn.RNN(3, 4, 2, "relu", bidirectional=True, batch_first=True),
    lambda: nn.LSTM(3, 4, 2, proj_size=2, dropout=0.5),
    lambda: nn.GRU(3, 4, bias=False),
    lambda: nn.RNNCell(3, 4, nonlinearity="relu"),
    lambda: nn.LSTMCell(3, 4, bias=False),
    lambda: nn.GRUCell(3, 4),
    lambda: nn.Embedding(5, 3, padding_idx=1),
    lambda: nn.LayerNorm((4, 3), eps=1e-3),
    lambda: nn.BatchNorm1d(3, momentum=None),
    lambda: nn.Bilinear(2, 3, 4),
    lambda: nn.Dropout(0.3),
    lambda: nn.LeakyReLU(0.2),
    lambda: nn.CrossEntropyLoss(weight=tinyrnn.tensor([1.0, 2.0]), label_smoothing=0.1),
    lambda: nn.Sequential(nn.Linear(3, 2), nn.Tanh(), nn.ModuleList([nn.Linear(2, 2), nn.Softmax(-1)])),
    lambda: nn.ModuleDict({"a": nn.Linear(3, 2), "b": nn.Identity()}),
]


@pytest.mark.parametrize("make", MODULES, ids=lambda make: repr(make()).partition("(")[0])
def test_a_twin_has_the_options_the_weights_and_the_mode(torch: ModuleType, make: Any) -> None:
    ours = make().double().eval()
    theirs = twin(ours)
    assert repr(theirs) == repr(ours)
    assert isinstance(theirs, getattr(torch.nn, type(ours).__name__))
    assert not theirs.training
    state, expected = theirs.state_dict(), ours.state_dict()
    assert list(state) == list(expected)
    for name, x in expected.items():
        np.testing.assert_array_equal(state[name].numpy(), x.numpy())
        assert str(state[name].dtype) == f"torch.{x.dtype}"
        assert not np.shares_memory(state[name].numpy(), x.numpy())


class Own(nn.Module):
    """A model as users write it: parts, parameters, buffers, constants, a method beside forward, a shared part."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(5, 4)
        self.rnn = nn.GRU(4, 4)
        self.out = nn.Linear(4, 5)
        self.out.weight = self.embedding.weight
        self.again = self.out
        self.gain = nn.Parameter(tinyrnn.ones(4))
        self.register_buffer("shift", tinyrnn.zeros(5))
        self.scale = 0.5

    def normal(self, x: Any) -> Any:
        return functional.normalize(x, dim=-1) * self.gain

    def forward(self, x: Any, *, twice: bool = False) -> Any:
        y, h = self.rnn(self.embedding(x))
        y = self.again(self.normal(tinyrnn.tanh(y))) * self.scale + self.shift
        return (nn.functional.log_softmax(y, -1), h) if twice else y


def test_a_module_of_ones_own_runs_under_torch(torch: ModuleType) -> None:
    ours = Own()
    theirs = twin(ours)
    assert isinstance(theirs, torch.nn.Module)
    assert not isinstance(theirs, nn.Module)
    assert theirs.again is theirs.out
    assert [name for name, _ in theirs.named_buffers()] == ["shift"]
    x = np.array([[1, 2], [3, 4], [0, 0]])
    for found, expected in zip(ours(tinyrnn.tensor(x), twice=True), theirs(torch.tensor(x), twice=True), strict=True):
        np.testing.assert_allclose(found.detach().numpy(), expected.detach().numpy(), rtol=1e-5, atol=1e-6)


def halved(x: Any, depth: int = 2) -> Any:
    """A function of one's own, which calls itself."""
    return halved(tanh(x), depth - 1) if depth else dropout(x, 0.0, training=False) / 2


class Base(nn.Module):
    """What the modules below inherit from."""

    factor = 3.0

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 3)
        self._hidden = 0.5

    def forward(self, x: Any) -> Any:
        return F.relu(self.linear(x)) * self._hidden


class Inheriting(Base):
    def forward(self, x: Any) -> Any:
        return super().forward(x) + Base.forward(self, x)


class WithEveryKindOfMethod(Base):
    @staticmethod
    def square(x: Any) -> Any:
        return tinyrnn.square(x)

    @classmethod
    def scaled(cls, x: Any) -> Any:
        return cls.square(x) * cls.factor

    @property
    def twice(self) -> float:
        return self._hidden * 2

    def forward(self, x: Any) -> Any:
        return self.scaled(halved(self.linear(x))) * self.twice


class WithFunctions(Base):
    def __init__(self) -> None:
        super().__init__()
        self.f, self.g = F.softplus, lambda x: F.gelu(x)

    def forward(self, x: Any) -> Any:
        return self.f(self.g(self.linear(x)))


def closing_over() -> nn.Module:
    scale, f, F_ = tinyrnn.tensor([1.0, 2.0, 3.0]), tanh, F

    class Closing(Base):
        def forward(self, x: Any) -> Any:
            return next(F_.relu(f(x * scale)) for x in (self.linear(x),))

    return Closing()


class WithLists(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weights = nn.ParameterList([tinyrnn.randn(3), tinyrnn.randn(3)])
        self.named = nn.ParameterDict({"a": tinyrnn.randn(3)})
        self.plain = [nn.Parameter(tinyrnn.randn(3)), nn.Linear(3, 3)]

    def forward(self, x: Any) -> Any:
        for w in self.weights:
            x = x * w
        return self.plain[1](x * self.named["a"] + self.plain[0])


class Doubled(nn.Linear):
    def forward(self, x: Any) -> Any:
        return super().forward(x) * 2


class OutputOnly(nn.GRU):
    def __init__(self) -> None:
        super().__init__(3, 3)
        self.out = nn.Linear(3, 2)

    def forward(self, x: Any, hx: Any = None) -> Any:
        return self.out(super().forward(x, hx)[0])


OWN = [Inheriting, WithEveryKindOfMethod, WithFunctions, closing_over, WithLists, lambda: Doubled(3, 2), OutputOnly]


@pytest.mark.parametrize("make", OWN, ids=["super", "methods", "functions", "closure", "lists", "Linear", "GRU"])
def test_modules_of_all_shapes(torch: ModuleType, make: Any) -> None:
    ours = nn.Sequential(make()) if make is Inheriting else make()
    theirs, x = twin(ours), tinyrnn.randn(4, 3)
    np.testing.assert_allclose(theirs(as_torch(x)).detach().numpy(), ours(x).detach().numpy(), rtol=1e-5, atol=1e-6)
    assert list(theirs.state_dict()) == list(ours.state_dict())


def test_what_is_frozen_stays_frozen(torch: ModuleType) -> None:
    ours = nn.Linear(3, 2)
    ours.weight.requires_grad_(False)
    assert [p.requires_grad for p in twin(ours).parameters()] == [False, True]


def test_without_torch_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    for call in (lambda: twin(nn.Linear(3, 2)), lambda: as_torch(tinyrnn.ones(2)), import_torch):
        with pytest.raises(ImportError, match="needs torch: pip install torch"):
            call()


def with_a_hook() -> nn.Module:
    layer = nn.Linear(3, 2)
    layer.register_forward_hook(lambda module, args, output: output * 2)
    return nn.Sequential(layer)


class OfRecurrent(nn.Recurrent):
    """A module of one's own below a class that torch has not."""


def test_values_become_torchs_at_any_depth(torch: ModuleType) -> None:
    leaf = tinyrnn.ones(2, requires_grad=True)
    packed = pack_sequence([tinyrnn.ones(3, 2), tinyrnn.ones(1, 2)])
    tree = as_torch({"a": [leaf, (1, None)], "b": packed})
    assert tree["a"][0].requires_grad
    assert tree["a"][1] == (1, None)
    assert isinstance(tree["b"], torch.nn.utils.rnn.PackedSequence)
    tree["a"][0].data.fill_(7)
    assert leaf.tolist() == [1, 1]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.RNN(3, 4, nonlinearity="sigmoid"), "has what torch's RNN has not"),
        (lambda: nn.GRU(3, 4, learn_initial_state=True), "has what torch's GRU has not"),
        (lambda: nn.Recurrent(nn.GRUCell(3, 4)), "torch.nn has no Recurrent"),
        (lambda: OfRecurrent(nn.GRUCell(3, 4)), "torch.nn has no Recurrent"),
        (with_a_hook, "a Linear has hooks"),
    ],
)
def test_what_torch_has_not_is_said(torch: ModuleType, make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        twin(make())
