"""What is called before and after each step of an optimizer."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def with_hooks(step: F) -> F:
    """step() with the optimizer's hooks around it, for every class that writes one; schedulers hear that it was made.

    Where the step of a subclass calls that of its base, the hooks are called for the outer one only.
    """

    @functools.wraps(step)
    def hooked(*args: Any, **kwargs: Any) -> Any:
        optimizer = args[0]
        if type(optimizer).step is not hooked:
            return step(*args, **kwargs)
        for hook in tuple(optimizer._step_pre_hooks or ()):
            changed = hook.call(optimizer, args, kwargs)
            if changed is not None:
                if not (isinstance(changed, tuple) and len(changed) == 2):
                    raise RuntimeError(
                        f"{type(optimizer).__name__}: step: a pre-hook returned {changed!r}, expected None or "
                        "(args, kwargs)"
                    )
                args, kwargs = changed
        result = step(*args, **kwargs)
        optimizer._opt_called = True
        for hook in tuple(optimizer._step_post_hooks or ()):
            hook.call(optimizer, args, kwargs)
        return result

    return hooked  # type: ignore[return-value]
