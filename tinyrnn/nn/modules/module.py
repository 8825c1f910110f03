"""Module: a part of a model, with the parameters, buffers and smaller modules that are its attributes.

There is no registry beside the attributes: a parameter is an attribute that is a Parameter, a part is one that is a
Module. Only buffers, plain tensors that belong to the state, are listed by name.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Self, TypeVar

import numpy as np
from numpy.typing import DTypeLike

from tinyrnn.devices import check_device
from tinyrnn.dtypes import float16, float32, float64
from tinyrnn.nn.arguments import flag
from tinyrnn.nn.modules import hooks, state
from tinyrnn.nn.modules.registry import Registry
from tinyrnn.nn.parameter import Parameter
from tinyrnn.ops.operands import to_arguments
from tinyrnn.tensor import Tensor

T = TypeVar("T")


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
    _persistent: dict[str, bool]  # of each buffer: whether it is part of state_dict()
    _module_hooks: hooks.Hooks | None = None  # what to call around forward and backward, if anything

    def __init__(self) -> None:
        self.training = True

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What calling the module computes: each subclass says."""
        raise NotImplementedError(f"{type(self).__name__} has no forward(): define what calling it computes")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._module_hooks is None:
            return self.forward(*args, **kwargs)
        return hooks.call_with_hooks(self, self._module_hooks, args, kwargs)

    register_forward_pre_hook, register_forward_hook = hooks.register_forward_pre_hook, hooks.register_forward_hook
    register_full_backward_pre_hook = hooks.register_full_backward_pre_hook
    register_full_backward_hook = hooks.register_full_backward_hook

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
        if name in self.__dict__.get("_persistent", ()) and not (value is None or isinstance(value, Tensor)):
            raise TypeError(f"{type(self).__name__}.{name} is a buffer, and cannot become a {type(value).__name__}")
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        object.__delattr__(self, name)
        self.__dict__.get("_persistent", {}).pop(name, None)

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
        self.__dict__.setdefault("_persistent", {})[name] = persistent

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

    def get_submodule(self, target: str) -> Module:
        """The module under a path, such as "encoder.rnn"; "" is this one. Raises AttributeError if there is none."""
        module = self
        for name in target.split(".") if target else ():
            found = getattr(module, name, None)
            if not isinstance(found, Module):
                raise AttributeError(f"get_submodule: {target!r}: {type(module).__name__} has no module {name!r}")
            module = found
        return module

    def get_parameter(self, target: str) -> Parameter:
        """The parameter under a path, such as "encoder.rnn.bias_hh_l0". Raises AttributeError if there is none."""
        return self._get("parameter", target, Module._own_parameters)

    def get_buffer(self, target: str) -> Tensor:
        """The buffer under a path. Raises AttributeError if there is none."""
        return self._get("buffer", target, Module._own_buffers)

    def _get(self, what: str, target: str, own: Callable[[Module], list[tuple[str, T]]]) -> T:
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        found = dict(own(module))
        if name not in found:
            raise AttributeError(f"get_{what}: {target!r}: {type(module).__name__} has no {what} {name!r}")
        return found[name]

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Sets a module under a path: in the place of one, or, unless strict, as a new part of the one before it.

        Raises ValueError for an empty path or what is no module, AttributeError for a path that leads nowhere.
        """
        if not target or not isinstance(module, Module):
            raise ValueError(
                f"set_submodule: got {target!r} and a {builtins.type(module).__name__}, expected a path and a module"
            )
        path, _, name = target.rpartition(".")
        parent = self.get_submodule(path)
        if strict or hasattr(parent, name):
            parent.get_submodule(name)
        setattr(parent, name, module)

    _parameters = property(lambda self: Registry(self, Module._own_parameters, self.register_parameter))
    _buffers = property(lambda self: Registry(self, Module._own_buffers, self.register_buffer))
    _modules = property(lambda self: Registry(self, Module._own_modules, self.add_module))

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
        names = self.__dict__.get("_persistent", {})
        tensors = [(name, value) for name, value in vars(self).items() if name in names and value is not None]
        return [(name, value) for name, value in tensors if not isinstance(value, Parameter)]

    # its state

    state_dict, load_state_dict = state.state_dict, state.load_state_dict

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Lets go of the parameters' gradients, or fills them with zeros."""
        for parameter in self.parameters():
            if set_to_none:
                parameter.total_grad = None
            elif parameter.grad is not None:
                parameter.grad.detach().zero_()

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Sets requires_grad of all parameters."""
        for parameter in self.parameters():
            parameter.requires_grad = requires_grad
        return self

    def train(self, mode: bool = True) -> Self:
        """Sets `training`, which dropout heeds, here and, by their own train(), below.

        A part whose train() is overridden may so stay as it is. Raises TypeError for what is not True or False.
        """
        self.training = flag("train", "mode", mode)
        for module in self.children():
            module.train(mode)
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

    # dtypes and devices

    def _apply(self, fn: Callable[[Tensor], Tensor]) -> Self:
        """Gives each parameter, with its gradient, and each buffer the numbers fn(it). The tensors stay the same."""
        for tensor in [*self.parameters(), *self.buffers()]:
            before = tensor.data
            after = fn(before)
            if after is not before:
                tensor.data = after
                if tensor.total_grad is not None:
                    tensor.total_grad = fn(tensor.total_grad)
        return self

    def _cast(self, dtype: np.dtype[Any]) -> Self:
        return self._apply(lambda t: t.to(dtype) if t.is_floating_point() else t)

    def half(self) -> Self:
        """Casts floating parameters, with their gradients, and buffers to float16."""
        return self._cast(float16)

    def float(self) -> Self:
        """Casts floating parameters, with their gradients, and buffers to float32."""
        return self._cast(float32)

    def double(self) -> Self:
        """Casts floating parameters, with their gradients, and buffers to float64."""
        return self._cast(float64)

    def type(self, dst_type: Any) -> Self:
        """Casts all parameters, with their gradients, and buffers, also those of whole numbers, as Tensor.type does."""
        return self._apply(lambda t: t.type(dst_type))

    def to(self, *args: Any, dtype: DTypeLike | None = None, device: Any = None, non_blocking: bool = False) -> Self:
        """Casts floating parameters and buffers to a dtype, or that of a tensor. A device may be named: the CPU.

        Raises TypeError for a dtype that is not floating, ValueError for another device.
        """
        wanted = to_arguments(args, dtype, device)
        if wanted is None:
            return self
        if wanted.kind != "f":
            raise TypeError(f"to: a module's parameters cannot become {wanted}, expected a floating dtype")
        return self._cast(wanted)

    def cpu(self) -> Self:
        """This module: it is on the CPU."""
        return self

    def cuda(self, device: Any = None) -> Self:
        """Raises ValueError: there is no CUDA device here."""
        check_device("cuda", "cuda" if device is None else f"cuda:{device}")
        return self

    # how it prints

    def extra_repr(self) -> str:
        """What stands between the brackets of repr, before the modules."""
        return ""

    def _get_name(self) -> str:
        return builtins.type(self).__name__

    def __repr__(self) -> str:
        extra = self.extra_repr()
        parts = [f"({name}): {module!r}" for name, module in self._own_modules()]
        if not parts and "\n" not in extra:
            return f"{self._get_name()}({extra})"
        lines = "\n".join([extra, *parts] if extra else parts)
        return f"{self._get_name()}(\n  " + lines.replace("\n", "\n  ") + "\n)"
