"""The tour of shapes: every shape, which state is the last by loops in plain NumPy, what is printed and drawn."""

from __future__ import annotations

import importlib.util
import re
import struct
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

import tinyrnn
from tinyrnn import nn
from tinyrnn.nn.utils.rnn import pack_padded_sequence

DEMO = Path(__file__).parents[2] / "demos" / "shapes.py"
TABLE = """
RNN                          | (10, 3, 100) | (10, 3, 20) | h_n (1, 3, 20)         | h_n[0] = output[-1]
RNN, 4 layers                | (10, 3, 100) | (10, 3, 20) | h_n (4, 3, 20)         | h_n[-1] = output[-1]
GRU, 4 layers                | (10, 3, 100) | (10, 3, 20) | h_n (4, 3, 20)         | h_n[-1] = output[-1]
LSTM, 4 layers               | (10, 3, 100) | (10, 3, 20) | h_n, c_n (4, 3, 20)    | h_n[-1] = output[-1]
RNN, batch_first             | (3, 10, 100) | (3, 10, 20) | h_n (1, 3, 20)         | h_n[0] = output[:, -1]
RNN, one sequence, no batch  | (10, 100)    | (10, 20)    | h_n (1, 20)            | h_n[0] = output[-1]
RNN, 2 layers, bidirectional | (10, 3, 100) | (10, 3, 40) | h_n (4, 3, 20)         | h_n[2] = output[-1, :, :H]
                             |              |             |                        | h_n[3] = output[0, :, H:]
RNN, packed (lengths differ) | (21, 100)    | (10, 3, 20) | h_n (1, 3, 20)         | h_n[0, n] = output[lengths[n]-1, n]
RNNCell, at each step        | (3, 100)     | (3, 20)     | h (3, 20)              | h = h_n[0] of the layer
2 LSTMCells, at each step    | (3, 100)     | (3, 20)     | h, c of each (3, 20)   | h1, h2 = h_n[0], h_n[1]; c too
"""
ROWS = [[cell.strip() for cell in line.split("|")] for line in TABLE.strip().splitlines()]


@pytest.fixture(scope="module")
def shapes() -> ModuleType:
    spec = importlib.util.spec_from_file_location("shapes", DEMO)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def rows(shapes) -> list:
    return [*shapes.layers(10, 3, 100, 20), *shapes.cells(10, 3, 100, 20)]


def test_the_run_prints_every_shape_and_draws(shapes, tmp_path, capsys):
    folder = tmp_path / "made" / "if missing"
    shapes.main(["--out", str(folder)])
    printed = capsys.readouterr()
    first, header, *lines, same, picture = printed.out.splitlines()
    assert first == "T = 10 steps, N = 3 sequences, I = 100 numbers a step, H = 20 units"
    assert re.split(" {2,}", header) == ["network", "x", "output", "last states", "the same numbers"]
    assert [re.split(" {2,}", line.strip()) for line in lines] == [[cell for cell in row if cell] for row in ROWS]
    starts = [header.index(word) for word in ("x", "output", "last", "the same")]
    assert all(line[start - 1] == " " for line in lines for start in starts)
    assert float(re.fullmatch(r"what the last column calls the same differs by (\S+) at most", same)[1]) < 1e-6
    assert printed.err == ""
    assert picture == f"picture: {folder / 'shapes.png'}"
    png = (folder / "shapes.png").read_bytes()
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", png[16:24])
    assert 1000 <= width <= 1200
    assert 500 <= height <= 700
    assert 20_000 < len(png) < 160_000


def test_what_the_last_column_calls_the_same_is(rows):
    assert [[*row.texts()] for row in rows] == ROWS
    for row in rows:
        left, right = row.sides
        assert left.shape == right.shape
        assert left.abs().max().item() > 0.1
        np.testing.assert_allclose(left.detach().numpy(), right.detach().numpy(), atol=1e-6)


@pytest.mark.parametrize("name", ["h_n[0]", "h_n[-1]", "h_n[2]", "h_n[3]"])
def test_the_left_side_is_the_state_that_the_text_names(rows, name):
    found = [row for row in rows if row.same.startswith(f"{name} =")]
    assert found
    for row in found:
        index = int(name[4:-1])
        np.testing.assert_array_equal(row.sides[0].detach().numpy(), row.state[index].detach().numpy())


@pytest.mark.parametrize("text", ["output[-1]", "output[:, -1]", "output[-1, :, :H]", "output[0, :, H:]"])
def test_the_right_side_is_the_output_that_the_text_names(rows, text):
    index = {
        "output[-1]": -1,
        "output[:, -1]": np.s_[:, -1],
        "output[-1, :, :H]": np.s_[-1, :, :20],
        "output[0, :, H:]": np.s_[0, :, 20:],
    }[text]
    found = [row for row in rows if row.same.endswith(f"= {text}")]
    assert found
    for row in found:
        np.testing.assert_array_equal(row.sides[1].detach().numpy(), row.output.detach().numpy()[index])


# the picture of h_n, and the claims of the docstring, against loops in plain NumPy


def states(xs: np.ndarray, W, U, b, c) -> np.ndarray:
    """The state after each step: xs (T, I) -> (T, H)."""
    h, hs = np.zeros(len(b)), []
    for x in xs:
        h = np.tanh(W @ x + b + U @ h + c)
        hs.append(h)
    return np.array(hs)


def test_h_n_holds_layer_l_direction_d_at_2_l_plus_d():
    net = nn.RNN(4, 3, num_layers=2, bidirectional=True, dtype=tinyrnn.float64)
    x = tinyrnn.randn(5, 1, 4, dtype=tinyrnn.float64)
    output, h_n = net(x)
    weights = [p.detach().numpy() for p in net.parameters()]
    below = x.numpy()[:, 0]
    for layer in range(2):
        forward = states(below, *weights[8 * layer : 8 * layer + 4])
        backward = states(below[::-1], *weights[8 * layer + 4 : 8 * layer + 8])[::-1]
        np.testing.assert_allclose(h_n[2 * layer, 0].detach().numpy(), forward[-1], rtol=1e-9)
        np.testing.assert_allclose(h_n[2 * layer + 1, 0].detach().numpy(), backward[0], rtol=1e-9)
        below = np.concatenate([forward, backward], axis=1)
    np.testing.assert_allclose(output[:, 0].detach().numpy(), below, rtol=1e-9)
    one_step = states(x.numpy()[-1:, 0], *weights[4:8])
    lower = nn.RNN(4, 3, bidirectional=True, dtype=tinyrnn.float64)
    lower.load_state_dict({name: p for name, p in net.state_dict().items() if "l0" in name})
    np.testing.assert_allclose(lower(x)[0][-1, 0, 3:].detach().numpy(), one_step[0], rtol=1e-9)  # it has seen one step


def test_packed_h_n_is_the_state_after_each_sequences_own_last_step():
    net = nn.RNN(4, 3, dtype=tinyrnn.float64)
    x = tinyrnn.randn(7, 3, 4, dtype=tinyrnn.float64)
    _, h_n = net(pack_padded_sequence(x, tinyrnn.tensor([7, 4, 1])))
    weights = [p.detach().numpy() for p in net.parameters()]
    for n, length in enumerate((7, 4, 1)):
        np.testing.assert_allclose(h_n[0, n].detach().numpy(), states(x.numpy()[:length, n], *weights)[-1], rtol=1e-9)


# what is printed and drawn


def test_the_picture_shows_the_table_and_every_layer_and_direction(shapes, tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, path: drawn.append(figure))
    shapes.main(["--out", str(tmp_path)])
    (figure,) = drawn
    assert (
        figure.get_suptitle()
        == "output: the top layer's state of each step; h_n: each layer's and direction's last state"
    )
    table, net = figure.axes
    key = ("T = 10 steps", "N = 3 sequences", "I = 100 numbers a step", "H = 20 units")
    colors = {text.get_text(): text.get_color() for text in table.texts if text.get_text() in key}
    assert len(set(colors.values())) == 4
    counted = dict(zip(("10", "3", "100", "20", "40"), [*(colors[name] for name in key), colors[key[3]]], strict=True))
    lines: dict[float, list] = {}
    for text in table.texts:
        if text.get_text() not in key:
            lines.setdefault(text.get_position()[1], []).append(text)
            assert text.get_color() == counted.get(text.get_text(), shapes.BLACK)
    for y, row in enumerate(ROWS, 1):
        assert "".join(text.get_text() for text in lines[y]) == "".join(row)
    labels = {text.get_text(): text.get_position() for text in net.texts}
    ends = {}  # the filled squares
    for line in net.lines:
        if len(line.get_xdata()) == 1 and line.get_fillstyle() == "full":
            ends[line.get_ydata()[0]] = line.get_xdata()[0]
    for i, name in enumerate(f"layer {layer}, {d}" for layer in (0, 1) for d in ("forward", "backward")):
        x, y = labels[f"h_n[{i}]"]
        assert labels[name][1] == y
        assert ends[y] == pytest.approx(x, abs=0.5)
        assert ends[y] == labels["t = 0" if i % 2 else "T - 1"][0]
    assert to_hex(net.lines[0].get_color()) != to_hex(net.lines[2].get_color())


@pytest.mark.parametrize(
    "sizes", [("2", "3", "5", "7"), ("100", "99", "98", "97"), ("97", "100", "98", "99"), ("5", "2", "3", "4")]
)
def test_other_sizes_are_computed_and_drawn(shapes, tmp_path, capsys, sizes):
    shapes.main(["--sizes", *sizes, "--out", str(tmp_path)])
    T, N, I, H = sizes
    out = capsys.readouterr().out
    assert f"({T}, {N}, {I})" in out
    assert f"({T}, {N}, {2 * int(H)})" in out
    assert float(re.search(r"differs by (\S+) at most", out)[1]) < 2e-6
    assert all(line[start - 1] == " " for line in out.splitlines()[2:-2] for start in (30, 45, 60, 84))
    assert (tmp_path / "shapes.png").stat().st_size > 20_000


def test_the_smallest_run_draws_into_out(shapes, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shapes.main([])
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.png")] == ["out/shapes.png"]


def test_without_a_picture_matplotlib_is_not_loaded_and_nothing_written(tmp_path):
    program = (
        "import runpy, sys; sys.argv[1:] = ['--no-plot'];"
        f"sys.path.insert(0, {str(DEMO.parent)!r}); runpy.run_path({str(DEMO)!r}, run_name='__main__');"
        "assert 'matplotlib' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-B", "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 14
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--sizes", "10", "3"], "argument --sizes: expected 4 arguments"),
        (["--sizes", "10", "3", "many", "20"], "argument --sizes: invalid int value: 'many'"),
        (["--sizes", "10", "3", "100", "1"], "--sizes 10 3 100 1: expected four from 2 to 100"),
        (["--sizes", "10", "3", "101", "20"], "expected four from 2 to 100, all different"),
        (["--sizes", "10", "3", "10", "20"], "expected four from 2 to 100, all different"),
        (["--sizes", "10", "3", "40", "20"], "2 H too"),
        (["--seed", str(2**64)], f"got {2**64}, expected"),
        (["--out", "file"], "--out file: no picture can be written there"),
        (["--out", "taken"], "no picture can be written there"),
        (["--steps", "3"], "unrecognized arguments: --steps 3"),
    ],
)
def test_bad_input_gets_one_line_before_anything_is_computed(shapes, tmp_path, capsys, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    Path("taken/shapes.png").mkdir(parents=True)
    with pytest.raises(SystemExit) as end:
        shapes.main(arguments)
    out, err = capsys.readouterr()
    assert end.value.code == 2
    assert out == ""
    assert len(err.splitlines()) == 1
    assert message in err


def test_help_names_every_option(shapes, capsys):
    with pytest.raises(SystemExit) as end:
        shapes.main(["--help"])
    assert end.value.code == 0
    options = re.findall(r"^  (--[a-z-]+)", capsys.readouterr().out, re.MULTILINE)
    assert options == ["--seed", "--out", "--no-plot", "--sizes"]
