"""LayerNorm and RMSNorm as modules."""

import re

import numpy as np
import pytest

import tinyrnn
from tinyrnn import nn
from tinyrnn.nn import functional


def test_layer_norm_has_weight_1_and_bias_0():
    layer = nn.LayerNorm((2, 3))
    assert [(name, p.tolist()) for name, p in layer.named_parameters()] == [
        ("weight", [[1.0] * 3] * 2),
        ("bias", [[0.0] * 3] * 2),
    ]
    x = tinyrnn.randn(4, 2, 3)
    assert np.array_equal(layer(x).detach().array, functional.layer_norm(x, (2, 3)).array)
    assert [name for name, _ in nn.LayerNorm(3, bias=False).named_parameters()] == ["weight"]
    assert list(nn.LayerNorm(3, elementwise_affine=False).named_parameters()) == []
    assert nn.LayerNorm(3).normalized_shape == (3,)


def test_rms_norm_has_weight_1():
    layer = nn.RMSNorm(3)
    assert [(name, p.tolist()) for name, p in layer.named_parameters()] == [("weight", [1.0] * 3)]
    x = tinyrnn.randn(4, 3)
    assert np.array_equal(layer(x).detach().array, functional.rms_norm(x, 3).array)
    assert list(nn.RMSNorm(3, elementwise_affine=False).named_parameters()) == []


def test_it_follows_a_cast():
    layer = nn.LayerNorm(3).double()
    x = tinyrnn.randn(4, 3, dtype=tinyrnn.float64, requires_grad=True)
    layer(x).sum().backward()
    assert {x.grad.dtype, layer.weight.grad.dtype, layer.bias.grad.dtype} == {np.dtype("float64")}


@pytest.mark.parametrize(
    "made",
    [
        "LayerNorm(4)",
        "LayerNorm([3, 4], eps=1e-3)",
        "LayerNorm((3, 4), bias=False)",
        "LayerNorm(4, 1e-5, False)",
        "RMSNorm(4)",
        "RMSNorm((3, 4), eps=1e-3)",
        "RMSNorm(4, elementwise_affine=False)",
    ],
)
def test_against_torch(torch, made):
    ours, theirs = eval(f"nn.{made}"), eval(f"torch.nn.{made}")
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    x = np.random.default_rng(0).standard_normal((2, 3, 4)).astype(np.float32)
    np.testing.assert_allclose(
        ours(tinyrnn.tensor(x)).detach().numpy(), theirs(torch.tensor(x)).detach().numpy(), rtol=0, atol=1e-5
    )


def test_repr_and_errors():
    assert repr(nn.LayerNorm(3)) == "LayerNorm((3,), eps=1e-05, elementwise_affine=True, bias=True)"
    assert repr(nn.RMSNorm(3)) == "RMSNorm((3,), eps=None, elementwise_affine=True)"
    with pytest.raises(ValueError, match=re.escape("LayerNorm: normalized_shape is (), expected")):
        nn.LayerNorm(())
    with pytest.raises(TypeError, match="RMSNorm: elementwise_affine is 'no', expected True or False"):
        nn.RMSNorm(3, elementwise_affine="no")
    with pytest.raises(ValueError, match=re.escape("layer_norm: the input is (2, 4), expected its last axes")):
        nn.LayerNorm(3)(tinyrnn.zeros(2, 4))
