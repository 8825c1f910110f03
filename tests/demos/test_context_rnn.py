"""Truncated and full BPTT on two matrices: gradients and training against NumPy, what is printed, drawn; ten seeds."""

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

DEMO = Path(__file__).parents[2] / "demos" / "context_rnn.py"
SHORT = ["--steps", "30"]
NAMES = {1: "1 step back", 2: "2 steps back", 5: "5 steps back", 20: "full BPTT"}
SINE = np.sin(np.linspace(2, 10, 21))


@pytest.fixture(scope="module")
def demo() -> ModuleType:
    spec = importlib.util.spec_from_file_location("context_rnn", DEMO)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def figures(printed: str) -> tuple[int, dict[int, tuple[float, float, float]]]:
    """The epoch, and for each length the error, the angle at first and the angle at the end."""
    epoch = re.match(
        r"mean squared error, mean of the last \d+ epochs \(epoch (\d+)(?:, stopped before \d+)?\),\n", printed
    )
    rows = {
        length: re.search(f"^{name} +(\\S+) +(\\S+) +(\\S+) degrees$", printed, re.M) for length, name in NAMES.items()
    }
    return int(epoch[1]), {length: tuple(map(float, row.groups())) for length, row in rows.items()}


def test_a_short_run_learns_prints_and_draws(demo, tmp_path, capsys):
    folder = tmp_path / "made" / "if missing"
    demo.main([*SHORT, "--out", str(folder)])
    printed = capsys.readouterr()
    epoch, rows = figures(printed.out)
    assert epoch == 30
    assert rows[20][0] < 0.03  # ten seeds: 6.0e-3 to 2.4e-2
    assert 0.015 < rows[1][0] < 0.04  # ten seeds: 1.7e-2 to 3.5e-2, each more than with full BPTT
    assert rows[1][0] > rows[20][0]
    assert rows[20][1:] == (0, 0)
    assert 10 <= rows[1][1] <= 60  # ten seeds: 13 to 44
    assert rows[5][1] < rows[1][1]
    assert printed.err == ""  # no bar where there is no terminal
    assert printed.out.splitlines()[6:] == [f"picture: {folder / 'context_rnn.png'}"]
    png = (folder / "context_rnn.png").read_bytes()
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", png[16:24])
    assert 1000 <= width <= 1200
    assert 400 <= height <= 600
    assert 20_000 < len(png) < 120_000


# the gradients and the training, against BPTT in plain NumPy, in float64


def forward(W1: np.ndarray, W2: np.ndarray, xs: np.ndarray, h: np.ndarray) -> tuple[list, list, np.ndarray]:
    """The inputs [x, h] of W1, the states and the last output."""
    zs, hs = [], [h]
    for x in xs:
        zs.append(np.concatenate([[x], hs[-1]]))
        hs.append(np.tanh(zs[-1] @ W1))
    return zs, hs, (hs[-1] @ W2).item()


def step_gradient(W1, W2, t: int, length: int, contexts: list) -> tuple[np.ndarray, np.ndarray]:
    """Of the loss at step t, back `length` steps; puts the context after t into contexts."""
    start = max(0, t + 1 - length)
    zs, hs, y = forward(W1, W2, SINE[start : t + 1], contexts[start])
    dy = y - SINE[t + 1]
    dW1, dh = np.zeros_like(W1), dy * W2[:, 0]
    for z, h in zip(reversed(zs), reversed(hs[1:]), strict=True):
        da = dh * (1 - h * h)
        dW1 += np.outer(z, da)
        dh = W1[1:] @ da
    contexts.append(hs[-1])
    return dW1, dy * hs[-1][:, None]


def by_hand(W1, W2, length: int, lr: float) -> None:
    """One epoch."""
    contexts = [np.zeros(6)]
    for t in range(20):
        dW1, dW2 = step_gradient(W1, W2, t, length, contexts)
        W1 -= lr * dW1
        W2 -= lr * dW2


def error(W1, W2) -> float:
    return np.mean([(forward(W1, W2, SINE[: t + 1], np.zeros(6))[2] - SINE[t + 1]) ** 2 for t in range(20)])


def arrays(w) -> list[np.ndarray]:
    return [p.detach().numpy().astype(np.float64) for p in w]


@pytest.mark.parametrize("length", [1, 2, 5, 20, 100])
def test_the_gradient_is_that_of_bptt_by_hand(demo, length):
    w = demo.weights()
    W1, W2 = arrays(w)
    contexts = [np.zeros(6)]
    parts = [np.concatenate([g.ravel() for g in step_gradient(W1, W2, t, length, contexts)]) for t in range(20)]
    gradient = demo.gradient(w, length)
    assert np.abs(gradient - sum(parts)).max() < 1e-5 * np.abs(gradient).max()
    np.testing.assert_array_equal(demo.gradient(w, length), gradient)  # it starts anew
    np.testing.assert_array_equal(np.concatenate([p.detach().numpy().ravel() for p in w]), [*W1.ravel(), *W2.ravel()])


def test_full_bptt_is_the_gradient_and_truncated_is_not(demo):
    w = demo.weights()
    flat = np.concatenate([W.ravel() for W in arrays(w)])

    def loss(flat):
        return 10 * error(flat[:42].reshape(7, 6), flat[42:].reshape(6, 1))  # half of the sum of 20 squares

    differences = [(loss(flat + e) - loss(flat - e)) / 2e-5 for e in 1e-5 * np.eye(48)]
    np.testing.assert_allclose(demo.gradient(w, 20), differences, rtol=1e-3, atol=1e-4)
    for length in (1, 2, 5):
        g = demo.gradient(w, length)
        cosine = g @ differences / np.linalg.norm(g) / np.linalg.norm(differences)
        assert demo.angle(w, length) == pytest.approx(np.degrees(np.arccos(cosine)), abs=0.1)
        assert demo.angle(w, length) > 5
    assert demo.angle(w, 20) < 0.05


def test_the_training_is_an_update_after_every_step_as_by_hand(demo):
    w = demo.weights()
    nets = {length: tuple(p.detach().clone().requires_grad_() for p in w) for length in NAMES}
    errors = demo.train(nets, 4, 0.1)
    for length, values in errors.items():
        W1, W2 = arrays(w)
        for value in values:
            by_hand(W1, W2, length, 0.1)
            assert value == pytest.approx(error(W1, W2), rel=1e-3)
        np.testing.assert_allclose(nets[length][0].detach().numpy(), W1, rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(nets[length][1].detach().numpy(), W2, rtol=1e-3, atol=1e-4)


def test_a_length_of_k_takes_k_steps_for_each_loss(demo, monkeypatch):
    step, steps = demo.step, []
    monkeypatch.setattr(demo, "step", lambda *args: steps.append(1) or step(*args))
    for length, expected in ((1, 20), (2, 39), (5, 90), (20, 210), (50, 210)):
        steps.clear()
        assert len([*demo.losses(demo.weights(), length)]) == 20
        assert len(steps) == expected


def test_predictions_hold_the_weights_still(demo):
    w = demo.weights()
    W1, W2 = arrays(w)
    expected = [forward(W1, W2, SINE[: t + 1], np.zeros(6))[2] for t in range(20)]
    np.testing.assert_allclose(demo.predict(w), expected, rtol=1e-4, atol=1e-6)


def test_there_is_no_module_and_no_optimizer():
    source = DEMO.read_text().split('"""', 2)[2]
    assert not re.search(r"\bnn\b|\boptim\b", source)


# what is printed and drawn


def test_the_picture_shows_the_run_that_is_printed(demo, tmp_path, capsys, monkeypatch):
    drawn = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, path: drawn.append(figure))
    demo.main([*SHORT, "--out", str(tmp_path)])
    _, rows = figures(capsys.readouterr().out)
    (figure,) = drawn
    assert figure.get_suptitle() == (
        f"Mean squared error {rows[1][0]:.1e} with BPTT truncated to 1 step, {rows[20][0]:.1e} with full BPTT"
    )
    panels = {panel.get_ylabel(): panel for panel in figure.axes}
    assert set(panels) == {"amplitude", "error", "mean squared error"}
    wave, strip, curve = panels["amplitude"], panels["error"], panels["mean squared error"]
    assert [strip.get_xlabel(), curve.get_xlabel()] == ["time t (rad)", "epoch (20 updates each)"]
    lines, curves = ({line.get_label(): line for line in panel.lines} for panel in (wave, curve))
    assert set(curves) == set(NAMES.values())
    for length, name in NAMES.items():
        epochs, errors = curves[name].get_data()
        assert list(epochs) == list(range(1, 31))
        assert np.mean(errors) == pytest.approx(rows[length][0], rel=0.05)
    for i, length in enumerate((1, 20)):
        t, said = lines[NAMES[length]].get_data()
        np.testing.assert_allclose(t, np.linspace(2, 10, 21)[1:])
        np.testing.assert_allclose(strip.lines[i].get_ydata(), said - np.sin(t))
        assert np.mean((said - np.sin(t)) ** 2) == pytest.approx(curves[NAMES[length]].get_ydata()[-1], rel=1e-4)


def test_a_terminal_gets_a_bar_with_the_errors(demo, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    demo.main(["--steps", "3", "--no-plot"])
    last = capsys.readouterr().err.split("\r")[-1]
    assert re.search(r"training: 100%.* 3/3 .*1=\de-\d\d, 2=\de-\d\d, 5=\de-\d\d, 20=\de-\d\d\]", last)


def test_the_seed_decides_everything(demo, capsys):
    outputs = []
    for seed in ("3", "3", "4"):
        demo.main(["--steps", "2", "--no-plot", "--seed", seed])
        outputs.append(capsys.readouterr().out)
    assert outputs[0] == outputs[1] != outputs[2]


def test_the_smallest_run_draws_into_out(demo, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    demo.main(["--steps", "1"])
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.png")] == ["out/context_rnn.png"]


def test_without_a_picture_matplotlib_is_not_loaded_and_nothing_written(tmp_path):
    program = (
        "import runpy, sys; sys.argv[1:] = ['--steps', '2', '--no-plot'];"
        f"sys.path.insert(0, {str(DEMO.parent)!r}); runpy.run_path({str(DEMO)!r}, run_name='__main__');"
        "assert 'matplotlib' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-B", "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 6
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("call", [41, 42, 44])  # the epoch of one of the four networks
def test_an_interrupted_run_keeps_what_it_learned_and_draws_it(demo, tmp_path, capsys, monkeypatch, call):
    epoch, calls = demo.epoch, []

    def interrupted(*args):
        calls.append(1)
        if len(calls) == call:
            raise KeyboardInterrupt
        epoch(*args)

    monkeypatch.setattr(demo, "epoch", interrupted)
    demo.main([*SHORT, "--out", str(tmp_path)])
    printed = capsys.readouterr().out
    assert figures(printed)[0] == 10
    assert "stopped before 30)" in printed
    assert (tmp_path / "context_rnn.png").stat().st_size > 20_000


def test_an_interruption_within_an_epoch_leaves_no_gradient_behind(demo, capsys, monkeypatch):
    """The angles are measured after it; what the tape had added would turn them."""
    calls, backward = [], tinyrnn.Tensor.backward

    def interrupted(self):
        backward(self)
        calls.append(1)
        if len(calls) == 80 + 60 + 7:  # in the last network's second epoch, before its update
            raise KeyboardInterrupt

    monkeypatch.setattr(tinyrnn.Tensor, "backward", interrupted)
    demo.main(["--no-plot"])
    _, rows = figures(capsys.readouterr().out)
    assert rows[20][2] == 0


def test_a_run_interrupted_before_its_first_epoch_ends_with_one_line(demo, tmp_path, capsys, monkeypatch):
    def interrupted(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(demo, "epoch", interrupted)
    with pytest.raises(SystemExit) as end:
        demo.main([*SHORT, "--out", str(tmp_path)])
    assert end.value.code == 130
    assert capsys.readouterr() == ("", "stopped before the first step was done\n")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--steps", "0"], "--steps is 0, expected at least 1"),
        (["--steps", "few"], "argument --steps: invalid int value: 'few'"),
        (["--lr", "0"], "--lr is 0.0, expected a number above 0 and at most 0.5"),
        (["--lr", "0.6"], "--lr is 0.6, expected a number above 0 and at most 0.5"),
        (["--lr", "nan"], "--lr is nan, expected a number above 0 and at most 0.5"),
        (["--seed", str(2**64)], f"got {2**64}, expected"),
        (["--out", "file"], "--out file: no picture can be written there"),
        (["--out", "taken"], "no picture can be written there"),
        (["--wave"], "unrecognized arguments: --wave"),
    ],
)
def test_bad_input_gets_one_line_before_the_training(demo, tmp_path, capsys, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    Path("taken/context_rnn.png").mkdir(parents=True)
    monkeypatch.setattr(demo, "train", lambda *_: pytest.fail("it trained before it checked"))
    with pytest.raises(SystemExit) as end:
        demo.main(arguments)
    out, err = capsys.readouterr()
    assert end.value.code == 2
    assert out == ""
    assert len(err.splitlines()) == 1
    assert message in err


def test_help_names_every_option(demo, capsys):
    with pytest.raises(SystemExit) as end:
        demo.main(["--help"])
    assert end.value.code == 0
    options = re.findall(r"^  (--[a-z-]+)", capsys.readouterr().out, re.MULTILINE)
    assert options == ["--steps", "--seed", "--out", "--no-plot", "--lr"]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_full_bptt_is_better_for_every_seed(demo, capsys, seed):
    demo.main(["--seed", str(seed), "--no-plot"])
    epoch, rows = figures(capsys.readouterr().out)
    assert epoch == 300
    assert rows[20][0] < 2e-4  # 6.2e-6 to 1.4e-4, median 5.3e-5
    assert 1.5e-4 < rows[1][0] < 0.06  # 2.2e-4 to 4.4e-2, median 1.2e-2
    assert rows[1][0] > 1.5 * rows[20][0]  # 2.1 to 3100 times as much
    assert 10 <= rows[1][1] <= 50  # 13 to 44 degrees
    assert 20 <= rows[1][2] <= 90  # 25 to 84
