"""Trees of tensors, as JSON beside a table of arrays; and back.

    null, booleans, strings, numbers       themselves, if JSON can hold them exactly
    [...]                                  a list
    {"tuple": [...]}, {"set": [...]} ...   any other type: an object with one entry, its name
    {"dict": [[key, value], ...]}          the keys are trees as well, and their order is kept
    {"tensor": 3}                          the fourth of the table of tensors, [name of an array, requires_grad, class]
    {"array": "model/weight"}              a NumPy array, by name

Tensors and arrays that are one object, or show the very same memory, come back sharing memory: tied weights stay tied.
Those that show parts of each other come back apart.
"""

from __future__ import annotations

import base64
import math
import re
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from tinyrnn.autograd.graph import Array, make
from tinyrnn.devices import device
from tinyrnn.dtypes import as_dtype
from tinyrnn.nn.parameter import Parameter
from tinyrnn.size import Size
from tinyrnn.tensor import Tensor

_MAPPINGS: dict[Any, str] = {dict: "dict", OrderedDict: "OrderedDict", Counter: "Counter"}
_SEQUENCES: dict[Any, str] = {tuple: "tuple", set: "set", frozenset: "frozenset", Size: "Size"}
_TENSORS: dict[Any, str] = {Tensor: "Tensor", Parameter: "Parameter"}

_PLAIN_KINDS = "biufcmMSU"  # dtypes whose elements are numbers, times or text
_DEPTH = 100  # far from where Python and JSON stop
_FILE_NAME = re.compile(r"\w[\w.-]*(/\w[\w.-]*)*", re.ASCII)


class OpaqueError(Exception):
    """There is something that only pickle can describe; the message says what and where."""


def is_plain(dtype: np.dtype[Any]) -> bool:
    """Whether arrays of this dtype can be written and read without pickle."""
    return dtype.kind in _PLAIN_KINDS


class Description:
    """The description of `obj`: its tree, its table of tensors, and its arrays by name. Raises OpaqueError.

    >>> d = Description({"lr": 0.1, "w": np.ones(2), "betas": (0.9, float("inf"))})
    >>> d.tree
    {'dict': [['lr', 0.1], ['w', {'array': 'w'}], ['betas', {'tuple': [0.9, {'float': 'inf'}]}]]}
    >>> d.arrays
    {'w': array([1., 1.])}
    """

    def __init__(self, obj: Any) -> None:
        self.arrays: dict[str, Array] = {}
        self.tensors: list[tuple[str, bool, str]] = []
        self._names: dict[Any, str] = {}  # of arrays, by their memory
        self._numbers: dict[int, int] = {}  # of tensors, by id
        self.tree = self._node(obj, ())

    def _node(self, x: Any, path: tuple[Any, ...]) -> Any:
        kind = type(x)
        if x is None or kind is bool or kind is str:
            return x
        if kind is int:
            return x if x.bit_length() < 1000 else {"int": hex(x)}  # json refuses more than 4300 digits
        if kind is float:
            return x if math.isfinite(x) else {"float": str(x)}
        if kind is complex:
            return {"complex": [self._node(x.real, path), self._node(x.imag, path)]}
        if kind in (bytes, bytearray):
            return {kind.__name__: base64.b64encode(x).decode()}
        if kind in _TENSORS:
            return {"tensor": self._tensor(x, path)}
        if kind in (np.ndarray, np.memmap) and is_plain(x.dtype):
            return {"array": self._array(x, path)}
        if isinstance(x, np.generic) and is_plain(x.dtype):
            array = np.asarray(x)  # for the empty text, the dtype of x itself says nothing
            return {"scalar": [array.dtype.str, array.tobytes().hex()]}
        if isinstance(x, np.dtype) and is_plain(x):
            return {"dtype": x.str}
        if kind is device:
            return {"device": str(x)}
        if len(path) > _DEPTH:
            raise OpaqueError(f"lists or dicts nested more than {_DEPTH} deep")
        if kind is list:
            return [self._node(value, (*path, n)) for n, value in enumerate(x)]
        if kind in _SEQUENCES:
            return {_SEQUENCES[kind]: [self._node(value, (*path, n)) for n, value in enumerate(x)]}
        if kind in _MAPPINGS:
            return {_MAPPINGS[kind]: [[self._node(k, (*path, "key")), self._node(v, (*path, k))] for k, v in x.items()]}
        place = "".join([f"[{key!r}]" for key in path])
        raise OpaqueError(f"a {kind.__module__}.{kind.__qualname__}" + (f" at {place}" if place else ""))

    def _tensor(self, x: Tensor, path: tuple[Any, ...]) -> int:
        if id(x) not in self._numbers:
            spec = (self._array(x.array, path), bool(x.requires_grad), _TENSORS[type(x)])
            self._numbers[id(x)] = len(self.tensors)
            self.tensors.append(spec)
        return self._numbers[id(x)]

    def _array(self, x: Array, path: tuple[Any, ...]) -> str:
        start = x.__array_interface__["data"][0] if x.size else id(x)  # without elements, without an address
        memory = (start, x.shape, x.strides, x.dtype.str)
        if memory not in self._names:
            name = "/".join(map(str, path))  # the name under which numpy.load shows it
            if len(name) > 200 or not _FILE_NAME.fullmatch(name):
                name = f"array_{len(self.arrays)}"
            while name in self.arrays:
                name += "_"
            self._names[memory] = name
            self.arrays[name] = x
        return self._names[memory]


def build(tree: Any, tensors: Iterable[Any], read: Callable[[str], Array]) -> Any:
    """The object of a description; read(name) gives an array. Nothing but the types named here is ever made.

    What is no description raises one of LookupError, TypeError, ValueError, ArithmeticError and AttributeError.
    """
    owners: dict[str, Tensor] = {}
    made: list[Tensor] = []

    def owner(name: str) -> Tensor:
        if name not in owners:
            owners[name] = make(Tensor, read(name))
        return owners[name]

    def elements(kind: type[Any]) -> Callable[[Any], Any]:
        return lambda value: kind([node(v) for v in value])

    def pairs(kind: type[Any]) -> Callable[[Any], Any]:
        def fill(value: Any) -> Any:
            mapping = kind()
            for k, v in value:
                mapping[node(k)] = node(v)
            return mapping

        return fill

    def scalar(value: Any) -> Any:
        dtype, raw = np.dtype(value[0]), bytes.fromhex(value[1])
        if not is_plain(dtype) or len(raw) != dtype.itemsize:
            raise ValueError(f"{len(raw)} bytes for a number of dtype {dtype}")
        return np.frombuffer(raw, dtype)[0]

    def dtype(value: Any) -> Any:
        found = np.dtype(str(value))
        if not is_plain(found):
            raise ValueError(f"dtype {found} holds objects or records")
        return found

    makers: dict[str, Callable[[Any], Any]] = {
        **{name: pairs(kind) for kind, name in _MAPPINGS.items()},
        **{name: elements(kind) for kind, name in _SEQUENCES.items()},
        "bytes": lambda value: base64.b64decode(value),
        "bytearray": lambda value: bytearray(base64.b64decode(value)),
        "int": lambda value: int(value, 16),
        "float": lambda value: {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}[value],
        "complex": lambda value: complex(node(value[0]), node(value[1])),
        "tensor": lambda value: made[value],
        "array": lambda value: owner(value).array,
        "scalar": scalar,
        "dtype": dtype,
        "device": lambda value: device(str(value)),
    }

    def node(x: Any) -> Any:
        if isinstance(x, list):
            return [node(value) for value in x]
        if isinstance(x, dict):
            ((name, value),) = x.items()
            return makers[name](value)
        return x

    for name, requires_grad, kind in tensors:
        shared = owner(name)
        as_dtype("load", shared.dtype)
        if kind not in _TENSORS.values():
            raise ValueError(f"a tensor of the class {kind!r}")
        tensor = shared.detach() if kind == "Tensor" else Parameter(shared, requires_grad=False)
        tensor.requires_grad = requires_grad is True
        made.append(tensor)
    return node(tree)
