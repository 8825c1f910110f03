"""The network whose weights are all one: the numbers by hand, in all three ways, what is printed and drawn."""

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

DEMO = Path(__file__).parents[2] / "demos" / "srn.py"


@pytest.fixture(scope="module")
def srn() -> ModuleType:
    spec = importlib.util.spec_from_file_location("srn", DEMO)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def unrolled(w: float, f) -> list[float]:
    """The outputs, written out: both units hold the same number, 2 w comes from two inputs, or two units."""
    h_1 = f(2 * w * 1)
    h_2 = f(2 * w * 1 + 2 * w * h_1)
    h_3 = f(2 * w * 2 + 2 * w * h_2)
    return [2 * w * h for h in (h_1, h_2, h_3)]


def test_the_run_prints_the_same_numbers_three_times_and_draws(srn, tmp_path, capsys):
    folder = tmp_path / "made" / "if missing"
    srn.main(["--out", str(folder)])
    printed = capsys.readouterr()
    linear = "4.000 4.000 | 12.000 12.000 | 32.000 32.000"
    tanh = "1.928 1.928 | 1.998 1.998 | 2.000 2.000"
    expected = []
    for name, numbers in (("linear", linear), ("tanh", tanh)):
        ways = [f"  by {way:6}{numbers}" for way in ("NumPy", "cell", "layer")]
        expected += [f"{name}: the outputs at t = 1, 2, 3", *ways, "  apart"]
    lines = printed.out.splitlines()
    assert [line if "apart" not in line else "  apart" for line in lines[:-1]] == expected
    assert lines[4] == "  apart by 0e+00 at most; gradient of y_3 by h_1, h_2, h_3: 4, 2, 1"
    apart, gradient = re.fullmatch(
        r"  apart by (\S+) at most; gradient of y_3 by h_1, h_2, h_3: (.*)", lines[9]
    ).groups()
    assert float(apart) < 3e-7
    assert [float(g) for g in gradient.split(", ")] == pytest.approx([1.5e-7, 4.9e-5, 1])
    assert printed.err == ""
    assert lines[-1] == f"picture: {folder / 'srn.png'}"
    png = (folder / "srn.png").read_bytes()
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", png[16:24])
    assert 1000 <= width <= 1200
    assert 400 <= height <= 600
    assert 20_000 < len(png) < 120_000


@pytest.mark.parametrize("weight", [1, 0.5, 0.1, -0.7, 3, 0])
@pytest.mark.parametrize(("name", "f"), [("identity", lambda a: a), ("tanh", np.tanh)])
def test_all_three_ways_give_what_is_written_out(srn, name, f, weight):
    expected = np.array(unrolled(weight, f))[:, None].repeat(2, axis=1)
    ys, hs, _ = srn.by_cell(name, weight)
    np.testing.assert_allclose(srn.by_numpy(name, weight), expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(ys, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(srn.by_layer(name, weight), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(2 * weight * hs, expected, rtol=1e-5, atol=1e-6)


def test_with_weights_of_one_the_linear_numbers_are_exact(srn):
    for values in (srn.by_numpy("identity", 1), srn.by_cell("identity", 1)[0], srn.by_layer("identity", 1)):
        np.testing.assert_array_equal(values, [[4, 4], [12, 12], [32, 32]])


@pytest.mark.parametrize("weight", [1, 0.5, -0.7])
@pytest.mark.parametrize(("name", "slope"), [("identity", lambda h: 1), ("tanh", lambda h: 1 - h * h)])
def test_the_gradient_is_the_product_of_the_steps_factors(srn, name, slope, weight):
    outputs = unrolled(weight, np.tanh if name == "tanh" else lambda a: a)
    _, h_2, h_3 = (y / (2 * weight) for y in outputs)
    by_h3 = weight
    by_h2 = by_h3 * 2 * weight * slope(h_3)
    by_h1 = by_h2 * 2 * weight * slope(h_2)
    expected = np.array([by_h1, by_h2, by_h3])[:, None].repeat(2, axis=1)
    np.testing.assert_allclose(srn.by_cell(name, weight)[2], expected, rtol=5e-3)  # float32 has few digits of 1 - h^2


def test_the_picture_shows_every_number(srn, tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, path: drawn.append(figure))
    srn.main(["--out", str(tmp_path)])
    (figure,) = drawn
    assert figure.get_suptitle() == "All weights 1; gradient of $y_3$ by each unit of $h_1$: 4 (linear), 1.5e-07 (tanh)"
    expected = {
        "linear, f(a) = a": (["2", "6", "16", "4", "12", "32"], ["4", "2", "1"]),
        "f = tanh": (["0.964", "0.999", "1.000", "1.928", "1.998", "2.000"], ["1.5e-07", "4.9e-05", "1"]),
    }
    for axes in figure.axes:
        texts = [text.get_text() for text in axes.texts]
        units, gradients = expected[axes.get_title()]
        for number in ["0", "1", "1", "2", *units]:
            assert f"{number}\n{number}" in texts
        for text in (*gradients, "t = 1", "t = 2", "t = 3", "$x_t$", "$h_t$", "$y_t$"):
            assert text in texts


@pytest.mark.parametrize("weight", ["0", "-0.5", "10", "-10"])
def test_other_weights_are_computed_and_drawn(srn, tmp_path, capsys, weight):
    srn.main(["--weight", weight, "--out", str(tmp_path)])
    for apart in re.findall(r"apart by (\S+) at most", capsys.readouterr().out):
        assert float(apart) < 1e-5
    assert (tmp_path / "srn.png").stat().st_size > 20_000


def test_the_smallest_run_draws_into_out(srn, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    srn.main([])
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.png")] == ["out/srn.png"]


def test_without_a_picture_matplotlib_is_not_loaded_and_nothing_written(tmp_path):
    program = (
        "import runpy, sys; sys.argv[1:] = ['--no-plot'];"
        f"sys.path.insert(0, {str(DEMO.parent)!r}); runpy.run_path({str(DEMO)!r}, run_name='__main__');"
        "assert 'matplotlib' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-B", "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 10
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--weight", "one"], "argument --weight: invalid float value: 'one'"),
        (["--weight", "11"], "--weight is 11.0, expected a number from -10 to 10"),
        (["--weight", "nan"], "--weight is nan, expected a number from -10 to 10"),
        (["--seed", str(2**64)], f"got {2**64}, expected"),
        (["--out", "file"], "--out file: no picture can be written there"),
        (["--out", "taken"], "no picture can be written there"),
        (["--steps", "3"], "unrecognized arguments: --steps 3"),
    ],
)
def test_bad_input_gets_one_line_before_anything_is_computed(srn, tmp_path, capsys, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    Path("taken/srn.png").mkdir(parents=True)
    with pytest.raises(SystemExit) as end:
        srn.main(arguments)
    out, err = capsys.readouterr()
    assert end.value.code == 2
    assert out == ""
    assert len(err.splitlines()) == 1
    assert message in err


def test_help_names_every_option(srn, capsys):
    with pytest.raises(SystemExit) as end:
        srn.main(["--help"])
    assert end.value.code == 0
    options = re.findall(r"^  (--[a-z-]+)", capsys.readouterr().out, re.MULTILINE)
    assert options == ["--seed", "--out", "--no-plot", "--weight"]
