"""The one device: the CPU may be named, any other is refused."""

from __future__ import annotations

from typing import Any

import pytest

import tinyrnn
from tinyrnn.devices import check_device


class Named:
    """What a device of another library looks like."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __str__(self) -> str:
        return self.name


@pytest.mark.parametrize("device", [None, "cpu", "cpu:0", Named("cpu")])
def test_the_cpu_may_be_named(device: Any) -> None:
    check_device("f", device)
    assert tinyrnn.zeros(2, device=device).shape == (2,)
    assert tinyrnn.zeros(2).to(device=device).shape == (2,)


@pytest.mark.parametrize("device", ["cuda", "cuda:0", "mps", "cpux", "", 0, Named("cuda:1")])
def test_no_other_is_there(device: Any) -> None:
    with pytest.raises(
        ValueError, match=f"^f: device '{device}' is not available: tinyrnn runs on the CPU, say device="
    ):
        check_device("f", device)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("tensor", ([1.0],)),
        ("as_tensor", ([1.0],)),
        ("zeros", (2,)),
        ("ones", (2,)),
        ("empty", (2,)),
        ("full", ((2,), 1.0)),
        ("zeros_like", (tinyrnn.ones(2),)),
        ("ones_like", (tinyrnn.ones(2),)),
        ("arange", (3,)),
        ("linspace", (0, 1, 3)),
        ("rand", (2,)),
        ("randn", (2,)),
        ("randint", (3, (2,))),
        ("randperm", (3,)),
    ],
)
def test_every_way_to_make_a_tensor_takes_a_device(name: str, arguments: Any) -> None:
    make = getattr(tinyrnn, name)
    assert make(*arguments, device="cpu").dtype == make(*arguments).dtype
    with pytest.raises(ValueError, match=r"device 'cuda' is not available.*device='cpu'"):
        make(*arguments, device="cuda")
