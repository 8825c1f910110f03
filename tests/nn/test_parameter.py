"""Parameter: a leaf that requires a gradient, in the memory of what it was made from."""

import copy
import pickle

import numpy as np
import pytest

import tinyrnn
from tinyrnn import nn


def test_a_parameter_is_a_leaf_that_requires_a_gradient():
    data = tinyrnn.randn(2, 3, dtype=tinyrnn.float64)
    p = nn.Parameter(data)
    assert isinstance(p, tinyrnn.Tensor)
    assert p.is_leaf
    assert p.requires_grad
    assert p.grad is None
    assert not data.requires_grad
    assert (p.shape, p.dtype) == ((2, 3), tinyrnn.float64)
    assert np.shares_memory(p.array, data.array)
    assert not nn.Parameter(data, requires_grad=False).requires_grad


def test_a_parameter_leaves_the_graph_of_its_data_behind():
    x = tinyrnn.ones(2, requires_grad=True)
    p = nn.Parameter(2 * x)
    assert p.is_leaf
    p.sum().backward()
    assert p.grad.tolist() == [1, 1]
    assert x.grad is None


def test_operations_on_a_parameter_give_plain_tensors():
    p = nn.Parameter(tinyrnn.ones(3))
    assert {type(t) for t in (p + 1, 2 * p, p[0], p.view(1, 3), p.detach(), p.data, p.sum())} == {tinyrnn.Tensor}
    p.sum().backward()
    assert type(p.grad) is tinyrnn.Tensor


def test_what_may_become_a_parameter():
    assert nn.Parameter([1.0, 2.0]).dtype == tinyrnn.float32
    assert nn.Parameter(np.ones(2)).dtype == tinyrnn.float64
    assert nn.Parameter().shape == (0,)
    assert nn.Parameter(tinyrnn.tensor([1, 2]), requires_grad=False).dtype == tinyrnn.int64
    with pytest.raises(RuntimeError, match="a tensor of int64 carries no gradient, expected a floating dtype"):
        nn.Parameter(tinyrnn.tensor([1, 2]))


def test_a_change_of_the_data_is_a_change_of_the_parameter():
    data = tinyrnn.ones(3)
    p = nn.Parameter(data)
    loss = (p * p).sum()
    data.mul_(2)
    with pytest.raises(RuntimeError, match="'mul' needs was changed in place"):
        loss.backward()


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda p: pickle.loads(pickle.dumps(p))])
@pytest.mark.parametrize("requires_grad", [True, False])
def test_a_copy_is_a_parameter_in_memory_of_its_own(duplicate, requires_grad):
    p = nn.Parameter(tinyrnn.randn(2, 3), requires_grad)
    q = duplicate(p)
    assert type(q) is nn.Parameter
    assert q.requires_grad == requires_grad
    assert np.array_equal(q.array, p.array)
    assert not np.shares_memory(q.array, p.array)


def test_repr():
    p = nn.Parameter(tinyrnn.tensor([1.0, 2.5]))
    assert repr(p) == "Parameter containing:\ntensor([1.0000, 2.5000], requires_grad=True)"
    assert repr(nn.Parameter(p, requires_grad=False)) == "Parameter containing:\ntensor([1.0000, 2.5000])"
