"""What all tests share: torch as a witness that may be absent, a seed, and no trace left behind."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from types import ModuleType

import pytest
from hypothesis import settings

import tinyrnn

settings.register_profile("quick", max_examples=25, deadline=None)
settings.register_profile("deep", max_examples=1000, deadline=None)  # pytest --hypothesis-profile=deep
settings.load_profile("quick")


@pytest.fixture(scope="session")
def torch() -> ModuleType:
    """The torch module. Without torch the test is skipped, or fails if TINYRNN_REQUIRE_TORCH is set, as CI does."""
    try:
        module = importlib.import_module("torch")
    except ImportError:
        if os.environ.get("TINYRNN_REQUIRE_TORCH"):
            pytest.fail("TINYRNN_REQUIRE_TORCH is set, but torch is not installed", pytrace=False)
        pytest.skip("torch is not installed: pip install -e '.[torch]' adds the comparisons with it")
    module.set_num_threads(1)
    return module


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    """Every test starts from one seed, and must leave the global switches as it found them."""
    tinyrnn.manual_seed(0)
    yield
    assert tinyrnn.is_grad_enabled(), "the test left recording off"
    assert tinyrnn.get_default_dtype() == tinyrnn.float32, "the test left another default dtype"
