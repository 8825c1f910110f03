"""Linear: its parameters, its formula, its gradients, and what bad input gets."""

import re

import numpy as np
import pytest

import tinyrnn
from tinyrnn import nn
from tinyrnn.autograd import gradcheck


@pytest.mark.parametrize("shape", [(3,), (4, 3), (2, 4, 3), (0, 3), (2, 0, 4, 3)])
@pytest.mark.parametrize("bias", [True, False])
def test_linear_computes_its_formula_over_any_leading_axes(shape, bias):
    layer, x = nn.Linear(3, 2, bias, dtype=tinyrnn.float64), tinyrnn.randn(*shape, dtype=tinyrnn.float64)
    y = layer(x)
    expected = np.einsum("...i,oi->...o", x.array, layer.weight.array) + (layer.bias.array if bias else 0)
    assert y.shape == (*shape[:-1], 2)
    np.testing.assert_allclose(y.array, expected, rtol=1e-13, atol=1e-14)
    y.sum().backward()
    np.testing.assert_allclose(layer.weight.grad.array, np.ones((2, y.numel() // 2)) @ x.array.reshape(-1, 3))


@pytest.mark.parametrize("shape", [(3,), (4, 3), (2, 4, 3)])
@pytest.mark.parametrize("bias", [True, False])
def test_gradcheck_of_linear_and_its_parameters(shape, bias):
    layer = nn.Linear(3, 2, bias).double()
    x = tinyrnn.randn(*shape, dtype=tinyrnn.float64, requires_grad=True)
    assert gradcheck(lambda x, *parameters: layer(x), [x, *layer.parameters()])


@pytest.mark.parametrize("dtype", [tinyrnn.float32, tinyrnn.float64])
def test_dtypes_are_those_of_the_layer(dtype):
    layer, x = nn.Linear(3, 2, dtype=dtype), tinyrnn.randn(4, 3, dtype=dtype, requires_grad=True)
    y = layer(x)
    y.square().sum().backward()
    assert {t.dtype for t in (y, x.grad, layer.weight.grad, layer.bias.grad)} == {dtype}


def test_the_parameters():
    layer = nn.Linear(25, 40)
    assert [(name, p.shape) for name, p in layer.named_parameters()] == [("weight", (40, 25)), ("bias", (40,))]
    for p in layer.parameters():
        assert 0.15 < np.abs(p.array).max() <= 0.2
        assert abs(p.array.mean()) < 0.08
    before = layer.weight.clone()
    layer.reset_parameters()
    assert (layer.weight != before).array.mean() > 0.99
    bare = nn.Linear(3, 2, bias=False)
    assert bare.bias is None
    assert list(bare.state_dict()) == ["weight"]


@pytest.mark.parametrize(
    ("x", "exception", "message"),
    [
        (
            tinyrnn.zeros(4, 2),
            ValueError,
            "linear: the input is (4, 2), the weight (2, 3): expected (..., I) and (O, I)",
        ),
        (tinyrnn.zeros(()), ValueError, "linear: the input is (), the weight (2, 3)"),
        (tinyrnn.zeros(4, 3).double(), TypeError, "linear: the operands are float64 and float32, expected one dtype"),
        (tinyrnn.zeros(4, 3).long(), TypeError, "linear: the operands are int64 and float32, expected one dtype"),
        (np.zeros((4, 3)), TypeError, "linear: expected a tensor, got ndarray"),
    ],
)
def test_linear_says_what_does_not_fit(x, exception, message):
    with pytest.raises(exception, match=re.escape(message)):
        nn.Linear(3, 2)(x)


@pytest.mark.parametrize(
    ("arguments", "exception", "message"),
    [
        ((0, 2), ValueError, "Linear: in_features is 0, expected at least 1"),
        ((3, 2.5), TypeError, "Linear: out_features is 2.5, expected a whole number"),
        ((3, 2, True, "cuda"), ValueError, "device 'cuda' is not available"),
    ],
)
def test_arguments_that_are_none_are_refused(arguments, exception, message):
    with pytest.raises(exception, match=re.escape(message)):
        nn.Linear(*arguments)


def test_repr():
    assert repr(nn.Linear(3, 2)) == "Linear(in_features=3, out_features=2, bias=True)"
    assert repr(nn.Linear(3, 2, False)) == "Linear(in_features=3, out_features=2, bias=False)"


def test_identity_changes_nothing():
    layer, x = nn.Identity(54, unused_argument=0.1), tinyrnn.randn(3)
    assert layer(x) is x
    assert repr(layer) == "Identity()"
    assert list(layer.parameters()) == []


@pytest.mark.parametrize(("sizes", "bias"), [((3, 4, 2), True), ((3, 4, 2), False), ((5, 1, 1), True)])
def test_bilinear_against_torch(torch, sizes, bias):
    results = []
    for m in (tinyrnn, torch):
        m.manual_seed(2)
        layer = m.nn.Bilinear(*sizes, bias=bias)
        rng = np.random.default_rng(0)
        a, b = (m.tensor(rng.standard_normal((6, n)).astype(np.float32)) for n in sizes[:2])
        y = layer(a, b)
        y.sum().backward()
        results.append((repr(layer), [y, *layer.parameters(), *[p.grad for p in layer.parameters()]]))
    ours, theirs = results
    assert ours[0] == theirs[0]
    for x, z in zip(ours[1], theirs[1], strict=True):
        x, z = x.detach().numpy(), z.detach().numpy()
        np.testing.assert_allclose(x, z, rtol=0, atol=1e-5 * np.abs(z).max())


def test_bilinear():
    layer = nn.Bilinear(3, 4, 2)
    a, b = tinyrnn.randn(5, 3), tinyrnn.randn(5, 4)
    expected = np.einsum("ni,oij,nj->no", a.array, layer.weight.array, b.array) + layer.bias.array
    np.testing.assert_allclose(layer(a, b).detach().array, expected, rtol=0, atol=1e-6)
    assert [(name, p.shape) for name, p in layer.named_parameters()] == [("weight", (2, 3, 4)), ("bias", (2,))]
    assert max(abs(layer.weight.array.min()), layer.weight.array.max()) <= 1 / np.sqrt(3)
    assert nn.Bilinear(3, 4, 2, bias=False).bias is None
    assert repr(layer) == "Bilinear(in1_features=3, in2_features=4, out_features=2, bias=True)"
    with pytest.raises(ValueError, match="Bilinear: in2_features is 0, expected at least 1"):
        nn.Bilinear(3, 0, 2)
