"""Drawn programs: every recurrent layer and operation over shapes, dtypes, memory layouts, lengths and cotangents.

Each example is a program of its own; the one that hypothesis prints for a failure, shrunk, shows it again when run.
`pytest --hypothesis-profile=deep` draws forty times as many.
"""

from __future__ import annotations

import textwrap
from typing import Any

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from gradient_cases import CASES

LAYER = """
    import numpy as np
    import tinyrnn
    from tinyrnn import autograd, nn
    from tinyrnn.testing.witnesses import unrolled

    tinyrnn.manual_seed({seed})
    T, N, I, H = {T}, {N}, {I}, {H}
    layer = nn.{kind}(I, H, dtype=tinyrnn.{dtype}, **{options})
    rows = layer.num_layers * (2 if layer.bidirectional else 1)
    x = tinyrnn.randn({shape}, dtype=tinyrnn.{dtype}){layout}
    states = [tinyrnn.randn(rows, N, H, dtype=tinyrnn.{dtype}) for _ in layer.state_names]
    leaves = [x.detach().requires_grad_(), *[h.requires_grad_() for h in states], *layer.parameters()]
    hx = None if not {given} else states[0] if len(states) == 1 else tuple(states)

    def results(module):
        y, last = module(leaves[0], hx, lengths={lengths})
        outputs = [y, *last] if isinstance(last, tuple) else [y, last]
        seen = [outputs[k] for k in {seen} if k < len(outputs)] or [y]
        tinyrnn.manual_seed(1)
        cotangents = [tinyrnn.randn(out.shape, dtype=out.dtype) for out in seen]
        found = autograd.grad(seen, leaves, cotangents, allow_unused=True)
        return [out.detach().numpy() for out in outputs] + [None if g is None else g.numpy() for g in found]

    for name, fused, tape in zip(range(99), results(layer), results(unrolled(layer)), strict=False):
        if fused is None or tape is None:
            assert fused is None or not fused.any(), name
            assert tape is None or not tape.any(), name
            continue
        assert fused.shape == tape.shape and fused.dtype == tape.dtype == np.{dtype}, name
        largest = np.abs(tape).max(initial=0)
        assert np.abs(fused - tape).max(initial=0) <= {bound} * (largest or 1), name
"""

OPERATION = """
    import sys
    sys.path.insert(0, "tests")
    import numpy as np
    import tinyrnn
    from gradient_cases import CASES
    from tinyrnn.autograd import gradcheck

    op, cases = CASES["{name}"][{case}]
    shapes = cases[{k}]
    rng = np.random.default_rng({seed})
    xs = []
    for shape in shapes if shapes and isinstance(shapes[0], tuple) else (shapes,):
        x = np.asarray(rng.uniform(0.1, 1.5, shape) * rng.choice([-1, 1], shape))
        x = {layout}
        xs.append(tinyrnn.from_numpy(x).requires_grad_())
    assert gradcheck(op, xs, seed={seed}, rtol=1e-6)
"""


def run(template: str, **values: Any) -> None:
    program = textwrap.dedent(template.format(**values))
    note(program)
    exec(compile(program, "the drawn program", "exec"), {"__name__": "drawn"})


@st.composite
def layers(draw: Any) -> dict[str, Any]:
    T, N, I, H = draw(st.integers(1, 6)), draw(st.integers(1, 4)), draw(st.integers(1, 3)), draw(st.integers(1, 4))
    kind = draw(st.sampled_from(["RNN", "LSTM", "GRU"]))
    options: dict[str, Any] = {
        "num_layers": draw(st.integers(1, 3)),
        "bidirectional": draw(st.booleans()),
        "bias": draw(st.booleans()),
        "batch_first": draw(st.booleans()),
    }
    if kind == "RNN":
        options["nonlinearity"] = draw(st.sampled_from(["tanh", "relu", "sigmoid", "identity"]))
    lengths = draw(st.none() | st.lists(st.integers(1, T), min_size=N, max_size=N))
    first, second = (N, T) if options["batch_first"] else (T, N)
    shape, layout = draw(
        st.sampled_from(
            [
                (f"{first}, {second}, {I}", ""),
                (f"{second}, {first}, {I}", ".transpose(0, 1)"),
                (f"{first}, {second}, {2 * I}", "[..., ::2]"),
                (f"{I}, {second}, {first}", ".permute(2, 1, 0)"),
                (f"1, {second}, {I}", f".expand({first}, {second}, {I})"),
            ]
        )
    )
    dtype = draw(st.sampled_from(["float64", "float32"]))
    return {
        **{"T": T, "N": N, "I": I, "H": H, "kind": kind, "options": options, "lengths": lengths},
        **{"shape": shape, "layout": layout, "dtype": dtype, "bound": 1e-11 if dtype == "float64" else 1e-4},
        "given": draw(st.booleans()),
        "seen": draw(st.sets(st.integers(0, 2), min_size=1)),  # of y, h_n and c_n
        "seed": draw(st.integers(0, 99)),
    }


@given(layers())
def test_a_drawn_layer_is_its_cells_unrolled(values: dict[str, Any]) -> None:
    run(LAYER, **values)


@st.composite
def operations(draw: Any) -> dict[str, Any]:
    name = draw(st.sampled_from(sorted(CASES)))
    case = draw(st.integers(0, len(CASES[name]) - 1))
    return {
        "name": name,
        "case": case,
        "k": draw(st.integers(0, len(CASES[name][case][1]) - 1)),
        "layout": draw(
            st.sampled_from(
                [
                    "x",
                    "x.T.copy().T",
                    "np.repeat(x, 2, -1)[..., ::-2] if x.ndim else x",
                    "np.stack([x, x], x.ndim)[..., 1]",
                    "x[::-1].copy()[::-1] if x.ndim else x",
                ]
            )
        ),
        "seed": draw(st.integers(0, 10**6)),
    }


@given(operations())
def test_a_drawn_operation_has_the_gradient_of_its_differences(values: dict[str, Any]) -> None:
    run(OPERATION, **values)


def test_the_program_of_a_failure_fails_again() -> None:
    """The program of a failing example is a whole one: it fails by itself, and only by what it asserts."""
    program = textwrap.dedent(LAYER).format(
        **{"T": 2, "N": 1, "I": 1, "H": 2, "kind": "GRU", "options": {}, "lengths": None, "shape": "2, 1, 1"},
        **{"layout": "", "dtype": "float64", "given": True, "seen": {0}, "seed": 0, "bound": -1},
    )
    with pytest.raises(AssertionError, match=r"^0$"):
        exec(compile(program, "program", "exec"), {})
