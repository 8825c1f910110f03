"""Parameters in a list or under names. A tensor that is put in becomes a Parameter; other objects stay themselves."""

from __future__ import annotations

import operator
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self, overload

from tinyrnn.nn.modules.module import Module
from tinyrnn.nn.parameter import Parameter
from tinyrnn.tensor import Tensor


class ParameterList(Module):
    """A list of parameters, which are found: indexed, sliced, iterated over, appended to and extended as a list is.

    Source: torch.nn.ParameterList, whose repr is taken over to the letter.

    >>> import tinyrnn
    >>> ParameterList([tinyrnn.zeros(2, 3), tinyrnn.zeros(3)])
    ParameterList(
        (0): Parameter containing: [torch.float32 of size 2x3]
        (1): Parameter containing: [torch.float32 of size 3]
    )
    """

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self._size = 0
        if values is not None:
            self.extend(values)

    @overload
    def __getitem__(self, idx: int) -> Any: ...
    @overload
    def __getitem__(self, idx: slice) -> Self: ...
    def __getitem__(self, idx: int | slice) -> Any:
        """An element, or, for a slice, a list of the same elements. Raises IndexError."""
        return type(self)(list(self)[idx]) if isinstance(idx, slice) else getattr(self, self._name(idx))

    def __setitem__(self, idx: int, param: Any) -> None:
        """Puts an element in the place of another. Raises IndexError."""
        setattr(self, self._name(idx), _as_parameter(param))

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Any]:
        return iter([getattr(self, str(k)) for k in range(self._size)])

    def append(self, value: Any) -> Self:
        """Adds an element at the end, and returns the list."""
        setattr(self, str(self._size), _as_parameter(value))
        self._size += 1
        return self

    def extend(self, values: Iterable[Any]) -> Self:
        """Adds several at the end, and returns the list. Raises TypeError for a tensor, whose rows are not meant."""
        if not isinstance(values, Iterable) or isinstance(values, Tensor):
            raise TypeError(f"ParameterList.extend: got a {type(values).__name__}, expected several parameters")
        for value in list(values):
            self.append(value)
        return self

    __iadd__ = extend

    def _name(self, idx: Any) -> str:
        k = operator.index(idx)
        if not -self._size <= k < self._size:
            raise IndexError(f"ParameterList: index {k} is out of range for {self._size} elements")
        return str(k % self._size)

    def extra_repr(self) -> str:
        return "\n".join([_line(k, value, "dtype") for k, value in enumerate(self)])

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("ParameterList: it cannot be called, only indexed")

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if not name.isdigit()]


class ParameterDict(Module):
    """Parameters under names, which are found: read and changed as a dict is.

    parameters  a mapping, or (name, value) pairs; a plain dict comes in alphabetical order, as in torch
    Raises TypeError for a name that is no string. Source: torch.nn.ParameterDict.

    >>> import tinyrnn
    >>> ParameterDict({"scale": tinyrnn.ones(3)})
    ParameterDict(  (scale): Parameter containing: [torch.FloatTensor of size 3])
    """

    def __init__(self, parameters: Any = None) -> None:
        super().__init__()
        self._keys: dict[str, None] = {}
        if parameters is not None:
            self.update(parameters)

    def __getitem__(self, key: str) -> Any:
        """The value of a name. Raises KeyError."""
        if key not in self._keys:
            raise KeyError(key)
        return getattr(self, key)

    def __setitem__(self, key: str, value: Any) -> None:
        """Sets a value under a name."""
        if not isinstance(key, str):
            raise TypeError(f"ParameterDict: the name is a {type(key).__name__}, expected a string")
        if key not in self._keys and hasattr(self, key):
            raise KeyError(f"ParameterDict: {key!r} is an attribute of every ParameterDict: choose another name")
        setattr(self, key, _as_parameter(value))
        self._keys[key] = None

    def __delitem__(self, key: str) -> None:
        """Takes a value out. Raises KeyError."""
        del self._keys[key]
        delattr(self, key)

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __reversed__(self) -> Iterator[str]:
        return reversed(self._keys)

    def __contains__(self, key: object) -> bool:
        return key in self._keys

    def copy(self) -> ParameterDict:
        """Another dict of the same values."""
        return ParameterDict(OrderedDict(self.items()))

    def setdefault(self, key: str, default: Any = None) -> Any:
        """The value of a name, which is set to `default` if it is not there."""
        if key not in self:
            self[key] = default
        return self[key]

    def clear(self) -> None:
        """Takes everything out."""
        for key in list(self):
            del self[key]

    def pop(self, key: str) -> Any:
        """Takes a value out, and returns it. Raises KeyError."""
        value = self[key]
        del self[key]
        return value

    def popitem(self) -> tuple[str, Any]:
        """Takes the last (name, value) out, and returns it. Raises KeyError if there is none."""
        key = next(reversed(self), None)
        if key is None:
            raise KeyError("ParameterDict.popitem: there is nothing in it")
        return key, self.pop(key)

    def get(self, key: str, default: Any = None) -> Any:
        """The value of a name, or `default`."""
        return getattr(self, key) if key in self._keys else default

    def fromkeys(self, keys: Iterable[str], default: Any = None) -> ParameterDict:
        """A new dict, with one value under each of the names."""
        return ParameterDict([(key, default) for key in keys])

    def keys(self) -> Any:
        """The names."""
        return self._keys.keys()

    def values(self) -> Iterator[Any]:
        """The values."""
        return (self[key] for key in self._keys)

    def items(self) -> Iterator[tuple[str, Any]]:
        """(name, value) pairs."""
        return ((key, self[key]) for key in self._keys)

    def update(self, parameters: Any) -> None:
        """Sets the values of a mapping, or of (name, value) pairs, over those of the same names."""
        several = pairs(self, parameters)
        ordered = isinstance(parameters, OrderedDict) or not isinstance(parameters, Mapping)
        for key, value in several if ordered else sorted(several, key=lambda pair: pair[0]):
            self[key] = value

    def __or__(self, other: Any) -> ParameterDict:
        both = self.copy()
        both.update(other)
        return both

    def __ror__(self, other: Any) -> Any:
        both = other.copy()
        both.update(self)
        return both

    def __ior__(self, other: Any) -> Self:
        self.update(other)
        return self

    def extra_repr(self) -> str:
        return "\n".join([_line(key, value, "type") for key, value in self.items()])

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("ParameterDict: it cannot be called, only looked into")


def pairs(container: Module, given: Any) -> list[tuple[str, Any]]:
    """The (name, value) pairs of a mapping, or of an iterable of them. Raises TypeError or ValueError."""
    if hasattr(given, "items"):
        return list(given.items())
    name = container._get_name()
    if not isinstance(given, Iterable):
        raise TypeError(f"{name}.update: got a {type(given).__name__}, expected a mapping or (name, value) pairs")
    several = list(given)
    for pair in several:
        if not isinstance(pair, tuple | list):
            raise TypeError(f"{name}.update: got a {type(pair).__name__}, expected (name, value) pairs")
        if len(pair) != 2:
            raise ValueError(f"{name}.update: got {len(pair)} values, expected (name, value) pairs")
    return [(key, value) for key, value in several]


def _as_parameter(value: Any) -> Any:
    return Parameter(value) if isinstance(value, Tensor) and not isinstance(value, Parameter) else value


LEGACY = {"float32": "FloatTensor", "float64": "DoubleTensor", "float16": "HalfTensor"}


def _line(name: Any, value: Any, shown: str) -> str:
    if not isinstance(value, Tensor):
        return f"  ({name}): Object of type: {type(value).__name__}"
    dtype = str(value.dtype) if shown == "dtype" else LEGACY[str(value.dtype)]
    size = "x".join([str(n) for n in value.shape])
    return f"  ({name}): Parameter containing: [torch.{dtype} of size {size}]"
