"""Names that are not here: every package says so, and what to do instead."""

from __future__ import annotations

import importlib
from types import ModuleType

import pytest

import tinyrnn
from tinyrnn.absent import INSTEAD, absent, on_demand

PACKAGES = ["", ".nn", ".nn.functional", ".optim", ".autograd", ".cuda", ".accelerator", ".backends"]
PACKAGES += [".nn.init", ".nn.utils", ".utils", ".utils.data", ".serialization"]


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_says_what_it_has_not(package: str) -> None:
    name = "tinyrnn" + package
    module = importlib.import_module(name)
    with pytest.raises(AttributeError, match=rf"^{name} has no 'Nonsense': of torch it holds what .* need on the CPU"):
        module.Nonsense  # noqa: B018
    assert not hasattr(module, "Nonsense")
    assert not hasattr(module, "__nonsense__")


@pytest.mark.parametrize(
    ("module", "name", "instead"),
    [
        (tinyrnn, "compile", "leave the line out"),
        (tinyrnn, "jit", "leave the line out"),
        (tinyrnn, "set_num_threads", "OPENBLAS_NUM_THREADS"),
        (tinyrnn, "complex64", "real and imaginary parts"),
        (tinyrnn, "fft", r"numpy\.fft"),
        (tinyrnn, "LSTM9000", r"What is here: dir\(tinyrnn\)"),
        (tinyrnn.nn, "Conv1d", r"nn\.Linear on cat"),
        (tinyrnn.nn, "TransformerEncoder", "write attention out"),
        (tinyrnn.optim, "SparseAdam", "optim.Adam"),
        (tinyrnn.cuda, "get_device_name", r"ask cuda\.is_available\(\) first"),
        (tinyrnn.cuda, "FloatTensor", r"ask cuda\.is_available\(\) first"),
        (tinyrnn.cuda, "Stream", r"ask cuda\.is_available\(\) first"),
        (tinyrnn.cuda, "amp", "float32 stays float32: leave the line out"),
        (tinyrnn.utils, "tensorboard", "matplotlib"),
        (tinyrnn.nn.utils, "weight_norm", "weight_v"),
        (tinyrnn.nn.functional, "ctc_loss", "aligned"),
    ],
)
def test_common_names_come_with_a_way_out(module: ModuleType, name: str, instead: str) -> None:
    with pytest.raises(AttributeError, match=f"^{module.__name__} has no '{name}'.*{instead}"):
        getattr(module, name)


def test_a_way_out_is_kept_only_for_what_is_not_here() -> None:
    elsewhere = {".backends", ".nn.init"}  # which have an mps and a sparse of their own
    places = [importlib.import_module("tinyrnn" + package) for package in PACKAGES if package not in elsewhere]
    here = {name for name in INSTEAD for place in places if hasattr(place, name)}
    assert not here, "these are here now: take them out of the table"
    assert not {name for name in INSTEAD if hasattr(tinyrnn.Tensor, name)}


def test_python_gets_what_its_did_you_mean_asks_for() -> None:
    with pytest.raises(AttributeError) as missing:
        tinyrnn.nn.Sequentail  # noqa: B018
    assert (missing.value.name, missing.value.obj) == ("Sequentail", tinyrnn.nn)


def test_names_of_pythons_own_get_a_plain_word() -> None:
    assert str(absent("tinyrnn", "__path__")) == "tinyrnn has no '__path__'"


def test_what_is_loaded_on_demand_is_there_from_then_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(tinyrnn.optim, "lr_scheduler", raising=False)
    found = on_demand("tinyrnn.optim", "lr_scheduler", {"lr_scheduler": "tinyrnn.optim.lr_scheduler"})
    assert found is importlib.import_module("tinyrnn.optim.lr_scheduler")
    assert vars(tinyrnn.optim)["lr_scheduler"] is found
    with pytest.raises(AttributeError, match=r"^tinyrnn.optim has no 'lr_shredder'"):
        on_demand("tinyrnn.optim", "lr_shredder", {"lr_scheduler": "tinyrnn.optim.lr_scheduler"})
