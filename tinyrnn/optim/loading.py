"""State dicts of optimizers: parameters numbered, and what was saved fitted to those that are here."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Mapping
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
    name = f"{name}: load_state_dict"
    if not isinstance(state_dict, Mapping):
        raise TypeError(f"{name}: got a {type(state_dict).__name__}, expected a dict as state_dict() gives")
    if not {"state", "param_groups"} <= set(state_dict):
        raise ValueError(f"{name}: got the keys {list(state_dict)}, expected 'state' and 'param_groups'")
    saved, state = state_dict["param_groups"], state_dict["state"]
    if not isinstance(state, Mapping) or not all(isinstance(entries, Mapping) for entries in state.values()):
        _check_own_entries(name, state)
    for i, group in enumerate(saved if isinstance(saved, list | tuple) else [None]):
        if not isinstance(group, Mapping) or not isinstance(group.get("params"), list | tuple):
            raise TypeError(f"{name}: param_groups[{i}] is no dict with a list 'params', expected one for each group")
    sizes, expected = ([len(group["params"]) for group in groups] for groups in (saved, own))
    if sizes != expected:
        raise ValueError(f"{name}: groups of {sizes} parameters, expected groups of {expected}")
    order = [i for group in saved for i in group["params"]]
    known = set(order)
    strangers = [i for i in state if i not in known and str(i).isdigit()]
    if len(known) < len(order) or strangers:
        twice = [i for i, n in Counter(order).items() if n > 1]
        raise ValueError(
            f"{name}: the groups name the parameters {_few(twice)} more than once, the state has {_few(strangers)} "
            "that no group names: expected each parameter once, and a state only for these"
        )
    merged = [
        {**group, **_settings(loaded), "params": group["params"]} for group, loaded in zip(own, saved, strict=True)
    ]
    parameters = (p for group in own for p in group["params"])
    return merged, dict(zip(order, parameters, strict=True))


def _check_own_entries(name: str, state: Any) -> None:
    """Raises TypeError for a state that is no dict, or has something else than a dict for a parameter."""
    if not isinstance(state, Mapping):
        raise TypeError(f"{name}: 'state' is a {type(state).__name__}, expected a dict {{number: entries}}")
    for i, entries in state.items():
        if str(i).isdigit() and not isinstance(entries, Mapping):
            raise TypeError(f"{name}: the state of parameter {i} is a {type(entries).__name__}, expected a dict")


def _few(numbers: list[Any]) -> str:
    return str(numbers) if len(numbers) <= 8 else f"[{', '.join(map(str, numbers[:8]))}, ... ({len(numbers)} of them)]"


def _settings(group: Group) -> Group:
    """A copy of a saved group; settings that are tensors of torch's, or numbers of NumPy's, as plain numbers."""
    plain = {
        key: value.item() if hasattr(value, "item") and not isinstance(value, Tensor) else copy.deepcopy(value)
        for key, value in group.items()
        if key != "params"
    }
    return {key: tuple(value) if isinstance(value, list) and key == "betas" else value for key, value in plain.items()}


def fitted(where: str, saved: Mapping[str, Any], p: Tensor, first: dict[str, Any]) -> dict[str, Any]:
    """A copy of what was saved for p: arrays as tensors of the dtype that they have in `first`, its first state.

    Raises ValueError or TypeError if something of `first` is missing, of another shape or of another kind.
    """
    if missing := [key for key in first if key not in saved]:
        raise ValueError(f"{where} has {list(saved)}, without {missing}: is this the state of another optimizer?")
    entries: dict[str, Any] = {}
    for key, value in saved.items():
        like, what = first.get(key), f"{where}: {key}"
        if key not in first:
            entries[key] = cast(value, None if key == "step" else p.dtype)
        elif key == "step":  # a count: a number for the rules here, as it is for others
            entries[key] = count(what, value)
        elif isinstance(like, Tensor) or (like is None and value is not None):
            like = like if isinstance(like, Tensor) else p
            entries[key] = array_like(what, value, like.shape, like.dtype)
        else:
            entries[key] = plain(what, value) if type(like) in (int, float) else cast(value, p.dtype)
    return entries


def plain(what: str, value: Any) -> float:
    """A plain number, from one or from a tensor of one. Raises TypeError for anything else."""
    number = value.item() if getattr(value, "shape", None) in ((), (1,)) else value
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise TypeError(f"{what} is {_brief(value)}, expected a number")
    return number


def count(what: str, value: Any) -> int:
    """`plain`, a whole number of at least 0. Raises ValueError for another."""
    number = plain(what, value)
    if not (number >= 0 and number % 1 == 0):
        raise ValueError(f"{what} is {number}, expected a whole number of at least 0")
    return int(number)


def array_like(what: str, value: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Tensor:
    """A copy of an array or tensor of that shape, in that dtype. Raises TypeError or ValueError for another."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not (hasattr(value, "shape") or number):
        raise TypeError(f"{what} is {_brief(value)}, expected a tensor of shape {tuple(shape)}")
    array = value.array if isinstance(value, Tensor) else np.asarray(value)
    if array.dtype.kind not in "buif":
        raise TypeError(f"{what} is {array.dtype}, expected real numbers")
    if array.shape != tuple(shape):
        raise ValueError(f"{what} has shape {array.shape}, expected {tuple(shape)}")
    return make(Tensor, np.array(array, dtype))


def _brief(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"a {type(value).__name__}"


def outgrown(state: dict[str, Any], w: Array) -> bool:
    """Whether an array that is remembered of a parameter may be of another shape or dtype than the parameter is now."""
    for value in state.values():
        if type(value) is Tensor:
            array = value.array
            if (array.dtype != w.dtype and array.shape == w.shape) or (array.ndim and array.shape != w.shape):
                return True
    return False


def followed(where: str, state: dict[str, Any], w: Array, first: dict[str, Any]) -> dict[str, Tensor]:
    """What is remembered of a parameter w, cast to the dtype that it would begin with now (see `first`).

    Raises ValueError if the shape is another one as well: then w was replaced.
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
    return fresh


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
