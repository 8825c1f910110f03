"""The table of methods: each one is a function of ops/, under its own name or as an operator."""

from __future__ import annotations

import inspect

from tinyrnn import ops
from tinyrnn.ops.methods import Methods

FUNCTIONS_ONLY = {
    "broadcast_tensors",
    "bucketize",
    "cat",
    "column_stack",
    "concat",
    "concatenate",
    "einsum",
    "hstack",
    "meshgrid",
    "searchsorted",
    "stack",
    "std_mean",
    "tensordot",
    "var_mean",
    "vstack",
}  # whose first argument is no tensor, or which torch has as functions only


RENAMED = {"where": "choose"}  # whose arguments stand in another order than the function's


def test_a_method_has_the_name_of_its_function_or_is_an_alias_of_the_one_that_has() -> None:
    for name, method in vars(Methods).items():
        if inspect.isfunction(method) and not name.startswith("__"):
            assert RENAMED.get(name) == method.__name__ or vars(Methods)[method.__name__] is method, name
            assert method.__module__.startswith("tinyrnn.ops")


def test_what_takes_a_tensor_first_is_a_method_too() -> None:
    missing = [name for name in ops.__all__ if not hasattr(Methods, name)]
    assert set(missing) == FUNCTIONS_ONLY


def test_every_function_is_of_the_package_face() -> None:
    import tinyrnn

    for name in ops.__all__:
        assert getattr(tinyrnn, name) is getattr(ops, name)
