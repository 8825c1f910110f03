"""twin: the torch module that has the classes, the options and the weights of one of ours."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Iterator
from types import CellType, CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from tinyrnn.nn import Module, Parameter
from tinyrnn.nn.modules import ModuleDict, ModuleList, ParameterDict, ParameterList, Sequential
from tinyrnn.nn.utils.rnn import PackedSequence
from tinyrnn.tensor import Tensor

PLACES = ("", "nn", "nn.functional", "nn.utils", "nn.utils.rnn", "nn.init", "autograd", "optim")  # where names may be
NOT_TURNED = {*sys.stdlib_module_names, "numpy", "torch"}  # packages that know nothing of tinyrnn


def twin(module: Module, device: str = "cpu") -> Any:
    """The torch module that computes what `module` does, with the same weights, dtypes and mode, on a torch device.

    A module of tinyrnn's becomes torch's of the same name. A module of your own becomes one with its attributes, each
    turned likewise, and its methods and those of its bases, in which the names of tinyrnn's stand for torch's, also in
    the functions that they call by name: whatever runs under both after the imports are changed. Its constructor is
    not called. What is frozen stays frozen. (A function that is reached through a module file of yours, as in
    `helpers.normal(x)`, stays as it is: import it by name.)
    Raises ImportError without torch; ValueError for what torch does not have, and for a module with hooks.

    >>> from tinyrnn import nn
    >>> twin(nn.Linear(3, 2))  # doctest: +SKIP
    Linear(in_features=3, out_features=2, bias=True)
    """
    return _Turning(import_torch()).module(module).to(device)


def import_torch() -> Any:
    """The torch package. Raises ImportError, with the way out, where there is none."""
    try:
        return importlib.import_module("torch")
    except ImportError as e:
        raise ImportError(f"tinyrnn.testing: comparing with torch needs torch: pip install torch ({e})") from e


def as_torch(value: Any, device: str = "cpu", torch: Any = None) -> Any:
    """A tensor, a packed sequence, or a tuple, list or dict of such, as torch's: copies, leaves as they are leaves."""
    torch = torch or import_torch()
    if isinstance(value, PackedSequence):  # its indices too
        data, sizes, *order = [as_torch(part, device, torch) for part in value]
        return torch.nn.utils.rnn.PackedSequence(data, sizes.cpu(), *order)
    if isinstance(value, Tensor):
        tensor = torch.from_numpy(np.array(value.detach().numpy())).to(device)
        return tensor.requires_grad_() if value.requires_grad else tensor
    return each(value, lambda part: as_torch(part, device, torch))


def each(value: Any, change: Any) -> Any:
    """A tuple, named or not, a list or a dict with every part changed; anything else as it is."""
    if isinstance(value, tuple | list):
        parts = [change(part) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    if isinstance(value, dict):
        return {key: change(part) for key, part in value.items()}
    return value


class _Turning:
    """What is turned into torch's, each thing once: what is shared stays shared, and may refer to itself."""

    def __init__(self, torch: Any) -> None:
        self.torch = torch
        self.done: dict[int, tuple[Any, Any]] = {}  # id: (the thing itself, so that its id stays its own; its twin)

    def value(self, value: Any) -> Any:
        """Whatever may be an attribute, a global name, or what a function closes over."""
        if id(value) in self.done:
            return self.done[id(value)][1]
        if isinstance(value, Module):
            return self.module(value)
        if isinstance(value, Parameter):
            return self._is(value, self.torch.nn.Parameter(as_torch(value.detach(), torch=self.torch)))
        if isinstance(value, Tensor | PackedSequence):
            return self._is(value, as_torch(value, torch=self.torch))
        if isinstance(value, np.dtype):
            return getattr(self.torch, value.name, value)
        if isinstance(value, staticmethod | classmethod):
            return type(value)(self.value(value.__func__))
        if isinstance(value, property):
            return property(self.value(value.fget), self.value(value.fset), self.value(value.fdel), value.__doc__)
        if isinstance(value, ModuleType | type | FunctionType) and _package(value) == "tinyrnn":
            return _of_that_name(value, self.torch)
        if isinstance(value, FunctionType) and _package(value) not in NOT_TURNED:
            return self.function(value)
        if isinstance(value, type) and issubclass(value, Module):
            return self.class_(value)
        return each(value, self.value)

    def _is(self, ours: Any, theirs: Any) -> Any:
        self.done[id(ours)] = ours, theirs
        return theirs

    def function(self, f: FunctionType) -> FunctionType:
        """The function, in which each global name, and each name that it closes over, stands for its twin."""
        cells = None if f.__closure__ is None else tuple([CellType() for _ in f.__closure__])
        turned = FunctionType(f.__code__, dict(f.__globals__), f.__name__, None, cells)
        self._is(f, turned)  # before the names, of which one may be its own
        for name in set(_names(f.__code__)) & set(f.__globals__):
            turned.__globals__[name] = self.value(f.__globals__[name])
        for cell, before in zip(cells or (), f.__closure__ or (), strict=True):
            try:
                cell.cell_contents = self.value(before.cell_contents)
            except ValueError:  # a name that has no value yet
                continue
        turned.__defaults__, turned.__kwdefaults__ = self.value(f.__defaults__), self.value(f.__kwdefaults__)
        return turned

    def class_(self, ours: type) -> Any:
        """A class of one's own below torch's classes instead of ours: its bases and its attributes, turned."""
        if id(ours) in self.done:
            return self.done[id(ours)][1]
        if _package(ours) == "tinyrnn":
            return self._is(ours, _of_that_name(ours, self.torch, needed=True))
        if _package(ours) in NOT_TURNED:
            return ours
        theirs = type(ours.__name__, tuple([self.class_(base) for base in ours.__bases__]), {"__doc__": ours.__doc__})
        self._is(ours, theirs)  # before the methods, of which one may say super()
        for name, value in vars(ours).items():
            if name not in ("__dict__", "__weakref__", "__doc__"):
                setattr(theirs, name, self.value(value))
        return theirs

    def module(self, module: Module) -> Any:
        """The twin of a module; here, and not at the end, with its weights: it may be in a list, where no state is."""
        if id(module) in self.done:
            return self.done[id(module)][1]
        hooks = module._module_hooks
        if hooks is not None and any(vars(hooks).values()):
            raise ValueError(f"twin: a {type(module).__name__} has hooks, which are not turned: remove them first")
        ours = type(module)
        base = next(cls for cls in ours.__mro__ if _package(cls) == "tinyrnn")
        theirs = self.torch.nn.Module() if base is Module else self._of_torchs(module, base)
        self._is(module, theirs)
        if ours is not base:
            theirs.__class__ = self.class_(ours)
            self._attributes(module, theirs)
        tensors = [*module.parameters(), *module.buffers()]
        dtypes = {str(x.dtype) for x in tensors if x.is_floating_point()}
        for dtype in dtypes if len(dtypes) == 1 else ():
            theirs.to(getattr(self.torch, dtype))
        theirs.load_state_dict(
            {name: as_torch(x.detach(), torch=self.torch) for name, x in module.state_dict().items()}
        )
        parameters = dict(theirs.named_parameters())
        for name, p in module.named_parameters():
            parameters[name].requires_grad_(p.requires_grad)
        return theirs.train(module.training)

    def _of_torchs(self, module: Module, base: type) -> Any:
        """The object of torch's class of that name, with the same options or parts."""
        theirs = _of_that_name(base, self.torch, needed=True)
        if issubclass(base, Sequential | ModuleDict | ModuleList):
            parts = {key: self.module(part) for key, part in module.named_children()}
            if base is Sequential:
                whole = theirs()
                for key, part in parts.items():
                    whole.add_module(key, part)
                return whole
            return theirs(parts) if base is ModuleDict else theirs(list(parts.values()))
        if isinstance(module, ParameterList):
            return theirs([self.value(p) for p in module])
        if isinstance(module, ParameterDict):
            return theirs({key: self.value(p) for key, p in module.items()})
        own = vars(module)
        if own.get("learn_initial_state") or own.get("nonlinearity", "tanh") not in ("tanh", "relu"):
            raise ValueError(f"twin: {module!r} has what torch's {base.__name__} has not (see its docstring)")
        options = {}
        for option in inspect.signature(base).parameters:
            if hasattr(module, option) and option not in ("device", "dtype", "forget_bias", "learn_initial_state"):
                value = getattr(module, option)
                switch = option == "bias" and not isinstance(value, bool)  # the parameter itself, or None
                options[option] = as_torch(value, torch=self.torch) if not switch else value is not None
        return theirs(**options)

    def _attributes(self, module: Module, theirs: Any) -> None:
        """What a module of one's own has beside that of the class of ours that it is below."""
        there = {*vars(theirs), *theirs._parameters, *theirs._buffers, *theirs._modules}
        persistent = vars(module).get("_persistent", {})
        for name, value in vars(module).items():
            if name in ("_persistent", "_module_hooks") or name in there:
                continue
            if name in persistent:
                theirs.register_buffer(name, self.value(value), persistent[name])
            elif isinstance(value, Module):
                theirs.add_module(name, self.module(value))
            else:
                setattr(theirs, name, self.value(value))


def _package(value: Any) -> str:
    """The name of the package that a module file, a class or a function is in."""
    name = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None) or ""
    return str(name).partition(".")[0]


def _names(code: CodeType) -> Iterator[str]:
    """The names that a function refers to, those of the functions within it too."""
    yield from code.co_names
    for part in code.co_consts:
        if isinstance(part, CodeType):
            yield from _names(part)


def _of_that_name(value: Any, torch: Any, needed: bool = False) -> Any:
    """What torch has under the name of a module file, a class or a function of ours, or the value itself."""
    if isinstance(value, ModuleType):
        _, _, rest = value.__name__.partition(".")
        return importlib.import_module(f"torch.{rest}") if rest else torch
    parts = value.__module__.split(".")[1:]
    near = [".".join(parts[:k]) for k in range(len(parts), 0, -1)]  # F.dropout is not torch.dropout
    for place in [place for place in near if place in PLACES] + list(PLACES):
        where = importlib.import_module(f"torch.{place}") if place else torch
        if hasattr(where, value.__name__):
            return getattr(where, value.__name__)
    if needed:
        raise ValueError(
            f"twin: torch.nn has no {value.__name__}: give it a module that torch has, or write its step out"
        )
    return value
