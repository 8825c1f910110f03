"""Filling tensors: in place, unrecorded, within bounds, from the seed."""

import re

import numpy as np
import pytest

import tinyrnn
from tinyrnn import nn
from tinyrnn.nn import init

FILLS = {
    "uniform_": lambda t: init.uniform_(t, -2, 3),
    "normal_": lambda t: init.normal_(t, 0.5, 2.0),
    "constant_": lambda t: init.constant_(t, 1.5),
    "zeros_": init.zeros_,
    "ones_": init.ones_,
}


@pytest.mark.parametrize("fill", FILLS.values(), ids=FILLS)
@pytest.mark.parametrize("dtype", [tinyrnn.float32, tinyrnn.float64])
def test_a_parameter_is_filled_in_its_own_memory_and_returned(fill, dtype):
    p = nn.Parameter(tinyrnn.full((30, 20), -7.0, dtype=dtype))
    memory = p.array
    loss = (p * p).sum()
    assert fill(p) is p
    assert p.array is memory
    assert p.dtype == dtype
    assert p.is_leaf
    assert p.requires_grad
    assert not (p.array == -7).any()
    with pytest.raises(RuntimeError, match="'mul' needs was changed in place"):
        loss.backward()


@pytest.mark.parametrize("fill", FILLS.values(), ids=FILLS)
def test_the_same_seed_gives_the_same_numbers(fill):
    tensors = []
    for _ in range(2):
        tinyrnn.manual_seed(4)
        tensors.append(fill(tinyrnn.empty(6, 5)))
    assert np.array_equal(tensors[0].array, tensors[1].array)


def test_the_numbers_have_the_distribution_they_are_said_to_have():
    x = init.uniform_(tinyrnn.empty(200, 100), -2, 3).array
    assert -2 <= x.min() < -1.99
    assert 2.99 < x.max() < 3
    assert abs(x.mean() - 0.5) < 0.04  # four standard deviations of the mean of 20,000 draws
    assert abs(x.std() - 5 / np.sqrt(12)) < 0.04
    z = init.normal_(tinyrnn.empty(200, 100), 0.5, 2).array
    assert abs(z.mean() - 0.5) < 0.06
    assert abs(z.std() - 2) < 0.04
    assert init.uniform_(tinyrnn.empty(1000)).array.min() >= 0
    assert abs(init.normal_(tinyrnn.empty(20000)).array.std() - 1) < 0.02
    assert set(init.constant_(tinyrnn.empty(3), 2.5).tolist()) == {2.5}
    assert set(init.zeros_(tinyrnn.empty(3)).tolist()) == {0}
    assert set(init.ones_(tinyrnn.empty(3)).tolist()) == {1}


def test_a_view_fills_a_part_of_its_base():
    x = tinyrnn.zeros(3, 4)
    init.ones_(x[1])
    assert x.array.sum(axis=1).tolist() == [0, 4, 0]


@pytest.mark.parametrize("name", FILLS)
@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        (np.zeros(3), "got ndarray, expected a tensor"),
        (tinyrnn.zeros(3).long(), "the tensor is int64, expected a floating dtype"),
    ],
)
def test_what_is_no_floating_tensor_is_refused(name, tensor, message):
    called = "constant_" if name in ("zeros_", "ones_") else name
    with pytest.raises(TypeError, match=re.escape(f"init.{called}: {message}")):
        FILLS[name](tensor)


@pytest.mark.parametrize("fill", [lambda x: init.uniform_(x, 1, 0), lambda x: init.normal_(x, 0, -1)])
def test_bounds_that_are_none_are_refused_and_change_nothing(fill):
    x = tinyrnn.zeros(3)
    with pytest.raises(ValueError, match="expected"):
        fill(x)
    assert x.tolist() == [0, 0, 0]
