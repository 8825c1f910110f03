"""Hooks of a module: what to call before and after its forward, and before and after its backward.

A module has no hooks until one is registered (`module._module_hooks` is None), so that calling it costs one look. Each
register_... returns a handle, whose remove(), or the end of a `with` block, takes the hook away again; prepend=True
puts it before those that are there. Source: torch.nn.Module.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tinyrnn.autograd.graph import Array, make
from tinyrnn.autograd.hooks import RemovableHandle
from tinyrnn.autograd.modes import no_grad, state
from tinyrnn.autograd.record import needs_grad, record_many
from tinyrnn.tensor import Tensor

if TYPE_CHECKING:
    from tinyrnn.nn.modules.module import Module

Gradients = tuple[Tensor | None, ...]


class Hook(NamedTuple):
    """One hook of a module, and how it wants to be called."""

    call: Callable[..., Any]
    with_kwargs: bool = False
    always: bool = False  # also after an exception


class Hooks:
    """The hooks of one module, in the order in which they are called."""

    def __init__(self) -> None:
        self.before_forward: list[Hook] = []
        self.after_forward: list[Hook] = []
        self.before_backward: list[Hook] = []
        self.after_backward: list[Hook] = []


def register_forward_pre_hook(
    module: Module, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
) -> RemovableHandle:
    """Calls hook(module, args) before each forward; what it returns, if not None, takes the place of the arguments.

    One value stands for a tuple of one. With with_kwargs: hook(module, args, kwargs) -> None or (args, kwargs).

    >>> import tinyrnn
    >>> from tinyrnn import nn
    >>> layer = nn.Identity()
    >>> with layer.register_forward_pre_hook(lambda module, args: args[0] + 1):
    ...     print(layer(tinyrnn.tensor(1.0)))
    tensor(2.)
    """
    return _register(module, "before_forward", Hook(hook, with_kwargs), prepend)


def register_forward_hook(
    module: Module,
    hook: Callable[..., Any],
    *,
    prepend: bool = False,
    with_kwargs: bool = False,
    always_call: bool = False,
) -> RemovableHandle:
    """Calls hook(module, args, output) after each forward; what it returns, if not None, takes the output's place.

    With with_kwargs: hook(module, args, kwargs, output). With always_call also after an exception, when there may be no
    output, so None.
    """
    return _register(module, "after_forward", Hook(hook, with_kwargs, always_call), prepend)


def register_full_backward_pre_hook(module: Module, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
    """Calls hook(module, grad_output) before the backward pass goes through the module.

    grad_output is a tuple: for each output a gradient, zeros for a tensor that needs none, None for what is no tensor.
    What the hook returns, if not None, takes its place: a
    tuple of this length, or one gradient for a tuple of one.
    """
    return _register(module, "before_backward", Hook(hook), prepend)


def register_full_backward_hook(module: Module, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
    """Calls hook(module, grad_input, grad_output) when the backward pass has gone through the module.

    grad_input is a tuple, with one for each positional argument of the call, as grad_output has for each output. What
    the hook returns, if not None, takes its place, as in register_full_backward_pre_hook. If no input needs a gradient,
    grad_input holds None only, and the hook is called, with torch's warning, as soon as grad_output is known. (A tuple
    or list among the inputs or the outputs is not looked into.)

    The module then computes with copies of its inputs: one that it changes in place stays as it is outside.

    >>> import tinyrnn
    >>> from tinyrnn import nn
    >>> layer, seen = nn.Tanh(), []
    >>> handle = layer.register_full_backward_hook(lambda module, grad_input, grad_output: seen.append(grad_input))
    >>> layer(tinyrnn.zeros(2, requires_grad=True)).sum().backward()
    >>> seen
    [(tensor([1., 1.]),)]
    """
    return _register(module, "after_backward", Hook(hook), prepend)


def _register(module: Module, when: str, hook: Hook, prepend: bool) -> RemovableHandle:
    if not callable(hook.call):
        raise TypeError(f"register hook: got a {type(hook.call).__name__}, expected a function")
    if module._module_hooks is None:
        object.__setattr__(module, "_module_hooks", Hooks())
    hooks = getattr(module._module_hooks, when)
    hooks.insert(0 if prepend else len(hooks), hook)
    return RemovableHandle(hooks, hook)


def call_with_hooks(module: Module, hooks: Hooks, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """module.forward(*args, **kwargs), with everything that is to be called around it."""
    output: Any = None
    called: set[int] = set()
    try:
        for hook in list(hooks.before_forward):
            args, kwargs = _replaced(hook, module, args, kwargs)
        backward = BackwardHooks(module, hooks) if hooks.before_backward or hooks.after_backward else None
        inner = args if backward is None else backward.enter(args)
        output = module.forward(*inner, **kwargs)
        for hook in list(hooks.after_forward):
            called.add(id(hook))
            output = _after(hook, module, inner, kwargs, output)
        return output if backward is None else backward.leave(output)
    except Exception:
        for hook in hooks.after_forward:
            if hook.always and id(hook) not in called:
                try:
                    output = _after(hook, module, args, kwargs, output)
                except Exception as error:
                    warnings.warn(f"forward hook: it raised {error!r} after an exception", UserWarning, stacklevel=3)
        raise


def _replaced(
    hook: Hook, module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    if not hook.with_kwargs:
        given = hook.call(module, args)
        if given is None:
            return args, kwargs
        return (given if isinstance(given, tuple) else (given,)), kwargs
    given = hook.call(module, args, kwargs)
    if given is None:
        return args, kwargs
    if not (isinstance(given, tuple) and len(given) == 2):
        raise RuntimeError(
            f"forward pre-hook: with with_kwargs it returned a {type(given).__name__}, expected None or (args, kwargs)"
        )
    return given


def _after(hook: Hook, module: Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> Any:
    given = hook.call(module, args, kwargs, output) if hook.with_kwargs else hook.call(module, args, output)
    return output if given is None else given


class BackwardHooks:
    """The backward hooks of one call: two nodes that change nothing, one around its inputs and one its outputs.

    The gradient of the outputs comes first, and is kept until that of the inputs has come.
    """

    def __init__(self, module: Module, hooks: Hooks) -> None:
        self.module, self.hooks = module, hooks
        self.has_inputs = False
        self.n_inputs = 0
        self.grad_output: Gradients | None = None

    def enter(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments, behind a node where they need a gradient."""
        self.n_inputs = len(args)
        through = self._watch(args, self._inputs_came)
        self.has_inputs = through is not args
        return through

    def leave(self, output: Any) -> Any:
        """The output, likewise."""
        if not isinstance(output, tuple):
            return self._watch((output,), self._outputs_came)[0]
        through = self._watch(output, self._outputs_came)
        return type(output)(*through) if hasattr(output, "_fields") else through

    def _watch(self, values: tuple[Any, ...], came: Callable[[Gradients], Gradients]) -> tuple[Any, ...]:
        places = [k for k, x in enumerate(values) if isinstance(x, Tensor) and state.grad and needs_grad(x)]
        if not places:
            return values
        inputs: list[Tensor] = [values[k] for k in places]
        zeros = [(x.shape, x.dtype) if isinstance(x, Tensor) else None for x in values]  # for those that need none

        def pullback(*gradients: Array) -> list[Array | None]:
            whole: list[Tensor | None] = [None if zero is None else make(Tensor, np.zeros(*zero)) for zero in zeros]
            for k, g in zip(places, gradients, strict=True):
                whole[k] = make(Tensor, g.copy())
            with no_grad():
                returned = came(tuple(whole))
            return [_array(returned[k], g) for k, g in zip(places, gradients, strict=True)]

        through = list(values)
        outs = record_many("backward hook", [x.array.copy() for x in inputs], inputs, pullback)
        for k, out in zip(places, outs, strict=True):
            through[k] = out
        return tuple(through)

    def _outputs_came(self, gradients: Gradients) -> Gradients:
        for hook in list(self.hooks.before_backward):
            gradients = _same_length(hook.call(self.module, gradients), gradients)
        if self.has_inputs:
            self.grad_output = gradients
            return gradients
        if self.hooks.after_backward:
            warnings.warn(
                "Full backward hook is firing when gradients are computed with respect to module outputs since no "
                "inputs require gradients.",
                UserWarning,
                stacklevel=2,
            )
        for hook in list(self.hooks.after_backward):
            returned = hook.call(self.module, (None,) * self.n_inputs, gradients)
            if returned is not None and any(g is not None for g in returned):
                raise RuntimeError(
                    "full backward hook: no input of the module needs a gradient, so the hook can replace none: "
                    "expected None, or a tuple of None"
                )
        return gradients

    def _inputs_came(self, gradients: Gradients) -> Gradients:
        grad_output, self.grad_output = self.grad_output, None
        if grad_output is not None:  # else the gradient came by another way than the module's outputs
            for hook in list(self.hooks.after_backward):
                gradients = _same_length(hook.call(self.module, gradients, grad_output), gradients)
        return gradients


def _same_length(returned: Any, gradients: Gradients) -> Gradients:
    if returned is None:
        return gradients
    several = returned if isinstance(returned, tuple | list) else (returned,)
    if len(several) != len(gradients):
        raise RuntimeError(f"backward hook: it returned {len(several)} gradients, expected {len(gradients)}, or None")
    for g, before in zip(several, gradients, strict=True):
        if g is not None and not isinstance(g, Tensor):
            raise TypeError(f"backward hook: it returned a {type(g).__name__}, expected tensors or None")
        if g is not None and before is not None and g.shape != before.shape:
            raise ValueError(f"backward hook: it returned a gradient of shape {g.shape}, expected {before.shape}")
    return tuple(several)


def _array(returned: Tensor | None, g: Array) -> Array | None:
    """What goes on in the place of g. None: no gradient."""
    return None if returned is None else returned.array.astype(g.dtype)
