"""check_bptt passes what is right, and names what is wrong: a museum of classic broken backward passes.

The programs below are as people write them, in two styles, each right; an exhibit changes one line of one of them.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tinyrnn.bptt import Finding, check_bptt, suspects

RNN = """
def forward(x, h0, w_ih, w_hh, b):
    h, hs, pre = h0, [h0], []
    for x_t in x:
        pre.append(np.dot(x_t, w_ih.T) + np.dot(h, w_hh.T) + b)
        h = np.tanh(pre[-1])
        hs.append(h)
    return np.stack(hs[1:]), (x, hs, pre, w_ih, w_hh, b)

def backward(dy, cache):
    x, hs, pre, w_ih, w_hh, b = cache
    T, N = dy.shape[:2]
    dx, dw_ih, dw_hh, db = np.zeros(x.shape), np.zeros(w_ih.shape), np.zeros(w_hh.shape), np.zeros(b.shape)
    dh_next = np.zeros(hs[0].shape)
    for t in reversed(range(T)):
        dh = dy[t] + dh_next
        da = dh * (1 - hs[t + 1] ** 2)
        dx[t] = np.dot(da, w_ih)
        dw_ih += np.dot(da.T, x[t])
        dw_hh += np.dot(da.T, hs[t])
        db += da.sum(axis=0)
        dh_next = np.dot(da, w_hh)
    return dx, dh_next, dw_ih, dw_hh, db
"""

LSTM = """
def sigm(v):
    return 1 / (1 + np.exp(-v))

def forward(x, h0, c0, w_ih, w_hh, b):
    T, N, H = x.shape[0], x.shape[1], h0.shape[1]
    h, c, steps, y = h0, c0, [], np.empty((T, N, H))
    for t in range(T):
        z = x[t] @ w_ih.T + h @ w_hh.T + b
        i, f, o = sigm(z[:, :H]), sigm(z[:, H:2 * H]), sigm(z[:, 3 * H:])
        g = np.tanh(z[:, 2 * H:3 * H])
        c_new = f * c + i * g
        steps.append(dict(x=x[t], h=h, c=c, i=i, f=f, g=g, o=o, c_new=c_new))
        c = c_new
        h = o * np.tanh(c)
        y[t] = h
    return y, (steps, w_ih, w_hh)

def backward(dy, cache):
    steps, w_ih, w_hh = cache
    dx, dw_ih, dw_hh, db = [], 0, 0, 0
    dh, dc = 0, 0
    for t, s in reversed(list(enumerate(steps))):
        dh = dh + dy[t]
        th = np.tanh(s["c_new"])
        do = dh * th
        dc = dc + dh * s["o"] * (1 - th ** 2)
        di, df, dg = dc * s["g"], dc * s["c"], dc * s["i"]
        zi = di * s["i"] * (1 - s["i"])
        zf = df * s["f"] * (1 - s["f"])
        zg = dg * (1 - s["g"] ** 2)
        zo = do * s["o"] * (1 - s["o"])
        dz = np.concatenate([zi, zf, zg, zo], axis=1)
        dx.insert(0, dz @ w_ih)
        dw_ih = dw_ih + dz.T @ s["x"]
        dw_hh = dw_hh + dz.T @ s["h"]
        db = db + dz.sum(0)
        dh = dz @ w_hh
        dc = dc * s["f"]
    return dict(x=np.array(dx), h0=dh, c0=dc, w_ih=dw_ih, w_hh=dw_hh, b=db)
"""

GRU = """
def sigm(v):
    return 1 / (1 + np.exp(-v))

def forward(x, h0, w_ih, w_hh, b_ih, b_hh):
    H, h, y, steps = h0.shape[1], h0, [], []
    for x_t in x:
        p, q = x_t @ w_ih.T + b_ih, h @ w_hh.T + b_hh
        r = sigm(p[:, :H] + q[:, :H])
        z = sigm(p[:, H:2 * H] + q[:, H:2 * H])
        n = np.tanh(p[:, 2 * H:] + r * q[:, 2 * H:])
        steps.append((x_t, h, r, z, n, q[:, 2 * H:]))
        h = (1 - z) * n + z * h
        y.append(h)
    return np.array(y), (steps, w_ih, w_hh)

def backward(dy, cache):
    steps, w_ih, w_hh = cache
    dx, dh_next = [], np.zeros_like(dy[0])
    dw_ih, dw_hh, db_ih, db_hh = 0 * w_ih, 0 * w_hh, 0, 0
    for (x, h, r, z, n, qn), dy_t in zip(steps[::-1], dy[::-1]):
        dh = dh_next + dy_t
        dn = dh * (1 - z) * (1 - n * n)
        dz = dh * (h - n) * z * (1 - z)
        dr = dn * qn * r * (1 - r)
        dp = np.concatenate([dr, dz, dn], 1)
        dq = np.concatenate([dr, dz, dn * r], 1)
        dx.append(dp @ w_ih)
        dw_ih += dp.T @ x
        dw_hh += dq.T @ h
        db_ih = db_ih + dp.sum(0)
        db_hh = db_hh + dq.sum(0)
        dh_next = dq @ w_hh + dh * z
    return np.array(dx[::-1]), dh_next, dw_ih, dw_hh, db_ih, db_hh
"""

PROGRAMS = {"rnn": RNN, "lstm": LSTM, "gru": GRU}


def functions(program: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    namespace: dict[str, Any] = {"np": np}
    exec(textwrap.dedent(program), namespace)
    return namespace["forward"], namespace["backward"]


def changed(kind: str, *changes: tuple[str, str]) -> tuple[Callable[..., Any], Callable[..., Any]]:
    program = PROGRAMS[kind]
    for line, instead in changes:
        assert program.count(line) == 1, line
        program = program.replace(line, instead)
    return functions(program)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", PROGRAMS)
def test_what_is_right_passes(kind: str, seed: int) -> None:
    report = check_bptt(*functions(PROGRAMS[kind]), kind, seed=seed)
    assert report
    assert list(report) == []
    assert str(report).startswith("the backward pass is right\n")
    assert [key[0] for key in report.errors] == [1, 1, 2, 2, 3, 3, 7, 7]


# ruff: noqa: E501
# (kind, the line, what stands there instead, the diagnosis, when it shows)
MUSEUM = [
    ("rnn", "dh = dy[t] + dh_next", "dh = dy[t]", suspects.NOT_CARRIED, "right at T=1, wrong from T=2"),
    ("rnn", "dw_hh += np.dot(da.T, hs[t])", "dw_hh += np.dot(da.T, hs[t + 1])", suspects.H_FOR_H_BEFORE, "wrong from T=1"),
    ("rnn", "dh_next = np.dot(da, w_hh)", "dh_next = np.dot(da, w_hh.T)", suspects.NOT_TRANSPOSED, "wrong from T=1"),
    ("rnn", "da = dh * (1 - hs[t + 1] ** 2)", "da = dh", suspects.NO_SLOPE, "wrong from T=1"),
    ("rnn", "(1 - hs[t + 1] ** 2)", "(1 - pre[t] ** 2)", suspects.SLOPE_OF_A, "wrong from T=1"),
    ("rnn", "for t in reversed(range(T)):", "for t in range(T):", suspects.FORWARD_IN_TIME, "right at T=1, wrong from T=2"),
    (
        "rnn",
        "dh = dy[t] + dh_next",
        "dh = (dy[t] if t == T - 1 else 0) + dh_next",
        suspects.ONLY_LAST_DY,
        "right at T=1, wrong from T=2",
    ),
    ("rnn", "dw_ih += np.dot(da.T, x[t])", "dw_ih += N * np.dot(da.T, x[t])", "the batch is summed twice", "wrong from T=1, with"),
    ("rnn", "db += da.sum(axis=0)", "db += da.mean(axis=0)", "it is divided by the batch", "wrong from T=1, with a batch"),
    ("rnn", "db += da.sum(axis=0)", "db = da.sum(axis=0)", suspects.OVERWRITTEN, "right at T=1, wrong from T=2"),
    ("rnn", "db += da.sum(axis=0)", "db += da.sum(axis=0) ** 3", "it is wrong in a way", "wrong from T=1"),
    ("rnn", "dw_hh += np.dot(da.T, hs[t])", "dw_hh += np.dot(da.T, hs[t]) * (t > 0)", suspects.FIRST_STEP_LEFT_OUT, "wrong from T=1"),
    ("rnn", "(1 - hs[t + 1] ** 2)", "(1 - hs[t] ** 2)", suspects.SLOPE_BEFORE, "wrong from T=1"),
    ("rnn", "dh_next = np.dot(da, w_hh)", "dh_next = np.dot(dh, w_hh)", suspects.SLOPE_NOT_CARRIED, "wrong from T=1"),
    ("rnn", "return dx,", "return dx[::-1],", "its steps are in reverse order", "right at T=1, wrong from T=2"),
    ("rnn", "return dx,", "return dx / N,", "it is divided by the size of the batch", "wrong from T=1, with a batch of more"),
    ("rnn", "return dx,", "return dx * (1 + 3e-6),", "it is wrong in a way", "wrong from T=1"),
    ("rnn", "return dx,", "return dx * np.nan,", "it is not finite", "wrong from T=1"),
    ("rnn", "return dx,", "return (dx if N > 1 else 3 * dx),", "it is wrong in a way", "wrong from T=1, with a batch of one alone"),
    ("rnn", "return dx,", "return (dx if T != 2 else 3 * dx),", "it is wrong in a way", "wrong at T=2, right at T=1, 3, 7"),
    ("rnn", "dw_hh, db\n", "dw_hh, db / (T * N)\n", "it is divided by the number of steps and the size", "wrong from T=1"),
    ("lstm", "(1 - th ** 2)", "(1 - s[\"c_new\"] ** 2)", suspects.C_FOR_TANH_C, "wrong from T=1"),
    ("rnn", "return dx, dh_next", "return dx, dh", suspects.BEFORE_H0, "wrong from T=1"),
    ("rnn", "dx[t] = np.dot(da, w_ih)", "pass", "it is zero: nothing is added to it", "wrong from T=1"),
    ("rnn", "return dx,", "return -dx,", "its sign is wrong", "wrong from T=1"),
    ("rnn", "return dx, dh_next, dw_ih, dw_hh", "return dx, dh_next, dw_ih, dw_hh.T", "it is transposed", "wrong from T=1"),
    ("rnn", "dx[t] = np.dot(da, w_ih)", "dx[t] = np.dot(da, w_ih) * (t > 0)", "it is wrong at t = 1 of 7", "wrong from T=1"),
    ("lstm", "dc = dc + dh * s", "dc = dh * s", suspects.DC_NOT_CARRIED, "right at T=1, wrong from T=2"),
    ("lstm", "dc = dc * s[\"f\"]", "pass", suspects.DC_WITHOUT_F, "wrong from T=1"),
    ("lstm", "zi = di * s[\"i\"] * (1 - s[\"i\"])", "zi = di", "gate i: its derivative lacks sigma'", "wrong from T=1"),
    ("lstm", "zf = df * s[\"f\"] * (1 - s[\"f\"])", "zf = df", "gate f: its derivative lacks sigma'", "wrong from T=1"),
    ("lstm", "zg = dg * (1 - s[\"g\"] ** 2)", "zg = dg", "gate g: its derivative lacks tanh'", "wrong from T=1"),
    ("lstm", "zo = do * s[\"o\"] * (1 - s[\"o\"])", "zo = do", "gate o: its derivative lacks sigma'", "wrong from T=1"),
    ("lstm", " * (1 - th ** 2)", "", suspects.NO_TANH_C, "wrong from T=1"),
    ("lstm", "dc = dc + dh * s[\"o\"] * (1 - th ** 2)", "dc = dc + 0 * dh", suspects.DH_NOT_INTO_DC, "wrong from T=1"),
    ("lstm", "dc * s[\"c\"], dc", "dc * s[\"c_new\"], dc", suspects.C_FOR_C_BEFORE, "wrong from T=1"),
    ("lstm", "dc * s[\"g\"], dc * s[\"c\"], dc * s[\"i\"]", "dc * s[\"i\"], dc * s[\"c\"], dc * s[\"g\"]", suspects.I_AND_G, "wrong"),
    ("lstm", "dh = dh + dy[t]", "dh = dy[t]", suspects.NOT_CARRIED, "right at T=1, wrong from T=2"),
    ("lstm", "b=db)", "b=np.concatenate([db[:6], db[9:], db[6:9]]))", "its gates are in the order i, f, o, g", "wrong from T=1"),
    ("lstm", "b=db)", "b=np.concatenate([db[:6], 3 * db[6:]]))", "the rows of gate g and o are wrong", "wrong from T=1"),
    ("gru", " + dh * z", "", suspects.NO_DIRECT_PATH, "wrong from T=1"),
    ("gru", "[dr, dz, dn * r]", "[dr, dz, dn]", suspects.R_NOT_IN_U, "wrong from T=1"),
    ("gru", "dr = dn * qn * r * (1 - r)", "dr = 0 * dn", suspects.NOTHING_THROUGH_R, "wrong from T=1"),
    ("gru", "dz = dh * (h - n)", "dz = dh * (-n)", suspects.NO_H_IN_Z, "wrong from T=1"),
    ("gru", "dr = dn * qn * r * (1 - r)", "dr = dn * qn", "gate r: its derivative lacks sigma'", "wrong from T=1"),
    ("gru", "dh = dh_next + dy_t", "dh = dy_t", suspects.NOT_CARRIED, "right at T=1, wrong from T=2"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "line", "instead", "diagnosis", "when"), MUSEUM)
def test_the_museum(kind: str, line: str, instead: str, diagnosis: str, when: str) -> None:
    report = check_bptt(*changed(kind, (line, instead)), kind, raise_exception=False)
    assert not report
    assert [finding.what[: len(diagnosis)] for finding in report] == [diagnosis]
    assert report[0].when.startswith(when)


def test_two_faults_get_two_diagnoses() -> None:
    broken = changed(
        "lstm", ('zf = df * s["f"] * (1 - s["f"])', "zf = df"), ("db = db + dz.sum(0)", "db = db + len(dz) * dz.sum(0)")
    )
    report = check_bptt(*broken, "lstm", raise_exception=False)
    assert [finding.what for finding in report] == [
        "gate f: its derivative lacks sigma'",
        "besides, the batch is summed twice",
    ]
    assert [finding.gradients for finding in report] == [("x", "h0", "c0", "w_ih", "w_hh"), ("b",)]


@pytest.mark.parametrize("factor", ["N", "T"])
def test_a_factor_is_named_where_the_length_is_that_of_the_batch(factor: str) -> None:
    broken = changed("rnn", ("return dx, dh_next, dw_ih", f"return dx, dh_next, {factor} * dw_ih"))
    report = check_bptt(*broken, lengths=(2, 4), raise_exception=False)
    expected = "the batch is summed twice" if factor == "N" else "it is multiplied by the number of steps"
    assert [finding.what for finding in report] == [expected]


def test_gradients_that_pile_up_and_arguments_that_change_are_seen() -> None:
    forward, backward = functions(RNN)
    total = np.zeros((3, 2))

    def piling(dy: Any, cache: Any) -> Any:
        nonlocal total
        gradients = list(backward(dy, cache))
        total = total + gradients[2]
        gradients[2] = total
        return gradients

    report = check_bptt(forward, piling, raise_exception=False)
    assert report[0] == Finding(
        "a second call gives another result: gradients must start from zero at each call", "", ("w_ih",)
    )

    def spoiling(dy: Any, cache: Any) -> Any:
        gradients = backward(dy.copy(), cache)
        dy *= 0
        return gradients

    assert "dy of the caller's is changed" in str(check_bptt(forward, spoiling, raise_exception=False))


def test_forward_passes_that_cannot_be_checked_are_refused() -> None:
    single = changed("rnn", ("np.stack(hs[1:])", "np.stack(hs[1:]).astype(np.float32)"))
    with pytest.raises(TypeError, match=r"y is float32.*expected float64"):
        check_bptt(*single)
    with pytest.raises(ValueError, match="forward gives NaN or infinity at T=1, N=1"):
        check_bptt(*changed("rnn", ("np.tanh(pre[-1])", "pre[-1] * np.nan")))
    with pytest.raises(ValueError, match="forward gives another y each time"):
        check_bptt(*changed("rnn", ("np.tanh(pre[-1])", "np.tanh(pre[-1]) * np.random.rand()")))
    for lengths in ((), (0, 1), (1.5,)):
        with pytest.raises(ValueError, match="expected numbers of steps from 1"):
            check_bptt(*functions(RNN), lengths=lengths)


def test_a_forward_pass_of_another_kind_is_still_checked_by_differences() -> None:
    leaky = changed("rnn", ("h = np.tanh(pre[-1])", "h = 0.5 * np.tanh(pre[-1])"))
    report = check_bptt(*leaky, raise_exception=False)
    assert not report
    assert "the forward pass is not that of h_t = tanh(" in report[-1].what
    right = changed(
        "rnn",
        ("h = np.tanh(pre[-1])", "h = 0.5 * np.tanh(pre[-1])"),
        ("(1 - hs[t + 1] ** 2)", "0.5 * (1 - (2 * hs[t + 1]) ** 2)"),
    )
    assert check_bptt(*right)


@pytest.mark.parametrize("nonlinearity", ["relu", "sigmoid", "identity"])
def test_other_nonlinearities(nonlinearity: str) -> None:
    run, slope = {
        "relu": ("np.maximum(pre[-1], 0)", "(hs[t + 1] > 0)"),
        "sigmoid": ("1 / (1 + np.exp(-pre[-1]))", "hs[t + 1] * (1 - hs[t + 1])"),
        "identity": ("pre[-1].copy()", "1"),
    }[nonlinearity]
    changes = [("np.tanh(pre[-1])", run), ("(1 - hs[t + 1] ** 2)", slope)]
    assert check_bptt(*changed("rnn", *changes), nonlinearity=nonlinearity)
    broken = changed("rnn", *changes, ("dh = dy[t] + dh_next", "dh = dy[t]"))
    assert check_bptt(*broken, nonlinearity=nonlinearity, raise_exception=False)[0].what == suspects.NOT_CARRIED


def test_the_report_is_the_error() -> None:
    with pytest.raises(AssertionError) as caught:
        check_bptt(*changed("rnn", ("dh = dy[t] + dh_next", "dh = dy[t]")))
    lines = str(caught.value).splitlines()
    assert lines[0] == "check_bptt: the backward pass is wrong"
    assert lines[1] == f"right at T=1, wrong from T=2: {suspects.NOT_CARRIED} (dx, dh0, dw_ih, dw_hh, db)"
    assert lines[2].split() == ["dx", "dh0", "dw_ih", "dw_hh", "db"]
    assert lines[3].split() == ["T=1", "N=1", *["0e+00"] * 5]
    assert len(lines) == 3 + 8


def test_what_is_not_computed_is_not_checked() -> None:
    forward, backward = functions(RNN)
    report = check_bptt(forward, lambda dy, cache: [None, None, *backward(dy, cache)[2:]])
    assert list(report.errors[1, 1]) == ["w_ih", "w_hh", "b"]
    assert check_bptt(forward, lambda dy, cache: {"b": backward(dy, cache)[4]})


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        (("return dx,", "return"), "rnn", "backward gave 4 gradients, expected 5: x, h0, w_ih, w_hh, b"),
        (
            ("return dx, dh_next, dw_ih", "return dx, dh_next, dw_ih.T"),
            "rnn",
            r"dw_ih has shape (2, 3).*: transpose it",
        ),
        (("np.stack(hs[1:])", "hs[-1]"), "rnn", "y has shape (1, 3), expected (1, 1, 3), the states of all steps"),
        (("c0=dc", "c=dc"), "lstm", "backward gave ['c'], expected names among x, h0, c0"),
    ],
)
def test_what_does_not_fit_is_said(change: tuple[str, str], kind: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        check_bptt(*changed(kind, change), kind)
    for part in message.split(".*"):
        assert part in str(caught.value)
    with pytest.raises(ValueError, match="kind is 'elman', expected one of rnn, lstm, gru"):
        check_bptt(*functions(RNN), "elman")
