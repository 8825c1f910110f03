"""Flatten and Unflatten: shapes, gradients and how they print."""

import re

import numpy as np
import pytest

import tinyrnn
from tinyrnn import nn


def test_there_and_back():
    x = tinyrnn.randn(2, 3, 4, 5, requires_grad=True)
    assert nn.Flatten()(x).shape == (2, 60)
    assert nn.Flatten(0, 1)(x).shape == (6, 4, 5)
    back = nn.Unflatten(1, (3, 4, 5))(nn.Flatten()(x))
    assert np.array_equal(back.detach().array, x.detach().array)
    g = tinyrnn.randn(2, 3, 4, 5)
    back.backward(g)
    assert np.array_equal(x.grad.array, g.array)
    assert nn.Unflatten(-1, [-1, 5])(tinyrnn.zeros(2, 20)).shape == (2, 4, 5)


@pytest.mark.parametrize(
    "made", ["Flatten()", "Flatten(0, -2)", "Unflatten(1, (2, 3))", "Unflatten(dim=-1, unflattened_size=[2, 3])"]
)
def test_repr_as_torchs(torch, made):
    assert repr(eval(f"nn.{made}")) == repr(eval(f"torch.nn.{made}"))


def test_repr_and_errors():
    assert repr(nn.Flatten()) == "Flatten(start_dim=1, end_dim=-1)"
    assert repr(nn.Unflatten(1, (2, 3))) == "Unflatten(dim=1, unflattened_size=(2, 3))"
    with pytest.raises(TypeError, match=re.escape("Unflatten: unflattened_size is (2, 1.5), expected a tuple")):
        nn.Unflatten(1, (2, 1.5))
    with pytest.raises((ValueError, RuntimeError), match="unflatten"):
        nn.Unflatten(1, (2, 4))(tinyrnn.zeros(2, 6))
    with pytest.raises(IndexError, match="dim 3 is out of range"):
        nn.Flatten(3)(tinyrnn.zeros(2, 6))
