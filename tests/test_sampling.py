"""Random tensors: torch's numbers after the same seed, and refusals that draw nothing."""

from __future__ import annotations

import copy
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import tinyrnn
from tinyrnn import tensor


@pytest.mark.parametrize(
    "draw",
    [
        "m.rand(2, 3)",
        "m.rand(2, dtype=m.float64)",
        "m.randn(2, 3)",
        "m.randn(20)",
        "m.randn((3,), dtype=m.float64)",
        "m.randint(10, (5,))",
        "m.randint(3, 10, (2, 3))",
        "m.randint(high=10, size=(4,))",
        "m.randint(7, size=(4,))",
        "m.randint(-5, 5, (4,), dtype=m.float32)",
        "m.randperm(9)",
        "m.randperm(5, dtype=m.int32)",
        "m.randperm(5, generator=None)",
        "m.randperm(m.tensor(4))",
        "m.rand(size=(2, 3))",
        "m.randn(size=[2])",
        "m.randn(m.tensor(2), 3)",
        "m.rand(2, requires_grad=True).detach()",
        "m.rand_like(m.ones(2, 3))",
        "m.randn_like(m.ones(2, 3, dtype=m.float64))",
        "m.randn_like(m.ones(2, dtype=m.int64), dtype=m.float32)",
        "m.randint_like(m.ones(2, 3), 5)",
        "m.randint_like(m.ones(4, dtype=m.int32), 3, 5)",
        "m.randint_like(m.ones(4), 3, 5, dtype=m.int64)",
        "m.randint(m.tensor(5), (2,))",
        "m.randint(1, m.tensor([3, 4]).max(), [2, 3])",
        "m.normal(0.0, 1.0, (20,))",
        "m.normal(1.5, 2, size=(3, 4))",
        "m.normal(mean=0.0, std=0.02, size=[2, 3])",
        "m.normal(0, 1, (2,), dtype=m.float64)",
        "m.normal(m.arange(1.0, 11.0), m.arange(1, 0, -0.1))",
        "m.normal(m.zeros(4, 1), m.ones(5))",
        "m.normal(m.ones(3), 0.5)",
        "m.normal(2.0, m.ones(3, dtype=m.float64))",
        "m.normal(m.ones(3))",
        "m.normal(std=m.ones(3), mean=1.0)",
    ],
)
def test_random_numbers_are_torchs_after_the_same_seed(torch: ModuleType, draw: str) -> None:
    drawn = []
    for m in (tinyrnn, torch):  # twice, so that each takes as many numbers from the stream as torch's
        m.manual_seed(7)
        drawn.append([eval(draw), eval(draw)])
    for ours, theirs in zip(*drawn, strict=True):
        assert f"torch.{ours.dtype}" == str(theirs.dtype)
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=0, atol=1e-6, strict=True)


def test_a_seed_repeats_the_numbers_and_another_does_not() -> None:
    def draw(seed: int) -> list[Any]:
        tinyrnn.manual_seed(seed)
        return [x.tolist() for x in (tinyrnn.rand(3), tinyrnn.randn(3), tinyrnn.randint(99, (3,)), tinyrnn.randperm(5))]

    assert draw(1) == draw(1) != draw(2)


def test_what_is_refused_draws_no_random_numbers() -> None:
    expected = tinyrnn.manual_seed(0) and tinyrnn.rand(1)
    tinyrnn.manual_seed(0)
    for draw in (tinyrnn.rand, tinyrnn.randn):
        with pytest.raises(ValueError, match="device"):
            draw(3, device="cuda")
    with pytest.raises(RuntimeError, match="carries no gradient"):
        tinyrnn.randint(3, (2,), requires_grad=True)
    with pytest.raises(ValueError, match="std is negative"):
        tinyrnn.normal(tinyrnn.zeros(2), -1.0)
    assert tinyrnn.rand(1).item() == expected.item()


def test_float16_can_be_drawn() -> None:
    assert {
        tinyrnn.rand(3, dtype=tinyrnn.float16).dtype,
        tinyrnn.nn.Linear(2, 2, dtype=tinyrnn.float16).weight.dtype,
    } == {tinyrnn.float16}


@pytest.mark.parametrize(
    ("draw", "error", "message"),
    [
        (lambda: tinyrnn.randint(3, 3, (2,)), ValueError, "^randint: numbers from 3 to below 3: there are none"),
        (lambda: tinyrnn.randint(0.0, 5.0, (2,)), TypeError, "^randint: got numbers from 0.0 to below 5.0, expected"),
        (lambda: tinyrnn.randint_like(tensor([1], dtype=tinyrnn.uint8), 300), ValueError, "^randint_like: not all"),
        (lambda: tinyrnn.randn(-2), ValueError, "^randn: the shape is"),
        (lambda: tinyrnn.rand(2.5), TypeError, "^rand: got"),
        (lambda: tinyrnn.rand(2, dtype=tinyrnn.int64), TypeError, "^rand: numbers of int64 are not drawn this way"),
        (lambda: tinyrnn.rand_like(tensor([1])), TypeError, "^rand_like: numbers of int64"),
        (lambda: tinyrnn.randn_like(3), TypeError, "^randn_like: expected a tensor, got int"),
        (lambda: tinyrnn.randn(2, generator=3), TypeError, "^randn: generator is int, expected a tinyrnn.Generator"),
        (lambda: tinyrnn.normal(0.0, 1.0), TypeError, "^normal: expected two numbers and a size, or a tensor"),
        (lambda: tinyrnn.normal(tensor([1.0]), 1.0, (2,)), TypeError, "^normal: expected two numbers and a size"),
        (lambda: tinyrnn.normal(tensor([1]), 1.0), TypeError, "^normal: numbers of int64"),
        (lambda: tinyrnn.normal(tensor([1.0, 2]), tensor([1.0, 2, 3])), ValueError, "^normal: shapes .* do not broad"),
        (lambda: tinyrnn.normal(0.0, "a", (2,)), TypeError, "^normal: std is str, expected a number"),
        (lambda: tinyrnn.Generator("cuda"), ValueError, "^Generator: device 'cuda' is not available"),
    ],
)
def test_what_cannot_be_drawn_is_refused(draw: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        draw()


DRAWS = [
    "m.rand(2, generator=g)",
    "m.randn(3, generator=g)",
    "m.randint(9, (3,), generator=g)",
    "m.randperm(5, generator=g)",
    "m.normal(0.0, 1.0, (2,), generator=g)",
    "m.normal(m.ones(2), m.ones(2), generator=g)",
    "m.bernoulli(m.full((4,), 0.5), generator=g)",
    "m.multinomial(m.ones(4), 2, generator=g)",
    "m.zeros(3).uniform_(generator=g)",
    "m.zeros(3).normal_(generator=g)",
    "m.zeros(3).random_(5, generator=g)",
]


@pytest.mark.parametrize("draw", DRAWS)
def test_a_generator_of_its_own_leaves_the_default_one_alone(torch: ModuleType, draw: str) -> None:
    found = []
    for m in (tinyrnn, torch):
        names = {"m": m, "g": m.Generator().manual_seed(3)}
        m.manual_seed(0)
        found.append([eval(draw, names).numpy(), eval(draw, names).numpy(), m.rand(1).numpy()])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6, strict=True)


def test_the_state_is_a_tensor_that_brings_the_numbers_back() -> None:
    state = tinyrnn.get_rng_state()
    assert isinstance(state, tinyrnn.Tensor)
    assert state.dtype == tinyrnn.uint8
    x = tinyrnn.rand(3)
    tinyrnn.set_rng_state(state.to("cpu"))
    assert tinyrnn.rand(3).tolist() == x.tolist()
    g = tinyrnn.Generator().manual_seed(1)
    state = g.get_state()
    twin, third = g.clone_state(), copy.deepcopy(g)
    assert isinstance(state, tinyrnn.Tensor)
    x = tinyrnn.rand(3, generator=g)
    for other in (g.set_state(state), twin, third):
        assert tinyrnn.rand(3, generator=other).tolist() == x.tolist()
    assert (g.device, g.initial_seed()) == (tinyrnn.device("cpu"), 1)
    with pytest.raises(TypeError, match=r"^set_state: got dtype float32, expected uint8"):
        tinyrnn.set_rng_state(tensor([1.0]))


def test_a_forked_stream_leaves_the_default_one_where_it_was() -> None:
    for enabled in (True, False):
        tinyrnn.manual_seed(0)
        expected = tinyrnn.rand(2).tolist()
        tinyrnn.manual_seed(0)
        with tinyrnn.random.fork_rng(enabled=enabled):
            tinyrnn.rand(5)
        assert (tinyrnn.rand(2).tolist() == expected) is enabled
