"""BatchNorm1d: training and evaluation, the running statistics, and what is in its state."""

import re

import numpy as np
import pytest

import tinyrnn
from tinyrnn import nn

ARGUMENTS = [
    "(3)",
    "(3, momentum=None)",
    "(3, 1e-3, 0.3)",
    "(3, affine=False)",
    "(3, bias=False)",
    "(3, track_running_stats=False)",
    "(3, momentum=None, track_running_stats=False)",
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(6, 3), (4, 3, 5)])
@pytest.mark.parametrize("arguments", ARGUMENTS)
def test_against_torch(torch, arguments, shape, dtype):
    """Three batches in training, one in evaluation: results, gradients, state and repr."""
    rng = np.random.default_rng(0)
    batches = [(rng.standard_normal(shape) * 2 + 1).astype(dtype) for _ in range(4)]
    cotangents = [rng.standard_normal(shape).astype(dtype) for _ in range(4)]
    results = []
    for m in (tinyrnn, torch):
        layer = eval(f"m.nn.BatchNorm1d{arguments[:-1]}, dtype=m.{dtype})")
        found = []
        for k, (batch, g) in enumerate(zip(batches, cotangents, strict=True)):
            layer.train(k < 3)
            x = m.tensor(batch, requires_grad=True)
            layer.zero_grad()
            y = layer(x)
            y.backward(m.tensor(g))
            found += [y.detach(), x.grad, *[p.grad for p in layer.parameters()]]
        found += layer.state_dict().values()
        results.append((repr(layer), list(layer.state_dict()), found))
    ours, theirs = results
    assert ours[:2] == theirs[:2]
    tolerance = 1e-5 if dtype == "float32" else 1e-12
    for a, b in zip(ours[2], theirs[2], strict=True):
        assert f"torch.{a.dtype}" == str(b.dtype)
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=0, atol=tolerance * max(1, np.abs(b.numpy()).max()))


def test_training_moves_the_running_statistics_and_evaluation_uses_them():
    layer = nn.BatchNorm1d(2, momentum=0.25)
    x = tinyrnn.randn(50, 2) * 3 + 5
    y = layer(x).detach().array
    np.testing.assert_allclose(y.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(layer.running_mean.array, 0.25 * x.array.mean(0), rtol=1e-5)
    np.testing.assert_allclose(layer.running_var.array, 0.75 + 0.25 * x.array.var(0, ddof=1), rtol=1e-5)
    assert layer.num_batches_tracked.item() == 1
    before = {name: tensor.tolist() for name, tensor in layer.state_dict().items()}
    y = layer.eval()(x[:1]).detach().array
    expected = (x.array[:1] - layer.running_mean.array) / np.sqrt(layer.running_var.array + 1e-5)
    np.testing.assert_allclose(y, expected, rtol=1e-5)
    assert {name: tensor.tolist() for name, tensor in layer.state_dict().items()} == before
    layer.reset_running_stats()
    assert (layer.running_mean.tolist(), layer.running_var.tolist()) == ([0, 0], [1, 1])
    assert layer.num_batches_tracked.item() == 0


def test_without_momentum_the_running_mean_is_that_of_all_batches():
    layer = nn.BatchNorm1d(2, momentum=None)
    batches = [tinyrnn.randn(5, 2) for _ in range(4)]
    for batch in batches:
        layer(batch)
    np.testing.assert_allclose(layer.running_mean.array, np.mean([b.array.mean(0) for b in batches], 0), atol=1e-6)


def test_the_count_stays_a_whole_number():
    layer = nn.BatchNorm1d(2).double()
    assert layer.num_batches_tracked.dtype == tinyrnn.int64
    assert layer.running_mean.dtype == tinyrnn.float64
    other = nn.BatchNorm1d(2)
    layer(tinyrnn.randn(5, 2, dtype=tinyrnn.float64))
    other.load_state_dict(layer.state_dict())
    assert other.num_batches_tracked.item() == 1
    assert other.running_mean.dtype == tinyrnn.float32


@pytest.mark.parametrize(
    ("x", "exception", "message"),
    [
        (tinyrnn.zeros(4), ValueError, "BatchNorm1d: the input has shape (4,), expected a tensor (N, 2) or (N, 2, L)"),
        (tinyrnn.zeros(4, 3), ValueError, "BatchNorm1d: the input has shape (4, 3), expected a tensor (N, 2)"),
        (tinyrnn.zeros(4, 2, 1, 1), ValueError, "BatchNorm1d: the input has shape (4, 2, 1, 1)"),
        (np.zeros((4, 2)), ValueError, "BatchNorm1d: the input is a ndarray, expected a tensor"),
        (tinyrnn.zeros(1, 2), ValueError, "expected more than 1 value per channel when training"),
        (tinyrnn.zeros(4, 2).double(), TypeError, "batch_norm: the operands are float64 and float32"),
    ],
)
def test_an_input_that_does_not_fit_changes_nothing(x, exception, message):
    layer = nn.BatchNorm1d(2)
    before = {name: tensor.tolist() for name, tensor in layer.state_dict().items()}
    with pytest.raises(exception, match=re.escape(message)):
        layer(x)
    assert {name: tensor.tolist() for name, tensor in layer.state_dict().items()} == before


def test_repr_and_arguments():
    assert repr(nn.BatchNorm1d(3)) == (
        "BatchNorm1d(3, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)"
    )
    with pytest.raises(ValueError, match="BatchNorm1d: num_features is 0, expected at least 1"):
        nn.BatchNorm1d(0)
