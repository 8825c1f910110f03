"""The .safetensors format, by the library of that name; with a checksum, which the format itself does not have."""

from __future__ import annotations

import importlib
import json
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from tinyrnn.autograd.graph import Array, make
from tinyrnn.tensor import Tensor

CHECKSUM = "tinyrnn.crc32"  # the metadata that has it


def write(obj: Any) -> bytes:
    """The contents of a .safetensors file for a flat dict of tensors or arrays. Raises as save does."""
    way_out = "another name, such as model.pt, holds any tree"
    if not isinstance(obj, Mapping):
        raise TypeError(f"save: .safetensors holds a flat dict of tensors, got {type(obj).__name__}: {way_out}")
    arrays: dict[str, Array] = {}
    for key, value in obj.items():
        array = value.array if isinstance(value, Tensor) else value
        if not isinstance(key, str) or not isinstance(array, np.ndarray):
            raise TypeError(
                f"save: .safetensors holds a flat dict of tensors, got {type(value).__name__} at {key!r}: {way_out}"
            )
        native = array.dtype.newbyteorder("=")
        arrays[key] = np.require(array, native, "C")  # the library writes memory as it lies
    library = safetensors("save")
    try:
        data: bytes = library.numpy.save(arrays, metadata={CHECKSUM: checksum(arrays)})
    except library.SafetensorError as error:
        raise ValueError(f"save: .safetensors cannot hold this: {error}: {way_out}") from None
    return data


def read(data: bytes, what: str) -> dict[str, Any]:
    """{name: tensor} of the contents of a .safetensors file. Raises as load does.

    Where the file has our checksum, it is compared; the files of other programs have none.
    """
    library = safetensors("load")
    try:
        metadata = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")], object_pairs_hook=unique)
        arrays = library.numpy.load(data)
    except (library.SafetensorError, ValueError, RecursionError) as error:
        raise RuntimeError(f"load: {what} is damaged or cut short: {error}") from None
    except KeyError as error:
        raise RuntimeError(
            f"load: {what} holds numbers of the kind {error}, which NumPy does not have: where torch is, save them "
            "as float32 instead"
        ) from None
    said = metadata.get("__metadata__", {}).get(CHECKSUM)
    if said is not None and said != (found := checksum(arrays)):
        raise RuntimeError(
            f"load: {what} is damaged: the checksum of its tensors is {found}, and it says {said}; or another program "
            "changed the tensors and kept the checksum: safetensors.numpy.load_file reads without comparing"
        )
    in_order = sorted(arrays.items())  # the library has none, and another one in each process
    return {name: make(Tensor, array if array.flags.writeable else array.copy()) for name, array in in_order}


def checksum(arrays: Mapping[str, Array]) -> str:
    """CRC-32 of the names, dtypes, shapes and numbers, in the order of the names; in hexadecimal."""
    crc = 0
    for name in sorted(arrays):
        array = np.require(arrays[name], arrays[name].dtype.newbyteorder("<"), "C")
        crc = zlib.crc32(json.dumps([name, array.dtype.str, array.shape]).encode(), crc)
        crc = zlib.crc32(array.reshape(-1).view(np.uint8).data, crc)
    return f"{crc:08x}"


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The dict of a JSON object. Raises ValueError if it names something twice, of which json would keep the last."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)!r} is given twice")
    return found


def safetensors(function: str) -> Any:
    """The library for .safetensors files. Raises ImportError, saying how to do without, if it is not installed."""
    try:
        importlib.import_module("safetensors.numpy")
        return importlib.import_module("safetensors")
    except ImportError:
        raise ImportError(
            f"{function}: .safetensors files need the safetensors library: pip install safetensors; or save under "
            "another name, model.pt say, which needs nothing"
        ) from None
