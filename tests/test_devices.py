"""The one device: the CPU may be named, any other is refused."""

from __future__ import annotations

import copy
import pickle
from types import ModuleType
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


@pytest.mark.parametrize("device", [None, "cpu", "cpu:0", Named("cpu"), tinyrnn.device("cpu"), tinyrnn.device("cpu:0")])
def test_the_cpu_may_be_named(device: Any) -> None:
    check_device("f", device)
    assert tinyrnn.zeros(2, device=device).shape == (2,)
    assert tinyrnn.zeros(2).to(device=device).shape == (2,)


@pytest.mark.parametrize("device", ["cuda", "cuda:0", "mps", "cpux", "cpu:", "cpu:a", "", 0, Named("cuda:1")])
def test_no_other_is_there(device: Any) -> None:
    message = f"device '{device}' is not available: tinyrnn runs on the CPU, say device='cpu'"
    with pytest.raises(ValueError, match=f"^f: {message}"):
        check_device("f", device)
    with pytest.raises(ValueError, match=f"^device: {message}"):
        tinyrnn.device(device)
    with pytest.raises(ValueError, match=f"^set_default_device: {message}"):
        tinyrnn.set_default_device(device)


@pytest.mark.parametrize(
    "expression",
    [
        "m.device('cpu')", "m.device('cpu:0')", "m.device('cpu', 0)", "m.device(type='cpu')",
        "m.device(m.device('cpu'))",
        "m.ones(2).device", "m.nn.Linear(1, 1).weight.device", "m.Generator().device", "m.get_default_device()",
        "m.device('cpu' if not m.cuda.is_available() else 'cuda')",
    ],
)  # fmt: skip
def test_it_says_what_torchs_says(torch: ModuleType, expression: str) -> None:
    ours, theirs = (eval(expression, {"m": m}) for m in (tinyrnn, torch))
    assert (repr(ours), str(ours), ours.type, ours.index) == (repr(theirs), str(theirs), theirs.type, theirs.index)
    assert isinstance(ours, tinyrnn.device)


def test_devices_are_compared_as_torchs_are(torch: ModuleType) -> None:
    for m in (tinyrnn, torch):
        cpu, first = m.device("cpu"), m.device("cpu", 0)
        assert cpu == m.ones(1).device
        assert cpu != first
        assert first == m.device("cpu:0")
        assert cpu != "cpu"
        assert {cpu: 1, first: 2}[m.device("cpu")] == 1
        assert copy.deepcopy(cpu) == pickle.loads(pickle.dumps(cpu)) == cpu
        with cpu:
            assert m.ones(1).device == cpu


def test_the_words_that_programs_carry_along_are_understood() -> None:
    device = tinyrnn.device("cuda:0" if tinyrnn.cuda.is_available() else "cpu")
    model = tinyrnn.nn.Linear(2, 1).to(device)
    x = tinyrnn.ones(3, 2).to(device, non_blocking=True)
    assert model(x).cpu().shape == (3, 1)
    tinyrnn.set_default_device("cpu")
    tinyrnn.use_deterministic_algorithms(True, warn_only=True)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("tensor", ([1.0],)),
        ("as_tensor", ([1.0],)),
        ("asarray", ([1.0],)),
        ("zeros", (2,)),
        ("ones", (2,)),
        ("empty", (2,)),
        ("full", ((2,), 1.0)),
        ("eye", (2,)),
        ("zeros_like", (tinyrnn.ones(2),)),
        ("ones_like", (tinyrnn.ones(2),)),
        ("empty_like", (tinyrnn.ones(2),)),
        ("full_like", (tinyrnn.ones(2), 1.0)),
        ("rand_like", (tinyrnn.ones(2),)),
        ("randn_like", (tinyrnn.ones(2),)),
        ("randint_like", (tinyrnn.ones(2), 3)),
        ("arange", (3,)),
        ("linspace", (0, 1, 3)),
        ("logspace", (0, 1, 3)),
        ("rand", (2,)),
        ("randn", (2,)),
        ("randint", (3, (2,))),
        ("randperm", (3,)),
        ("normal", (0.0, 1.0, (2,))),
        ("FloatTensor", ([1.0],)),
        ("Tensor", ([1.0],)),
    ],
)
def test_every_way_to_make_a_tensor_takes_a_device(name: str, arguments: Any) -> None:
    make = getattr(tinyrnn, name)
    assert make(*arguments, device="cpu").dtype == make(*arguments).dtype
    with pytest.raises(ValueError, match=r"device 'cuda' is not available.*device='cpu'"):
        make(*arguments, device="cuda")


def test_the_one_layout_has_a_name() -> None:
    assert tinyrnn.ones(2, layout=tinyrnn.strided).shape == (2,)
    names = [repr(x) for x in (tinyrnn.strided, tinyrnn.contiguous_format, tinyrnn.preserve_format)]
    assert names == ["tinyrnn.strided", "tinyrnn.contiguous_format", "tinyrnn.preserve_format"]
