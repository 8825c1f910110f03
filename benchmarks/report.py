"""The table, each ratio to a peer beside the one to reach, and the sentences below it."""

from __future__ import annotations

from typing import Any

from cases import BATCHED, Case
from scaling import exponent, per_step

Row = dict[str, Any]
COLUMNS = ("work", "dtype", "tinyrnn", "peer", "ratio", "to reach", "over the floor")
IMPORT_GOAL, MEMORY_GOAL = 0.040, 1.3
SPREAD, OTHERS = 1.3, 0.1  # turns that differ by more, or while others had more cores, are marked


def rows(case: Case, dtype: str, race: dict[str, Any], floor: float | None, calls: int | None) -> list[Row]:
    """The rows of a case in one dtype: one, or two where tinyrnn was timed on AVX-512 kernels as well.

    The goal of the batched LSTM holds on these, where the processor has them; else every goal holds for the first row.
    """
    times = race["seconds"]
    peer = next((name for name in case.everyone if name != "tinyrnn"), "")
    moved = "avx512" in times and case.line == BATCHED
    made = []
    for ours in ("tinyrnn", "avx512"):
        if ours not in times:
            continue
        goal = case.targets.get(dtype) if moved == (ours == "avx512") else None
        theirs, first = times.get(peer), ours == "tinyrnn"
        made.append(
            {
                "line": case.line,
                "case": case.name + ("" if first else ", AVX-512 kernels"),
                "dtype": dtype,
                "ours": times[ours],
                "peer": peer,
                "theirs": theirs,
                "ratio": theirs and theirs / times[ours],
                "goal": goal,
                "floor": floor if first else None,
                "calls": calls if first else None,
                "jax": times.get("jax"),
                "compiling": race["compiling"],
                "others": race["others"],
                "noisy": race["spread"] > SPREAD or (race["others"] or 0) > OTHERS,
            }
        )
    return made


def duration(seconds: float | None) -> str:
    """Three digits: 87.1 us, 3.21 ms, 1.04 s."""
    if seconds is None:
        return "-"
    size, unit = next((pair for pair in ((1, "s"), (1e-3, "ms")) if seconds >= pair[0]), (1e-6, "us"))
    value = seconds / size
    return f"{value:.{2 if value < 9.995 else 1 if value < 99.95 else 0}f} {unit}"


def amount(count: float) -> str:
    """Bytes, in three digits."""
    size, unit = next((pair for pair in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")) if count >= pair[0]), (1, "bytes"))
    return f"{count / size:.3g} {unit}"


def missed(row: Row) -> bool:
    """Whether the ratio is below the one to reach."""
    return row["goal"] is not None and row["ratio"] is not None and row["ratio"] < row["goal"]


def cells(row: Row, with_jax: bool) -> list[str]:
    """What stands in the columns."""
    theirs = duration(row["theirs"]) + ("" if row["peer"] == "torch" or row["theirs"] is None else f" ({row['peer']})")
    ratio = "-" if row["ratio"] is None else f"{'~' if row['noisy'] else ''}{row['ratio']:.2f}"
    goal = "" if row["goal"] is None else f"{row['goal']:g}" + (" MISSED" if missed(row) else "")
    above = "" if row["floor"] is None else f"{row['ours'] / row['floor']:.2f} ({row['calls']} calls)"
    found = [row["case"], row["dtype"], duration(row["ours"]), theirs, ratio, goal, above]
    if with_jax:
        found.append("" if row["jax"] is None else f"{duration(row['jax'])} ({row['compiling']:.1f} s)")
    return found


def table(made: list[Row]) -> str:
    """All rows, as a table of Markdown that can be read as it is."""
    with_jax = any(row["jax"] is not None for row in made)
    head = [*COLUMNS, "JAX (compiling)"] if with_jax else [*COLUMNS]
    body = [head, *(cells(row, with_jax) for row in made)]
    widths = [max(len(line[k]) for line in body) for k in range(len(head))]
    left = {0, 1, 5, 6}  # these columns are words

    def line(texts: list[str]) -> str:
        padded = [f"{t:<{w}}" if k in left else f"{t:>{w}}" for k, (t, w) in enumerate(zip(texts, widths, strict=True))]
        return "| " + " | ".join(padded) + " |"

    rule = "".join("|" + "-" * (w + 1) + ("-" if k in left else ":") for k, w in enumerate(widths)) + "|"
    return "\n".join([line(head), rule, *map(line, body[1:])])


def below(result: dict[str, Any]) -> list[str]:
    """The sentences under the table."""
    said = []
    judged = [row for row in result["rows"] if row["goal"] is not None and row["ratio"] is not None]
    if judged:
        said.append(f"{sum(not missed(row) for row in judged)} of {len(judged)} ratios reached")
    if any(row["noisy"] for row in result["rows"]):
        cores = max((row["others"] or 0 for row in result["rows"]), default=0)
        said.append(
            f"~ not to be trusted: turns differ by more than {SPREAD}, or other programs were at work (on {cores:.1f} "
            "cores at most)"
        )
    if result.get("call") is not None:
        said.append(
            "the floor: the layer's matrix products alone, and its other NumPy calls, by count, at "
            f"{result['call'] * 1e6:.2f} us, the cost of the smallest"
        )
    if "import" in result:
        times = result["import"]
        torch = f"; import torch {times['torch'] * 1e3:.0f} ms" if "torch" in times else ""
        word = "reached" if times["tinyrnn"] <= IMPORT_GOAL else "MISSED"
        said.append(
            f"import tinyrnn adds {times['tinyrnn'] * 1e3:.1f} ms to NumPy's import "
            f"(at most {IMPORT_GOAL * 1e3:.0f}: {word}){torch}"
        )
    if points := result.get("scaling"):
        said.append(
            f"RNN 1 to 16 over T = {points[0]['T']:,} to {points[-1]['T']:,} steps, forward and backward: "
            f"time as T^{exponent(points, 'seconds'):.3f}, {per_step(points, 'seconds') * 1e6:.2f} us a step; "
            f"memory as T^{exponent(points, 'bytes'):.3f}, {per_step(points, 'bytes'):.0f} bytes a step"
        )
    if steps := result.get("memory"):
        T, N, I, H = steps[0]["shape"]
        peaks = ", ".join(f"{row['kind']} {row['bytes'] / row['kept']:.2f} ({amount(row['bytes'])})" for row in steps)
        word = "reached" if all(row["bytes"] <= MEMORY_GOAL * row["kept"] for row in steps) else "MISSED"
        said.append(
            f"a training step's peak of memory (T {T}, batch {N}, {I} to {H}) over the bytes that backward needs: "
            f"{peaks} (at most {MEMORY_GOAL}: {word}); a forward under no_grad keeps "
            f"{amount(max(row['held'] for row in steps))} beyond its results"
        )
    return said
