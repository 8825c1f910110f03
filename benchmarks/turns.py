"""The other processes, one a library, which take turns: while one works, the others wait."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from cases import Case
from machine import Others
from work import compare

HERE = Path(__file__).parent
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
AVX512 = {"OPENBLAS_CORETYPE": "SkylakeX"}


def environment(threads: int, changes: dict[str, str] | None = None) -> dict[str, str]:
    """What the processes start with: the number of threads (0: as each library has it), and tinyrnn can be found."""
    path = os.pathsep.join(filter(None, [str(HERE.parent), os.environ.get("PYTHONPATH")]))
    set_ = {name: str(threads) for name in THREADS} if threads else {}
    if threads:
        set_["XLA_FLAGS"] = f"--xla_cpu_multi_thread_eigen={'false' if threads == 1 else 'true'}"
    return os.environ | {"PYTHONPATH": path} | set_ | (changes or {})


class Process:
    """A library at work in a process of its own: `ask` sends a request to worker.py and waits for the answer."""

    def __init__(self, library: str, threads: int = 0, changes: dict[str, str] | None = None) -> None:
        self.library = library
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "worker.py"), library, str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(threads, changes),
            start_new_session=True,  # Ctrl-C is for the one that asks
        )

    @property
    def pid(self) -> int:
        """The number that the system knows it by."""
        return self.process.pid

    def ask(self, request: str, *arguments: Any) -> Any:
        """The answer; raises RuntimeError with the process's own words if there is none."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write(json.dumps([request, *arguments]) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        answer = json.loads(line) if line else {"problem": "the process has ended, see above"}
        if "problem" in answer:
            raise RuntimeError(f"{self.library}, {request} {arguments}:\n{answer['problem']}")
        return answer["answer"]

    def close(self) -> None:
        """Ends the process."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


@contextlib.contextmanager
def processes(threads: int, avx512: bool, without: Sequence[str] = ()) -> Iterator[dict[str, Process]]:
    """A process for each library that is installed; "avx512" is tinyrnn once more, on OpenBLAS's AVX-512 kernels."""
    names = ["tinyrnn", "recording", "numpy", *(name for name in ("torch", "jax") if importlib.util.find_spec(name))]
    running: dict[str, Process] = {}
    try:
        for name in names:
            if name not in without:
                running[name] = Process(name, threads)
        if avx512:
            running["avx512"] = Process("avx512", threads, AVX512)
        yield running
    finally:
        for process in running.values():
            process.close()


def race(case: Case, dtype: str, running: dict[str, Process], rounds: int, seconds: float) -> dict[str, Any]:
    """The fastest step of each library, in seconds, by how much its turns differ, and how many cores others had.

    Raises RuntimeError where one did not compute what ours did.
    """
    names = [name for name in case.everyone if name in running]
    if case.avx512 and "avx512" in running:
        names.insert(1, "avx512")
    checked = {name: running[name].ask("check", case.line, case.name, dtype) for name in names}
    for name in names[1:]:
        compare(case.name, dtype, ("tinyrnn", name), checked["tinyrnn"]["numbers"], checked[name]["numbers"])
    turns, products, others = [], [], Others([os.getpid(), *(running[name].pid for name in names)])
    for _ in range(rounds):
        turns.append({name: running[name].ask("time", seconds) for name in names})
        if case.layer:
            products.append(running["tinyrnn"].ask("products", dtype, case.layer))
    return {
        "seconds": {name: min(turn[name] for turn in turns) for name in names},
        "spread": max(max(turn[name] for turn in turns) / min(turn[name] for turn in turns) for name in names),
        "compiling": checked["jax"]["seconds"] if "jax" in checked else None,
        "products": min(products, default=None),
        "others": others.cores(),
    }


def import_seconds(module: str, times: int) -> float:
    """How long `import module` takes in a process that has imported NumPy; the bytecode is there from the first."""
    program = f"import time, numpy; start = time.perf_counter(); import {module}; print(time.perf_counter() - start)"
    command, env = [sys.executable, "-c", program], environment(0)
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    runs = [subprocess.run(command, env=env, stdout=subprocess.PIPE, text=True, check=True) for _ in range(times + 1)]
    return min(float(run.stdout) for run in runs[1:])
