"""Size: a tuple that counts, as torch's."""

from __future__ import annotations

import copy
import pickle
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import tinyrnn
from tinyrnn.size import Size, sizes


@pytest.mark.parametrize(
    "expression",
    [
        "s", "s[0]", "s[-1]", "s[1:]", "s[:-1]", "s[::2]", "s + (5,)", "s[:1] + s[2:]", "len(s)", "s.numel()",
        "s[1:].numel()", "s[:0].numel()", "list(s)", "tuple(s)", "s == (2, 3, 4)", "s == [2, 3, 4]",
        "{s: 1}[(2, 3, 4)]",
        "[s]", "s.index(3)", "hash(s) == hash((2, 3, 4))",
    ],
)  # fmt: skip
def test_it_is_torchs(torch: ModuleType, expression: str) -> None:
    ours, theirs = (eval(expression, {"s": m.ones(2, 3, 4).shape}) for m in (tinyrnn, torch))
    assert ours == theirs
    assert isinstance(ours, Size) is isinstance(theirs, torch.Size)


def test_it_is_a_tuple() -> None:
    s = tinyrnn.ones(2, 3).size()
    assert isinstance(s, tinyrnn.Size)
    assert isinstance(s, tuple)
    assert s == (2, 3)
    assert (s[1:], s.numel(), s[1:].numel(), s + s[:0]) == ((3,), 6, 3, (2, 3))
    assert (str(s), f"{s}") == ("(2, 3)", "(2, 3)")
    assert np.zeros(s).shape == s
    for again in (copy.deepcopy(s), pickle.loads(pickle.dumps(s))):
        assert again == s
        assert isinstance(again, Size)


@pytest.mark.parametrize("shape", [(2, 3), ((2, 3),), ([2, 3],), (Size((2, 3)),), (np.int64(2), np.array(3))])
def test_sizes_are_whole_numbers_of_any_kind(shape: Any) -> None:
    assert sizes("f", shape) == (2, 3)
    assert all(type(n) is int for n in sizes("f", shape))


@pytest.mark.parametrize("shape", [(2.0,), ("a",), ((2, None),), (tinyrnn.ones(()),)])
def test_what_is_no_size_is_refused(shape: Any) -> None:
    with pytest.raises(TypeError, match=r"^f: got .*, expected whole numbers"):
        sizes("f", shape)
