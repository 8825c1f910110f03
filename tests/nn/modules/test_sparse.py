"""Embedding as a module: what it draws, its padding, its gradient, and how it prints."""

import re

import numpy as np
import pytest

import tinyrnn
from tinyrnn import nn


def test_it_looks_up_rows():
    layer = nn.Embedding(10, 3)
    index = tinyrnn.tensor([[1, 2, 4, 5], [4, 3, 2, 9]])
    y = layer(index)
    assert np.array_equal(y.detach().array, layer.weight.array[index.array])
    assert layer(tinyrnn.tensor(3)).shape == (3,)
    assert [name for name, _ in layer.named_parameters()] == ["weight"]
    y.sum().backward()
    assert layer.weight.grad.array[:, 0].tolist() == [0, 1, 2, 1, 2, 1, 0, 0, 0, 1]


@pytest.mark.parametrize("padding_idx", [0, 2, -1])
def test_padding_is_zero_at_first_and_learns_nothing(padding_idx):
    layer = nn.Embedding(4, 3, padding_idx)
    assert layer.padding_idx == padding_idx % 4
    assert not layer.weight.array[padding_idx].any()
    assert layer.weight.array.any(1).sum() == 3
    layer(tinyrnn.arange(4)).sum().backward()
    assert layer.weight.grad.array.sum(1).tolist() == [0 if k == padding_idx % 4 else 3 for k in range(4)]


def test_the_first_weights_are_normal():
    w = nn.Embedding(100, 50).weight.array
    assert abs(w.mean()) < 0.05
    assert abs(w.std() - 1) < 0.05
    layer = nn.Embedding(3, 2, padding_idx=1)
    before = layer.weight.array.copy()
    layer.reset_parameters()
    assert not np.array_equal(before, layer.weight.array)
    assert not layer.weight.array[1].any()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "arguments",
    [
        "(10, 3)",
        "(10, 3, padding_idx=2)",
        "(10, 3, -1)",
        "(10, 3, max_norm=1)",
        "(10, 3, 1, 2.0, 3.0)",
        "(10, 3, scale_grad_by_freq=True)",
        "(30, 20, norm_type=1)",
    ],
)
def test_against_torch(torch, arguments, dtype):
    models = []
    for m in (tinyrnn, torch):
        m.manual_seed(5)
        layer = eval(f"m.nn.Embedding({arguments[1:-1]}, dtype=m.{dtype})")
        y = layer(m.tensor([[1, 2, 2], [9, 2, 0]]))
        (y * y).sum().backward()
        models.append((repr(layer), layer.weight.detach().numpy(), y.detach().numpy(), layer.weight.grad.numpy()))
    ours, theirs = models
    assert ours[0] == theirs[0]
    tolerance = 1e-5 if dtype == "float32" else 1e-12
    for a, b in zip(ours[1:], theirs[1:], strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance * np.abs(b).max())


def test_from_pretrained_takes_the_weights_and_freezes_them():
    w = tinyrnn.tensor([[1.0, 2.3, 3.0], [4.0, 5.1, 6.3]])
    layer = nn.Embedding.from_pretrained(w, padding_idx=0)
    assert layer(tinyrnn.tensor([1])).tolist() == w[1:].tolist()
    assert not layer.weight.requires_grad
    assert np.shares_memory(layer.weight.array, w.array)
    assert repr(layer) == "Embedding(2, 3, padding_idx=0)"
    assert nn.Embedding.from_pretrained(w, freeze=False).weight.requires_grad


@pytest.mark.parametrize(
    ("make", "exception", "message"),
    [
        (lambda: nn.Embedding(0, 3), ValueError, "Embedding: num_embeddings is 0, expected at least 1"),
        (lambda: nn.Embedding(3, 2.5), TypeError, "Embedding: embedding_dim is 2.5, expected a whole number"),
        (lambda: nn.Embedding(3, 2, 3), ValueError, "Embedding: padding_idx is 3, expected -3 to 2"),
        (lambda: nn.Embedding(3, 2, sparse=True), ValueError, "Embedding: sparse=True is not here"),
        (lambda: nn.Embedding(3, 2, _weight=tinyrnn.ones(2, 2)), ValueError, "the weight is (2, 2), expected (3, 2)"),
        (lambda: nn.Embedding.from_pretrained(tinyrnn.ones(2)), ValueError, "got shape (2,), expected a tensor (V, D)"),
        (lambda: nn.Embedding.from_pretrained([[1.0]]), ValueError, "got list, expected a tensor (V, D)"),
        (lambda: nn.Embedding(3, 2)(tinyrnn.tensor([3])), IndexError, "embedding: the indices go from 3 to 3"),
        (lambda: nn.Embedding(3, 2)(tinyrnn.tensor([1.0])), TypeError, "embedding: the indices are float32"),
    ],
)
def test_what_does_not_fit_is_refused(make, exception, message):
    with pytest.raises(exception, match=re.escape(message)):
        make()
