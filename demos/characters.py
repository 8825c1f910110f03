"""Character by character: a list of names as numbers, a network that says what comes next, and names drawn from it."""

from __future__ import annotations

import argparse
import math
import textwrap
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import tinyrnn
from common import RED
from tinyrnn import Tensor, nn

if TYPE_CHECKING:
    from matplotlib.axes import Axes

END = 0  # the number of the new line, which ends every name
LONGEST = 100  # characters: longer lines are cut

MadeUp = tuple[str, list[tuple[int, Tensor]]]


def read_names(path: Path) -> list[str]:
    """The lines of a list or a text, in lower case, without the empty ones. Raises ValueError if there are none."""
    try:
        lines = path.read_text(encoding="utf-8-sig").lower().split("\n")
    except OSError as problem:
        raise ValueError(f"--data {path}: {problem.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"--data {path}: this is no text in UTF-8") from None
    stripped = filter(None, map(str.strip, lines))
    names = [part for line in stripped for part in (textwrap.wrap(line, LONGEST) if len(line) > LONGEST else [line])]
    if len(names) < 2:
        raise ValueError(f"--data {path}: fewer than 2 lines have something in them")
    return names


class Alphabet:
    """Characters as numbers: 0 the end of a name, 1..V-1 its characters in their order, V the beginning of a name."""

    def __init__(self, names: list[str]) -> None:
        self.characters = ["\n", *sorted(set("".join(names)))]
        self.numbers = {character: number for number, character in enumerate(self.characters)}
        self.size = len(self.characters)  # V: the beginning is read, but never written

    def encode(self, text: str) -> tuple[Tensor, Tensor]:
        """What is read, the beginning and then the text, and the answer to each of these: what comes next."""
        numbers = [self.numbers[character] for character in text]
        return tinyrnn.tensor([self.size, *numbers]), tinyrnn.tensor([*numbers, END])


class Network(nn.Module):
    """Scores of what comes next: characters x (T, N) and a state -> z (T, N, V), and the state after x."""

    def __init__(self, embedding: nn.Embedding, rnn: nn.RNNBase, linear: nn.Linear, dropout: float = 0.0) -> None:
        super().__init__()
        self.embedding, self.rnn, self.linear = embedding, rnn, linear
        self.dropout = nn.Dropout(dropout) if dropout else nn.Identity()

    def forward(
        self, x: Tensor, state: Tensor | None = None, lengths: list[int] | None = None
    ) -> tuple[Tensor, Tensor]:
        y, state = self.rnn(self.embedding(x), state, lengths=lengths)
        return self.linear(self.dropout(y)), state


@contextmanager
def evaluating(net: Network) -> Iterator[None]:
    """Nothing is dropped out, and nothing recorded, in the block."""
    net.eval()
    with tinyrnn.no_grad():
        yield
    net.train()


class Sampler:
    """How names are made up: with which temperature, from how many of the likeliest characters, beginning with what."""

    @staticmethod
    def add_options(parser: argparse.ArgumentParser) -> None:
        add = parser.add_argument
        add("--sample", type=int, default=10, help="how many names to make up at the end (default: %(default)s)")
        add("--temperature", type=float, default=1, help="0 takes the likeliest character (default: %(default)s)")
        add("--top-k", type=int, help="draw from the k likeliest characters alone")
        add("--prime", type=str.lower, default="", help="what the names begin with")

    def __init__(self, args: argparse.Namespace, alphabet: Alphabet) -> None:
        """Raises ValueError for options that cannot be followed."""
        self.temperature, self.top_k, self.prime = args.temperature, args.top_k, args.prime
        for what, number in (("--sample", args.sample), ("--top-k", 1 if args.top_k is None else args.top_k)):
            if number < 1:
                raise ValueError(f"{what} is {number}, expected at least 1")
        if self.temperature != 0 and not 0.01 <= self.temperature <= 100:
            raise ValueError(f"--temperature is {self.temperature}, expected 0 (the likeliest), or 0.01 to 100")
        if strange := sorted(set(self.prime) - set(alphabet.characters[1:])):
            raise ValueError(f"--prime: {strange[0]!r} does not occur in {args.data}")

    def chances(self, z: Tensor) -> Tensor:
        """Probabilities p (V,) from scores z (V,): softmax(z / temperature), of the top_k likeliest alone."""
        z = z.double()
        if self.top_k is not None and self.top_k < len(z):
            z = z.masked_fill(z < z.topk(self.top_k).values[-1], -math.inf)
        if self.temperature == 0:
            return nn.functional.one_hot(z.argmax(), len(z)).double()
        return ((z - z.max()) / self.temperature).softmax(0)

    def sample(self, net: Network, alphabet: Alphabet) -> MadeUp:
        """A name, and its characters behind the prime and its end, each with the p that it was drawn from."""
        name, drawn = self.prime, []
        x, state = alphabet.encode(name)[0], None
        with evaluating(net):
            while len(drawn) < LONGEST:
                z, state = net(x.unsqueeze(1), state)  # first the whole prime, then one character after the other
                p = self.chances(z[-1, 0])
                x = p.multinomial(1)  # what was drawn is the next input
                drawn.append((x.item(), p))
                if x.item() == END:
                    break
                name += alphabet.characters[x.item()]
        return name, drawn


def listed(made_up: Iterable[MadeUp]) -> str:
    return ", ".join(name[:1].upper() + name[1:] or "(nothing)" for name, _ in made_up)


def draw_chances(axes: Axes, alphabet: Alphabet, made_up: MadeUp) -> None:
    """The probabilities that a name was drawn from, a column for each character, in which that one is framed."""
    drawn, drawn_from = zip(*made_up[1][:26], strict=True)
    p = tinyrnn.stack(drawn_from).numpy()
    rows = np.sort(np.argsort(-p.max(0), kind="stable")[:27])  # of a large alphabet those that were likely somewhere
    image = axes.imshow(p.T[rows], cmap="Blues", vmin=0, vmax=1, aspect="auto")
    columns, places = np.nonzero(np.array(drawn)[:, None] == rows)
    axes.plot(columns, places, "s", color=RED, fillstyle="none", markersize=9)
    signs = np.array([{"\n": "end", " ": "␣"}.get(character, character) for character in alphabet.characters])
    axes.set_xticks(range(len(drawn)), signs[list(drawn)])
    axes.set_yticks(range(len(rows)), signs[rows], fontsize=9)
    axes.figure.colorbar(image, label="probability")
