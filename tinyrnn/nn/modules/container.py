"""Containers: modules in a row, in a list or under names. Their children stand under "0", "1", ..., or the names."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self, overload

from tinyrnn.nn.modules.module import Module
from tinyrnn.nn.modules.parameter_container import ParameterDict, ParameterList, pairs

__all__ = ["ModuleDict", "ModuleList", "ParameterDict", "ParameterList", "Sequential"]


class _Row(Module):
    """What Sequential and ModuleList share: children under "0", "1", ..., or, in a Sequential, under names."""

    def _names(self) -> list[str]:
        return [name for name, _ in self._own_modules()]

    def _name(self, index: Any) -> str:
        names = self._names()
        k = _index(self, index, len(names))
        return names[k]

    def _fill(self, modules: Iterable[Module]) -> None:
        """Lets go of all children, and takes these."""
        several = list(modules)
        for module in several:
            _check(self, module)
        for name in self._names():
            delattr(self, name)
        for k, module in enumerate(several):
            self.add_module(str(k), module)

    def __len__(self) -> int:
        return len(self._own_modules())

    def __iter__(self) -> Iterator[Any]:
        return iter([module for _, module in self._own_modules()])

    def __setitem__(self, index: int, module: Module) -> None:
        """Puts a module in the place of another. Raises IndexError, or TypeError for what is no module."""
        _check(self, module)
        setattr(self, self._name(index), module)

    def __delitem__(self, index: int | slice) -> None:
        """Takes one or several out; the others are numbered anew, also those of a Sequential that had names."""
        names = self._names()
        gone = names[index] if isinstance(index, slice) else [self._name(index)]
        self._fill([module for name, module in self._own_modules() if name not in gone])

    def pop(self, key: int | slice) -> Any:
        """Takes one, or a slice, out and returns it."""
        module = self[key]
        del self[key]
        return module

    def append(self, module: Module) -> Self:
        """Adds a module at the end, and returns the container."""
        _check(self, module)
        self.add_module(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Module]) -> Self:
        """Adds several at the end, and returns the container. Raises TypeError for what are no modules."""
        if not isinstance(modules, Iterable):
            raise TypeError(f"{self._get_name()}.extend: got a {type(modules).__name__}, expected several modules")
        several = list(modules)
        for module in several:
            _check(self, module)
        for module in several:
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> Self:
        """Puts a module before that of an index, and returns the container. Raises IndexError, KeyError for names."""
        n = len(self)
        if not all(name.isdigit() for name in self._names()):
            raise KeyError(f"{self._get_name()}.insert: the modules have names, {self._names()}, expected numbers")
        k = operator.index(index)
        if not -n <= k <= n:
            raise IndexError(f"{self._get_name()}.insert: index {k} is out of range for {n} modules")
        k += n if k < 0 else 0
        several = list(self)
        self._fill([*several[:k], module, *several[k:]])
        return self

    def __getitem__(self, index: int | slice) -> Any:
        """A module, or a container of several. Raises IndexError."""
        raise NotImplementedError(f"{self._get_name()} has no __getitem__(): define what an index gives")

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if not name.isdigit()]


class Sequential(_Row):
    """y = f_n(... f_2(f_1(x))): modules, each called with the output of the one before.

    Sequential(a, b, ...), whose children are "0", "1", ..., or Sequential(OrderedDict([("name", a), ...])).
    It can be indexed, sliced, iterated over, changed as a list is, added (a + b) and repeated (a * 2).
    Raises TypeError for what is no module. Source: torch.nn.Sequential.

    >>> import tinyrnn
    >>> from tinyrnn import nn
    >>> Sequential(nn.Linear(3, 2), nn.Tanh())
    Sequential(
      (0): Linear(in_features=3, out_features=2, bias=True)
      (1): Tanh()
    )
    """

    def __init__(self, *args: Any) -> None:
        super().__init__()
        if len(args) == 1 and isinstance(args[0], Mapping):
            for name, module in args[0].items():
                self.add_module(name, _check(self, module))
        else:
            self._fill(args)

    def forward(self, input: Any) -> Any:
        """The output of the last module."""
        for module in self:
            input = module(input)
        return input

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> Sequential: ...
    def __getitem__(self, index: int | slice) -> Any:
        """A module, or, for a slice, a Sequential of the same modules under their names. Raises IndexError."""
        if isinstance(index, slice):
            part = Sequential()
            for name, module in self._own_modules()[index]:
                part.add_module(name, module)
            return part
        return getattr(self, self._name(index))

    def __add__(self, other: Any) -> Sequential:
        return Sequential(*self, *other) if isinstance(other, Sequential) else NotImplemented

    def __iadd__(self, other: Any) -> Self:
        return self.extend(other) if isinstance(other, Sequential) else NotImplemented

    def __mul__(self, other: Any) -> Sequential:
        return Sequential(*list(self) * _times(other)) if isinstance(other, int) else NotImplemented

    __rmul__ = __mul__

    def __imul__(self, other: Any) -> Self:
        return self.extend(list(self) * (_times(other) - 1)) if isinstance(other, int) else NotImplemented


class ModuleList(_Row):
    """A list of modules, whose parameters are found: indexed, sliced, iterated over and changed as a list is.

    Raises TypeError for what is no module. Source: torch.nn.ModuleList.

    >>> from tinyrnn import nn
    >>> ModuleList([nn.Linear(2, 2) for _ in range(3)])
    ModuleList(
      (0-2): 3 x Linear(in_features=2, out_features=2, bias=True)
    )
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.extend(modules)

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> Any:
        """A module, or, for a slice, a list of the same modules. Raises IndexError."""
        return type(self)(list(self)[index]) if isinstance(index, slice) else getattr(self, self._name(index))

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        return ModuleList([*self, *other])

    def __iadd__(self, other: Iterable[Module]) -> Self:
        return self.extend(other)

    def __repr__(self) -> str:
        runs: list[tuple[int, int, str]] = []  # first, last, repr: equal neighbours are told once
        for k, text in enumerate(map(repr, self)):
            if runs and runs[-1][2] == text:
                runs[-1] = (runs[-1][0], k, text)
            else:
                runs.append((k, k, text))
        lines = [f"({a}): {text}" if a == b else f"({a}-{b}): {b - a + 1} x {text}" for a, b, text in runs]
        inner = "\n".join(lines).replace("\n", "\n  ")
        return f"{self._get_name()}(\n  {inner}\n)" if lines else f"{self._get_name()}()"


class ModuleDict(Module):
    """Modules under names, whose parameters are found: read and changed as a dict is.

    modules  a mapping, or (name, module) pairs
    Raises TypeError for what is no module, KeyError for a name with a dot. Source: torch.nn.ModuleDict.

    >>> from tinyrnn import nn
    >>> gates = ModuleDict({"forget": nn.Sigmoid(), "cell": nn.Tanh()})
    >>> gates["cell"], list(gates)
    (Tanh(), ['forget', 'cell'])
    """

    def __init__(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.update(modules)

    def __getitem__(self, key: str) -> Any:
        """The module of a name. Raises KeyError."""
        return self._modules[key]

    def __setitem__(self, key: str, module: Module) -> None:
        """Sets a module under a name. Raises TypeError, KeyError."""
        self.add_module(key, _check(self, module))

    def __delitem__(self, key: str) -> None:
        """Takes a module out. Raises KeyError."""
        del self._modules[key]

    def __len__(self) -> int:
        return len(self._own_modules())

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, key: object) -> bool:
        return key in dict(self._own_modules())

    def clear(self) -> None:
        """Takes all modules out."""
        for name in list(self):
            del self[name]

    def pop(self, key: str) -> Any:
        """Takes a module out, and returns it. Raises KeyError."""
        module = self[key]
        del self[key]
        return module

    def keys(self) -> Any:
        """The names."""
        return dict(self._own_modules()).keys()

    def values(self) -> Any:
        """The modules."""
        return dict(self._own_modules()).values()

    def items(self) -> Any:
        """(name, module) pairs."""
        return dict(self._own_modules()).items()

    def update(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]]) -> None:
        """Sets the modules of a mapping, or of (name, module) pairs, over those of the same names."""
        for name, module in pairs(self, modules):
            self[name] = module


def _index(container: Module, index: Any, n: int) -> int:
    k = operator.index(index)
    if not -n <= k < n:
        raise IndexError(f"{container._get_name()}: index {k} is out of range for {n} elements")
    return k % n


def _check(container: Module, module: Any) -> Module:
    if not isinstance(module, Module):
        raise TypeError(f"{container._get_name()}: got a {type(module).__name__}, expected a Module")
    return module


def _times(n: int) -> int:
    if n < 1:
        raise ValueError(f"Sequential: cannot be repeated {n} times, expected at least 1")
    return n
