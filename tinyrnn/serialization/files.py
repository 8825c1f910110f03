"""Files that are replaced whole: a process that is killed while it writes leaves the old file or the new one."""

from __future__ import annotations

import errno
import os
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import ModuleType
from typing import IO

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None


@contextmanager
def replacing(path: str) -> Iterator[IO[bytes]]:
    """A file to write, which takes the place of `path` when all has been written and has reached the disk.

    It is written under another name in the same folder, which an error removes again; so only a process that is killed
    may leave a file `.tinyrnn-....tmp` behind. The next one that writes to `path` removes it: it can tell from a lock,
    which ends with its process, that nobody writes there any more. What ordinary opening would do is kept: links are
    followed, a new file gets the permissions that the umask allows, an old one keeps its own, and a device or a pipe
    is written to and not replaced.
    Raises FileNotFoundError for a folder that is not there, IsADirectoryError and PermissionError as open() does.
    """
    target = os.path.realpath(path)
    try:
        mode = os.stat(target).st_mode
    except FileNotFoundError:
        mode = None
    if mode is not None and not stat.S_ISREG(mode):
        with open(target, "wb") as file:  # for a folder: IsADirectoryError
            yield file
        return
    if mode is not None and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, "save: the file is there already, and may not be written to", path)
    folder = os.path.dirname(target)
    if not os.path.isdir(folder):
        raise FileNotFoundError(errno.ENOENT, "save: the folder is not there: make it with os.makedirs", folder)
    start = f".tinyrnn-{zlib.crc32(os.fsencode(os.path.basename(target))):08x}-"
    _clear(folder, start)
    beside, new = _locked(os.path.join(folder, start))
    try:
        with new:
            yield new
            new.flush()
            os.fsync(new.fileno())
            if mode is not None:
                os.chmod(beside, stat.S_IMODE(mode))
            if fcntl is not None:  # still locked: nobody may remove it before it has its name
                os.replace(beside, target)
        if fcntl is None:  # such systems do not rename open files, nor remove them
            os.replace(beside, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(beside)
        raise
    _sync_folder(folder)


def _locked(start: str) -> tuple[str, IO[bytes]]:
    """A new file whose path begins so, locked for this process."""
    while True:
        path = f"{start}{os.urandom(8).hex()}.tmp"
        file = open(path, "xb")  # noqa: SIM115 (replacing() closes it)
        if fcntl is None:
            return path, file
        with suppress(OSError):  # a file system without locks: what is left over stays there
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.exists(path):
            return path, file
        file.close()  # another process has removed it, before it was locked


def _clear(folder: str, start: str) -> None:
    """Removes the files that begin so and that no process has locked: those of processes that were killed."""
    with suppress(OSError):
        for name in os.listdir(folder):
            if name.startswith(start) and name.endswith(".tmp"):
                with suppress(OSError):  # locked, or open where open files cannot be removed
                    _remove(os.path.join(folder, name))


def _remove(path: str) -> None:
    if fcntl is None:
        os.unlink(path)
        return
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.unlink(path)
    finally:
        os.close(descriptor)


def _sync_folder(folder: str) -> None:
    """Lets the new name reach the disk too, where the system can open folders."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
