"""save: files that load and NumPy read, whole modules by pickle, .safetensors, and a process killed half-way."""

from __future__ import annotations

import importlib.util
import io
import os
import pickle
import signal
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinyrnn
from tinyrnn import nn
from tinyrnn.serialization import saving

needs_safetensors = pytest.mark.skipif(
    importlib.util.find_spec("safetensors") is None, reason="pip install safetensors adds its files"
)


class Breaks:
    def __reduce__(self) -> Any:
        raise RuntimeError("not this one")


def test_numpy_reads_what_was_saved(tmp_path: Path) -> None:
    model = nn.Linear(3, 2)
    tinyrnn.save(model.state_dict(), tmp_path / "model.npz")
    with np.load(tmp_path / "model.npz") as arrays:
        np.testing.assert_array_equal(arrays["weight"], model.weight.detach().numpy())
        np.testing.assert_array_equal(arrays["bias"], model.bias.detach().numpy())


@pytest.mark.parametrize("kind", [str, Path, os.fsencode])
def test_paths_of_every_kind(tmp_path: Path, kind: Any) -> None:
    path = kind(tmp_path / "é")
    tinyrnn.save([1, tinyrnn.ones(1)], path)
    assert tinyrnn.load(path)[0] == 1


def test_into_a_file(tmp_path: Path) -> None:
    with open(tmp_path / "x", "wb") as file:
        tinyrnn.save({"a": 1}, file)
    assert tinyrnn.load(tmp_path / "x") == {"a": 1}
    with open(tmp_path / "x", "r+b") as file:
        assert tinyrnn.load(file) == {"a": 1}


def test_into_a_file_without_seek() -> None:
    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.got = b""

        def writable(self) -> bool:
            return True

        def write(self, piece: Any) -> int:
            self.got += bytes(piece)
            return len(piece)

    pipe = Pipe()
    tinyrnn.save([np.arange(3)], pipe)  # type: ignore[arg-type]
    assert tinyrnn.load(io.BytesIO(pipe.got))[0].tolist() == [0, 1, 2]


def test_equal_trees_make_equal_files() -> None:
    def saved() -> bytes:
        file = io.BytesIO()
        tinyrnn.save({"w": tinyrnn.ones(3), "lr": 0.1}, file)
        return file.getvalue()

    assert saved() == saved()


def test_tied_weights_are_written_once() -> None:
    file = io.BytesIO()
    w = tinyrnn.zeros(10_000)
    tinyrnn.save({"a": w, "b": w.detach(), "c": nn.Parameter(w)}, file)
    assert len(file.getvalue()) < 45_000


def test_nothing_is_pickled_that_needs_no_pickle(monkeypatch: pytest.MonkeyPatch) -> None:
    file = io.BytesIO()
    monkeypatch.setattr(pickle, "Pickler", None)
    tinyrnn.save({"w": tinyrnn.ones(2), "n": np.float32(1), "g": tinyrnn.get_rng_state()}, file)
    assert not any("pickle" in name for name in zipfile.ZipFile(file).namelist())


def test_a_pickle_module_and_protocol_of_ones_own() -> None:
    file = io.BytesIO()
    tinyrnn.save(range(3), file, pickle_module=pickle, pickle_protocol=2)
    with zipfile.ZipFile(file) as archive:
        assert archive.read(saving.PICKLE)[:2] == b"\x80\x02"
    file.seek(0)
    assert tinyrnn.load(file, weights_only=False) == range(3)


def test_what_cannot_be_pickled_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    tinyrnn.save("old", path)
    for broken in (Breaks(), [tinyrnn.ones(1000), lambda: None]):
        with pytest.raises((RuntimeError, AttributeError, pickle.PicklingError)):
            tinyrnn.save(broken, path)
    assert tinyrnn.load(path) == "old"
    assert os.listdir(tmp_path) == ["x.pt"]


def test_a_disk_that_fills_up_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.pt"
    tinyrnn.save("old", path)

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np.lib.format, "write_array", full)
    with pytest.raises(OSError, match="No space left"):
        tinyrnn.save([np.ones(3)], path)
    assert tinyrnn.load(path) == "old"
    assert os.listdir(tmp_path) == ["x.pt"]


KILLED = """
import os, signal, sys
import numpy as np
import tinyrnn
from tinyrnn.serialization import saving

def die():
    os.kill(os.getpid(), signal.SIGKILL)

class Dies:
    def __reduce__(self):
        die()

path, when = sys.argv[1:]
new = [np.full(300_000, n) for n in range(3)]
write, count = np.lib.format.write_array, 0

def write_array(*args, **kwargs):
    global count
    count += 1
    if count == 3:
        die()
    write(*args, **kwargs)

if when == "between arrays":
    np.lib.format.write_array = write_array
elif when == "in the pickle":
    new = [np.ones(300_000), Dies()]
elif when == "after":
    tinyrnn.save(new, path)
    die()
tinyrnn.save(new, path)
"""


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX's")
@pytest.mark.parametrize("when", ["between arrays", "in the pickle", "after"])
def test_a_killed_process_leaves_the_old_file_or_the_new_one(tmp_path: Path, when: str) -> None:
    path = tmp_path / "x.pt"
    tinyrnn.save(["old", np.arange(1000)], path)
    done = subprocess.run([sys.executable, "-c", KILLED, str(path), when])
    assert done.returncode == -signal.SIGKILL
    loaded = tinyrnn.load(path)
    if when == "after":
        assert [x.shape for x in loaded] == [(300_000,)] * 3
    else:
        assert loaded[0] == "old"
        assert loaded[1].tolist() == list(range(1000))


@pytest.mark.parametrize(
    ("f", "message"),
    [(3, "save: f is int, expected a path"), (None, "save: f is NoneType"), (io.StringIO(), "opened for text")],
)
def test_what_is_no_target(f: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        tinyrnn.save(1, f)


def test_an_empty_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for empty in ("", b""):
        with pytest.raises(FileNotFoundError, match="save: the path is empty, expected the name of a file"):
            tinyrnn.save(1, empty)
    assert os.listdir() == []
