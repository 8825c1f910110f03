"""NumPy's functions on tensors: the operation where there is one, with gradients; else the array, or a refusal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinyrnn
from tinyrnn import Tensor, numpy_protocol, tensor
from tinyrnn.autograd import gradcheck

RNG = np.random.default_rng(0)
X = RNG.uniform(0.2, 0.9, (3, 4))
Y = RNG.uniform(0.2, 0.9, (3, 4))

FUNCTIONS: list[Callable[..., Any]] = [
    lambda x, y: np.sum(x), lambda x, y: np.sum(x, axis=0), lambda x, y: np.sum(x, 1, keepdims=True),
    lambda x, y: np.mean(x), lambda x, y: np.mean(x, axis=(0, 1)), lambda x, y: np.mean(x, -1),
    lambda x, y: np.std(x), lambda x, y: np.std(x, axis=0), lambda x, y: np.var(x, 1, ddof=1), lambda x, y: np.prod(x),
    lambda x, y: np.max(x), lambda x, y: np.max(x, axis=1), lambda x, y: np.min(x, 0, keepdims=True),
    lambda x, y: np.concatenate([x, y]), lambda x, y: np.concatenate((x, y), axis=1), lambda x, y: np.stack([x, y]),
    lambda x, y: np.concatenate([x, Y]), lambda x, y: np.stack((Y, x), axis=-1), lambda x, y: np.reshape(x, (4, 3)),
    lambda x, y: np.transpose(x), lambda x, y: np.transpose(x[None], (2, 0, 1)), lambda x, y: np.expand_dims(x, 1),
    lambda x, y: np.squeeze(x[:1]), lambda x, y: np.swapaxes(x, 0, 1), lambda x, y: np.moveaxis(x[None], 0, 2),
    lambda x, y: np.where(x > 0.5, x, y), lambda x, y: np.where(X > 0.5, x, 0.0), lambda x, y: np.dot(x, y.T),
    lambda x, y: np.dot(x, y[0]), lambda x, y: np.clip(x, 0.3, 0.6), lambda x, y: np.tril(x),
    lambda x, y: np.einsum("ij,kj->ik", x, y), lambda x, y: np.cumsum(x, 0), lambda x, y: np.outer(x[0], y[0]),
    lambda x, y: np.triu(x, 1), lambda x, y: np.round(x, 1), lambda x, y: np.broadcast_to(x, (2, 3, 4)),
    lambda x, y: np.float64(2) * x, lambda x, y: np.float64(2) - x, lambda x, y: Y / x, lambda x, y: Y @ x.T,
    lambda x, y: Y**x, lambda x, y: np.add(x, 2), lambda x, y: np.multiply([[1.0], [2.0], [3.0]], x),
    lambda x, y: np.matmul(x, Y.T), lambda x, y: np.maximum(0.5, x),
]  # fmt: skip


def text(function: Callable[..., Any]) -> str:
    return str(function.__code__.co_consts) + str(function.__code__.co_names)


@pytest.mark.parametrize("function", FUNCTIONS, ids=text)
def test_where_there_is_an_operation_it_is_numpys_function_with_a_gradient(function: Callable[..., Any]) -> None:
    x, y = (tensor(a, requires_grad=True) for a in (X, Y))
    result = function(x, y)
    assert isinstance(result, Tensor)
    assert result.requires_grad
    assert result.dtype == tinyrnn.float64
    np.testing.assert_allclose(result.detach().numpy(), function(X, Y), rtol=1e-12)
    if "round" not in text(function):
        assert gradcheck(lambda x: function(x, tensor(Y)), [x])


UFUNCS = sorted(numpy_protocol.UFUNCS)


@pytest.mark.parametrize("name", UFUNCS)
@pytest.mark.parametrize("kind", ["float64", "int64", "bool"])
def test_a_ufunc_gives_numpys_values_as_a_tensor(name: str, kind: str) -> None:
    ufunc = getattr(np, name)
    arrays = [(X * 3 + 0.5).astype(kind), (Y * 3 + 1).astype(kind)][: ufunc.nin]
    if name == "matmul":
        arrays[1] = arrays[1].T
    try:
        expected = ufunc(*arrays)
    except (TypeError, ValueError):
        return  # NumPy has none for this kind
    tensors = [tensor(a) for a in arrays]
    try:
        result = ufunc(*tensors)
    except (TypeError, ValueError, RuntimeError):
        if kind == "float64":
            raise
        return  # torch's rules for whole numbers and bools are narrower
    assert isinstance(result, Tensor)
    rounding = {"float64": 1e-12, "int64": 1e-6, "bool": 1e-3}  # NumPy takes whole numbers in float64, bools in float16
    if result.is_floating_point() or expected.dtype.kind != "f":
        expected = ufunc(*[a.astype("float64") for a in arrays]) if name == "reciprocal" else expected
        np.testing.assert_allclose(result.numpy(), expected, rtol=rounding[kind])
    if ufunc.nin == 2:
        for mixed in (ufunc(arrays[0], tensors[1]), ufunc(tensors[0], arrays[1])):
            assert isinstance(mixed, Tensor)
            np.testing.assert_array_equal(mixed.numpy(), result.numpy(), strict=True)


def test_every_name_of_the_table_is_an_operation() -> None:
    for numpys, ours in numpy_protocol.UFUNCS.items():
        assert isinstance(getattr(np, numpys), np.ufunc)
        assert numpy_protocol._operation(ours) is not None, ours


def test_a_float32_tensor_stays_float32_beside_numbers_and_0d_arrays_of_numpys() -> None:
    x = tinyrnn.ones(2)
    for y in (np.float64(2) * x, np.add(np.float64(2), x), np.array(2.0) - x, x / np.float64(3), np.sin(x), np.mean(x)):
        assert y.dtype == tinyrnn.float32
    assert (np.ones(2) + x).dtype == tinyrnn.float64


@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.percentile(x, 50), lambda x: np.histogram(x)[0], lambda x: np.argsort(x), lambda x: np.unique(x),
        lambda x: np.allclose(x, x), lambda x: np.array_equal(x, X), lambda x: np.linalg.norm(x), lambda x: np.diff(x),
        lambda x: np.split(x, 3)[0], lambda x: np.sum(x, dtype=np.float32), lambda x: np.concatenate([x, x], axis=None),
        lambda x: np.vstack([x, x]), lambda x: np.mean(x, keepdims=True), lambda x: np.flip(x),
        lambda x: np.median(x), lambda x: np.copy(x), lambda x: np.corrcoef(x), lambda x: np.interp(0.5, x[0], x[1]),
    ],
    ids=text,
)  # fmt: skip
def test_what_has_no_operation_works_on_the_array_and_refuses_a_gradient(function: Callable[..., Any]) -> None:
    x = tensor(X)
    result = function(x)
    assert not isinstance(result, Tensor)
    for ours, theirs in zip(np.atleast_1d(result), np.atleast_1d(function(X)), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    with pytest.raises(
        RuntimeError, match=r"^numpy\.\w+: this tensor requires a gradient.*use \.detach\(\)\.numpy\(\)"
    ):
        function(x.requires_grad_())


def test_a_ufunc_without_an_operation_gives_a_tensor_or_refuses_a_gradient() -> None:
    x = tensor(X)
    for function in (np.arcsinh, np.cbrt, lambda x: np.add.accumulate(x), lambda x: np.add(x, x, dtype=np.float32)):
        assert isinstance(function(x), Tensor)
        np.testing.assert_array_equal(function(x).numpy(), function(X))
        with pytest.raises(RuntimeError, match=r"^numpy\.\w+: this tensor requires a gradient"):
            function(tensor(X, requires_grad=True))
    whole, rest = np.divmod(x, 0.3)
    np.testing.assert_array_equal(rest.numpy(), np.divmod(X, 0.3)[1])
    assert isinstance(whole, Tensor)


def test_what_only_looks_at_the_shape_asks_for_no_detaching() -> None:
    x = tensor(X, requires_grad=True)
    assert (np.shape(x), np.ndim(x), np.size(x)) == ((3, 4), 2, 12)
    assert type(np.zeros_like(x)) is np.ndarray
    assert np.zeros_like(x).shape == (3, 4)


def test_an_array_takes_a_tensor_in_place() -> None:
    a = np.ones(2)
    b = a
    a += tensor([1.0, 2.0])
    assert a is b
    assert a.tolist() == [2, 3]
    with pytest.raises(RuntimeError, match=r"^numpy\.add: this tensor requires a gradient"):
        a += tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(TypeError, match=r"^numpy\.add: out is a tensor, expected an array: use copy_"):
        np.add(a, a, out=tensor([0.0, 0.0]))


def test_the_plain_array_is_there_for_the_asking() -> None:
    x = tensor(X)
    assert np.asarray(x) is x.array
    assert np.array([x[0], x[1]]).tolist() == X[:2].tolist()
    with pytest.raises(RuntimeError, match=r"^numpy: this tensor requires a gradient"):
        np.array(x.requires_grad_())
