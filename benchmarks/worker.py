"""One library in a process of its own: reads requests, a line of JSON each, and answers each with a line.

`python worker.py LIBRARY` is started by turns.py, with the number of threads in the environment.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
import traceback
from typing import Any

import floor
import machine
import scaling
from cases import CASES
from work import Work, fastest, numbers

MODULES = {"recording": "tinyrnn", "avx512": "tinyrnn"}  # who works under another name than its module's
BY_NAME = {(case.line, case.name): case for case in CASES}


def prepare(library: str, line: str, name: str, dtype: str) -> Work:
    """The work of a case, as `library` does it."""
    case = BY_NAME[line, name]
    make = case.make if library == "avx512" else case.everyone[library]
    return make(importlib.import_module(MODULES.get(library, library)), dtype)


class Worker:
    """What can be asked of a library. The work checked last is the one that is timed."""

    def __init__(self, library: str, threads: int) -> None:
        self.library, self.work = library, Work(lambda: None, list)
        self.module = importlib.import_module(MODULES.get(library, library))
        if library == "torch" and threads:
            self.module.set_num_threads(threads)

    def versions(self) -> dict[str, Any]:
        """The library, and what it runs on."""
        return machine.library(self.library, self.module)

    def check(self, line: str, name: str, dtype: str) -> dict[str, Any]:
        """The numbers of the first steps, and how long they and the preparation took (JAX compiles in them)."""
        start = time.perf_counter()
        self.work = prepare(self.library, line, name, dtype)
        return {"numbers": numbers(self.work), "seconds": time.perf_counter() - start}

    def time(self, seconds: float) -> float:
        """The fastest step, in seconds."""
        return fastest(self.work.step, seconds)

    def products(self, dtype: str, layer: list[Any]) -> float:
        """The time of the matrix products of a layer, in seconds."""
        return floor.products(dtype, *layer)

    def small_call(self) -> float:
        """The cost of a small NumPy call, in seconds."""
        return floor.small_call()

    def scale(self, T: int) -> dict[str, float]:
        """Time and memory of a training step over T time steps."""
        return scaling.measure(T)

    def memory(self) -> list[dict[str, Any]]:
        """The memory of training steps, against what they have to keep."""
        return scaling.memory()


def main(library: str, threads: str) -> None:
    answers, sys.stdout = sys.stdout, sys.stderr  # whatever a library prints is no answer
    worker = Worker(library, int(threads))
    for line in sys.stdin:
        request, *arguments = json.loads(line)
        try:
            answer = {"answer": getattr(worker, request)(*arguments)}
        except Exception:  # the process that asked says it
            answer = {"problem": traceback.format_exc()}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
