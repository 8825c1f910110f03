"""Indexing: every kind of index reads and writes what NumPy and torch read and write, with its gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, basic_indices, integer_array_indices

import tinyrnn
from tinyrnn import tensor
from tinyrnn.autograd.graph import Patch

# For x of shape (2, 3, 4); m is the module: the same index here and in torch.
INDICES = [
    "0", "-1", "1, 2", "1, -1, 0", "0, 0, 0", "...", "..., 0", "0, ..., 1", "...,", "None", "None, 0", "0, None, 1",
    ":", "0:1", "1:", ":, 1:", ":, :2, ::2", "..., ::3", ":, 5:", ":, 2:1", "0:9, -2:", ":, None, :, None, 1",
    "[0]", "[1, 0, 1]", "[[0, 1], [1, 1]],", "[]", ":, []", "(0, 1), (1, 2)", "[0, 1], [2, 0]", "[0, 1], :, [1, 3]",
    ":, [0, 2], [1, 3]", ":, [0, 2]", "[0, 1], [2, 0], [3, 3]", "[[0], [1]], [0, 2]", "..., [0, -1]",
    "[0, 1], ..., [0, 2]", "None, [1]", "[1], None, [0]", "range(2)", "np.array([1, 0])", "np.array([[1, 0], [0, 0]])",
    "np.int64(1)", "np.array(1)", "m.tensor([1, 0])", "m.tensor(1)", "m.tensor([[1, 0]])", "m.tensor(1), 0",
    "m.tensor(-1), :, m.tensor(2)", "m.tensor([1, 0], dtype=m.int32)", "m.tensor(0):m.tensor(1)", ":, m.tensor(1):",
    "0, :, [1, 2]", "0, [0, 1, 1]", "[0, 1], 1", "[0, 1], :, 1", ":, 1, [0, 2]", "1, :, m.tensor([0, 2])",
    "m.tensor(1), :, m.tensor([0, 2])", "np.int64(1), :, [0, 2]", "..., 1, [0, 2]", "1, ..., [0, 2]", "0, None, [1]",
    "[0, 1], None, 0", "1, 1, [0, 2, 2]", "[0, 0], 1, [2, 3]", "1, [0, 2], ::2", "-1, ::2, [0, 2]",
    "x > 5", "0, x[0] > 5", "x[:, 0, 0] > 5", ":, x[0, :, 0] > 2", "..., x[0, 0] > 1", "[True, False]",
    ":, [True, False, True]", "[True, True], :, [0, 1]", "x[..., 0] > 5", "x[..., 0] > 5, 1", "x[..., 0] > 5, [1]",
    "x > 99", "x > -1", "np.array([True, False])", "m.tensor([False, True])", "1, m.tensor([False, True, True])",
    "m.tensor([True, False]), 0", "True", "False", "m.tensor(True)", "None, True", "0, True", "0, :, True", "True, [1]",
]  # fmt: skip


def x234(dtype: str = "float64") -> np.ndarray:
    return np.arange(24, dtype=dtype).reshape(2, 3, 4)


@pytest.mark.parametrize("index", INDICES)
def test_reading_is_torchs(agree: Callable[..., None], index: str) -> None:
    agree(lambda m, x: eval(f"x[{index}]"), x234())
    agree(lambda m, x: eval(f"x[{index}]"), x234("float32"))


@pytest.mark.parametrize("index", INDICES)
def test_writing_is_torchs(agree: Callable[..., None], index: str) -> None:
    """A tensor of the shape that is written to, one that broadcasts, and a number; x is used before, too."""

    def write(m: Any, x: Any, y: Any) -> Any:
        z = x * 1
        before = z.tanh()
        exec(f"z[{index}] = y")
        return z * 2 + before

    place = eval(f"x[{index}]", {"x": tensor(x234()), "m": tinyrnn, "np": np}).numpy()
    if len(np.unique(place)) == place.size:  # with an element named twice, torch sends its gradient to both: see below
        y = np.random.default_rng(0).standard_normal(place.shape)
        agree(write, x234(), y)
        agree(write, x234(), np.array(2.5))
        if place.ndim and place.shape[0] != 1:
            agree(write, x234(), y[:1])
    agree(lambda m, x: write(m, x, 2.5), x234("float32"))


SHAPES = array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=4)


@given(SHAPES, st.data())
def test_ints_and_slices_read_and_write_as_in_numpy(shape: tuple[int, ...], data: Any) -> None:
    index = data.draw(basic_indices(shape, allow_newaxis=True))
    check_against_numpy(shape, index, is_view=True)


@given(array_shapes(min_dims=1, max_dims=4, max_side=4), st.data())
def test_arrays_of_ints_read_and_write_as_in_numpy(shape: tuple[int, ...], data: Any) -> None:
    dtype = data.draw(st.sampled_from(["int64", "int32", "int16", "int8"]))
    index = data.draw(integer_array_indices(shape, dtype=np.dtype(dtype)))
    check_against_numpy(shape, index, is_view=False)


@given(SHAPES, st.data())
def test_masks_read_and_write_as_in_numpy(shape: tuple[int, ...], data: Any) -> None:
    ndim, seed = data.draw(st.integers(1, len(shape))), data.draw(st.integers(0, 2**32 - 1))
    check_against_numpy(shape, np.random.default_rng(seed).random(shape[:ndim]) < 0.5, is_view=False)


def check_against_numpy(shape: tuple[int, ...], index: Any, is_view: bool) -> None:
    rng = np.random.default_rng(0)
    array = rng.standard_normal(shape)
    x = tensor(array, requires_grad=True)
    y = x[index]
    np.testing.assert_array_equal(y.detach().numpy(), array[index], strict=True)
    g = np.asarray(rng.standard_normal(y.shape))
    dx = np.zeros(shape)
    np.add.at(dx, index, g)
    (found,) = tinyrnn.autograd.grad(y, x, tensor(g))
    np.testing.assert_allclose(found.numpy(), dx, rtol=0, atol=1e-14)
    if y.numel():
        assert np.shares_memory(y.detach().numpy(), x.detach().numpy()) == is_view
    z = x.clone()
    z[index] = g
    array[index] = g
    np.testing.assert_array_equal(z.detach().numpy(), array, strict=True)


def test_a_single_element_is_a_view_too() -> None:
    x = tinyrnn.arange(3.0)
    y, z = x[0], x[tensor(1)]
    x[:] = 5
    assert (y.item(), z.item()) == (5, 5)
    y += 1
    x[2].zero_()
    assert x.tolist() == [6, 5, 0]


def test_the_gradient_of_a_changed_single_element_reaches_its_tensor(agree: Callable[..., None]) -> None:
    def change(m: Any, x: Any) -> Any:
        y = x * 1
        y[0].mul_(7)
        y[2].mul_(x[1])
        return y

    agree(change, np.arange(1.0, 4))


def test_an_element_that_is_named_twice_keeps_the_last_value_and_its_gradient() -> None:
    """torch leaves open which one stays, and sends the gradient to both."""
    x, y = tinyrnn.zeros(3), tensor([1.0, 2.0, 3.0], requires_grad=True)
    x[[0, 2, 0]] = y
    assert x.tolist() == [3, 0, 2]
    x.backward(tensor([5.0, 7.0, 11.0]))
    assert y.grad is not None
    assert y.grad.tolist() == [0, 11, 5]


@pytest.mark.parametrize("make", [np.array, tensor])
@pytest.mark.parametrize("index", [[0, 1], [True, True, False]])
def test_an_index_that_is_changed_later_does_no_harm(make: Callable[..., Any], index: list[int]) -> None:
    x, where = tensor([1.0, 2.0, 3.0], requires_grad=True), make(index)
    y, z = x[where], x * 1
    z[where] = 0
    where[0] = 1 - where[0]
    (y * tensor([5.0, 7.0])).sum().backward()
    z.backward(tensor([5.0, 7.0, 11.0]))
    assert x.grad is not None
    assert x.grad.tolist() == [5, 7, 11]


def test_what_is_written_may_be_a_part_of_the_same_tensor() -> None:
    x = tinyrnn.arange(4.0)
    x[1:] = x[:-1]
    assert x.tolist() == [0, 0, 1, 2]


@pytest.mark.parametrize("value", [2.75, np.array([2.75, 2.75]), [2.75, 2.75], tensor(2.75), np.float64(2.75)])
@pytest.mark.parametrize(("dtype", "kept"), [("float64", 2.75), ("float32", 2.75), ("int64", 2), ("bool", True)])
def test_what_is_written_takes_the_dtype_of_the_tensor(value: Any, dtype: str, kept: float) -> None:
    x = tinyrnn.zeros(3, dtype=dtype)
    x[1:] = value
    assert (x.tolist(), x.dtype) == ([0, kept, kept], dtype)


def test_whole_numbers_carry_no_gradient_in_or_out() -> None:
    x = tinyrnn.zeros(2, dtype=tinyrnn.int64)
    x[0] = tensor(2.5, requires_grad=True)
    assert not x.requires_grad


def test_a_gradient_has_the_dtype_of_what_was_written() -> None:
    x, y = tinyrnn.zeros(3), tinyrnn.ones(2, dtype=tinyrnn.float64, requires_grad=True)
    x[1:] = y
    x.backward(tensor([1.0, 2.0, 3.0]))
    assert y.grad is not None
    assert (y.grad.tolist(), y.grad.dtype) == ([2, 3], tinyrnn.float64)


def test_leading_axes_of_size_1_may_be_left_away() -> None:
    x = tinyrnn.zeros(2, 3)
    x[0] = tinyrnn.ones(1, 1, 3)
    x[1, 1] = tinyrnn.ones(1, 1)
    assert x.tolist() == [[1, 1, 1], [0, 1, 0]]


@pytest.mark.parametrize("shape", [(2,), (2, 3), (3, 1), (2, 1, 3)])
def test_what_does_not_fit_is_refused_and_nothing_changes(shape: tuple[int, ...]) -> None:
    x = tinyrnn.zeros(2, 3)
    with pytest.raises(
        ValueError, match=r"^x\[\.\.\.\] = y: y has shape \(.*\), x\[\.\.\.\] has \(3,\): expected y to"
    ):
        x[0] = tinyrnn.ones(shape)
    assert x.tolist() == [[0, 0, 0], [0, 0, 0]]
    assert x._version == 0


@pytest.mark.parametrize("value", ["a", None, [None], object()])
def test_what_is_no_number_is_not_written(value: Any) -> None:
    with pytest.raises(TypeError, match=r"^x\[\.\.\.\] = y: dtype .* is not supported, expected bool, whole, floating"):
        tinyrnn.zeros(2)[0] = value


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (2, "index 2 is out of bounds for axis 0 with size 2 .*shape .2, 3"),
        (-3, "index -3 is out of bounds"),
        ((0, 3), "index 3 is out of bounds for axis 1"),
        ((0, 0, 0), "too many indices.*shape .2, 3"),
        ((..., ...), "single ellipsis"),
        ([0, 2], "index 2 is out of bounds"),
        (([0, 1], [0, 1, 2]), "shape mismatch"),
        ([True, False, True], "boolean index did not match"),
        (1.0, "an index is float, expected whole numbers, bools, slices, None or"),
        ("a", "an index is str"),
        (1j, "an index is complex"),
        ([0.0, 1.0], "an index is of dtype float64"),
        (np.array([]), "an index is of dtype float64"),
        (tensor([0.0]), r"an index is of dtype float32.*\.long\(\)"),
        (tensor(1.0), "an index is of dtype float32"),
        (tensor([]), "an index is of dtype float32"),
    ],
)
def test_an_index_that_does_not_fit_is_refused(index: Any, message: str) -> None:
    x = tinyrnn.zeros(2, 3)
    with pytest.raises(IndexError, match=r"^x\[\.\.\.\]: .*" + message):
        x[index]
    with pytest.raises(IndexError, match=r"^x\[\.\.\.\]: .*" + message):
        x[index] = 1
    assert x._version == 0


def test_a_slice_of_anything_but_whole_numbers_is_refused() -> None:
    with pytest.raises(TypeError, match="slice indices must be integers"):
        tinyrnn.zeros(3)[0.5:]


def test_a_leaf_that_requires_a_gradient_is_not_written_to() -> None:
    x = tinyrnn.zeros(2, 3, requires_grad=True)
    for index in (0, [0], (0, [1]), ...):
        with pytest.raises(RuntimeError, match=r"^x\[\.\.\.\] = y: a (view of a )?leaf that requires a gradient"):
            x[index] = 1
    with tinyrnn.no_grad():
        x[0, [1]] = 1
    assert x.tolist() == [[0, 1, 0], [0, 0, 0]]
    assert x.is_leaf


def test_a_value_that_is_written_over_is_missed_where_it_is_needed() -> None:
    w = tinyrnn.ones(3, requires_grad=True)
    x = w * 1
    y = (x * x).sum()
    x[0] = 5
    with pytest.raises(RuntimeError, match=r"'mul'.*changed in place"):
        y.backward()


@pytest.mark.parametrize("index", [3, (3, slice(1)), ([3, 3],)])
def test_the_gradient_of_a_part_is_no_larger_than_the_part(index: Any) -> None:
    """Otherwise a loop over T steps would fill T^2 of them with zeros."""
    y = tinyrnn.zeros(9, 2, requires_grad=True)[index]
    assert y.grad_fn is not None
    assert y.grad_fn.pullback is not None
    (patch,) = y.grad_fn.pullback(np.ones(y.shape))
    assert isinstance(patch, Patch)
    assert patch.g.size <= y.numel()


@pytest.mark.filterwarnings("ignore:indexing with dtype torch.uint8")
@pytest.mark.parametrize(
    "index", ["np.array([1, 0], np.uint8)", "m.tensor([1, 0], dtype=m.uint8)", "m.tensor(1).byte()"]
)
def test_an_index_of_uint8_is_a_mask_as_in_torch_with_its_warning(torch: Any, index: str) -> None:
    x = tinyrnn.arange(2)
    with pytest.warns(UserWarning, match=r"uint8, which counts as a mask, is deprecated.*\.long\(\)"):
        found = eval(f"x[{index}]", {"x": x, "m": tinyrnn, "np": np})
    expected = eval(f"x[{index}]", {"x": torch.arange(2), "m": torch, "np": np})
    assert found.tolist() == expected.tolist()
    with pytest.warns(UserWarning, match="uint8"):
        x[eval(index, {"m": tinyrnn, "np": np})] = 7
    assert x.tolist()[0] == 7
    assert tinyrnn.arange(2)[np.uint8(1)].item() == 1


@pytest.mark.parametrize("index", [[[0, 1], [1, 1]], [tensor(0), tensor(1)], [np.array([0, 1])], [(0, 1)]])
def test_a_list_is_one_index_and_where_torch_takes_it_for_several_a_warning_says_so(index: Any) -> None:
    x = x234()
    with pytest.warns(UserWarning, match=r"a list is one index.*x\[tuple\(index\)\]"):
        y = tensor(x)[index]
    np.testing.assert_array_equal(y.numpy(), x[np.array([np.asarray(part) for part in index])], strict=True)
    np.testing.assert_array_equal(tensor(x)[tuple(index)].numpy(), x[tuple(np.asarray(part) for part in index)])


@pytest.mark.parametrize("index", [[0, [1]], [[0], [1, 2]], [slice(0, 1), 1], [None]])
def test_a_list_that_is_no_array_is_refused(index: Any) -> None:
    with (
        pytest.warns(UserWarning, match="a list is one index"),
        pytest.raises(IndexError, match=r"^x\[\.\.\.\]: an index is (no array|of dtype object)"),
    ):
        tensor(x234())[index]


@pytest.mark.parametrize(
    ("x", "mask"),
    [((2, 3), (0,)), ((2, 3), (0, 3)), ((2, 3), (2, 0)), ((2, 3), (2, 3, 0)), ((3,), (1,)), ((0, 3), (1,))],
)
def test_a_mask_of_another_shape_is_refused_an_empty_one_too(torch: Any, x: Any, mask: Any) -> None:
    for m in (tinyrnn, torch):
        y, where = m.zeros(x), m.zeros(mask, dtype=m.bool)
        with pytest.raises(IndexError):
            y[where]
        with pytest.raises(IndexError):
            y[where] = 1
        with pytest.raises(IndexError):
            y[..., None, where, None]
    assert tinyrnn.zeros(0, 3)[tinyrnn.zeros(0, dtype=tinyrnn.bool)].shape == (0, 3)


@pytest.mark.parametrize(
    "value", [300, -129, 1e30, float("nan"), float("inf"), np.int64(300), [1, 300], np.array([1e30])]
)
@pytest.mark.parametrize("index", [0, [0, 1], slice(None)])
def test_a_number_that_the_dtype_cannot_hold_is_refused(value: Any, index: Any) -> None:
    """torch refuses numbers likewise, but wraps negative ones for uint8; it takes no lists and arrays."""
    x = tinyrnn.ones(2, dtype=tinyrnn.int8)
    with pytest.raises(ValueError, match=r"^x\[\.\.\.\] = y: not all numbers fit int8"):
        x[index] = value
    assert x.tolist() == [1, 1]
    y = tinyrnn.ones(2, dtype=tinyrnn.bool)
    y[:] = value
    assert y.tolist() == [True, True]


def test_a_floating_dtype_holds_what_it_can() -> None:
    x = tinyrnn.zeros(4)
    for i, value in enumerate((float("inf"), float("-inf"), 3.4e38, -1e-300)):
        x[i] = value
    assert x.tolist()[:2] == [float("inf"), float("-inf")]
    assert x[3] == 0
    with pytest.raises(ValueError, match="not all numbers fit float32"):
        x[0] = 1e300
    with pytest.raises(TypeError, match="complex numbers do not fit float32"):
        x[0] = 1j
    with pytest.raises(TypeError, match="y is complex128, which does not fit float32"):
        x[0] = tinyrnn.from_numpy(np.array(1j))


def test_a_tensor_is_cast_as_in_torch(torch: Any) -> None:
    for m in (tinyrnn, torch):
        x = m.zeros(2, dtype=m.int8)
        x[0] = m.tensor(300)
        x[1] = m.tensor([-2.75])
        assert x.tolist() == [44, -2]


def test_a_change_of_a_part_is_written_once() -> None:
    """x[0] += 1 changes x[0], and then assigns it to itself."""
    w = tinyrnn.ones(3, requires_grad=True)
    x = w * 1
    x[0] += 1
    x[1:] *= 2
    assert x._version == 2
    assert x.tolist() == [2, 2, 2]
    x.backward(tensor([5.0, 7.0, 11.0]))
    assert w.grad is not None
    assert w.grad.tolist() == [5, 14, 22]
    y = tinyrnn.arange(4.0)
    y[1:3] = y[0:2]  # other elements of the same memory
    assert y.tolist() == [0, 0, 1, 3]


def fill(T: int, write: Callable[..., None]) -> tuple[Any, Any]:
    w = tinyrnn.ones(4, requires_grad=True)
    x = tinyrnn.zeros(T, 4) + w
    for t in range(T):
        write(x, t, w * t)
    return w, x


def assign(x: Any, t: int, y: Any) -> None:
    x[t] = y


def assign_by_number(x: Any, t: int, y: Any) -> None:
    x[[t]] = y


def assign_in_a_view(x: Any, t: int, y: Any) -> None:
    x.view(-1, 2, 2)[t, 1] = y[2:]


def add_to(x: Any, t: int, y: Any) -> None:
    x[t] += y


@pytest.mark.parametrize("write", [assign, assign_by_number, assign_in_a_view, add_to])
def test_writing_step_by_step_costs_as_much_as_the_steps(write: Callable[..., None]) -> None:
    """The gradient of x stays in one buffer: none of the T steps back makes another, of the size of x."""
    for T in (5, 20):
        _, x = fill(T, write)
        buffers: list[Any] = []
        node = x.grad_fn
        while node is not None and node.name in ("setitem", "copy_slices"):
            assert node.pullback is not None

            def watched(g: Any, pullback: Any = node.pullback, buffers: list[Any] = buffers) -> Any:
                buffers.append(g)
                gradients = pullback(g)
                assert np.size(gradients[1]) <= 4
                return gradients

            node.pullback = watched
            node = node.parents[0] and node.parents[0][0]
        x.backward(tinyrnn.ones(T, 4))
        assert len(buffers) == T
        assert len({g.__array_interface__["data"] for g in buffers}) == 1


@pytest.mark.parametrize("write", [assign, assign_by_number, assign_in_a_view, add_to])
@pytest.mark.parametrize("T", [1, 3])
def test_the_gradients_of_steps_are_those_of_their_stack(write: Callable[..., None], T: int) -> None:
    """Also where the gradient is shared with others, kept by a hook, and where the graph is gone through twice."""
    w, x = fill(T, write)
    middle = x * 1
    x.retain_grad()
    g = tensor(np.random.default_rng(0).standard_normal((T, 4)), dtype=tinyrnn.float32)
    copy = g.clone()
    (x + middle).backward(g, retain_graph=True)
    (x + middle).backward(g)
    assert g.equal(copy)
    assert x.grad is not None
    assert x.grad.allclose(4 * g)
    expected = np.zeros(4)
    for t in range(T):
        if write is assign_in_a_view:
            expected[:2] += g.numpy()[t, :2]
            expected[2:] += t * g.numpy()[t, 2:]
        else:
            expected += (t + (write is add_to)) * g.numpy()[t]
    assert w.grad is not None
    np.testing.assert_allclose(w.grad.numpy(), 4 * expected, rtol=0, atol=1e-5)
