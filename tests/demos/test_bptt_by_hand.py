"""The hand calculation: every printed equation worked out again, and every gradient against complex steps."""

from __future__ import annotations

import importlib.util
import io
import math
import re
import struct
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

import tinyrnn
from textbook import complex_step

DEMO = Path(__file__).parents[2] / "demos" / "bptt_by_hand.py"
CASES = [(seed, gain) for seed in range(10) for gain in (0.0, 1.0, 3.0)]


@pytest.fixture(scope="module")
def demo() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bptt_by_hand", DEMO)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def problem(demo: ModuleType, seed: int, gain: float = 1.0) -> tuple[Any, Any]:
    tinyrnn.manual_seed(seed)
    net = demo.numbers(seed, gain)
    return net, demo.calculate(net)


def witness(net: Any, *losses: int) -> list[np.ndarray]:
    """By complex step, of the losses of these steps: dL/d of W_ih, V, W_hh used at t = 1, 2, 3, a_t, and h_t, t = 0..3.

    Each use of W_hh is a matrix of its own; what is added to a_t and h_t shows their gradients.
    """

    def run(W: Any, V: Any, uses: Any, to_a: Any, to_h: Any) -> list[Any]:
        h, total = net.h0 + to_h[0], 0
        for t in (1, 2, 3):
            h = np.tanh(W[:, 0] * net.x[t, 0] + uses[t - 1] @ h + to_a[t - 1]) + to_h[t]
            total = total + (t in losses) * ((V[0] * h).sum() - net.d[t]) ** 2 / 2
        return [total]

    return complex_step(run, [net.W, net.V, np.array([net.U] * 3), np.zeros((3, 2)), np.zeros((4, 2))], [1.0])


def printed(demo: ModuleType, *arguments: str) -> str:
    out = io.StringIO()
    with redirect_stdout(out):
        demo.main([*arguments, "--no-plot"])
    return out.getvalue()


def equations(sheet: str) -> list[tuple[str, str, float]]:
    lines = re.findall(r"^  (\S+) += (.*) = (-?\d+\.\d{4})$", sheet, re.MULTILINE)
    return [(name, work, float(value)) for name, work, value in lines]


def close(found: Any, expected: Any) -> None:
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-14 * max(1, np.abs(expected).max()))


@pytest.mark.parametrize("arguments", [[], ["--seed", "4"], ["--seed", "7", "--gain", "0.3"], ["--gain", "2"]])
def test_every_printed_equation_holds(demo, arguments):
    lines = equations(printed(demo, *arguments))
    assert len(lines) == 22 + 18 + 8 + 12 + 10  # forward, backward, weights, pairs, forward mode
    for name, work, value in lines:
        worked_out = eval(work.replace("^", "**"), {"tanh": math.tanh})
        assert worked_out == pytest.approx(value, abs=5e-4), name  # every factor is rounded to 5e-5


def test_the_printed_numbers_are_those_of_complex_steps(demo):
    net, _ = problem(demo, 0)
    dW, dV, uses, da, dh = witness(net, 1, 2, 3)
    expected = {f"dh_{t}[{i + 1}]": dh[t, i] for t in (1, 2, 3) for i in (0, 1)}
    expected |= {f"da_{t}[{i + 1}]": da[t - 1, i] for t in (1, 2, 3) for i in (0, 1)}
    expected |= {f"sent_1[{i + 1}]": dh[0, i] for i in (0, 1)}
    expected |= {f"dV[{i + 1}]": dV[0, i] for i in (0, 1)} | {f"dW_ih[{i + 1}]": dW[i, 0] for i in (0, 1)}
    expected |= {f"dW_hh[{i + 1},{j + 1}]": uses.sum(0)[i, j] for i in (0, 1) for j in (0, 1)}
    expected |= {"dL/dw": uses.sum(0)[0, 1]}
    found = {name: value for name, _, value in equations(printed(demo)) if name in expected}
    assert found == {name: round(value, 4) for name, value in expected.items()}


def test_the_sheet_says_what_its_numbers_are(demo):
    sheet = printed(demo)
    given = "GIVEN  W_ih = [[0.5], [-0.5]]  W_hh = [[-1.0, 1.0], [-0.5, -0.5]]  V = [[1.0, -0.5]]  h_0 = [-1.0, 1.0]"
    assert sheet.splitlines()[0] == given
    headings = re.findall(r"^(\d)\. ([A-Z ]+[A-Z])", sheet, re.M)
    titles = ["FORWARD", "BACKWARD", "TERM BY TERM", "FORWARD MODE", "FIVE WAYS", "TRUNCATION", "A LANDMARK"]
    assert headings == [(str(n), title) for n, title in enumerate(titles, 1)]
    assert "-0.0000" not in sheet
    assert max(map(len, sheet.splitlines())) < 115


@pytest.mark.parametrize(("seed", "gain"), CASES)
def test_by_hand_it_is_what_complex_steps_find(demo, seed, gain):
    net, sheet = problem(demo, seed, gain)
    dW, dV, uses, da, dh = witness(net, 1, 2, 3)
    for found, expected in zip(sheet.gradient, (dW, uses.sum(0), dV), strict=True):
        close(found, expected)
    close(sheet.dh[:4], dh)
    close(sheet.da[1:4], da)
    close(sheet.sent[1], dh[0])
    assert set(sheet.terms) == {(t, k) for t in (1, 2, 3) for k in range(1, t + 1)}
    for (t, k), (delta, share) in sheet.terms.items():
        _, _, uses, da, _ = witness(net, t)
        close(delta, da[k - 1])
        close(share, uses[k - 1])


@pytest.mark.parametrize(("seed", "gain"), CASES)
def test_the_five_ways_agree(demo, seed, gain):
    net, sheet = problem(demo, seed, gain)
    tape, tape_dh = demo.by_tape(net)
    forward_mode, _ = demo.by_forward_mode(net, sheet.h, sheet.e)
    for gradient in (tape, demo.by_kernel(net), forward_mode):
        assert [array.shape for array in gradient] == [(2, 1), (2, 2), (1, 2)]
        assert demo.difference(gradient, sheet.gradient) < 1e-14  # 200 cases: up to 1.2e-15
    assert demo.difference([tape_dh], [sheet.dh[:4]]) < 1e-14
    assert 0 < demo.difference(demo.by_differences(net), sheet.gradient) < 1e-9  # 200 cases: up to 8e-10


@pytest.mark.parametrize(("seed", "gain"), CASES)
def test_forward_mode_carries_the_jacobians(demo, seed, gain):
    net, sheet = problem(demo, seed, gain)

    def states(W, U):
        h = [net.h0]
        for t in (1, 2, 3):
            h.append(np.tanh(W[:, 0] * net.x[t, 0] + U @ h[-1]))
        return [np.array(h)]

    for t, i in np.ndindex(4, 2):
        cotangent = np.zeros((4, 2))
        cotangent[t, i] = 1
        close(sheet.J[t, i], np.concatenate([g.ravel() for g in complex_step(states, [net.W, net.U], [cotangent])]))


@pytest.mark.parametrize("seed", range(10))
def test_truncation_leaves_out_the_uses_further_back(demo, seed, capsys):
    net, sheet = problem(demo, seed)
    by_step = {t: witness(net, t)[2] for t in (1, 2, 3)}
    kept = [sum(by_step[t][max(0, t - K) : t].sum(0) for t in (1, 2, 3)) for K in (1, 2, 3)]
    missing = demo.truncate(net, sheet)
    table = r"K = \d ([-. \d]+)   off by (\d+)%, wrong signs: (\d) .* detached: (\S+)$"
    lines = re.findall(table, capsys.readouterr().out, re.MULTILINE)
    for K, (row, off, wrong, tape) in enumerate(lines, 1):
        close(demo.by_truncated_tape(net, K), kept[K - 1])
        np.testing.assert_allclose(np.array(row.split(), float), kept[K - 1].ravel(), atol=6e-5)
        expected = np.linalg.norm(kept[K - 1] - kept[2]) / np.linalg.norm(kept[2])
        assert missing[K - 1] == pytest.approx(expected, abs=1e-14)
        assert int(off) == round(100 * expected)
        assert int(wrong) == (kept[K - 1] * kept[2] < 0).sum()
        assert float(tape) < 1e-14
    assert len(lines) == 3


def test_the_figures_of_the_docstring(demo, capsys):
    for gain, one, two in ((1, 1.01, 0.52), (0.2, 0.32, 0.04), (2, 0.98, 0.83), (10, 0, 0)):
        missing = demo.truncate(*problem(demo, 0, gain))
        np.testing.assert_allclose(missing, [one, two, 0], atol=0.006)
    assert re.findall(r"wrong signs: (\d)", capsys.readouterr().out)[:3] == ["2", "1", "0"]


@pytest.mark.parametrize("arguments", [[], ["--seed", "1"], ["--seed", "9"]])
def test_the_largest_difference_is_printed(demo, arguments):
    sheet = printed(demo, *arguments)
    differences = [float(end) for end in re.findall(r"^  \w.*   (\de[-+]\d\d)$", sheet, re.M)]
    assert len(differences) == 5  # of tape, kernel, forward mode, central differences; and of dL/dh_t
    largest = float(re.search(r"^largest relative difference: (\S+) ", sheet, re.M)[1])
    assert largest == max(differences[:3]) < 1e-14
    assert 0 < differences[3] < 1e-9


def test_the_landmark_is_found_by_tape_and_kernel(demo, capsys):
    demo.landmark()
    assert "  tape 1.5, kernel 1.5; truncated to 1, 2, 3 steps: 0.5, 1.0, 1.5\n" in capsys.readouterr().out


def test_the_seed_decides_the_numbers(demo):
    sheets = [printed(demo, "--seed", seed) for seed in ("3", "3", "4", "0")]
    assert sheets[0] == sheets[1]
    assert len(set(sheets)) == 3


def test_the_picture_shows_the_numbers_of_the_sheet(demo, tmp_path, monkeypatch, capsys):
    drawn = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, path: drawn.append(figure))
    demo.main(["--out", str(tmp_path)])
    (figure,) = drawn
    assert figure.get_suptitle().endswith("a sum of six terms; with truncation 1 it is off by 101%, with 2 by 52%")
    graph, terms = figure.axes
    _, sheet = problem(demo, 0)

    def column(vector: np.ndarray) -> str:
        return "\n".join(f"{value:.2f}" for value in vector).replace("-", "\N{MINUS SIGN}")

    words = [text.get_text() for text in graph.texts]
    for vectors in (sheet.h, sheet.dh[:4], sheet.da[1:4], sheet.sent[1:4]):
        assert all(column(vector) in words for vector in vectors)
    assert {"$L$ = 2.18", "$e_1$ = 1.32", "$x_3$ = 0.5", "$W_{hh}$"} <= set(words)
    assert [terms.get_xlabel(), terms.get_ylabel()] == ["step k, at which W$_{hh}$ is used", "step t, whose loss it is"]
    images = {(round(np.mean(i.get_extent()[2:])), round(np.mean(i.get_extent()[:2]))): i for i in terms.images}
    assert set(images) == {*sheet.terms, (1, 3)}
    for place, (_, share) in sheet.terms.items():
        np.testing.assert_array_equal(images[place].get_array(), share)
    np.testing.assert_array_equal(images[1, 3].get_array(), sheet.gradient[1])
    shown = {(round(x, 2), round(y, 2)): text.get_text() for text in terms.texts for x, y in [text.get_position()]}
    assert shown[0.77, 3.23] == column(sheet.terms[3, 1][1][1, :1])  # t = 3, k = 1; row 2, column 1
    assert shown[1.23, 2.77] == column(sheet.terms[3, 1][1][0, 1:])
    assert len([patch for patch in terms.patches if patch.get_edgecolor() != (0, 0, 0, 0)]) == 3


@pytest.mark.parametrize("arguments", [[], ["--seed", "2", "--gain", "10"], ["--gain", "0"]])
def test_the_picture_is_written(demo, tmp_path, capsys, arguments):
    folder = tmp_path / "made" / "if missing"
    demo.main([*arguments, "--out", str(folder)])
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out.splitlines()[-1] == f"picture: {folder / 'bptt_by_hand.png'}"
    png = (folder / "bptt_by_hand.png").read_bytes()
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", png[16:24]) == (1100, 480)
    assert 20_000 < len(png) < 120_000


def test_without_a_picture_matplotlib_is_not_loaded_and_nothing_written(tmp_path):
    program = (
        "import runpy, sys; sys.argv[1:] = ['--no-plot'];"
        f"sys.path.insert(0, {str(DEMO.parent)!r}); runpy.run_path({str(DEMO)!r}, run_name='__main__');"
        "assert 'matplotlib' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-B", "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--gain", "-1"], "--gain is -1.0, expected 0 to 10"),
        (["--gain", "11"], "--gain is 11.0, expected 0 to 10"),
        (["--gain", "nan"], "--gain is nan, expected 0 to 10"),
        (["--gain", "big"], "argument --gain: invalid float value: 'big'"),
        (["--seed", str(2**64)], f"got {2**64}, expected"),
        (["--out", "file"], "--out file: no picture can be written there"),
        (["--steps", "3"], "unrecognized arguments: --steps 3"),
    ],
)
def test_bad_input_gets_one_line(demo, tmp_path, capsys, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
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
    assert options == ["--seed", "--out", "--no-plot", "--gain"]
