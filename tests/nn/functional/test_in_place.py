"""in_place: an activation that writes over its input."""

import pytest

import tinyrnn
from tinyrnn.autograd import gradcheck
from tinyrnn.nn.functional.in_place import in_place
from tinyrnn.nn.functional.rectifiers import leaky_relu

leaky_relu_ = in_place(leaky_relu)


def test_the_input_is_changed_and_returned_and_the_change_counted():
    x = tinyrnn.tensor([-1.0, 2.0])
    y = (x * tinyrnn.ones(2, requires_grad=True)).sum()  # which reads x
    assert leaky_relu_(x, 0.5) is x
    assert x.tolist() == [-0.5, 2]
    with pytest.raises(RuntimeError, match="changed in place"):
        y.backward()


def test_the_gradient_is_that_of_what_was_there_before():
    def op(x):
        y = x * x - 0.5
        before = y * 3
        leaky_relu_(y[1:], negative_slope=0.3)
        return y * before

    assert gradcheck(op, [tinyrnn.randn(4, 3, dtype=tinyrnn.float64, requires_grad=True)])


def test_without_recording_a_leaf_is_changed():
    leaf = tinyrnn.tensor([-1.0, 2.0], requires_grad=True)
    with pytest.raises(RuntimeError, match="leaky_relu_: a leaf that requires a gradient"):
        leaky_relu_(leaf)
    with tinyrnn.no_grad():
        leaky_relu_(leaf, 0.5)
    assert leaf.tolist() == [-0.5, 2]
    assert leaf.requires_grad


def test_it_has_a_name_and_a_docstring():
    assert leaky_relu_.__name__ == "leaky_relu_"
    assert leaky_relu_.__doc__.startswith("leaky_relu, in place: y = x where x > 0")
    with pytest.raises(TypeError, match="leaky_relu_: expected a tensor, got float"):
        leaky_relu_(1.0)
