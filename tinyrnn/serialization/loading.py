"""load: what save wrote, and NumPy's own files. Which it is, the first bytes tell."""

from __future__ import annotations

import io
import json
import math
import os
import pickle
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any

import numpy as np

from tinyrnn.autograd.graph import Array, make
from tinyrnn.devices import check_device
from tinyrnn.dtypes import as_dtype
from tinyrnn.serialization.safe import read as read_safetensors
from tinyrnn.serialization.safe import unique
from tinyrnn.serialization.saving import DESCRIPTION, PICKLE, VERSION, is_path, path_of
from tinyrnn.serialization.tree import build, is_plain
from tinyrnn.tensor import Tensor

_CHUNK = 1 << 20
_RATIO, _UNPACKED = 100, 1 << 26  # compressed files may unfold by that factor, or to that many bytes
_BAD = (  # what reading a broken file raises somewhere below
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, LookupError, TypeError, ValueError, ArithmeticError),
    *(AttributeError, RuntimeError, MemoryError),
)


def load(
    f: str | os.PathLike[str] | IO[bytes],
    map_location: Any = None,
    pickle_module: Any = None,
    *,
    weights_only: bool | None = True,
    mmap: bool | None = None,
    **pickle_load_args: Any,
) -> Any:
    """What save wrote to `f`, a path or a file opened for reading bytes; or a dict of tensors from a .npz file or a
    .safetensors file, or the tensor of a .npy file.

    map_location      None, the CPU, a dict or a function, as in programs for several devices: all lands on the CPU
    weights_only      whether what can only be unpickled is refused, which is the default, as in torch; False runs
                      whatever code the file says, so it is for files of your own
    pickle_module     with weights_only=False: used in place of pickle, with pickle_load_args as its arguments
    mmap              accepted: the numbers are the same, and are always read into memory

    Checksums tell what was damaged on the way. Our own format and .npz, which are zip files, have one for each array;
    a .safetensors file has one if save wrote it. A .npy file and the .safetensors files of others have none: only
    sizes are compared there.

    Raises pickle.UnpicklingError for what is refused, RuntimeError for a file that is damaged, cut short, of an unknown
    kind, with an entry that is given twice, compressed to less than a hundredth, or written by torch (saying how to
    convert it), EOFError for an empty one, OSError as open() does, TypeError
    for what is no path or file, ValueError for another device than the CPU, ImportError if the safetensors library is
    needed and missing. Source: torch.load.
    """
    _check_location(map_location)
    if weights_only is None or weights_only:
        if pickle_module is not None:
            raise RuntimeError("load: a pickle_module is given, which weights_only=True, the default, does not use")
        unpickle = None
    else:

        def unpickle(entry: IO[bytes]) -> Any:
            return (pickle_module or pickle).load(entry, **pickle_load_args)

    if is_path(f):
        path = path_of("load", f)
        with open(path, "rb") as file:
            return _read(file, path, unpickle)
    if isinstance(f, io.TextIOBase):
        raise TypeError("load: the file is opened for text, expected one for bytes: open(path, 'rb')")
    if not hasattr(f, "read"):
        raise TypeError(f"load: f is {type(f).__name__}, expected a path or a file opened with 'rb'")
    if not (hasattr(f, "seek") and hasattr(f, "tell") and getattr(f, "seekable", lambda: True)()):
        raise TypeError("load: the file cannot be read out of order: read it first, io.BytesIO(f.read())")
    return _read(f, "the file", unpickle)  # type: ignore[arg-type]


def _check_location(location: Any) -> None:
    if isinstance(location, Mapping):
        location = location.get("cpu")
    if not callable(location):
        check_device("load", location)


def _read(file: IO[bytes], what: str, unpickle: Any) -> Any:
    start = file.tell()
    head = file.read(9)
    file.seek(start)
    if not head:
        raise EOFError(f"load: there is nothing to read in {what}: it is empty, or was read to its end: seek(0) first")
    if head[:2] == b"PK":
        return _read_zip(file, what, unpickle)
    if head[:6] == b"\x93NUMPY":
        with _damaged(what):
            size = file.seek(0, io.SEEK_END) - start
            file.seek(start)
            return _as_tensor(_read_array(file, size))
    if head[8:] == b"{":
        return read_safetensors(file.read(), what)
    if head[:1] == b"\x80":
        raise RuntimeError(f"load: {what} is a pickle, as torch before 1.6 wrote it: {_convert(what)}")
    raise RuntimeError(f"load: {what} begins with {head!r}: it was not written by save, numpy.savez or safetensors")


def _read_zip(file: IO[bytes], what: str, unpickle: Any) -> Any:
    start = file.tell()
    with _damaged(what):
        archive = zipfile.ZipFile(file)
        names = archive.namelist()
        _check_entries(archive, what)
    first = min((info.header_offset for info in archive.infolist()), default=start)
    if first != start:
        raise RuntimeError(f"load: {what} holds several archives, of which the last begins at byte {first}: seek there")
    if DESCRIPTION in names:
        with _damaged(what), archive.open(_there(archive, DESCRIPTION)) as entry:
            header = json.loads(entry.read(), object_pairs_hook=unique)
            version, opaque = header["tinyrnn"], header.get("pickle")
        if version != VERSION:
            raise RuntimeError(f"load: {what} is of version {version!r}, this tinyrnn reads {VERSION}: update it")
        if opaque is None:
            with _damaged(what):
                return build(header["tree"], header["tensors"], lambda name: _entry(archive, f"{name}.npy"))
        if unpickle is None:
            raise pickle.UnpicklingError(
                f"load: {what} holds {opaque}, which only a pickle describes, and reading a pickle may run any code: "
                "if you trust whoever wrote the file, say load(..., weights_only=False). A state_dict() needs no pickle"
            )
        with archive.open(PICKLE) as entry:
            return unpickle(entry)
    if any(name.rpartition("/")[2] == "data.pkl" for name in names):
        raise RuntimeError(f"load: {what} was written by torch, as a pickle of torch's own classes: {_convert(what)}")
    if not all(name.endswith(".npy") for name in names):
        raise RuntimeError(
            f"load: {what} is a zip file of {names[:3]} ..., expected one that save or numpy.savez wrote"
        )
    with _damaged(what):
        return {name.removesuffix(".npy"): _as_tensor(_entry(archive, name, packed=True)) for name in names}


def _check_entries(archive: zipfile.ZipFile, what: str) -> None:
    """Raises RuntimeError or ValueError for entries that no honest writer makes."""
    entries, names = archive.infolist(), set()
    for info in entries:
        if info.filename in names:
            raise ValueError(f"{info.filename} is given twice")
        names.add(info.filename)
    assert archive.fp is not None
    packed, unpacked = (sum(getattr(info, size) for info in entries) for size in ("compress_size", "file_size"))
    room = archive.fp.seek(0, io.SEEK_END)
    if packed > room and all(info.compress_size <= room for info in entries):  # of one that is larger, see _there
        raise ValueError("its entries overlap")
    if unpacked > max(_UNPACKED, _RATIO * packed):
        raise RuntimeError(
            f"{packed} bytes announce {unpacked}, more than {_RATIO} times as many: if you trust whoever wrote the "
            "file, numpy.load reads it"
        )


def _convert(what: str) -> str:
    name = os.path.splitext(os.path.basename(what))[0] if what != "the file" else "model"
    return (
        "where torch is, convert its state_dict once, with "
        f'numpy.savez("{name}.npz", **{{k: v.numpy() for k, v in torch.load({what!r}, map_location="cpu").items()}}) '
        f'or safetensors.torch.save_file, then load("{name}.npz")'
    )


@contextmanager
def _damaged(what: str) -> Iterator[None]:
    """Whatever a broken file makes go wrong is said as one error."""
    try:
        yield
    except _BAD as error:
        raise RuntimeError(f"load: {what} is damaged or cut short: {type(error).__name__}: {error}") from error


def _there(archive: zipfile.ZipFile, name: str, packed: bool = False) -> zipfile.ZipInfo:
    """The entry of an archive, which has as many bytes as it announces; packed: as numpy.savez_compressed writes it."""
    info = archive.getinfo(name)
    stored = info.compress_type == zipfile.ZIP_STORED
    if not stored and not (packed and info.compress_type == zipfile.ZIP_DEFLATED):
        raise ValueError(f"{name} is compressed, in a way that save or numpy.savez does not know")
    assert archive.fp is not None
    room = min(info.compress_size, archive.fp.seek(0, io.SEEK_END))
    if info.file_size > room * (1 if stored else 1032):  # deflate packs no more than 1032 bytes into one
        raise ValueError(f"{name} announces {info.file_size} bytes, which are not there")
    return info


def _entry(archive: zipfile.ZipFile, name: str, packed: bool = False) -> Array:
    info = _there(archive, name, packed)
    with archive.open(info) as entry:
        return _read_array(entry, info.file_size)


def _read_array(file: IO[bytes], size: int) -> Array:
    """The array of a .npy file of `size` bytes; no memory is taken for more than that."""
    start = file.tell()
    header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    shape, fortran, dtype = header[np.lib.format.read_magic(file)](file)
    if not is_plain(dtype):
        raise pickle.UnpicklingError(
            f"load: an array of dtype {dtype} holds objects or records, which load does not read: "
            "numpy.load(..., allow_pickle=True) does, if you trust whoever wrote the file"
        )
    wanted = math.prod(shape) * dtype.itemsize
    if min(shape, default=0) < 0 or wanted != size - (file.tell() - start):
        raise ValueError(f"an array of shape {shape} and {dtype} in {size} bytes")
    array = np.empty(shape, dtype, "F" if fortran else "C")
    if not wanted:
        return array
    flat = array.reshape(-1, order="F" if fortran else "C").view(np.uint8)  # the same memory
    done = 0
    while done < wanted:
        piece = file.read(min(_CHUNK, wanted - done))
        if not piece:
            raise EOFError(f"{done} of {wanted} bytes")
        flat[done : done + len(piece)] = np.frombuffer(piece, np.uint8)
        done += len(piece)
    file.read(1)  # where a zip file's checksum is compared
    return array


def _as_tensor(array: Array) -> Any:
    """The array as a tensor; text, times and numbers that tensors cannot hold stay an array."""
    native = array.astype(array.dtype.newbyteorder("="), copy=False)
    try:
        as_dtype("load", native.dtype)
    except TypeError:
        return array
    return make(Tensor, native)
