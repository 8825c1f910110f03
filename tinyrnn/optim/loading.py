"""State dicts of optimizers: parameters numbered, and what was saved fitted to those that are here."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from tinyrnn.autograd.graph import Array, make
from tinyrnn.optim.settings import Group
from tinyrnn.tensor import Tensor


def numbers_of(groups: list[Group]) -> dict[int, int]:
    """{id of a parameter: its number}, in the order of the groups."""
    return {id(p): i for i, p in enumerate(p for group in groups for p in group["params"])}


def numbered(state: dict[Any, Any], numbers: dict[int, int]) -> dict[Any, Any]:
    """The state with numbers for parameters; what stands under other keys stays, what remembers nothing is left out."""
    return {
        numbers[id(key)] if isinstance(key, Tensor) else key: entries
        for key, entries in state.items()
        if entries != {} and (id(key) in numbers or not isinstance(key, Tensor))
    }


def merged_groups(name: str, own: list[Group], state_dict: dict[str, Any]) -> tuple[list[Group], dict[Any, Tensor]]:
    """The groups with the settings that were saved, and {saved number: parameter}. Raises ValueError for misfits."""
    if not {"state", "param_groups"} <= set(state_dict):
        raise ValueError(
            f"{name}: load_state_dict: got the keys {list(state_dict)}, expected 'state' and 'param_groups'"
        )
    saved, state = state_dict["param_groups"], state_dict["state"]
    sizes, expected = ([len(group["params"]) for group in groups] for groups in (saved, own))
    if sizes != expected:
        raise ValueError(f"{name}: load_state_dict: groups of {sizes} parameters, expected groups of {expected}")
    order = [i for group in saved for i in group["params"]]
    strangers = [i for i in state if i not in set(order) and str(i).isdigit()]
    if len(set(order)) < len(order) or strangers:
        raise ValueError(
            f"{name}: load_state_dict: the groups have the parameters {order}, the state those of {list(state)}: "
            "expected each parameter once, and a state only for these"
        )
    merged = [
        {**group, **_settings(loaded), "params": group["params"]} for group, loaded in zip(own, saved, strict=True)
    ]
    parameters = (p for group in own for p in group["params"])
    return merged, dict(zip(order, parameters, strict=True))


def _settings(group: Group) -> Group:
    """A copy of a saved group; settings that are tensors of torch's, or numbers of NumPy's, as plain numbers."""
    plain = {
        key: value.item() if hasattr(value, "item") and not isinstance(value, Tensor) else copy.deepcopy(value)
        for key, value in group.items()
        if key != "params"
    }
    return {key: tuple(value) if isinstance(value, list) and key == "betas" else value for key, value in plain.items()}


def fitted(where: str, saved: dict[str, Any], p: Tensor, first: dict[str, Any]) -> dict[str, Any]:
    """A copy of what was saved for p: arrays as tensors of the dtype that they have in `first`, its first state.

    Raises ValueError if something of `first` is missing, or of another shape.
    """
    if missing := [key for key in first if key not in saved]:
        raise ValueError(f"{where} has {list(saved)}, without {missing}: is this the state of another optimizer?")
    entries: dict[str, Any] = {}
    for key, value in saved.items():
        like = first.get(key)
        like = like if isinstance(like, Tensor) else p
        if key == "step":  # a count: a number for the rules here, as it is for others
            entries[key] = int(value) if key in first else cast(value, None)
            continue
        entry = entries[key] = cast(value, like.dtype)
        if key in first and isinstance(entry, Tensor) and entry.shape != like.shape:
            raise ValueError(f"{where}: {key} has shape {tuple(entry.shape)}, expected {tuple(like.shape)}")
    return entries


def outgrown(state: dict[str, Any], w: Array) -> bool:
    """Whether an array that is remembered of a parameter may be of another shape or dtype than the parameter is now."""
    for value in state.values():
        if type(value) is Tensor:
            array = value.array
            if (array.dtype != w.dtype and array.shape == w.shape) or (array.ndim and array.shape != w.shape):
                return True
    return False


def follow(where: str, state: dict[str, Any], w: Array, first: dict[str, Any]) -> None:
    """Casts what is remembered of a parameter w to the dtype that it would begin with now (see `first`).

    Raises ValueError, before anything is changed, if the shape is another one as well: then w was replaced.
    """
    fresh: dict[str, Tensor] = {}
    for key, value in state.items():
        if isinstance(value, Tensor) and key in first:
            like = first[key].array if isinstance(first[key], Tensor) else w
            if value.array.shape != like.shape:
                raise ValueError(
                    f"{where}: {key} has shape {tuple(value.shape)}, the parameter has {w.shape} by now: delete its "
                    "entry in state, which then begins anew"
                )
            if value.array.dtype != like.dtype:
                fresh[key] = make(Tensor, value.array.astype(like.dtype))
    state.update(fresh)


def cast(value: Any, dtype: np.dtype[Any] | None) -> Any:
    """A copy in which arrays and torch's tensors are tensors of the dtype (None: theirs), in lists and dicts too."""
    if isinstance(value, dict):
        return {key: cast(v, dtype) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return type(value)([cast(v, dtype) for v in value])
    if isinstance(value, np.generic):
        return value.item()
    if hasattr(value, "shape"):
        return make(Tensor, np.array(value.array if isinstance(value, Tensor) else np.asarray(value), dtype))
    return copy.deepcopy(value)
