"""Where the numbers come from: the processor, and the libraries with the kernels that they run on."""

from __future__ import annotations

import ctypes
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

# The names that OpenBLAS has for its sets of kernels, of x86 processors alone.
WITH_AVX512 = {"skylakex", "cooperlake", "sapphirerapids"}
WITH_AVX2 = {"haswell", "zen", "excavator"}


def processor() -> dict[str, Any]:
    """The model, the cores that this process may use, and whether there is AVX-512."""
    model, flags = platform.processor() or platform.machine(), set()
    if Path("/proc/cpuinfo").is_file():
        lines = [line.split(":", 1) for line in Path("/proc/cpuinfo").read_text().splitlines() if ":" in line]
        facts = {key.strip(): value.strip() for key, value in lines}
        model, flags = facts.get("model name", model), set(facts.get("flags", "").split())
        if "cpu family" in facts:
            model += f" (family {facts['cpu family']}, model {facts.get('model', '?')})"
    elif sys.platform == "darwin":
        found = subprocess.run(
            ["sysctl", "-n", "machdep.cpu.brand_string"], capture_output=True, text=True, check=False
        )
        model = found.stdout.strip() or model
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {"model": model, "cores": cores, "system": platform.system(), "avx512": "avx512f" in flags}


def openblas_files() -> Iterator[Path]:
    """The files that may be NumPy's OpenBLAS: those loaded into this process, those beside NumPy."""
    if (maps := Path("/proc/self/maps")).is_file():
        yield from {Path(line.split()[-1]) for line in maps.read_text().splitlines() if "openblas" in line}
    home = Path(np.__file__).parent
    for folder in (home.parent / "numpy.libs", home / ".dylibs"):
        yield from sorted(folder.glob("*openblas*"))


def ask_openblas(what: str, answer: Any) -> Any:
    """What OpenBLAS says of itself, openblas_get_...; None where NumPy has another BLAS, or none of the names fits."""
    for path in openblas_files():
        try:
            blas = ctypes.CDLL(str(path))
        except OSError:
            continue
        for name in (f"{prefix}openblas_get_{what}{suffix}" for prefix in ("scipy_", "") for suffix in ("64_", "")):
            if hasattr(blas, name):
                function = getattr(blas, name)
                function.restype = answer
                said = function()
                return said.decode() if isinstance(said, bytes) else said
    return None


def blas() -> dict[str, Any]:
    """NumPy's BLAS: its name and version, and of OpenBLAS the kernels that it chose and its threads."""
    built = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    kernels, threads = ask_openblas("corename", ctypes.c_char_p), ask_openblas("num_threads", ctypes.c_int)
    return {"name": built["name"], "version": built.get("version", ""), "kernels": kernels, "threads": threads}


def library(name: str, module: Any) -> dict[str, Any]:
    """The version of a library, and what it runs on."""
    facts = {"version": module.__version__}
    if name == "torch":
        facts |= {"threads": module.get_num_threads(), "kernels": module.backends.cpu.get_cpu_capability()}
    elif name == "jax":
        facts |= {"devices": ", ".join(map(str, module.devices()))}
    else:
        facts |= {"numpy": np.__version__, "blas": blas()}
    return facts


def avx512_left_unused(avx512: bool, kernels: str | None) -> bool:
    """Whether the processor has AVX-512 and OpenBLAS runs its AVX2 kernels."""
    return avx512 and (kernels or "").lower() in WITH_AVX2


def hint(avx512: bool, kernels: str | None) -> str | None:
    """What to set where AVX-512 is left unused."""
    if not avx512_left_unused(avx512, kernels):
        return None
    return (
        f"NumPy's OpenBLAS runs its AVX2 kernels ({kernels}) here, and this processor has AVX-512: set "
        "OPENBLAS_CORETYPE=SkylakeX before NumPy is loaded, and large products may take half the time"
    )


def headline(facts: dict[str, Any]) -> list[str]:
    """The lines that stand above the table."""
    cpu, ours = facts["processor"], facts["libraries"]["tinyrnn"]
    run = ours["blas"]
    kernels = run["kernels"] or "kernels unknown (it is no OpenBLAS that says)"
    threads = "threads unknown" if run["threads"] is None else f"{run['threads']} threads"
    lines = [
        f"{cpu['model']}, {cpu['cores']} cores, {'with' if cpu['avx512'] else 'without'} AVX-512; {cpu['system']}; "
        f"Python {facts['python']}",
        f"tinyrnn {ours['version']} on NumPy {ours['numpy']}, {run['name']} {run['version']}: {kernels}, {threads}",
    ]
    torch, jax = facts["libraries"].get("torch"), facts["libraries"].get("jax")
    if torch:
        lines.append(f"torch {torch['version']}: {torch['kernels']}, {torch['threads']} threads")
    else:
        lines.append("without torch (not installed, or left out): our times stand without ratios to it")
    if jax:
        lines.append(f"JAX {jax['version']} on {jax['devices']}, jit compiled; the ratios are to torch")
    advice = hint(cpu["avx512"], run["kernels"])
    return [*lines, advice] if advice else lines


def facts() -> dict[str, Any]:
    """The machine, for the JSON, before there is work: what "libraries" there are their processes say themselves."""
    return {"processor": processor(), "python": platform.python_version(), "libraries": {}}


class Others:
    """What other programs have of the processor while ours work: they make both slower, and not in the same measure."""

    def __init__(self, processes: Sequence[int]) -> None:
        self.processes, self.start = processes, time.perf_counter()
        self.before = self.had()

    def had(self) -> float | None:
        """Seconds of processor time that others than these processes have had; None where there is no /proc."""
        if not Path("/proc/stat").is_file():
            return None
        user, nice, system, _, _, *rest = map(int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9])
        ours = 0
        for process in self.processes:  # behind the name, which stands in brackets: fields 3 and on
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
            ours += int(fields[11]) + int(fields[12])
        return (user + nice + system + sum(rest) - ours) / os.sysconf("SC_CLK_TCK")

    def cores(self) -> float | None:
        """How many cores others had since this was made, in the mean."""
        now = self.had()
        if now is None or self.before is None:
            return None
        return max(0.0, (now - self.before) / (time.perf_counter() - self.start))
