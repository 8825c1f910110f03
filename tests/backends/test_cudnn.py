"""cuDNN's switches can be set, without effect."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import tinyrnn
from tinyrnn.backends import cudnn

SWITCHES = {"enabled": True, "benchmark": False, "deterministic": False, "allow_tf32": True}


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    yield
    vars(cudnn).update(SWITCHES)


def test_it_is_not_there() -> None:
    assert (cudnn.is_available(), cudnn.version()) == (False, None)


def test_the_switches_keep_what_they_are_set_to_and_change_no_number() -> None:
    assert {name: getattr(cudnn, name) for name in SWITCHES} == SWITCHES
    tinyrnn.manual_seed(0)
    x = tinyrnn.nn.RNN(2, 3)(tinyrnn.ones(4, 2))[0].tolist()
    tinyrnn.backends.cudnn.benchmark = True
    tinyrnn.backends.cudnn.deterministic = True
    tinyrnn.backends.cudnn.enabled = False
    assert cudnn.benchmark is cudnn.deterministic is True
    tinyrnn.manual_seed(0)
    assert tinyrnn.nn.RNN(2, 3)(tinyrnn.ones(4, 2))[0].tolist() == x
