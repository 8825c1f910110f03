"""Optimizer: what all optimizers share. Each subclass adds its rule, in `update`, or writes step() itself."""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from tinyrnn.autograd.graph import Array, Hook
from tinyrnn.autograd.hooks import RemovableHandle
from tinyrnn.autograd.interrupts import held
from tinyrnn.autograd.modes import enable_grad
from tinyrnn.autograd.views import version_of
from tinyrnn.optim.hooks import with_hooks
from tinyrnn.optim.loading import fitted, followed, merged_groups, numbered, numbers_of, outgrown
from tinyrnn.optim.settings import Group
from tinyrnn.tensor import Tensor


class _Required:
    def __repr__(self) -> str:
        return "<required parameter>"


required = _Required()  # as the default of a setting: every group has to say its own


class Optimizer:
    """Groups of parameters, each with its own settings, and what is remembered of each parameter between steps.

    A parameter that is cast between steps takes what is remembered of it along (torch raises, or stays in the old
    dtype); one whose data was replaced by some of another shape raises ValueError at the next step.

    params        tensors, or (name, tensor) pairs, or groups: dicts with "params" and settings of their own
    defaults      the settings of groups that have none of their own
    param_groups  the groups; what is written into them holds from the next step on
    state         {parameter: {name: tensor or number}}; a count of steps is an int, where torch has a tensor

    An optimizer of your own, in one of two ways. As under torch: a step() that goes through param_groups, under
    no_grad(). Or only the rule, which step() here applies to every parameter that has a gradient:

        first_state(w, group)                what to remember of a parameter w at first; with a "step": 0, it is counted
        numbers(group, t)                    at the t-th step, the numbers that the rule multiplies with
        update(w, g, state, group, numbers)  the rule: changes the array w in place, given its gradient g

    step() itself sees to maximize (g is -g), weight_decay (g is g + weight_decay w) and decoupled_weight_decay
    (w is first w (1 - lr weight_decay)), where the group has them.

    Raises TypeError for what are no tensors or in no order, ValueError for none at all, one that is not a leaf, one
    given twice, names for some of them only, or a setting that is required and not there.
    Source: torch.optim.Optimizer.

    >>> import tinyrnn
    >>> class Sign(Optimizer):
    ...     def update(self, w, g, state, group, numbers):
    ...         w -= group["lr"] * np.sign(g)
    >>> w = tinyrnn.tensor([1.0, 2.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> Sign([w], {"lr": 0.5}).step()
    >>> w
    tensor([0.5000, 1.5000], requires_grad=True)
    """

    _step_pre_hooks: list[Any] | None = None
    _step_post_hooks: list[Any] | None = None
    _opt_called = False  # whether a step was made, which schedulers ask

    def __init__(self, params: Iterable[Any], defaults: Group) -> None:
        name = type(self).__name__
        if isinstance(params, Tensor | set):
            raise TypeError(f"{name}: got a {type(params).__name__}, expected tensors in an order: put them in a list")
        if not isinstance(params, Iterable):
            way_out = ": say .parameters()" if hasattr(params, "parameters") else ""
            raise TypeError(f"{name}: got a {type(params).__name__}, expected tensors in an order{way_out}")
        self.defaults = defaults
        self.state: defaultdict[Any, Any] = defaultdict(dict)
        self.param_groups: list[Group] = []
        given = list(params)
        if not given:
            raise ValueError(f"{name}: there are no parameters (was the generator used before? make a new one)")
        for group in given if isinstance(given[0], dict) else [{"params": given}]:
            self.add_param_group(group)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "step" in vars(cls):
            cls.step = with_hooks(cls.step)  # type: ignore[method-assign]

    def add_param_group(self, param_group: Group) -> None:
        """Adds parameters with settings of their own: {"params": tensors, "lr": ...}. Raises as the class does."""
        name = type(self).__name__
        if not isinstance(param_group, dict) or "params" not in param_group:
            raise TypeError(f"{name}: a group is a {type(param_group).__name__}, expected a dict with the key 'params'")
        params = param_group["params"]
        if isinstance(params, set):
            raise TypeError(f"{name}: a group's params are a set, expected an order: put them in a list")
        given = [params] if isinstance(params, Tensor) else list(params)
        tensors = [p[1] if isinstance(p, tuple) else p for p in given]
        taken = {id(p) for group in self.param_groups for p in group["params"]}
        for i, p in enumerate(tensors):
            if not isinstance(p, Tensor):
                raise TypeError(f"{name}: params[{i}] is a {type(p).__name__}, expected a tensor")
            if not p.is_leaf:
                raise ValueError(f"{name}: params[{i}] was computed from others, expected a leaf")
            if id(p) in taken:
                raise ValueError(f"{name}: params[{i}], of shape {p.shape}, is given twice, expected each once")
            taken.add(id(p))
        group = {**self.defaults, **param_group, "params": tensors}
        names = [p[0] for p in given if isinstance(p, tuple)]
        if names:
            group["param_names"] = names
        alike = {"param_names" in other for other in (*self.param_groups, group)}
        if len(names) not in (0, len(given)) or len(alike) > 1:
            raise ValueError(f"{name}: some parameters are given with names and some without, expected all or none")
        for what, value in group.items():
            if value is required:
                raise ValueError(f"{name}: a group has no {what!r}, which has no default: every group needs its own")
        self.check_group(group)
        self.param_groups.append(group)

    def check_group(self, group: Group) -> None:
        """Raises ValueError or TypeError for settings that are none: each subclass says which."""

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Lets go of the parameters' gradients, or fills them with zeros."""
        for group in self.param_groups:
            for p in group["params"]:
                if set_to_none:
                    p.total_grad = None
                elif p.grad is not None:
                    p.grad.detach().zero_()

    @with_hooks
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Moves each parameter that has a gradient. With a closure: after calling it; its loss is returned.

        The step is made whole or not at all: what cannot be raises before any parameter has moved, and Ctrl-C, or
        another signal, waits until all have.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        moves = self._moves()
        with held():
            for p, w, g, state, t, changes, group, (decay, shrink, numbers) in moves:
                if changes is not None:
                    state = self.state[p]
                    state.update(changes)
                if t:
                    state["step"] = t
                if shrink is not None:
                    w *= shrink
                elif decay is not None:
                    g = g + decay * w
                self.update(w, g, state, group, numbers)
                version_of(p)[0] += 1
        return loss

    def _moves(self) -> list[tuple[Any, ...]]:
        """(p, w, g, state, t, changes of the state, group, numbers) of each parameter p with a gradient.

        Nothing is changed here. Raises ValueError or TypeError for whatever a step cannot take.
        """
        moves: list[tuple[Any, ...]] = []
        states, name = self.state, type(self).__name__
        for group in self.param_groups:
            maximize, prepared = group.get("maximize"), (-1, None)
            for p in group["params"]:
                if p.total_grad is None:
                    continue
                w, g, changes, t = p.array, p.total_grad.array, None, 0
                state = states.get(p)
                if g.shape != w.shape:
                    raise ValueError(
                        f"{name}: step: the gradient has shape {g.shape}, the parameter {w.shape} by now: compute it "
                        "anew"
                    )
                if not state:
                    if not w.flags.writeable:
                        raise ValueError(f"{name}: step: the parameter {w.shape} is read-only: make it a clone()")
                    state = changes = self.first_state(w, group)
                elif outgrown(state, w):
                    changes = followed(f"{name}: step", state, w, self.first_state(w, group))
                if "step" in state:
                    t = state["step"] + 1
                if prepared != (t, w.dtype):  # most often the same for all parameters of a group
                    prepared = (t, w.dtype)
                    numbers = self._prepared(group, t, w.dtype)
                moves.append((p, w, -g if maximize else g, state, t, changes, group, numbers))
        return moves

    def _prepared(self, group: Group, t: int, dtype: np.dtype[Any]) -> tuple[Any, Any, list[Array]]:
        """Numbers for parameters of one dtype, as 0-d arrays: they widen nothing, and NumPy is faster with them."""
        decay, shrink = float(group.get("weight_decay", 0)), None
        if decay and group.get("decoupled_weight_decay"):
            shrink = np.array(1 - float(group["lr"]) * decay, dtype)
        numbers = [np.array(number, dtype) for number in self.numbers(group, t)]
        return np.array(decay, dtype) if decay else None, shrink, numbers

    def first_state(self, w: Array, group: Group) -> dict[str, Any]:
        """What is to be remembered of a parameter, as it is before the first step; "step" counts the steps."""
        return {}

    def numbers(self, group: Group, t: int) -> Sequence[float]:
        """What the rule multiplies with at the t-th step; update() gets them as 0-d arrays of w's dtype."""
        return ()

    def update(self, w: Array, g: Array, state: dict[str, Any], group: Group, numbers: Sequence[Array]) -> None:
        """Changes one parameter w in place, given its gradient g of w's shape (read only), what is remembered of w
        from step to step, the settings of its group, and numbers()."""
        raise NotImplementedError(f"{type(self).__name__} has neither a step() nor an update() of its own")

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Calls hook(optimizer, args, kwargs) before each step, with the arguments of step(), the optimizer the first
        of them; it may return others, as (args, kwargs). Returns a handle with remove()."""
        self._step_pre_hooks = self._step_pre_hooks or []
        return _registered(self._step_pre_hooks, hook)

    def register_step_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Calls hook(optimizer, args, kwargs) after each step. Returns a handle with remove()."""
        self._step_post_hooks = self._step_post_hooks or []
        return _registered(self._step_post_hooks, hook)

    def state_dict(self) -> dict[str, Any]:
        """What it takes to go on later: {"state": {number: {name: tensor or number}}, "param_groups": [settings]}.

        Parameters are numbered in the order in which they were given; layout and names are torch's. What is in "state"
        is the optimizer's own and goes on changing with it: keep a deepcopy() to come back to it.
        """
        numbers = numbers_of(self.param_groups)
        groups = [{**group, "params": [numbers[id(p)] for p in group["params"]]} for group in self.param_groups]
        return {"state": numbered(self.state, numbers), "param_groups": groups}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes on from what state_dict() gave, here or under torch, for parameters of the same number, order and
        shapes; copies it, arrays in the dtype of their parameter.

        Raises ValueError or TypeError, before anything is changed, if they differ, if a setting is none, or if it is
        the state of another kind of optimizer.
        """
        groups, parameters = merged_groups(type(self).__name__, self.param_groups, state_dict)
        for group in groups:
            self.check_group(group)
        group_of = {id(p): group for group in groups for p in group["params"]}
        state: defaultdict[Any, Any] = defaultdict(dict)
        for i, entries in state_dict["state"].items():
            if i not in parameters:  # an entry of an optimizer of one's own
                state[i] = copy.deepcopy(entries)
            elif entries:
                state[parameters[i]] = self.fit_state(i, entries, parameters[i], group_of[id(parameters[i])])
        self.__setstate__({"state": state, "param_groups": groups})

    def fit_state(self, i: int, saved: dict[str, Any], p: Tensor, group: Group) -> dict[str, Any]:
        """A copy of what was saved for p, the i-th parameter, in p's dtype. Raises ValueError if it does not fit."""
        where = f"{type(self).__name__}: load_state_dict: the state of parameter {i}"
        return fitted(where, saved, p, self.first_state(p.array, group))

    def __getstate__(self) -> dict[str, Any]:
        """Everything but the hooks: as under torch, a copy has none."""
        return {key: value for key, value in vars(self).items() if key not in ("_step_pre_hooks", "_step_post_hooks")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for i, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {i}")
            lines += [f"    {key}: {group[key]}" for key in sorted(group) if key != "params"]
            lines.append("")
        return "\n".join([*lines[:-1], ")"])


def _registered(hooks: list[Any], hook: Callable[..., Any]) -> RemovableHandle:
    hooks.append(Hook(hook))  # wrapped: the same function may be there twice
    return RemovableHandle(hooks, hooks[-1])
