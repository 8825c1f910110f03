"""What the demos share: their options, a progress bar that Ctrl-C ends well, and the look of the pictures."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm import tqdm

import tinyrnn

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colours: all eyes can tell them apart.
BLACK, GREY, ORANGE, BLUE = "#222222", "#BBBBBB", "#E69F00", "#0072B2"
GREEN, RED, PURPLE, SKY = "#009E73", "#D55E00", "#CC79A7", "#56B4E9"


def options(description: str, steps: int | None = None) -> argparse.ArgumentParser:
    """A parser of --steps (if the demo trains), --seed, --out and --no-plot; a demo adds its own."""
    parser = argparse.ArgumentParser(description=description, usage=argparse.SUPPRESS)
    if steps is not None:
        parser.add_argument(
            "--steps", type=int, default=steps, help="of training, or until Ctrl-C (default: %(default)s)"
        )
    parser.add_argument("--seed", type=int, default=0, help="of all that is random (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder for the picture (default: %(default)s)")
    parser.add_argument("--no-plot", action="store_true", help="draw no picture")
    return parser


def begin(parser: argparse.ArgumentParser, argv: Sequence[str] | None, name: str) -> argparse.Namespace:
    """Reads the options and sets the seed; args.picture is the picture's path, or None.

    What cannot be done is better heard of before the training: one line on stderr, and exit status 2.
    """
    args = parser.parse_args(argv)
    args.picture = None if args.no_plot else args.out / f"{name}.png"
    with refusing(parser):
        if getattr(args, "steps", 1) < 1:
            raise ValueError(f"--steps is {args.steps}, expected at least 1")
        tinyrnn.manual_seed(args.seed)
    if args.picture:
        try:
            import matplotlib  # noqa: F401

            args.out.mkdir(parents=True, exist_ok=True)
            with args.picture.open("ab") if args.picture.exists() else tempfile.TemporaryFile(dir=args.out):
                pass
        except ImportError:
            parser.error("matplotlib is not installed: pip install -e '.[demos]', or --no-plot")
        except OSError as problem:
            parser.error(f"--out {args.out}: no picture can be written there: {problem.strerror}")
    return args


@contextmanager
def refusing(parser: argparse.ArgumentParser) -> Iterator[None]:
    """Says in one line what was refused, with exit status 2."""
    try:
        yield
    except (ValueError, MemoryError) as problem:
        parser.error(str(problem))


@contextmanager
def progress(steps: int, what: str = "training") -> Iterator[Any]:
    """A bar to loop over, where there is a terminal. Ctrl-C leaves the block, with what was learned so far."""
    with tqdm(range(steps), what, disable=None) as bar, suppress(KeyboardInterrupt):
        yield bar


def stopped(parser: argparse.ArgumentParser, done: int, steps: int) -> str:
    """What to add to the figures of a run that ended early; ends the program if there is nothing to show."""
    if not done:
        parser.exit(130, "stopped before the first step was done\n")
    return "" if done == steps else f", stopped before {steps}"


@contextmanager
def drawing(path: Path, size: tuple[float, float] = (11, 4.8)) -> Iterator[Figure]:
    """A figure to draw on, saved at the end as a PNG of 100 dots an inch, with its path printed."""
    import matplotlib
    from matplotlib.figure import Figure  # a Figure without pyplot needs no screen

    with matplotlib.rc_context({"font.size": 12, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=size, dpi=100, layout="constrained")
        yield figure
        figure.savefig(path)
    print(f"picture: {path}")


def draw_losses(axes: Axes, losses: Sequence[float], what: str, color: str = BLUE) -> None:
    """The loss of each step, and its running mean, on a logarithmic scale."""
    span, steps = min(100, len(losses)), np.arange(1, len(losses) + 1)
    smooth = np.convolve(losses, np.full(span, 1 / span), "valid")
    axes.semilogy(steps, losses, color=color, alpha=0.3, linewidth=0.8, label="each step")
    axes.semilogy(steps[span - 1 :], smooth, color=color, linewidth=2, label=f"mean of {span} steps")
    axes.set(xlabel="training step", ylabel=what)
    axes.legend(frameon=False)
