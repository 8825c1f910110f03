"""What to try each operation with: {"topic.name": [(a function of tensors, the shapes to try it with), ...]}.

Each file of ops/ has its own here; tests/ops/test_gradients.py goes through them all.
"""

from __future__ import annotations

import importlib
import pkgutil

from gradient_cases.base import Case

CASES: dict[str, list[Case]] = {}
NO_GRADIENT: set[str] = set()  # those through which none flows: their results are bools or whole numbers
for _topic in pkgutil.iter_modules(__path__):
    _module = importlib.import_module(f"{__name__}.{_topic.name}")
    CASES |= getattr(_module, "CASES", {})
    NO_GRADIENT |= getattr(_module, "NO_GRADIENT", set())
