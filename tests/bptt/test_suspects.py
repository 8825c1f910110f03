"""The suspects: without a fault they are the reference and its complex steps; and each fault changes something."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from textbook import complex_step, error, outputs
from tinyrnn.bptt.suspects import MODELS

T, N, I, H = 4, 3, 2, 3


def arrays(kind: str) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    rows = H * {"rnn": 1, "lstm": 4, "gru": 3}[kind]
    shapes = {"x": (T, N, I), "h0": (N, H), "c0": (N, H), "w_ih": (rows, I), "w_hh": (rows, H)}
    shapes |= {"b_ih": (rows,), "b_hh": (rows,)} if kind == "gru" else {"b": (rows,)}
    if kind != "lstm":
        del shapes["c0"]
    return {name: rng.standard_normal(shape) for name, shape in shapes.items()}


@pytest.mark.parametrize("kind", MODELS)
def test_without_a_fault_it_is_the_reference_and_its_complex_step(kind: str) -> None:
    p, dy = arrays(kind), np.random.default_rng(1).standard_normal((T, N, H))
    y, gradients = MODELS[kind][0](p, dy, "")
    assert [*gradients] == [*p]

    def run(*values: Any) -> list[Any]:
        *others, b = values
        return outputs(kind, *others, b, *([] if kind == "gru" else [np.zeros_like(b)]))[:1]

    np.testing.assert_array_equal(y, run(*p.values())[0])
    for found, expected in zip(gradients.values(), complex_step(run, list(p.values()), [dy]), strict=True):
        assert error(found, expected) < 1e-13


@pytest.mark.parametrize(("kind", "fault"), [(kind, fault) for kind, (_, faults) in MODELS.items() for fault in faults])
def test_every_fault_changes_the_gradients_and_differs_from_the_others(kind: str, fault: str) -> None:
    model, faults = MODELS[kind]
    p, dy = arrays(kind), np.random.default_rng(1).standard_normal((T, N, H))

    def off(a: str, b: str) -> float:
        first, second = model(p, dy, a)[1], model(p, dy, b)[1]
        return max(error(first[name], second[name]) for name in first)

    others = [other for other in ("", *faults) if other != fault]
    assert all(off(fault, other) > 1e-3 for other in others)
