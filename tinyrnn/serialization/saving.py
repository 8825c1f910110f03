"""save: a tree of tensors into a file."""

from __future__ import annotations

import errno
import io
import json
import os
import pickle
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import numpy as np

from tinyrnn.serialization.files import replacing
from tinyrnn.serialization.safe import write
from tinyrnn.serialization.tree import Description, OpaqueError
from tinyrnn.tensor import Tensor

DESCRIPTION, PICKLE, VERSION = "tinyrnn.json", "tinyrnn.pickle", 1


def save(
    obj: Any,
    f: str | os.PathLike[str] | IO[bytes],
    pickle_module: Any = pickle,
    pickle_protocol: int = pickle.DEFAULT_PROTOCOL,
    _use_new_zipfile_serialization: bool = True,
) -> None:
    """Writes `obj` to `f`, a path or a file opened for writing bytes, so that load(f) gives it back.

    Trees are written without pickle: dicts, lists, tuples and sets, to any shape, of tensors, Parameters, arrays,
    NumPy's scalars and dtypes, numbers, strings, bytes, None, Size and device. Such are the state_dicts of modules and
    optimizers. Numbers come back bit for bit, with their dtypes; tied weights stay tied. The file is NumPy's .npz
    format: numpy.load(f) shows its arrays.

    Anything else, a whole module say, is pickled, and load takes it only with weights_only=False: a pickle may run any
    code, and needs the same classes in the same places. Better save module.state_dict().

    A path that ends in .safetensors is written in that format by the safetensors library; it holds a flat dict
    {name: tensor or array}, whose requires_grad is not kept. Its metadata gets a checksum of the tensors, as that
    format has none; in our own format each array has one, as in every zip file.

    A path is replaced only when all has been written: if the process is killed meanwhile, or an error raised, the old
    file is still there, whole. What a killed process left half written is removed by the next save to that path.

    pickle_module, pickle_protocol  used for what has to be pickled
    Raises TypeError for what is no path or file, and for what .safetensors cannot hold; ValueError for a dtype that it
    does not have; ImportError if the library is missing; OSError as open() does; what pickling an object raises.
    Source: torch.save. The format is our own: torch's is a pickle.

    >>> import io, tinyrnn
    >>> file = io.BytesIO()
    >>> tinyrnn.save({"w": tinyrnn.ones(2), "epoch": 3}, file)
    >>> _ = file.seek(0)
    >>> tinyrnn.load(file)
    {'w': tensor([1., 1.]), 'epoch': 3}
    """
    name = path_of("save", f) if is_path(f) else getattr(f, "name", None)
    if isinstance(name, str) and name.endswith(".safetensors"):
        data = write(obj)
        with _target(f) as file:
            file.write(data)
        return
    try:
        described = Description(obj)
        header = {"tinyrnn": VERSION, "tensors": described.tensors, "tree": described.tree}
        arrays = described.arrays
    except OpaqueError as found:
        header, arrays = {"tinyrnn": VERSION, "pickle": str(found)}, {}
    text = json.dumps(header, allow_nan=False)
    with _target(f) as file, zipfile.ZipFile(file, "w") as archive:
        with _entry(archive, DESCRIPTION) as entry:
            entry.write(text.encode())
        for path, array in arrays.items():
            with _entry(archive, f"{path}.npy") as entry:
                np.lib.format.write_array(entry, array, allow_pickle=False)
        if "pickle" in header:
            with _entry(archive, PICKLE) as entry:
                _pickler(pickle_module)(entry, pickle_protocol).dump(obj)


def path_of(name: str, f: Any) -> str:
    """The path that `f` is, as text. Raises FileNotFoundError, as open() does, for an empty one."""
    path = os.fsdecode(f)
    if not path:
        raise FileNotFoundError(errno.ENOENT, f"{name}: the path is empty, expected the name of a file", path)
    return path


def is_path(f: Any) -> bool:
    """Whether `f` names a file."""
    return isinstance(f, str | bytes | os.PathLike)


@contextmanager
def _target(f: Any) -> Iterator[IO[bytes]]:
    if is_path(f):
        with replacing(path_of("save", f)) as file:
            yield file
        return
    if not hasattr(f, "write"):
        raise TypeError(f"save: f is {type(f).__name__}, expected a path or a file opened with 'wb'")
    if isinstance(f, io.TextIOBase):
        raise TypeError("save: the file is opened for text, expected one for bytes: open(path, 'wb')")
    yield f


def _entry(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    """A place in the archive; without the time, so that equal trees make equal files."""
    return archive.open(zipfile.ZipInfo(name), "w", force_zip64=True)


def _pickler(pickle_module: Any) -> Any:
    class Pickler(pickle_module.Pickler):  # type: ignore[misc]
        """pickle_module's, which takes tensors that were computed from others as well."""

        def reducer_override(self, x: Any) -> Any:
            if isinstance(x, Tensor) and not x.is_leaf:  # torch saves it as the leaf that it will be after loading
                leaf = x.detach()
                leaf.requires_grad = x.requires_grad
                return leaf.__reduce__()
            return NotImplemented

    return Pickler
