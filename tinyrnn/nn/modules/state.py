"""The state of a module: its parameters and buffers by path, out into a dict and back from one."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tinyrnn.autograd.interrupts import held
from tinyrnn.creation import as_tensor
from tinyrnn.nn.parameter import Parameter
from tinyrnn.tensor import Tensor

if TYPE_CHECKING:
    from tinyrnn.nn.modules.module import Module

EXTRA = "_extra_state"


class IncompatibleKeys(NamedTuple):
    """What load_state_dict(..., strict=False) could not place."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"_IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"


def state_dict(
    module: Module, destination: dict[str, Any] | None = None, prefix: str = "", keep_vars: bool = False
) -> Any:
    """{path: tensor} of all parameters and persistent buffers: the tensors' own memory, outside the graph.

    Whatever is shared comes under each of its paths. Each part adds its own by its own state_dict(), and, if it has a
    method get_extra_state(), what that returns, under the name _extra_state.

    destination  a dict to fill, instead of a new OrderedDict
    prefix       goes before every path
    keep_vars    gives the parameters and buffers themselves, which are in the graph
    Source: torch.nn.Module.state_dict.
    """
    state: dict[str, Any] = OrderedDict() if destination is None else destination
    for name, tensor in _own_tensors(module):
        state[prefix + name] = tensor if keep_vars else tensor.detach()
    if hasattr(module, "get_extra_state"):
        state[prefix + EXTRA] = module.get_extra_state()
    for name, part in module._own_modules():
        part.state_dict(destination=state, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
    return state


def load_state_dict(
    module: Module, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
) -> IncompatibleKeys:
    """Copies the numbers of a state_dict, of tensors or arrays, into the parameters and buffers of the same paths.

    Each is cast to the dtype of its place. With strict, the paths must be the same on both sides. With assign, the
    tensors themselves take the places, with the dtypes that they have; a parameter's becomes a Parameter. A part with a
    method set_extra_state() is given its extra state at the end.
    It is done whole: Ctrl-C, or another signal, waits for its end.
    Raises RuntimeError, before anything is changed, that lists what is missing, unexpected, of another shape, or
    read-only here, and TypeError for what is no mapping of tensors or arrays, or cannot be assigned. Source:
    torch.nn.Module.load_state_dict.
    """
    if not isinstance(state_dict, Mapping):
        raise TypeError(f"load_state_dict: got a {type(state_dict).__name__}, expected a dict as state_dict() gives")
    own, extras = _places(module)
    missing = [path for path in (*own, *extras) if path not in state_dict]
    unexpected = [path for path in state_dict if path not in own and path not in extras]
    given = {path: _as_tensor(path, state_dict[path]) for path in own if path in state_dict}
    problems = [
        f"{path} has shape {tensor.shape}, expected {own[path].shape}"
        for path, tensor in given.items()
        if tensor.shape != own[path].shape
    ]
    fixed = [path for path in given if not (assign or own[path].array.flags.writeable)]
    problems += [f"{path} is read-only here (expanded, perhaps): make it a clone()" for path in fixed]
    if strict and missing:
        problems.append(f"missing: {', '.join(missing)}")
    if strict and unexpected:
        problems.append(f"unexpected: {', '.join(unexpected)}")
    if problems:
        way_out = " (strict=False loads the rest)" if strict and (missing or unexpected) else ""
        raise RuntimeError(f"load_state_dict: {type(module).__name__} cannot take this: {'; '.join(problems)}{way_out}")
    if assign:
        given = {path: _in_place_of(path, own[path], tensor) for path, tensor in given.items()}
    with held():
        for path, tensor in given.items():
            if assign:
                parent, _, name = path.rpartition(".")
                setattr(module.get_submodule(parent), name, tensor)
            else:
                own[path].detach().copy_(tensor.detach())
        for path, part in extras.items():
            if path in state_dict:
                part.set_extra_state(state_dict[path])
    return IncompatibleKeys(missing, unexpected)


def _own_tensors(module: Module) -> list[tuple[str, Tensor]]:
    """(name, tensor) of the parameters and persistent buffers of this module alone."""
    kept = [(name, buffer) for name, buffer in module._own_buffers() if module._persistent[name]]
    return [*module._own_parameters(), *kept]


def _places(module: Module) -> tuple[dict[str, Tensor], dict[str, Module]]:
    """{path: tensor} of parameters and persistent buffers, under each of their paths; {path: part} of extra states."""
    tensors: dict[str, Tensor] = {}
    extras: dict[str, Module] = {}
    for path, part in module.named_modules(remove_duplicate=False):
        start = f"{path}." if path else ""
        tensors |= {start + name: tensor for name, tensor in _own_tensors(part)}
        if hasattr(part, "set_extra_state"):
            extras[start + EXTRA] = part
    return tensors, extras


def _as_tensor(path: str, value: Any) -> Tensor:
    tensor = value if isinstance(value, Tensor) else np.asarray(value)
    if tensor.dtype.kind not in "buifc":
        raise TypeError(f"load_state_dict: {path} is a {type(value).__name__}, expected a tensor or an array")
    return tensor if isinstance(tensor, Tensor) else as_tensor(tensor)


def _in_place_of(path: str, old: Tensor, new: Tensor) -> Tensor:
    if not isinstance(old, Parameter) or isinstance(new, Parameter):
        return new
    if old.requires_grad and not new.is_floating_point():
        raise TypeError(f"load_state_dict: {path} is {new.dtype}, and cannot carry the gradient of the parameter there")
    return Parameter(new.detach(), old.requires_grad)
