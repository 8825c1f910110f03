"""The state of a module: its parameters and buffers by path, out into a dict and back from one."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tinyrnn.creation import as_tensor
from tinyrnn.nn.parameter import Parameter
from tinyrnn.tensor import Tensor

if TYPE_CHECKING:
    from tinyrnn.nn.modules.module import Module


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

    Whatever is shared comes under each of its paths.

    destination  a dict to fill, instead of a new OrderedDict
    prefix       goes before every path
    keep_vars    gives the parameters and buffers themselves, which are in the graph
    Source: torch.nn.Module.state_dict.
    """
    state: dict[str, Any] = OrderedDict() if destination is None else destination
    for path, tensor in _places(module):
        state[prefix + path] = tensor if keep_vars else tensor.detach()
    return state


def load_state_dict(
    module: Module, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
) -> IncompatibleKeys:
    """Copies the numbers of a state_dict, of tensors or arrays, into the parameters and buffers of the same paths.

    Each is cast to the dtype of its place. With strict, the paths must be the same on both sides. With assign, the
    tensors themselves take the places, with the dtypes that they have; a parameter's becomes a Parameter.
    Raises RuntimeError, before anything is changed, that lists what is missing, unexpected, or of another shape,
    and TypeError for what is no mapping of tensors or arrays. Source: torch.nn.Module.load_state_dict.
    """
    if not isinstance(state_dict, Mapping):
        raise TypeError(f"load_state_dict: got a {type(state_dict).__name__}, expected a dict as state_dict() gives")
    own = dict(_places(module))
    missing = [path for path in own if path not in state_dict]
    unexpected = [path for path in state_dict if path not in own]
    given = {path: _as_tensor(path, state_dict[path]) for path in own if path in state_dict}
    problems = [
        f"{path} has shape {tensor.shape}, expected {own[path].shape}"
        for path, tensor in given.items()
        if tensor.shape != own[path].shape
    ]
    if strict and missing:
        problems.append(f"missing: {', '.join(missing)}")
    if strict and unexpected:
        problems.append(f"unexpected: {', '.join(unexpected)}")
    if problems:
        way_out = " (strict=False loads the rest)" if strict and (missing or unexpected) else ""
        raise RuntimeError(f"load_state_dict: {type(module).__name__} cannot take this: {'; '.join(problems)}{way_out}")
    for path, tensor in given.items():
        if assign:
            parent, _, name = path.rpartition(".")
            setattr(module.get_submodule(parent), name, _in_place_of(own[path], tensor))
        else:
            own[path].detach().copy_(tensor.detach())
    return IncompatibleKeys(missing, unexpected)


def _places(module: Module) -> list[tuple[str, Tensor]]:
    """(path, tensor) of each parameter and persistent buffer, under each of its paths."""
    places: list[tuple[str, Tensor]] = []
    for path, part in module.named_modules(remove_duplicate=False):
        start = f"{path}." if path else ""
        kept = [(name, buffer) for name, buffer in part._own_buffers() if part._persistent[name]]
        places += [(start + name, tensor) for name, tensor in [*part._own_parameters(), *kept]]
    return places


def _as_tensor(path: str, value: Any) -> Tensor:
    tensor = value if isinstance(value, Tensor) else np.asarray(value)
    if tensor.dtype.kind not in "buifc":
        raise TypeError(f"load_state_dict: {path} is a {type(value).__name__}, expected a tensor or an array")
    return tensor if isinstance(tensor, Tensor) else as_tensor(tensor)


def _in_place_of(old: Tensor, new: Tensor) -> Tensor:
    if isinstance(old, Parameter) and not isinstance(new, Parameter):
        return Parameter(new.detach(), old.requires_grad)
    return new
