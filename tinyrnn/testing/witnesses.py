"""witnesses: one gradient, found in five independent ways, in one table."""

from __future__ import annotations

import copy
import time
import tracemalloc
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tinyrnn.autograd.backward import grad
from tinyrnn.autograd.graph import Array, make
from tinyrnn.autograd.modes import enable_grad, no_grad
from tinyrnn.autograd.quotients import complex_steps
from tinyrnn.bptt.rtrl import rtrl
from tinyrnn.nn import GRU, LSTM, RNN, GRUCell, LSTMCell, Module, Recurrent, RNNBase, RNNCell
from tinyrnn.nn.functional import linear
from tinyrnn.tensor import Tensor
from tinyrnn.testing.twins import as_torch, import_torch, twin

Gradients = dict[str, Array]


class Witness(NamedTuple):
    """How one way of finding the gradient compares with the fused kernel."""

    name: str
    difference: float | None  # the largest of all gradients, relative to the largest entry; None: it could not be asked
    seconds: float
    bytes: int  # the most that was held meanwhile, beyond what was there before
    note: str = ""  # why it could not be asked


class Witnesses(list[Witness]):
    """One row for each; prints as a table."""

    @property
    def worst(self) -> float:
        """The largest difference of those that could be asked."""
        return max(w.difference for w in self if w.difference is not None)

    def __str__(self) -> str:
        lines = [f"{'':28}{'difference':>12}{'time':>12}{'memory':>12}"]
        for name, difference, seconds, size, note in self:
            if difference is None:
                lines.append(f"{name:28}{note:>36}")
            else:
                lines.append(f"{name:28}{difference:12.1e}{1e3 * seconds:9.2f} ms{size / 1024:9.1f} kB")
        return "\n".join(lines)


def witnesses(layer: RNNBase, x: Tensor, hx: Any = None, *, seed: int = 0) -> Witnesses:
    """The gradients of all parameters, of the input and of the initial states, found in five ways.

    layer  an RNN, LSTM or GRU of float64, without dropout; x (T, N, I), or (N, T, I) with batch_first; hx its initial
           states, random if not given. Small sizes: real-time recurrent learning carries all parameters along. It is
           copied, and what is frozen is asked for like the rest
    seed   of the cotangents, one for the output and one for each last state

        fused kernel         kernels/rnn.py, lstm.py, gru.py: what the layer runs
        tape                 nn.Recurrent over cells with the same parameters: one node or more a step
        real-time learning   bptt/rtrl.py: forward mode, carried along from step to step
        complex step         Im L(theta + ih) / h for every single number
        torch                the twin of testing/twins.py, where torch is installed

    Returns Witnesses, a table of the largest differences from the fused kernel, the times and the memory.
    Raises TypeError for another layer, one of your own below it included, and for another dtype; ValueError for
    dropout, learned initial states, parameters that two names share, and for x or hx of another shape.

    >>> from tinyrnn import nn, randn
    >>> witnesses(nn.GRU(2, 3).double(), randn(4, 2, 2).double()).worst < 1e-12
    True
    """
    if type(layer) not in (RNN, LSTM, GRU):
        raise TypeError(f"witnesses: the layer is a {type(layer).__name__}, expected an RNN, LSTM or GRU itself")
    given = [] if hx is None else [hx] if isinstance(hx, Tensor) else list(hx)
    for what, value in (("x", x), *(("hx", h) for h in given), ("the layer", layer.weight_ih_l0)):
        if not isinstance(value, Tensor) or value.dtype != np.float64:
            got = f"of {value.dtype}" if isinstance(value, Tensor) else f"a {type(value).__name__}"
            raise TypeError(f"witnesses: {what} is {got}, expected float64: .double() it")
    if layer.dropout and layer.training:
        raise ValueError(f"witnesses: dropout is {layer.dropout}, whose draws no two ways share: layer.eval()")
    if layer.learn_initial_state:
        raise ValueError("witnesses: the layer learns its initial states: give one that does not, and the states as hx")
    if x.ndim != 3:
        raise ValueError(f"witnesses: x has shape {x.shape}, expected a batch (T, N, I), or (N, T, I) with batch_first")
    if len({*layer.parameters()}) < sum(map(len, layer.all_weights)):
        raise ValueError("witnesses: two names of the layer share a parameter: give each its own")
    layer = copy.deepcopy(layer).requires_grad_()
    rng = np.random.default_rng(seed)
    N = x.shape[0 if layer.batch_first else 1]
    rows = layer.num_layers * len(layer._directions())
    shapes = [(rows, N, size) for size in layer._state_sizes()]
    if given and [h.shape for h in given] != shapes:
        raise ValueError(f"witnesses: hx has shapes {[h.shape for h in given]}, expected {shapes}")
    arrays = [h.detach().array for h in given] or [rng.standard_normal(shape) for shape in shapes]
    leaf = [make(Tensor, array.copy()).requires_grad_() for array in (x.detach().array, *arrays)]
    names = ["x", *layer.state_names, *[name for name, _ in layer.named_parameters()]]
    leaves = dict(zip(names, [*leaf, *layer.parameters()], strict=True))
    with no_grad():
        cotangents = [rng.standard_normal(y.shape) for y in _outputs(layer, leaf)]

    def by_backward(module: Any) -> Gradients:
        with enable_grad():
            outs = _outputs(module, leaf)
        found = grad(outs, list(leaves.values()), [make(Tensor, v) for v in cotangents])
        return {name: g.array for name, g in zip(leaves, found, strict=True) if g is not None}

    def by_rtrl() -> Gradients:
        def time_first(a: Array) -> Array:
            return a.swapaxes(0, 1) if layer.batch_first else a

        seen = [time_first(cotangents[0]), *cotangents[1:]]
        found = rtrl(layer, time_first(leaf[0].array), [h.array for h in leaf[1:]], seen)[1]
        return found | {"x": time_first(found["x"])}

    def by_complex_steps() -> Gradients:
        def evaluate() -> list[Array]:
            with no_grad():
                return [y.array for y in _outputs(layer, leaf)]

        every = list(leaves.values())
        return {name: complex_steps(evaluate, every, value, cotangents) for name, value in leaves.items()}

    def by_torch() -> Gradients:
        torch = import_torch()
        theirs, there = twin(layer), [as_torch(value) for value in leaf]
        outs = _outputs(theirs, there)
        torch.autograd.backward(outs, [torch.from_numpy(v) for v in cotangents])
        own = dict(theirs.named_parameters())
        found = [*there, *[own[name] for name, _ in layer.named_parameters()]]
        return {name: value.grad.numpy() for name, value in zip(leaves, found, strict=True)}

    ways: dict[str, Callable[[], Gradients]] = {
        "fused kernel": lambda: by_backward(layer),
        "tape over unrolled cells": lambda: by_backward(unrolled(layer)),
        "real-time recurrent learning": by_rtrl,
        "complex step": by_complex_steps,
        "torch": by_torch,
    }
    table, reference = Witnesses(), by_backward(layer)
    for name, way in ways.items():
        if name == "torch" and (note := _why_not_torch(layer)):
            table.append(Witness(name, None, 0.0, 0, note))
            continue
        way()  # the first run may load and allocate what stays
        begin = time.perf_counter()
        found = way()
        seconds = time.perf_counter() - begin
        tracemalloc.start()
        way()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        table.append(Witness(name, max(_difference(found[n], g) for n, g in reference.items()), seconds, peak))
    return table


def _why_not_torch(layer: RNNBase) -> str:
    """Why torch cannot be asked about the layer, or nothing."""
    if isinstance(layer, RNN) and layer.nonlinearity not in ("tanh", "relu"):
        return f"has no {layer.nonlinearity}"
    try:
        import_torch()
    except ImportError:
        return "not installed"
    return ""


def _outputs(module: Any, values: list[Any]) -> list[Any]:
    y, last = module(values[0], values[1] if len(values) == 2 else tuple(values[1:]))
    return [y, *last] if isinstance(last, tuple) else [y, last]


def unrolled(layer: RNNBase) -> Recurrent:
    """Recurrent over cells that own the very parameters of the layer."""
    kinds = {"LSTM": LSTMCell, "GRU": GRUCell}
    cells = []
    for k in range(layer.num_layers):
        for end in layer._directions():
            I = getattr(layer, f"weight_ih_l{k}{end}").shape[1]
            options: dict[str, Any] = {"bias": layer.bias, "dtype": np.float64}
            if layer.proj_size:
                cell: Any = _ProjectedLSTMCell()
            elif layer.mode in kinds:
                cell = kinds[layer.mode](I, layer.hidden_size, **options)
            else:
                cell = RNNCell(I, layer.hidden_size, nonlinearity=layer.nonlinearity, **options)
            for name in layer.weight_names:
                setattr(cell, name, getattr(layer, f"{name}_l{k}{end}", None))
            cells.append(cell)
    return Recurrent(cells, bidirectional=layer.bidirectional, batch_first=layer.batch_first)


class _ProjectedLSTMCell(Module):
    """h = W_hr (o tanh c), with c and the gates of LSTM: the one cell that neither we nor torch have."""

    def forward(self, x: Tensor, hx: Any) -> tuple[Tensor, Tensor]:
        h, c = hx or (x.new_zeros(len(x), len(self.weight_hr)), x.new_zeros(len(x), self.weight_hr.shape[1]))
        a = linear(x, self.weight_ih, self.bias_ih) + linear(h, self.weight_hh, self.bias_hh)
        i, f, g, o = a.chunk(4, 1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        return linear(o.sigmoid() * c.tanh(), self.weight_hr), c


def _difference(found: Array, expected: Array) -> float:
    largest = float(np.max(np.abs(expected), initial=0))
    return float(np.max(np.abs(found - expected), initial=0)) / (largest or 1)
