"""What the tests of nn.functional share: one check of a function's gradients, without torch."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import tinyrnn
from tinyrnn import Tensor
from tinyrnn.autograd import gradcheck


def leaves(*shapes: tuple[int, ...], layout: int = 0) -> list[Tensor]:
    """float64 leaves, away from the kinks at 0, in rows, in columns, or every second element from the end."""
    rng = np.random.default_rng(len(str(shapes)))
    found = []
    for shape in shapes:
        x = np.asarray(rng.uniform(0.1, 1.5, shape) * rng.choice([-1, 1], shape))
        if layout == 1:
            x = x.T.copy().T
        elif layout == 2 and x.ndim:
            x = np.repeat(x, 2, -1)[..., ::-2]
        found.append(tinyrnn.from_numpy(x).requires_grad_())
    return found


def check_gradients(op: Callable[..., Tensor], *shapes: tuple[int, ...]) -> None:
    """Difference quotients in three layouts; float32 stays."""
    for layout in range(3):
        assert gradcheck(op, leaves(*shapes, layout=layout), rtol=1e-7)
    for k in range(len(shapes)):  # with one input alone
        xs = [x if k == n else x.detach() for n, x in enumerate(leaves(*shapes))]
        assert gradcheck(op, xs, rtol=1e-7)

    xs = [x.detach().float().requires_grad_() for x in leaves(*shapes)]
    y = op(*xs)
    y.backward(tinyrnn.ones_like(y))
    assert {y.dtype, *[x.grad.dtype for x in xs]} == {np.dtype("float32")}
