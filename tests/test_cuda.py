"""What CPU programs ask of CUDA: it is not there, and what would concern it alone has nothing to do."""

from __future__ import annotations

import tinyrnn
from tinyrnn import cuda


def test_it_is_not_there() -> None:
    assert (cuda.is_available(), cuda.is_initialized(), cuda.device_count()) == (False, False, 0)


def test_what_concerns_it_alone_is_accepted_and_changes_nothing() -> None:
    tinyrnn.manual_seed(3)
    x = tinyrnn.rand(2)
    tinyrnn.manual_seed(3)
    cuda.manual_seed(4)
    cuda.manual_seed_all(4)
    cuda.synchronize()
    cuda.synchronize(device="cpu")
    cuda.empty_cache()
    assert tinyrnn.rand(2).tolist() == x.tolist()
