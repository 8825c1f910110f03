"""The backward pass: every node once and in order, any length, gradients that nobody shares, memory given back."""

import gc
import itertools
import sys
import threading
import weakref

import numpy as np
import pytest

import tinyrnn
from tinyrnn.autograd.engine import run_backward, unbroadcast
from tinyrnn.autograd.graph import Patch
from tinyrnn.autograd.record import record, record_many


def leaf(*shape, dtype=tinyrnn.float64):
    return tinyrnn.randn(*shape, dtype=dtype, requires_grad=True)


def error(got, expected):
    """The largest difference, relative to the largest entry expected."""
    assert got.shape == expected.shape
    return np.abs(got - expected).max(initial=0) / max(np.abs(expected).max(initial=0), 1e-300)


def combination(inputs, factors, visited, name="combination"):
    """sum_i factors[i] inputs[i], an operation that notes each visit of the backward pass."""

    def pullback(g):
        visited.append(name)
        return tuple(c * g for c in factors)

    return record(name, sum(c * x.array for c, x in zip(factors, inputs, strict=True)), inputs, pullback)


# order and number of visits


def test_a_chain_of_200_000_operations_passes_forward_and_backward_without_recursion():
    limit = sys.getrecursionlimit()
    x = leaf(2)
    y = x
    gc.disable()
    try:
        for _ in range(200_000):
            y = y + x
        y.backward(tinyrnn.tensor([1.0, -2.0], dtype=tinyrnn.float64))
    finally:
        gc.enable()
    assert x.grad.tolist() == [200_001, -400_002]
    assert sys.getrecursionlimit() == limit


def test_a_value_used_twice_is_visited_once_however_many_paths_lead_to_it():
    """60 doublings: 2^60 paths, 60 visits."""
    visited, x = [], leaf(3)
    y = x
    for _ in range(60):
        y = combination((y, y), (1, 1), visited)
    y.backward(tinyrnn.tensor([1.0, -1.0, 0.5], dtype=tinyrnn.float64))
    assert len(visited) == 60
    assert x.grad.tolist() == [2.0**60, -(2.0**60), 2.0**59]


def test_the_same_through_the_operators():
    x = leaf(3)
    y = x
    for _ in range(60):
        y = y + y
    y.sum().backward()
    assert x.grad.tolist() == [2.0**60] * 3


@pytest.mark.parametrize("seed", range(20))
def test_each_node_of_a_random_graph_is_visited_once_after_all_its_consumers(seed):
    rng = np.random.default_rng(seed)
    visited, values = [], [leaf(4, dtype=tinyrnn.float64) for _ in range(3)]
    weights = np.zeros((40, 40))  # weights[k, i]: what value k takes of value i
    for k in range(3, 40):
        used = rng.choice(k, size=int(rng.integers(1, 5)))
        factors = rng.normal(size=len(used)) / 2
        np.add.at(weights[k], used, factors)
        values.append(combination([values[i] for i in used], factors.tolist(), visited, name=k))

    roots = [39, 38, 20, 39]
    cotangents = rng.normal(size=(4, 4))
    tinyrnn.autograd.backward([values[k] for k in roots], [tinyrnn.tensor(g) for g in cotangents])

    expected = np.zeros((40, 4))
    np.add.at(expected, roots, cotangents)
    for k in range(39, 2, -1):
        expected += weights[k][:, None] * expected[k]
    for i in range(3):
        got = np.zeros(4) if values[i].grad is None else values[i].grad.array
        assert error(got, expected[i]) < 1e-13

    below, consumers = set(roots), {}
    for k in range(39, 2, -1):
        if k in below:
            below |= set(np.flatnonzero(weights[k]).tolist())
            for i in np.flatnonzero(weights[k]).tolist():
                consumers.setdefault(i, []).append(k)
    assert sorted(visited) == sorted(k for k in below if k >= 3)
    for i, of in consumers.items():
        if i >= 3:
            assert max(visited.index(k) for k in of) < visited.index(i)


@pytest.mark.parametrize("n", [1, 10, 100])
def test_the_number_of_visits_is_the_number_of_operations(n):
    visited, x = [], leaf(3, 4)
    h = total = x
    for _ in range(n):
        h = combination((h, x), (0.5, 1), visited)
        total = combination((total, h), (1, 1), visited)
    total.sum().backward()
    assert len(visited) == 2 * n


def test_nodes_that_the_result_does_not_depend_on_are_not_visited():
    visited, x = [], leaf(3)
    h = combination((x,), (2,), visited, "used")
    combination((h,), (3,), visited, "dead end")
    h.sum().backward()
    assert visited == ["used"]


# gradients that touch one place


@pytest.mark.parametrize("dense_too", [False, True])
def test_reading_each_step_of_a_sequence_costs_one_buffer(monkeypatch, dense_too):
    """x[t] at each of T steps: T patches of one step's size, all into the same memory."""
    T, visits = 50, []
    add_to = Patch.add_to
    monkeypatch.setattr(Patch, "add_to", lambda p, buffer: (visits.append((p.g.nbytes, buffer)), add_to(p, buffer)))
    x, v = leaf(T, 2, 3), np.random.default_rng(0).normal(size=(T, 2, 3))
    loss = (x * 3).sum() if dense_too else 0
    for t in range(T):
        loss = loss + (x[t] * tinyrnn.tensor(v[t])).sum()
    loss.backward()
    assert [nbytes for nbytes, _ in visits] == [2 * 3 * 8] * T
    assert len({id(buffer) for _, buffer in visits}) == 1
    assert error(x.grad.array, v + 3 * dense_too) < 1e-14


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_patches_and_whole_gradients_add_up_in_any_order(order):
    x, rng = leaf(3, 4), np.random.default_rng(0)
    h = x * 1
    parts = [h[1], h[[0, 2, 0]], h, h[:, 1:3]]
    cotangents = [rng.normal(size=p.shape) for p in parts]
    tinyrnn.autograd.backward([parts[k] * 1 for k in order], [tinyrnn.tensor(cotangents[k]) for k in order])
    expected = cotangents[2].copy()
    expected[1] += cotangents[0]
    expected[0] += cotangents[1][0] + cotangents[1][2]
    expected[2] += cotangents[1][1]
    expected[:, 1:3] += cotangents[3]
    assert error(x.grad.array, expected) < 1e-13


def test_an_embedding_row_looked_up_several_times_gets_the_sum():
    w = leaf(5, 2)
    v = np.random.default_rng(0).normal(size=(3, 4, 2))
    index = np.array([[0, 1, 1, 4], [1, 1, 0, 0], [3, 3, 3, 3]])
    (w[index] * tinyrnn.tensor(v)).sum().backward()
    assert error(w.grad.array, np.stack([v[index == row].sum(0) for row in range(5)])) < 1e-13


# the shape and dtype of every gradient


@pytest.mark.parametrize(
    ("shape", "of_g"),
    [
        *[((), (2, 3)), ((1,), (3,)), ((3,), (2, 3)), ((2, 1), (2, 3)), ((1, 1, 1), (4, 2, 3)), ((2, 3), (2, 3))],
        *[((1, 3), (5, 2, 3)), ((2, 1, 4), (6, 2, 3, 4)), ((0,), (2, 0)), ((1,), (0,)), ((3, 1), (3, 0))],
    ],
)
def test_unbroadcast_undoes_broadcasting(shape, of_g):
    """<g, broadcast(x)> = <unbroadcast(g), x> for every x: it is the adjoint."""
    rng = np.random.default_rng(0)
    g, x = rng.normal(size=of_g), rng.normal(size=shape)
    dx = unbroadcast(g, shape, "probe")
    assert dx.shape == shape
    np.testing.assert_allclose((dx * x).sum(), (g * np.broadcast_to(x, of_g)).sum(), rtol=1e-12)


@pytest.mark.parametrize("expected", [(2, 3), (0, 3)])
@pytest.mark.parametrize("shape", [(3,), (3, 2), (2, 1), (2,), (1, 2, 4), (1, 3), ()])
def test_a_pullback_that_returns_another_shape_is_refused_by_name(shape, expected):
    x = leaf(*expected)
    y = record("probe", np.ones((2, 3)), (x,), lambda g: (np.ones(shape),))
    with pytest.raises(RuntimeError) as refusal:
        y.sum().backward()
    assert all(part in str(refusal.value) for part in ("'probe'", str(shape), str(expected)))
    assert x.grad is None


@pytest.mark.parametrize("number", [0, 1, 3])
def test_a_pullback_that_returns_too_few_or_too_many_gradients_is_refused_by_name(number):
    x = leaf(2)
    y = record("probe", np.ones(2), (x, x), lambda g: (g,) * number)
    with pytest.raises(RuntimeError, match=f"'probe' returned {number} gradients for 2 inputs"):
        y.sum().backward()
    assert x.grad is None


@pytest.mark.parametrize("dtype", [tinyrnn.float16, tinyrnn.float32, tinyrnn.float64])
@pytest.mark.parametrize("of_g", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("kind", ["array", "number", "broadcast", "two", "patch", "patch and array", "array and patch"])
def test_every_gradient_has_the_dtype_of_its_tensor(dtype, of_g, kind):
    x = tinyrnn.ones(() if kind == "number" else 3, dtype=dtype, requires_grad=True)
    array, patch = np.full(3, 2, of_g), Patch(1, np.full((), 2, of_g), False)
    gradients, expected = {
        "array": ([array], [2, 2, 2]),
        "number": ([of_g(2)], 2),
        "broadcast": ([np.full((4, 3), 2, of_g)], [8, 8, 8]),
        "two": ([array, array], [4, 4, 4]),
        "patch": ([patch], [0, 2, 0]),
        "patch and array": ([patch, array], [2, 4, 2]),
        "array and patch": ([array, patch], [2, 4, 2]),
    }[kind]
    y = record("probe", np.ones((), np.float64), [x] * len(gradients), lambda g: gradients)
    y.backward()
    assert x.grad.dtype == dtype
    assert type(x.grad.array) is np.ndarray
    assert x.grad.tolist() == expected
    assert (array == 2).all()  # the pullback's own array is as it was


# leaves own their gradients


def shares(arrays):
    """The pairs of them that share memory."""
    return [(i, j) for (i, a), (j, b) in itertools.combinations(enumerate(arrays), 2) if np.shares_memory(a, b)]


def same_to_all(*xs):
    """An operation that gives one array to all its inputs, and keeps it."""
    kept = np.full(xs[0].shape, 3.0)
    return record("probe", sum(x.array for x in xs), xs, lambda g: (kept,) * len(xs)), kept


SHARING = {
    "a + b": lambda a, b, g: (a + b).backward(g),
    "a + a + b": lambda a, b, g: (a + a + b).backward(g),
    "a, the user's": lambda a, b, g: a.backward(g),
    "both, the user's": lambda a, b, g: tinyrnn.autograd.backward([a, b], [g, g]),
    "clone": lambda a, b, g: (a.clone() + b.clone()).backward(g),
    "shapes": lambda a, b, g: (a.reshape(6).reshape(2, 3) + b.t().t()[:]).backward(g),
    "cat": lambda a, b, g: tinyrnn.cat([a, b])[:2].backward(g),
    "stack": lambda a, b, g: tinyrnn.stack([a, b]).backward(tinyrnn.stack([g, g])),
    "split": lambda a, b, g: tinyrnn.cat([*a.split(1), *b.unbind()][:2]).backward(g),
    "expand": lambda a, b, g: (a.expand(2, 3) + b.expand(2, 3)).backward(g),
    "sum": lambda a, b, g: (a + b).sum().backward(g[0, 0]),
    "copy_": lambda a, b, g: ((a * 1).copy_(b) + a).backward(g),
    "retained": lambda a, b, g: retained(a + b).backward(g),
    "a hook's": lambda a, b, g: hooked(a + b, g).backward(g),
    "a leaf's hook's": lambda a, b, g: (hooked(a, g) * 2 + a * 3 + b).backward(g),
    "twice": lambda a, b, g: [(a + b).backward(g) for _ in range(2)],
    "with inputs": lambda a, b, g: (a + b).backward(g, inputs=[b, a]),
}


def retained(h):
    h.retain_grad()
    KEPT.append(h)
    return h * 1


def hooked(h, g):
    h.register_hook(lambda _: g)
    return h


KEPT = []


@pytest.mark.parametrize("program", SHARING.values(), ids=SHARING)
def test_no_two_gradients_share_memory_nor_does_one_with_what_the_user_passed(program):
    KEPT.clear()
    a, b, g = leaf(2, 3), leaf(2, 3), tinyrnn.randn(2, 3, dtype=tinyrnn.float64)
    before = g.array.copy()
    program(a, b, g)
    grads = [v.grad.array for v in (a, b, *KEPT) if v.grad is not None]
    assert shares([*grads, g.array, a.array, b.array]) == []
    for grad in grads:
        expected = [other.copy() for other in grads if other is not grad]
        grad *= 7
        assert all(np.array_equal(*pair) for pair in zip(expected, (o for o in grads if o is not grad), strict=True))
    assert np.array_equal(g.array, before)


def test_clipping_the_gradients_of_two_biases_scales_each_once():
    """b_ih + b_hh get equal gradients, but not one array: the case in which clipping scaled twice."""
    b_ih, b_hh = leaf(4), leaf(4)
    (b_ih + b_hh).backward(tinyrnn.tensor([3.0, 0.0, 4.0, 0.0], dtype=tinyrnn.float64))
    tinyrnn.nn.utils.clip_grad_norm_([b_ih, b_hh], 1.0)
    expected = np.array([3, 0, 4, 0]) / np.sqrt(50)
    assert error(b_ih.grad.array, expected) < 1e-6
    assert error(b_hh.grad.array, expected) < 1e-6


@pytest.mark.parametrize("passes", [1, 2, 3])
def test_arrays_that_a_pullback_keeps_are_left_alone(passes):
    a, b = leaf(2), leaf(2)
    y, kept = same_to_all(a, b, a)
    for _ in range(passes):
        y.backward(tinyrnn.ones_like(y), retain_graph=True)
    assert kept.tolist() == [3, 3]
    assert a.grad.tolist() == [6 * passes] * 2
    assert b.grad.tolist() == [3 * passes] * 2
    assert shares([kept, a.grad.array, b.grad.array]) == []


def test_the_pass_returns_new_arrays_for_what_is_wanted():
    a = leaf(2)
    h = a * 1
    y = h + h
    g = np.ones(2)
    wanted = [h.edge, y.edge, (a, 0)]
    found = run_backward([(y.edge, g)], wanted=wanted)
    assert set(found) == set(wanted)
    assert [found[edge].tolist() for edge in wanted] == [[2, 2], [1, 1], [2, 2]]
    assert shares([g, *found.values()]) == []


# a pass that fails


def raises(g):
    raise ZeroDivisionError("planted")


FAULTS = {
    "pullback raises": lambda h: record("bad", h.array, (h,), raises),
    "pullback's shape": lambda h: record("bad", h.array, (h,), lambda g: (np.ones(5),)),
    "pullback's number": lambda h: record("bad", h.array, (h,), lambda g: (g, g)),
    "hook raises": lambda h: (h.register_hook(raises), h)[1],
    "hook's type": lambda h: (h.register_hook(lambda g: g.array), h)[1],
    "hook's shape": lambda h: (h.register_hook(lambda g: g[:1]), h)[1],
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("retain_graph", [False, True])
def test_a_pass_that_fails_leaves_every_gradient_as_it_was(fault, retain_graph):
    a, b, c, d = (leaf(2) for _ in range(4))
    earlier = (a * 2 + d).sum()
    earlier.backward()
    before = {v: (v.grad, None if v.grad is None else v.grad.array.copy()) for v in (a, b, c, d)}

    y = fault(a * c) + (b * 2).tanh() + d  # in the pass, b and d come before the fault, a and c after it
    with pytest.raises((ZeroDivisionError, RuntimeError, TypeError, ValueError)):
        y.sum().backward(retain_graph=retain_graph)
    for v, (grad, array) in before.items():
        assert v.grad is grad
        assert grad is None or np.array_equal(grad.array, array)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_pass_that_fails_leaves_a_retained_gradient_as_it_was(fault):
    a, b = leaf(2), leaf(2)
    kept = [b * 2, fault(a * 3), a * 4]
    for h in kept:
        h.retain_grad()
    with pytest.raises((ZeroDivisionError, RuntimeError, TypeError, ValueError)):
        (kept[2] + kept[1] + kept[0]).sum().backward()
    assert [h.grad for h in kept] == [None] * 3


# memory


def test_a_node_gives_back_what_it_saved_before_the_next_is_visited():
    """In step k of the pass, of the arrays that n chained operations saved, k+1..n are gone."""
    n, alive = 6, []
    gc.collect()
    gc.disable()
    try:
        h = leaf(3)
        saved = []
        for k in range(n):
            memory = np.full(3, 2.0)
            saved.append(weakref.ref(memory))

            def pullback(g, memory=memory):
                alive.append([i for i, ref in enumerate(saved) if ref() is not None])
                return (g * memory,)

            h = record(f"step {k}", h.array, (h,), pullback)
            del memory, pullback
        h.sum().backward()
    finally:
        gc.enable()
    assert alive == [list(range(k + 1)) for k in reversed(range(n))]
    assert [ref() for ref in saved] == [None] * n  # though h, which knows its node, is still there


def test_a_hook_sees_the_memory_of_the_later_operations_given_back():
    gc.collect()
    gc.disable()
    try:
        x, seen = leaf(3), []
        early = x * 2
        later = [(early * k).tanh() for k in range(1, 4)]
        refs = [weakref.ref(v.array) for v in later]
        early.register_hook(lambda g: seen.append([ref() is None for ref in refs]))
        loss = later[0] * later[1] * later[2]
        del later, early
        loss.sum().backward()
    finally:
        gc.enable()
    assert sum(seen[0]) >= 2  # the last of the three may be under way


def test_retain_graph_keeps_what_was_saved():
    x = leaf(3)
    h = x.tanh()
    memory = weakref.ref(h.array)
    y = h.sum()
    del h
    y.backward(retain_graph=True)
    assert memory() is not None
    y.backward()
    assert memory() is None


def test_gradients_under_way_are_given_back_as_they_are_used():
    """The gradients of a long chain do not pile up: never more than a few at a time."""
    alive, most = weakref.WeakValueDictionary(), []
    x = leaf(3)
    h = x

    def pullback(g):
        dx = g * 2
        alive[id(dx)] = dx
        most.append(len(alive))
        return (dx,)

    gc.disable()
    try:
        for _ in range(100):
            h = record("probe", h.array, (h,), pullback)
        h.sum().backward()
    finally:
        gc.enable()
    assert len(most) == 100
    assert max(most) <= 3


# threads


def test_threads_go_through_separate_graphs_at_the_same_time():
    n, passes = 6, 30
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(n, 5, 3))
    barrier, found = threading.Barrier(n), {}

    def work(k):
        barrier.wait()
        for _ in range(passes):
            x = tinyrnn.tensor(inputs[k], requires_grad=True)
            h = x[0] * 1
            for t in range(1, 5):
                h = (h * x[t]).tanh() + x[t]
            h.sum().backward()
            found.setdefault(k, []).append(x.grad.array)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    together, found = found, {}
    barrier = threading.Barrier(1)
    for k in range(n):
        work(k)
        assert len(together[k]) == passes
        assert all(np.array_equal(g, found[k][0]) for g in together[k])


def test_several_results_and_a_patch_reach_one_leaf_together():
    x = leaf(4, 3)
    halves = record_many("halves", [x.array[:2] * 2, x.array[2:] * 3], (x,), lambda a, b: (np.vstack([2 * a, 3 * b]),))
    v = np.random.default_rng(0).normal(size=(2, 3))
    ((halves[1] * tinyrnn.tensor(v)).sum() + 5 * x[0].sum() + x.sum()).backward()
    expected = np.ones((4, 3))
    expected[2:] += 3 * v
    expected[0] += 5
    assert error(x.grad.array, expected) < 1e-14


@pytest.mark.parametrize("of_g", [(1, 3), (5, 3), (200, 3), (7, 2, 3), (4,)])
def test_unbroadcast_over_rows_is_the_plain_sum_in_every_layout(of_g):
    g = np.random.default_rng(1).normal(size=of_g[::-1]).T
    for g_in in (g, np.ascontiguousarray(g), np.broadcast_to(g[:1], of_g)):
        np.testing.assert_allclose(unbroadcast(g_in, of_g[1:], "probe"), g_in.sum(0), rtol=1e-12, atol=1e-14)


def test_nodes_are_numbered_in_the_order_of_their_making_and_leaves_come_first():
    x = leaf(3)
    y = x * 2
    v = y[:2]  # a view, which is made anew when its base has changed
    y += x
    z = (v * v).sum() + y.unbind()[0]
    nodes, stack = set(), [z.node]
    while stack:
        node = stack.pop()
        if node not in nodes:
            nodes.add(node)
            for parent, _ in filter(None, node.parents):
                if parent is not x:
                    assert parent.number < node.number
                    stack.append(parent)
    assert len(nodes) >= 7
    z.backward()
    plain = x.detach().requires_grad_()
    ((3 * plain)[:2].square().sum() + 3 * plain[0]).backward()
    np.testing.assert_allclose(x.grad.array, plain.grad.array, rtol=1e-13)


def test_nodes_that_several_threads_made_are_visited_after_their_consumers():
    x, made = leaf(4), []
    h = x * 2

    def grow():
        y = h
        for _ in range(200):
            y = y * 1.0 + h * 0.0
        made.append(y)

    threads = [threading.Thread(target=grow) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sum(made).sum().backward()
    np.testing.assert_array_equal(x.grad.array, np.full(4, 8.0))


# gradients that become `.grad` without a copy


def layers():
    for kind in (tinyrnn.nn.RNN, tinyrnn.nn.GRU, tinyrnn.nn.LSTM, tinyrnn.nn.Linear):
        for N in (1, 3):
            layer = kind(3, 4, dtype=tinyrnn.float64)
            yield layer, leaf(5, N, 3), np.random.default_rng(N).standard_normal((5, N, 4))


def output(layer, x, *states):
    y = layer(x, *states)
    return y[0] if isinstance(y, tuple) else y


@pytest.mark.parametrize(("layer", "x", "g"), list(layers()), ids=lambda a: getattr(type(a), "__name__", ""))
def test_fresh_gradients_are_nobody_elses_and_add_up(layer, x, g):
    y = output(layer, x)
    leaves = [x, *layer.parameters()]
    y.backward(tinyrnn.tensor(g), retain_graph=True)
    once = [p.grad.array.copy() for p in leaves]
    arrays = [g, y.array, *[p.array for p in leaves], *[p.grad.array for p in leaves]]
    assert shares(arrays) == []
    assert all(p.grad.array.flags.c_contiguous for p in leaves)
    y.backward(tinyrnn.tensor(g))
    for p, gradient in zip(leaves, once, strict=True):
        np.testing.assert_array_equal(p.grad.array, 2 * gradient)


def test_fresh_gradients_of_one_weight_given_twice_add_up():
    apart, tied = tinyrnn.nn.LSTM(4, 4, dtype=tinyrnn.float64), tinyrnn.nn.LSTM(4, 4, dtype=tinyrnn.float64)
    with tinyrnn.no_grad():
        apart.weight_ih_l0.copy_(apart.weight_hh_l0)
        tied.load_state_dict(apart.state_dict())
    tied.weight_ih_l0, tied.bias_ih_l0 = tied.weight_hh_l0, tied.bias_hh_l0
    with tinyrnn.no_grad():
        apart.bias_ih_l0.copy_(apart.bias_hh_l0)
    x, state = leaf(5, 1, 4), leaf(1, 1, 4)
    hs = state.detach().clone().requires_grad_(), state.detach().clone().requires_grad_()
    output(apart, x, hs).sin().sum().backward()
    output(tied, x, (state, state)).sin().sum().backward()
    np.testing.assert_allclose(state.grad.array, hs[0].grad.array + hs[1].grad.array, rtol=1e-13)
    for name in ("weight", "bias"):
        parts = [getattr(apart, f"{name}_{end}_l0").grad.array for end in ("ih", "hh")]
        np.testing.assert_allclose(getattr(tied, f"{name}_hh_l0").grad.array, sum(parts), rtol=1e-12, atol=1e-14)


def test_a_fresh_gradient_may_be_written_into_by_the_node_that_owns_it_and_kept_before():
    weight, x = leaf(4, 3), leaf(5, 3)
    buffer = tinyrnn.zeros(5, 3, dtype=tinyrnn.float64)
    buffer[1:] = x[1:]
    buffer.retain_grad()
    tinyrnn.nn.functional.linear(buffer, weight).sin().sum().backward()
    expected = np.cos(buffer.array @ weight.array.T) @ weight.array
    np.testing.assert_allclose(buffer.grad.array, expected, rtol=1e-13)
    np.testing.assert_allclose(x.grad.array[1:], expected[1:], rtol=1e-13)
    assert not x.grad.array[0].any()
    assert not np.shares_memory(buffer.grad.array, x.grad.array)
