"""Activations as modules: each is its function, and prints as torch's."""

import re

import numpy as np
import pytest

import tinyrnn
from tinyrnn import nn
from tinyrnn.nn import functional

# (made so, the function, its arguments, what is printed)
CASES = [
    ("Tanh()", "tanh", {}, "Tanh()"),
    ("Sigmoid()", "sigmoid", {}, "Sigmoid()"),
    ("LogSigmoid()", "logsigmoid", {}, "LogSigmoid()"),
    ("Softsign()", "softsign", {}, "Softsign()"),
    ("Tanhshrink()", "tanhshrink", {}, "Tanhshrink()"),
    ("ReLU()", "relu", {}, "ReLU()"),
    ("ReLU(inplace=True)", "relu", {"inplace": True}, "ReLU(inplace=True)"),
    ("SELU()", "selu", {}, "SELU()"),
    ("SELU(True)", "selu", {"inplace": True}, "SELU(inplace=True)"),
    ("SiLU()", "silu", {}, "SiLU()"),
    ("SiLU(True)", "silu", {"inplace": True}, "SiLU(inplace=True)"),
    ("Mish()", "mish", {}, "Mish()"),
    ("Mish(True)", "mish", {"inplace": True}, "Mish(inplace=True)"),
    ("Hardsigmoid()", "hardsigmoid", {}, "Hardsigmoid()"),
    ("Hardsigmoid(True)", "hardsigmoid", {"inplace": True}, "Hardsigmoid()"),
    ("Hardswish()", "hardswish", {}, "Hardswish()"),
    ("Hardswish(True)", "hardswish", {"inplace": True}, "Hardswish()"),
    ("ELU()", "elu", {}, "ELU(alpha=1.0)"),
    ("ELU(2, True)", "elu", {"alpha": 2, "inplace": True}, "ELU(alpha=2, inplace=True)"),
    ("CELU()", "celu", {}, "CELU(alpha=1.0)"),
    ("CELU(2.0, True)", "celu", {"alpha": 2, "inplace": True}, "CELU(alpha=2.0, inplace=True)"),
    ("LeakyReLU()", "leaky_relu", {}, "LeakyReLU(negative_slope=0.01)"),
    (
        "LeakyReLU(0.2, True)",
        "leaky_relu",
        {"negative_slope": 0.2, "inplace": True},
        "LeakyReLU(negative_slope=0.2, inplace=True)",
    ),
    ("Hardtanh()", "hardtanh", {}, "Hardtanh(min_val=-1.0, max_val=1.0)"),
    (
        "Hardtanh(-2, 2, True)",
        "hardtanh",
        {"min_val": -2, "max_val": 2, "inplace": True},
        "Hardtanh(min_val=-2, max_val=2, inplace=True)",
    ),
    ("ReLU6()", "relu6", {}, "ReLU6()"),
    ("ReLU6(inplace=True)", "relu6", {"inplace": True}, "ReLU6(inplace=True)"),
    ("Threshold(0.1, 20)", "threshold", {"threshold": 0.1, "value": 20}, "Threshold(threshold=0.1, value=20)"),
    (
        "Threshold(0.1, 20, True)",
        "threshold",
        {"threshold": 0.1, "value": 20, "inplace": True},
        "Threshold(threshold=0.1, value=20, inplace=True)",
    ),
    ("Hardshrink()", "hardshrink", {}, "Hardshrink(0.5)"),
    ("Softshrink(0.2)", "softshrink", {"lambd": 0.2}, "Softshrink(0.2)"),
    ("Softplus()", "softplus", {}, "Softplus(beta=1.0, threshold=20.0)"),
    ("Softplus(2, 3)", "softplus", {"beta": 2, "threshold": 3}, "Softplus(beta=2, threshold=3)"),
    ("GELU()", "gelu", {}, "GELU(approximate='none')"),
    ("GELU('tanh')", "gelu", {"approximate": "tanh"}, "GELU(approximate='tanh')"),
    ("GLU()", "glu", {}, "GLU(dim=-1)"),
    ("GLU(0)", "glu", {"dim": 0}, "GLU(dim=0)"),
    ("Softmax(dim=1)", "softmax", {"dim": 1}, "Softmax(dim=1)"),
    ("LogSoftmax(dim=0)", "log_softmax", {"dim": 0}, "LogSoftmax(dim=0)"),
    ("Softmin(-1)", "softmin", {"dim": -1}, "Softmin(dim=-1)"),
]


@pytest.mark.parametrize(("made", "function", "arguments", "printed"), CASES)
def test_a_module_is_its_function(made, function, arguments, printed):
    module = eval(f"nn.{made}")
    x = tinyrnn.randn(6, 4) * 3
    expected = getattr(functional, function)(x.clone(), **arguments)
    y = module(x)
    assert np.array_equal(y.array, expected.array)
    assert (y is x) == bool(arguments.get("inplace"))
    assert repr(module) == printed
    assert list(module.parameters()) == []
    assert repr(nn.Sequential(module)) == f"Sequential(\n  (0): {printed}\n)"


@pytest.mark.parametrize(("made", "function", "arguments", "printed"), CASES)
def test_it_prints_and_computes_as_torchs(torch, made, function, arguments, printed):
    ours, theirs = eval(f"nn.{made}"), eval(f"torch.nn.{made}")
    assert repr(ours) == repr(theirs)
    x = np.random.default_rng(0).standard_normal((6, 4)).astype(np.float32)
    y, z = ours(tinyrnn.tensor(x)).numpy(), theirs(torch.tensor(x)).numpy()
    np.testing.assert_allclose(y, z, rtol=0, atol=1e-5 * np.abs(z).max())


@pytest.mark.parametrize("n", [1, 3])
def test_prelu_learns_its_slope(n):
    module = nn.PReLU(n, init=0.5)
    assert [(name, p.tolist()) for name, p in module.named_parameters()] == [("weight", [0.5] * n)]
    x = tinyrnn.randn(5, 3)
    y = module(x)
    assert np.array_equal(y.detach().array, functional.leaky_relu(x, 0.5).array)
    y.sum().backward()
    below = np.minimum(x.array, 0)
    np.testing.assert_allclose(module.weight.grad.array, below.sum(0) if n == 3 else [below.sum()], rtol=1e-5)
    assert repr(module) == f"PReLU(num_parameters={n})"
    assert nn.PReLU(dtype=tinyrnn.float64).weight.tolist() == [0.25]


@pytest.mark.parametrize(
    ("make", "exception", "message"),
    [
        (lambda: nn.ReLU(inplace="yes"), TypeError, "ReLU: inplace is 'yes', expected True or False"),
        (lambda: nn.ELU(None), TypeError, "ELU: alpha is None, expected a number"),
        (lambda: nn.LeakyReLU("x"), TypeError, "LeakyReLU: negative_slope is 'x', expected a number"),
        (
            lambda: nn.Hardtanh(1, 1),
            ValueError,
            "Hardtanh: min_val is 1 and max_val 1, expected the first to be smaller",
        ),
        (lambda: nn.PReLU(0), ValueError, "PReLU: num_parameters is 0, expected at least 1"),
        (lambda: nn.Softshrink([1]), TypeError, "Softshrink: lambd is [1], expected a number"),
    ],
)
def test_arguments_that_are_none_are_refused(make, exception, message):
    with pytest.raises(exception, match=re.escape(message)):
        make()
