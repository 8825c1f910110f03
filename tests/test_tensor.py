"""Tensor: what it says of itself, its place in the graph, ways out into Python and NumPy, copies, dtypes, operators."""

from __future__ import annotations

import copy
import math
import operator
import pickle
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import tinyrnn
from tinyrnn import Tensor, tensor

# what it is


def test_the_class_makes_a_copy_in_the_default_dtype() -> None:
    array = np.array([1, 2])
    x = Tensor(array)
    array[0] = 9
    assert (x.tolist(), x.dtype) == ([1, 2], tinyrnn.float32)
    assert Tensor((1, 2)).tolist() == [1, 2]
    assert Tensor().shape == (0,)


def test_the_class_takes_sizes_as_in_old_programs() -> None:
    for x in (Tensor(2, 3), Tensor(tinyrnn.ones(2, 3).size()), Tensor(np.int64(2), 3), Tensor(size=(2, 3))):
        assert (x.shape, x.dtype, x.is_leaf) == ((2, 3), tinyrnn.float32, True)
    assert Tensor(3, device="cpu").shape == (3,)


def test_the_class_shares_the_memory_of_a_tensor() -> None:
    x = tensor([1.0, 2.0], dtype=tinyrnn.float64, requires_grad=True)
    y = Tensor(x)
    assert (y.dtype, y.requires_grad) == (tinyrnn.float64, False)
    loss = (x * x).sum()
    y.add_(1)
    assert x.tolist() == [2, 3]
    with pytest.raises(RuntimeError, match="changed in place"):
        loss.backward()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Tensor(1.5), "^Tensor: got float, expected sizes, or a list of numbers"),
        (lambda: Tensor(None), "^Tensor: got NoneType"),
        (lambda: Tensor(True), "^Tensor: got bool"),
        (lambda: Tensor("ab"), "^Tensor: got str"),
        (lambda: Tensor(2, [3]), "^Tensor: got int, list"),
        (lambda: Tensor([1], dtype=tinyrnn.int64), r"^Tensor\(\) got an unexpected keyword argument 'dtype'"),
    ],
)
def test_the_class_refuses_what_is_neither_sizes_nor_data(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        make()


# its place in the graph


def test_the_gradient_of_a_result_is_kept_on_request() -> None:
    x = tinyrnn.ones(2, requires_grad=True)
    y = x * 2
    assert not y.retains_grad
    y.retain_grad()
    assert y.retains_grad
    x.retain_grad()
    assert not x.retains_grad


def test_a_leaf_may_start_and_stop_requiring_a_gradient() -> None:
    x = tinyrnn.ones(2)
    assert (x.requires_grad, x.is_leaf, x.grad, x.grad_fn) == (False, True, None, None)
    assert x.requires_grad_() is x
    assert x.requires_grad
    x.requires_grad = False
    assert not (x * 2).requires_grad
    assert tinyrnn.ones(2).requires_grad_(False).requires_grad is False


def test_a_result_requires_a_gradient_as_its_inputs_do() -> None:
    x = tinyrnn.ones(2, requires_grad=True)
    y = x * 2
    assert (y.requires_grad, y.is_leaf, str(y.grad_fn)) == (True, False, "<mul>")
    y.requires_grad = True  # says nothing new
    with pytest.raises(RuntimeError, match=r"^requires_grad: a tensor that was computed from others.*detach\(\)"):
        y.requires_grad = False


def test_whole_numbers_carry_no_gradient() -> None:
    for dtype in ("int64", "bool"):
        x = tinyrnn.ones(2, dtype=dtype)
        with pytest.raises(
            RuntimeError, match=rf"^requires_grad: a tensor of {dtype} carries no gradient.*\.float\(\)"
        ):
            x.requires_grad_()
        x.requires_grad = False


def test_a_gradient_may_be_put_in_place() -> None:
    x = tinyrnn.ones(2, requires_grad=True)
    x.grad = tensor([1.0, 2.0])
    (x * 3).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [4, 5]
    x.grad = None
    assert x.grad is None


@pytest.mark.parametrize(
    ("grad", "error", "message"),
    [
        (3.0, TypeError, "^grad: got float, expected a tensor or None"),
        (np.ones(2), TypeError, "^grad: got ndarray"),
        (tinyrnn.ones(3), ValueError, r"^grad: got shape \(3,\) of float32 for a tensor of shape \(2,\) of float32"),
        (tinyrnn.ones(2).double(), ValueError, "^grad: got shape .* of float64 for"),
    ],
)
def test_a_gradient_has_the_shape_and_dtype_of_its_tensor(grad: Any, error: type[Exception], message: str) -> None:
    x = tinyrnn.ones(2, requires_grad=True)
    with pytest.raises(error, match=message):
        x.grad = grad
    assert x.grad is None


def test_data_is_the_memory_outside_the_graph() -> None:
    x = tinyrnn.ones(2, requires_grad=True)
    y = (x * x).sum()
    assert not x.data.requires_grad
    x.data.add_(1)  # uncounted: the gradient is that of the new value, as in torch
    y.backward()
    assert x.tolist() == [2, 2]
    assert x.grad is not None
    assert x.grad.tolist() == [4, 4]


def test_data_may_be_replaced() -> None:
    x = tinyrnn.ones(2, requires_grad=True)
    x.data = tensor([[1.0, 2.0, 3.0]], dtype=tinyrnn.float64)
    assert (x.shape, x.dtype, x.requires_grad, x.is_leaf) == ((1, 3), tinyrnn.float64, True, True)
    with pytest.raises(TypeError, match=r"^data: got ndarray, expected a tensor"):
        x.data = np.ones(2)  # type: ignore[assignment]
    with pytest.raises(TypeError, match=r"^data: a tensor that requires a gradient cannot become int64"):
        x.data = tensor([1, 2])


def test_a_view_whose_data_is_replaced_is_a_view_no_more() -> None:
    x = tinyrnn.ones(3, requires_grad=True) * 1
    y = x[1:]
    y.data = tinyrnn.zeros(2)
    y.add_(5)
    assert (x.tolist(), y.tolist()) == ([1, 1, 1], [5, 5])
    assert (x._version, y._version) == (0, 1)
    x.sum().backward()


def test_a_detached_tensor_shares_memory_and_count_but_no_graph() -> None:
    x = tinyrnn.ones(2, requires_grad=True)
    y = x * 2
    z = y.detach()
    assert (z.requires_grad, z.is_leaf, z.grad_fn) == (False, True, None)
    assert np.shares_memory(z.numpy(), y.detach().numpy())
    loss = (y * y).sum()
    z.add_(1)
    assert y.tolist() == [3, 3]
    assert y._version == 1
    with pytest.raises(RuntimeError, match=r"'mul'.*changed in place"):
        loss.backward()


def test_a_tensor_can_be_taken_out_of_its_graph() -> None:
    x = tinyrnn.ones(2, requires_grad=True)
    y = x * 2
    assert y.detach_() is y
    assert (y.requires_grad, y.is_leaf, y.grad_fn) == (False, True, None)
    assert not x.detach_().requires_grad
    with pytest.raises(RuntimeError, match=r"^detach_: this tensor is a view of another.*use detach\(\)"):
        (x * 2)[0].detach_()


def test_backward_takes_all_its_arguments() -> None:
    x, w = tensor([1.0, 2.0], requires_grad=True), tensor([3.0, 4.0], requires_grad=True)
    y = x * w
    y.backward(tensor([1.0, 10.0]), retain_graph=True, inputs=[x])
    y.backward(gradient=tensor([1.0, 10.0]), inputs=x)
    assert x.grad is not None
    assert (x.grad.tolist(), w.grad) == ([6, 80], None)


# out into Python and NumPy


def test_numpy_is_the_array_itself() -> None:
    x = tensor([[1.0, 2.0], [3.0, 4.0]])
    assert x.numpy() is x.array
    assert np.asarray(x) is x.array
    x.t().numpy()[0, 1] = 9
    assert x.tolist() == [[1, 2], [9, 4]]
    assert not np.shares_memory(np.array(x), x.array)
    assert np.asarray(x, dtype=np.float64).dtype == np.float64
    with pytest.raises(ValueError, match=r"copy"):
        np.array(x, dtype=np.float64, copy=False)


@pytest.mark.parametrize("out", [lambda x: x.numpy(), np.asarray, np.array, lambda x: np.tanh(np.asarray(x))])
def test_numpy_is_refused_while_a_gradient_is_required(out: Callable[..., Any]) -> None:
    for x in (tinyrnn.ones(2, requires_grad=True), tinyrnn.ones(2, requires_grad=True) * 2):
        with pytest.raises(RuntimeError, match=r"^numpy: this tensor requires a gradient.*use \.detach\(\)\.numpy\(\)"):
            out(x)
        assert out(x.detach()) is not None
        assert x.numpy(force=True) is x.array


@pytest.mark.parametrize("data", [1.5, 3, True, [1.5, 2.5], [[1, 2], [3, 4]], [], [[True]]])
def test_lists_come_back_as_they_went_in(data: Any) -> None:
    back = tensor(data).tolist()
    assert back == data
    assert type(back) is type(data)


@pytest.mark.parametrize("x", [tensor(1.5), tensor([1.5]), tensor([[1.5]], requires_grad=True)])
def test_one_element_is_a_number(x: Tensor) -> None:
    assert type(x.item()) is float
    assert (x.item(), float(x), int(x), bool(x)) == (1.5, 1.5, 1, True)
    assert (math.sqrt(x) ** 2, f"{x.item():.2f}", operator.mod("%.1f %d", (x, x))) == (
        pytest.approx(1.5),
        "1.50",
        "1.5 1",
    )


@pytest.mark.parametrize("x", [tensor([1.0, 2.0]), tensor([]), tinyrnn.ones(2, 2)])
def test_several_elements_or_none_are_no_number(x: Tensor) -> None:
    for number in (lambda x: x.item(), float, int):
        with pytest.raises(
            ValueError, match=rf"^item: a tensor of shape \(.*\) has {x.numel()} elements, expected one"
        ):
            number(x)
    with pytest.raises(ValueError, match=r"^bool: whether a tensor of shape .* is ambiguous.*x\.any\(\)"):
        bool(x)


def test_truth_is_that_of_the_number() -> None:
    assert not tensor(0.0)
    assert not tensor([False])
    assert tensor(-1)
    assert tensor(float("nan"))


def test_whole_numbers_are_indices() -> None:
    letters = "abc"
    assert letters[tensor(1)] == letters[tensor([1])] == letters[tensor(True)] == "b"
    assert list(range(tensor(3))) == [0, 1, 2]
    assert np.arange(5)[tensor(2)] == 2
    with pytest.raises(TypeError, match=r"^a tensor of float32 cannot be an index, expected one of whole numbers"):
        letters[tensor(1.0)]
    with pytest.raises(ValueError, match=r"2 elements, expected one"):
        letters[tensor([1, 2])]


def test_one_element_formats_as_a_number() -> None:
    x = tensor(2.5)
    assert f"{x:.4f} {x:8.2f}|" == "2.5000     2.50|"
    assert ("{:.4f}".format(x), "%d" % x, "%.1f" % x, "%s" % tensor(3)) == ("2.5000", "2", "2.5", "tensor(3)")  # noqa: UP031, UP032
    assert ("%d" % tensor([3]), "%.2f" % tensor([[1.5]]), complex(x)) == ("3", "1.50", 2.5 + 0j)  # noqa: UP031


def test_a_tensor_is_a_sequence_of_its_slices() -> None:
    x = tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], requires_grad=True)
    assert len(x) == 3
    assert [row.tolist() for row in x] == [[1, 2], [3, 4], [5, 6]]
    assert list(tinyrnn.ones(0, 2)) == []
    a, b, c = x
    (a * b * c).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [[15, 24], [5, 12], [3, 8]]


def test_a_0d_tensor_is_no_sequence() -> None:
    with pytest.raises(TypeError, match=r"^len: a 0-d tensor has no length"):
        len(tensor(1.0))
    with pytest.raises(TypeError, match=r"^iter: a 0-d tensor has no elements.*item\(\)"):
        iter(tensor(1.0))


def test_it_contains_its_elements() -> None:
    x = tensor([[1.0, 2.0], [3.0, 4.0]])
    assert 2 in x
    assert tensor(3.0) in x
    assert np.float64(4) in x
    assert 5 not in x
    assert 1 not in tensor([])
    assert tensor([1.0, 9.0]) in x  # one element is enough, as in torch
    for other in (None, "a", [1.0]):
        with pytest.raises(TypeError, match=r"^eq: cannot combine a tensor with"):
            assert other in x


def test_a_0d_tensor_formats_as_its_number_does(torch: ModuleType) -> None:
    for number in (1.5, 3, True, float("nan"), -2.0):
        for grad in {False, isinstance(number, float)}:
            x, y = tensor(number, requires_grad=grad), torch.tensor(number, requires_grad=grad)
            for spec in ("", ".3f", ">9", "e"):
                assert format(x, spec) == format(y, spec)
    x = tensor([1.5])
    assert f"{x}" == str(x)
    with pytest.raises(TypeError, match=r"unsupported format string passed to Tensor\.__format__"):
        f"{x:.3f}"


def test_it_is_hashed_by_identity_and_compared_by_element() -> None:
    x, y = tinyrnn.ones(2), tinyrnn.ones(2)
    assert len({x, y, x}) == 2
    assert {x: "x"}[x] == "x"
    assert (x == y).tolist() == [True, True]
    assert (x == None) is False  # noqa: E711


# copies


@pytest.mark.parametrize("again", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool"])
def test_a_copy_is_equal_and_apart(again: Callable[[Tensor], Tensor], dtype: str) -> None:
    for x in (tinyrnn.ones(2, 3, dtype=dtype), tinyrnn.ones(3, 2, dtype=dtype).t(), tinyrnn.ones((), dtype=dtype)):
        y = again(x)
        assert type(y) is type(x)
        assert (y.tolist(), y.dtype, y.shape, y.is_leaf) == (x.tolist(), x.dtype, x.shape, True)
        y.zero_()
        assert x.tolist() == tinyrnn.ones(x.shape).tolist()


@pytest.mark.parametrize("again", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_a_copy_requires_a_gradient_as_the_original(again: Callable[[Tensor], Tensor]) -> None:
    x = tinyrnn.ones(2, requires_grad=True)
    (x * 3).sum().backward()
    y = again(x)
    assert y.requires_grad
    (y * 2).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [3, 3]


def test_a_deep_copy_has_its_own_gradient_and_is_made_once() -> None:
    x = tinyrnn.ones(2, requires_grad=True)
    (x * 3).sum().backward()
    a, b = copy.deepcopy([x, x])
    assert a is b
    assert a.grad is not None
    assert x.grad is not None
    a.grad.zero_()
    assert x.grad.tolist() == [3, 3]


def test_a_result_is_not_copied_with_its_graph() -> None:
    y = tinyrnn.ones(2, requires_grad=True) * 2
    with pytest.raises(RuntimeError, match=r"^deepcopy: only leaves.*detach\(\) it first"):
        copy.deepcopy(y)
    with pytest.raises(RuntimeError, match=r"^pickle: only leaves.*detach\(\) it first"):
        pickle.dumps(y)
    assert copy.deepcopy(y.detach()).tolist() == [2, 2]


# operators


def test_the_transposes_are_views(torch: ModuleType) -> None:
    x = tinyrnn.arange(6.0).reshape(2, 3)
    y = torch.arange(6.0).reshape(2, 3)
    for ours, theirs in ((x.T, y.T), (x.mT, y.mT), (x[None].mT, y[None].mT)):
        assert ours.tolist() == theirs.tolist()
        assert np.shares_memory(ours.numpy(), x.numpy())


@pytest.mark.parametrize("symbol", [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow])
@pytest.mark.parametrize("left", [np.ones(2), np.float64(2), np.array(2.0), np.ones(2, np.float32), np.ones((3, 1))])
def test_with_an_array_on_the_left_the_result_is_a_tensor_in_the_graph(symbol: Callable[..., Any], left: Any) -> None:
    x = tensor([1.5, 2.5], requires_grad=True)
    y = symbol(left, x)
    assert isinstance(y, Tensor)
    assert y.requires_grad
    np.testing.assert_allclose(y.detach().numpy(), symbol(left, x.detach().numpy()), rtol=1e-6)


def test_what_is_no_operand_is_refused_on_either_side() -> None:
    x = tinyrnn.ones(2)
    for other in ("a", [1.0, 2.0], None, (1.0,)):
        for symbol in (operator.add, operator.mul, operator.sub, operator.truediv, operator.pow):
            with pytest.raises(TypeError, match=r"cannot combine a tensor with"):
                symbol(x, other)
            with pytest.raises(TypeError, match=r"cannot combine a tensor with"):
                symbol(other, x)


def test_anything_can_be_asked_whether_it_is_a_tensor() -> None:
    assert tinyrnn.is_tensor(tinyrnn.nn.Parameter(tinyrnn.ones(1)))
    assert not tinyrnn.is_tensor(np.ones(1))


def test_every_function_is_a_method_too() -> None:
    """A function of tinyrnn whose first argument is a tensor can be called on the tensor, but for two that join."""
    x = tensor([[0.5, 0.25], [0.75, 1.0]])
    for name in ("abs", "clone", "cos", "exp", "log", "neg", "relu", "sigmoid", "sin", "sqrt", "square", "t", "tanh"):
        assert getattr(x, name)().tolist() == getattr(tinyrnn, name)(x).tolist(), name
    for name in ("mean", "sum", "flatten", "squeeze"):
        assert getattr(x, name)().tolist() == getattr(tinyrnn, name)(x).tolist(), name
    for name in ("add", "div", "mul", "pow", "sub", "maximum", "minimum", "matmul", "eq", "ne", "lt", "le", "gt", "ge"):
        assert getattr(x, name)(x).tolist() == getattr(tinyrnn, name)(x, x).tolist(), name
    assert abs(x - 1).tolist() == (x - 1).abs().tolist()


def test_a_name_that_is_not_there_is_said_to_be_absent() -> None:
    x = tinyrnn.ones(2)
    assert not hasattr(x, "svd")
    assert getattr(x, "nonsense", None) is None
    with pytest.raises(AttributeError, match=r"^Tensor has no 'svd'.*Instead: numpy.linalg.svd works on arrays"):
        x.svd()
    with pytest.raises(AttributeError, match="'Tensor' object has no attribute 'nonsense'"):
        x.nonsense  # noqa: B018
    assert not hasattr(x, "__nonsense__")
    assert "tanh" in dir(x)


def test_data_given_anew_keeps_the_count_of_changes() -> None:
    w = tinyrnn.ones(2, requires_grad=True)
    loss = (w * w).sum()
    w.data = w.data
    with tinyrnn.no_grad():
        w.add_(1)
    with pytest.raises(RuntimeError, match="changed in place"):
        loss.backward()


def test_a_shallow_copy_counts_changes_with_its_original() -> None:
    w, v = tinyrnn.ones(2, requires_grad=True), tinyrnn.ones(2, requires_grad=True)
    same = copy.copy(w)
    assert same.requires_grad
    assert same.is_leaf
    y = (v * w).sum()
    with tinyrnn.no_grad():
        same.add_(1)
    with pytest.raises(RuntimeError, match="changed in place"):
        y.backward()


def test_complex_numbers_carry_no_gradient() -> None:
    with pytest.raises(RuntimeError, match="complex128 carries no gradient"):
        tinyrnn.tensor([1j]).requires_grad_()


def test_an_array_that_is_changed_after_use_changes_no_gradient() -> None:
    x, a = tinyrnn.ones(2, requires_grad=True), np.array([2.0, 3.0], np.float32)
    y = x * a
    a += 1
    y.sum().backward()
    assert x.grad.tolist() == [2, 3]
