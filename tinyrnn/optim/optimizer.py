"""Optimizer: what all optimizers share. Each subclass adds its rule, in `update`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from tinyrnn.autograd.graph import Array, make
from tinyrnn.autograd.modes import enable_grad
from tinyrnn.autograd.views import version_of
from tinyrnn.tensor import Tensor

Group = dict[str, Any]


class Optimizer:
    """Groups of parameters, each with its own settings, and what is remembered of each parameter between steps.

    params    tensors, or (name, tensor) pairs, or groups: dicts with "params" and settings of their own
    defaults  the settings of groups that have none of their own
    state     {parameter: {name: array or number}}
    Raises TypeError for what are no tensors or in no order, ValueError for none at all, one that is not a leaf, or one
    given twice.
    Source: torch.optim.Optimizer.
    """

    def __init__(self, params: Iterable[Any], defaults: Group) -> None:
        name = type(self).__name__
        if isinstance(params, Tensor | set):
            raise TypeError(f"{name}: got a {type(params).__name__}, expected tensors in an order: put them in a list")
        self.defaults = defaults
        self.state: dict[Tensor, dict[str, Any]] = {}
        self.param_groups: list[Group] = []
        given = list(params)
        if not given:
            raise ValueError(f"{name}: there are no parameters (was the generator used before? make a new one)")
        for group in given if isinstance(given[0], dict) else [{"params": given}]:
            self.add_param_group(group)

    def add_param_group(self, param_group: Group) -> None:
        """Adds parameters with settings of their own: {"params": tensors, "lr": ...}. Raises as the class does."""
        name = type(self).__name__
        if not isinstance(param_group, dict) or "params" not in param_group:
            raise TypeError(f"{name}: a group is a {type(param_group).__name__}, expected a dict with the key 'params'")
        params = param_group["params"]
        if isinstance(params, set):
            raise TypeError(f"{name}: a group's params are a set, expected an order: put them in a list")
        tensors = [params] if isinstance(params, Tensor) else [p[1] if isinstance(p, tuple) else p for p in params]
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
        self.check(group)
        self.param_groups.append(group)

    def check(self, group: Group) -> None:
        """Raises ValueError for settings that are none."""

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Lets go of the parameters' gradients, or fills them with zeros."""
        for group in self.param_groups:
            for p in group["params"]:
                if set_to_none:
                    p.grad = None
                elif p.grad is not None:
                    p.grad.detach().zero_()

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Moves each parameter that has a gradient. With a closure: after calling it; its loss is returned."""
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        for group in self.param_groups:
            # A number of NumPy's has a dtype, which would widen what is float32.
            plain = {key: value.item() if isinstance(value, np.generic) else value for key, value in group.items()}
            for p in group["params"]:
                if p.grad is not None:
                    g = p.grad.array
                    self.update(p.array, -g if plain.get("maximize") else g, self.state.setdefault(p, {}), plain)
                    version_of(p)[0] += 1
        return loss

    def update(self, w: Array, g: Array, state: dict[str, Any], group: Group) -> None:
        """Changes one parameter w in place, given its gradient g of w's shape (read only), what is remembered of w
        from step to step, at first nothing, and the settings of its group."""
        raise NotImplementedError(f"{type(self).__name__} has no update()")

    def state_dict(self) -> dict[str, Any]:
        """What it takes to go on later: {"state": {number: {name: tensor or number}}, "param_groups": [settings]}.

        Parameters are numbered in the order in which they were given. The tensors share the optimizer's memory.
        """
        numbers = {id(p): i for i, p in enumerate(self._parameters())}
        state = {
            numbers[id(p)]: {key: make(Tensor, v) if isinstance(v, np.ndarray) else v for key, v in entries.items()}
            for p, entries in self.state.items()
        }
        groups = [{**group, "params": [numbers[id(p)] for p in group["params"]]} for group in self.param_groups]
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes on from what state_dict() gave for parameters of the same number, order and shapes; copies it.

        Raises ValueError, before anything is changed, if they differ, or if a setting is none.
        """
        name = type(self).__name__
        if not {"state", "param_groups"} <= set(state_dict):
            raise ValueError(
                f"{name}: load_state_dict: got the keys {list(state_dict)}, expected 'state' and 'param_groups'"
            )
        groups, parameters = state_dict["param_groups"], list(self._parameters())
        sizes, own = ([len(group["params"]) for group in gs] for gs in (groups, self.param_groups))
        if sizes != own:
            raise ValueError(f"{name}: load_state_dict: groups of {sizes} parameters, expected groups of {own}")
        order = [i for group in groups for i in group["params"]]
        strangers = [i for i in state_dict["state"] if i not in set(order)]
        if len(set(order)) < len(order) or strangers:
            raise ValueError(
                f"{name}: load_state_dict: the groups have the parameters {order}, the state those of "
                f"{list(state_dict['state'])}: expected each parameter once, and a state only for these"
            )
        state: dict[Tensor, dict[str, Any]] = {}
        for p, i in zip(parameters, order, strict=True):
            entries = {key: _loaded(key, v, p) for key, v in state_dict["state"].get(i, {}).items()}
            for key, v in entries.items():
                if isinstance(v, np.ndarray) and v.shape != p.shape:
                    raise ValueError(f"{name}: load_state_dict: {key} has shape {v.shape}, its parameter has {p.shape}")
            if entries:
                state[p] = entries
        pairs = zip(self.param_groups, groups, strict=True)
        merged = [{**group, **saved, "params": group["params"]} for group, saved in pairs]
        for group in merged:
            self.check(group)
        self.state, self.param_groups = state, merged

    def _parameters(self) -> Iterator[Tensor]:
        return (p for group in self.param_groups for p in group["params"])

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for i, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {i}")
            lines += [f"    {key}: {group[key]}" for key in sorted(group) if key != "params"]
        return "\n".join([*lines, ")"])


def _loaded(key: str, value: Any, p: Tensor) -> Any:
    """A copy of one entry of a state: arrays in the parameter's dtype, but torch's step, a 0-d one, as a number."""
    if not hasattr(value, "shape"):
        return value
    array = np.asarray(value.array if isinstance(value, Tensor) else value)
    return array.item() if key == "step" else array.astype(p.dtype)


def check_number(name: str, what: str, value: Any, low: float = 0.0, high: float = float("inf")) -> None:
    """Raises TypeError or ValueError unless `value` is a number with low <= value < high."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        raise TypeError(f"{name}: {what} is {value!r}, expected a number")
    if not low <= value < high:
        raise ValueError(f"{name}: {what} is {value}, expected {low} <= {what} < {high}")


def check_loop(name: str, differentiable: bool) -> None:
    """Of torch's keywords on how to loop over parameters, foreach, fused and capturable change no number."""
    if differentiable:
        raise NotImplementedError(f"{name}: differentiable=True is not supported: the steps are not recorded")
