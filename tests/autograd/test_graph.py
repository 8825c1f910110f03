"""Values, nodes and patches: what a program leaves behind as it runs, and how it is gone when the result is dropped."""

import gc
import weakref

import numpy as np
import pytest

import tinyrnn
from tinyrnn.autograd.graph import Node, Patch, Value, make


@pytest.fixture
def no_gc():
    """The garbage collector is off: what dies, dies because nobody holds it. What was there before does not count."""
    gc.disable()
    gc.freeze()
    yield
    gc.unfreeze()
    gc.enable()


def test_make_wraps_an_array_without_a_copy_as_a_leaf():
    array = np.arange(6.0).reshape(2, 3)[:, ::-1]
    value = make(tinyrnn.Tensor, array)
    assert value.array is array
    assert type(value) is tinyrnn.Tensor
    assert (value.edge, value.node, value.base, value.version, value.total_grad, value.hooks) == (None,) * 6
    assert value.wants_grad is False
    assert (value.shape, value.dtype) == ((2, 3), np.float64)


@pytest.mark.parametrize("number", [np.float32(2.5), np.float64(2.5), np.int64(3), np.bool_(True)])
def test_make_turns_a_number_of_numpy_into_an_array_without_axes(number):
    value = make(Value, number)
    assert type(value.array) is np.ndarray
    assert (value.shape, value.dtype, value.array[()]) == ((), number.dtype, number)


def test_a_node_shows_the_name_of_its_operation():
    assert repr(Node("tanh", (), lambda g: (g,), (2,), np.dtype("f4"))) == "<tanh>"
    x = tinyrnn.ones(2, requires_grad=True)
    assert repr((x * x).grad_fn) == "<mul>"


INDICES = {
    "int": 1,
    "negative int": -1,
    "slice": slice(1, None),
    "backwards": slice(None, None, -2),
    "new axis": (None, 0),
    "ellipsis": (..., 1),
    "int, slice": (2, slice(0, 3, 2)),
    "mask": np.array([True, False, True]),
    "integers": np.array([0, 2]),
    "integers, one twice": np.array([1, 1, 0, 1]),
    "pairs, one twice": (np.array([0, 0, 2]), np.array([3, 3, 1])),
    "integers beside a slice": (slice(None), np.array([2, 2])),
    "negative and positive name of one": np.array([-1, 2]),
    "none": np.array([], int),
}


@pytest.mark.parametrize("index", INDICES.values(), ids=INDICES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_patch_adds_each_of_its_elements_in_its_place(index, dtype):
    rng = np.random.default_rng(0)
    before = rng.normal(size=(3, 4)).astype(dtype)
    places = np.arange(12).reshape(3, 4)[index]
    g = rng.normal(size=places.shape).astype(dtype)

    expected = before.copy()
    for place, number in zip(places.ravel(), g.ravel(), strict=True):
        expected.flat[place] += number

    repeats = any(isinstance(part, np.ndarray) for part in (index if isinstance(index, tuple) else (index,)))
    buffer = before.copy()
    Patch(index, g, repeats).add_to(buffer)
    np.testing.assert_allclose(buffer, expected, rtol=10 * np.finfo(dtype).eps)
    assert buffer.dtype == dtype


def write_through_a_view(x):
    h = x * 1
    before = h[1]
    h[0].mul_(before.tanh())
    return before * h.t()[1, 0]


def write_into_fresh_memory(x):
    buffer = tinyrnn.zeros(3, 3)
    for t in range(3):
        buffer[t] = x[t].tanh()
    return buffer * buffer


PROGRAMS = {
    "elementwise": lambda x: ((x * x).tanh() / (x * x + 2)).exp(),
    "powers": lambda x: (x * x) ** (x * 1),
    "matmul": lambda x: (x @ x.t()) @ x,
    "reductions": lambda x: (x * x).sum(0) + (x * 2).mean(1),
    "shapes": lambda x: (x * 1).t().reshape(-1).unsqueeze(0).expand(2, 9),
    "joined": lambda x: tinyrnn.cat([x * 1, tinyrnn.stack(list(x * 2))]),
    "several results": lambda x: tinyrnn.unbind(x * 1)[1] + tinyrnn.split(x * 2, 2)[1],
    "indexed": lambda x: (x * 1)[[0, 0, 2]] * (x * 2)[0],
    "chosen": lambda x: tinyrnn.where(x > 0, x * 2, tinyrnn.maximum(x * 1, x * 3)),
    "in place": lambda x: (x * 1).mul_(x * 2).add_(1).tanh(),
    "in place, through a view": write_through_a_view,
    "items": write_into_fresh_memory,
    "recurrent": lambda x: tinyrnn.nn.RNN(3, 5)(x.unsqueeze(1) * 1)[0],
}


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
@pytest.mark.parametrize("passes", [0, 1, 2], ids=["no backward", "backward", "backward twice"])
@pytest.mark.usefixtures("no_gc")
def test_a_graph_holds_no_reference_cycle(program, passes):
    """With the collector off the inputs' values die with the result, and the collector then finds nothing."""
    x = tinyrnn.randn(3, 3, requires_grad=True)
    middle = x * 1.5
    seen = weakref.ref(middle), weakref.ref(middle.array)
    y = program(middle)
    y.register_hook(lambda g: g * 2)
    y.retain_grad()
    del middle
    for n in range(passes):
        y.backward(tinyrnn.ones_like(y), retain_graph=n + 1 < passes)
    del y
    assert [ref() for ref in seen] == [None, None]
    assert gc.collect() == 0


@pytest.mark.usefixtures("no_gc")
def test_a_chain_of_200_000_operations_is_dropped_without_recursion():
    x = tinyrnn.ones(2, requires_grad=True)
    y = first = x * 1
    last = weakref.ref(first.array)
    del first
    for _ in range(200_000):
        y = y * 1
    del y
    assert last() is None


LINKS = {
    "views of views": lambda h: h[...],
    "in place": lambda h: h.add_(1),
    "in place, through a view": lambda h: (h[0].mul_(1), h)[1],
    "items": lambda h: (h.__setitem__(0, h[1]), h)[1],
    "several results": lambda h: tinyrnn.stack(list(tinyrnn.unbind(h))),
    "a base changed under a view": lambda h: (h[0], h.add_(1))[0].unsqueeze(0).expand(2, 2).clone(),
}


@pytest.mark.parametrize("link", LINKS.values(), ids=LINKS)
@pytest.mark.usefixtures("no_gc")
def test_a_long_chain_of_any_kind_is_dropped_without_recursion(link):
    h = tinyrnn.ones(2, 2, requires_grad=True) * 1
    last = weakref.ref(h.array)
    for _ in range(10_000):
        h = link(h)
    del h
    assert last() is None
