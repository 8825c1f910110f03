"""The sine demo: what it prints, draws and refuses, the free run against a loop in plain NumPy, and ten seeds of it."""

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
from matplotlib.figure import Figure

import tinyrnn

DEMO = Path(__file__).parents[2] / "demos" / "sine.py"
SHORT = ["--steps", "300"]


@pytest.fixture(scope="module")
def sine() -> ModuleType:
    spec = importlib.util.spec_from_file_location("sine", DEMO)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def figures(printed: str) -> tuple[float, int, float]:
    """The loss, the step at which it was measured, and the free-running error, as printed."""
    loss, step = re.search(
        r"^loss (\S+) \(step (\d+), mean of the last \d+(?:, stopped before \d+: .*)?\)$", printed, re.MULTILINE
    ).groups()
    error = re.search(r"^free-running mean squared error (\S+) \(next 50 points", printed, re.MULTILINE)[1]
    return float(loss), int(step), float(error)


def test_a_short_run_learns_prints_and_draws(sine, tmp_path, capsys):
    folder = tmp_path / "made" / "if missing"
    sine.main([*SHORT, "--out", str(folder)])
    printed = capsys.readouterr()
    loss, step, error = figures(printed.out)
    assert step == 300
    assert loss < 5e-3  # ten seeds: 1.9e-3 to 3.1e-3
    assert error < 0.05  # ten seeds: 6e-4 to 1.3e-2
    assert printed.err == ""  # no bar where there is no terminal
    assert printed.out.splitlines()[-1] == f"picture: {folder / 'sine.png'}"
    png = (folder / "sine.png").read_bytes()
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", png[16:24])
    assert 1000 <= width <= 1200
    assert 400 <= height <= 600
    assert 20_000 < len(png) < 120_000


def test_a_terminal_gets_a_bar_with_the_loss(sine, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    sine.main(["--steps", "60", "--no-plot"])
    last = capsys.readouterr().err.split("\r")[-1]
    assert re.search(r"training: 100%.* 60/60 .*loss=\d\.\de[-+]\d\d\]", last)


def test_the_picture_shows_the_run_that_is_printed(sine, tmp_path, capsys, monkeypatch):
    drawn = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, path: drawn.append(figure))
    sine.main([*SHORT, "--out", str(tmp_path)])
    loss, _, error = figures(capsys.readouterr().out)
    (figure,) = drawn
    title = f"RNN of 16 units: loss {loss:.1e}, free-running mean squared error {error:.1e} (worst of 3 starts)"
    assert figure.get_suptitle() == title
    panels = {panel.get_ylabel(): panel for panel in figure.axes}
    assert set(panels) == {"amplitude", "error", "loss (mean squared error)"}
    wave, strip, curve = panels["amplitude"], panels["error"], panels["loss (mean squared error)"]
    assert [strip.get_xlabel(), curve.get_xlabel()] == ["time t (rad)", "training step"]
    lines = {line.get_label(): line for line in [*wave.lines, *curve.lines]}
    t, predicted = lines["predicted, running free"].get_data()
    assert np.mean((predicted - np.sin(t)) ** 2) == pytest.approx(error, rel=0.05)
    assert t[0] == pytest.approx(lines["read (priming)"].get_xdata()[-1] + 10 / 49)
    np.testing.assert_allclose(strip.lines[0].get_ydata(), predicted - np.sin(t))
    assert np.mean(lines["each step"].get_ydata()[-100:]) == pytest.approx(loss, rel=0.05)
    np.testing.assert_allclose(lines["mean of 100 steps"].get_data()[0][[0, -1]], [100, 300])
    assert lines["mean of 100 steps"].get_data()[1][-1] == pytest.approx(loss, rel=0.05)


def test_the_printed_error_is_that_of_the_worst_start(sine, capsys, monkeypatch):
    off = tinyrnn.tensor([0.1, 0.3, 0.2]).view(3, 1, 1)
    monkeypatch.setattr(sine, "run_free", lambda net, window, points: sine.waves(100)[:, 50:] + off)
    sine.main(["--steps", "1", "--no-plot"])
    assert figures(capsys.readouterr().out)[2] == 0.09


def test_a_free_run_reads_the_window_from_a_zero_state_and_then_only_itself(sine):
    net = sine.Net(5)
    window = sine.waves(7)
    W, U, b, c, V, d = (p.detach().numpy().astype(np.float64) for p in net.parameters())
    h, x, expected = np.zeros((3, 5)), window.numpy()[:, 0], []
    for step in range(7 + 4 - 1):
        h = np.tanh(x @ W.T + b + h @ U.T + c)
        y = h @ V.T + d
        if step < 6:
            x = window.numpy()[:, step + 1]
        else:
            x = y
            expected.append(y)
    free = sine.run_free(net, window, 4)
    assert not free.requires_grad
    np.testing.assert_allclose(free.numpy(), np.stack(expected, 1), rtol=1e-5, atol=1e-6)


def test_the_waves_are_those_of_the_task(sine):
    windows = sine.waves(50)
    assert windows.dtype == tinyrnn.float32
    expected = [np.sin(np.linspace(start, start + 10, 50)) for start in (0, 1, 2)]
    np.testing.assert_allclose(windows.numpy()[:, :, 0], expected, atol=1e-6)


def test_the_seed_decides_everything(sine, capsys):
    outputs = []
    for seed in ("3", "3", "4"):
        sine.main(["--steps", "20", "--no-plot", "--seed", seed])
        outputs.append(capsys.readouterr().out)
    assert outputs[0] == outputs[1] != outputs[2]


def test_the_smallest_run_draws_into_out(sine, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sine.main(["--steps", "1", "--hidden", "1"])
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.png")] == ["out/sine.png"]


def test_without_a_picture_matplotlib_is_not_loaded_and_nothing_written(tmp_path):
    program = (
        "import runpy, sys; sys.argv[1:] = ['--steps', '2', '--no-plot'];"
        f"sys.path.insert(0, {str(DEMO.parent)!r}); runpy.run_path({str(DEMO)!r}, run_name='__main__');"
        "assert 'matplotlib' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-B", "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 2
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_run_keeps_what_it_learned_and_draws_it(sine, tmp_path, capsys, monkeypatch):
    step, calls = sine.optim.Adam.step, []

    def interrupted(self):
        calls.append(1)
        if len(calls) == 121:
            raise KeyboardInterrupt
        return step(self)

    monkeypatch.setattr(sine.optim.Adam, "step", interrupted)
    sine.main([*SHORT, "--out", str(tmp_path)])
    printed = capsys.readouterr().out
    assert figures(printed)[1] == 120
    assert "stopped before 300" in printed
    assert (tmp_path / "sine.png").stat().st_size > 20_000


def test_a_run_interrupted_before_its_first_step_ends_with_one_line(sine, tmp_path, capsys, monkeypatch):
    def interrupted(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(sine.optim.Adam, "step", interrupted)
    with pytest.raises(SystemExit) as end:
        sine.main([*SHORT, "--out", str(tmp_path)])
    assert end.value.code == 130
    assert capsys.readouterr() == ("", "stopped before the first step was done\n")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--steps", "0"], "--steps is 0, expected at least 1"),
        (["--steps", "few"], "argument --steps: invalid int value: 'few'"),
        (["--hidden", "-3"], "hidden_size is -3, expected at least 1"),
        (["--hidden", "9000000"], "Unable to allocate"),
        (["--seed", str(2**64)], f"got {2**64}, expected"),
        (["--out", "file"], "--out file: no picture can be written there"),
        (["--out", "file/folder"], "no picture can be written there"),
        (["--out", "taken"], "no picture can be written there"),
        (["--wave"], "unrecognized arguments: --wave"),
    ],
)
def test_bad_input_gets_one_line_before_the_training(sine, tmp_path, capsys, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    Path("taken/sine.png").mkdir(parents=True)
    monkeypatch.setattr(sine, "train", lambda *_: pytest.fail("it trained before it checked"))
    with pytest.raises(SystemExit) as end:
        sine.main(arguments)
    out, err = capsys.readouterr()
    assert end.value.code == 2
    assert out == ""
    assert len(err.splitlines()) == 1
    assert message in err


def test_help_names_every_option(sine, capsys):
    with pytest.raises(SystemExit) as end:
        sine.main(["--help"])
    assert end.value.code == 0
    options = re.findall(r"^  (--[a-z-]+)", capsys.readouterr().out, re.MULTILINE)
    assert options == ["--steps", "--seed", "--out", "--no-plot", "--hidden"]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_every_seed_learns_to_run_free(sine, capsys, seed):
    sine.main(["--seed", str(seed), "--no-plot"])
    loss, _, error = figures(capsys.readouterr().out)
    assert loss < 1e-3
    assert error < 0.01
