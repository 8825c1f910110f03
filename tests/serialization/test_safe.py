""".safetensors files: what comes back, what cannot go in, and what was damaged on the way."""

from __future__ import annotations

import importlib.util
import io
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinyrnn
from tinyrnn import nn
from tinyrnn.serialization.safe import CHECKSUM, checksum

needs_safetensors = pytest.mark.skipif(
    importlib.util.find_spec("safetensors") is None, reason="the safetensors library is not installed"
)


@needs_safetensors
def test_safetensors(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    x = tinyrnn.randn(2, 3)
    tree = {
        "w": nn.Parameter(x),
        "turned": x.t(),
        "stepped": tinyrnn.arange(9)[::2],
        "0-d": tinyrnn.tensor(1.5),
        "empty": tinyrnn.zeros(0, 2),
        "array": np.ones(2, np.uint16),
        "swapped": np.arange(3, dtype=">f4"),
        "flags": tinyrnn.tensor([True, False]),
        "double": x.double(),
        "again": x,
    }
    tinyrnn.save(tree, path)
    loaded = tinyrnn.load(path)
    assert set(loaded) == set(tree)
    for name, value in tree.items():
        expected = value.detach().numpy() if isinstance(value, tinyrnn.Tensor) else value
        assert type(loaded[name]) is tinyrnn.Tensor, name
        assert loaded[name].dtype == expected.dtype.newbyteorder("="), name
        np.testing.assert_array_equal(loaded[name].numpy(), expected)
        assert loaded[name].numpy().flags.writeable
    from safetensors.numpy import load_file

    np.testing.assert_array_equal(load_file(path)["w"], x.numpy())
    with open(path, "rb") as file:
        assert set(tinyrnn.load(file)) == set(tree)
    with open(path, "wb") as file:
        tinyrnn.save({"a": x}, file)
    assert list(tinyrnn.load(str(path))) == ["a"]


@needs_safetensors
@pytest.mark.parametrize(
    ("tree", "error", "message"),
    [
        ([tinyrnn.ones(1)], TypeError, "a flat dict of tensors, got list: another name"),
        ({"a": {"b": tinyrnn.ones(1)}}, TypeError, "got dict at 'a'"),
        ({"epoch": 3}, TypeError, "got int at 'epoch'"),
        ({0: tinyrnn.ones(1)}, TypeError, "at 0"),
        ({"a": np.ones(1, complex)}, ValueError, "cannot hold this.*complex128"),
        ({"a": np.array(["x"])}, ValueError, "cannot hold this"),
    ],
)
def test_what_safetensors_cannot_hold(tmp_path: Path, tree: Any, error: type[Exception], message: str) -> None:
    path = tmp_path / "x.safetensors"
    with pytest.raises(error, match=message):
        tinyrnn.save(tree, path)
    assert os.listdir(tmp_path) == []


def test_without_the_safetensors_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "safetensors", None)
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    with pytest.raises(ImportError, match=r"save: \.safetensors files need the safetensors library: pip install"):
        tinyrnn.save({"a": tinyrnn.ones(1)}, tmp_path / "x.safetensors")
    (tmp_path / "y").write_bytes((2).to_bytes(8, "little") + b"{}")
    with pytest.raises(ImportError, match=r"load: \.safetensors files need"):
        tinyrnn.load(tmp_path / "y")


@needs_safetensors
def test_safetensors_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    names = [f"{k}.weight" for k in range(9)]
    tinyrnn.save({name: tinyrnn.zeros(2) for name in reversed(names)}, tmp_path / "x.safetensors")
    assert list(tinyrnn.load(tmp_path / "x.safetensors")) == names


@pytest.mark.parametrize("data", [b"\x10" + b"\0" * 7 + b"{", b"\xff" * 8 + b"{}"])
def test_broken_safetensors(data: bytes) -> None:
    pytest.importorskip("safetensors")
    with pytest.raises(RuntimeError, match="damaged or cut short"):
        tinyrnn.load(io.BytesIO(data))


def contents(tree: Any, tmp_path: Path) -> bytes:
    tinyrnn.save(tree, tmp_path / "x.safetensors")
    return (tmp_path / "x.safetensors").read_bytes()


def with_header(data: bytes, change: Any) -> bytes:
    """The file with change(text of its header)."""
    size = int.from_bytes(data[:8], "little")
    text = change(data[8 : 8 + size])
    return len(text).to_bytes(8, "little") + text + data[8 + size :]


TREE = {"w": tinyrnn.arange(6).float().reshape(2, 3), "b": tinyrnn.ones(3), "n": tinyrnn.tensor(2)}


@needs_safetensors
def test_every_flipped_bit_is_an_error_or_without_effect(tmp_path: Path) -> None:
    data = contents(TREE, tmp_path)
    numbers = 8 + int.from_bytes(data[:8], "little")
    for n in range(8 * len(data)):
        changed = bytearray(data)
        changed[n // 8] ^= 1 << n % 8
        try:
            loaded = tinyrnn.load(io.BytesIO(changed))
        except RuntimeError:
            continue
        assert n // 8 < numbers, "a number was changed, and nobody noticed"
        assert list(loaded) == sorted(TREE)
        for name, value in TREE.items():
            assert loaded[name].dtype == value.dtype
            assert loaded[name].tolist() == value.tolist()


@needs_safetensors
def test_what_the_checksum_is_of(tmp_path: Path) -> None:
    arrays = {name: value.numpy() for name, value in TREE.items()}
    said = json.loads(with_header(contents(TREE, tmp_path), bytes)[8:].partition(b"}}")[0] + b"}}")
    assert said["__metadata__"] == {CHECKSUM: checksum(arrays)}
    others = [
        {**arrays, "w": arrays["w"] + 1},
        {**arrays, "w": arrays["w"].reshape(3, 2)},
        {**arrays, "n": arrays["n"].astype(np.uint64)},
        {**arrays, "v": arrays["w"]},
        {"w": arrays["b"], "b": arrays["w"], "n": arrays["n"]},
    ]
    sums = [checksum(each) for each in (arrays, *others)]
    assert len(set(sums)) == len(sums)
    assert checksum(dict(reversed(arrays.items()))) == sums[0]
    assert checksum({**arrays, "w": arrays["w"].astype(">f4")}) == sums[0]
    assert checksum({**arrays, "w": np.asfortranarray(arrays["w"])}) == sums[0]


@needs_safetensors
def test_another_checksum_names_both_and_the_way_out(tmp_path: Path) -> None:
    data = contents(TREE, tmp_path)
    found = checksum({name: value.numpy() for name, value in TREE.items()})
    data = with_header(data, lambda text: text.replace(found.encode(), b"00000000"))
    with pytest.raises(RuntimeError, match=rf"is damaged: .* is {found}, and it says 00000000; .*load_file reads"):
        tinyrnn.load(io.BytesIO(data))


@needs_safetensors
def test_files_of_others_have_no_checksum_and_are_read() -> None:
    from safetensors.numpy import save

    for metadata in (None, {"format": "pt"}):
        loaded = tinyrnn.load(io.BytesIO(save({"w": np.ones(2)}, metadata)))
        assert loaded["w"].tolist() == [1, 1]


@needs_safetensors
def test_a_tensor_that_is_given_twice_is_refused() -> None:
    entry = b'"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}'
    text = b"{" + entry + b"," + entry + b"}"
    with pytest.raises(RuntimeError, match="'a' is given twice"):
        tinyrnn.load(io.BytesIO(len(text).to_bytes(8, "little") + text + bytes(8)))
