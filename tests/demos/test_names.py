"""The names demo: the published set-up against a loop in plain NumPy, what is learned, drawn and refused, ten seeds."""

from __future__ import annotations

import argparse
import importlib.util
import math
import re
import struct
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

import tinyrnn

DEMO = Path(__file__).parents[2] / "demos" / "names.py"
SHORT = ["--steps", "600"]
LOSSES = r"^(?:smoothed loss \S+, )?(RNN|GRU) training (\S+)(?:, held out (\S+))? bits per character \((\d+) names read"


@pytest.fixture(scope="module")
def names() -> ModuleType:
    spec = importlib.util.spec_from_file_location("names_demo", DEMO)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def figures(printed: str) -> dict[str, tuple[float, float, int]]:
    """The losses in training and on what was held out, and after how many names, of each network."""
    found = re.findall(LOSSES, printed, re.MULTILINE)
    return {title: (float(training), float(held or "nan"), int(done)) for title, training, held, done in found}


def sampler(names: ModuleType, alphabet: Any, **options: Any) -> Any:
    usual = {"temperature": 1.0, "top_k": None, "prime": "", "sample": 1, "data": "list"}
    return names.Sampler(argparse.Namespace(**{**usual, **options}), alphabet)


def made_up_list(count: int = 60) -> list[str]:
    rng = np.random.default_rng(5)
    syllables = [c + v for c in "bcdfghjklmnpqrstvwxyz" for v in "aeiou"]
    return ["".join(rng.choice(syllables, rng.integers(2, 7))) for _ in range(count)]


# the published set-up


def plain_numpy(lines: list[str], iterations: int) -> dict[int, float]:
    """The smoothed loss at every 2000th iteration of the exercise, with columns and matrices, and no library."""
    order = sorted({"\n", *"".join(lines)})
    V, H = len(order), 50
    examples = list(lines)
    np.random.RandomState(0).shuffle(examples)
    random = np.random.RandomState(1)
    Wx, Wh, Wy = (0.01 * random.randn(*shape) for shape in ((H, V), (H, H), (V, H)))
    b, by = np.zeros(H), np.zeros(V)
    state, smooth, printed = np.zeros(H), -math.log(1 / V) * 7, {}
    for j in range(iterations):
        text = [order.index(c) for c in examples[j % len(examples)]]
        read, said = [None, *text], [*text, 0]
        hs, ps, loss = [state], [], 0.0
        for i, k in zip(read, said, strict=True):
            a = Wh @ hs[-1] + b
            if i is not None:
                a = a + Wx[:, i]
            hs.append(np.tanh(a))
            scores = np.exp(Wy @ hs[-1] + by)
            ps.append(scores / scores.sum())
            loss -= math.log(ps[-1][k])
        grads = [np.zeros_like(w) for w in (Wx, Wh, Wy, b, by)]
        dWx, dWh, dWy, db, dby = grads
        dh = np.zeros(H)
        for t in range(len(read) - 1, -1, -1):
            dz = ps[t].copy()
            dz[said[t]] -= 1
            dWy += np.outer(dz, hs[t + 1])
            dby += dz
            da = (Wy.T @ dz + dh) * (1 - hs[t + 1] ** 2)
            db += da
            dWh += np.outer(da, hs[t])
            if read[t] is not None:
                dWx[:, read[t]] += da
            dh = Wh.T @ da
        for w, g in zip((Wx, Wh, Wy, b, by), grads, strict=True):
            w -= 0.01 * np.clip(g, -5, 5)
        state = hs[-1]
        smooth = smooth * 0.999 + loss * 0.001
        if j % 2000 == 0:
            printed[j] = smooth
    return printed


def losses_of(names: ModuleType, path: Path, iterations: int, capsys: Any) -> dict[int, str]:
    names.main(["--model", "seed", "--data", str(path), "--steps", str(iterations), "--no-plot"])
    found = re.findall(r"^iteration (\d+), smoothed loss (\d+\.\d{6}), RNN", capsys.readouterr().out, re.MULTILINE)
    return {int(j): loss for j, loss in found}


def test_the_published_set_up_loses_what_a_plain_loop_loses(names, tmp_path, capsys):
    # A change of 1e-16 in a weight is seen in the sixth decimal only after 4000 iterations of the shortest of lists.
    lines = made_up_list(200)
    path = tmp_path / "list"
    path.write_text("\n".join(line.capitalize() for line in lines))
    expected = plain_numpy(lines, 2001)
    assert list(expected) == [0, 2000]
    assert losses_of(names, path, 2001, capsys) == {j: f"{loss:.6f}" for j, loss in expected.items()}


@pytest.mark.slow
def test_the_published_set_up_on_the_dinosaurs(names, capsys):
    # NumPy's own loop: 28.371912 at 2000, 26.071144, 24.710542, 24.070580, 23.736562 at 10,000; then rounding decides.
    expected = plain_numpy(names.DINOSAURS.read_text().lower().split(), 8001)
    assert f"{expected[8000]:.6f}" == "24.070580"
    assert losses_of(names, names.DINOSAURS, 8001, capsys) == {j: f"{loss:.6f}" for j, loss in expected.items()}


def test_clipping_acts_on_each_element_and_the_second_bias_stays_zero(names, monkeypatch):
    seen = []
    monkeypatch.setattr(names, "clip_grad_value_", lambda weights, limit: seen.append((len(weights), limit)))
    learner = names.OneByOne(names.Alphabet(["abc", "cab"]), 0, 10)
    for name in ("abc", "cab"):
        learner.read(name)
    assert seen == [(5, 5), (5, 5)]
    assert not learner.net.rnn.bias_hh_l0.numpy().any()
    assert learner.net.rnn.bias_ih_l0.detach().numpy().any()
    assert not learner.state.requires_grad


# the GRU


def test_the_loss_of_a_padded_batch_is_that_of_its_names_one_by_one(names):
    alphabet = names.Alphabet(made_up_list())
    batch = ["ba", "", "zocuxi", "fe", "kulomabi"]
    learner = names.InBatches(alphabet, 0, 1)
    learner.net.eval()
    E = learner.net.embedding.weight.detach().numpy().astype(np.float64)
    W, U, b, c, V, d = (p.detach().numpy().astype(np.float64) for p in list(learner.net.parameters())[1:])
    nats, count = 0.0, 0
    for name in batch:
        h = np.zeros(64)
        numbers = [alphabet.characters.index(character) for character in name]
        for i, k in zip([alphabet.size, *numbers], [*numbers, 0], strict=True):
            a, u = np.split(W @ E[i] + b, 3), np.split(U @ h + c, 3)
            r, z = 1 / (1 + np.exp(-a[0] - u[0])), 1 / (1 + np.exp(-a[1] - u[1]))
            h = (1 - z) * np.tanh(a[2] + r * u[2]) + z * h
            p = np.exp(V @ h + d)
            nats -= math.log(p[k] / p.sum())
            count += 1
    assert learner.loss(batch).item() == pytest.approx(nats / count, rel=1e-5)
    learner.measure(7, batch)
    assert learner.curves["held out"] == [(7, pytest.approx(nats / count / math.log(2), rel=1e-5))]
    assert learner.net.training


# sampling


def test_temperature_and_top_k_reshape_the_probabilities(names):
    alphabet = names.Alphabet(["abcd"])
    z = np.array([0.5, 2.0, -1.0, 1.0, 0.0])

    def chances(**options: Any) -> np.ndarray:
        return sampler(names, alphabet, **options).chances(tinyrnn.tensor(z)).numpy()

    for temperature in (0.01, 0.5, 1.0, 3.0, 100.0):
        p = np.exp((z - 2) / temperature)
        np.testing.assert_allclose(chances(temperature=temperature), p / p.sum(), rtol=1e-12)
    p = np.exp(z) * [0, 1, 0, 1, 0]
    np.testing.assert_allclose(chances(top_k=2), p / p.sum(), rtol=1e-12)
    np.testing.assert_allclose(chances(top_k=9), chances(), rtol=1e-12)
    for options in ({"temperature": 0.0}, {"top_k": 1}, {"temperature": 0.0, "top_k": 3}):
        np.testing.assert_array_equal(chances(**options), [0, 1, 0, 0, 0])


@pytest.mark.parametrize("kind", ["OneByOne", "InBatches"])
def test_a_name_is_drawn_from_what_the_network_says_after_all_that_stands(names, kind):
    alphabet = names.Alphabet(made_up_list())
    learner = getattr(names, kind)(alphabet, 0, 1)
    how = sampler(names, alphabet, prime="ba", temperature=0.8)
    for _ in range(5):
        name, drawn = how.sample(learner.net, alphabet)
        said = "".join(alphabet.characters[number] for number, _ in drawn)
        assert f"{name}\n".startswith("ba" + said)
        assert said.count("\n") == said.endswith("\n") == (len(drawn) < 100)
        with names.evaluating(learner.net):
            z, _ = learner.net(alphabet.encode(name)[0].unsqueeze(1))
        for t, (_, p) in enumerate(drawn):
            np.testing.assert_allclose(p.numpy(), how.chances(z[2 + t, 0]).numpy(), rtol=1e-4)
    assert all(len(p) == alphabet.size for _, p in drawn)


def test_greedy_is_the_same_name_each_time_and_the_prime_begins_it(names, capsys):
    names.main([*SHORT, "--model", "gru", "--no-plot", "--temperature", "0", "--prime", "TRI", "--sample", "3"])
    made_up = capsys.readouterr().out.splitlines()[-1].split(": ")[1].split(", ")
    assert len(made_up) == 3
    assert len(set(made_up)) == 1
    assert made_up[0].startswith("Tri")


# the data


def test_the_list_of_dinosaurs_is_sorted_and_clean(names):
    text = names.DINOSAURS.read_text()
    lines = text.split("\n")
    assert lines.pop() == ""
    assert 600 <= len(lines) <= 1000
    assert lines == sorted(set(lines))
    assert all(re.fullmatch("[A-Z][a-z]+", line) for line in lines)
    assert names.Alphabet(names.read_names(names.DINOSAURS)).characters == ["\n", *"abcdefghijklmnopqrstuvwxyz"]


def test_any_text_is_read_line_by_line(names, tmp_path):
    path = tmp_path / "text"
    path.write_bytes("\ufeffÉmile  \r\n\r\n\t\r\n  two words\n".encode() + b"long " * 50)
    read = names.read_names(path)
    assert read == ["émile", "two words", ("long " * 20).strip(), ("long " * 20).strip(), ("long " * 10).strip()]


def test_a_text_with_a_large_alphabet_is_learned_and_drawn(names, tmp_path, capsys):
    path = tmp_path / "text"
    path.write_text("\n".join(f"{i}: {chr(33 + i)} the line's words $ {'x_' * (i % 60)}" for i in range(90)))
    names.main(["--data", str(path), "--steps", "64", "--out", str(tmp_path), "--prime", "1", "--top-k", "500"])
    assert figures(capsys.readouterr().out)["GRU"][2] == 64
    assert (tmp_path / "names.png").stat().st_size > 15_000


def test_what_is_held_out_is_never_read_and_shared_by_both(names, monkeypatch, capsys):
    read: dict[str, set[str]] = {"OneByOne": set(), "InBatches": set()}
    held = []
    for kind in read:
        monkeypatch.setattr(getattr(names, kind), "read", lambda self, name: read[type(self).__name__].add(name))
    monkeypatch.setattr(names.Learner, "measure", lambda self, done, names: held.append(tuple(names)))
    names.main(["--steps", "2000", "--no-plot", "--sample", "1"])
    assert len(set(held)) == 1
    assert len(held[0]) == 100
    assert read["OneByOne"] == read["InBatches"]
    assert len(read["OneByOne"]) == 900
    assert not read["OneByOne"] & set(held[0])
    held.clear()
    read["OneByOne"].clear()
    names.main(["--steps", "2000", "--no-plot", "--sample", "1", "--model", "seed"])
    assert set(held) == {()}
    assert len(read["OneByOne"]) == 1000


# a run


def test_a_short_run_learns_prints_and_draws(names, tmp_path, capsys):
    folder = tmp_path / "made" / "if missing"
    names.main([*SHORT, "--out", str(folder)])
    printed = capsys.readouterr()
    losses = figures(printed.out)
    assert losses["RNN"][2] == losses["GRU"][2] == 600
    assert losses["RNN"][1] < 3.8  # ten seeds: 3.48 to 3.70; 4.75 is to know nothing
    assert losses["GRU"][1] < 3.6  # ten seeds: 3.36 to 3.49
    assert printed.err == ""  # no bar where there is no terminal
    lines = printed.out.splitlines()
    assert [line.split(", ")[0] for line in lines[:2]] == ["iteration 0", "iteration 0"]
    assert re.fullmatch(r"RNN makes up, \d+ of them in the list: ([^,]+, ){9}[^,]+", lines[3])
    assert re.fullmatch(r"GRU makes up, \d+ of them in the list: ([^,]+, ){9}[^,]+", lines[5])
    assert lines[-1] == f"picture: {folder / 'names.png'}"
    png = (folder / "names.png").read_bytes()
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", png[16:24])
    assert 1000 <= width <= 1200
    assert 400 <= height <= 600
    assert 20_000 < len(png) < 120_000


def test_the_picture_shows_the_run_that_is_printed(names, tmp_path, capsys, monkeypatch):
    drawn = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, path: drawn.append(figure))
    names.main(["--steps", "200", "--out", str(tmp_path), "--prime", "tri"])
    printed = capsys.readouterr().out
    losses = figures(printed)
    (figure,) = drawn
    assert figure.get_suptitle() == (
        f"Bits per character of names never read: RNN {losses['RNN'][1]:.2f}, GRU {losses['GRU'][1]:.2f}"
    )
    curves, grid = figure.axes[:2]
    assert (curves.get_xlabel(), curves.get_ylabel()) == ("names read", "loss (bits per character)")
    lines = {line.get_label(): line.get_xydata()[-1] for line in curves.lines}
    for title, (training, held, done) in losses.items():
        np.testing.assert_allclose(lines[f"{title}, training"], [done, training], atol=0.006)
        np.testing.assert_allclose(lines[f"{title}, held out"], [done, held], atol=0.006)
    name = re.search(r"^GRU makes up, \d+ of them in the list: Tri([^,]*)", printed, re.MULTILINE)[1]
    shown = [label.get_text() for label in grid.get_xticklabels()]
    assert shown == [*name, "end"][:26]
    p = grid.images[0].get_array()
    assert p.shape == (27, len(shown))
    np.testing.assert_allclose(p.sum(0), 1)
    rows = [label.get_text() for label in grid.get_yticklabels()]
    frames = grid.lines[0].get_xydata().astype(int).tolist()
    assert [rows[row] for _, row in frames] == shown


def test_a_terminal_gets_a_bar(names, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    names.main(["--steps", "40", "--no-plot"])
    assert re.search(r"names read: 100%.* 40/40 ", capsys.readouterr().err.split("\r")[-1])


def test_the_seed_decides_everything(names, capsys):
    outputs = []
    for seed in ("3", "3", "4", "-1"):
        names.main(["--steps", "40", "--no-plot", "--seed", seed])
        outputs.append(capsys.readouterr().out)
    assert outputs[0] == outputs[1]
    assert len(set(outputs)) == 3


@pytest.mark.parametrize("model", ["seed", "gru", "both"])
def test_the_smallest_run_draws_into_out(names, tmp_path, monkeypatch, model):
    monkeypatch.chdir(tmp_path)
    Path("two").write_text("a\nb")
    names.main(["--steps", "1", "--model", model, "--data", "two", "--sample", "1"])
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.png")] == ["out/names.png"]


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


def test_an_interrupted_run_keeps_what_it_learned_and_draws_it(names, tmp_path, capsys, monkeypatch):
    step, calls = names.optim.SGD.step, []

    def interrupted(self):
        calls.append(1)
        if len(calls) == 121:
            raise KeyboardInterrupt
        return step(self)

    monkeypatch.setattr(names.optim.SGD, "step", interrupted)
    names.main([*SHORT, "--out", str(tmp_path)])
    printed = capsys.readouterr().out
    assert figures(printed)["RNN"][2] == 120
    assert printed.count("(120 names read, stopped before 600)") == 2
    assert (tmp_path / "names.png").stat().st_size > 20_000


def test_a_run_interrupted_before_its_first_step_ends_with_one_line(names, tmp_path, capsys, monkeypatch):
    def interrupted(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(names.optim.SGD, "step", interrupted)
    with pytest.raises(SystemExit) as end:
        names.main([*SHORT, "--out", str(tmp_path)])
    assert end.value.code == 130
    assert capsys.readouterr() == ("", "stopped before the first step was done\n")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--steps", "0"], "--steps is 0, expected at least 1"),
        (["--steps", "few"], "argument --steps: invalid int value: 'few'"),
        (["--data", "none"], "--data none: No such file or directory"),
        (["--data", "."], "--data .: Is a directory"),
        (["--data", "empty"], "--data empty: fewer than 2 lines have something in them"),
        (["--data", "blank"], "--data blank: fewer than 2 lines have something in them"),
        (["--data", "one"], "--data one: fewer than 2 lines have something in them"),
        (["--data", "binary"], "--data binary: this is no text in UTF-8"),
        (["--model", "lstm"], "argument --model: invalid choice: 'lstm'"),
        (["--sample", "0"], "--sample is 0, expected at least 1"),
        (["--temperature", "-1"], "--temperature is -1.0, expected 0 (the likeliest), or 0.01 to 100"),
        (["--temperature", "nan"], "--temperature is nan, expected 0"),
        (["--temperature", "inf"], "--temperature is inf, expected 0"),
        (["--top-k", "0"], "--top-k is 0, expected at least 1"),
        (["--prime", "tri-"], "--prime: '-' does not occur in"),
        (["--prime", "tri\n"], "--prime: '\\n' does not occur in"),
        (["--seed", str(2**64)], f"got {2**64}, expected"),
        (["--out", "one"], "--out one: no picture can be written there"),
        (["--out", "taken"], "no picture can be written there"),
        (["--names"], "unrecognized arguments: --names"),
    ],
)
def test_bad_input_gets_one_line_before_the_training(names, tmp_path, capsys, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    Path("empty").touch()
    Path("blank").write_text("\n \n\t\n")
    Path("one").write_text("rex\n")
    Path("binary").write_bytes(bytes(range(256)))
    Path("taken/names.png").mkdir(parents=True)
    monkeypatch.setattr(names, "train", lambda *_: pytest.fail("it trained before it checked"))
    with pytest.raises(SystemExit) as end:
        names.main(arguments)
    out, err = capsys.readouterr()
    assert end.value.code == 2
    assert out == ""
    assert len(err.splitlines()) == 1
    assert message in err


def test_help_names_every_option(names, capsys):
    with pytest.raises(SystemExit) as end:
        names.main(["--help"])
    assert end.value.code == 0
    options = re.findall(r"^  (--[a-z-]+)", capsys.readouterr().out, re.MULTILINE)
    usual = ["--steps", "--seed", "--out", "--no-plot"]
    assert options == [*usual, "--data", "--model", "--sample", "--temperature", "--top-k", "--prime"]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_with_every_seed_the_gru_is_the_better_one(names, capsys, seed):
    names.main(["--seed", str(seed), "--no-plot"])
    losses = figures(capsys.readouterr().out)
    assert losses["RNN"][1] < 2.95  # 2.56 to 2.87
    assert losses["GRU"][1] < 2.65  # 2.30 to 2.56
    assert losses["RNN"][1] - losses["GRU"][1] > 0.2  # 0.25 to 0.32
