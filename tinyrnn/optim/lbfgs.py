"""LBFGS: Newton's direction, with a Hessian that the last steps tell of; for few parameters and whole batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from tinyrnn.autograd.graph import Array, make
from tinyrnn.autograd.interrupts import held
from tinyrnn.autograd.modes import enable_grad, no_grad
from tinyrnn.autograd.views import version_of
from tinyrnn.optim.line_search import Point, strong_wolfe
from tinyrnn.optim.loading import array_like, cast, count, plain
from tinyrnn.optim.optimizer import Optimizer
from tinyrnn.optim.settings import Group, check_numbers, check_whole
from tinyrnn.tensor import Tensor


class LBFGS(Optimizer):
    """One call of step() makes up to max_iter steps. For all parameters as one vector w with gradient g:

        d = -H g           H: the inverse Hessian that fits the last history_size pairs of a step s and the change y
                           of the gradient along it, pairs with y s <= 1e-10 left out (the two-loop recursion);
                           it starts from y s / y y of the last pair times the identity, at first the identity
        w <- w + t d       t = lr, at the very first step  lr min(1, 1 / |g|_1);
                           with line_search_fn="strong_wolfe", t fulfils the strong Wolfe conditions

    and it stops before that where max |g| <= tolerance_grad, where neither w nor the loss changes by more than
    tolerance_change, and after max_eval calls of the closure (if it is not given, max_iter 5 / 4).

    The closure computes the loss anew, with zero_grad() and backward(), and returns it; step() returns the first one.
    Parameters without a gradient count as having one of zeros. There is one group of parameters only.
    state: that of the first parameter alone: func_evals, n_iter, d, t, old_dirs (the y), old_stps (the s), ro
    (1 / (y s)), H_diag, prev_flat_grad, prev_loss.
    Raises ValueError for settings that are none, another line search, a second group; TypeError for what are no
    numbers. Source: Liu and Nocedal 1989; Nocedal and Wright, Numerical optimization, 2006, algorithm 7.4;
    conventions: torch.optim.LBFGS.

    >>> import tinyrnn
    >>> w = tinyrnn.tensor([3.0, -2.0], requires_grad=True)
    >>> optimizer = LBFGS([w], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = ((w - 1) ** 2 * tinyrnn.tensor([1.0, 10.0])).sum()
    ...     loss.backward()
    ...     return loss
    >>> optimizer.step(closure).item()
    94.0
    >>> w
    tensor([1.0000, 1.0000], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        check_whole("LBFGS", "max_iter", max_iter)
        max_eval = max_iter * 5 // 4 if max_eval is None else max_eval
        settings = {"lr": lr, "max_iter": max_iter, "max_eval": max_eval, "tolerance_grad": tolerance_grad}
        more = {"tolerance_change": tolerance_change, "history_size": history_size, "line_search_fn": line_search_fn}
        super().__init__(params, {**settings, **more})

    def add_param_group(self, param_group: Group) -> None:
        """Adds the group. Raises ValueError for a second one."""
        if self.param_groups:
            raise ValueError(f"{type(self).__name__}: got a second group of parameters, expected one: they move as one")
        super().add_param_group(param_group)

    def check_group(self, group: Group) -> None:
        name = type(self).__name__
        check_numbers(name, group, "lr", "tolerance_grad", "tolerance_change")
        for what in ("max_iter", "max_eval", "history_size"):
            check_whole(name, what, group[what])
        if group["line_search_fn"] not in (None, "strong_wolfe"):
            raise ValueError(f"{name}: line_search_fn is {group['line_search_fn']!r}, expected None or 'strong_wolfe'")

    def fit_state(self, i: int, saved: dict[str, Any], p: Tensor, group: Group) -> dict[str, Any]:
        """A copy of what was saved, in p's dtype. Raises ValueError or TypeError if it does not fit all parameters."""
        where = f"{type(self).__name__}: load_state_dict: the state of parameter {i}"
        counts = {key: count(f"{where}: {key}", saved.get(key)) for key in ("func_evals", "n_iter")}
        needed = ("d", "t", "old_dirs", "old_stps", "ro", "H_diag", "prev_flat_grad", "prev_loss")
        if missing := [key for key in needed if key not in saved and counts["n_iter"]]:
            raise ValueError(f"{where} has {list(saved)}, without {missing}: is this the state of another optimizer?")
        entries, size = {**cast(saved, p.dtype), **counts}, (sum(q.numel() for q in group["params"]),)

        def vector(key: str, value: Any) -> Tensor:
            return array_like(f"{where}: {key}, of all parameters together,", value, size, p.dtype)

        def number(key: str, value: Any) -> float:
            return plain(f"{where}: {key}", value)

        kinds: dict[str, Any] = {"d": vector, "prev_flat_grad": vector, "old_dirs": [vector], "old_stps": [vector]}
        kinds |= {"t": number, "H_diag": number, "prev_loss": number, "ro": [number]}
        for key in [key for key in kinds if key in saved]:
            value, kind = saved[key], kinds[key]
            if not isinstance(kind, list):
                entries[key] = kind(key, value)
            elif isinstance(value, list | tuple) and len(value) == len(saved.get("ro", ())):
                entries[key] = [kind[0](f"{key}[{k}]", x) for k, x in enumerate(value)]
            else:
                raise ValueError(f"{where}: old_dirs, old_stps and ro are no lists of one length")
        return entries

    @no_grad()
    def step(self, closure: Callable[[], Any]) -> Any:  # type: ignore[override]
        """Goes down the loss that the closure computes. Returns the loss before the first step.

        Where the closure raises, and where Ctrl-C comes, all is as it was before.
        """
        if not callable(closure):
            raise TypeError(
                f"{type(self).__name__}: step: closure is {closure!r}, expected a function that computes the loss anew"
            )
        params = self.param_groups[0]["params"]
        with held() as interrupts:
            before = [p.array.copy() for p in params]
            try:
                return self._descend(closure, interrupts)
            except BaseException:
                for p, w in zip(params, before, strict=True):
                    if p.array.shape == w.shape:
                        p.array[...] = w
                        version_of(p)[0] += 1
                raise

    def _descend(self, closure: Callable[[], Any], interrupts: held) -> Any:
        group = self.param_groups[0]
        params, lr, search = group["params"], float(group["lr"]), group["line_search_fn"]
        tolerance, flat, max_eval = float(group["tolerance_change"]), float(group["tolerance_grad"]), group["max_eval"]
        state = self.state[params[0]]
        n_iter, history = state.get("n_iter", 0), _History(state, group["history_size"])
        last_f, evaluations = state.get("prev_loss"), 1

        def evaluate() -> tuple[Any, float, Array]:
            with interrupts.lifted(), enable_grad():
                loss = closure()
            return loss, float(loss), np.concatenate([_gradient(p) for p in params])

        loss, f, g = evaluate()
        history.follow(type(self).__name__, g)
        if np.abs(g).max() <= flat:
            state.update(func_evals=state.get("func_evals", 0) + 1, n_iter=n_iter)
            return loss

        for n in range(1, group["max_iter"] + 1):
            n_iter += 1
            if n_iter == 1:
                t = min(1.0, 1.0 / np.abs(g).sum()) * lr
            else:
                history.learn(g)
                t = lr
            d = history.direction(g)
            history.d, history.t, history.g, last_f = d, t, g, f
            slope = g.dot(d)
            if slope > -tolerance:
                break

            if search is None:
                _move(params, t * d)
                if n < group["max_iter"]:  # after the last step nobody would look
                    _, f, g = evaluate()
                    evaluations += 1
            else:
                arrays = [p.array.copy() for p in params]

                def at(t: Any, d: Array = d, arrays: list[Array] = arrays) -> Point:
                    _move(params, t * d)
                    _, f, g = evaluate()
                    for p, w in zip(params, arrays, strict=True):
                        p.array[...] = w
                    return Point(t, f, g, g.dot(d))

                here, count = strong_wolfe(
                    at, Point(0, f, g, slope), t, np.abs(d).max(), tolerance, max_eval - evaluations
                )
                history.t, f, g = here.t, here.f, here.g
                _move(params, here.t * d)
                evaluations += count

            if evaluations >= max_eval or np.abs(g).max() <= flat:
                break
            if np.abs(d * history.t).max() <= tolerance or abs(f - last_f) < tolerance:
                break

        func_evals = state.get("func_evals", 0) + evaluations
        state.update(history.entries(), func_evals=func_evals, n_iter=n_iter, prev_loss=last_f)
        return loss


class _History:
    """What the inverse Hessian is made of: the last pairs (y, s), and what the next one needs. Kept in the state."""

    def __init__(self, state: dict[str, Any], size: int) -> None:
        self.size = size
        self.ys, self.ss = ([v.array for v in state.get(key, [])] for key in ("old_dirs", "old_stps"))
        self.rhos = [float(rho) for rho in state.get("ro", [])]
        self.h, self.t = float(state.get("H_diag", 1)), float(state.get("t", 0))
        self.d: Any
        self.g: Any
        self.d, self.g = (state[key].array if key in state else None for key in ("d", "prev_flat_grad"))

    def follow(self, name: str, g: Array) -> None:
        """Casts all vectors to the dtype of the parameters, whose gradient is g. Raises ValueError if none fits g."""
        if self.g is None:
            return
        if self.g.shape != g.shape:
            raise ValueError(
                f"{name}: step: the parameters had {self.g.size} elements at the last step and have {g.size} now: "
                "clear state, which then begins anew"
            )
        self.d, self.g = self.d.astype(g.dtype, copy=False), self.g.astype(g.dtype, copy=False)
        self.ys, self.ss = ([v.astype(g.dtype, copy=False) for v in vectors] for vectors in (self.ys, self.ss))

    def learn(self, g: Array) -> None:
        """Takes in the last step, t d, after which the gradient is g."""
        y, s = g - self.g, self.d * self.t
        ys = y.dot(s)
        if ys > 1e-10:
            for pairs, new in ((self.ys, y), (self.ss, s), (self.rhos, float(1.0 / ys))):
                pairs.append(new)
                del pairs[: -self.size]
            self.h = float(ys / y.dot(y))

    def direction(self, g: Array) -> Array:
        """d = -H g, by the two-loop recursion."""
        d, pairs, alphas = -g, list(zip(self.ys, self.ss, self.rhos, strict=True)), []
        for y, s, rho in reversed(pairs):
            alphas.append(s.dot(d) * rho)
            d -= alphas[-1] * y
        d *= self.h
        for (y, s, rho), alpha in zip(pairs, reversed(alphas), strict=True):
            d += (alpha - y.dot(d) * rho) * s
        return d

    def entries(self) -> dict[str, Any]:
        """All of it under torch's names."""
        ys, ss = ([make(Tensor, v) for v in vectors] for vectors in (self.ys, self.ss))
        vectors = {"d": make(Tensor, self.d), "prev_flat_grad": make(Tensor, self.g), "old_dirs": ys, "old_stps": ss}
        return {**vectors, "t": float(self.t), "ro": self.rhos, "H_diag": self.h}


def _gradient(p: Tensor) -> Array:
    return np.zeros(p.numel(), p.dtype) if p.grad is None else p.grad.array.ravel()


def _move(params: list[Tensor], step: Array) -> None:
    start = 0
    for p in params:
        p.array += step[start : start + p.numel()].reshape(p.shape)
        start += p.numel()
        version_of(p)[0] += 1
