"""The adder: what it prints, draws and refuses, its backward pass by hand against complex steps, and ten seeds."""

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
from textbook import complex_step, error
from tinyrnn.kernels.reference import rnn_forward, sigmoid

DEMO = Path(__file__).parents[2] / "demos" / "binary_addition.py"
SHORT = ["--steps", "1000"]


@pytest.fixture(scope="module")
def adder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("binary_addition", DEMO)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def figures(printed: str) -> dict[str, float | str]:
    """What is printed, by name."""
    patterns = {
        "loss": r"^mean squared error (\S+) \(step \d+, mean of the last \d+(?:, stopped before \d+)?\)$",
        "step": r"^mean squared error \S+ \(step (\d+)",
        "test": r"^8-bit sums: (\d+) of 256 not trained on are right, \d+ of 16384 in all$",
        "all": r"^8-bit sums: .*, (\d+) of 16384 in all$",
        "long": r"^32-bit sums: (\d+) of 1000 are right; the output furthest from its bit is off by \d\.\d\d$",
        "off": r"^32-bit sums: .* is off by (\S+)$",
        "untrained": r"^gradients by hand and by tape: largest relative difference (\S+) untrained, \S+ trained$",
        "trained": r"^gradients by hand .* untrained, (\S+) trained$",
    }
    found = {name: float(re.search(pattern, printed, re.MULTILINE)[1]) for name, pattern in patterns.items()}
    found["ripple"] = re.search(r"^the longest carry: 2147483647 \+ 1 is (\w+)$", printed, re.MULTILINE)[1]
    return found


def test_a_short_run_learns_prints_and_draws(adder, tmp_path, capsys):
    folder = tmp_path / "made" / "if missing"
    adder.main([*SHORT, "--out", str(folder)])
    printed = capsys.readouterr()
    found = figures(printed.out)
    assert found["step"] == 1000
    assert found["loss"] < 6e-3  # ten seeds: 1.1e-3 to 3.8e-3
    assert (found["test"], found["all"], found["long"], found["ripple"]) == (256, 16384, 1000, "right")  # all ten seeds
    assert found["off"] < 0.3  # ten seeds: 0.07 to 0.20
    assert max(found["untrained"], found["trained"]) < 1e-12  # ten seeds: up to 8e-16
    assert printed.err == ""  # no bar where there is no terminal
    assert printed.out.splitlines()[-1] == f"picture: {folder / 'binary_addition.png'}"
    png = (folder / "binary_addition.png").read_bytes()
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", png[16:24]) == (1100, 480)
    assert 20_000 < len(png) < 120_000


def test_a_terminal_gets_a_bar_with_what_is_right(adder, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    adder.main(["--steps", "60", "--no-plot"])
    assert re.search(r"training: 100%.* 60/60 .*right=\d+%\]", capsys.readouterr().err.split("\r")[-1])


@pytest.mark.parametrize(("places", "sums", "hidden"), [(8, 5, 3), (1, 1, 1), (5, 2, 4)])
def test_the_backward_pass_by_hand_is_what_complex_steps_find(adder, places, sums, hidden):
    rng = np.random.default_rng(places)
    W, U, V = rng.uniform(-1, 1, (hidden, 2)), rng.uniform(-1, 1, (hidden, hidden)), rng.uniform(-1, 1, (1, hidden))
    x, target = (tensor.numpy() for tensor in adder.task(*rng.integers(0, 2**places, (2, sums)), places))

    def loss(W, U, V):
        h = rnn_forward(x, np.zeros((sums, hidden)), W, U, nonlinearity="sigmoid").h
        return [((sigmoid(h @ V[0]) - target) ** 2).sum() / 2]

    expected = complex_step(loss, [W, U, V], [1.0])
    for found, true in zip(adder.by_hand(x, target, W, U, V), expected, strict=True):
        assert error(found, true) < 1e-14 if true.any() else not found.any()  # one step uses no U


def test_the_difference_is_seen_when_the_hand_is_wrong(adder, monkeypatch):
    net = adder.Adder(4)
    a, b = np.arange(9), np.arange(9)[::-1].copy()
    assert adder.difference(net, a, b) < 1e-14
    right = adder.by_hand
    monkeypatch.setattr(adder, "by_hand", lambda *args: [g * (1 + 1e-9 * (i == 1)) for i, g in enumerate(right(*args))])
    assert adder.difference(net, a, b) == pytest.approx(1e-9, rel=1e-3)


def test_the_network_is_a_sigmoid_rnn_without_biases(adder):
    net = adder.Adder(5)
    x, _ = adder.task(np.array([3, 90, 127]), np.array([5, 38, 1]), 8)
    W, U, V = (weight.detach().numpy() for weight in net.parameters())
    for weight in (W, U, V):
        assert weight.dtype == np.float64
        assert 0.3 < np.abs(weight).max() <= 1
    h = rnn_forward(x.numpy(), np.zeros((3, 5)), W, U, nonlinearity="sigmoid").h
    assert error(net(x).detach().numpy(), sigmoid(h @ V[0])) < 1e-14


def test_the_task_is_addition_from_the_lowest_bit_up(adder):
    a, b = np.array([6, 127, 0, 2**31 - 1]), np.array([3, 127, 0, 1])
    x, target = adder.task(a, b, 32)
    assert x.shape == (32, 4, 2)
    for n in range(4):
        for bits, number in ((x[:, n, 0], a[n]), (x[:, n, 1], b[n]), (target[:, n], a[n] + b[n])):
            assert "".join(f"{bit:.0f}" for bit in bits.tolist()) == f"{number:032b}"[::-1]


def test_the_carries_are_those_of_adding_on_paper(adder):
    rng = np.random.default_rng(1)
    a, b = rng.integers(0, 2**31, (2, 50))
    found, longest = adder.carries(a, b, 32)
    for n in range(50):
        carry, held, most = 0, 0, 0
        for t in range(32):
            one, other = a[n] >> t & 1, b[n] >> t & 1
            held = held + 1 if carry and one + other == 1 else 0  # a carry comes in, and goes on
            most = max(most, held)
            carry = int(one + other + carry >= 2)
            assert found[t, n] == carry
        assert longest[n] == most
    assert adder.carries(np.array([2**31 - 1]), np.array([1]), 32)[1] == 30


def test_a_sum_is_right_if_every_bit_is(adder, monkeypatch):
    net = adder.Adder(2)
    _, target = adder.task(np.array([1, 2, 3]), np.array([1, 1, 4]), 8)
    off = tinyrnn.zeros(8, 3, dtype=tinyrnn.float64)
    off[4, 0], off[7, 2] = 0.4, 0.6
    monkeypatch.setattr(adder.Adder, "forward", lambda self, x: target + off)
    right, far = adder.check(net, np.array([1, 2, 3]), np.array([1, 1, 4]), 8)
    assert right.tolist() == [True, True, False]
    assert far == pytest.approx(0.6)


def test_the_test_sums_are_not_trained_on(adder, monkeypatch, capsys):
    seen, train = [], adder.train

    def watched(net, a, b, test, *more):
        seen.extend((a, b, *test))
        return train(net, a, b, test, *more)

    monkeypatch.setattr(adder, "train", watched)
    adder.main(["--steps", "2", "--no-plot"])
    a, b, test_a, test_b = (numbers.tolist() for numbers in seen)
    trained, tested = {*zip(a, b, strict=True)}, {*zip(test_a, test_b, strict=True)}
    assert len(trained) == 16384 - 256
    assert len(tested) == 256
    assert trained | tested == {(a, b) for a in range(128) for b in range(128)}
    assert figures(capsys.readouterr().out)["ripple"] == "wrong"


def test_the_picture_shows_the_run_that_is_printed(adder, tmp_path, capsys, monkeypatch):
    drawn, nets = [], []
    monkeypatch.setattr(Figure, "savefig", lambda figure, path: drawn.append(figure))
    train = adder.train
    monkeypatch.setattr(adder, "train", lambda net, *more: nets.append(net) or train(net, *more))
    adder.main(["--steps", "600", "--out", str(tmp_path)])
    found = figures(capsys.readouterr().out)
    (figure,), (net,) = drawn, nets
    counts = f"{found['test']:.0f} of 256 8-bit sums right, {found['long']:.0f} of 1000 32-bit sums"
    assert figure.get_suptitle() == f"{counts}, never trained on"
    digits, units, out, loss, share = figure.axes
    words = re.fullmatch(r"(\S+) \+ (\S+) = (\S+): a carry held for (\d+) places", digits.get_title())
    a, b, total, held = (int(word.replace(",", "")) for word in words.groups())
    assert a + b == total
    carry, longest = adder.carries(np.array([a]), np.array([b]), 32)
    assert longest == held >= 8
    bits = [[number >> t & 1 for t in range(32)] for number in (a, b)]
    np.testing.assert_array_equal(digits.images[0].get_array(), [*bits, carry[:, 0]])
    shown = {text.get_position(): int(text.get_text()) for text in digits.texts}
    assert shown == {(t, row): bit for row in range(3) for t, bit in enumerate([*bits, carry[:, 0].tolist()][row])}
    x, target = adder.task(np.array([a]), np.array([b]), 32)
    np.testing.assert_allclose(out.lines[0].get_ydata(), net(x).detach().numpy()[:, 0])
    assert [bar.get_height() for bar in out.patches] == target[:, 0].tolist()
    states = units.images[0].get_array()
    assert states.shape == (16, 32)
    np.testing.assert_allclose(np.sort(states, 0), np.sort(net.rnn(x)[0].detach().numpy()[:, 0].T, 0))
    best, worst = (float(label.get_text().removeprefix("r = ")) for label in units.get_yticklabels())
    assert abs(best) > 0.8 > 0.3 > abs(worst)  # ten seeds of the full run: 0.87 to 0.96, 0.02 to 0.10
    assert np.corrcoef(states[0], carry[:, 0])[0, 1] * np.sign(best) > 0.7
    lines = {line.get_label(): line for line in loss.lines}
    assert np.mean(lines["each step"].get_ydata()[-100:]) == pytest.approx(found["loss"], rel=0.05)
    assert share.lines[0].get_xdata().tolist() == list(range(0, 600, 50))
    assert share.lines[0].get_ydata()[-1] == 100


def test_the_seed_decides_everything(adder, capsys):
    outputs = []
    for seed in ("3", "3", "4"):
        adder.main(["--steps", "20", "--no-plot", "--seed", seed])
        outputs.append(capsys.readouterr().out)
    assert outputs[0] == outputs[1] != outputs[2]


def test_the_smallest_run_draws_into_out(adder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    adder.main(["--steps", "1", "--hidden", "1", "--batch", "1"])
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.png")] == ["out/binary_addition.png"]


def test_without_a_picture_matplotlib_is_not_loaded_and_nothing_written(tmp_path):
    program = (
        "import runpy, sys; sys.argv[1:] = ['--steps', '2', '--no-plot'];"
        f"sys.path.insert(0, {str(DEMO.parent)!r}); runpy.run_path({str(DEMO)!r}, run_name='__main__');"
        "assert 'matplotlib' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-B", "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 5
    assert list(tmp_path.iterdir()) == []


def interrupt(adder: ModuleType, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """Ctrl-C in the step of training after so many."""
    step, calls = adder.optim.SGD.step, []

    def interrupted(self):
        calls.append(1)
        if len(calls) > after:
            raise KeyboardInterrupt
        return step(self)

    monkeypatch.setattr(adder.optim.SGD, "step", interrupted)


def test_an_interrupted_run_keeps_what_it_learned_and_draws_it(adder, tmp_path, capsys, monkeypatch):
    interrupt(adder, monkeypatch, after=120)
    adder.main([*SHORT, "--out", str(tmp_path)])
    printed = capsys.readouterr().out
    assert figures(printed)["step"] == 120
    assert "stopped before 1000" in printed
    assert (tmp_path / "binary_addition.png").stat().st_size > 20_000


def test_a_run_interrupted_before_its_first_step_ends_with_one_line(adder, tmp_path, capsys, monkeypatch):
    interrupt(adder, monkeypatch, after=0)
    with pytest.raises(SystemExit) as end:
        adder.main([*SHORT, "--out", str(tmp_path)])
    assert end.value.code == 130
    assert capsys.readouterr() == ("", "stopped before the first step was done\n")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--steps", "0"], "--steps is 0, expected at least 1"),
        (["--steps", "few"], "argument --steps: invalid int value: 'few'"),
        (["--hidden", "0"], "hidden_size is 0, expected at least 1"),
        (["--hidden", "9000000"], "Unable to allocate"),
        (["--batch", "0"], "--batch is 0, expected 1 to 10000"),
        (["--batch", "10001"], "--batch is 10001, expected 1 to 10000"),
        (["--seed", str(2**64)], f"got {2**64}, expected"),
        (["--out", "file"], "--out file: no picture can be written there"),
        (["--bits"], "unrecognized arguments: --bits"),
    ],
)
def test_bad_input_gets_one_line_before_the_training(adder, tmp_path, capsys, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    monkeypatch.setattr(adder, "train", lambda *_: pytest.fail("it trained before it checked"))
    with pytest.raises(SystemExit) as end:
        adder.main(arguments)
    out, err = capsys.readouterr()
    assert end.value.code == 2
    assert out == ""
    assert len(err.splitlines()) == 1
    assert message in err


def test_help_names_every_option(adder, capsys):
    with pytest.raises(SystemExit) as end:
        adder.main(["--help"])
    assert end.value.code == 0
    options = re.findall(r"^  (--[a-z-]+)", capsys.readouterr().out, re.MULTILINE)
    assert options == ["--steps", "--seed", "--out", "--no-plot", "--hidden", "--batch"]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_every_seed_learns_to_add(adder, capsys, seed):
    adder.main(["--seed", str(seed), "--no-plot"])
    found = figures(capsys.readouterr().out)
    assert (found["test"], found["all"], found["long"], found["ripple"]) == (256, 16384, 1000, "right")
    assert found["off"] < 0.2  # 0.03 to 0.10
    assert max(found["untrained"], found["trained"]) < 1e-12


@pytest.mark.slow
def test_one_sum_a_step_learns_too(adder, capsys):
    adder.main(["--batch", "1", "--steps", "10000", "--no-plot"])
    found = figures(capsys.readouterr().out)
    assert (found["test"], found["all"], found["long"], found["ripple"]) == (256, 16384, 1000, "right")
