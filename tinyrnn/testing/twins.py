"""twin: the torch module that has the classes, the options and the weights of one of ours."""

from __future__ import annotations

import importlib
import inspect
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from tinyrnn.nn import Module, Parameter
from tinyrnn.nn.modules import ModuleDict, ModuleList, Sequential
from tinyrnn.nn.utils.rnn import PackedSequence
from tinyrnn.tensor import Tensor

PLACES = ("", "nn", "nn.functional", "nn.utils", "nn.utils.rnn", "nn.init", "autograd", "optim")  # where names may be


def twin(module: Module, device: str = "cpu") -> Any:
    """The torch module that computes what `module` does, with the same weights, dtypes and mode, on a torch device.

    A module of tinyrnn's becomes torch's of the same name. A module of your own becomes one with its attributes, each
    turned likewise, and its methods, in which the names of tinyrnn's stand for torch's: whatever runs under both after
    the imports are changed. Its constructor is not called.
    Raises ImportError without torch; ValueError for what torch does not have.

    >>> from tinyrnn import nn
    >>> twin(nn.Linear(3, 2))  # doctest: +SKIP
    Linear(in_features=3, out_features=2, bias=True)
    """
    torch = importlib.import_module("torch")
    theirs = _turned(module, torch, {})
    weights = {name: torch.from_numpy(np.array(x.numpy())) for name, x in module.state_dict().items()}
    theirs.load_state_dict(weights, assign=False)
    return theirs.to(device)


def as_torch(value: Any, device: str = "cpu", torch: Any = None) -> Any:
    """A tensor, a packed sequence, or a tuple, list or dict of such, as torch's: copies, leaves as they are leaves."""
    torch = torch or importlib.import_module("torch")
    if isinstance(value, PackedSequence):  # its indices too
        data, sizes, *order = [as_torch(part, device, torch) for part in value]
        return torch.nn.utils.rnn.PackedSequence(data, sizes.cpu(), *order)
    if isinstance(value, Tensor):
        tensor = torch.from_numpy(np.array(value.detach().numpy())).to(device)
        return tensor.requires_grad_() if value.requires_grad else tensor
    if isinstance(value, tuple | list):
        return type(value)([as_torch(part, device, torch) for part in value])
    if isinstance(value, dict):
        return {key: as_torch(part, device, torch) for key, part in value.items()}
    return value


def _turned(module: Module, torch: Any, done: dict[int, Any]) -> Any:
    """The twin of a module with weights of its own, still to be filled; a module that is shared has one twin."""
    if id(module) not in done:
        ours = type(module)
        if ours.__module__.startswith("tinyrnn."):
            theirs = _of_torchs(module, torch, done)
        else:
            theirs = _of_ones_own(module, torch, done)
        tensors = [*module.parameters(), *module.buffers()]
        dtypes = {str(x.dtype) for x in tensors if x.is_floating_point()}
        for dtype in dtypes if len(dtypes) == 1 else ():
            theirs = theirs.to(getattr(torch, dtype))
        done[id(module)] = theirs.train(module.training)
    return done[id(module)]


def _of_torchs(module: Module, torch: Any, done: dict[int, Any]) -> Any:
    name = type(module).__name__
    theirs = getattr(torch.nn, name, None)
    if theirs is None:
        raise ValueError(f"twin: torch.nn has no {name}: give it a module that torch has, or write its step out")
    if isinstance(module, Sequential | ModuleDict | ModuleList):
        parts = {key: _turned(part, torch, done) for key, part in module.named_children()}
        if isinstance(module, Sequential):
            whole = theirs()
            for key, part in parts.items():
                whole.add_module(key, part)
            return whole
        return theirs(parts) if isinstance(module, ModuleDict) else theirs(list(parts.values()))
    own = vars(module)
    if own.get("learn_initial_state") or own.get("nonlinearity", "tanh") not in ("tanh", "relu"):
        raise ValueError(f"twin: {module!r} has what torch's {name} has not (see its docstring: beyond torch)")
    options = {}
    for option in inspect.signature(type(module)).parameters:
        if hasattr(module, option) and option not in ("device", "dtype", "forget_bias", "learn_initial_state"):
            value = getattr(module, option)
            switch = option == "bias" and not isinstance(value, bool)  # the parameter itself, or None
            options[option] = as_torch(value, torch=torch) if not switch else value is not None
    return theirs(**options)


def _of_ones_own(module: Module, torch: Any, done: dict[int, Any]) -> Any:
    """An object of a new class below torch's Module, with the attributes and the methods of `module`, turned."""
    methods: dict[str, Any] = {}
    for cls in type(module).__mro__[::-1]:
        if cls not in Module.__mro__:
            found = {name: f for name, f in vars(cls).items() if isinstance(f, FunctionType) and name != "__init__"}
            methods |= {name: _with_torchs_names(f, torch) for name, f in found.items()}
    theirs = type(type(module).__name__, (torch.nn.Module,), methods)()
    persistent = dict(module.__dict__.get("_persistent", {}))
    for name, value in vars(module).items():
        if isinstance(value, Module):
            theirs.add_module(name, _turned(value, torch, done))
        elif isinstance(value, Parameter):
            theirs.register_parameter(name, torch.nn.Parameter(as_torch(value.detach(), torch=torch)))
        elif name in persistent:
            theirs.register_buffer(name, as_torch(value, torch=torch), persistent[name])
        elif not name.startswith("_"):
            setattr(theirs, name, as_torch(value, torch=torch))
    return theirs


def _with_torchs_names(function: FunctionType, torch: Any) -> FunctionType:
    """The function, in which each global name that is of tinyrnn's stands for torch's."""
    names = {name: _named(value, torch) for name, value in function.__globals__.items()}
    turned = FunctionType(function.__code__, names, function.__name__, function.__defaults__, function.__closure__)
    turned.__kwdefaults__ = function.__kwdefaults__
    return turned


def _named(value: Any, torch: Any) -> Any:
    if isinstance(value, ModuleType):
        head, _, rest = value.__name__.partition(".")
        if head != "tinyrnn":
            return value
        return importlib.import_module(f"torch.{rest}") if rest else torch
    if isinstance(value, type | FunctionType) and value.__module__.startswith("tinyrnn."):
        for place in PLACES:
            where = importlib.import_module(f"torch.{place}") if place else torch
            if hasattr(where, value.__name__):
                return getattr(where, value.__name__)
    return value
