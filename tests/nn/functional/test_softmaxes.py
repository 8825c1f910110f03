"""softmax, log_softmax and softmin without a dim, as old programs call them."""

import re

import numpy as np
import pytest

import tinyrnn
from tinyrnn import nn
from tinyrnn.nn import functional

NAMES = ["softmax", "log_softmax", "softmin"]
IMPLICIT = "Implicit dimension choice for {} has been deprecated. Change the call to include dim=X as an argument."


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("shape", "dim"), [((), 0), ((4,), 0), ((4, 3), 1), ((4, 3, 2), 0), ((2, 3, 4, 5), 1)])
def test_without_a_dim_one_is_chosen_with_a_warning(name, shape, dim):
    x = tinyrnn.randn(shape)
    with pytest.warns(UserWarning, match=re.escape(IMPLICIT.format(name))) as record:
        y = getattr(functional, name)(x)
    assert record[0].filename == __file__
    assert np.array_equal(y.array, getattr(functional, name)(x, dim).array)


@pytest.mark.parametrize("module", [nn.Softmax, nn.LogSoftmax, nn.Softmin])
def test_the_warning_of_a_module_points_to_the_call(module):
    with pytest.warns(UserWarning, match="Implicit dimension choice") as record:
        module()(tinyrnn.randn(2, 3))
    assert record[0].filename == __file__


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NAMES)
def test_against_torch(agree, name, dtype):
    rng = np.random.default_rng(0)
    for shape, dim in [((4, 3), -1), ((4, 3), 0), ((2, 3, 4), 1)]:
        agree(lambda m, x, dim=dim: getattr(m.nn.functional, name)(x, dim), rng.standard_normal(shape).astype(dtype))
    with pytest.warns(UserWarning, match="Implicit dimension choice"):
        agree(lambda m, x: getattr(m.nn.functional, name)(x), rng.standard_normal((2, 3, 4)).astype(dtype))


def test_softmax_is_a_distribution():
    x = tinyrnn.tensor([[0.0, np.log(3.0)], [1000.0, 0.0]])
    np.testing.assert_allclose(functional.softmax(x, 1).array, [[0.25, 0.75], [1, 0]], rtol=1e-6)
    np.testing.assert_allclose(functional.softmin(x, 1).array, [[0.75, 0.25], [0, 1]], rtol=1e-6)
    np.testing.assert_allclose(functional.log_softmax(x, 1).array, [np.log([0.25, 0.75]), [0, -1000]], rtol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_dtype_casts_before(name):
    y = getattr(functional, name)(tinyrnn.tensor([1.0, 2.0]), 0, dtype=tinyrnn.float64)
    assert y.dtype == tinyrnn.float64


@pytest.mark.parametrize("name", NAMES)
def test_what_does_not_fit_is_refused(name):
    with pytest.raises(IndexError, match="dim 2 is out of range"):
        getattr(functional, name)(tinyrnn.zeros(2, 3), 2)
    with pytest.raises(TypeError, match="expected a tensor, got list"):
        getattr(functional, name)([1.0], 0)
