"""Shapes: torch's values and gradients, views where torch has views and copies where it copies, torch's odd cases."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinyrnn
from tinyrnn import tensor
from tinyrnn.autograd.gradcheck import gradcheck

# op(m, x) for a module m and a tensor x of the shape: the same expression here and in torch.
EXPRESSIONS: list[tuple[str, tuple[int, ...]]] = [
    ("m.reshape(x, (3, 2))", (2, 3)),
    ("x.reshape(-1)", (2, 3)),
    ("x.reshape(3, -1)", (2, 3)),
    ("x.reshape([6, 1])", (2, 3)),
    ("x.reshape(())", (1, 1)),
    ("x.reshape(-1, 3)", (0, 3)),
    ("x.t().reshape(6)", (2, 3)),
    ("x.t().reshape(3, 2, 1)", (2, 3)),
    ("x.view(3, 2)", (2, 3)),
    ("x.view((1, -1))", (2, 3)),
    ("x.view(1, 1)", ()),
    ("x.flatten()", (2, 3, 4)),
    ("x.flatten()", ()),
    ("x.flatten()", (0, 2)),
    ("x.flatten(1)", (2, 3, 4)),
    ("m.flatten(x, 0, 1)", (2, 3, 4)),
    ("m.flatten(x, start_dim=-2, end_dim=-1)", (2, 3, 4)),
    ("x.t().flatten()", (2, 3)),
    ("x.permute(2, 0, 1)", (2, 3, 4)),
    ("m.permute(x, (1, -1, 0))", (2, 3, 4)),
    ("x.permute(())", ()),
    ("x.transpose(0, -1)", (2, 3, 4)),
    ("m.transpose(x, 1, 1)", (2, 3)),
    ("x.transpose(0, 0)", ()),
    ("x.t()", (2, 3)),
    ("m.t(x)", (3,)),
    ("x.t()", ()),
    ("x.T", (2, 3)),
    ("x.mT", (2, 3, 4)),
    ("x.squeeze()", (2, 1, 3, 1)),
    ("x.squeeze(1)", (2, 1, 3)),
    ("m.squeeze(x, 0)", (2, 1, 3)),
    ("x.squeeze((0, -1))", (1, 2, 1)),
    ("x.squeeze(0)", ()),
    ("x.squeeze()", (1, 1)),
    ("x.unsqueeze(0)", (2, 3)),
    ("m.unsqueeze(x, -1)", (2, 3)),
    ("x.unsqueeze(-3)", (2, 3)),
    ("x.unsqueeze(0)", ()),
    ("x.expand(4, -1, 3)", (2, 1)),
    ("x.expand((2, 3))", (3,)),
    ("x.expand(2, 3)", ()),
    ("x.expand(0, 3)", (1, 3)),
    ("x.expand(2, 0, 3)", (0, 3)),
    ("m.cat([x, x * 2, x])", (2, 3)),
    ("m.cat((x, x), 1)", (2, 3)),
    ("m.cat([x, x], dim=-2)", (2, 3, 1)),
    ("m.cat([x])", (2, 3)),
    ("m.cat([m.zeros(0), x, m.zeros(0)], 1)", (2, 3)),
    ("m.cat([m.zeros(0), x])", (2,)),
    ("m.cat([m.zeros(0), x])", (0, 3)),
    ("m.cat([m.zeros(2, 0), x], 1)", (2, 3)),
    ("m.stack([x, x * 2])", (2, 3)),
    ("m.stack((x, x), dim=-1)", (2, 3)),
    ("m.stack([x, x], 1)", (2,)),
    ("m.stack([x, x])", ()),
    ("x.unbind()", (2, 3)),
    ("m.unbind(x, 1)", (2, 3)),
    ("x.unbind(-1)", (3,)),
    ("x.unbind(1)", (0, 2)),
    ("x.split(2)", (5, 2)),
    ("x.split(2, -1)", (2, 4)),
    ("m.split(x, [1, 0, 4], dim=0)", (5, 2)),
    ("m.split(x, 9)", (5,)),
    ("x.split(0)", (0, 2)),
    ("x.split(3)", (0, 2)),
    ("x.split([])", (0, 2)),
    ("x.chunk(2)", (5, 2)),
    ("x.chunk(4)", (5,)),
    ("x.chunk(9)", (5,)),
    ("m.chunk(x, 3, dim=-1)", (2, 7)),
    ("x.chunk(3)", (0, 2)),
]


@pytest.mark.parametrize(("expression", "shape"), EXPRESSIONS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_value_dtype_and_gradient_are_torchs(
    agree: Callable[..., None], expression: str, shape: tuple[int, ...], dtype: str
) -> None:
    x = np.arange(1, 1 + np.prod(shape, dtype=int), dtype=dtype).reshape(shape)
    if ".view(" in expression:
        expression = expression.replace("x.view", "x.clone().view")  # x may not be contiguous: see below
    if dtype == "float32" or "zeros" not in expression:
        agree(lambda m, x: eval(expression), x)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=4), st.data())
def test_any_order_of_the_axes_is_torchs(agree: Callable[..., None], shape: list[int], data: Any) -> None:
    order = data.draw(st.permutations(range(len(shape))))
    signed = [axis - len(shape) * data.draw(st.booleans()) for axis in order]
    a, b = data.draw(st.sampled_from(order)), data.draw(st.sampled_from(signed))
    x = np.arange(np.prod(shape, dtype=int), dtype=np.float64).reshape(shape)
    agree(lambda m, x: x.permute(signed), x)
    agree(lambda m, x: x.transpose(a, b), x)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=3), st.integers(1, 6), st.data())
def test_any_taking_apart_is_torchs_and_cat_puts_it_together(
    agree: Callable[..., None], shape: list[int], n: int, data: Any
) -> None:
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    x = np.arange(np.prod(shape, dtype=int), dtype=np.float64).reshape(shape)
    agree(lambda m, x: x.split(n, axis), x)
    agree(lambda m, x: x.chunk(n, axis), x)
    agree(lambda m, x: m.cat(x.split(n, axis), axis), x)
    if shape[axis]:
        agree(lambda m, x: m.stack(x.unbind(axis), axis), x)


@pytest.mark.parametrize("name", ["cat", "stack"])
def test_joined_dtypes_are_torchs(torch: ModuleType, name: str) -> None:
    dtypes = ["bool", "uint8", "int8", "int64", "float16", "float32", "float64"]
    for a in dtypes:
        for b in dtypes:
            for shapes in [((2,), (2,)), ((0,), (0,))] + [((0,), (2, 2))] * (name == "cat"):
                ours = getattr(tinyrnn, name)([tinyrnn.ones(s, dtype=d) for s, d in zip(shapes, (a, b), strict=True)])
                kinds = (getattr(torch, a), getattr(torch, b))
                theirs = getattr(torch, name)([torch.ones(s, dtype=d) for s, d in zip(shapes, kinds, strict=True)])
                assert f"torch.{ours.dtype}" == str(theirs.dtype), (a, b, shapes)


def test_joined_dtypes_send_each_its_own_gradient(agree: Callable[..., None]) -> None:
    x, y, z = np.ones((2, 3), np.float32), np.ones((2, 2)), np.ones((2, 1), np.int64)
    agree(lambda m, x, y, z: m.cat([x, y, z], 1), x, y, z)
    agree(lambda m, x, y: m.stack([x[:, 0], y[:, 0]], 1), x, y)


SHARES = [expression for expression in EXPRESSIONS if "m.stack" not in expression[0] and "m.cat" not in expression[0]]
SHARES += [("x[0]", (2, 3)), ("x[0]", (3,)), ("x[1:, None]", (2, 3)), ("x[[0]]", (2, 3)), ("x[x > 0]", (2, 3))]
SHARES += [("x.detach()", (2, 3)), ("x.data", (2, 3)), ("x.clone()", (2, 3)), ("m.cat([x])", (2,)), ("x * 1", (2,))]
SHARES += [("x.float()", (2,)), ("x.double()", (2,)), ("m.tensor(x.numpy())", (2,)), ("m.from_numpy(x.numpy())", (2,))]
SHARES += [("m.as_tensor(x)", (2,)), ("m.as_tensor(x.numpy())", (2,)), ("x.sum()", ()), ("x.relu()", (2,))]
SHARES += [("[y for y in x]", (2, 3)), ("x.t().t().view(-1)", (2, 3)), ("x.expand(2, 3)[1]", (3,))]


@pytest.mark.filterwarnings("ignore:To copy construct")
@pytest.mark.parametrize(("expression", "shape"), [pair for pair in SHARES if 0 not in pair[1]])
def test_a_view_shares_memory_and_a_copy_does_not_as_in_torch(
    torch: ModuleType, expression: str, shape: tuple[int, ...]
) -> None:
    """What x shows after a change of the result, and the result after a change of x."""
    results: list[Any] = []
    for m in (tinyrnn, torch):  # `m` and `x` are used in `expression`
        x = m.ones(shape)
        found = eval(expression)
        x += 1
        after = [y.tolist() for y in (found if isinstance(found, tuple | list) else (found,))]
        x = m.ones(shape)
        found = eval(expression)
        for y in found if isinstance(found, tuple | list) else (found,):
            if "expand" not in expression:  # read-only here
                y += 3
        results.append([after, x.tolist()])
    assert results[0] == results[1]


def test_a_view_and_its_base_count_their_changes_together() -> None:
    x = tinyrnn.ones(2, 3)
    for y in (x.view(3, 2), x.reshape(6), x.t(), x.squeeze(), x.unsqueeze(0), x[0], x[0, 0], x.expand(2, 2, 3), *x):
        before = x._version
        assert y._version == before
        x.add_(1)
        assert y._version == x._version == before + 1
    assert x.t().reshape(6)._version == 0  # a copy


def change_the_base(m: Any, x: Any, expression: str) -> Any:
    leaf, x = x, x * 1
    y = eval(expression)
    x.mul_(leaf)
    return y


def change_the_view(m: Any, x: Any, expression: str) -> Any:
    leaf, x = x, x * 1
    y = eval(expression)
    for part in y if isinstance(y, tuple) else (y,):
        part.mul_(3)
    return x * leaf


VIEWS = [(e, s) for e, s in EXPRESSIONS if e[0] == "x" and 0 not in s and ".t()." not in e and "expand(0" not in e]
CHANGES = [(change_the_base, *view) for view in VIEWS]
CHANGES += [(change_the_view, *view) for view in VIEWS if "expand" not in view[0]]  # that one is read-only


@pytest.mark.parametrize(("change", "expression", "shape"), CHANGES)
def test_gradients_are_right_when_a_view_or_its_base_has_changed(
    change: Callable[..., Any], expression: str, shape: tuple[int, ...]
) -> None:
    """Also one of several views, where torch refuses."""
    x = tensor(np.random.default_rng(0).standard_normal(shape), requires_grad=True)
    assert gradcheck(lambda x: change(tinyrnn, x, expression), x)


def test_a_loop_over_a_tensor_goes_through_its_slices(agree: Callable[..., None]) -> None:
    agree(lambda m, x: [2 * y for y in x], np.arange(6.0).reshape(2, 3))


def test_an_expanded_tensor_is_read_only() -> None:
    x = tinyrnn.ones(3)
    y = x.expand(2, 3)
    with pytest.raises(RuntimeError, match=r"^add_: .*read-only.*clone\(\)"):
        y.add_(1)
    with pytest.raises(RuntimeError, match=r"^x\[\.\.\.\] = y: .*read-only"):
        y[0] = 1
    y.clone().add_(1)
    assert x.tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: x.reshape(4), ValueError, r"^reshape: a tensor of shape \(2, 3\) has 6 elements, which do not make"),
        (lambda x: x.reshape(-1, -1), ValueError, r"^reshape: .*\(-1, -1\).*at most one of them -1"),
        (lambda x: x.reshape(-2, 3), ValueError, "^reshape: "),
        (lambda x: x.reshape(-1, 4), ValueError, "^reshape: "),
        (lambda x: x[:0].reshape(-1, 0), ValueError, "^reshape: "),
        (lambda x: x.reshape(2.0, 3), TypeError, r"^reshape: got \(2.0, 3\), expected whole numbers"),
        (lambda x: x.view(4), ValueError, "^view: .*6 elements"),
        (lambda x: x.t().view(6), ValueError, "^view: .*not contiguous.*: use reshape"),
        (lambda x: x.expand(2, 2, 3).view(12), ValueError, "^view: .*not contiguous"),
        (lambda x: x.flatten(1, 0), ValueError, "^flatten: start_dim 1 comes after end_dim 0"),
        (lambda x: x.flatten(2), IndexError, "^flatten: dim 2 is out of range for a tensor of 2 axes"),
        (
            lambda x: x.permute(0),
            ValueError,
            r"^permute: dims \(0,\) for a tensor of 2 axes, expected each of them once",
        ),
        (lambda x: x.permute(0, 0), ValueError, "^permute: "),
        (lambda x: x.permute(0, 2), IndexError, "^permute: dim 2"),
        (lambda x: x.permute("a", 1), TypeError, "^permute: .*expected whole numbers"),
        (lambda x: x.transpose(0, 2), IndexError, "^transpose: dim 2"),
        (lambda x: x[None].t(), ValueError, r"^t: the tensor has 3 axes, expected at most 2: use transpose"),
        (lambda x: x[0].mT, IndexError, "^transpose: dim -2"),
        (lambda x: x.squeeze(2), IndexError, "^squeeze: dim 2"),
        (lambda x: x.unsqueeze(3), IndexError, "^unsqueeze: dim 3"),
        (lambda x: x.unsqueeze(-4), IndexError, "^unsqueeze: dim -4"),
        (
            lambda x: x.expand(3, 3),
            ValueError,
            r"^expand: shape \(2, 3\) does not expand to \(3, 3\): expected sizes to",
        ),
        (lambda x: x.expand(3), ValueError, "^expand: "),
        (lambda x: x.expand(-1, 2, 3), ValueError, "^expand: "),
        (lambda x: x.expand(-2, 3), ValueError, "^expand: "),
        (lambda x: x[:1].expand(-2, 3), ValueError, "^expand: "),
        (lambda x: tinyrnn.cat([]), ValueError, "^cat: there are no tensors, expected at least one"),
        (lambda x: tinyrnn.cat([x, x[0]]), ValueError, r"^cat: tensors\[1\] has shape \(3,\), the first has \(2, 3\)"),
        (lambda x: tinyrnn.cat([x, x[:, :2]]), ValueError, r"^cat: tensors\[1\].*the same sizes but for axis 0"),
        (lambda x: tinyrnn.cat([x[0, 0]]), ValueError, r"^cat: tensors\[0\].*at least 1"),
        (lambda x: tinyrnn.cat([x, x], 2), IndexError, "^cat: dim 2"),
        (lambda x: tinyrnn.cat([x, 1.0]), TypeError, r"^cat: tensors\[1\]: expected a tensor, got float"),
        (lambda x: tinyrnn.stack([]), ValueError, "^stack: there are no tensors"),
        (
            lambda x: tinyrnn.stack([x, x[:1]]),
            ValueError,
            r"^stack: tensors\[1\] has shape \(1, 3\).*expected one shape",
        ),
        (lambda x: tinyrnn.stack([x, x], 3), IndexError, "^stack: dim 3"),
        (lambda x: x[0, 0].unbind(), ValueError, "^unbind: a 0-d tensor has no slices"),
        (lambda x: x.unbind(2), IndexError, "^unbind: dim 2"),
        (lambda x: x.split(0), ValueError, "^split: parts of size 0, expected at least 1"),
        (lambda x: x.split(-1), ValueError, "^split: parts of size -1"),
        (
            lambda x: x.split([1, 2]),
            ValueError,
            r"^split: sizes \(1, 2\) for an axis of size 2, expected sizes that add",
        ),
        (lambda x: x.split([3, -1]), ValueError, "^split: sizes"),
        (lambda x: x.split(1.5), TypeError, "^split: got .*expected whole numbers"),
        (lambda x: x[0, 0].split(1), ValueError, "^split: a 0-d tensor has no parts"),
        (lambda x: x.chunk(0), ValueError, "^chunk: 0 chunks, expected at least 1"),
        (lambda x: x[0, 0].chunk(1), ValueError, "^chunk: a 0-d tensor has no parts"),
        (lambda x: x.chunk(2, 2), IndexError, "^chunk: dim 2"),
    ],
)
def test_what_does_not_fit_is_refused(call: Callable[..., Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call(tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))
