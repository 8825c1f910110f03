"""Module: a part of a model, with the parameters, buffers and smaller modules that are its attributes.

There is no registry beside the attributes: a parameter is an attribute that is a Parameter, a part is one that is a
Module. Only buffers, plain tensors that belong to the state, are listed by name.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
from numpy.typing import DTypeLike

from tinyrnn.dtypes import float32, float64
from tinyrnn.nn.arguments import flag
from tinyrnn.nn.parameter import Parameter
from tinyrnn.ops.operands import to_arguments
from tinyrnn.tensor import Tensor


class IncompatibleKeys(NamedTuple):
    """What load_state_dict(..., strict=False) could not place."""

    missing_keys: list[str]
    unexpected_keys: list[str]


class Module:
    """A part of a model: subclass it, set parameters and modules as attributes in __init__, compute in forward.

    Attributes, and with them parameters, keep the order in which they were first set. Source: torch.nn.Module.

    >>> from tinyrnn import nn
    >>> class Net(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.rnn = nn.RNN(1, 16)
    ...         self.linear = nn.Linear(16, 1)
    ...
    ...     def forward(self, x):
    ...         y, h_n = self.rnn(x)
    ...         return self.linear(y)
    >>> Net()
    Net(
      (rnn): RNN(1, 16)
      (linear): Linear(in_features=16, out_features=1, bias=True)
    )
    """

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Parameters, buffers and modules are attributes that no type checker can foresee."""

    training: bool = True
    _buffers: dict[str, bool]  # of each buffer: whether it is part of state_dict()

    def __init__(self) -> None:
        self.training = True

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What calling the module computes: each subclass says."""
        raise NotImplementedError(f"{type(self).__name__} has no forward(): define what calling it computes")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.forward(*args, **kwargs)

    # attributes

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Module | Parameter) and hasattr(Module, name):
            raise AttributeError(f"{type(self).__name__}.{name}: {name!r} is a method of Module: choose another name")
        old = self.__dict__.get(name)
        if isinstance(old, Parameter) and not (value is None or isinstance(value, Parameter)):
            raise TypeError(
                f"{type(self).__name__}.{name} is a parameter, and cannot become a {type(value).__name__}: assign a "
                "Parameter or None, or give it other numbers by copying them into it under no_grad()"
            )
        if isinstance(old, Module) and not (value is None or isinstance(value, Module)):
            raise TypeError(f"{type(self).__name__}.{name} is a module, and cannot become a {type(value).__name__}")
        if name in self.__dict__.get("_buffers", ()) and not (value is None or isinstance(value, Tensor)):
            raise TypeError(f"{type(self).__name__}.{name} is a buffer, and cannot become a {type(value).__name__}")
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        object.__delattr__(self, name)
        self.__dict__.get("_buffers", {}).pop(name, None)

    def _register(self, name: str, value: Any, kinds: type[Any], what: str) -> None:
        if not isinstance(name, str) or not name or "." in name:
            raise KeyError(f"register_{what}: the name is {name!r}, expected a string without dots")
        old = self.__dict__.get(name)
        same = isinstance(old, kinds) and isinstance(old, Parameter) == (kinds is Parameter)
        if hasattr(self, name) and not (same or (old is None and name in self.__dict__)):
            raise KeyError(f"register_{what}: {type(self).__name__} has an attribute {name!r} already")
        if not (value is None or isinstance(value, kinds)):
            raise TypeError(f"register_{what}: {name!r} is a {type(value).__name__}, expected {kinds.__name__} or None")
        object.__setattr__(self, name, value)

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Sets a parameter as an attribute; None keeps the name for one that is switched off, like a bias.

        Raises KeyError for a name that is none, or is taken by anything else; TypeError for what is no Parameter.
        """
        self._register(name, param, Parameter, "parameter")

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Sets a tensor that is not learned but belongs to the state, and follows double(), float() and to().

        persistent  whether it is part of state_dict()
        Raises as register_parameter does.
        """
        self._register(name, tensor, Tensor, "buffer")
        self.__dict__.setdefault("_buffers", {})[name] = persistent

    def add_module(self, name: str, module: Module | None) -> None:
        """Sets a module as an attribute, under a name that need not be an identifier: "0", say.

        Raises as register_parameter does.
        """
        self._register(name, module, Module, "module")

    register_module = add_module

    # what it is made of

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """(name, module) of each module that is an attribute of this one; each once, under its first name."""
        first: dict[Module, str] = {}
        for name, module in self._own_modules():
            first.setdefault(module, name)
        return ((name, module) for module, name in first.items())

    def children(self) -> Iterator[Module]:
        """The modules that are attributes of this one; each once."""
        return (module for _, module in self.named_children())

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """(path, module) of this module, whose path is `prefix`, and of all below it.

        Each comes once, and those in `memo` not at all; without remove_duplicate, each under all of its paths.
        """
        memo = set() if memo is None else memo
        if self not in memo:
            if remove_duplicate:
                memo.add(self)
            yield prefix, self
            for name, module in self._own_modules():
                yield from module.named_modules(memo, f"{prefix}.{name}" if prefix else name, remove_duplicate)

    def modules(self) -> Iterator[Module]:
        """This module and all below it; each once."""
        return (module for _, module in self.named_modules())

    def _named(self, own: Callable[[Module], Any], prefix: str, recurse: bool, once: bool) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        for path, module in self.named_modules(None, prefix, once) if recurse else [(prefix, self)]:
            for name, value in own(module):
                if id(value) not in seen:
                    if once:
                        seen.add(id(value))
                    yield f"{path}.{name}" if path else name, value

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """(path, parameter) of this module's parameters and of those below it; one that is shared comes once."""
        return self._named(Module._own_parameters, prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters of this module and of those below it; one that is shared comes once."""
        return (parameter for _, parameter in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """(path, buffer) of this module's buffers and of those below it."""
        return self._named(Module._own_buffers, prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The buffers of this module and of those below it."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def _own_modules(self) -> list[tuple[str, Module]]:
        return [(name, value) for name, value in vars(self).items() if isinstance(value, Module)]

    def _own_parameters(self) -> list[tuple[str, Parameter]]:
        return [(name, value) for name, value in vars(self).items() if isinstance(value, Parameter)]

    def _own_buffers(self) -> list[tuple[str, Tensor]]:
        names = self.__dict__.get("_buffers", {})
        tensors = [(name, value) for name, value in vars(self).items() if name in names and value is not None]
        return [(name, value) for name, value in tensors if not isinstance(value, Parameter)]

    # its state

    def state_dict(self, prefix: str = "") -> dict[str, Tensor]:
        """{path: tensor} of all parameters and persistent buffers: the tensors' own memory, outside the graph.

        Whatever is shared comes under each of its paths. `prefix` goes before them all.
        """
        state = {}
        for path, module in self.named_modules(None, prefix.rstrip("."), remove_duplicate=False):
            kept = [(name, buffer) for name, buffer in module._own_buffers() if module._buffers[name]]
            for name, tensor in [*module._own_parameters(), *kept]:
                state[f"{path}.{name}" if path else name] = tensor.detach()
        return state

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> IncompatibleKeys:
        """Copies the numbers of a state_dict, of tensors or arrays, into the parameters and buffers of the same paths.

        Each is cast to the dtype of its place. With strict, the paths must be the same on both sides.
        Raises RuntimeError, before anything is changed, that lists what is missing, unexpected, or of another shape,
        and TypeError for what is no mapping of tensors or arrays.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(
                f"load_state_dict: got a {type(state_dict).__name__}, expected a dict as state_dict() gives"
            )
        own = self.state_dict()
        missing = [path for path in own if path not in state_dict]
        unexpected = [path for path in state_dict if path not in own]
        given = {path: _as_array(path, state_dict[path]) for path in own if path in state_dict}
        problems = [
            f"{path} has shape {array.shape}, expected {own[path].shape}"
            for path, array in given.items()
            if array.shape != own[path].shape
        ]
        if strict and missing:
            problems.append(f"missing: {', '.join(missing)}")
        if strict and unexpected:
            problems.append(f"unexpected: {', '.join(unexpected)}")
        if problems:
            way_out = " (strict=False loads the rest)" if strict and (missing or unexpected) else ""
            raise RuntimeError(
                f"load_state_dict: {type(self).__name__} cannot take this: {'; '.join(problems)}{way_out}"
            )
        for path, array in given.items():
            own[path].copy_(array)
        return IncompatibleKeys(missing, unexpected)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Lets go of the parameters' gradients, or fills them with zeros."""
        for parameter in self.parameters():
            if set_to_none:
                parameter.grad = None
            elif parameter.grad is not None:
                parameter.grad.detach().zero_()

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Sets requires_grad of all parameters."""
        for parameter in self.parameters():
            parameter.requires_grad = requires_grad
        return self

    def train(self, mode: bool = True) -> Self:
        """Sets `training`, which dropout heeds, here and below. Raises TypeError for what is not True or False."""
        mode = flag("train", "mode", mode)
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """train(False)."""
        return self.train(False)

    def apply(self, fn: Callable[[Module], None]) -> Self:
        """Calls fn with each module below, and with this one last."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    # dtypes

    def _cast(self, dtype: np.dtype[Any]) -> Self:
        """Casts floating parameters, with their gradients, and buffers. The tensors stay the objects they are."""
        for tensor in [*self.parameters(), *self.buffers()]:
            if tensor.is_floating_point() and tensor.dtype != dtype:
                tensor.data = tensor.data.to(dtype)
                if tensor.total_grad is not None:
                    tensor.total_grad = tensor.total_grad.to(dtype)
        return self

    def double(self) -> Self:
        """Casts floating parameters and buffers to float64."""
        return self._cast(float64)

    def float(self) -> Self:
        """Casts floating parameters and buffers to float32."""
        return self._cast(float32)

    def to(self, *args: Any, dtype: DTypeLike | None = None, device: Any = None) -> Self:
        """Casts floating parameters and buffers to a dtype, or that of a tensor. A device may be named: the CPU.

        Raises TypeError for a dtype that is not floating, ValueError for another device.
        """
        wanted = to_arguments(args, dtype, device)
        if wanted is None:
            return self
        if wanted.kind != "f":
            raise TypeError(f"to: a module's parameters cannot become {wanted}, expected a floating dtype")
        return self._cast(wanted)

    # how it prints

    def extra_repr(self) -> str:
        """What stands between the brackets of repr, before the modules."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        parts = [f"({name}): {module!r}" for name, module in self._own_modules()]
        if not parts and "\n" not in extra:
            return f"{type(self).__name__}({extra})"
        lines = "\n".join([extra, *parts] if extra else parts)
        return f"{type(self).__name__}(\n  " + lines.replace("\n", "\n  ") + "\n)"


def _as_array(path: str, value: Any) -> Any:
    array = value.array if isinstance(value, Tensor) else np.asarray(value)
    if array.dtype.kind not in "buifc":
        raise TypeError(f"load_state_dict: {path} is a {builtins.type(value).__name__}, expected a tensor or an array")
    return array
