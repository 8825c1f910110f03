"""Two networks read names of dinosaurs, character by character, say each time what comes next, and make up new names.

`python demos/names.py` takes about 10 seconds and draws out/names.png; --help lists the options; --steps counts names.

RNN  the set-up of a well-known exercise: 50 tanh units, plain SGD after every name, every element of the gradient
     clipped to +-5, the state carried from name to name. `--model seed --data LIST` is the exercise itself, on the
     whole list, with its random numbers: from its own list of 1536 names come its published losses, 23.087336 at
     iteration 0 to 23.382339 at 14,000, to the last digit. After that rounding decides.
GRU  64 gated units behind an embedding, 32 names side by side, Adam with a rate that falls to zero, and dropout.

The loss is in bits per character: so many yes-or-no questions the next character still costs. Knowing nothing, it is
log2(27) = 4.75. On a tenth of the names that the network never read, after 20,000 (means of ten seeds):
    2.72  RNN as published; 2.72 also from a state of zero for every name: what the name before left there is no help
    2.60  no network at all, but a table of what follows every three letters (Witten and Bell's smoothing)
    2.51  its tanh cell, trained as the GRU is: the larger part of the way is the training, not the gates
    2.55  GRU without dropout: it learns its list by heart (training 1.68), and at a steady rate it is 2.49
    2.42  GRU; better in each of the ten than the table, and by 0.25 or more than the RNN as published
Clipping acts on one update in a hundred here, and without it the loss is the same: it is there for the day it is not.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

import common
import tinyrnn
from characters import Alphabet, MadeUp, Network, Sampler, draw_chances, evaluating, listed, read_names
from common import BLUE, ORANGE
from tinyrnn import Tensor, nn, optim
from tinyrnn.nn.functional import cross_entropy
from tinyrnn.nn.utils import clip_grad_value_
from tinyrnn.nn.utils.rnn import pad_sequence

DINOSAURS = Path(__file__).parent / "data" / "dinosaurs.txt"
MEASURED, PRINTED = 500, 2000  # so often, in names read
NO_ANSWER = -1


class Learner:
    """A network that is shown one name after the other, with read(name), and its losses in bits per character."""

    def __init__(self, net: Network, alphabet: Alphabet) -> None:
        self.net, self.alphabet = net, alphabet
        self.weights = [p for p in net.parameters() if p.requires_grad]
        self.seen: list[tuple[float, int]] = []  # loss in nats, characters: of each update since it was last measured
        self.curves: dict[str, list[tuple[int, float]]] = {"training": [], "held out": []}  # (names read, loss)

    def loss(self, names: list[str]) -> Tensor:
        """-log p, the mean over all characters of the names, and over their ends."""
        inputs, answers = zip(*map(self.alphabet.encode, names), strict=True)
        x, target = pad_sequence(inputs), pad_sequence(answers, padding_value=NO_ANSWER)  # side by side: (T, N)
        z, _ = self.net(x, lengths=[len(name) + 1 for name in names])
        return cross_entropy(z.flatten(0, 1), target.flatten(), ignore_index=NO_ANSWER)

    def measure(self, done: int, held: list[str]) -> None:
        """Writes down the losses after so many names."""
        if self.seen:
            nats, characters = np.sum(self.seen, 0)
            self.curves["training"].append((done, nats / characters / math.log(2)))
            self.seen.clear()
        if held:
            with evaluating(self.net):
                self.curves["held out"].append((done, self.loss(held).item() / math.log(2)))

    def told(self) -> str:
        losses = [f"{what} {curve[-1][1]:.2f}" for what, curve in self.curves.items() if curve]
        return f"{self.title} {', '.join(losses)} bits per character"


class OneByOne(Learner):
    """The published set-up: a tanh RNN, plain SGD after every name, the state carried from name to name."""

    title, color = "RNN", ORANGE

    def __init__(self, alphabet: Alphabet, seed: int, steps: int) -> None:
        V, H, dtype = alphabet.size, 50, tinyrnn.float64
        one_hot = tinyrnn.cat([tinyrnn.eye(V, dtype=dtype), tinyrnn.zeros(1, V, dtype=dtype)])  # the beginning is zeros
        rnn, linear = nn.RNN(V, H, dtype=dtype), nn.Linear(H, V, dtype=dtype)
        random = np.random.RandomState((1 + seed) % 2**32)  # NumPy's old generator: the published weights
        with tinyrnn.no_grad():
            for bias in (rnn.bias_ih_l0, rnn.bias_hh_l0, linear.bias):
                bias.zero_()
            for weight in (rnn.weight_ih_l0, rnn.weight_hh_l0, linear.weight):
                weight.copy_(tinyrnn.from_numpy(0.01 * random.randn(*weight.shape)))
        rnn.bias_hh_l0.requires_grad_(False)  # the published network has one bias: the second stays 0
        super().__init__(Network(nn.Embedding.from_pretrained(one_hot), rnn, linear), alphabet)
        self.optimizer = optim.SGD(self.weights, lr=0.01)
        self.state: Tensor | None = None
        self.smooth = 7 * math.log(V)  # the loss of a name of seven characters, each as likely as any other

    def read(self, name: str) -> None:
        x, target = self.alphabet.encode(name)
        z, state = self.net(x.unsqueeze(1), self.state)
        self.state = state.detach()  # carried on, but no gradient goes back into the name before: truncated BPTT
        loss = cross_entropy(z.squeeze(1), target, reduction="sum")

        self.optimizer.zero_grad()
        loss.backward()  # back-propagation through time, from the end of the name to its beginning
        clip_grad_value_(self.weights, 5)  # each element for itself
        self.optimizer.step()
        self.smooth = 0.999 * self.smooth + 0.001 * loss.item()
        self.seen.append((loss.item(), len(target)))

    def told(self) -> str:
        return f"smoothed loss {self.smooth:.6f}, {super().told()}"


class InBatches(Learner):
    """A GRU that reads names side by side, each from a state of zero, with dropout, and Adam at a falling rate."""

    title, color, batch_size = "GRU", BLUE, 32

    def __init__(self, alphabet: Alphabet, seed: int, steps: int) -> None:
        V, E, H = alphabet.size, 32, 64
        super().__init__(Network(nn.Embedding(V + 1, E), nn.GRU(E, H), nn.Linear(H, V), dropout=0.4), alphabet)
        self.optimizer = optim.Adam(self.weights, lr=0.01)
        self.schedule = optim.lr_scheduler.CosineAnnealingLR(self.optimizer, max(1, steps // self.batch_size))
        self.batch: list[str] = []

    def read(self, name: str) -> None:
        self.batch.append(name)
        if len(self.batch) < self.batch_size:
            return
        loss = self.loss(self.batch)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.schedule.step()
        characters = sum(len(name) + 1 for name in self.batch)
        self.seen.append((loss.item() * characters, characters))
        self.batch.clear()


LEARNERS = {"seed": [OneByOne], "gru": [InBatches], "both": [OneByOne, InBatches]}


def train(learners: list[Learner], names: list[str], held: list[str], steps: int, sampler: Sampler) -> int:
    """Shows the names to all learners, again and again; how many it were at the end, or at Ctrl-C."""
    done = 0
    with common.progress(steps, "names read") as bar:
        for i in bar:
            for learner in learners:
                learner.read(names[i % len(names)])
            done = i + 1
            for learner in learners:
                if i % MEASURED == 0:
                    learner.measure(done, held)
                if i % PRINTED == 0:
                    some = [sampler.sample(learner.net, learner.alphabet) for _ in range(3)]
                    bar.write(f"iteration {i}, {learner.told()}: {listed(some)}")
    return done


def draw(path: Path, learners: list[Learner], made_up: MadeUp, title: str) -> None:
    """The losses, and the probabilities from which the last learner drew a name: a PNG."""
    with common.drawing(path) as figure:
        figure.suptitle(title)
        losses, grid = figure.subplots(1, 2, width_ratios=(3, 4))
        for learner in learners:
            for (what, curve), width in zip(learner.curves.items(), (1, 3), strict=True):
                if curve:
                    losses.plot(*np.transpose(curve), learner.color, linewidth=width, label=f"{learner.title}, {what}")
        losses.set(xlabel="names read", ylabel="loss (bits per character)")
        losses.legend(frameon=False)

        draw_chances(grid, learners[-1].alphabet, made_up)
        grid.set(xlabel=f"drawn by the {learners[-1].title}, one character after the other")


def main(argv: list[str] | None = None) -> None:
    parser = common.options("Learns to spell names, and makes up new ones.", steps=20000)
    add = parser.add_argument
    add("--data", type=Path, default=DINOSAURS, help="a list, one name a line, or any text (default: dinosaurs)")
    add("--model", choices=LEARNERS, default="both", help="seed: as published, on the whole list; gru; both (default)")
    Sampler.add_options(parser)
    args = common.begin(parser, argv, "names")
    with common.refusing(parser):
        names = read_names(args.data)
        alphabet, known = Alphabet(names), set(names)
        sampler = Sampler(args, alphabet)

    np.random.RandomState(args.seed % 2**32).shuffle(names)
    tenth = 0 if args.model == "seed" else min(200, max(1, len(names) // 10))  # as published nothing is held out
    names, held = names[: len(names) - tenth], names[len(names) - tenth :]
    learners = [kind(alphabet, args.seed, args.steps) for kind in LEARNERS[args.model]]
    done = train(learners, names, held, args.steps, sampler)
    early = common.stopped(parser, done, args.steps)
    for learner in learners:
        learner.measure(done, held)
        print(f"{learner.told()} ({done} names read{early})")
        made_up = [sampler.sample(learner.net, alphabet) for _ in range(args.sample)]
        old = sum(name in known for name, _ in made_up)
        print(f"{learner.title} makes up, {old} of them in the list: {listed(made_up)}")
    if args.picture:
        figures = ", ".join(f"{learner.title} {learner.curves['held out'][-1][1]:.2f}" for learner in learners if held)
        title = f"Bits per character of names never read: {figures}" if held else learners[0].told()
        draw(args.picture, learners, made_up[0], title)


if __name__ == "__main__":
    main()
