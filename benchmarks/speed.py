"""How fast tinyrnn is on this machine, beside torch, JAX and plain NumPy where they are installed: one command.

    python benchmarks/speed.py               a table in under two minutes; --full times more cases, longer
    python benchmarks/speed.py --only LSTM   the rows whose line, name and dtype together match the pattern
    python benchmarks/speed.py --json speed.json --plot speed.png

The ratio is the peer's time over tinyrnn's: above 1 tinyrnn is faster; "to reach" is what we want. "Over the floor"
is tinyrnn's time over what its matrix products and its other NumPy calls, each at the cost of the smallest, take alone.

Each library works in a process of its own, with as many threads as it takes by itself (--threads N: with N). First both
compute the same steps from the same weights, and the command ends if they do not find the same numbers. Then they take
turns, and the fastest step of all turns counts: everything else on a machine only makes a step slower.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import machine
import picture
import report
import scaling
import turns
from cases import CASES, Case

LIBRARIES = ("tinyrnn", "torch", "jax")
QUICK, FULL = (3, 0.1), (6, 0.4)  # turns, and seconds of each


def bar(items: list[Any], what: str) -> Iterable[Any]:
    """A progress bar around the items, where there is a terminal, and tqdm."""
    try:
        from tqdm import tqdm
    except ImportError:
        return items
    return tqdm(items, what, disable=None, leave=False)


def chosen(only: str, full: bool) -> list[tuple[Case, str]]:
    """The cases and dtypes that are wanted."""
    pairs = [(case, dtype) for case in CASES for dtype in case.dtypes if full or not case.full]
    return [(case, dtype) for case, dtype in pairs if wanted(only, f"{case.line}: {case.name}, {dtype}")]


def wanted(only: str, what: str) -> bool:
    """Whether the pattern of --only is in the words, in capitals or not."""
    return re.search(only, what, re.IGNORECASE) is not None


def call_counts() -> dict[str, list[int]]:
    """How many NumPy calls each layer makes, and how many of them are products: counted in a process of its own."""
    command = [sys.executable, str(turns.HERE / "floor.py")]
    run = subprocess.run(command, env=turns.environment(1), stdout=subprocess.PIPE, text=True, check=True)
    counts: dict[str, list[int]] = json.loads(run.stdout)
    return counts


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """All that is wanted: the machine, the rows, and what stands below them."""
    count, seconds = FULL if options.full else QUICK
    pairs = chosen(options.only, options.full)
    facts = machine.facts()
    counts = call_counts() if any(case.layer for case, _ in pairs) else {}
    unused = machine.avx512_left_unused(facts["processor"]["avx512"], machine.blas()["kernels"])
    with turns.processes(options.threads or 0, unused, options.without) as running:
        ours = running["tinyrnn"]
        facts["libraries"] = {name: running[name].ask("versions") for name in LIBRARIES if name in running}
        result: dict[str, Any] = {"facts": facts, "rows": [], "call": None}
        print(*machine.headline(result["facts"]), "", sep="\n", flush=True)
        if counts:
            result["call"] = ours.ask("small_call")
        try:
            for case, dtype in bar(pairs, "rows"):
                race = turns.race(case, dtype, running, count, seconds)
                floor = calls = None
                if case.layer:
                    calls, products = counts[case.name]
                    floor = race["products"] + (calls - products) * result["call"]
                result["rows"] += report.rows(case, dtype, race, floor, calls)
            if wanted(options.only, "import"):
                names = [name for name in LIBRARIES[:2] if name in running]
                result["import"] = {name: turns.import_seconds(name, 9 if name == "tinyrnn" else 2) for name in names}
            if wanted(options.only, "scaling"):
                lengths = scaling.FULL if options.full else scaling.QUICK
                result["scaling"] = [ours.ask("scale", T) for T in bar([*lengths], "time steps")]
            if wanted(options.only, "memory"):
                result["memory"] = ours.ask("memory")
        except KeyboardInterrupt:
            print("stopped: what has been measured so far", file=sys.stderr)
            result["stopped"] = True
    return result


def pattern(text: str) -> str:
    """The text, if it is a regular expression."""
    try:
        re.compile(text)
    except re.error as problem:
        raise argparse.ArgumentTypeError(f"{text!r} is no regular expression: {problem}") from None
    return text


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = made.add_argument
    add("--full", action="store_true", help="more cases, more and longer turns: about ten minutes")
    add(
        "--only",
        type=pattern,
        default="",
        metavar="PATTERN",
        help="a regular expression; import, scaling, memory too",
    )
    add("--threads", type=int, help="for every library (default: what each takes by itself)")
    add("--without", nargs="*", default=[], choices=["torch", "jax"], help="leave a library out")
    add("--json", type=Path, metavar="FILE", help="write all that was measured")
    add("--plot", type=Path, metavar="FILE", help="draw a PNG (needs matplotlib)")
    add("--load", type=Path, metavar="FILE", help="measure nothing: tell what such a JSON file holds")
    return made


def refuse(options: argparse.Namespace) -> None:
    """Ends the program where something cannot be done: better heard of before the measuring than after it."""
    if options.threads is not None and options.threads < 1:
        parser().error(f"--threads is {options.threads}, expected at least 1")
    others = [part for part in ("import", "scaling", "memory") if wanted(options.only, part)]
    if not (options.load or others or chosen(options.only, options.full)):
        parser().error(f"--only {options.only!r}: no row has that" + " (--full has more)" * (not options.full))
    for name, path in (("--json", options.json), ("--plot", options.plot)):
        if path and not path.resolve().parent.is_dir():
            parser().error(f"{name} {path}: there is no folder {path.resolve().parent}")
    if options.plot and not importlib.util.find_spec("matplotlib"):
        parser().error("--plot: matplotlib is not installed: pip install -e '.[demos]'")
    if options.load and not options.load.is_file():
        parser().error(f"--load {options.load}: there is no such file")
    if options.load:
        try:
            json.loads(options.load.read_text())["facts"]
        except (ValueError, LookupError, TypeError):
            parser().error(f"--load {options.load}: this is no file that --json has written")


def main(argv: list[str] | None = None) -> None:
    options = parser().parse_args(argv)
    refuse(options)
    if options.load:
        result = json.loads(options.load.read_text())
        print(*machine.headline(result["facts"]), "", sep="\n")
    else:
        result = measure(options)
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")
    if result["rows"]:
        print(report.table(result["rows"]))
    print("", *report.below(result), sep="\n")
    if options.plot and not any(row["ratio"] for row in result["rows"]) and "scaling" not in result:
        print("no picture: there is no peer to draw a ratio to")
    elif options.plot:
        picture.draw(options.plot, result, machine.headline(result["facts"])[0])
        print(f"picture: {options.plot}")
    if result.get("stopped"):
        sys.exit(130)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("stopped: nothing has been measured yet")
