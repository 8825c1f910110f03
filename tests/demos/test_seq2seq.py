"""The encoder-decoder demo: what it answers, prints, draws and refuses, its decoding in plain NumPy, and ten seeds."""

from __future__ import annotations

import importlib.util
import re
import string
import struct
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from matplotlib.figure import Figure

import tinyrnn

DEMO = Path(__file__).parents[2] / "demos" / "seq2seq.py"
SHORT = ["--steps", "100"]
ANSWERS = {"man": "women", "mans": "women", "king": "queen", "black": "white", "up": "down"}


@pytest.fixture(scope="module")
def seq2seq() -> ModuleType:
    spec = importlib.util.spec_from_file_location("seq2seq", DEMO)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def answers(printed: str) -> list[tuple[str, str, float]]:
    """(word, answer, probability), as printed."""
    found = re.findall(r"^([a-z]+) -> ([a-z]*) \(probability (\d\.\d{3})\)$", printed, re.MULTILINE)
    return [(word, answer, float(p)) for word, answer, p in found]


def figures(printed: str) -> tuple[int, float, int, float]:
    """How many of the six words are right, which share of the misspelt ones, the step, and the loss, as printed."""
    right, share, step, loss = re.search(
        r"^(\d) of 6 words right, and (\S+)% of 1278 with one letter wrong "
        r"\(step (\d+)(?:, stopped before \d+)?, loss (\S+)\)$",
        printed,
        re.MULTILINE,
    ).groups()
    return int(right), float(share) / 100, int(step), float(loss)


def test_a_short_run_learns_prints_and_draws(seq2seq, tmp_path, capsys):
    folder = tmp_path / "made" / "if missing"
    seq2seq.main([*SHORT, "--out", str(folder)])
    printed = capsys.readouterr()
    (hello, ohlol, p), *rest, (doubtful, _, least) = answers(printed.out)
    assert (hello, ohlol) == ("hello", "ohlol")
    assert p > 0.9  # ten seeds: 0.976 and more
    assert {word: answer for word, answer, _ in rest} == ANSWERS
    assert min(p for _, _, p in rest) > 0.4  # ten seeds: 0.64 and more
    assert least < 0.6
    assert doubtful not in ANSWERS
    right, share, step, loss = figures(printed.out)
    assert (right, step) == (6, 100)
    assert share > 0.85  # ten seeds: 0.895 to 0.934
    assert loss < 0.15  # ten seeds: at most 0.085
    assert printed.err == ""  # no bar where there is no terminal
    assert printed.out.splitlines()[-1] == f"picture: {folder / 'seq2seq.png'}"
    png = (folder / "seq2seq.png").read_bytes()
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", png[16:24])
    assert 1000 <= width <= 1200
    assert 400 <= height <= 600
    assert 20_000 < len(png) < 120_000


# what it computes, in plain NumPy


def weights(*modules) -> list[np.ndarray]:
    return [p.detach().numpy().astype(np.float64) for module in modules for p in module.parameters()]


def rnn(x: np.ndarray, h: np.ndarray, W, U, b, d) -> np.ndarray:
    return np.tanh(x @ W.T + b + h @ U.T + d)


def gru(x: np.ndarray, h: np.ndarray, W, U, b, d) -> np.ndarray:
    (a_r, a_z, a_n), (u_r, u_z, u_n) = np.split(x @ W.T + b, 3), np.split(h @ U.T + d, 3)
    r, z = (1 / (1 + np.exp(-a)) for a in (a_r + u_r, a_z + u_z))
    return (1 - z) * np.tanh(a_n + r * u_n) + z * h


def letters(word: str) -> list[np.ndarray]:
    """A vector for each letter of the word."""
    return [np.array([letter == other for other in string.ascii_lowercase + "."], float) for letter in word]


@pytest.mark.parametrize(("cell", "step"), [("RNN", rnn), ("GRU", gru)])
def test_it_decodes_greedily_and_learns_with_teacher_forcing(seq2seq, cell, step):
    tinyrnn.manual_seed(3)
    net = seq2seq.Seq2Seq(cell, 9, dropout=0.5).eval()
    with tinyrnn.no_grad():
        net.linear.weight.mul_(30)  # so that its answers differ from letter to letter
    V, c = weights(net.linear)

    def decode(word: str, right: str | None) -> tuple[str, np.ndarray]:
        h, said, logits = np.zeros(9), "", []
        for x in letters(f"{word:.<7}"):
            h = step(x, h, *weights(net.encoder))
        for t in range(7):
            last = "." if t == 0 else (right or said)[t - 1]
            h = step(letters(last)[0], h, *weights(net.decoder))
            logits.append(V @ h + c)
            said += (string.ascii_lowercase + ".")[logits[-1].argmax()]
        return said, np.stack(logits)

    words, targets = ["man", "black", "up"], ["women.", "white.", "down."]
    greedy = net(seq2seq.codes(words)).detach().numpy()
    forced = net(seq2seq.codes(words), seq2seq.codes(targets)).detach().numpy()
    assert greedy.shape == forced.shape == (7, 3, 27)
    said, p = seq2seq.say(net, seq2seq.codes(words))
    for n, word in enumerate(words):
        alone, logits = decode(word, None)
        np.testing.assert_allclose(greedy[:, n], logits, rtol=1e-4, atol=1e-4)
        assert len(set(alone)) > 1
        assert said[n] == alone.split(".")[0]
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        np.testing.assert_allclose(p[n], odds / odds.sum(axis=1, keepdims=True), rtol=1e-3, atol=1e-5)
        _, logits = decode(word, f"{targets[n]:.<7}")
        np.testing.assert_allclose(forced[:, n], logits, rtol=1e-4, atol=1e-4)


def test_dropout_takes_whole_letters_and_only_in_training(seq2seq):
    tinyrnn.manual_seed(0)
    net = seq2seq.Seq2Seq("GRU", 5, dropout=0.25)
    seen = []
    net.encoder.register_forward_pre_hook(lambda module, args: seen.append(args[0].numpy()))
    words = seq2seq.codes(["black"] * 400)
    net(words)
    net.eval()(words)
    one_hot = np.eye(27)[words.numpy()]
    np.testing.assert_array_equal(seen[1], one_hot)
    kept = seen[0].sum(axis=2, keepdims=True)
    assert set(np.unique(kept)) == {np.float32(0), np.float32(1 / 0.75)}
    np.testing.assert_array_equal(seen[0], kept * one_hot)
    assert (kept == 0).mean() == pytest.approx(0.25, abs=0.03)


def test_words_are_filled_up_with_dots(seq2seq):
    codes = seq2seq.codes(["man", "zebras"])
    assert codes.dtype == tinyrnn.int64
    assert codes.T.tolist() == [[12, 0, 13, 26, 26, 26, 26], [25, 4, 1, 17, 0, 18, 26]]
    assert seq2seq.codes(["hello"], 5).T.tolist() == [[7, 4, 11, 11, 14]]


def distance(a: str, b: str) -> int:
    """How many letters have to be added, taken away or replaced (Levenshtein)."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a):
        last, row[0] = row[0], i + 1
        for j, y in enumerate(b):
            last, row[j + 1] = row[j + 1], min(row[j] + 1, row[j + 1] + 1, last + (x != y))
    return row[-1]


def test_the_misspelt_words_are_all_that_are_one_letter_away(seq2seq):
    for word in seq2seq.PAIRS:
        found, n = seq2seq.misspelt(word), len(word)
        assert {distance(word, bad) for bad in found} == {1}
        assert len(found) == (25 * n + 26) + 25 * n + n  # one more, another one, one less: no letter stands twice
        assert set("".join(found)) == set(string.ascii_lowercase)


# the program


def test_the_picture_shows_the_run_that_is_printed(seq2seq, tmp_path, capsys, monkeypatch):
    drawn = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, path: drawn.append(figure))
    seq2seq.main([*SHORT, "--out", str(tmp_path)])
    printed = capsys.readouterr().out
    (figure,) = drawn
    assert printed.startswith("hello -> ohlol")
    assert figure.get_suptitle() in printed
    assert (figure.get_supxlabel(), figure.axes[0].get_ylabel()) == (
        "letter that it reads at each step",
        "letter that it says",
    )
    *panels, bar = figure.axes
    assert bar.get_ylabel() == "probability"
    assert [panel.get_title() for panel in panels] == [f"{word}\n→ {said}" for word, said, _ in answers(printed)]
    names = [label.get_text() for label in panels[0].get_yticklabels()]
    for panel, (word, said, probability) in zip(panels, answers(printed), strict=True):
        (image,) = panel.images
        p = np.asarray(image.get_array())
        assert image.get_clim() == (0, 1)
        assert p.sum(axis=0) == pytest.approx(1, abs=0.3)  # the letters shown hold nearly all of it
        assert "".join(names[i] for i in p.argmax(axis=0)) == (said if word == "hello" else f"{said}.")
        assert p.max(axis=0).prod() >= probability - 1e-3  # the steps behind the dot are not drawn
        read = "".join(label.get_text() for label in panel.get_xticklabels())
        assert read == (word if word == "hello" else f".{said}")
        assert [text.get_text() for text in panel.texts] == [names[i] for i in p.argmax(axis=0)]


def test_the_words_of_the_user_are_answered_and_five_of_them_drawn(seq2seq, tmp_path, capsys, monkeypatch):
    drawn = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, path: drawn.append(figure))
    words = ["girl", "high", "girls", "a", "zzzzzz", "man", "up"]
    seq2seq.main([*SHORT, "--out", str(tmp_path), "--words", *words])
    rows = answers(capsys.readouterr().out)
    assert [word for word, _, _ in rows[1:-1]] == words
    assert dict(row[:2] for row in rows)["high"] == "low"
    titles = [panel.get_title().split("\n")[0] for panel in drawn[0].axes[:-1]]
    assert titles == ["hello", *words[:5], rows[-1][0]]


def test_the_last_word_is_the_least_sure_of_all_that_are_misspelt(seq2seq, capsys, monkeypatch):
    told = []
    say = seq2seq.say
    monkeypatch.setattr(seq2seq, "say", lambda net, codes: told.append(say(net, codes)) or told[-1])
    seq2seq.main([*SHORT, "--no-plot"])
    printed = capsys.readouterr().out
    many, p = next(result for result in told if len(result[0]) == 1278)
    *_, (_, said, least) = answers(printed)
    surest = p.max(axis=2).prod(axis=1)
    assert least == pytest.approx(surest.min(), abs=6e-4)
    assert said == many[surest.argmin()]
    assert figures(printed)[1] * 1278 <= len(many)


def test_terminals_get_a_bar_for_each_training(seq2seq, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    seq2seq.main(["--steps", "20", "--no-plot"])
    bars = capsys.readouterr().err
    assert re.search(r"hello: 100%.* 100/100 ", bars)
    assert re.search(r"words: 100%.* 20/20 ", bars.split("\r")[-1])


@pytest.mark.parametrize("option", [["--unforced"], ["--cell", "RNN"], ["--dropout", "0"], ["--hidden", "8"]])
def test_each_option_changes_what_is_learned(seq2seq, capsys, option):
    outputs = []
    for arguments in ([], option):
        seq2seq.main(["--steps", "20", "--no-plot", *arguments])
        outputs.append(capsys.readouterr().out)
    assert outputs[0] != outputs[1]


@pytest.mark.parametrize(("option", "tensors"), [([], 2), (["--unforced"], 1)])
def test_the_network_is_given_the_answers_unless_it_is_unforced(seq2seq, monkeypatch, option, tensors):
    trained = []
    monkeypatch.setattr(seq2seq, "train", lambda *arguments: trained.append(arguments) or [0.0])
    seq2seq.main(["--steps", "1", "--no-plot", *option])
    (_, given, target, *_) = trained[1]
    assert len(given) == tensors
    words, *answers = ["".join(seq2seq.LETTERS[i] for i in column) for column in given[0].T.tolist()], *given[1:]
    assert [word.rstrip(".") for word in words] == list(seq2seq.PAIRS)
    assert all(answer is target for answer in answers)
    assert target.tolist() == seq2seq.codes(seq2seq.PAIRS.values()).tolist()


def test_the_seed_decides_everything(seq2seq, capsys):
    outputs = []
    for seed in ("3", "3", "4"):
        seq2seq.main(["--steps", "20", "--no-plot", "--seed", seed])
        outputs.append(capsys.readouterr().out)
    assert outputs[0] == outputs[1] != outputs[2]


def test_the_smallest_run_draws_into_out(seq2seq, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    seq2seq.main(["--steps", "1", "--hidden", "1", "--words", "a"])
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.png")] == ["out/seq2seq.png"]


def test_without_a_picture_matplotlib_is_not_loaded_and_nothing_written(tmp_path):
    program = (
        "import runpy, sys; sys.argv[1:] = ['--steps', '2', '--no-plot'];"
        f"sys.path.insert(0, {str(DEMO.parent)!r}); runpy.run_path({str(DEMO)!r}, run_name='__main__');"
        "assert 'matplotlib' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-B", "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 1 + len(ANSWERS) + 2
    assert list(tmp_path.iterdir()) == []


def interrupt(seq2seq, monkeypatch, *calls: int) -> None:
    """Ctrl-C at the optimizers' steps of these numbers; the warm-up takes the first 100, if it goes on to its end."""
    step, count = seq2seq.optim.Adam.step, []

    def interrupted(self):
        count.append(1)
        if len(count) in calls:
            raise KeyboardInterrupt
        return step(self)

    monkeypatch.setattr(seq2seq.optim.Adam, "step", interrupted)


def test_an_interrupted_run_keeps_what_it_learned_and_draws_it(seq2seq, tmp_path, capsys, monkeypatch):
    interrupt(seq2seq, monkeypatch, 41, 41 + 61)  # in the warm-up, which ends it, and in the training
    seq2seq.main([*SHORT, "--out", str(tmp_path)])
    printed = capsys.readouterr().out
    assert figures(printed)[2] == 60
    assert "(step 60, stopped before 100, loss" in printed
    assert answers(printed)[0][:2] == ("hello", "ohlol")  # right from step 11 to 22 on
    assert (tmp_path / "seq2seq.png").stat().st_size > 20_000


@pytest.mark.parametrize("call", [1, 101])
def test_a_run_interrupted_before_its_first_step_ends_with_one_line(seq2seq, tmp_path, capsys, monkeypatch, call):
    interrupt(seq2seq, monkeypatch, call)
    with pytest.raises(SystemExit) as end:
        seq2seq.main([*SHORT, "--out", str(tmp_path)])
    assert end.value.code == 130
    assert capsys.readouterr().err == "stopped before the first step was done\n"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--steps", "0"], "--steps is 0, expected at least 1"),
        (["--steps", "few"], "argument --steps: invalid int value: 'few'"),
        (["--hidden", "0"], "hidden_size is 0, expected at least 1"),
        (["--hidden", "9000000"], "Unable to allocate"),
        (["--dropout", "1.5"], "1.5"),
        (["--dropout", "-0.1"], "-0.1"),
        (["--cell", "LSTM"], "argument --cell: invalid choice: 'LSTM'"),
        (["--words"], "argument --words: expected at least one argument"),
        (["--words", "man", "Man"], "--words: 'Man' is not of 1 to 6 letters a to z"),
        (["--words", ""], "--words: '' is not of 1 to 6 letters"),
        (["--words", "königin"], "--words: 'königin' is not of 1 to 6 letters"),
        (["--words", "blackest"], "--words: 'blackest' is not of 1 to 6 letters"),
        (["--words", "a.b"], "--words: 'a.b' is not of 1 to 6 letters"),
        (["--seed", str(2**64)], f"got {2**64}, expected"),
        (["--out", "file"], "--out file: no picture can be written there"),
        (["--out", "taken"], "no picture can be written there"),
        (["--pairs"], "unrecognized arguments: --pairs"),
    ],
)
def test_bad_input_gets_one_line_before_the_training(seq2seq, tmp_path, capsys, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    Path("taken/seq2seq.png").mkdir(parents=True)
    monkeypatch.setattr(seq2seq, "train", lambda *_: pytest.fail("it trained before it checked"))
    with pytest.raises(SystemExit) as end:
        seq2seq.main(arguments)
    out, err = capsys.readouterr()
    assert end.value.code == 2
    assert out == ""
    assert len(err.splitlines()) == 1
    assert message in err


def test_help_names_every_option(seq2seq, capsys):
    with pytest.raises(SystemExit) as end:
        seq2seq.main(["--help"])
    assert end.value.code == 0
    options = re.findall(r"^  (--[a-z-]+)", capsys.readouterr().out, re.MULTILINE)
    own = ["--cell", "--hidden", "--dropout", "--unforced", "--words"]
    assert options == ["--steps", "--seed", "--out", "--no-plot", *own]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_every_seed_answers_all_words_and_mans(seq2seq, capsys, seed):
    seq2seq.main(["--seed", str(seed), "--no-plot"])
    printed = capsys.readouterr().out
    (hello, ohlol, p), *rest, _ = answers(printed)
    assert (hello, ohlol) == ("hello", "ohlol")
    assert {word: answer for word, answer, _ in rest} == ANSWERS
    assert min(p, *(p for _, _, p in rest)) > 0.85  # ten seeds: 0.911 and more
    right, share, step, loss = figures(printed)
    assert (right, step) == (6, 300)
    assert share > 0.93  # ten seeds: 0.944 to 0.976
    assert loss < 0.05  # ten seeds: at most 0.032


@pytest.mark.slow
def test_dropout_is_what_makes_it_understand_misspelt_words(seq2seq, capsys):
    shares = []
    for seed in range(10):
        seq2seq.main(["--seed", str(seed), "--no-plot", "--dropout", "0"])
        shares.append(figures(capsys.readouterr().out)[1])
    assert min(shares) > 0.8  # ten seeds: 0.858 to 0.915
    assert max(shares) < 0.93
