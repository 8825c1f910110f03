"""Activations: those of the package, and their own."""

import pytest

import tinyrnn
from tinyrnn.nn import functional


@pytest.mark.parametrize("name", ["relu", "sigmoid", "tanh"])
def test_the_nonlinearities_are_those_of_the_package(name):
    assert getattr(functional, name) is getattr(tinyrnn, name)
