"""Replaced files: whole whatever happens, with the permissions and links that an ordinary open() would leave."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest

from tinyrnn.serialization import files
from tinyrnn.serialization.files import replacing

POSIX = os.name == "posix"


def put(path: Path, text: bytes) -> None:
    with replacing(str(path)) as file:
        file.write(text)


def test_a_file_is_made_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "x"
    put(path, b"one")
    assert path.read_bytes() == b"one"
    with replacing(str(path)) as file:
        file.write(b"two")
        file.flush()
        assert path.read_bytes() == b"one"  # until all is written
    assert path.read_bytes() == b"two"
    assert os.listdir(tmp_path) == ["x"]


def test_a_relative_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    put(Path("x"), b"here")
    assert (tmp_path / "x").read_bytes() == b"here"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, OSError])
@pytest.mark.parametrize("there", [False, True])
def test_an_error_leaves_what_was_there_and_nothing_else(tmp_path: Path, error: Any, there: bool) -> None:
    path = tmp_path / "x"
    if there:
        path.write_bytes(b"old")

    def fail() -> None:
        with replacing(str(path)) as file:
            file.write(b"half")
            raise error

    with pytest.raises(error):
        fail()
    assert os.listdir(tmp_path) == (["x"] if there else [])
    assert not there or path.read_bytes() == b"old"


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        put(path, b"new")
    assert (os.listdir(tmp_path), path.read_bytes()) == (["x"], b"old")


def test_what_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="save: the folder is not there"):
        put(tmp_path / "no" / "x", b"")
    with pytest.raises((IsADirectoryError, PermissionError)):
        put(tmp_path, b"")
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(not POSIX, reason="permissions are POSIX's")
@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_permissions_are_those_of_open(tmp_path: Path, umask: int) -> None:
    old = os.umask(umask)
    try:
        put(tmp_path / "new", b"")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o666 & ~umask
    (tmp_path / "new").chmod(0o604)
    put(tmp_path / "new", b"again")
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o604


@pytest.mark.skipif(not POSIX, reason="permissions are POSIX's")
def test_a_file_that_may_not_be_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "access", lambda *_: False)  # a test may run as root, who may do anything
    with pytest.raises(PermissionError, match="may not be written to"):
        put(path, b"new")
    assert path.read_bytes() == b"old"


@pytest.mark.skipif(not POSIX, reason="links and devices are POSIX's")
def test_links_are_followed_and_devices_not_replaced(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    link.symlink_to("real")
    put(link, b"one")  # a link that leads nowhere yet
    put(link, b"two")
    assert link.is_symlink()
    assert real.read_bytes() == b"two"
    put(Path(os.devnull), b"lost")
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


KILLED = """
import os, signal, sys
from tinyrnn.serialization import files

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

path, when = sys.argv[1:]
if when != "write":
    setattr(os, when, die)
with files.replacing(path) as file:
    file.write(b"n" * 100_000)
    file.flush()
    if when == "write":
        die()
"""


@pytest.mark.skipif(not POSIX, reason="SIGKILL is POSIX's")
@pytest.mark.parametrize("when", ["write", "fsync", "replace"])
def test_a_killed_process_leaves_the_old_file(tmp_path: Path, when: str) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"old")
    done = subprocess.run([sys.executable, "-c", KILLED, str(path), when])
    assert done.returncode == -signal.SIGKILL
    assert path.read_bytes() == b"old"
    (other,) = [name for name in os.listdir(tmp_path) if name != "x"]
    assert other.startswith(".tinyrnn-")  # what is left over can be told
    put(tmp_path / "y", b"")
    assert other in os.listdir(tmp_path)  # it belongs to another name
    put(path, b"new")
    assert sorted(os.listdir(tmp_path)) == ["x", "y"]
    assert path.read_bytes() == b"new"


WRITER = """
import sys
from tinyrnn.serialization import files

with files.replacing(sys.argv[1]) as file:
    file.write(b"slow")
    print("ready", flush=True)
    sys.stdin.readline()
"""


def test_a_writer_that_is_alive_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "x"
    slow = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert slow.stdout is not None
    assert slow.stdout.readline() == "ready\n"
    put(path, b"fast")
    assert (len(os.listdir(tmp_path)), path.read_bytes()) == (2, b"fast")
    slow.communicate("\n")
    assert slow.returncode == 0
    assert (os.listdir(tmp_path), path.read_bytes()) == (["x"], b"slow")


@pytest.mark.skipif(not POSIX, reason="locks are POSIX's")
def test_a_file_that_is_removed_before_it_is_locked_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locks = []

    def lock(file: Any, flags: int) -> None:
        locks.append(file)
        if len(locks) == 1:  # here another process comes in between
            os.unlink(file.name)

    monkeypatch.setattr(files.fcntl, "flock", lock)
    put(tmp_path / "x", b"one")
    assert len(locks) == 2
    assert (os.listdir(tmp_path), (tmp_path / "x").read_bytes()) == (["x"], b"one")


def test_without_locks_a_file_is_replaced_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "fcntl", None)
    put(tmp_path / "x", b"one")
    put(tmp_path / "x", b"two")
    assert (os.listdir(tmp_path), (tmp_path / "x").read_bytes()) == (["x"], b"two")


@pytest.mark.skipif(not POSIX, reason="links are POSIX's")
def test_a_link_under_the_name_of_a_left_over_file_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"mine")
    put(tmp_path / "x", b"one")
    start = f".tinyrnn-{zlib.crc32(b'x'):08x}-"
    (tmp_path / f"{start}0.tmp").symlink_to(victim)
    put(tmp_path / "x", b"two")
    assert victim.read_bytes() == b"mine"
