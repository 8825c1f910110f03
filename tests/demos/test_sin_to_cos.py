"""From a sine to its cosine: the training against truncated BPTT by hand, what is printed and drawn, ten seeds."""

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

DEMO = Path(__file__).parents[2] / "demos" / "sin_to_cos.py"
SHORT = ["--steps", "300"]
RUNS = ("state carried", "state forgotten", "edges read twice")


@pytest.fixture(scope="module")
def demo() -> ModuleType:
    spec = importlib.util.spec_from_file_location("sin_to_cos", DEMO)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def figures(printed: str) -> tuple[dict[str, float], int, int | None, list[float]]:
    """The losses, the step, the step from which the first was low, and the errors of the two after the training."""
    first, second, third = printed.splitlines()[:3]
    loss, step, since = re.fullmatch(
        r"state carried: loss (\S+) \(step (\d+), mean of the last \d+(?:, stopped before \d+)?\), "
        r"(?:below 0\.0005 from step (\d+) on|not below 0\.0005)",
        first,
    ).groups()
    others = re.fullmatch(r"state forgotten: loss (\S+); edges read twice: loss (\S+)", second).groups()
    errors = re.fullmatch(r"the next 4 windows, mean squared error: (\S+), state forgotten (\S+)", third).groups()
    losses = dict(zip(RUNS, map(float, (loss, *others)), strict=True))
    return losses, int(step), since and int(since), [float(error) for error in errors]


def test_a_short_run_learns_prints_and_draws(demo, tmp_path, capsys):
    folder = tmp_path / "made" / "if missing"
    demo.main([*SHORT, "--out", str(folder)])
    printed = capsys.readouterr()
    losses, step, since, (error, forgetful) = figures(printed.out)
    assert step == 300
    assert since <= 290  # ten seeds: 173 to 278
    assert losses["state carried"] < 4e-3  # ten seeds: 2.0e-4 to 2.2e-3
    assert 0.2 < losses["state forgotten"] < 0.5  # ten seeds: 0.25 to 0.39
    assert error < 6e-4  # ten seeds: 6.9e-5 to 4.5e-4
    assert 0.15 < forgetful < 0.4  # ten seeds: 0.21 to 0.32
    assert printed.err == ""  # no bar where there is no terminal
    assert printed.out.splitlines()[3:] == [f"picture: {folder / 'sin_to_cos.png'}"]
    png = (folder / "sin_to_cos.png").read_bytes()
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", png[16:24])
    assert 1000 <= width <= 1200
    assert 400 <= height <= 600
    assert 20_000 < len(png) < 120_000


# the training, against a loop in plain NumPy


def by_hand(weights: list[np.ndarray], steps: int, lr: float, carry: bool, twice: bool) -> list[float]:
    """SGD on windows of half a period, each with BPTT back to its start, in float64: the losses."""
    W, U, b, c, V, d = (w.astype(np.float64) for w in weights)
    h, losses = np.zeros(len(b)), []
    for k in range(steps):
        t = np.linspace(k * np.pi, (k + 1) * np.pi, 10)[: 10 if twice else 9]
        x, target = np.sin(t), np.cos(t)
        hs = [h if carry else np.zeros(len(b))]
        for x_t in x:
            hs.append(np.tanh(W[:, 0] * x_t + b + U @ hs[-1] + c))
        y = np.array(hs[1:]) @ V[0] + d
        losses.append(np.mean((y - target) ** 2))
        dy = 2 * (y - target) / len(t)
        dW, dU, db, dh = np.zeros_like(W), np.zeros_like(U), np.zeros_like(b), np.zeros_like(h)
        for i in reversed(range(len(t))):
            da = (dh + dy[i] * V[0]) * (1 - hs[i + 1] ** 2)
            dW[:, 0] += da * x[i]
            dU += np.outer(da, hs[i])
            db += da
            dh = U.T @ da  # at i = 0 it is dropped: the window before is a constant
        V, d = V - lr * dy @ np.array(hs[1:]), d - lr * dy.sum()
        W, U, b, c = W - lr * dW, U - lr * dU, b - lr * db, c - lr * db
        h = hs[-1]
    return losses


@pytest.mark.parametrize(
    ("run", "carry", "twice"), [(RUNS[0], True, False), (RUNS[1], False, False), (RUNS[2], True, True)]
)
def test_each_training_is_truncated_bptt_as_by_hand(demo, run, carry, twice):
    net = demo.Net(5)
    weights = [p.detach().numpy().copy() for p in net.parameters()]
    _, _, losses = demo.train(net, 60, 0.05)
    np.testing.assert_allclose(losses[run], by_hand(weights, 60, 0.05, carry, twice), rtol=1e-3)
    for p, before in zip(net.parameters(), weights, strict=True):
        np.testing.assert_array_equal(p.detach().numpy(), before)  # copies learned


def test_the_state_is_carried_from_window_to_window_without_its_tape(demo):
    nets, states, _ = demo.train(demo.Net(5), 3, 0.05)
    assert states["state forgotten"] is None
    for name in ("state carried", "edges read twice"):
        assert states[name].shape == (1, 1, 5)
        assert not states[name].requires_grad
    assert len({id(p) for net in nets.values() for p in net.parameters()}) == 3 * 6


@pytest.mark.parametrize("carry", [True, False])
def test_the_run_after_the_training_is_that_of_a_plain_loop(demo, carry):
    net, h = demo.Net(5), tinyrnn.randn(1, 1, 5)
    W, U, b, c, V, d = (p.detach().numpy().astype(np.float64) for p in net.parameters())
    state, expected = h.numpy()[0, 0], []
    for i in range(4 * 9):
        if i % 9 == 0 and not carry:
            state = h.numpy()[0, 0]
        state = np.tanh(W[:, 0] * np.sin((7 + i / 9) * np.pi) + b + U @ state + c)
        expected.append((V @ state + d).item())
    np.testing.assert_allclose(demo.follow(net, h, 7, carry), expected, rtol=1e-4, atol=1e-5)


def test_the_windows_join_and_read_each_point_once(demo):
    windows = [demo.window(k) for k in range(6)]
    for wave, f in zip(zip(*windows, strict=True), (np.sin, np.cos), strict=True):
        assert {part.shape for part in wave} == {(1, 9, 1)}
        assert {part.dtype for part in wave} == {tinyrnn.float32}
        t = np.arange(6 * 9) * np.pi / 9
        np.testing.assert_allclose(np.concatenate([part.numpy().ravel() for part in wave]), f(t), atol=1e-6)
    longer = demo.window(0, 10)[1]
    assert longer[0, -1].item() == pytest.approx(windows[1][1][0, 0].item())  # the edge that is read twice


# what is printed and drawn


def test_the_picture_shows_the_run_that_is_printed(demo, tmp_path, capsys, monkeypatch):
    drawn = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, path: drawn.append(figure))
    demo.main([*SHORT, "--out", str(tmp_path)])
    losses, _, _, errors = figures(capsys.readouterr().out)
    (figure,) = drawn
    carried, forgotten = (f"{losses[name]:.2g}" for name in RUNS[:2])
    assert figure.get_suptitle() == f"Loss {carried} with the state carried from window to window, {forgotten} without"
    wave, curve = figure.axes
    assert [wave.get_ylabel(), curve.get_ylabel()] == ["amplitude", "loss (mean squared error)"]
    assert wave.get_xlabel().startswith("time t / π")
    assert curve.get_xlabel().startswith("training step")
    lines = {line.get_label(): line for line in wave.lines}
    for name, error in zip(RUNS, errors, strict=False):
        k, said = lines[name].get_data()
        np.testing.assert_allclose(k, 300 + np.arange(36) / 9)
        assert np.mean((said - np.cos(np.pi * k)) ** 2) == pytest.approx(error, rel=0.05)
    curves = {line.get_label(): line for line in curve.lines}
    assert set(curves) == {*RUNS, "0.0005"}
    for name in RUNS:
        steps, values = curves[name].get_data()
        assert list(steps[[0, -1]]) == [2, 300]
        assert np.mean(values[-100:]) == pytest.approx(losses[name], rel=0.1)


@pytest.mark.parametrize(("last", "since"), [(3e-4, 4), (0.5, None), (float("nan"), None)])
def test_the_loss_is_low_from_the_step_after_the_last_high_one(demo, capsys, monkeypatch, last, since):
    def train(net, steps, lr):
        nets, states, losses = dict.fromkeys(RUNS, net), dict.fromkeys(RUNS), {name: [0.5] * 6 for name in RUNS}
        losses["state carried"] = [0.5, 1e-4, 0.5, 1e-4, 2e-4, last]
        return nets, states, losses

    monkeypatch.setattr(demo, "train", train)
    demo.main(["--steps", "6", "--no-plot"])
    assert figures(capsys.readouterr().out)[2] == since


def test_a_terminal_gets_a_bar_with_the_loss(demo, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    demo.main(["--steps", "60", "--no-plot"])
    last = capsys.readouterr().err.split("\r")[-1]
    assert re.search(r"training: 100%.* 60/60 .*loss=\d\.\de[-+]\d\d\]", last)


def test_the_seed_decides_everything(demo, capsys):
    outputs = []
    for seed in ("3", "3", "4"):
        demo.main(["--steps", "20", "--no-plot", "--seed", seed])
        outputs.append(capsys.readouterr().out)
    assert outputs[0] == outputs[1] != outputs[2]


def test_the_smallest_run_draws_into_out(demo, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    demo.main(["--steps", "1", "--hidden", "1"])
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.png")] == ["out/sin_to_cos.png"]


@pytest.mark.parametrize("seed", range(3))
def test_the_largest_learning_rate_does_not_diverge(demo, capsys, seed):
    demo.main(["--steps", "200", "--lr", "0.1", "--seed", str(seed), "--no-plot"])
    assert np.isfinite(list(figures(capsys.readouterr().out)[0].values())).all()


def test_without_a_picture_matplotlib_is_not_loaded_and_nothing_written(tmp_path):
    program = (
        "import runpy, sys; sys.argv[1:] = ['--steps', '2', '--no-plot'];"
        f"sys.path.insert(0, {str(DEMO.parent)!r}); runpy.run_path({str(DEMO)!r}, run_name='__main__');"
        "assert 'matplotlib' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-B", "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 3
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("call", [361, 362, 363])  # one for each of the three networks
def test_an_interrupted_run_keeps_what_it_learned_and_draws_it(demo, tmp_path, capsys, monkeypatch, call):
    step, calls = demo.optim.SGD.step, []

    def interrupted(self):
        calls.append(1)
        if len(calls) == call:
            raise KeyboardInterrupt
        return step(self)

    monkeypatch.setattr(demo.optim.SGD, "step", interrupted)
    demo.main([*SHORT, "--out", str(tmp_path)])
    printed = capsys.readouterr().out
    assert figures(printed)[1] == 120
    assert "stopped before 300" in printed
    assert (tmp_path / "sin_to_cos.png").stat().st_size > 20_000


def test_a_run_interrupted_before_its_first_step_ends_with_one_line(demo, tmp_path, capsys, monkeypatch):
    def interrupted(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(demo.optim.SGD, "step", interrupted)
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
        (["--hidden", "-3"], "hidden_size is -3, expected at least 1"),
        (["--hidden", "9000000"], "Unable to allocate"),
        (["--lr", "0"], "--lr is 0.0, expected a number above 0 and at most 0.1"),
        (["--lr", "0.2"], "--lr is 0.2, expected a number above 0 and at most 0.1"),
        (["--lr", "nan"], "--lr is nan, expected a number above 0 and at most 0.1"),
        (["--seed", str(2**64)], f"got {2**64}, expected"),
        (["--out", "file"], "--out file: no picture can be written there"),
        (["--out", "taken"], "no picture can be written there"),
        (["--wave"], "unrecognized arguments: --wave"),
    ],
)
def test_bad_input_gets_one_line_before_the_training(demo, tmp_path, capsys, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    Path("taken/sin_to_cos.png").mkdir(parents=True)
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
    assert options == ["--steps", "--seed", "--out", "--no-plot", "--hidden", "--lr"]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_every_seed_stays_below_the_bar_with_its_state_carried(demo, capsys, seed):
    demo.main(["--seed", str(seed), "--no-plot"])
    losses, step, since, (error, forgetful) = figures(capsys.readouterr().out)
    assert step == 1000
    assert since <= 300  # 173 to 278; from there on every loss is below 5e-4
    assert max(losses["state carried"], error) < 3e-4  # 4.9e-5 to 2.3e-4
    assert min(losses["state forgotten"], forgetful) > 0.1  # 0.14 to 0.15
    assert losses["edges read twice"] > 2 * losses["state carried"]  # 2.5e-4 at least, and 2.6 times as much
