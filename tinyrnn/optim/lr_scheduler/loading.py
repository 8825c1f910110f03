"""State dicts of schedulers, checked before anything is changed: what was saved is of the kind of what is there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

WORDS = [
    ("min", "max"), ("rel", "abs"), ("cycle", "iterations"), ("cos", "linear"),
    ("triangular", "triangular2", "exp_range"),
]  # fmt: skip
COUNTS = ("last_epoch", "_step_count", "T_0", "T_mult", "total_steps", "num_bad_epochs", "cooldown_counter")


def check_mapping(name: str, saved: Any) -> None:
    """Raises TypeError unless it is a dict."""
    if not isinstance(saved, Mapping):
        raise TypeError(f"{name}: load_state_dict: got a {type(saved).__name__}, expected a dict as state_dict() gives")


def check_saved(name: str, own: Mapping[str, Any], saved: Mapping[str, Any], scheduler_class: type) -> None:
    """Raises TypeError or ValueError unless `saved` can take the place of the attributes `own`."""
    where = f"{name}: load_state_dict"
    missing = [key for key in own if not key.startswith("_") and key not in saved]
    if missing:
        raise ValueError(
            f"{where}: got the keys {list(saved)}, without {missing}: is this the state of another scheduler?"
        )
    for key, value in saved.items():
        if not isinstance(key, str) or key == "optimizer" or callable(getattr(scheduler_class, key, None)):
            raise ValueError(f"{where}: got the key {key!r}, which no state_dict() has")
        if key in own:
            check_alike(f"{where}: {key}", value, own[key])
        if key in COUNTS and key in own and value % 1 != 0:
            raise ValueError(f"{where}: {key} is {value}, expected a whole number")


def check_alike(what: str, value: Any, own: Any) -> None:
    """Raises TypeError or ValueError unless `value` is of the kind of `own`: a number, a word, so many of them."""
    if isinstance(own, bool):
        if not isinstance(value, bool):
            raise TypeError(f"{what} is {value!r}, expected True or False")
    elif _is_number(own):
        if not _is_number(value):
            raise TypeError(f"{what} is {value!r}, expected a number")
    elif isinstance(own, str):
        words = next((words for words in WORDS if own in words), None)
        if not isinstance(value, str) or (words and value not in words):
            raise ValueError(f"{what} is {value!r}, expected {' or '.join(map(repr, words or ['a word']))}")
    elif isinstance(own, list | tuple):
        if not isinstance(value, list | tuple) or len(value) != len(own):
            raise ValueError(f"{what} is {value!r}, expected a list of {len(own)}")
        for k, (part, like) in enumerate(zip(value, own, strict=True)):
            check_alike(f"{what}[{k}]", part, like)
    elif isinstance(own, Mapping):
        counted = isinstance(own, Counter)  # milestones: numbers, and how often each is there
        if not isinstance(value, Mapping) or not (counted or set(value) == set(own)):
            raise TypeError(f"{what} is {value!r}, expected a dict such as {dict(own)!r}")
        for key, part in value.items():
            check_alike(f"{what}[{key!r}]", part, 1 if counted else own[key])
            if counted:
                check_alike(f"{what}: a key", key, 1)


def _is_number(value: Any) -> bool:
    """Whether it is a real number, or a tensor of one."""
    if hasattr(value, "shape"):
        return bool(np.prod(value.shape) == 1)
    return isinstance(value, int | float) and not isinstance(value, bool)
