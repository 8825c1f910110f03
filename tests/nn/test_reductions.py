"""The reductions of losses: torch's older words for them, what divides the mean, and the nodes they leave."""

import re

import numpy as np
import pytest

import tinyrnn
from tinyrnn.nn.reductions import check_weight, reduce_losses, reduced, reduction_of


@pytest.mark.parametrize(
    ("size_average", "reduce", "expected"),
    [
        (None, None, "sum"),
        (True, None, "mean"),
        (False, None, "sum"),
        (None, True, "mean"),
        (None, False, "none"),
        (True, False, "none"),
        (False, False, "none"),
        (False, True, "sum"),
    ],
)
def test_the_older_words_win_with_a_warning_as_in_torch(torch, size_average, reduce, expected):
    if size_average is None and reduce is None:
        assert reduction_of("f", None, None, "sum") == "sum"
        return
    assert torch.nn._reduction.legacy_get_string(size_average, reduce, emit_warning=False) == expected
    message = f"f: size_average and reduce args will be deprecated, please use reduction='{expected}' instead"
    with pytest.warns(UserWarning, match=message):
        assert reduction_of("f", size_average, reduce, "anything") == expected


def test_elementwise_mean_is_the_mean_with_a_warning():
    with pytest.warns(UserWarning, match="f: reduction='elementwise_mean' is deprecated"):
        assert reduction_of("f", None, None, "elementwise_mean") == "mean"


def test_the_warning_points_at_the_caller_of_the_loss():
    with pytest.warns(UserWarning, match="deprecated") as caught:
        tinyrnn.nn.functional.mse_loss(tinyrnn.zeros(2), tinyrnn.zeros(2), False)
    assert caught[0].filename == __file__


def test_what_is_no_reduction_is_refused():
    with pytest.raises(ValueError, match="f: the reduction is 'max', expected 'mean', 'sum' or 'none'"):
        reduction_of("f", None, None, "max")
    assert reduction_of("f", None, None, "max", ("max",)) == "max"
    with pytest.raises(TypeError, match="f: size_average is 'sum', expected True, False or None: say reduction='sum'"):
        reduction_of("f", "sum", None, "mean")


def test_the_mean_divides_by_n_and_over_nothing_is_nan():
    x = tinyrnn.tensor([1.0, 5.0], dtype=tinyrnn.float64, requires_grad=True)
    for options, value, slope in (({}, 3.0, 0.5), ({"n": 4}, 1.5, 0.25), ({"n": 0}, np.nan, np.nan)):
        y = reduced("f", x.array, "mean", (x,), lambda g: (g * np.ones(2),), **options)
        np.testing.assert_array_equal(y.item(), value)
        np.testing.assert_array_equal(tinyrnn.autograd.grad(y, x)[0].array, [slope, slope])
    assert np.isnan(reduced("f", np.zeros((0, 2)), "mean", (x,), lambda g: (g,)).item())
    assert reduced("f", np.zeros((0, 2)), "sum", (x,), lambda g: (g,)).item() == 0


@pytest.mark.parametrize("shape", [(), (3,), (2, 0), (2, 3)])
def test_computed_losses_are_reduced_alike(shape):
    x = tinyrnn.randn(shape, dtype=tinyrnn.float64, requires_grad=True)
    for reduction in ("mean", "sum", "none"):
        y = reduce_losses("f", x * 2, reduction)
        assert y.shape == (shape if reduction == "none" else ())
        (dx,) = tinyrnn.autograd.grad(y, x, tinyrnn.ones_like(y) * 3)
        n = max(x.numel(), 1) if reduction == "mean" else 1
        np.testing.assert_allclose(dx.array, np.full(shape, 6 / n), rtol=1e-15)


@pytest.mark.parametrize(
    ("weight", "exception", "message"),
    [
        ([1.0], TypeError, "f: the w is list, expected a tensor"),
        (tinyrnn.ones(4), ValueError, "f: the w and the input: shapes (4,) and (2, 3) do not broadcast"),
        (tinyrnn.ones(5, 2, 3), ValueError, "f: the w is (5, 2, 3), expected it to broadcast to the input's (2, 3)"),
        (tinyrnn.ones(3, requires_grad=True), RuntimeError, "f: the w requires a gradient, and none is computed"),
    ],
)
def test_a_weight_that_does_not_fit_is_refused(weight, exception, message):
    with pytest.raises(exception, match=re.escape(message)):
        check_weight("f", "w", weight, (2, 3))
    check_weight("f", "w", tinyrnn.ones(2, 1), (2, 3))
    with tinyrnn.no_grad():
        check_weight("f", "w", tinyrnn.ones(3, requires_grad=True), (2, 3))
