"""Binary cross entropy and KL divergence: torch's numbers, the difference quotient, the ends of the range."""

import re

import numpy as np
import pytest

import tinyrnn
from loss_witness import REDUCTIONS, agree
from tinyrnn.autograd import gradcheck
from tinyrnn.nn import functional

SHAPES = [(), (5,), (4, 3), (0, 3), (2, 3, 2)]


def arrays(*shapes, dtype="float64", low=0.02, high=0.98):
    rng = np.random.default_rng(1)
    return [np.asarray(rng.uniform(low, high, shape)).astype(dtype) for shape in shapes]


def tensors(*shapes, low=0.02, high=0.98):
    return [tinyrnn.tensor(x, requires_grad=True) for x in arrays(*shapes, low=low, high=high)]


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_binary_cross_entropy_is_torchs(torch, reduction, dtype):
    def loss(m, x, y, *w):
        return m.nn.functional.binary_cross_entropy(x, y, *w, reduction=reduction)

    for shape in SHAPES:
        agree(torch, loss, *arrays(shape, shape, dtype=dtype), of=(0, 1))
    for weight in ((4, 3), (3,), (4, 1), ()):
        agree(torch, loss, *arrays((4, 3), (4, 3), weight, dtype=dtype), of=(0, 1))
    if dtype == "float32":  # logarithms of 0, which are -100; in float64 torch's 1e-12 is that of float32
        agree(torch, loss, *np.array([[0, 0, 1, 1, 0.5, 0.5], [0, 1, 0, 1, 0, 1]], dtype))


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_binary_cross_entropy_with_logits_is_torchs(torch, reduction, dtype):
    def loss(m, x, y, *w, **options):
        return m.nn.functional.binary_cross_entropy_with_logits(x, y, *w, reduction=reduction, **options)

    for shape in SHAPES:
        agree(torch, loss, *arrays(shape, shape, dtype=dtype, low=-2, high=2), of=(0, 1))
    for weight in ((4, 3), (3,), (4, 1), ()):
        x, y, w = arrays((4, 3), (4, 3), weight, dtype=dtype)
        agree(torch, loss, x - 0.5, y, w, of=(0, 1))
        agree(torch, lambda m, x, y, p: loss(m, x, y, pos_weight=p), x - 0.5, y, 3 * w, of=(0, 1))
        agree(torch, lambda m, x, y, p: loss(m, x, y, p, pos_weight=p), x - 0.5, y, 3 * w, of=(0, 1))
    extreme = np.array([-1e4, -100, -20, 0, 20, 100, 1e4], dtype)
    for y in (0, 0.3, 1):
        agree(torch, loss, extreme, np.full(7, y, dtype), of=(0, 1))
    if dtype == "float32":
        agree(torch, loss, *(a.astype(d) for a, d in zip(arrays((4, 3), (4, 3)), ("f", "d"), strict=True)))


def test_small_losses_of_sure_logits_keep_their_digits():
    x = tinyrnn.tensor([-30.0, 30.0], dtype=tinyrnn.float32)
    losses = functional.binary_cross_entropy_with_logits(x, tinyrnn.tensor([0.0, 1.0]), reduction="none")
    np.testing.assert_allclose(losses.array, np.exp([-30.0, -30.0]), rtol=1e-6)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("log_target", [False, True])
def test_kl_div_is_torchs(torch, reduction, log_target):
    def loss(m, x, y):
        options = {"reduction": reduction, "log_target": log_target}
        if reduction == "mean":
            with pytest.warns(UserWarning, match="'mean' divides the total loss by both the batch size and the sup"):
                return m.nn.functional.kl_div(x, y, **options)
        return m.nn.functional.kl_div(x, y, **options)

    for dtype in ("float64", "float32"):
        for shape in SHAPES:
            agree(torch, loss, *arrays(shape, shape, dtype=dtype), of=(0, 1))
        agree(torch, loss, *arrays((4, 3), (3,), dtype=dtype), of=(0, 1))
        agree(torch, loss, *arrays((3,), (4, 3), dtype=dtype), of=(0, 1))
    x, y = arrays((4, 3), (4, 3))
    agree(torch, loss, x.astype("float32"), y)
    agree(torch, loss, x, y * (y > 0.5))  # targets of 0


def test_batchmean_divides_by_the_length_of_the_first_axis(torch):
    def loss(m, x, y):
        return m.nn.functional.kl_div(x, y, reduction="batchmean")

    for shapes in (((4, 3), (4, 3)), ((0, 3), (0, 3)), ((), ()), ((3,), (4, 3))):
        agree(torch, loss, *arrays(*shapes), of=(0, 1))
    p, q = arrays((4, 3), (4, 3))
    expected = (q * np.log(q / p)).sum() / 4
    np.testing.assert_allclose(loss(tinyrnn, tinyrnn.tensor(np.log(p)), tinyrnn.tensor(q)).item(), expected, rtol=1e-12)


def test_the_older_words_warn_and_only_they(torch):
    for flags in ((False, None), (None, False), (True, True)):
        with pytest.warns(UserWarning, match="kl_div|size_average") as caught:
            agree(torch, lambda m, x, y, f=flags: m.nn.functional.kl_div(x, y, *f), *arrays((4, 3), (4, 3)))
        assert all("size_average and reduce args" in str(warning.message) for warning in caught)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_gradcheck(reduction):
    x, y, w = tensors((4, 3), (4, 3), (3,))
    w = w.detach()
    f = functional
    assert gradcheck(lambda x, y: f.binary_cross_entropy(x, y, w, reduction=reduction), [x, y])
    for options in ({}, {"weight": w}, {"pos_weight": 3 * w}):
        loss = f.binary_cross_entropy_with_logits
        assert gradcheck(lambda x, y, o=options, b=loss: b(4 * x - 2, y, reduction=reduction, **o), [x, y])
    if reduction != "mean":
        assert gradcheck(lambda x, y: f.kl_div(x, y, reduction=reduction), [x, y])
        assert gradcheck(lambda x, y: f.kl_div(x, y, reduction=reduction, log_target=True), [x, y])


def test_the_losses_are_their_formulas():
    p, y, w = (x.detach() for x in tensors((4, 3), (4, 3), (4, 3)))
    expected = -w.array * (y.array * np.log(p.array) + (1 - y.array) * np.log(1 - p.array))
    found = functional.binary_cross_entropy(p, y, w, reduction="none")
    np.testing.assert_allclose(found.array, expected, rtol=1e-12)
    x = tinyrnn.tensor(np.log(p.array / (1 - p.array)))
    found = functional.binary_cross_entropy_with_logits(x, y, w, reduction="none")
    np.testing.assert_allclose(found.array, expected, rtol=1e-12)
    found = functional.kl_div(p.log(), y, reduction="none")
    np.testing.assert_allclose(found.array, y.array * np.log(y.array / p.array), rtol=1e-11)


def test_targets_of_0_and_inputs_of_0_and_1_have_finite_gradients():
    x = tinyrnn.tensor([0.3, 0.7], requires_grad=True)
    q = tinyrnn.tensor([0.0, 1.0], requires_grad=True)
    functional.kl_div(x, q, reduction="sum").backward()
    np.testing.assert_allclose(q.grad.array, [-0.3, 0.3], rtol=1e-6)
    y = tinyrnn.tensor([1.0, 0.0], requires_grad=True)
    functional.binary_cross_entropy(q.detach(), y).backward()
    np.testing.assert_allclose(y.grad.array, [50, -50], rtol=1e-6)


@pytest.mark.parametrize("name", ["binary_cross_entropy", "binary_cross_entropy_with_logits", "kl_div"])
def test_an_input_changed_before_backward_is_an_error_not_a_wrong_gradient(name):
    for changed in (0, 1):
        pair = tensors((4, 3), (4, 3))
        loss = getattr(functional, name)(*pair, reduction="sum")
        with tinyrnn.no_grad():
            pair[changed].mul_(0.5)
        with pytest.raises(RuntimeError, match=f"'{name}' needs was changed in place"):
            loss.backward()


P = tinyrnn.full((4, 3), 0.5)
BCE, LOGITS = "binary_cross_entropy", "binary_cross_entropy_with_logits"


@pytest.mark.parametrize(
    ("name", "arguments", "exception", "message"),
    [
        (BCE, (P + 1, P), ValueError, "the input has values from 1.5 to 1.5, expected 0 to 1: for logits, use binary"),
        (BCE, (P, P - 1), ValueError, "the target has values from -0.5 to -0.5, expected 0 to 1"),
        (BCE, (P * float("nan"), P), ValueError, "the input has values from nan to nan, expected 0 to 1"),
        (BCE, (P, P.double()), TypeError, "the operands are float32 and float64, expected one dtype"),
        (BCE, (P, P.long()), TypeError, "the target is int64, expected a floating dtype: .float() it"),
        (LOGITS, (P, P.long()), TypeError, "the target is int64, expected a floating dtype: .float() it"),
        (BCE, (P, P[0]), ValueError, "the target is (3,), the input (4, 3), expected one shape"),
        (LOGITS, (P, P[0]), ValueError, "the target is (3,), the input (4, 3), expected one shape"),
        (BCE, (P, P, P[0, :2]), ValueError, "the weight and the input: shapes (2,) and (4, 3) do not broadcast"),
        (BCE, (P, P, P[None]), ValueError, "the weight is (1, 4, 3), expected it to broadcast to the input's (4, 3)"),
        (LOGITS, (P, P, None, None, None, "mean", [1.0]), TypeError, "the pos_weight is list, expected a tensor"),
        (LOGITS, (P, P, tinyrnn.ones(3, requires_grad=True)), RuntimeError, "the weight requires a gradient"),
        (LOGITS, (P.long(), P), TypeError, "the input is int64, expected a floating dtype"),
        (LOGITS, (P, 1.0), TypeError, "expected a tensor, got float"),
        ("kl_div", (P, P, None, None, "batch"), ValueError, "the reduction is 'batch', expected 'mean', 'sum' or"),
        ("kl_div", (P, P[:2], None, None, "sum"), ValueError, "shapes (4, 3) and (2, 3) do not broadcast"),
        ("kl_div", (P, P.long(), None, None, "sum"), TypeError, "the input is int64, expected a floating dtype"),
        ("kl_div", (P, P, "sum"), TypeError, "size_average is 'sum', expected True, False or None"),
    ],
)
def test_what_does_not_fit_is_refused(name, arguments, exception, message):
    with pytest.raises(exception, match=re.escape(f"{name}: {message}")):
        getattr(functional, name)(*arguments)
