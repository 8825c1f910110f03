"""Losses of regression: torch's values, gradients and dtypes, the difference quotient, and what bad input gets."""

import re

import numpy as np
import pytest

import tinyrnn
from loss_witness import REDUCTIONS, agree, leaf
from tinyrnn.autograd import gradcheck
from tinyrnn.nn import functional

DIFFERENCES = {
    "mse_loss": [{}],
    "l1_loss": [{}],
    "smooth_l1_loss": [{}, {"beta": 0.3}, {"beta": 0}],
    "huber_loss": [{}, {"delta": 0.7}, {"delta": 2}],
}
OPTIONS = [(name, options) for name, several in DIFFERENCES.items() for options in several]


def arrays(*shapes, dtype="float64"):
    rng = np.random.default_rng(1)
    return [np.asarray(1.5 * rng.standard_normal(shape)).astype(dtype) for shape in shapes]


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize(("name", "options"), OPTIONS)
def test_a_loss_of_the_difference_is_torchs(torch, name, options, reduction):
    def loss(m, x, y):
        return getattr(m.nn.functional, name)(x, y, reduction=reduction, **options)

    for shape in ((), (5,), (4, 3), (0, 3), (2, 3, 4)):
        for dtype in ("float64", "float32"):
            agree(torch, loss, *arrays(shape, shape, dtype=dtype), of=(0, 1))
    x, y = arrays((4, 3), (4, 3))
    agree(torch, loss, x, x, of=(0, 1))  # the kink at 0
    if name != "huber_loss":  # torch's has no gradient where dtypes differ
        agree(torch, loss, x.astype("float32"), y)
        agree(torch, loss, x, y.astype("float32"), of=(0, 1))
        agree(torch, loss, x, y.astype(int))


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", DIFFERENCES)
def test_shapes_that_broadcast_are_torchs_too(torch, name):
    def loss(m, x, y):
        return getattr(m.nn.functional, name)(x, y)

    agree(torch, loss, *arrays((4, 1), (3,)), of=(0, 1))
    if name != "huber_loss":
        agree(torch, loss, arrays((4,), dtype="float32")[0], np.float64(0.3))


def test_huber_loss_has_the_dtype_of_the_input():
    x, y = tinyrnn.ones(3), tinyrnn.zeros(3, dtype=tinyrnn.float64, requires_grad=True)
    loss = functional.huber_loss(x, y)
    assert (loss.dtype, tinyrnn.autograd.grad(loss, y)[0].dtype) == (tinyrnn.float32, tinyrnn.float64)
    assert functional.huber_loss(x.double(), x).dtype == tinyrnn.float64


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize(("name", "options"), OPTIONS)
def test_gradcheck_of_a_loss_of_the_difference(name, options, reduction):
    loss = getattr(functional, name)
    for shape in ((), (5,), (4, 3)):
        inputs = [leaf(*shape), leaf(*shape)]
        y = inputs[1].detach()
        assert gradcheck(lambda x, y: 3 * loss(x, y, reduction=reduction, **options), inputs)
        assert gradcheck(lambda x, y=y: loss(x, y, reduction=reduction, **options), inputs[0])


@pytest.mark.parametrize(
    ("name", "options", "formula"),
    [
        ("mse_loss", {}, lambda d: d * d),
        ("l1_loss", {}, abs),
        ("smooth_l1_loss", {"beta": 0.5}, lambda d: d * d if abs(d) < 0.5 else abs(d) - 0.25),
        ("huber_loss", {"delta": 0.5}, lambda d: d * d / 2 if abs(d) <= 0.5 else 0.5 * (abs(d) - 0.25)),
    ],
)
def test_the_losses_are_their_formulas(name, options, formula):
    x, y = tinyrnn.randn(40, dtype=tinyrnn.float64), tinyrnn.randn(40, dtype=tinyrnn.float64)
    losses = getattr(functional, name)(x, y, reduction="none", **options)
    np.testing.assert_allclose(losses.array, [formula(d) for d in (x.array - y.array)], rtol=1e-13)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "huber_loss"])
def test_weights_are_torchs(torch, name, reduction):
    if "weight" not in torch.nn.functional.l1_loss.__code__.co_varnames:
        pytest.skip("this torch is older than these weights")

    def loss(m, x, y, w):
        return getattr(m.nn.functional, name)(x, y, reduction=reduction, weight=w)

    x, y, w = arrays((4, 3), (4, 3), (4, 3))
    agree(torch, loss, x, y, abs(w), of=(0, 1, 2))


def test_weighted_losses_are_their_formulas():
    x, y, w = (tinyrnn.tensor(a) for a in arrays((4, 3), (4, 3), (4, 3)))
    d, v = x.array - y.array, w.array
    mse, l1 = functional.mse_loss(x, y, weight=w).item(), functional.l1_loss(x, y, weight=w).item()
    np.testing.assert_allclose([mse, l1], [(v * d * d).sum() / v.sum(), (v * abs(d)).sum() / v.sum()], rtol=1e-13)
    huber = functional.huber_loss(x, y, delta=100, weight=w).item()
    np.testing.assert_allclose(huber, (v * d * d / 2).mean(), rtol=1e-13)


def test_float16_is_torchs(torch):
    for name in DIFFERENCES:
        agree(torch, lambda m, x, y, f=name: getattr(m.nn.functional, f)(x, y), *arrays((8,), (8,), dtype="float16"))


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_the_dtype_is_kept(reduction):
    x, y = leaf(4, 3, dtype=tinyrnn.float32), tinyrnn.randn(4, 3)
    for name in DIFFERENCES:
        loss = getattr(functional, name)(x, y, reduction=reduction)
        (dx,) = tinyrnn.autograd.grad(loss.sum(), x)
        assert (loss.dtype, dx.dtype) == (tinyrnn.float32, tinyrnn.float32)


def test_the_losses_read_their_inputs_once():
    x, y = leaf(4, 3), tinyrnn.randn(4, 3, dtype=tinyrnn.float64)
    expected = (x.array - y.array) / 6
    loss = functional.mse_loss(x, y)
    y.zero_()
    loss.backward()
    np.testing.assert_allclose(x.grad.array, expected, rtol=1e-14)


def test_a_graph_gone_through_twice_gives_the_same_gradient():
    x, y = leaf(4, 3), leaf(4, 3)
    for name in DIFFERENCES:
        loss = getattr(functional, name)(x, y)
        first, again = (tinyrnn.autograd.grad(loss, x, retain_graph=True)[0].array for _ in range(2))
        np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize("name", DIFFERENCES)
@pytest.mark.parametrize(
    ("arguments", "exception", "message"),
    [
        ((tinyrnn.zeros(4), tinyrnn.zeros(3)), ValueError, "shapes (4,) and (3,) do not broadcast"),
        ((tinyrnn.zeros(4), np.zeros(4)), TypeError, "expected a tensor, got ndarray"),
        ((np.zeros(4), tinyrnn.zeros(4)), TypeError, "expected a tensor, got ndarray"),
        ((tinyrnn.zeros(4), 0.0), TypeError, "expected a tensor, got float"),
        ((tinyrnn.arange(4), tinyrnn.arange(4)), TypeError, "the input is int64, expected a floating dtype"),
    ],
)
def test_what_does_not_fit_is_refused(name, arguments, exception, message):
    with pytest.raises(exception, match=re.escape(f"{name}: {message}")):
        getattr(functional, name)(*arguments)
    with pytest.raises(ValueError, match=f"{name}: the reduction is 'max', expected 'mean'"):
        getattr(functional, name)(tinyrnn.zeros(4), tinyrnn.zeros(4), reduction="max")


@pytest.mark.parametrize("name", DIFFERENCES)
def test_shapes_that_differ_warn_at_the_caller(name):
    with pytest.warns(UserWarning, match=rf"{name}: the input is \(4, 1\), the target \(4,\)") as caught:
        getattr(functional, name)(tinyrnn.zeros(4, 1), tinyrnn.ones(4))
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    ("call", "exception", "message"),
    [
        (lambda f, x: f.smooth_l1_loss(x, x, beta=-1), ValueError, "smooth_l1_loss: beta is -1, expected at least 0"),
        (lambda f, x: f.huber_loss(x, x, delta=0), ValueError, "huber_loss: delta is 0, expected more than 0"),
        (lambda f, x: f.mse_loss(x, x, weight=x[0]), ValueError, "mse_loss: the weight is (3,), the input (4, 3)"),
        (lambda f, x: f.l1_loss(x, x, "sum"), TypeError, "l1_loss: size_average is 'sum', expected True"),
        (lambda f, x: f.gaussian_nll_loss(x, x, -1.0), ValueError, "gaussian_nll_loss: var is negative"),
        (lambda f, x: f.gaussian_nll_loss(x, x, x[0] + 1), ValueError, "gaussian_nll_loss: var is (3,), expected"),
        (lambda f, x: f.gaussian_nll_loss(x, x, x[:1, :1] + 1), ValueError, "gaussian_nll_loss: var is (1, 1)"),
        (lambda f, x: f.gaussian_nll_loss(x, x, x + 1, reduction="x"), ValueError, "gaussian_nll_loss: the reduction"),
        (lambda f, x: f.poisson_nll_loss(x.long(), x), TypeError, "poisson_nll_loss: the input is int64"),
        (lambda f, x: f.poisson_nll_loss(x, 1.0), TypeError, "poisson_nll_loss: expected a tensor, got float"),
    ],
)
def test_options_that_are_none_are_refused(call, exception, message):
    with pytest.raises(exception, match=re.escape(message)):
        call(functional, tinyrnn.zeros(4, 3))


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("full", [False, True])
def test_poisson_and_gaussian_likelihoods_are_torchs(torch, reduction, full):
    def poisson(m, x, y, log_input=True):
        return m.nn.functional.poisson_nll_loss(x, y, log_input, full, reduction=reduction)

    def gaussian(m, x, y, v):
        return m.nn.functional.gaussian_nll_loss(x, y, v, full=full, reduction=reduction)

    counts = np.random.default_rng(0).integers(0, 5, (4, 3))
    for dtype in ("float64", "float32"):
        x, y, v = arrays((4, 3), (4, 3), (4, 3), dtype=dtype)
        agree(torch, poisson, x, counts.astype(dtype))
        if not full:  # torch takes the logarithm of whole numbers in float32
            agree(torch, poisson, x, counts)
        agree(torch, lambda m, x, y: poisson(m, x, y, False), abs(x), counts.astype(dtype))
        agree(torch, poisson, x, abs(y), of=(0, 1))
        for variance in (abs(v), abs(v[:, :1]), abs(v[:1]), abs(v[:, 0]), abs(v) * 1e-9):
            agree(torch, gaussian, x, y, variance, of=(0, 1, 2))
    agree(torch, lambda m, x, y: m.nn.functional.gaussian_nll_loss(x, y, 0.3), *arrays((4, 3), (4, 3)), of=(0, 1))


def test_gradcheck_of_the_likelihoods():
    x, y, v = leaf(4, 3), leaf(4, 3), leaf(4, 3)
    assert gradcheck(lambda x, y: functional.poisson_nll_loss(x, y * y, full=True), [x, y])
    assert gradcheck(lambda x, y: functional.poisson_nll_loss(x * x, y * y, log_input=False), [x, y])
    assert gradcheck(lambda x, y, v: functional.gaussian_nll_loss(x, y, v * v, reduction="none"), [x, y, v])
