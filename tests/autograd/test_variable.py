"""Variable: every tensor is one, and wrapping one makes a leaf of it, as in torch."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

import tinyrnn
from tinyrnn.autograd import Variable


def test_it_makes_a_leaf_that_shares_the_memory(torch: ModuleType) -> None:
    for m in (tinyrnn, torch):
        v = m.autograd.Variable
        x = m.ones(2, requires_grad=True)
        for y in (v(x), v(x * 2), v(m.nn.Parameter(m.ones(2))), v(x, requires_grad=False)):
            assert (y.is_leaf, y.requires_grad) == (True, False)
        learned = v(m.ones(2), requires_grad=True)
        (learned * 3).sum().backward()
        assert learned.grad.tolist() == [3, 3]
        assert v(m.ones(2), True).requires_grad
        base = m.ones(2)
        v(base)[0] = 5
        assert base.tolist() == [5, 1]
        assert isinstance(x, v)
        assert isinstance(m.nn.Parameter(x.detach()), v)
        assert not isinstance(3, v)


def test_volatile_warns_as_in_torch(torch: ModuleType) -> None:
    for m in (tinyrnn, torch):
        with pytest.warns(UserWarning, match=r"volatile was removed and now has no effect.*no_grad"):
            assert m.autograd.Variable(m.ones(2), volatile=True).tolist() == [1, 1]


def test_a_change_through_it_is_counted() -> None:
    x = tinyrnn.ones(2, requires_grad=True) * 2
    loss = (x * x).sum()
    Variable(x).add_(1)
    with pytest.raises(RuntimeError, match="changed in place"):
        loss.backward()


def test_only_tensors_of_floating_numbers_learn() -> None:
    for data in (np.ones(2), [1.0], None):
        with pytest.raises(TypeError, match=r"^Variable: the data are \w+, expected a tensor"):
            Variable(data)
    with pytest.raises(RuntimeError, match=r"^Variable: a tensor of int64 carries no gradient"):
        Variable(tinyrnn.tensor([1]), requires_grad=True)
