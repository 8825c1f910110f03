"""check_bptt: a hand-written forward and backward pass, checked at several lengths, and told where it is wrong.

Three steps. What the gradients should be comes from central differences of the forward pass that is given. Where the
backward pass disagrees, the pattern says when: from which length on, from which batch on. And what it gives is compared
with backward passes that have a known fault each (suspects.py): the one that it equals says why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import permutations
from typing import Any, NamedTuple

import numpy as np

from tinyrnn.autograd.quotients import EPS, central_differences
from tinyrnn.bptt.suspects import MODELS, ONE_BY_ONE, Arrays
from tinyrnn.kernels.records import Array

NAMES = {
    "rnn": ("x", "h0", "w_ih", "w_hh", "b"),
    "lstm": ("x", "h0", "c0", "w_ih", "w_hh", "b"),
    "gru": ("x", "h0", "w_ih", "w_hh", "b_ih", "b_hh"),
}
GATES = {"rnn": "", "lstm": "ifgo", "gru": "rzn"}
I, H, N = 2, 3, 4  # the sizes of the trials, all different so that nothing fits by accident
STEP = EPS ** (1 / 3)
SAME = 1e-5  # how near a gradient must be to a suspect's, relative to the largest entry


class Finding(NamedTuple):
    """One thing that is wrong: a sentence, when it shows, and the gradients that it spoils."""

    what: str
    when: str
    gradients: tuple[str, ...]

    def __str__(self) -> str:
        spoiled = f" ({', '.join('d' + name for name in self.gradients)})" if self.gradients else ""
        return f"{self.when}: {self.what}{spoiled}" if self.when else f"{self.what}{spoiled}"


class Report(list[Finding]):
    """What was found, [] and true if the backward pass is right; prints as the findings and a table of errors."""

    def __init__(self, findings: Sequence[Finding], errors: Mapping[tuple[int, int], Mapping[str, float]]) -> None:
        super().__init__(findings)
        self.errors = errors  # {(T, N): {gradient: the largest error, relative to its largest entry}}

    def __bool__(self) -> bool:
        return not len(self)

    def __str__(self) -> str:
        lines = ["the backward pass is right" if self else "the backward pass is wrong", *map(str, self)]
        names = next(iter(self.errors.values()), {})
        if names:
            lines.append(" " * 12 + "".join(f"{'d' + name:>9}" for name in names))
        for (T, n), errors in self.errors.items():
            lines.append(f"T={T:<3} N={n:<4} " + "".join(f"{error:9.0e}" for error in errors.values()))
        return "\n".join(lines)


def check_bptt(
    forward: Callable[..., tuple[Any, Any]],
    backward: Callable[[Any, Any], Any],
    kind: str = "rnn",
    *,
    nonlinearity: str = "tanh",
    lengths: Sequence[int] = (1, 2, 3, 7),
    rtol: float = 1e-6,
    seed: int = 0,
    raise_exception: bool = True,
) -> Report:
    """Whether a hand-written backward pass is right at each length, and if not, what is wrong with it.

    forward       forward(x, h0, w_ih, w_hh, b) -> (y, cache) for kind "rnn"; (x, h0, c0, w_ih, w_hh, b) for "lstm";
                  (x, h0, w_ih, w_hh, b_ih, b_hh) for "gru". cache is whatever backward wants
    backward      backward(dy, cache) -> the gradients of forward's arguments, in their order or as a dict by these
                  names; None for one that is not computed, which is then not checked
    nonlinearity  of "rnn": tanh, relu, sigmoid or identity
    lengths       the numbers of steps T to try; each with a batch of 1 and of 4
    rtol          the largest error allowed, relative to the largest entry
    raise_exception  whether what is wrong raises AssertionError, or is only returned
    Shapes: x (T, N, I), h0 and c0 (N, H), w_ih (G H, I), w_hh (G H, H), biases (G H,), y and dy (T, N, H), float64;
        the gates as torch's: i, f, g, o (G = 4), and r, z, n (G = 3), with r applied after the product. Other layouts:
        write two lines around your functions.
    Returns a Report, true if all is right. Raises ValueError for an unknown kind, for no lengths, for results whose
    number or shapes do not fit, for NaN from forward, and where it gives another y each time; TypeError for a y that is
    not float64; AssertionError with the report.

    >>> def forward(x, h0, w_ih, w_hh, b):
    ...     hs = [h0]
    ...     for x_t in x:
    ...         hs.append(np.tanh(x_t @ w_ih.T + hs[-1] @ w_hh.T + b))
    ...     return np.array(hs[1:]), (x, hs, w_ih, w_hh)
    >>> def backward(dy, cache):
    ...     x, hs, w_ih, w_hh = cache
    ...     dx, dw_ih, dw_hh, db = np.zeros_like(x), 0, 0, 0
    ...     for t in reversed(range(len(x))):
    ...         da = dy[t] * (1 - hs[t + 1] ** 2)  # and where is what came from step t+1?
    ...         dx[t], dw_ih, dw_hh, db = da @ w_ih, dw_ih + da.T @ x[t], dw_hh + da.T @ hs[t], db + da.sum(0)
    ...     return dx, da @ w_hh, dw_ih, dw_hh, db
    >>> print(check_bptt(forward, backward, raise_exception=False)[0].what)
    the recurrent gradient is not carried: dh of step t is left out at step t-1
    """
    if kind not in MODELS:
        raise ValueError(f"check_bptt: kind is {kind!r}, expected one of {', '.join(MODELS)}")
    if not len(lengths) or not all(isinstance(T, int) and T > 0 for T in lengths):
        raise ValueError(f"check_bptt: lengths are {lengths!r}, expected numbers of steps from 1, at least one")
    trials = [_Trial(forward, backward, kind, nonlinearity, T, n, rtol, seed) for T in sorted(lengths) for n in (1, N)]
    report = Report(_findings(trials), {(trial.T, trial.N): trial.errors for trial in trials})
    if raise_exception and not report:
        raise AssertionError(f"check_bptt: {report}")
    return report


class _Trial:
    """One length and one batch: what backward gives, and what it should."""

    def __init__(self, forward: Any, backward: Any, kind: str, f: str, T: int, n: int, rtol: float, seed: int) -> None:
        self.kind, self.f, self.T, self.N = kind, f, T, n
        rng, rows = np.random.default_rng([seed, T, n]), H * max(1, len(GATES[kind]))
        shapes = {"x": (T, n, I), "h0": (n, H), "c0": (n, H), "w_ih": (rows, I), "w_hh": (rows, H)}
        self.p = {name: rng.uniform(-1, 1, shapes.get(name, (rows,))) for name in NAMES[kind]}
        self.dy = rng.standard_normal((T, n, H))
        given = {name: array.copy() for name, array in self.p.items()}
        dy = self.dy.copy()
        y, cache = forward(*given.values())
        if np.shape(y) != dy.shape:
            raise ValueError(f"check_bptt: y has shape {np.shape(y)}, expected {dy.shape}, the states of all steps")
        self.y = np.array(y)
        if self.y.dtype != np.float64:
            raise TypeError(f"check_bptt: y is {self.y.dtype}, whose rounding drowns the differences, expected float64")
        if not np.isfinite(self.y).all():
            raise ValueError(f"check_bptt: forward gives NaN or infinity at T={T}, N={n}")
        self.found = self._named(backward(dy, cache))
        self.changed = [name for name, a in given.items() if not np.array_equal(a, self.p[name])]
        self.changed += [] if np.array_equal(dy, self.dy) else ["dy"]
        y, cache = forward(*[array.copy() for array in self.p.values()])
        if not np.array_equal(y, self.y):
            raise ValueError("check_bptt: forward gives another y each time (dropout, or a state that is kept?)")
        self.again = self._named(backward(self.dy.copy(), cache))

        def evaluate() -> list[Array]:
            return [np.array(forward(*[array.copy() for array in self.p.values()])[0])]

        self.truth = {n: central_differences(evaluate, self.p[n], [self.dy], STEP) for n in self.found}
        self.noise = 8 * EPS * float(np.abs(self.dy * self.y).sum()) / STEP
        self.errors = {name: self.distance(self.found[name], self.truth[name]) for name in self.found}
        self.wrong = {name for name, error in self.errors.items() if not error <= rtol}

    def _named(self, gradients: Any) -> Arrays:
        names = NAMES[self.kind]
        if not isinstance(gradients, Mapping):
            if len(gradients) != len(names):
                raise ValueError(
                    f"check_bptt: backward gave {len(gradients)} gradients, expected {len(names)}: {', '.join(names)}"
                )
            gradients = dict(zip(names, gradients, strict=True))
        if strange := set(gradients) - set(names):
            raise ValueError(f"check_bptt: backward gave {sorted(strange)}, expected names among {', '.join(names)}")
        found = {name: np.array(g, np.float64) for name, g in gradients.items() if g is not None}
        for name, g in found.items():
            if g.shape != self.p[name].shape:
                way_out = ": transpose it" if g.shape == self.p[name].shape[::-1] else ""
                raise ValueError(
                    f"check_bptt: d{name} has shape {g.shape}, expected {self.p[name].shape}, that of {name}{way_out}"
                )
        return {name: found[name] for name in names if name in found}

    def distance(self, found: Array, expected: Array) -> float:
        """The largest difference beyond the rounding of the quotients, relative to the largest entry expected."""
        largest = max(float(np.max(np.abs(expected), initial=0)), self.noise)
        difference = float(np.max(np.abs(found - expected), initial=0))
        return max(0.0, difference - self.noise) / (largest or 1.0) if np.isfinite(difference) else np.inf

    def same(self, name: str, expected: Array) -> bool:
        """Whether the gradient found is `expected`."""
        return self.distance(self.found[name], expected) <= SAME

    def suspect(self, wrong: str) -> tuple[Array, Arrays]:
        """(y, gradients) of a backward pass with this fault; with "", of the right one."""
        model = MODELS[self.kind][0]
        return model(self.p, self.dy, wrong, self.f) if self.kind == "rnn" else model(self.p, self.dy, wrong)


def _findings(trials: list[_Trial]) -> list[Finding]:
    findings = []
    if changed := sorted({name for trial in trials for name in trial.changed}):
        findings.append(Finding(f"{', '.join(changed)} of the caller's is changed: work on a copy", "", ()))
    last = trials[-1]
    kept = tuple(
        n for n in last.found if not np.allclose(last.found[n], last.again[n], rtol=1e-9, atol=0, equal_nan=True)
    )
    if kept:
        findings.append(
            Finding("a second call gives another result: gradients must start from zero at each call", "", kept)
        )
    wrong = [trial for trial in trials if trial.wrong]
    if not wrong:
        return findings
    worst = max(wrong, key=lambda trial: (trial.T, trial.N))
    y, _ = worst.suspect("")
    known = np.allclose(worst.y, y, rtol=1e-9, atol=1e-12)
    open_, base = set(worst.wrong), dict(worst.truth)
    for sentence, matched, planted in _suspects_of(worst) if known else ():
        if matched <= open_:
            open_ -= matched
            base |= {name: planted[name] for name in open_}  # a second fault would come on top of this one
            findings.append(Finding(sentence, _when(trials, matched), _ordered(worst, matched)))
    groups: dict[str, set[str]] = {}
    for name in _ordered(worst, open_):
        sentence = _alone(trials, worst, name, base[name])
        beside = "" if base[name] is worst.truth[name] else "besides, "
        groups.setdefault(beside + sentence, set()).add(name)
    for sentence, names in groups.items():
        findings.append(Finding(sentence, _when(trials, names), _ordered(worst, names)))
    if not known:
        model = {"rnn": f"h_t = {worst.f}(W_ih x_t + W_hh h_t-1 + b)", "lstm": "torch's LSTM", "gru": "torch's GRU"}
        findings.append(
            Finding(f"the forward pass is not that of {model[worst.kind]}, so no fault could be named", "", ())
        )
    return findings


def _suspects_of(trial: _Trial) -> list[tuple[str, set[str], Arrays]]:
    """(fault, the gradients that come out as with it, all of its gradients), those that explain most first.

    A suspect spoils nothing that is right. One or two of the gradients that it spoils may be wrong in another way.
    What is forgotten in the sums over t may be forgotten for one weight and not for the others.
    """
    found = []
    for sentence in MODELS[trial.kind][1]:
        _, planted = trial.suspect(sentence)
        spoiled = {name for name in trial.found if trial.distance(planted[name], trial.truth[name]) > SAME}
        matched = {name for name in spoiled if trial.same(name, planted[name])}
        if matched and sentence in ONE_BY_ONE:
            found.append((sentence, matched, trial.truth | {name: planted[name] for name in matched}))
        elif matched and spoiled <= trial.wrong and len(spoiled - matched) <= min(2, len(matched) - 1):
            found.append((sentence, matched, planted))
    return sorted(found, key=lambda suspect: -len(suspect[1]))


def _ordered(trial: _Trial, names: set[str]) -> tuple[str, ...]:
    return tuple(name for name in trial.found if name in names)


def _when(trials: list[_Trial], names: set[str]) -> str:
    """At which lengths and batches these gradients are wrong."""
    bad = [trial for trial in trials if trial.wrong & names]
    wrong, batches = sorted({trial.T for trial in bad}), {trial.N for trial in bad}
    right = sorted({trial.T for trial in trials} - set(wrong))
    if right and right[-1] > wrong[0]:
        words = f"wrong at T={', '.join(map(str, wrong))}, right at T={', '.join(map(str, right))}"
    else:
        words = f"right at T={right[-1]}, wrong from T={wrong[0]}" if right else f"wrong from T={wrong[0]}"
    alone = {frozenset({N}): ", with a batch of more than one alone", frozenset({1}): ", with a batch of one alone"}
    return words + alone.get(frozenset(batches), "")


def _alone(trials: list[_Trial], trial: _Trial, name: str, truth: Array) -> str:
    """What can be said of one gradient by itself, which should be `truth` in this trial."""
    g, gates = trial.found[name], GATES[trial.kind]
    if not np.isfinite(g).all():
        return "it is not finite"
    if not g.any():
        return "it is zero: nothing is added to it"
    a_sum = name not in ("x", "h0", "c0")
    scales: list[tuple[Callable[[_Trial], float], str]] = [
        (lambda t: t.N, "the batch is summed twice" if a_sum else "it is multiplied by the size of the batch"),
        (
            lambda t: 1 / t.N,
            f"it is divided by the {'batch, of which it is the sum' if a_sum else 'size of the batch'}",
        ),
        (lambda t: t.T, "it is multiplied by the number of steps"),
        (lambda t: 1 / t.T, f"it is divided by the number of steps{', of which it is the sum' * a_sum}"),
        (lambda t: 1 / (t.T * t.N), "it is divided by the number of steps and the size of the batch"),
        (lambda t: -1, "its sign is wrong"),
        (lambda t: 2, "it is twice what it should be"),
        (lambda t: 0.5, "it is half of what it should be"),
    ]
    others = [t for t in trials if truth is trial.truth[name] and name in t.found]
    for factor, sentence in scales:
        if trial.same(name, factor(trial) * truth) and all(t.same(name, factor(t) * t.truth[name]) for t in others):
            return sentence
    if g.ndim == 2 and g.shape[0] == g.shape[1] and trial.same(name, truth.T):
        return "it is transposed"
    if gates and len(g) == len(gates) * H and name not in ("x", "h0", "c0"):
        blocks = np.split(truth, len(gates))
        for order in permutations(range(len(gates))):
            if list(order) != sorted(order) and trial.same(name, np.concatenate([blocks[k] for k in order])):
                return f"its gates are in the order {', '.join(gates[k] for k in order)}, expected {', '.join(gates)}"
        pairs = zip(gates, np.split(g, len(gates)), blocks, strict=True)
        off = [gate for gate, found, block in pairs if trial.distance(found, block) > SAME]
        if 0 < len(off) < len(gates):
            return f"the rows of gate {' and '.join(off)} are wrong, the others right"
    if name == "x" and trial.same(name, truth[::-1]):
        return "its steps are in reverse order"
    if name == "x":
        per_step = [t + 1 for t in range(trial.T) if trial.distance(g[t], truth[t]) > SAME]
        if 0 < len(per_step) < trial.T:
            return f"it is wrong at t = {', '.join(map(str, per_step))} of {trial.T}, right at the others"
    return "it is wrong in a way that is not known here"
