"""What the recurrent layers share: parameters, checks, layers and directions, packed sequences, one node for each."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from tinyrnn.autograd.graph import FRESH, Array, Gradient
from tinyrnn.autograd.modes import state
from tinyrnn.autograd.record import needs_grad, record_many
from tinyrnn.creation import empty
from tinyrnn.kernels.packed import packed
from tinyrnn.nn import functional, init
from tinyrnn.nn.arguments import check_dtype, check_probability, flag, positive
from tinyrnn.nn.modules.module import Module
from tinyrnn.nn.parameter import Parameter
from tinyrnn.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence, rows_of
from tinyrnn.ops import cat
from tinyrnn.tensor import Tensor

Weights = Sequence[Tensor | None]  # w_ih, w_hh, b_ih, b_hh, and with a projection w_hr
States = tuple[Tensor, ...]


class RNNBase(Module):
    """Base of RNN, LSTM and GRU: num_layers layers of one or two directions, each fed with the states below.

    A subclass has `gates` G, `state_names`, of which the first is that of the output, `weight_names` in the order in
    which its `kernel` takes them, and that. Source: torch.nn.RNNBase.
    """

    gates = 1
    state_names: tuple[str, ...] = ("h_0",)
    weight_names: tuple[str, ...] = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    proj_size = 0

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: DTypeLike | None = None,
        *,
        learn_initial_state: bool = False,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        self.input_size = positive(name, "input_size", input_size)
        self.hidden_size = H = positive(name, "hidden_size", hidden_size)
        self.num_layers = positive(name, "num_layers", num_layers)
        self.bias = flag(name, "bias", bias)
        self.batch_first = flag(name, "batch_first", batch_first)
        check_probability(name, dropout)
        self.dropout = float(dropout)
        self.bidirectional = flag(name, "bidirectional", bidirectional)
        self.learn_initial_state = flag(name, "learn_initial_state", learn_initial_state)
        if dropout and num_layers == 1:
            warnings.warn(
                f"{name}: dropout={dropout} has no effect with num_layers=1: it acts between layers alone",
                UserWarning,
                stacklevel=3,
            )
        G, P, D = self.gates, self.proj_size or H, len(self._directions())
        self._names: list[list[str]] = []  # of the weights of each layer and direction
        for layer in range(self.num_layers):
            for end in self._directions():
                self._names.append([f"{weight}_l{layer}{end}" for weight in self.weight_names])
                I = self.input_size if layer == 0 else D * P
                shapes = ((G * H, I), (G * H, P), (G * H,), (G * H,), (P, H))
                for weight, shape in zip(self._names[-1], shapes, strict=False):
                    wanted = bias if weight.startswith("bias") else self.proj_size or not weight.startswith("weight_hr")
                    if wanted:
                        self.register_parameter(weight, Parameter(empty(shape, dtype=dtype, device=device)))
        if self.learn_initial_state:
            for state, size in zip(self.state_names, self._state_sizes(), strict=True):
                shape = (self.num_layers * D, size)
                self.register_parameter(f"initial_{state[0]}", Parameter(empty(shape, dtype=dtype, device=device)))
        self.reset_parameters()

    def kernel(self, *arrays: Any, **options: Any) -> Any:
        """(y, *last states), pullback = kernel(x, *states, *weights, reverse, keep), on arrays: see kernels/."""
        raise NotImplementedError(f"{type(self).__name__} has no kernel()")

    def reset_parameters(self) -> None:
        """Draws all weights anew, from U(-1/sqrt(H), 1/sqrt(H)) in their order; learned initial states become 0."""
        bound = 1 / math.sqrt(self.hidden_size)
        for name, parameter in self.named_parameters():
            if name.startswith("initial_"):
                init.zeros_(parameter)
            else:
                init.uniform_(parameter, -bound, bound)

    def flatten_parameters(self) -> None:
        """Nothing: torch lays the weights out for cuDNN here, and programs call it."""

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The weights of each layer and direction."""
        return [[w for w in self._weights(k) if isinstance(w, Parameter)] for k in range(len(self._names))]

    def _directions(self) -> tuple[str, ...]:
        """What the names of the parameters of each direction end in."""
        return ("", "_reverse") if self.bidirectional else ("",)

    def _state_sizes(self) -> tuple[int, ...]:
        return (self.proj_size or self.hidden_size, *[self.hidden_size] * (len(self.state_names) - 1))

    def _weights(self, k: int) -> Weights:
        """The weights of the k-th layer and direction, in the order of h_n; None for what is not there."""
        attributes = self.__dict__
        return [attributes.get(name) for name in self._names[k]]

    # what it computes

    def forward(self, input: Any, hx: Any = None, *, lengths: Any = None) -> tuple[Any, Any]:
        """(y, last states) for sequences, and the initial states, if they are not zero.

        lengths  the length of each sequence of a padded batch, in any order: then y is 0 behind each end, and the
                 last states are those at the ends. A PackedSequence has its lengths in it, and so has its y.
        """
        if lengths is not None:
            if not isinstance(input, Tensor) or input.ndim != 3:
                raise ValueError(f"{type(self).__name__}: lengths are given, expected a padded batch of three axes")
            self._check(input, self._states_given(hx))
            steps = input.shape[1 if self.batch_first else 0]
            packing = pack_padded_sequence(input, lengths, self.batch_first, enforce_sorted=False)
            y, last = self.forward(packing, hx)
            return pad_packed_sequence(y, self.batch_first, total_length=steps)[0], last
        states = self._states_given(hx)
        if isinstance(input, PackedSequence):
            self._check(input.data, states, input.batch_sizes.array)
            states = states and tuple(rows_of(h, input.sorted_indices) for h in states)
            y, last = self._run(input.data, self._initial(states), False, input.batch_sizes.array.tolist())
            last = tuple(rows_of(h, input.unsorted_indices) for h in last)
            return input._replace(data=y), self._states_returned(last)
        self._check(input, states)
        y, last = self._run(input, self._initial(states), self.batch_first and input.ndim == 3)
        return y, self._states_returned(last)

    def _run(
        self, x: Tensor, states: list[Sequence[Tensor | None]], batch_first: bool, batch_sizes: list[int] | None = None
    ) -> tuple[Tensor, States]:
        """All layers and directions, for x as in run_layer; states: of each of them, h_0 and the others."""
        if len(states) == 1:  # one layer and one direction
            y, *last = run_layer(self, x, states[0], self._weights(0), False, batch_first, batch_sizes)
            return y, tuple(last)
        exchange = batch_first and self.num_layers > 1  # time first from layer to layer; a single one exchanges inside
        if exchange:
            x = x.transpose(0, 1)
        lasts: list[Sequence[Tensor]] = []
        for layer in range(self.num_layers):
            if layer and self.dropout:
                x = functional.dropout(x, self.dropout, self.training)
            ys = []
            for way in range(len(self._directions())):
                h, weights = states[len(lasts)], self._weights(len(lasts))
                y, *last = run_layer(self, x, h, weights, way == 1, batch_first and not exchange, batch_sizes)
                ys.append(y)
                lasts.append(last)
            x = ys[0] if len(ys) == 1 else cat(ys, -1)
        if exchange:
            x = x.transpose(0, 1)
        return x, tuple(cat(hs) for hs in zip(*lasts, strict=True))

    # states: one tensor where there is one, a tuple where there are more

    def _states_given(self, hx: Any) -> States | None:
        names = self.state_names
        if hx is None:
            return None
        if len(names) == 1:
            return (hx,)
        if not isinstance(hx, tuple | list) or len(hx) != len(names):
            got = f"{len(hx)} of them" if isinstance(hx, tuple | list) else f"a {type(hx).__name__}"
            raise TypeError(f"{type(self).__name__}: the states are {got}, expected ({', '.join(names)}) or None")
        if any(h is None for h in hx):
            raise TypeError(f"{type(self).__name__}: of the states one is None, expected all of them, or None for all")
        return tuple(hx)

    def _states_returned(self, states: States) -> Any:
        return states[0] if len(states) == 1 else states

    def _initial(self, states: States | None) -> list[Sequence[Tensor | None]]:
        """The initial states of each layer and direction: those given, or learned, or None for zeros."""
        rows = self.num_layers * len(self._directions())
        if states is None:
            if not self.learn_initial_state:
                return [[None] * len(self.state_names)] * rows
            states = tuple([getattr(self, f"initial_{name[0]}") for name in self.state_names])
        return [states] if rows == 1 else list(zip(*[h.unbind() for h in states], strict=True))

    def _check(self, x: Any, states: States | None, batch_sizes: Array | None = None) -> None:
        """Raises TypeError or ValueError unless x and the states fit this layer."""
        name, I, rows = type(self).__name__, self.input_size, len(self._names)
        if not isinstance(x, Tensor):
            raise TypeError(
                f"{name}: the input is a {type(x).__name__}, expected a tensor of shape ({self._axes()}), or (T, {I}): "
                "make one with tinyrnn.tensor(...)"
            )
        shape, ndim = x.array.shape, x.array.ndim
        if ndim not in ((2, 3) if batch_sizes is None else (2,)) or shape[-1] != I:
            raise ValueError(
                f"{name}: the input has shape {shape}, expected ({self._axes()}), or (T, {I}) without a batch"
            )
        batched = ndim == 3 or batch_sizes is not None
        if shape[1 if ndim == 3 and self.batch_first else 0] == 0:
            raise ValueError(
                f"{name}: the input has shape {shape}, whose sequence has no steps: expected T of at least 1"
            )
        check_dtype(name, "the input", x, self.weight_ih_l0)
        if states is None:
            return
        for what, size, h in zip(self.state_names, self._state_sizes(), states, strict=False):
            if not isinstance(h, Tensor):
                raise TypeError(f"{name}: {what} is a {type(h).__name__}, expected a tensor or None for zeros")
            N = shape[0 if self.batch_first else 1] if batch_sizes is None else int(batch_sizes[0])
            expected = (rows, N, size) if batched else (rows, size)
            if h.shape != expected:
                letters = "(layers times directions, N, H)" if batched else "(layers times directions, H)"
                way_out = f"; for a last, smaller batch take as many states as it has rows, {what}[:, :N]"
                raise ValueError(
                    f"{name}: {what} has shape {h.shape}, expected {expected}, which is {letters}"
                    + (f": the input, of shape {shape}, is batch_first, but {what} is not" * self.batch_first)
                    + (way_out if batched and h.ndim == 3 and h.shape[::2] == expected[::2] else "")
                )
            check_dtype(name, what, h, self.weight_ih_l0)

    def _axes(self) -> str:
        return ("N, T" if self.batch_first else "T, N") + f", {self.input_size}"

    def extra_repr(self) -> str:
        words = [f"{self.input_size}, {self.hidden_size}"]
        usual = {"proj_size": 0, "num_layers": 1, "bias": True, "batch_first": False, "dropout": 0}
        usual |= {"bidirectional": False, "learn_initial_state": False}
        words += [f"{name}={getattr(self, name)}" for name, value in usual.items() if getattr(self, name) != value]
        return ", ".join(words)


def run_layer(
    layer: RNNBase,
    x: Tensor,
    states: Sequence[Tensor | None],
    weights: Weights,
    reverse: bool = False,
    batch_first: bool = False,
    batch_sizes: Sequence[int] | None = None,
) -> list[Tensor]:
    """[y, *last states] of one layer in one direction: a kernel of kernels/ as one node of the graph.

    x (T, N, I), states (N, .), (1, N, .) or None for zeros -> y (T, N, .), last states (1, N, .); x and y (N, T, .)
    if batch_first, and (rows, .) with batch_sizes; x (T, I), states (1, .) or (.,) -> y (T, .), last states (1, .).
    A state of (1, .) or (.,) serves all N.
    Raises ValueError for one bias without the other, and for weights that are missing or do not fit.
    """
    given, kernel, sizes = x.array, layer.kernel, layer._state_sizes()
    arrays = [None if weight is None else weight.array for weight in weights]
    _check_weights(layer, given, arrays, sizes)
    single = batch_sizes is None and given.ndim == 2
    xs = given.swapaxes(0, 1) if batch_first else given[:, None] if single else given
    N, dtype = xs.shape[1] if batch_sizes is None else batch_sizes[0], given.dtype
    starts, shapes = [], []  # the states at first, and the shape that the gradient of each is to have, if another
    for h, size in zip(states, sizes):  # noqa: B905 (one of each)
        start = np.zeros((N, size), dtype) if h is None else h.array.reshape(-1, size)
        shapes.append(None if h is None or len(start) != N else h.array.shape)
        starts.append(start if len(start) == N else np.broadcast_to(start, (N, size)))
    inputs = (x, *states, *weights)
    needs = [needs_grad(value) for value in inputs]
    keep = state.grad and True in needs
    if batch_sizes is None:
        (y, *last), kernel_pullback = kernel(xs, *starts, *arrays, reverse=reverse, keep=keep)
    else:
        (y, *last), kernel_pullback = packed(kernel, xs, batch_sizes, starts, arrays, reverse, keep)
    if batch_first:
        y = y.swapaxes(0, 1)
    results = (y[:, 0], *last) if single else (y, *[h[None] for h in last])

    def pullback(dy: Array, *dlast: Array) -> tuple[Gradient, ...]:
        dy = dy.swapaxes(0, 1) if batch_first else dy[:, None] if single else dy
        dx, *others = kernel_pullback(dy, *(dlast if single else [dh[0] for dh in dlast]), needs)
        for k, shape in enumerate(shapes):
            if shape is not None and others[k] is not None:
                others[k] = others[k].reshape(shape)
        if dx is not None:
            dx = dx.swapaxes(0, 1) if batch_first else dx[:, 0] if single else dx
        return dx, *others

    w_ih, w_hh = weights[:2]
    read = (w_ih if needs[0] else None, x if needs[1 + len(states)] else None, w_hh, *weights[4:])
    return record_many(type(layer).__name__.lower(), results, inputs, pullback, saved=read, memory=FRESH)


def _check_weights(layer: RNNBase, x: Array, arrays: Sequence[Array | None], sizes: tuple[int, ...]) -> None:
    """Raises ValueError unless the weights are there and fit the input and the layer."""
    name, G, H, dtype = type(layer).__name__, layer.gates, layer.hidden_size, x.dtype
    w_ih, w_hh, b_ih, b_hh = arrays[:4]
    if (b_ih is None) != (b_hh is None):
        raise ValueError(
            f"{name}: of bias_ih and bias_hh one is None, expected both or neither: set it to zeros instead"
        )
    if w_ih is None or w_hh is None or (layer.proj_size and arrays[4] is None):
        raise ValueError(
            f"{name}: a weight was deleted or is None, expected weight_ih, weight_hh and with a projection weight_hr "
            "of every layer and direction: set it, to a tensor if it is computed from others"
        )
    rows = (G * H,)
    shapes = ((*rows, x.shape[-1]), (*rows, sizes[0]), rows, rows, (sizes[0], H))
    for array, shape in zip(arrays, shapes):  # noqa: B905 (the last only with a projection)
        if array is not None and (array.shape != shape or array.dtype != dtype):
            raise ValueError(
                f"{name}: a parameter has shape {array.shape} of {array.dtype}, expected {shape} of {dtype}: "
                f"the input is {x.shape} of {dtype}, the layer's hidden_size {H}"
            )
