"""The dtypes: torch's names, torch's promotion, and a default that can be changed."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

import tinyrnn
from tinyrnn import dtypes

NAMES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"]


def test_the_dtypes_are_numpys_under_torchs_names() -> None:
    for name in NAMES:
        assert getattr(tinyrnn, name) == np.dtype(name)
    aliases = {"float": "float32", "double": "float64", "half": "float16", "long": "int64", "int": "int32"}
    aliases |= {"short": "int16"}
    for alias, name in aliases.items():
        assert getattr(tinyrnn, alias) is getattr(tinyrnn, name)


def test_the_numbers_that_torch_has_a_name_for() -> None:
    assert (tinyrnn.pi, tinyrnn.e, tinyrnn.inf, tinyrnn.newaxis) == (np.pi, np.e, np.inf, None)
    assert np.isnan(tinyrnn.nan)
    assert tinyrnn.zeros(2)[:, tinyrnn.newaxis].shape == (2, 1)


@pytest.mark.parametrize("dtype", [np.float32, "float32", np.dtype("float32"), tinyrnn.float32])
def test_a_dtype_may_be_named_in_any_way_of_numpys(dtype: Any) -> None:
    assert dtypes.as_dtype("f", dtype) == np.float32


@pytest.mark.parametrize(
    ("dtype", "message"),
    [
        ("float99", "^f: 'float99' is not a dtype, expected one such as tinyrnn.float32"),
        (3, "^f: 3 is not a dtype"),
        ("str", "^f: dtype <U0 is not supported, expected bool, whole, floating or complex numbers"),
        (object, "^f: dtype object is not supported"),
        ("datetime64[s]", "^f: dtype datetime64.s. is not supported"),
    ],
)
def test_what_tensors_cannot_hold_is_refused(dtype: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        dtypes.as_dtype("f", dtype)


def test_promotion_is_torchs(torch: ModuleType) -> None:
    for a in NAMES:
        for b in NAMES:
            for m, n in ((2, 2), (2, None), (None, 2), (None, None)):
                x, y = (np.zeros(() if k is None else (k,), d) for k, d in ((m, a), (n, b)))
                theirs = torch.result_type(torch.tensor(x), torch.tensor(y))
                for array in dtypes.promote(x, y):
                    assert f"torch.{array.dtype}" == str(theirs), (a, m, b, n)


def test_promotion_is_torchs_in_words() -> None:
    """The table of the module's docstring, where torch is not at hand."""
    x, y, z = tinyrnn.ones(3), tinyrnn.tensor(2.0, dtype=tinyrnn.float64), tinyrnn.ones(3, dtype=tinyrnn.int64)
    assert {(x * np.float64(2)).dtype, (x * y).dtype, (z * x).dtype, (z * 0.5).dtype} == {tinyrnn.float32}
    assert (x * tinyrnn.ones(3, dtype=tinyrnn.float64)).dtype == (z * y).dtype == tinyrnn.float64


def test_what_may_be_written_into_what_is_torchs(torch: ModuleType) -> None:
    for a in NAMES:
        for b in NAMES:
            ours = dtypes.can_cast(np.dtype(a), np.dtype(b))
            assert ours is torch.can_cast(getattr(torch, a), getattr(torch, b)), (a, b)


@pytest.mark.parametrize("dtype", ["float64", "float16"])
def test_the_default_dtype_is_that_of_floats_without_another(dtype: str) -> None:
    assert tinyrnn.get_default_dtype() is tinyrnn.float32
    tinyrnn.set_default_dtype(dtype)
    try:
        assert tinyrnn.get_default_dtype() == dtype
        made = [tinyrnn.tensor([1.5]), tinyrnn.tensor(1.5), tinyrnn.zeros(2), tinyrnn.arange(2.0), tinyrnn.Tensor([1])]
        made += [tinyrnn.tensor([]), tinyrnn.full((2,), 1.5), tinyrnn.tensor([1]) / 2, tinyrnn.tensor([1]).exp()]
        assert {x.dtype for x in made} == {np.dtype(dtype)}
        assert tinyrnn.tensor(np.ones(2, np.float32)).dtype == tinyrnn.float32
        assert repr(tinyrnn.ones(1)) == "tensor([1.])"
        assert repr(tinyrnn.ones(1, dtype=tinyrnn.float32)) == "tensor([1.], dtype=tinyrnn.float32)"
    finally:
        tinyrnn.set_default_dtype(tinyrnn.float32)


@pytest.mark.parametrize("dtype", ["int64", "bool", "complex64"])
def test_the_default_dtype_is_a_floating_one(dtype: str) -> None:
    with pytest.raises(TypeError, match=f"^set_default_dtype: {dtype} is not a floating dtype, expected float32"):
        tinyrnn.set_default_dtype(dtype)
    assert tinyrnn.get_default_dtype() is tinyrnn.float32


OPERANDS = [2, 2.5, True]
OPERANDS += [(name, shape) for name in ("bool", "uint8", "int8", "int64", "float32", "float64") for shape in ((), (2,))]


def operand(m: Any, given: Any) -> Any:
    return m.ones(given[1], dtype=getattr(m, given[0])) if isinstance(given, tuple) else given


def test_result_type_is_torchs(torch: ModuleType) -> None:
    for a in OPERANDS:
        for b in OPERANDS:
            if isinstance(a, tuple) or isinstance(b, tuple):
                ours, theirs = (m.result_type(operand(m, a), operand(m, b)) for m in (tinyrnn, torch))
                assert f"torch.{ours}" == str(theirs), (a, b)


def test_result_type_is_that_of_the_result() -> None:
    for a in OPERANDS:
        for b in OPERANDS:
            if isinstance(a, tuple) and not (a[0] == b or isinstance(b, bool)):
                x, y = operand(tinyrnn, a), operand(tinyrnn, b)
                assert tinyrnn.result_type(x, y) == (x * y).dtype, (a, b)
    with pytest.raises(TypeError, match=r"^result_type: got str, expected a tensor or a number"):
        tinyrnn.result_type("a", 1)


def test_promote_types_is_torchs(torch: ModuleType) -> None:
    for a in NAMES:
        for b in NAMES:
            ours, theirs = (m.promote_types(getattr(m, a), getattr(m, b)) for m in (tinyrnn, torch))
            assert f"torch.{ours}" == str(theirs), (a, b)


def test_the_limits_are_torchs(torch: ModuleType) -> None:
    for name in ("float16", "float32", "float64"):
        ours, theirs = (m.finfo(getattr(m, name)) for m in (tinyrnn, torch))
        for limit in ("bits", "eps", "max", "min", "tiny", "smallest_normal", "resolution", "dtype"):
            assert getattr(ours, limit) == getattr(theirs, limit)
            assert type(getattr(ours, limit)) is type(getattr(theirs, limit))
    for name in ("uint8", "int8", "int16", "int32", "int64"):
        ours, theirs = (m.iinfo(getattr(m, name)) for m in (tinyrnn, torch))
        for limit in ("bits", "max", "min", "dtype"):
            assert getattr(ours, limit) == getattr(theirs, limit)


def test_the_limits_are_those_of_the_dtype() -> None:
    assert tinyrnn.finfo().max == tinyrnn.finfo(tinyrnn.float32).max == float(np.finfo(np.float32).max)
    assert str(tinyrnn.finfo()) == "finfo(resolution=1e-06, min=-3.40282e+38, max=3.40282e+38, eps=1.19209e-07, " + (
        "tiny=1.17549e-38, dtype=float32)"
    )
    with pytest.raises(TypeError, match=r"^finfo: int64 is not a floating dtype: iinfo has"):
        tinyrnn.finfo(tinyrnn.int64)
    with pytest.raises(TypeError, match=r"^iinfo: float32 is no dtype of whole numbers: finfo has"):
        tinyrnn.iinfo(tinyrnn.float32)


def test_a_dtype_is_an_instance_of_dtype() -> None:
    assert isinstance(tinyrnn.float32, tinyrnn.dtype)
    assert tinyrnn.ones(1).dtype is tinyrnn.float32
    assert tinyrnn.float32.itemsize == 4
