"""What is a view: which operations share memory as in torch, what then counts changes, and where gradients go."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import tinyrnn
from tinyrnn import tensor
from tinyrnn.autograd.gradcheck import gradcheck

VIEWS: list[tuple[str, tuple[int, ...]]] = [
    ("x.reshape(3, 2)", (2, 3)),
    ("x.reshape_as(m.zeros(3, 2))", (2, 3)),
    ("x.view(3, 2)", (2, 3)),
    ("x.view(1, 1)", ()),
    ("x.view_as(m.zeros(3, 2))", (2, 3)),
    ("x.t().t().view(-1)", (2, 3)),
    ("x.ravel()", (2, 3)),
    ("x.flatten(1)", (2, 3, 4)),
    ("x.flatten()", ()),
    ("x.unflatten(1, (2, 3))", (2, 6)),
    ("x.contiguous()", (2, 3)),
    ("x.permute(2, 0, 1)", (2, 3, 4)),
    ("x.transpose(0, -1)", (2, 3, 4)),
    ("x.swapaxes(0, 1)", (2, 3)),
    ("x.movedim(0, 2)", (2, 3, 4)),
    ("x.t()", (2, 3)),
    ("x.T", (2, 3)),
    ("x.mT", (2, 3, 4)),
    ("x.squeeze()", (2, 1, 3, 1)),
    ("x.squeeze(0)", ()),
    ("x.unsqueeze(-1)", (2, 3)),
    ("x[0]", (2, 3)),
    ("x[0]", (3,)),
    ("x[1:, None]", (2, 3)),
    ("x[..., m.tensor(1)]", (2, 3)),
    ("x.narrow(1, 1, 2)", (2, 3)),
    ("x.select(-1, 1)", (2, 3)),
    ("x.select(0, 1)", (2,)),
    ("x.diagonal()", (2, 3)),
    ("x.diagonal(1, 0, 2)", (2, 3, 4)),
    ("x.unfold(0, 2, 2)", (5, 2)),
    ("x.unfold(1, 1, 3)", (2, 4)),
    ("x.unbind()", (2, 3)),
    ("x.unbind(-1)", (3,)),
    ("x.split(2)", (5, 2)),
    ("x.split([1, 0, 4], 0)", (5, 2)),
    ("x.split_with_sizes([1, 1], 0)", (2,)),
    ("x.chunk(2)", (5, 2)),
    ("x.tensor_split(2, 1)", (2, 5)),
]  # fmt: skip
READ_ONLY = [  # one element of memory shown several times; torch lets some of them be written to
    ("x.expand(4, -1, 3)", (2, 1)),
    ("x.expand(2, 3)[1]", (3,)),
    ("x.expand_as(m.zeros(2, 3))", (3,)),
    ("x.broadcast_to((2, 3))", (3,)),
    ("m.broadcast_tensors(x, m.zeros(2, 1))[0]", (3,)),
    ("m.meshgrid(x, x[:2], indexing='ij')[1]", (3,)),
    ("x.unfold(0, 3, 2)", (5,)),
    ("x.unfold(-1, 2, 1).mT", (2, 4)),
]
COPIES = [
    ("x.t().reshape(6)", (2, 3)),
    ("x.t().flatten()", (2, 3)),
    ("x.t().contiguous()", (2, 3)),
    ("x[[0]]", (2, 3)),
    ("x[x > 0]", (2, 3)),
    ("x.repeat(1, 1)", (2, 3)),
    ("x.tile(1)", (2,)),
    ("x.repeat_interleave(1)", (2,)),
    ("x.flip(0)", (2, 3)),
    ("x.flip(())", (2, 3)),
    ("x.roll(0)", (2, 3)),
    ("x.rot90(0)", (2, 3)),
    ("x.diag()", (2, 3)),
    ("x.diag_embed()", (3,)),
    ("x.tril(5)", (2, 3)),
    ("x.index_select(0, m.tensor([0, 1]))", (2, 3)),
    ("x.gather(0, m.tensor([0, 1]))", (2,)),
    ("x.take(m.tensor([0, 1]))", (2,)),
    ("x.masked_select(m.ones(2) > 0)", (2,)),
    ("x.masked_fill(m.zeros(2) > 0, 1)", (2,)),
    ("x.index_add(0, m.tensor([0]), m.zeros(1))", (2,)),
    ("m.cat([x])", (2,)),
    ("m.stack([x])", (2,)),
    ("m.hstack([x])", (2,)),
    ("x * 1", (2,)),
    ("x.clone()", (2, 3)),
]
OTHERS = [
    ("x.view(x.dtype)", (2, 3)),
    ("x.detach()", (2, 3)),
    ("x.data", (2, 3)),
    ("[y for y in x]", (2, 3)),
    ("x.float()", (2,)),
]
OTHERS += [("m.as_tensor(x)", (2,)), ("m.as_tensor(x.numpy())", (2,)), ("m.from_numpy(x.numpy())", (2,))]


@pytest.mark.parametrize(("expression", "shape"), VIEWS + READ_ONLY + COPIES + OTHERS)
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
            if (expression, shape) not in READ_ONLY:
                y += 3
        results.append([after, x.tolist()])
    assert results[0] == results[1]


@pytest.mark.parametrize(("expression", "shape"), VIEWS + READ_ONLY)
def test_a_view_and_its_base_count_their_changes_together(expression: str, shape: tuple[int, ...]) -> None:
    x = tinyrnn.ones(shape)
    views = eval(expression, {"x": x, "m": tinyrnn})
    x.add_(1)
    for view in views if isinstance(views, tuple) else (views,):
        assert view._version == x._version == 1
        assert np.shares_memory(view.numpy(), x.numpy()) == (view.numel() > 0)


@pytest.mark.parametrize(("expression", "shape"), COPIES)
def test_a_copy_counts_its_own(expression: str, shape: tuple[int, ...]) -> None:
    x = tinyrnn.ones(shape)
    copy = eval(expression, {"x": x, "m": tinyrnn})
    x.add_(1)
    assert copy._version == 0
    assert not np.shares_memory(copy.numpy(), x.numpy())


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


CHANGES = [(change_the_base, *view) for view in VIEWS + READ_ONLY]
CHANGES += [(change_the_view, *view) for view in VIEWS]


@pytest.mark.parametrize(("change", "expression", "shape"), CHANGES)
def test_gradients_are_right_when_a_view_or_its_base_has_changed(
    change: Callable[..., Any], expression: str, shape: tuple[int, ...]
) -> None:
    """Also one of several views, where torch refuses."""
    x = tensor(np.random.default_rng(0).standard_normal(shape), requires_grad=True)
    assert gradcheck(lambda x: change(tinyrnn, x, expression), x)


@pytest.mark.parametrize(("expression", "shape"), READ_ONLY)
def test_what_shows_an_element_twice_is_read_only(expression: str, shape: tuple[int, ...]) -> None:
    x = tinyrnn.ones(shape)
    y = eval(expression, {"x": x, "m": tinyrnn})
    with pytest.raises(RuntimeError, match=r"^add_: .*read-only.*clone\(\)"):
        y.add_(1)
    with pytest.raises(RuntimeError, match=r"^x\[\.\.\.\] = y: .*read-only"):
        y[0] = 1
    y.clone().add_(1)
    assert x.equal(tinyrnn.ones(shape))


def test_a_loop_over_a_tensor_goes_through_its_slices(agree: Callable[..., None]) -> None:
    agree(lambda m, x: [2 * y for y in x], np.arange(6.0).reshape(2, 3))
