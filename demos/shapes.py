"""A tour of shapes: what each recurrent network takes and gives, and where its last states are.

`python demos/shapes.py` takes a second and draws out/shapes.png; --help lists the options.

T steps, N sequences in a batch, I numbers at each step, H units; all differ, so that a shape's numbers say what they
count. What to look at, row by row:

- output has the top layer's state at each step, h_n each layer's state after the last step; an LSTM's c is in c_n only.
- batch_first turns x and output. It does not turn h_n, whose batch stays in the middle.
- Two directions: output has 2 H numbers, the forward ones first. The backward direction ends at t = 0, so its last
  state is output[0, :, H:]; output[-1, :, H:] has seen one step. Layer l, direction d of h_n: h_n[2 * l + d].
- Lengths that differ: of a packed batch, h_n has each sequence's state after its own last step. output[-1] has not.
- A cell makes one step. The loop over time is yours, the states are (N, H), a second layer is a second cell.

The last column is measured: the largest difference between two such sides is printed below the table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import common
import tinyrnn
from common import BLACK, BLUE, GREEN, ORANGE, PURPLE, RED
from tinyrnn import Tensor, nn
from tinyrnn.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HEADER = ("network", "x", "output", "last states", "the same numbers")
WIDTHS = (30, 15, 15, 24, 35)  # of the columns, in characters
NOTES = """Two layers, two directions.
Filled: the last states, in h_n at
h_n[2 * layer + direction].
output[t]: column t of layer 1,
forward, then backward: 2 H."""


class Row(NamedTuple):
    """Of the table: a network, what it takes and gives, its last states, what is the same, and both sides of that."""

    network: str
    x: Tensor
    output: Tensor
    names: str
    state: Tensor  # h; an LSTM's c has the same shape
    same: str
    sides: tuple[Tensor, Tensor]

    def texts(self) -> tuple[str, ...]:
        """The row as it is printed; one without a network is a second line of the one above."""
        if not self.network:
            return "", "", "", "", self.same
        x, output, state = (str(tuple(tensor.shape)) for tensor in (self.x, self.output, self.state))
        return self.network, x, output, f"{self.names} {state}", self.same


def layers(T: int, N: int, I: int, H: int) -> Iterator[Row]:
    """The networks that read a whole sequence in one call."""
    x = tinyrnn.randn(T, N, I)

    output, h_n = nn.RNN(I, H)(x)
    yield Row("RNN", x, output, "h_n", h_n, "h_n[0] = output[-1]", (h_n[0], output[-1]))

    output, h_n = nn.RNN(I, H, num_layers=4)(x)
    yield Row("RNN, 4 layers", x, output, "h_n", h_n, "h_n[-1] = output[-1]", (h_n[-1], output[-1]))

    output, h_n = nn.GRU(I, H, num_layers=4)(x)
    yield Row("GRU, 4 layers", x, output, "h_n", h_n, "h_n[-1] = output[-1]", (h_n[-1], output[-1]))

    output, (h_n, c_n) = nn.LSTM(I, H, num_layers=4)(x)
    assert c_n.shape == h_n.shape  # output has the h of each step, but not its c
    yield Row("LSTM, 4 layers", x, output, "h_n, c_n", h_n, "h_n[-1] = output[-1]", (h_n[-1], output[-1]))

    turned = x.transpose(0, 1)
    output, h_n = nn.RNN(I, H, batch_first=True)(turned)
    yield Row("RNN, batch_first", turned, output, "h_n", h_n, "h_n[0] = output[:, -1]", (h_n[0], output[:, -1]))

    single = x[:, 0]
    output, h_n = nn.RNN(I, H)(single)
    yield Row("RNN, one sequence, no batch", single, output, "h_n", h_n, "h_n[0] = output[-1]", (h_n[0], output[-1]))

    output, h_n = nn.RNN(I, H, num_layers=2, bidirectional=True)(x)
    forward, backward = output[-1, :, :H], output[0, :, H:]
    yield Row("RNN, 2 layers, bidirectional", x, output, "h_n", h_n, "h_n[2] = output[-1, :, :H]", (h_n[2], forward))
    yield Row("", x, output, "h_n", h_n, "h_n[3] = output[0, :, H:]", (h_n[3], backward))

    lengths = tinyrnn.tensor([max(1, T - 3 * n) for n in range(N)])  # the longest first
    packed = pack_padded_sequence(x, lengths)  # the steps that there are, without the padding
    output, h_n = nn.RNN(I, H)(packed)
    output, _ = pad_packed_sequence(output)
    ends = output[lengths - 1, tinyrnn.arange(N)]
    same = "h_n[0, n] = output[lengths[n]-1, n]"
    yield Row("RNN, packed (lengths differ)", packed.data, output, "h_n", h_n, same, (h_n[0], ends))


def cells(T: int, N: int, I: int, H: int) -> Iterator[Row]:
    """The cells, called once a step, with the weights of the layer that gives the same."""
    x = tinyrnn.randn(T, N, I)

    layer, cell = nn.RNN(I, H), nn.RNNCell(I, H)
    share(layer, cell)
    h = tinyrnn.zeros(N, H)
    for x_t in x:
        h = cell(x_t, h)
    yield Row("RNNCell, at each step", x_t, h, "h", h, "h = h_n[0] of the layer", (h, layer(x)[1][0]))

    layer, lower, upper = nn.LSTM(I, H, num_layers=2), nn.LSTMCell(I, H), nn.LSTMCell(H, H)
    share(layer, lower, upper)
    h1 = c1 = h2 = c2 = tinyrnn.zeros(N, H)
    for x_t in x:
        h1, c1 = lower(x_t, (h1, c1))
        h2, c2 = upper(h1, (h2, c2))  # the lower cell's h is the upper one's input; its c stays with it
    _, (h_n, c_n) = layer(x)
    sides = tinyrnn.stack([h1, h2, c1, c2]), tinyrnn.cat([h_n, c_n])
    same = "h1, h2 = h_n[0], h_n[1]; c too"
    yield Row("2 LSTMCells, at each step", x_t, h2, "h, c of each", h2, same, sides)


def share(layer: nn.Module, *cells: nn.Module) -> None:
    """Gives the cells the layer's weights, from the lowest up."""
    weights = nn.utils.parameters_to_vector(layer.parameters())
    nn.utils.vector_to_parameters(weights, [p for cell in cells for p in cell.parameters()])


def draw_table(axes: Axes, table: list[Row], sizes: Sequence[int]) -> None:
    """The rows; in shapes each number has the colour of what it counts."""
    counted = ("T = {} steps", "N = {} sequences", "I = {} numbers a step", "H = {} units")
    colors = dict(zip(map(str, (*sizes, 2 * sizes[3])), (BLUE, GREEN, PURPLE, RED, RED), strict=True))
    for x, text, size, color in zip((0, 27, 60, 94), counted, sizes, colors.values(), strict=False):
        axes.text(x, -1.2, text.format(size), color=color, va="center", fontsize=13)
    for y, texts in enumerate((HEADER, *(row.texts() for row in table))):
        for column, text in enumerate(texts):
            x = sum(WIDTHS[:column])
            for piece in re.split(r"(?<=[( ])(\d+)(?=[,)])", text):  # the numbers of a shape, and what is around them
                axes.text(x, y, piece, color=colors.get(piece, BLACK), family="monospace", fontsize=11, va="center")
                x += len(piece)
    axes.axhline(0.5, color=BLACK, linewidth=1)
    axes.set(xlim=(0, sum(WIDTHS)), ylim=(len(table) + 0.5, -1.7))
    axes.axis("off")


def draw_directions(axes: Axes) -> None:
    """Two layers in two directions, unrolled: which state is the last, and where it is in h_n."""
    for i in range(4):
        layer, backward = divmod(i, 2)
        y, color = i + 0.4 * layer, ORANGE if backward else BLACK
        start, end, step = (8, 4, -1) if backward else (4, 8, 1)
        for x in range(start, end, step):
            style = {"arrowstyle": "-|>", "color": color, "shrinkA": 8, "shrinkB": 8}
            axes.annotate("", (x + step, y), (x, y), arrowprops=style)
        axes.plot(range(4, 9), [y] * 5, "s", color=color, markersize=11, fillstyle="none")
        axes.plot(end, y, "s", color=color, markersize=11)
        axes.text(0, y, f"layer {layer}, {'backward' if backward else 'forward'}", va="center")
        axes.text(end + 0.3 * step, y, f"h_n[{i}]", va="center", ha="right" if backward else "left")
    for x, t in enumerate(("t = 0", "1", "2", "...", "T - 1"), 4):
        axes.text(x, -1, t, ha="center", va="center")
    axes.text(10.2, 1.5, NOTES, va="center", linespacing=1.5)
    axes.set(xlim=(0, 15), ylim=(-1.5, 4))
    axes.axis("off")


def main(argv: list[str] | None = None) -> None:
    parser = common.options("Which shapes recurrent networks take and give, and which state is the last.")
    sizes = "steps, sequences, numbers a step, units (default: 10 3 100 20)"
    parser.add_argument("--sizes", type=int, nargs=4, default=(10, 3, 100, 20), metavar=tuple("TNIH"), help=sizes)
    args = common.begin(parser, argv, "shapes")
    T, N, I, H = sizes = args.sizes
    if min(sizes) < 2 or max(sizes) > 100 or len({*sizes, 2 * H}) < 5:
        parser.error(f"--sizes {' '.join(map(str, sizes))}: expected four from 2 to 100, all different, 2 H too")

    with tinyrnn.no_grad():
        table = [*layers(*sizes), *cells(*sizes)]
    print(f"T = {T} steps, N = {N} sequences, I = {I} numbers a step, H = {H} units")
    for texts in (HEADER, *(row.texts() for row in table)):
        print("".join(f"{text:{width}}" for text, width in zip(texts, WIDTHS, strict=True)).rstrip())
    apart = max((a - b).abs().max().item() for row in table for a, b in [row.sides])
    print(f"what the last column calls the same differs by {apart:.0e} at most")
    if args.picture:
        with common.drawing(args.picture, size=(11, 6.2)) as figure:
            figure.suptitle("output: the top layer's state of each step; h_n: each layer's and direction's last state")
            upper, lower = figure.subplots(2, 1, height_ratios=(14, 7))
            draw_table(upper, table, sizes)
            draw_directions(lower)


if __name__ == "__main__":
    main()
