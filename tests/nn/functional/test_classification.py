"""Cross entropy and the likelihood of classes: torch's numbers in every combination, and their definitions."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinyrnn
from loss_witness import REDUCTIONS, agree, leaf
from tinyrnn.autograd import gradcheck
from tinyrnn.nn import functional

SHAPES = [(3,), (4, 3), (1, 3), (5, 1), (2, 3, 4), (2, 3, 2, 2)]
EMPTY = [(0, 3), (2, 3, 0)]


def case(shape, dtype="float64", ignore_index=None, scale=2.0):
    """(logits, classes, weights of the classes), where some classes are ignored; 1 of 3 rows, and not the first."""
    rng = np.random.default_rng(len(shape))
    C = shape[1] if len(shape) > 1 else shape[0]
    x = (scale * rng.standard_normal(shape)).astype(dtype)
    y = np.asarray(rng.integers(0, C, shape[:1] * (len(shape) > 1) + shape[2:]))
    if ignore_index is not None:
        y.reshape(-1)[1::3] = ignore_index
    return x, y, rng.uniform(0.5, 2, C).astype(dtype)


def probabilities(shape, dtype="float64"):
    q = np.random.default_rng(7).uniform(0.1, 1, shape)
    return (q / q.sum(min(len(shape) - 1, 1), keepdims=True)).astype(dtype)


@pytest.mark.parametrize("shape", [*SHAPES, *EMPTY])
@pytest.mark.parametrize("ignore_index", [-100, 1, 77])
@pytest.mark.parametrize("label_smoothing", [0.0, 0.3])
def test_cross_entropy_of_classes_is_torchs(torch, shape, ignore_index, label_smoothing):
    for reduction in REDUCTIONS:
        for dtype in ("float64", "float32"):
            x, y, w = case(shape, dtype, None if shape == (5, 1) and ignore_index == 1 else ignore_index)
            options = {"ignore_index": ignore_index, "reduction": reduction, "label_smoothing": label_smoothing}
            agree(torch, lambda m, x, y, o=options: m.nn.functional.cross_entropy(x, y, **o), x, y)
            agree(torch, lambda m, x, y, w, o=options: m.nn.functional.cross_entropy(x, y, w, **o), x, y, w)


@pytest.mark.parametrize("shape", [*SHAPES, *EMPTY])
@pytest.mark.parametrize("label_smoothing", [0.0, 0.3])
def test_cross_entropy_of_probabilities_is_torchs(torch, shape, label_smoothing):
    for reduction in REDUCTIONS:
        options = {"reduction": reduction, "label_smoothing": label_smoothing}
        for dtype in ("float64", "float32"):
            x, _, w = case(shape, dtype)
            q = probabilities(shape, dtype)
            agree(torch, lambda m, x, q, o=options: m.nn.functional.cross_entropy(x, q, **o), x, q, of=(0, 1))
            agree(torch, lambda m, x, q, w, o=options: m.nn.functional.cross_entropy(x, q, w, **o), x, q, w, of=(0, 1))
        x, q = x.astype("float32"), q.astype("float64")
        agree(torch, lambda m, x, q, o=options: m.nn.functional.cross_entropy(x, q, **o), x, q)
        agree(torch, lambda m, x, q, o=options: m.nn.functional.cross_entropy(x, q, **o), q, x * 0)


@pytest.mark.parametrize("shape", [*SHAPES, *EMPTY])
@pytest.mark.parametrize("ignore_index", [-100, 1])
def test_nll_loss_is_torchs(torch, shape, ignore_index):
    for reduction in REDUCTIONS:
        options = {"ignore_index": ignore_index, "reduction": reduction}
        for dtype in ("float64", "float32"):
            x, y, w = case(shape, dtype, None if shape == (5, 1) else ignore_index)
            agree(torch, lambda m, x, y, o=options: m.nn.functional.nll_loss(x, y, **o), x, y)
            agree(torch, lambda m, x, y, w, o=options: m.nn.functional.nll_loss(x, y, w, **o), x, y, w)


@pytest.mark.parametrize("name", ["cross_entropy", "nll_loss"])
def test_what_is_nan_and_what_is_zero_is_torchs(torch, name):
    def loss(m, x, y, *w, **options):
        return getattr(m.nn.functional, name)(x, y, *w, **options)

    x = case((3, 4))[0]
    w = np.array([0.0, 0, 1, 2])
    none = np.full(3, -100)
    for reduction in REDUCTIONS:
        agree(torch, lambda m, *a, r=reduction: loss(m, *a, reduction=r), x, none)  # NaN, and a gradient of zeros
        agree(torch, lambda m, *a, r=reduction: loss(m, *a, reduction=r), x, none, w)
        agree(torch, lambda m, *a, r=reduction: loss(m, *a, reduction=r), x, np.array([0, -100, 1]), w)  # all weigh 0
        agree(torch, lambda m, *a, r=reduction: loss(m, *a, reduction=r), x[0], np.array(-100))
        agree(torch, lambda m, *a, r=reduction: loss(m, *a, reduction=r), x, np.array([0, 3, 1], np.uint8))
    if name == "cross_entropy":
        agree(torch, lambda m, *a: loss(m, *a, label_smoothing=0.1), x, none)
        agree(torch, lambda m, *a: loss(m, *a, label_smoothing=0.1), x, np.array([0, -100, 1]), w)


def test_logits_that_are_not_finite_are_torchs(torch):
    x = case((3, 4))[0]
    x[0, 1] = -np.inf
    for options in ({}, {"label_smoothing": 0.1}):
        for y in ([0, 3, 1], [1, 3, 1], [-100, 3, 1]):  # the masked class is not the target, is it, is ignored
            agree(torch, lambda m, x, y, o=options: m.nn.functional.cross_entropy(x, y, **o), x, np.array(y))
    x[0, 1] = np.nan
    agree(torch, lambda m, x, y: m.nn.functional.cross_entropy(x, y), x, np.array([-100, 3, 1]))


@pytest.mark.parametrize("scale", [1e-3, 5.0, 19.0, 30.0, 300.0, 1e4])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_large_logits_neither_overflow_nor_lose_digits(torch, dtype, scale):
    x, y, _ = case((50, 7), dtype, scale=scale)
    for shift in (0, 100, -1e4):
        agree(torch, lambda m, x, y: m.nn.functional.cross_entropy(x, y), (x + shift).astype(dtype), y)
        agree(torch, lambda m, x, y: m.nn.functional.cross_entropy(x, y, reduction="none"), x, y)


def test_float16_is_torchs(torch):
    x, y, w = case((4, 3), "float16", -100)
    agree(torch, lambda m, x, y, w: m.nn.functional.cross_entropy(x, y, w), x, y, w)
    agree(torch, lambda m, x, y, w: m.nn.functional.cross_entropy(x, y, w, label_smoothing=0.1), x, y, w)
    agree(torch, lambda m, x, q: m.nn.functional.cross_entropy(x, q), x, probabilities((4, 3), "float16"))


def by_definition(x, q, w):
    """-sum_c w_c q_c log p_c for each row of x, written out."""
    return np.array([-sum(w * q_n * np.log(np.exp(x_n) / np.exp(x_n).sum())) for x_n, q_n in zip(x, q, strict=True)])


@given(st.integers(0, 6), st.integers(1, 6), st.booleans(), st.floats(0, 1), st.integers(0, 10**6))
def test_cross_entropy_is_its_definition(N, C, weighted, smoothing, seed):
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(-25, 25, (N, C)), rng.integers(-1, C, N)  # class -1 is ignored
    w = rng.uniform(0.5, 2, C) if weighted else np.ones(C)
    q = np.eye(C)[y] * (y >= 0)[:, None]
    losses = by_definition(x, (1 - smoothing) * q + smoothing / C * (y >= 0)[:, None], w)
    options = {"weight": tinyrnn.tensor(w) if weighted else None, "label_smoothing": smoothing}
    logits, classes = tinyrnn.tensor(x, requires_grad=True), tinyrnn.tensor(y)
    found = functional.cross_entropy(logits, classes, ignore_index=-1, reduction="none", **options)
    np.testing.assert_allclose(found.array, losses, rtol=1e-11, atol=1e-11)
    mean = functional.cross_entropy(logits, classes, ignore_index=-1, **options)
    counted = w[y[y >= 0]].sum()
    np.testing.assert_allclose(mean.item(), losses.sum() / counted if counted else np.nan, rtol=1e-11, atol=1e-11)
    if counted:
        (dx,) = tinyrnn.autograd.grad(mean, logits)
        np.testing.assert_allclose(dx.array.sum(1), 0, atol=1e-14)  # adding to all logits of a row changes nothing
        assert not dx.array[y < 0].any()


@given(st.lists(st.integers(1, 3), max_size=4), st.booleans(), st.booleans(), st.sampled_from(REDUCTIONS))
def test_the_gradient_is_the_difference_quotient_for_every_rank(sizes, weighted, smooth, reduction):
    shape = (*sizes[:1], 3, *sizes[1:])
    x, y, w = case(shape, ignore_index=-100)
    options = {"weight": tinyrnn.tensor(w) if weighted else None, "reduction": reduction}
    logits = tinyrnn.tensor(x, requires_grad=True)
    classes = tinyrnn.tensor(y)
    if smooth:
        options["label_smoothing"] = 0.2
    if shape == (3,) or y.size > 1:  # else the only one is counted
        classes[...] = tinyrnn.tensor(np.where(np.arange(y.size).reshape(y.shape) == 0, np.maximum(y, 0), y))
    assert gradcheck(lambda x: functional.cross_entropy(x, classes, **options), logits)
    if not smooth:
        assert gradcheck(lambda x: functional.nll_loss(x, classes, **options), logits)
    q = tinyrnn.tensor(probabilities(shape), requires_grad=True)
    assert gradcheck(lambda x, q: functional.cross_entropy(x, q, **options), [logits, q])


def test_it_is_one_operation():
    for target in (tinyrnn.tensor([0, 2]), tinyrnn.ones(2, 3, dtype=tinyrnn.float64) / 3):
        x = leaf(2, 3)
        loss = functional.cross_entropy(x, target)
        assert (loss.node.name, list(loss.node.parents)) == ("cross_entropy", [(x, 0), None])


def test_a_graph_gone_through_twice_gives_the_same_gradient():
    x = leaf(4, 3)
    y, q = tinyrnn.tensor([0, 2, 1, -100]), tinyrnn.tensor(probabilities((4, 3)))
    for loss in (functional.cross_entropy(x, y), functional.cross_entropy(x, q), functional.nll_loss(x, y)):
        first, again = (tinyrnn.autograd.grad(loss, x, retain_graph=True)[0].array for _ in range(2))
        np.testing.assert_array_equal(first, again)


def test_a_target_changed_before_backward_is_an_error_not_a_wrong_gradient():
    x = leaf(4, 3)
    for name, target in (
        ("cross_entropy", [0, 2, 1, 1]),
        ("nll_loss", [0, 2, 1, 1]),
        ("cross_entropy", [[0.5] * 3] * 4),
    ):
        y = tinyrnn.tensor(target, dtype=None if name == "nll_loss" or target[0] == 0 else tinyrnn.float64)
        loss = getattr(functional, name)(x, y)
        y.zero_()
        with pytest.raises(RuntimeError, match=f"'{name}' needs was changed in place"):
            loss.backward()


def test_logits_changed_before_backward_change_no_gradient():
    x, y = leaf(4, 3), tinyrnn.tensor([0, 2, 1, 1])
    expected = tinyrnn.autograd.grad(functional.cross_entropy(x, y), x)[0].array
    loss = functional.cross_entropy(x, y)
    with tinyrnn.no_grad():
        x.zero_()
    np.testing.assert_array_equal(tinyrnn.autograd.grad(loss, x)[0].array, expected)


def test_any_whole_numbers_are_classes_and_their_tensor_stays_as_it_is():
    x = leaf(3, 4)
    expected = functional.cross_entropy(x, tinyrnn.tensor([0, 3, 1])).item()
    for dtype in ("int8", "int16", "int32", "int64", "uint8"):
        y = tinyrnn.tensor(np.array([0, 3, 1], dtype))
        assert functional.cross_entropy(x, y).item() == expected
    for name in ("cross_entropy", "nll_loss"):  # torch takes (1,) for a single number, and fails in backward
        losses = [getattr(functional, name)(x[0], tinyrnn.tensor(y), reduction="none") for y in (2, [2])]
        assert losses[0].shape == losses[1].shape == ()
        (g, h) = (tinyrnn.autograd.grad(loss, x)[0].array for loss in losses)
        np.testing.assert_array_equal(g, h)
    y = tinyrnn.tensor([0, -100, 1])
    functional.cross_entropy(x, y).backward()
    assert y.tolist() == [0, -100, 1]
    with tinyrnn.no_grad():
        assert not functional.cross_entropy(x, y).requires_grad


X, Y = tinyrnn.zeros(3, 4), tinyrnn.tensor([0, 3, 1])


@pytest.mark.parametrize(
    ("name", "arguments", "exception", "message"),
    [
        ("", (X, Y + 1), IndexError, "target[1] is 4, which is no class: expected 0 to 3 for an input of (3, 4)"),
        ("", (X, -Y), IndexError, "target[1] is -3, which is no class: expected 0 to 3 for an input of (3, 4), or ig"),
        ("", (X[0], Y[1] + 1), IndexError, "target is 4, which is no class"),
        ("", (tinyrnn.zeros(2, 0), Y[:2] * 0), IndexError, "target[0] is 0, which is no class"),
        ("", (X, Y.float()), TypeError, "the target is float32 of shape (3,): classes are whole numbers, .long() them"),
        ("", (X, Y == 1), TypeError, "the target is bool of shape (3,): classes are whole numbers"),
        ("", (X, Y[:2]), ValueError, "the target is (2,), expected (3,): the input's (3, 4) without the axis of its 4"),
        ("", (X, Y[:, None]), ValueError, "the target is (3, 1), expected (3,)"),
        ("", (X[0], Y[:2]), ValueError, "the target is (2,), expected ()"),
        (
            "",
            (X[None], Y[None]),
            ValueError,
            "the target is (1, 3), expected (1, 4): the input's (1, 3, 4) without the "
            "axis of its 3 classes, which is the second: move it there, or flatten all the others into one",
        ),
        ("", (X[0, 0], Y[0] * 0), (ValueError, TypeError), "the "),
        ("", (X.long(), Y), TypeError, "the input is int64, expected a floating dtype"),
        ("", (X.numpy(), Y), TypeError, "expected a tensor, got ndarray"),
        ("", (X, [0, 3, 1]), TypeError, "expected a tensor, got list"),
        ("", (X, Y, [1.0] * 4), TypeError, "the weight is list, expected a tensor"),
        ("", (X, Y, tinyrnn.ones(3)), ValueError, "the weight is (3,), expected (4,), one for each class of the input"),
        ("", (X, Y, tinyrnn.ones(4).double()), TypeError, "the operands are float32 and float64"),
        ("", (X, Y, tinyrnn.ones(4, requires_grad=True)), RuntimeError, "the weight requires a gradient, and none is"),
        ("", (X, Y, None, None, -100, None, "max"), ValueError, "the reduction is 'max', expected 'mean', 'sum' or"),
        (
            "cross_entropy",
            (X, X.long()),
            TypeError,
            "the target is int64 and has the input's shape (3, 4), expected pr",
        ),
        ("cross_entropy", (X[0, 0], X[0, 0]), ValueError, "the input is (), expected at least one class"),
        ("cross_entropy", (tinyrnn.zeros(2, 0),) * 2, ValueError, "the input is (2, 0), expected at least one class"),
        ("cross_entropy", (X, X, None, None, 2), ValueError, "ignore_index is 2, but the target holds probabilities"),
        (
            "cross_entropy",
            (X, Y, None, None, -100, None, "mean", 1.5),
            ValueError,
            "label_smoothing is 1.5, expected a",
        ),
        ("nll_loss", (X, X), TypeError, "the target is float32 of shape (3, 4): classes are whole numbers"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(name, arguments, exception, message):
    for loss in [name] if name else ["cross_entropy", "nll_loss"]:
        with pytest.raises(exception, match=re.escape(loss) + ".*: " + re.escape(message)):
            getattr(functional, loss)(*arguments)


@pytest.mark.parametrize("name", ["cross_entropy", "nll_loss"])
def test_the_older_words_warn(torch, name):
    for flags in ((False, -100, None), (None, -100, False), (True, -100, True)):
        with pytest.warns(UserWarning, match="size_average and reduce args will be deprecated"):
            agree(torch, lambda m, x, y, f=flags: getattr(m.nn.functional, name)(x, y, None, *f), *case((4, 3))[:2])


@pytest.mark.parametrize("size", [3, 400, 2000])
@pytest.mark.parametrize("largest", [19.9, 20.1, -19.9, -20.1, 80.0, -100.0])
def test_both_ways_to_the_sum_of_exponentials_agree(size, largest):
    """Small logits go without the largest of each row; whether they are small, a sum of squares may say."""
    x = np.random.default_rng(0).normal(size=(size, 5)).astype("float32")
    x[0, 0] = largest
    y = np.zeros(size, "int64")
    logits = tinyrnn.tensor(x, requires_grad=True)
    loss = functional.cross_entropy(logits, tinyrnn.tensor(y), reduction="sum")
    loss.backward()
    wide = x.astype("float64")
    p = np.exp(wide - wide.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    expected = -np.log(p[:, 0]).sum()
    assert abs(loss.item() - expected) < 1e-5 * expected
    p[:, 0] -= 1
    assert np.abs(logits.grad.array - p).max() < 1e-6
