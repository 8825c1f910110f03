"""The fused steps of the gated cells against the same steps written out on the tape."""

from __future__ import annotations

import numpy as np
import pytest

import tinyrnn
from textbook import error
from tinyrnn.autograd import backward
from tinyrnn.nn.functional import linear
from tinyrnn.nn.functional.cells import affine_of_both, gru_gates, lstm_gates

H = 3


def leaves(*sizes: int) -> list[tinyrnn.Tensor]:
    return [tinyrnn.randn(4, size, dtype=tinyrnn.float64, requires_grad=True) for size in sizes]


def gradients(outs: list[tinyrnn.Tensor], xs: list[tinyrnn.Tensor]) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    for x in xs:
        x.grad = None
    backward(outs, [tinyrnn.tensor(rng.standard_normal(o.shape)) for o in outs])
    return [o.array for o in outs] + [x.grad.array for x in xs]


@pytest.mark.parametrize("used", [[0], [1], [0, 1]])
def test_lstm_gates(used: list[int]) -> None:
    a, c = leaves(4 * H, H)
    i, f, g, o = a.split(H, -1)
    after = f.sigmoid() * c + i.sigmoid() * g.tanh()
    tape = (o.sigmoid() * after.tanh(), after)
    fused = lstm_gates(a, c)
    xs = [a, c]
    for found, expected in zip(
        gradients([fused[k] for k in used], xs), gradients([tape[k] for k in used], xs), strict=True
    ):
        assert error(found, expected) < 1e-14


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("batch", [(4,), ()], ids=["batch", "single"])
def test_affine_of_both(batch: tuple[int, ...], bias: bool) -> None:
    shapes = [(*batch, 2), (*batch, H), (5, 2), (5, H), *[(5,), (5,)][: 2 * bias]]
    xs = [tinyrnn.randn(*shape, dtype=tinyrnn.float64, requires_grad=True) for shape in shapes]
    x, h, W, U, b, c = [*xs, None, None][:6]
    tape = linear(x, W, b) + linear(h, U, c)
    for found, expected in zip(gradients([affine_of_both(x, h, W, U, b, c)], xs), gradients([tape], xs), strict=True):
        assert error(found, expected) < 1e-14
    fixed = [leaf.detach() for leaf in xs]
    for k, leaf in enumerate(xs):  # what is not asked for is not computed, and may change
        given = [*fixed[:k], leaf, *fixed[k + 1 :], None, None][:6]
        g = gradients([affine_of_both(*given)], [leaf])[1]
        assert error(g, gradients([affine_of_both(x, h, W, U, b, c)], xs)[1 + k]) < 1e-14


def test_gru_gates() -> None:
    a, u, h = xs = leaves(3 * H, 3 * H, H)
    (a_r, a_z, a_n), (u_r, u_z, u_n) = a.split(H, -1), u.split(H, -1)
    r, z = (a_r + u_r).sigmoid(), (a_z + u_z).sigmoid()
    tape = (1 - z) * (a_n + r * u_n).tanh() + z * h
    for found, expected in zip(gradients([gru_gates(a, u, h)], xs), gradients([tape], xs), strict=True):
        assert error(found, expected) < 1e-14


def test_large_numbers_do_not_overflow() -> None:
    a, c = (1e4 * x.detach() for x in leaves(4 * H, H))
    assert all(np.isfinite(x.array).all() for x in lstm_gates(a.requires_grad_(), c))
