"""The attributes of a module by their kind, as the dicts `_parameters`, `_buffers` and `_modules` that torch keeps.

Here a module keeps its attributes and nothing else: these are windows on them, made when they are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tinyrnn.nn.modules.module import Module


class Registry(MutableMapping[str, Any]):
    """{name: value} of those attributes of `module` that `own(module)` lists; what is changed here changes there.

    A name that stands for None ("bias", where there is none) is not among them, but can be asked for.

    >>> from tinyrnn import nn
    >>> layer = nn.Linear(2, 3)
    >>> del layer._parameters["bias"]
    >>> list(layer._parameters), hasattr(layer, "bias")
    (['weight'], False)
    """

    def __init__(
        self,
        module: Module,
        own: Callable[[Module], list[tuple[str, Any]]],
        register: Callable[[str, Any], None],
    ) -> None:
        self._module, self._own, self._register = module, own, register

    def __getitem__(self, name: str) -> Any:
        own = dict(self._own(self._module))
        if name in own:
            return own[name]
        if vars(self._module).get(name, self) is None:
            return None
        raise KeyError(name)

    def __setitem__(self, name: str, value: Any) -> None:
        self._register(name, value)

    def __delitem__(self, name: str) -> None:
        self[name]
        delattr(self._module, name)

    def __iter__(self) -> Iterator[str]:
        return iter([name for name, _ in self._own(self._module)])

    def __len__(self) -> int:
        return len(self._own(self._module))

    def __repr__(self) -> str:
        return repr(dict(self))
