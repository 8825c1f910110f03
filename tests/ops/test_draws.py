"""Draws: torch's numbers after the same seed, right frequencies, and no gradient for what was there before."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

import tinyrnn
from tinyrnn import tensor

NUMBERS = "m.linspace(0.05, 0.95, 12, dtype=d)"
DRAWS = [
    f"m.bernoulli({NUMBERS})", f"({NUMBERS}).reshape(3, 4).bernoulli()", f"m.bernoulli({NUMBERS}, 0.3)",
    f"({NUMBERS}).bernoulli(p=0.6)", f"m.multinomial({NUMBERS}, 1)", f"m.multinomial({NUMBERS}, 5)",
    f"m.multinomial({NUMBERS}, 12)", f"m.multinomial({NUMBERS}, 40, replacement=True)",
    f"m.multinomial({NUMBERS}, 40, True)", f"({NUMBERS}).reshape(3, 4).multinomial(1)",
    f"m.multinomial(({NUMBERS}).reshape(3, 4), 2)", f"m.multinomial(({NUMBERS}).reshape(3, 4), 9, True)",
    f"m.multinomial(({NUMBERS}).reshape(3, 4), num_samples=1, replacement=True)",
    f"m.multinomial(m.softmax({NUMBERS}, 0), 1)[0]", "m.multinomial(m.tensor([0, 1, 0, 3.0], dtype=d), 2)",
    "m.zeros(0, 3, dtype=d).multinomial(2)",
    "m.zeros(3, 7, dtype=d).uniform_()", "m.zeros(3, 7, dtype=d).uniform_(-0.1, 0.1)",
    "m.zeros(7, dtype=d).uniform_(to=3.0)",
    "m.zeros(3, 7, dtype=d).t().uniform_()", "m.zeros(2, 3, 4, dtype=d).permute(1, 2, 0).random_(9)",
    "m.zeros(3, 7, dtype=d)[:, ::2].exponential_()", "m.zeros(2, 3, dtype=d).t().normal_()",
    "m.zeros(5, dtype=d).normal_()", "m.zeros(40, dtype=d).normal_(1, 0.02)",
    "m.zeros(4, dtype=d).normal_(std=2)", "m.zeros(3, 7, dtype=d).exponential_()",
    "m.zeros(7, dtype=d).exponential_(2.5)",
    "m.zeros(3, 7, dtype=d).bernoulli_()", "m.zeros(9, dtype=d).bernoulli_(0.3)",
    "m.zeros((), dtype=d).bernoulli_(0.5)",
    f"m.zeros(12, dtype=d).bernoulli_({NUMBERS})", "m.zeros(9, dtype=d).random_()", "m.zeros(9, dtype=d).random_(10)",
    "m.zeros(9, dtype=d).random_(-3, 10)", "m.zeros(0, dtype=d).random_(10)",
]  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("draw", DRAWS)
def test_the_numbers_are_torchs_after_the_same_seed(torch: ModuleType, draw: str, dtype: str) -> None:
    drawn = []
    for m in (tinyrnn, torch):  # twice, so that each takes as many numbers from the stream as torch's
        m.manual_seed(7)
        names = {"m": m, "d": getattr(m, dtype)}
        drawn.append([eval(draw, names), eval(draw, names)])
    for ours, theirs in zip(*drawn, strict=True):
        assert f"torch.{ours.dtype}" == str(theirs.dtype)
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=2e-6, atol=1e-7, strict=True)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", "int16", "int32", "int64", "float16"])
def test_whole_numbers_are_torchs(torch: ModuleType, dtype: str) -> None:
    drawn = []
    for m in (tinyrnn, torch):
        m.manual_seed(5)
        x = m.zeros(20, dtype=getattr(m, dtype))
        several = [x.clone().random_(), x.clone().random_(2), x.clone().bernoulli_(0.4), x.clone().random_()]
        drawn.append([*several, *([x.clone().random_(-4, 9)] if dtype in ("int8", "int64") else [])])
    for ours, theirs in zip(*drawn, strict=True):
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy(), strict=True)


def test_the_frequencies_are_the_chances() -> None:
    """The witness where torch is not at hand: each within five standard deviations."""
    n = 20000
    p = np.array([0.1, 0.2, 0.3, 0.4])
    ones = tinyrnn.bernoulli(tensor(np.tile(p, (n, 1)))).numpy().mean(0)
    assert np.all(np.abs(ones - p) < 5 * np.sqrt(p * (1 - p) / n))
    weights = tensor(np.tile(3 * p, (n, 1)))
    several = [tinyrnn.multinomial(weights, 1), tinyrnn.multinomial(weights[0], n, replacement=True)]
    for drawn in several:
        counts = np.bincount(drawn.numpy().ravel(), minlength=4) / n
        assert np.all(np.abs(counts - p) < 5 * np.sqrt(p * (1 - p) / n))
    second = np.bincount(tinyrnn.multinomial(weights, 2).numpy()[:, 1], minlength=4) / n
    expected = np.array([sum(p[i] * p[j] / (1 - p[i]) for i in range(4) if i != j) for j in range(4)])
    assert np.all(np.abs(second - expected) < 5 * np.sqrt(expected * (1 - expected) / n))
    exponential = tinyrnn.zeros(n).exponential_(2.0).numpy()
    assert abs(exponential.mean() - 0.5) < 5 * 0.5 / np.sqrt(n)
    assert abs((exponential > 1).mean() - np.exp(-2)) < 0.02


def test_without_replacement_no_index_comes_twice() -> None:
    drawn = tinyrnn.multinomial(tinyrnn.rand(50, 6), 6).numpy()
    assert np.all(np.sort(drawn, -1) == np.arange(6))
    assert set(tinyrnn.multinomial(tensor([0.0, 1.0, 0.0]), 30, replacement=True).tolist()) == {1}


def test_what_is_drawn_carries_no_gradient_and_counts_as_a_change() -> None:
    x = tinyrnn.full((3,), 0.5, requires_grad=True)
    assert not tinyrnn.bernoulli(x).requires_grad
    y = x * 2
    z = y * y
    y.uniform_()
    with pytest.raises(RuntimeError, match=r"'mul'.*changed in place"):
        z.sum().backward()
    y = x * 2
    (y[:1] + 0).sum().backward(retain_graph=True)
    y[1:].normal_()
    y.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [4, 0, 0]


@pytest.mark.parametrize("name", ["uniform_", "normal_", "exponential_", "bernoulli_", "random_"])
def test_a_leaf_that_learns_is_changed_without_recording_only(name: str) -> None:
    x = tinyrnn.ones(2, requires_grad=True)
    state = tinyrnn.get_rng_state().tolist()
    with pytest.raises(RuntimeError, match=f"^{name}: a leaf that requires a gradient cannot be changed in place"):
        getattr(x, name)()
    assert tinyrnn.get_rng_state().tolist() == state
    with tinyrnn.no_grad():
        assert getattr(x, name)() is x
    assert getattr(x.data, name)().tolist() == x.tolist()


@pytest.mark.parametrize(
    ("draw", "error", "message"),
    [
        (lambda: tinyrnn.bernoulli(tensor([1])), TypeError, "^bernoulli: the probabilities are int64"),
        (lambda: tinyrnn.bernoulli(tensor([1.5])), ValueError, "^bernoulli: not all probabilities are between 0 and 1"),
        (lambda: tinyrnn.bernoulli(tensor([float("nan")])), ValueError, "^bernoulli: not all probabilities"),
        (lambda: tinyrnn.bernoulli(tensor([1.0]), -0.1), ValueError, "^bernoulli: not all probabilities"),
        (lambda: tinyrnn.bernoulli(0.5), TypeError, "^bernoulli: expected a tensor, got float"),
        (lambda: tinyrnn.bernoulli(tensor([0.5]), generator=1), TypeError, "^bernoulli: generator is int"),
        (lambda: tinyrnn.multinomial(tensor([1, 2]), 1), TypeError, "^multinomial: the weights are int64"),
        (lambda: tinyrnn.multinomial(tensor(1.0), 1), ValueError, r"^multinomial: the weights have shape \(\)"),
        (lambda: tinyrnn.multinomial(tinyrnn.ones(2, 2, 2), 1), ValueError, r"^multinomial: .*expected \(N,\)"),
        (lambda: tinyrnn.multinomial(tinyrnn.ones(3), 4), ValueError, "^multinomial: 4 samples from 3 weights"),
        (lambda: tinyrnn.multinomial(tinyrnn.ones(3), 0), ValueError, "^multinomial: 0 samples"),
        (lambda: tinyrnn.multinomial(tinyrnn.zeros(3), 1), ValueError, "^multinomial: a weight is negative.*or all of"),
        (lambda: tinyrnn.multinomial(tensor([1.0, -1]), 1), ValueError, "^multinomial: a weight is negative"),
        (lambda: tinyrnn.multinomial(tensor([1.0, np.inf]), 1), ValueError, "^multinomial: a weight is negative"),
        (lambda: tinyrnn.ones(2).uniform_(1, 0), ValueError, "^uniform: got"),
        (lambda: tinyrnn.ones(2).normal_(0, -1), ValueError, "^normal: got"),
        (lambda: tinyrnn.ones(2).exponential_(0), ValueError, "^exponential: got rate=0"),
        (lambda: tinyrnn.ones(2).bernoulli_(2), ValueError, "^bernoulli_: not all probabilities"),
        (lambda: tinyrnn.ones(2).bernoulli_(tinyrnn.ones(3)), ValueError, "^bernoulli_: shapes"),
        (lambda: tinyrnn.ones(2).random_(0), ValueError, "^random_: numbers from 0 to below 0"),
        (lambda: tinyrnn.ones(2).byte().random_(300), ValueError, "^random_: not all numbers fit uint8"),
        (lambda: tinyrnn.ones(2).long().uniform_(), TypeError, "^uniform_: a tensor of int64 cannot hold"),
        (lambda: tinyrnn.ones(2).long().normal_(), TypeError, "^normal_: a tensor of int64"),
        (lambda: tinyrnn.ones(2).uniform_("a"), TypeError, "^uniform_: from is str, expected a number"),
        (lambda: tinyrnn.ones(2).expand(3, 2).uniform_(), RuntimeError, "^uniform_: this tensor's memory is read-only"),
    ],
)
def test_what_cannot_be_drawn_is_refused_and_draws_nothing(draw: Any, error: type[Exception], message: str) -> None:
    state = tinyrnn.get_rng_state().tolist()
    with pytest.raises(error, match=message):
        draw()
    assert tinyrnn.get_rng_state().tolist() == state
