"""Likeness and distance as modules: their functions, with torch's signatures."""

import inspect

import numpy as np
import pytest

import tinyrnn
from loss_witness import agree, leaf
from tinyrnn import nn
from tinyrnn.autograd import gradcheck

OPTIONS = {
    "CosineSimilarity": [{}, {"dim": 0}, {"dim": -1, "eps": 1e-3}],
    "PairwiseDistance": [{}, {"p": 1.0}, {"eps": 0.5, "keepdim": True}],
}


@pytest.mark.parametrize("name", OPTIONS)
def test_they_are_torchs(torch, name):
    x, y = np.random.default_rng(0).standard_normal((2, 4, 3))
    for options in OPTIONS[name]:
        agree(torch, lambda m, x, y, o=options: getattr(m.nn, name)(**o)(x, y), x, y, of=(0, 1))
    ours, theirs = getattr(nn, name), getattr(torch.nn, name)
    for method in ("__init__", "forward"):
        found, expected = (inspect.signature(getattr(cls, method)).parameters for cls in (ours, theirs))
        assert [(p.name, p.default) for p in found.values()] == [(p.name, p.default) for p in expected.values()]
    assert repr(ours()) == repr(theirs())


@pytest.mark.parametrize("name", OPTIONS)
def test_gradcheck(name):
    for options in OPTIONS[name]:
        assert gradcheck(getattr(nn, name)(**options), [leaf(4, 3), leaf(4, 3)])


def test_by_hand():
    x, y = tinyrnn.tensor([[3.0, 4.0]]), tinyrnn.tensor([[4.0, 3.0]])
    assert abs(nn.CosineSimilarity()(x, y).item() - 24 / 25) < 1e-6
    assert abs(nn.PairwiseDistance(p=1, eps=0, keepdim=True)(x, y).item() - 2) < 1e-6
