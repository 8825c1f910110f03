"""Tensors in nested containers."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

import tinyrnn
from tinyrnn.tensor import Tensor
from tinyrnn.utils.nested import each, tensors_in


class Pair(NamedTuple):
    first: Tensor
    second: object


def test_every_tensor_is_found_and_every_container_is_made_anew() -> None:
    a, b, c, d = tinyrnn.arange(4.0).unbind()
    nested = (a, [b, None, "text"], OrderedDict(k=Pair(c, 2.5), l={"d": d}))
    assert [x.item() for x in tensors_in(nested)] == [0, 1, 2, 3]
    doubled = each(lambda x: 2 * x, nested)
    assert [x.item() for x in tensors_in(doubled)] == [0, 2, 4, 6]
    assert doubled[1][1:] == [None, "text"]
    assert isinstance(doubled[2], OrderedDict)
    assert isinstance(doubled[2]["k"], Pair)
    assert doubled[2]["k"].second == 2.5
    assert nested[0].item() == 0
    assert doubled[1] is not nested[1]


def test_what_holds_no_tensor_stays() -> None:
    thing = object()
    assert each(lambda x: x, thing) is thing
    assert list(tensors_in(thing)) == []
