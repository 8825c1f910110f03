"""Views and in-place changes: who sees what, what is refused, and gradients as torch's and as central differences'."""

import gc
import weakref

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinyrnn
from tinyrnn.autograd import grad
from tinyrnn.autograd.gradcheck import gradcheck
from tinyrnn.autograd.views import version_of

F64 = tinyrnn.float64


def leaf(*shape, dtype=F64):
    return tinyrnn.randn(*shape, dtype=dtype, requires_grad=True)


def error(got, expected):
    """The largest difference, relative to the largest entry expected."""
    assert got.shape == expected.shape
    return np.abs(got - expected).max(initial=0) / max(np.abs(expected).max(initial=0), 1e-300)


# each kind of view, by itself and in chains

VIEWS = {
    "itself": lambda x: x[...],
    "row": lambda x: x[1],
    "column": lambda x: x[:, 2],
    "element": lambda x: x[1, 2],
    "element of a row": lambda x: x[1][2],
    "slice": lambda x: x[1:, :3],
    "steps": lambda x: x[::2, 1::2],
    "backwards": lambda x: x[::-1],
    "backwards in both, in steps": lambda x: x[::-2, ::-1],
    "new axis": lambda x: x[:, None],
    "nothing": lambda x: x[3:],
    "transposed": lambda x: x.t(),
    "permuted": lambda x: x.unsqueeze(0).permute(2, 0, 1),
    "flat": lambda x: x.reshape(-1),
    "another shape": lambda x: x.view(2, 6),
    "squeezed": lambda x: x[1:2].squeeze(),
    "split": lambda x: x.split(2, 1)[1],
    "unbound": lambda x: x.unbind()[2],
    "unbound to the last": lambda x: x[0].unbind()[3],
    "in a for loop": lambda x: list(x)[1],
    "in two for loops": lambda x: list(list(x)[1])[3],
    "a chain": lambda x: x.t()[1:][::-1, ::2].unsqueeze(1)[1:].reshape(2, 2),
    "a transposed part of a part": lambda x: x[1:, ::-1][:, 1:3].t(),
}
READ_ONLY = {
    "expanded": lambda x: x[:, :1].expand(3, 5),
    "expanded by an axis": lambda x: x.expand(2, 3, 4),
    "expanded, then a part": lambda x: x[:, 1:2].expand(3, 4)[1:, ::3],
    "an element, expanded": lambda x: x[1, 2].expand(3, 2),
    "expanded, transposed, expanded": lambda x: x[0].expand(3, 4).t().expand(2, 4, 3),
}
EVERY_VIEW = pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
ALL_VIEWS = pytest.mark.parametrize("view", {**VIEWS, **READ_ONLY}.values(), ids={**VIEWS, **READ_ONLY})


@ALL_VIEWS
def test_a_view_sees_a_change_of_its_base_and_they_count_changes_together(view):
    base = tinyrnn.randn(3, 4)
    v = view(base)
    before = v.array.copy()
    base.mul_(2)
    assert np.array_equal(v.array, 2 * before)
    assert v._version == base._version == 1
    assert version_of(v) is version_of(base)


@EVERY_VIEW
def test_a_base_sees_a_change_of_its_view(view):
    base = tinyrnn.randn(3, 4)
    expected = base.array.copy()
    places = view(tinyrnn.arange(12).reshape(3, 4)).array
    v = view(base)
    v.fill_(7)
    expected.flat[places.ravel()] = 7
    assert np.array_equal(base.array, expected)
    assert base._version == v._version == 1


def before_and_after(view, change):
    """f(x, w): a view made before a change of its base, or of the view itself, and used before and after it."""

    def program(x, w):
        base = x * 1
        v = view(base)
        early = v * 3
        change(base, v, w)
        return early, v * 5, base * 2, view(base) * 7

    return program


def values_of(w, v):
    """As many of the numbers in w as v has, in its shape."""
    places = np.arange(v.numel()) % w.numel()
    return w.reshape(-1)[places].reshape(v.shape)


CHANGES = {
    "base *= w": lambda base, v, w: base.mul_(w),
    "base[1] = w[0]": lambda base, v, w: base.__setitem__(1, w[0]),
    "base = w": lambda base, v, w: base.copy_(w),
    "base = 0": lambda base, v, w: base.zero_(),
    "another view of the base": lambda base, v, w: base.t()[1:3].mul_(w.t()[:2]),
}
OF_THE_VIEW = {
    "v *= w": lambda base, v, w: v.mul_(values_of(w, v)),
    "v = w": lambda base, v, w: v.copy_(values_of(w, v)),
    "v[...] = w": lambda base, v, w: v.__setitem__(..., values_of(w, v)),
    "v += 1": lambda base, v, w: v.add_(1),
    "v = 0": lambda base, v, w: v.zero_(),
    "v, then base, then v": lambda base, v, w: (v.mul_(values_of(w, v)), base.mul_(w), v.add_(values_of(w, v))),
}


@ALL_VIEWS
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_gradients_are_right_through_a_view_of_a_base_that_changes(view, change):
    assert gradcheck(before_and_after(view, change), [leaf(3, 4), leaf(3, 4)])


@EVERY_VIEW
@pytest.mark.parametrize("change", OF_THE_VIEW.values(), ids=OF_THE_VIEW)
def test_gradients_are_right_through_a_view_that_changes(view, change):
    assert gradcheck(before_and_after(view, change), [leaf(3, 4), leaf(3, 4)])


@pytest.mark.parametrize("dtype", [tinyrnn.float32, F64])
@pytest.mark.parametrize(
    "order",
    [lambda a: a, np.asfortranarray, lambda a: np.ascontiguousarray(a[::-1])[::-1], lambda a: a.repeat(2, 0)[::2]],
)
def test_the_memory_of_the_base_may_lie_in_any_order(order, dtype):
    """A base that is itself transposed, reversed, or every second row of an array."""
    values = np.random.default_rng(0).normal(size=(3, 4)).astype(dtype)
    base = tinyrnn.from_numpy(order(values.copy()))
    w, v = leaf(2, 2, dtype=dtype), base[1:, ::-1][:, :2]
    v.mul_(w)
    g = np.random.default_rng(1).normal(size=(3, 4)).astype(dtype)
    base.backward(tinyrnn.tensor(g))
    expected = (g * values)[1:, ::-1][:, :2]
    assert error(w.grad.array, expected) < 1e-6
    assert w.grad.dtype == dtype


@ALL_VIEWS
def test_a_view_made_after_a_change_and_one_made_before_have_one_gradient(view):
    x = leaf(3, 4)
    base = x * 2
    old = view(base)
    base.mul_(3)
    new = view(base)
    g = tinyrnn.randn(new.shape, dtype=F64)
    assert np.array_equal(grad(old, x, g, retain_graph=True)[0].array, grad(new, x, g)[0].array)


@ALL_VIEWS
def test_a_view_requires_a_gradient_if_its_base_does_before_and_after_changes(view):
    x = leaf(3, 4)
    fresh = tinyrnn.zeros(3, 4, dtype=F64)
    base = x * 1
    for memory in (base, fresh):
        v = view(memory)
        assert v.requires_grad is (memory is base)
        memory.add_(x)
        assert v.requires_grad
        assert not v.is_leaf
        memory.copy_(tinyrnn.zeros(3, 4))
        assert v.requires_grad  # of what it was


def test_what_was_computed_from_the_old_content_keeps_its_gradient():
    x = leaf(3)
    h = x * 2
    old = h + 1
    h.mul_(5)
    (dx,) = grad(old.sum(), x)
    assert dx.tolist() == [2, 2, 2]


def test_item_assignment_into_fresh_memory_carries_the_gradient():
    """The loop over time that writes its states into one tensor."""

    def states(x, w):
        h = tinyrnn.zeros(2, 3, dtype=F64)
        out = tinyrnn.zeros(5, 2, 3, dtype=F64)
        for t in range(5):
            h = (x[t] + h @ w).tanh()
            out[t] = h
        return out, out[-1]

    x, w = leaf(5, 2, 3), leaf(3, 3)
    assert gradcheck(states, [x, w])
    (out, _), g = states(x, w), tinyrnn.randn(5, 2, 3, dtype=F64)
    listed, h = [], tinyrnn.zeros(2, 3, dtype=F64)
    for t in range(5):
        h = (x[t] + h @ w).tanh()
        listed.append(h)
    for a, b in zip(grad(out, [x, w], g), grad(tinyrnn.stack(listed), [x, w], g), strict=True):
        assert error(a.array, b.array) < 1e-14


def test_what_was_overwritten_gets_no_gradient():
    x, w = leaf(4), leaf(2)
    h = x * 1
    h[1:3] = w
    g = tinyrnn.tensor([1.0, 2.0, 3.0, 4.0], dtype=F64)
    h.backward(g)
    assert x.grad.tolist() == [1, 0, 0, 4]
    assert w.grad.tolist() == [2, 3]


@pytest.mark.parametrize("dtype", [tinyrnn.float32, F64])
def test_gradients_through_changed_memory_have_the_dtype_of_their_tensor(dtype):
    x, w = leaf(3, dtype=dtype), leaf(3, dtype=tinyrnn.float32)
    base = x * 1
    base[1:] = w[1:]
    base[:2].mul_(w[:2])
    base.sum().backward()
    assert (x.grad.dtype, w.grad.dtype) == (dtype, tinyrnn.float32)


def test_x_at_i_plus_equals_y_is_as_written_out():
    x, y = leaf(3, 2), leaf(2)
    h = x * 1
    h[1] += y
    h[2, 0] *= 5
    h[:, 1] -= h[:, 0]
    g = tinyrnn.randn(3, 2, dtype=F64)
    dx, dy = grad(h, [x, y], g)
    expected = g.array.copy()
    expected[:, 0] -= g.array[:, 1]
    assert error(dy.array, expected[1]) < 1e-15
    expected[2, 0] *= 5
    assert error(dx.array, expected) < 1e-15


def test_overlapping_parts_may_be_assigned():
    def shifted(x):
        h = x * 1
        h[1:] = h[:-1]
        h[:2] = h[1:3] + h[0]
        return h

    x = leaf(4)
    assert gradcheck(shifted, x)
    a = x.array
    assert np.array_equal(shifted(x).array, [a[0] + a[0], a[1] + a[0], a[1], a[2]])


# what is refused, and what is allowed under no_grad

WRITES = {
    "add_": lambda t: t.add_(1),
    "+=": lambda t: t.__iadd__(1),
    "mul_": lambda t: t.mul_(2),
    "copy_": lambda t: t.copy_(tinyrnn.ones(t.shape)),
    "zero_": lambda t: t.zero_(),
    "fill_": lambda t: t.fill_(3),
    "x[...] = y": lambda t: t.__setitem__(..., 3.0),
}
EVERY_WRITE = pytest.mark.parametrize(("name", "write"), WRITES.items(), ids=WRITES)
LEAVES = {
    "a leaf": (lambda: (leaf(3, 4),) * 2, "a leaf that requires a gradient"),
    "a view of a leaf": (lambda: (lambda x: (x, x[1:].t()))(leaf(3, 4)), "a view of a leaf that requires a gradient"),
    "a view that became a leaf": (
        lambda: (lambda x: (x, x[1:].requires_grad_()))(tinyrnn.randn(3, 4)),
        "a leaf that requires a gradient|a view",
    ),
    "a view of what became a leaf": (
        lambda: (lambda x: (x, (x[1:], x.requires_grad_())[0]))(tinyrnn.randn(3, 4)),
        "a view of a leaf",
    ),
}


@EVERY_WRITE
@pytest.mark.parametrize(("make", "message"), LEAVES.values(), ids=LEAVES)
def test_a_leaf_that_requires_a_gradient_is_not_changed_in_place(name, write, make, message):
    base, target = make()
    before = base.array.copy()
    with pytest.raises(RuntimeError, match=rf"({message}).*under no_grad\(\).*clone\(\)") as refusal:
        write(target)
    assert str(refusal.value).startswith("add_" if name == "+=" else name)
    assert np.array_equal(base.array, before)
    assert base._version == target._version == 0
    assert base.is_leaf
    assert target.requires_grad or base.requires_grad


@EVERY_WRITE
@pytest.mark.parametrize(("make", "message"), LEAVES.values(), ids=LEAVES)
def test_under_no_grad_it_is(name, write, make, message):
    base, target = make()
    before = target.array.copy()
    with tinyrnn.no_grad():
        write(target)
    assert not np.array_equal(target.array, before)
    assert base._version == target._version == 1
    assert base.is_leaf
    if base.requires_grad:
        (base * base).sum().backward()
        assert np.array_equal(base.grad.array, 2 * base.array)


@pytest.mark.parametrize("expanded", READ_ONLY.values(), ids=READ_ONLY)
@EVERY_WRITE
def test_an_expanded_view_is_not_changed_in_place(expanded, name, write):
    base = leaf(3, 4) * 1
    before = base.array.copy()
    with pytest.raises(RuntimeError, match=r"read-only \(expanded, perhaps\): change a clone\(\)"):
        write(expanded(base))
    assert np.array_equal(base.array, before)
    assert base._version == 0


def test_a_view_made_under_no_grad_takes_no_recorded_change():
    x = leaf(3)
    h = x * 1
    with tinyrnn.no_grad():
        v = h[1:]
    assert not v.requires_grad
    for change in (lambda: v.mul_(2), lambda: v.copy_(x[1:]), lambda: v.__setitem__(0, x[0])):
        with pytest.raises(RuntimeError, match=r"made under no_grad\(\)"):
            change()
    fresh = tinyrnn.zeros(3, dtype=F64)
    with tinyrnn.no_grad():
        part = fresh[1:]
    with pytest.raises(RuntimeError, match=r"made under no_grad\(\)"):
        part.copy_(x[1:])
    part.add_(1)  # which is not a recorded change
    assert fresh.tolist() == [0, 1, 1]
    with tinyrnn.no_grad():
        v.mul_(2)
    h.sum().backward()
    assert x.grad.tolist() == [1, 1, 1]


def test_a_change_under_no_grad_is_no_part_of_the_graph():
    x = leaf(3)
    h = x * 2
    v = h[1:]
    with tinyrnn.no_grad():
        v.mul_(10)
        h[0] = 5
    (v.sum() + h.sum()).backward()
    assert x.grad.tolist() == [2, 4, 4]


def test_a_detached_alias_shares_memory_and_count_but_no_graph():
    x = leaf(3)
    h = x * 2
    y = h * h
    alias = h.detach()
    assert (alias.requires_grad, alias.is_leaf) == (False, True)
    alias.add_(1)
    assert np.array_equal(h.array, 2 * x.array + 1)
    assert alias._version == h._version == 1
    with pytest.raises(RuntimeError, match="'mul' needs was changed in place"):
        y.sum().backward()
    h.sum().backward()
    assert x.grad.tolist() == [2, 2, 2]


def test_data_is_the_same_memory_uncounted():
    h = leaf(3) * 2
    h.data.add_(1)
    assert h._version == 0
    assert np.shares_memory(h.data.array, h.array)


def test_a_view_keeps_its_base_alive_and_not_the_other_way_round():
    gc.collect()
    gc.disable()
    try:
        base = leaf(3) * 1
        v = base[1:]
        v.mul_(2)
        seen = weakref.ref(base), weakref.ref(v)
        del v
        assert seen[1]() is None
        v = base[:1]
        del base
        assert seen[0]() is not None
        del v
        assert seen[0]() is None
    finally:
        gc.enable()


def test_an_assignment_to_nothing_still_makes_the_whole_depend_on_what_is_assigned():
    w = tinyrnn.ones(3, requires_grad=True)
    a = tinyrnn.zeros(2, 3)
    column = a[:, 0]
    column[2:] = w.sum()
    assert (a.requires_grad, column.requires_grad) == (True, True)
    (a.sum() + column.sum()).backward()
    np.testing.assert_array_equal(w.grad.numpy(), [0, 0, 0])


# random programs


def run(lib, program, x, w):
    """Runs steps (operation, target, source, number) on a list of tensors that grows; -> (the list, what was refused).

    The list starts with a tensor computed from x, a fresh one without a gradient, and one computed from w.
    """
    tensors = [(x * 1, True), (lib.zeros(2, 3, dtype=lib.float64), True), (w * 2, True)]
    refused = []
    for step, (name, i, j, n) in enumerate(program):
        target, writable = tensors[i % len(tensors)]
        source, c = tensors[j % len(tensors)][0], 0.5 + n / 8
        target.grad_fn  # noqa: B018 (torch takes a view whose base changed for a leaf until somebody asks)
        new = (source * c).tanh()  # which keeps all numbers small, however often a program multiplies
        new = new if new.shape == target.shape else new.mean()
        try:
            if name == "expand":
                if target.ndim < 4:
                    tensors.append((target.unsqueeze(0).expand(2, *target.shape), False))
            elif name in RESHAPED:
                tensors.append((RESHAPED[name](target if target.ndim else target.unsqueeze(0), n), writable))
            elif name in COMPUTED:
                tensors.append((COMPUTED[name](target, new), True))
            elif writable and name == "under no_grad":
                with lib.no_grad():
                    target.mul_(c)
            elif writable:
                WRITTEN[name](target, new, n)
        except RuntimeError:
            refused.append(step)
    return [tensor for tensor, _ in tensors], refused


RESHAPED = {
    "select": lambda t, n: t[n % len(t)],
    "column": lambda t, n: t[..., n % t.shape[-1]],
    "slice": lambda t, n: t[n % len(t) :: 1 + n % 2],
    "transpose": lambda t, n: t.transpose(0, -1),
    "reshape": lambda t, n: t.reshape(-1),
    "unsqueeze": lambda t, n: t.unsqueeze(n % (t.ndim + 1)),
    "detach": lambda t, n: t.detach(),
}
COMPUTED = {
    "tanh": lambda t, new: t.tanh(),
    "mul": lambda t, new: t * new,
    "clone": lambda t, new: t.clone(),
}


def set_slice(t, new, n):
    if t.ndim:
        start = n % (len(t) + 1)
        t[start:] = new[start:] if new.ndim else new
    else:
        t[()] = new


def set_list(t, new, n):
    if t.ndim and len(t) > 1:
        t[[len(t) - 1, 0]] = new[[0, len(t) - 1]] if new.ndim else new


WRITTEN = {
    "x[i:] = y": set_slice,
    "x[[i, j]] = y": set_list,
    "add_": lambda t, new, n: t.add_(new),
    "mul_": lambda t, new, n: t.mul_(new),
    "div_": lambda t, new, n: t.div_(1.5),
    "zero_": lambda t, new, n: t.zero_(),
    "copy_": lambda t, new, n: t.copy_(new),
}
NAMES = [*RESHAPED, "expand", *COMPUTED, *WRITTEN, "under no_grad"]
number = st.integers(0, 7)
PROGRAMS = st.lists(st.tuples(st.sampled_from(NAMES), number, number, number), min_size=1, max_size=10)


def results(lib, program):
    """What a program computes, what it refuses, and dx, dw, or the refusal of backward."""
    rng = np.random.default_rng(0)
    x, w = (lib.tensor(rng.normal(size=(2, 3)), requires_grad=True) for _ in range(2))
    tensors, refused = run(lib, program, x, w)
    needs = [t.requires_grad for t in tensors]
    loss = sum((t * lib.tensor(rng.normal(size=tuple(t.shape)))).sum() for t in tensors)
    try:
        loss.backward()
    except RuntimeError:
        return tensors, needs, [*refused, "backward"], []
    return tensors, needs, refused, [np.zeros((2, 3)) if t.grad is None else t.grad.numpy() for t in (x, w)]


@settings(max_examples=150)
@given(PROGRAMS)
def test_random_programs_give_the_values_the_refusals_and_the_gradients_of_torch(torch, program):
    tensors, needs, refused, gradients = results(tinyrnn, program)
    expected = results(torch, program)
    for ours, theirs in zip(tensors, expected[0], strict=True):
        assert error(ours.detach().numpy(), theirs.detach().numpy()) < 1e-12
    assert needs == expected[1]
    assert refused == expected[2]
    for ours, theirs in zip(gradients, expected[3], strict=True):
        assert error(ours, theirs) < 1e-12


@settings(max_examples=40)
@given(PROGRAMS)
def test_random_programs_give_the_gradients_of_central_differences(program):
    """The witness that needs no torch; detach() and no_grad() hide what differences see."""
    program = [step for step in program if step[0] not in ("detach", "under no_grad")]
    _, _, refused, _ = results(tinyrnn, program)
    if not refused:
        x, w = leaf(2, 3), leaf(2, 3)
        assert gradcheck(lambda x, w: [t.clone() for t in run(tinyrnn, program, x, w)[0]], [x, w])
