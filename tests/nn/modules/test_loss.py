"""MSELoss: its three reductions, its gradient, its warning, and what bad input gets."""

import numpy as np
import pytest

import tinyrnn
from tinyrnn import nn
from tinyrnn.autograd import gradcheck


@pytest.mark.parametrize(
    ("reduction", "expected"),
    [("mean", lambda d: (d * d).mean()), ("sum", lambda d: (d * d).sum()), ("none", lambda d: d * d)],
)
def test_mse_loss_is_its_formula_and_passes_gradcheck(reduction, expected):
    x, y = (tinyrnn.randn(4, 3, dtype=tinyrnn.float64, requires_grad=True) for _ in range(2))
    loss = nn.MSELoss(reduction=reduction)
    np.testing.assert_allclose(loss(x, y).array, expected(x.array - y.array), rtol=1e-14)
    assert gradcheck(loss, [x, y])


def test_shapes_that_differ_warn():
    with pytest.warns(UserWarning, match=r"mse_loss: the input is \(4, 1\), the target \(4,\): they are broadcast"):
        assert nn.MSELoss()(tinyrnn.zeros(4, 1), tinyrnn.ones(4)).item() == 1


def test_another_reduction_is_refused_when_the_loss_is_made():
    with pytest.raises(ValueError, match="MSELoss: the reduction is 'max', expected 'mean', 'sum' or 'none'"):
        nn.MSELoss("max")


def test_repr():
    assert repr(nn.MSELoss()) == "MSELoss()"
    assert list(nn.MSELoss().parameters()) == []
