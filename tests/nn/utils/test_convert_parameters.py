"""All parameters as one vector, and back."""

import re

import numpy as np
import pytest

import tinyrnn
from tinyrnn import nn
from tinyrnn.autograd import gradcheck
from tinyrnn.nn.utils import parameters_to_vector, vector_to_parameters


def test_there_and_back():
    net, other = nn.RNN(2, 3), nn.RNN(2, 3)
    vector = parameters_to_vector(net.parameters())
    assert vector.tolist() == [x for p in net.parameters() for x in p.reshape(-1).tolist()]
    places = list(other.parameters())
    vector_to_parameters(vector, other.parameters())
    for p, q, place in zip(net.parameters(), other.parameters(), places, strict=True):
        assert np.array_equal(p.array, q.array)
        assert q is place
        assert not np.shares_memory(q.array, vector.array)
        assert q.is_leaf
        assert q.requires_grad


def test_the_gradient_flows_back():
    xs = [tinyrnn.randn(*shape, dtype=tinyrnn.float64, requires_grad=True) for shape in [(2, 3), (4,), (1, 1, 2)]]
    assert gradcheck(lambda *xs: parameters_to_vector(xs) ** 2, xs)


def test_a_change_is_counted_and_the_dtype_stays():
    w = tinyrnn.ones(3, requires_grad=True)
    loss = (w * w).sum()
    vector_to_parameters(tinyrnn.arange(3.0, dtype=tinyrnn.float64), [w])
    assert (w.tolist(), w.dtype) == ([0, 1, 2], tinyrnn.float32)
    with pytest.raises(RuntimeError, match="changed in place"):
        loss.backward()


@pytest.mark.parametrize(
    ("call", "exception", "message"),
    [
        (lambda: parameters_to_vector([]), ValueError, "parameters_to_vector: there are no parameters"),
        (lambda: parameters_to_vector([1.0]), TypeError, "parameters_to_vector: got a float, expected tensors"),
        (lambda: vector_to_parameters([1.0], []), TypeError, "vector_to_parameters: got a list, expected a tensor"),
        (
            lambda: vector_to_parameters(tinyrnn.ones(3), [tinyrnn.ones(2, 2)]),
            ValueError,
            "vector_to_parameters: the vector has shape (3,), expected (4,)",
        ),
    ],
)
def test_what_does_not_fit_is_refused(call, exception, message):
    with pytest.raises(exception, match=re.escape(message)):
        call()
