"""Dropout as a module: in training only, whole channels, and how it prints."""

import numpy as np
import pytest

import tinyrnn
from tinyrnn import nn


@pytest.mark.parametrize(
    ("module", "shape"), [(nn.Dropout, (4, 3)), (nn.Dropout1d, (4, 3, 5)), (nn.Dropout2d, (4, 3, 2, 2))]
)
def test_it_drops_in_training_only(module, shape):
    layer, x = module(0.4), tinyrnn.ones(shape)
    y = layer(x)
    assert set(np.unique(y.array)) == {np.float32(0), np.float32(1 / 0.6)}
    assert layer.eval()(x) is x
    assert layer.train()(x) is not x
    inplace = module(0.4, inplace=True)
    assert inplace(x) is x
    assert set(np.unique(x.array)) == {np.float32(0), np.float32(1 / 0.6)}


@pytest.mark.parametrize(
    ("name", "shape"), [("Dropout", (4, 3)), ("Dropout1d", (4, 3, 5)), ("Dropout2d", (4, 3, 2, 2))]
)
def test_against_torch(torch, name, shape):
    x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    for arguments in [(), (0.3,), (0.3, True)]:
        ours, theirs = getattr(nn, name)(*arguments), getattr(torch.nn, name)(*arguments)
        assert repr(ours) == repr(theirs)
        tinyrnn.manual_seed(3)
        torch.manual_seed(3)
        y, z = ours(tinyrnn.tensor(x)), theirs(torch.tensor(x))
        np.testing.assert_allclose(y.numpy(), z.numpy(), rtol=1e-6)


def test_repr_and_errors():
    assert repr(nn.Dropout(0.2)) == "Dropout(p=0.2, inplace=False)"
    with pytest.raises(ValueError, match=r"Dropout: the probability is 1\.5, expected a number from 0 to 1"):
        nn.Dropout(1.5)
    with pytest.raises(TypeError, match="Dropout1d: inplace is 3, expected True or False"):
        nn.Dropout1d(0.5, 3)
