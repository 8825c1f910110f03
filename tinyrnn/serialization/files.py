"""Files that are replaced whole: a process that is killed while it writes leaves the old file or the new one."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO


@contextmanager
def replacing(path: str) -> Iterator[IO[bytes]]:
    """A file to write, which takes the place of `path` when all has been written and has reached the disk.

    It is written under another name in the same folder, which an error removes again; so only a process that is killed
    may leave a file `.tinyrnn-....tmp` behind, which can be deleted. What ordinary opening would do is kept: links are
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
    beside = os.path.join(folder, f".tinyrnn-{os.urandom(8).hex()}.tmp")
    file = open(beside, "xb")  # noqa: SIM115 (it has to be closed before it is renamed, and removed if that fails)
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            os.chmod(beside, stat.S_IMODE(mode))
        os.replace(beside, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(beside)
        raise
    _sync_folder(folder)


def _sync_folder(folder: str) -> None:
    """Lets the new name reach the disk too, where the system can open folders."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
