"""Making tensors: torch's dtypes, values, memory and random numbers, and refusals in words."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinyrnn
from tinyrnn import Tensor, tensor

DATA = [
    "1", "1.5", "True", "[1, 2]", "[1.5, 2.5]", "[True, False]", "[1, 2.5]", "[2.5, 1]", "[True, 2]", "[True, 1.5]",
    "[[1, 2], [3, 4]]", "[[1], [2.5]]", "[[1.5, 2], [3, 4]]", "((1, 2), (3, 4))", "[(1.5,), [2]]", "[]", "[[], []]",
    "[[[1.5]]]", "range(3)", "np.float64(1.5)", "np.float32(1.5)", "np.int32(1)", "np.int64(1)", "np.bool_(True)",
    "[np.float64(1.5)]", "[np.float32(1.5)]", "[np.float16(1.5)]", "[np.float64(1.5), 2]", "[np.float32(1.5), 2]",
    "[np.float32(1.5), 2.5]", "[2.5, np.float32(1.5)]", "[1, np.float64(2.5)]", "[np.float16(1.5), 2.5]",
    "[np.float32(1.5), np.float64(2.5)]", "[np.int32(1)]", "[np.int32(1), 2]", "[np.int16(1), 2.5]", "[np.uint8(3)]",
    "np.ones(2)", "np.ones((2, 3), np.float32)", "np.ones(2, np.int32)", "np.ones(2, bool)", "np.array(1.5)",
    "np.zeros((0, 2), np.int64)", "np.ones(2, np.float16)", "np.arange(6).reshape(2, 3).T", "np.ones(4)[::2]",
    "[np.ones(2), np.ones(2)]", "[np.ones(2, np.float32), np.ones(2, np.float32)]", "[np.ones(2), [1, 2]]",
    "[m.tensor(1.5), m.tensor(2.5)]", "[m.tensor(1), 2.5]", "[m.tensor(1), m.tensor(2)]",
    "[m.tensor(1), m.tensor(2.5)]", "[m.tensor(1.5, dtype=m.float64), 2.5]",
    "[[m.tensor(1.5), 1], [2, m.tensor(True)]]", "m.tensor([1, 2])", "m.tensor(1.5, dtype=m.float64)",
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:To copy construct", "ignore:Creating a tensor from a list")
@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("name", ["tensor", "as_tensor"])
def test_the_dtype_of_data_is_torchs(torch: ModuleType, name: str, data: str) -> None:
    ours, theirs = (getattr(m, name)(eval(data, {"m": m, "np": np})) for m in (tinyrnn, torch))
    assert f"torch.{ours.dtype}" == str(theirs.dtype)
    np.testing.assert_array_equal(ours.numpy(), theirs.numpy(), strict=True)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int32", "int64", "float16", "float32", "float64"])
@pytest.mark.parametrize(
    "data", ["[1.75, 0.0, 2.0]", "[1, 0, 2]", "[True, False]", "np.array([1.75, 0])", "[]", "1.75"]
)
def test_a_dtype_that_is_asked_for_is_given(torch: ModuleType, data: str, dtype: str) -> None:
    for name in ("tensor", "as_tensor"):
        ours, theirs = (getattr(m, name)(eval(data), dtype=getattr(m, dtype)) for m in (tinyrnn, torch))
        assert ours.dtype == dtype
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy(), strict=True)


def test_python_floats_take_the_default_dtype_and_others_their_own() -> None:
    """The rule of the table above, where torch is not at hand."""
    assert tensor([1, 2.5]).dtype == tensor([[True], [1.5]]).dtype == tensor([]).dtype == tinyrnn.float32
    assert tensor([1, 2]).dtype == tensor([True, 2]).dtype == tinyrnn.int64
    assert tensor([np.float64(1)]).dtype == tensor(np.ones(2)).dtype == tinyrnn.float64


def test_tensor_copies_and_from_numpy_shares() -> None:
    array = np.zeros(3, np.float32)
    copied, shared = [tensor(array), tensor(tensor(array))], [tinyrnn.from_numpy(array), tinyrnn.as_tensor(array)]
    array[0] = 1
    assert [x[0].item() for x in copied] == [0, 0]
    assert [x[0].item() for x in shared] == [1, 1]
    shared[0][1] = 2
    assert array.tolist() == [1, 2, 0]
    assert shared[0].numpy() is array


def test_as_tensor_copies_only_what_has_to_change() -> None:
    x = tinyrnn.ones(2, requires_grad=True)
    assert tinyrnn.as_tensor(x) is x
    y = tinyrnn.as_tensor(x, dtype=tinyrnn.float64)
    assert (y.dtype, y.requires_grad) == (tinyrnn.float64, True)
    array = np.ones(2)
    assert not np.shares_memory(tinyrnn.as_tensor(array, dtype=tinyrnn.float32).numpy(), array)


def test_a_copy_is_a_leaf_that_no_gradient_leaves() -> None:
    x = tinyrnn.ones(2, requires_grad=True) * 2
    for y in (tensor(x), tensor([x[0], x[1]]), tensor([[x[0]], [3.0]])):
        assert y.is_leaf
        assert not y.requires_grad
    assert tensor(x, requires_grad=True).requires_grad


def test_a_gradient_is_asked_for_of_floating_numbers_only() -> None:
    makers: list[Callable[..., Tensor]] = [
        lambda **k: tensor([1, 2], **k),
        lambda **k: tinyrnn.zeros(2, dtype=tinyrnn.int64, **k),
        lambda **k: tinyrnn.full((2,), 3, **k),
        lambda **k: tinyrnn.arange(3, **k),
        lambda **k: tinyrnn.randint(3, (2,), **k),
    ]
    for make in makers:
        with pytest.raises(
            RuntimeError, match=r"^requires_grad: a tensor of int64 carries no gradient.*\.float\(\) it"
        ):
            make(requires_grad=True)
    for made in (tensor([1.0], requires_grad=True), tinyrnn.rand(2, requires_grad=True)):
        assert made.is_leaf
        assert made.requires_grad


EXPRESSIONS = [
    "m.zeros(2, 3)", "m.zeros((2, 3))", "m.zeros([2, 3])", "m.zeros(())", "m.zeros(0)", "m.ones(2, 0)", "m.ones(3)",
    "m.zeros(2, dtype=m.int64)", "m.ones(m.tensor(2), 3)", "m.ones(np.int64(2))", "m.ones(2, dtype=m.bool)",
    "m.full((2, 3), 7)", "m.full((2,), 7.5)", "m.full((2,), True)", "m.full((), 7)", "m.full([2], 7, dtype=m.float64)",
    "m.full((2,), np.float64(7.5))", "m.full((2,), m.tensor(7.5))", "m.full((2,), m.tensor(7))",
    "m.zeros_like(m.ones(2, 3))", "m.ones_like(m.zeros(2, dtype=m.int64))", "m.ones_like(m.zeros(2), dtype=m.float64)",
    "m.arange(5)", "m.arange(5.0)", "m.arange(1, 5)", "m.arange(1, 10, 3)", "m.arange(5, 0, -2)", "m.arange(0)",
    "m.arange(1, 1)", "m.arange(3, dtype=m.float64)", "m.arange(1, 2, 0.25)", "m.arange(2, 3, dtype=m.int32)",
    "m.arange(np.int64(5))", "m.arange(m.tensor(4))", "m.arange(0, m.tensor(2.5))", "m.arange(-1, 1, 0.5)",
    "m.arange(2**53, 2**53 + 3)", "m.linspace(0, 1, 5)", "m.linspace(3, -3, 4)", "m.linspace(0, 1, 1)",
    "m.linspace(0, 1, 0)", "m.linspace(2, 2, 3)", "m.linspace(0, 1, 5, dtype=m.float64)",
    "m.linspace(0, 10, 4, dtype=m.int64)", "m.zeros(size=(2, 3))", "m.ones(size=[2])", "m.zeros((m.tensor(2), 3))",
    "m.zeros(2, m.tensor([1, 3]).max())", "m.zeros(m.ones(2, 3).shape)", "m.zeros(m.ones(2, 3).size())",
    "m.zeros(2, layout=m.strided, device='cpu', pin_memory=False)", "m.zeros(2, out=None, device=m.device('cpu'))",
    "m.full(size=(2,), fill_value=1.5)", "m.full_like(m.ones(2, dtype=m.int64), 3.7)", "m.full_like(m.ones(2), 3)",
    "m.full_like(m.ones(2), 2, dtype=m.int64)", "m.zeros_like(m.ones(2), device='cpu', memory_format=None)",
    "m.zeros_like(m.ones(2, 3), memory_format=m.preserve_format)", "m.eye(2)", "m.eye(2, 3)",
    "m.eye(3, 2, dtype=m.int64)",
    "m.eye(0)", "m.eye(n=2, m=3)", "m.logspace(0, 2, 3)", "m.logspace(0, 2, 5, 2)",
    "m.logspace(-1, 1, steps=2, base=2.5)",
    "m.logspace(0, 1, 3, dtype=m.float64)", "m.arange(end=3)", "m.arange(start=1, end=3)", "m.arange(1, 7, step=2)",
    "m.arange(3.5, dtype=m.int64)", "m.arange(1, 10, 2.5, dtype=m.int64)", "m.linspace(0, 1, steps=3)",
    "m.linspace(m.tensor(0.0), m.tensor(1.0), 3)", "m.linspace(start=0, end=1, steps=4)", "m.asarray([1, 2.5])",
    "m.asarray(np.ones(2))", "m.asarray([1, 2], dtype=m.float64)", "m.asarray(m.ones(2), copy=True)",
    "m.tensor([m.tensor([1, 2]).max(), 3])", "m.tensor([[m.tensor(1.5)], [2]])", "m.zeros(2, dtype=float)",
    "m.zeros(2, dtype=int)", "m.zeros(2, dtype=bool)", "m.ones((2, 3), dtype=m.short)",
    "m.tensor([1.0], device='cpu:0')",
]  # fmt: skip


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_values_shape_and_dtype_are_torchs(torch: ModuleType, expression: str) -> None:
    ours, theirs = (eval(expression, {"m": m, "np": np}) for m in (tinyrnn, torch))
    assert f"torch.{ours.dtype}" == str(theirs.dtype)
    assert not ours.requires_grad
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=2e-7, strict=True)


@given(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3), st.integers(0, 50), st.sampled_from(["float32", "float64"]))
def test_evenly_spaced_numbers_are_torchs(torch: ModuleType, a: float, b: float, n: int, dtype: str) -> None:
    rounding = 4 * np.finfo(dtype).eps * max(abs(a), abs(b), 1)
    ours, theirs = (m.linspace(a, b, n, dtype=getattr(m, dtype)).numpy() for m in (tinyrnn, torch))
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=rounding, strict=True)
    if n and abs(b - a) > 1e-300:  # below, the step would be 0
        step = (b - a) / (n + 0.5)  # no whole number of steps, which rounding could make one more or less
        ours, theirs = (m.arange(a, b, step, dtype=getattr(m, dtype)).numpy() for m in (tinyrnn, torch))
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=rounding * n, strict=True)


def test_empty_has_the_shape_and_dtype_that_it_is_given() -> None:
    x = tinyrnn.empty(2, 3, dtype=tinyrnn.int32)
    assert (x.shape, x.dtype) == ((2, 3), tinyrnn.int32)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (
            lambda: tensor([[1, 2], [3]]),
            ValueError,
            "^tensor: the lists are ragged, expected equal lengths at each depth",
        ),
        (lambda: tensor([1, [2]]), ValueError, "^tensor: the lists are ragged"),
        (lambda: tinyrnn.as_tensor([[1.0], []]), ValueError, "^as_tensor: the lists are ragged"),
        (lambda: tensor("a"), TypeError, "^tensor: dtype <U1 is not supported, expected bool, whole, floating"),
        (lambda: tensor(["a", 1]), TypeError, "^tensor: dtype <U.* is not supported"),
        (lambda: tensor(None), TypeError, "^tensor: dtype object is not supported"),
        (lambda: tensor([1.0, None]), TypeError, "^tensor: dtype object is not supported"),
        (lambda: tensor(2**70), TypeError, "^tensor: dtype object is not supported"),
        (lambda: tensor([1], dtype="float99"), TypeError, "^tensor: 'float99' is not a dtype"),
        (lambda: tinyrnn.from_numpy([1.0]), TypeError, r"^from_numpy: got list, expected a numpy.ndarray: use tensor"),
        (lambda: tinyrnn.from_numpy(np.array(["a"])), TypeError, "^from_numpy: dtype <U1 is not supported"),
        (lambda: tinyrnn.zeros(-1), ValueError, r"^zeros: the shape is \(-1,\), expected sizes of at least 0"),
        (lambda: tinyrnn.ones(2.0), TypeError, r"^ones: got \(2.0,\), expected whole numbers"),
        (lambda: tinyrnn.empty("a"), TypeError, "^empty: got .*expected whole numbers"),
        (lambda: tinyrnn.full((2,), [1, 2]), TypeError, "^full: fill_value is list, expected a number"),
        (lambda: tinyrnn.full((2,), tinyrnn.ones(2)), ValueError, "2 elements, expected one"),
        (lambda: tinyrnn.zeros_like(np.ones(2)), TypeError, "^zeros_like: expected a tensor, got ndarray"),
        (lambda: tinyrnn.ones_like(3), TypeError, "^ones_like: expected a tensor, got int"),
        (
            lambda: tinyrnn.arange(5, 1),
            ValueError,
            "^arange: from 5 to 1 in steps of 1, expected steps that lead there",
        ),
        (lambda: tinyrnn.arange(0, 5, 0), ValueError, "^arange: from 0 to 5 in steps of 0"),
        (lambda: tinyrnn.linspace(0, 1, -1), ValueError, "^linspace: -1 steps, expected at least 0"),
        (lambda: tinyrnn.zeros(2, size=(3,)), TypeError, r"^zeros: got the shape twice, \(2,\) and size=\(3,\)"),
        (lambda: tinyrnn.zeros(2, colour=1), TypeError, r"^zeros\(\) got an unexpected keyword argument 'colour'"),
        (lambda: tinyrnn.full((2,), 1, size=3), TypeError, "multiple values for argument 'size'"),
        (lambda: tensor([1.0], size=3), TypeError, r"^tensor\(\) got an unexpected keyword argument 'size'"),
        (lambda: tinyrnn.zeros(2, out=tensor([1.0])), ValueError, "^zeros: out=.*expected None: copy_ or fill_"),
        (lambda: tinyrnn.ones(2, pin_memory=True), ValueError, "^ones: pin_memory=True.*no other device"),
        (lambda: tinyrnn.ones(2, layout="csr"), ValueError, "^ones: layout='csr'.*expected tinyrnn.strided"),
        (lambda: tinyrnn.empty_like(tensor([1.0]), memory_format=3), ValueError, "^empty_like: memory_format=3"),
        (lambda: tinyrnn.arange(), TypeError, r"^arange: got no end, expected arange\(end\)"),
        (lambda: tinyrnn.arange(float("inf")), ValueError, "^arange: from 0 to inf .*finite"),
        (lambda: tinyrnn.linspace(0, 1, 2.5), TypeError, "^linspace: steps is float, expected a whole number"),
        (lambda: tinyrnn.logspace(0, 1, -1), ValueError, "^logspace: -1 steps"),
        (lambda: tinyrnn.eye(2, -1), ValueError, r"^eye: the shape is \(2, -1\)"),
        (lambda: tinyrnn.eye(2.0), TypeError, "^eye: got .*expected whole numbers"),
        (lambda: tinyrnn.asarray([1.0], copy=False), ValueError, "^asarray: list cannot become this tensor without"),
        (lambda: tinyrnn.full_like(tensor([1]), "a"), TypeError, "^full_like: fill_value is str, expected a number"),
    ],
)
def test_what_makes_no_tensor_is_refused(make: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize(
    ("data", "dtype"),
    [([300], tinyrnn.uint8), ([-1], tinyrnn.uint8), (float("nan"), tinyrnn.int64), ([1e20], tinyrnn.int64)],
)
def test_a_number_that_does_not_fit_its_dtype_is_refused(data: Any, dtype: Any) -> None:
    with pytest.raises(ValueError, match="not all numbers fit"):
        tinyrnn.tensor(data, dtype=dtype)


@pytest.mark.parametrize(
    "draw",
    [
        lambda: tinyrnn.randint(0, 1000, (5,), dtype=tinyrnn.uint8),
        lambda: tinyrnn.randint(-1, 5, (5,), dtype=tinyrnn.uint8),
        lambda: tinyrnn.randperm(1000, dtype=tinyrnn.uint8),
        lambda: tinyrnn.full((2,), 300, dtype=tinyrnn.uint8),
    ],
)
def test_no_dtype_wraps_what_it_cannot_hold(draw: Callable[[], Tensor]) -> None:
    with pytest.raises(ValueError, match="not all numbers fit uint8"):
        draw()
    assert tinyrnn.randint(0, 256, (5,), dtype=tinyrnn.uint8).dtype == tinyrnn.uint8
    assert sorted(tinyrnn.randperm(256, dtype=tinyrnn.uint8).tolist()) == list(range(256))


@pytest.mark.parametrize("dtype", [tinyrnn.int64, tinyrnn.float32])
def test_complex_numbers_do_not_lose_their_imaginary_part_unasked(dtype: Any) -> None:
    with pytest.raises(TypeError, match="complex numbers do not fit"):
        tinyrnn.tensor([1 + 2j], dtype=dtype)


def test_what_is_made_like_another_lies_in_memory_as_it_does(torch: ModuleType) -> None:
    for m in (tinyrnn, torch):
        x = m.ones(2, 3, 4).permute(2, 0, 1)
        for like in (m.zeros_like, m.ones_like, m.empty_like):
            assert like(x).stride() == (1, 12, 4)
            assert like(x, memory_format=m.contiguous_format).stride() == (6, 3, 1)


def test_asarray_says_whether_it_copies() -> None:
    array, x = np.ones(2), tinyrnn.ones(2, requires_grad=True)
    assert tinyrnn.asarray(array, copy=False).array is array
    assert not np.shares_memory(tinyrnn.asarray(array, copy=True).array, array)
    assert tinyrnn.asarray(x) is x
    assert not tinyrnn.asarray(x, requires_grad=False).requires_grad
    assert tinyrnn.asarray(x, copy=True).grad_fn is not None
    assert tinyrnn.asarray([1.0], requires_grad=True).is_leaf


def test_a_leaf_that_learns_can_be_made_by_all() -> None:
    makers = [lambda **k: tinyrnn.zeros_like(tensor([1.0]), **k), lambda **k: tinyrnn.eye(2, **k)]
    makers += [lambda **k: tinyrnn.logspace(0, 1, 2, **k), lambda **k: tinyrnn.empty(size=(2,), **k)]
    for make in makers:
        assert make(requires_grad=True).requires_grad
        assert not make(requires_grad=False).requires_grad
