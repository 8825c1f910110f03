"""An encoder reads a word and a decoder answers with another, letter by letter: man -> women, king -> queen.

`python demos/seq2seq.py` takes two seconds and draws out/seq2seq.png; --help lists the options.

First a smaller network, which answers each letter at once: hello -> ohlol. That takes a memory, for the first l is to
become an l and the second an o. Then the encoder-decoder, as an answer may be longer than its question, and may begin
with what depends on the end of it. The encoder's last state is the decoder's first, and all that this gets to know. In
training it reads the right letter before each that it is to say, whatever it would have said itself (teacher forcing);
later it reads what it said last, the likeliest letter (greedy decoding). Dropout takes whole letters out of the words
that are read, so that no answer hangs on a single one.

What to look at. Each column of the picture is a step, and beneath it stands what the network reads there. The last
panel shows the misspelt word at which it is least sure: it wavers at the first letters, and then says the rest firmly,
right or wrong. What was said cannot be taken back.

What was found. In ten seeds (and in 40) all six words are right, and mans, which it never read, is answered as man is.
1. Of the 1278 words that are one letter away from the six, 94 to 98 % are understood; without dropout 86 to 92 %.
2. All six are right from step 50 to 94 on; without teacher forcing from 72 to 105, and each step takes twice as long.
3. Why mans is right: words are filled up with dots to one length, and its s only takes the place of a dot. If each word
   is read to its last letter and no further, that counts most, and mans is right in 1 of 10 seeds.
4. A plain RNN would have to carry the word past the dots: it gets all six in 5 of 10 seeds, and misspelt words worse.
"""

from __future__ import annotations

import string
from collections.abc import Iterable
from pathlib import Path

import numpy as np

import common
import tinyrnn
from common import BLACK
from tinyrnn import Tensor, nn, optim

PAIRS = {"man": "women", "black": "white", "king": "queen", "girl": "boy", "up": "down", "high": "low"}
LETTERS = string.ascii_lowercase + "."  # . is no letter: before a word and behind it
WIDTH = 7  # steps that each word takes, with at least one . behind it


def codes(words: Iterable[str], width: int = WIDTH) -> Tensor:
    """The numbers of the letters, filled up with . : (width, words)."""
    return tinyrnn.tensor([[LETTERS.index(letter) for letter in word.ljust(width, ".")] for word in words]).T


def one_hot(letters: Tensor) -> Tensor:
    """A 1 at the place of each letter: (T, N) -> (T, N, 27)."""
    return nn.functional.one_hot(letters, len(LETTERS)).float()


class Reader(nn.Module):
    """Says a letter for each letter that it reads: (T, N) -> logits (T, N, 27)."""

    def __init__(self, hidden_size: int = 16) -> None:
        super().__init__()
        self.rnn, self.linear = nn.RNN(len(LETTERS), hidden_size), nn.Linear(hidden_size, len(LETTERS))

    def forward(self, letters: Tensor) -> Tensor:
        return self.linear(self.rnn(one_hot(letters))[0])


class Seq2Seq(nn.Module):
    """Reads a word to its end, and only then writes another: (WIDTH, N) -> logits (WIDTH, N, 27)."""

    def __init__(self, cell: str, hidden_size: int, dropout: float) -> None:
        super().__init__()
        layer = getattr(nn, cell)
        self.dropout = nn.Dropout(dropout)
        self.encoder, self.decoder = layer(len(LETTERS), hidden_size), layer(len(LETTERS), hidden_size)
        self.linear = nn.Linear(hidden_size, len(LETTERS))

    def forward(self, words: Tensor, answers: Tensor | None = None) -> Tensor:
        _, h = self.encoder(self.dropout(one_hot(words)))  # the last state is all that the decoder gets to know
        letter = tinyrnn.full_like(words[:1], LETTERS.index("."))
        if answers is not None:  # teacher forcing: before each letter it reads the right one
            y, _ = self.decoder(one_hot(tinyrnn.cat([letter, answers[:-1]])), h)
            return self.linear(y)
        logits = []
        for _ in range(WIDTH):  # greedy decoding: it reads the likeliest letter, and does not come back to it
            y, h = self.decoder(one_hot(letter), h)
            logits.append(self.linear(y))
            letter = logits[-1].argmax(dim=2)
        return tinyrnn.cat(logits)


def train(net: nn.Module, given: tuple[Tensor, ...], target: Tensor, steps: int, lr: float, what: str) -> list[float]:
    """Teaches the network to say target when it is given the rest; the loss of each step."""
    optimizer = optim.Adam(net.parameters(), lr)
    losses = []
    with common.progress(steps, what) as bar:
        for _ in bar:
            loss = nn.functional.cross_entropy(net(*given).flatten(0, 1), target.flatten())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return losses


@tinyrnn.no_grad()
def say(net: nn.Module, letters: Tensor) -> tuple[list[str], np.ndarray]:
    """What the network says to each word, up to the first . , and all probabilities: (N, T, 27)."""
    p = net.eval()(letters).softmax(dim=2).transpose(0, 1).numpy()
    return ["".join(LETTERS[i] for i in row).split(".")[0] for row in p.argmax(axis=2)], p


def misspelt(word: str) -> set[str]:
    """All that has one letter more, one less, or another one."""
    cuts = [(word[:i], word[i:]) for i in range(len(word) + 1)]
    return {a + new + b[gone:] for a, b in cuts for new in ["", *LETTERS[:-1]] for gone in (0, 1)} - {word}


def draw(path: Path, said: list[tuple[str, str, np.ndarray]], title: str) -> None:
    """For each word the probability of each letter at each step, (word, answer, (T, 27)): a PNG."""
    shown = [i for i in range(len(LETTERS)) if max(p[:, i].max() for _, _, p in said) > 0.03]  # < 1/27
    with common.drawing(path) as figure:
        figure.suptitle(title)
        steps = [min(len(answer) + 1, len(p)) for _, answer, p in said]  # to the first . and no further
        panels = figure.subplots(1, len(said), sharey=True, width_ratios=steps)
        for panel, (word, answer, p), T in zip(panels, said, steps, strict=True):
            image = panel.imshow(p[:T, shown].T, cmap="Blues", vmin=0, vmax=1, aspect="auto")
            for t, i in enumerate(p[:T].argmax(axis=1)):
                color = "white" if p[t, i] > 0.5 else BLACK
                panel.text(t, shown.index(i), LETTERS[i], ha="center", va="center", color=color)
            read = word if len(word) == len(p) else f".{answer}"  # hello is answered as it is read
            panel.set(title=f"{word}\n→ {answer}", xticks=range(T), xticklabels=read[:T])
            panel.set_yticks(range(len(shown)), [LETTERS[i] for i in shown])
        panels[0].set(ylabel="letter that it says")
        figure.supxlabel("letter that it reads at each step")
        figure.colorbar(image, ax=panels, label="probability")


def main(argv: list[str] | None = None) -> None:
    parser = common.options("Learns to answer words with words, letter by letter.", steps=300)
    parser.add_argument("--cell", choices=("RNN", "GRU"), default="GRU", help="of both (default: %(default)s)")
    parser.add_argument("--hidden", type=int, default=64, help="size of their state (default: %(default)s)")
    parser.add_argument("--dropout", type=float, default=0.3, help="of the letters read (default: %(default)s)")
    parser.add_argument("--unforced", action="store_true", help="train without teacher forcing")
    parser.add_argument("--words", nargs="+", default=["man", "mans", "king", "black", "up"], help="to be answered")
    args = common.begin(parser, argv, "seq2seq")
    with common.refusing(parser):
        for word in args.words:
            if not (set(word) <= set(LETTERS[:-1]) and 0 < len(word) < WIDTH):
                raise ValueError(f"--words: {word!r} is not of 1 to {WIDTH - 1} letters a to z")
        net = Seq2Seq(args.cell, args.hidden, args.dropout)

    reader, hello, ohlol = Reader(), codes(["hello"], 5), codes(["ohlol"], 5)
    common.stopped(parser, len(train(reader, (hello,), ohlol, 100, 0.02, "hello")), 100)
    drawn = [*zip(["hello"], *say(reader, hello), strict=True)]

    words, answers = codes(PAIRS), codes(PAIRS.values())
    losses = train(net, (words,) if args.unforced else (words, answers), answers, args.steps, 0.01, "words")
    early = common.stopped(parser, len(losses), args.steps)
    drawn += zip(args.words, *say(net, codes(args.words)), strict=True)
    right = sum(a == b for a, b in zip(say(net, words)[0], PAIRS.values(), strict=True))
    wrong = [(bad, PAIRS[word]) for word in PAIRS for bad in sorted(misspelt(word) - {*PAIRS, ""})]
    guesses, p = say(net, codes(bad for bad, _ in wrong))
    share = np.mean([guess == answer for guess, (_, answer) in zip(guesses, wrong, strict=True)])
    doubt = p.max(axis=2).prod(axis=1).argmin()  # where it is least sure of what it says
    drawn.append((wrong[doubt][0], guesses[doubt], p[doubt]))
    for word, answer, p in drawn:
        print(f"{word} -> {answer} (probability {p.max(axis=1).prod():.3f})")
    result = f"{right} of {len(PAIRS)} words right, and {share:.1%} of {len(wrong)} with one letter wrong"
    print(f"{result} (step {len(losses)}{early}, loss {np.mean(losses[-20:]):.1e})")
    if args.picture:
        draw(args.picture, [*drawn[:-1][:6], drawn[-1]], result)


if __name__ == "__main__":
    main()
