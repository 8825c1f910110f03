"""RNN and RNNCell: the Elman network over a whole sequence, and one step of it."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from tinyrnn.autograd.graph import Array
from tinyrnn.autograd.record import needs_grad, record_many
from tinyrnn.creation import empty, zeros
from tinyrnn.kernels.rnn import NONLINEARITIES, rnn
from tinyrnn.nn import functional, init
from tinyrnn.nn.arguments import check_probability, flag, positive
from tinyrnn.nn.modules.module import Module
from tinyrnn.nn.parameter import Parameter
from tinyrnn.ops.shaping import cat
from tinyrnn.tensor import Tensor

Weights = tuple[Tensor, Tensor, Tensor | None, Tensor | None]  # w_ih, w_hh, b_ih, b_hh


class RNN(Module):
    """h_t = f(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh) for t = 1..T, in num_layers layers, each fed with the h_t below.

    input_size I, hidden_size H, num_layers L (whole numbers, at least 1)
    nonlinearity   f: "tanh", "relu"; beyond torch also "sigmoid" and "identity"
    bias           False leaves b_ih and b_hh out
    batch_first    x and y have the batch in front: (N, T, .) instead of (T, N, .); h_0 and h_n stay as they are
    dropout        the probability with which, in training, an output of a layer is 0 for the next; not after the last
    bidirectional  D = 2 directions: a second set of weights walks t = T..1, and y_t holds both states, forward first

    Calling it with x and, if it is not zero, h_0 gives (y, h_n). Each layer is one node of the graph, so the gradient
    that y_t can show is only what reaches it as an output; for all of dL/dh_t loop over an RNNCell.
    Shapes: x (T, N, I), h_0 and h_n (L D, N, H), y (T, N, D H), with y of the last layer only; unbatched x (T, I),
        h_0 and h_n (L D, H), y (T, D H). In h_n the directions of layer 0 come first, then those of layer 1, ...
    Parameters, for layer k: weight_ih_lk (H, I), then (H, D H) for k > 0; weight_hh_lk (H, H); bias_ih_lk and
        bias_hh_lk (H,); those of the way back end in _reverse. All U(-1/sqrt(H), 1/sqrt(H)) at first.
    Raises TypeError and ValueError for arguments, shapes and dtypes that do not fit, before anything is computed.
    Source: Elman, Finding structure in time, 1990; conventions: torch.nn.RNN.

    >>> import tinyrnn
    >>> layer = RNN(3, 4, num_layers=2, batch_first=True)
    >>> y, h_n = layer(tinyrnn.randn(5, 7, 3))
    >>> y.shape, h_n.shape
    ((5, 7, 4), (2, 5, 4))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        self.input_size = positive("RNN", "input_size", input_size)
        self.hidden_size = positive("RNN", "hidden_size", hidden_size)
        self.num_layers = positive("RNN", "num_layers", num_layers)
        self.nonlinearity = _known("RNN", nonlinearity)
        self.bias = flag("RNN", "bias", bias)
        self.batch_first = flag("RNN", "batch_first", batch_first)
        check_probability("RNN", dropout)
        self.dropout = float(dropout)
        self.bidirectional = flag("RNN", "bidirectional", bidirectional)
        if dropout and num_layers == 1:
            warnings.warn(
                f"RNN: dropout={dropout} has no effect with num_layers=1: it acts between layers, not after the last",
                UserWarning,
                stacklevel=2,
            )
        H, directions = hidden_size, len(self._directions())
        for layer in range(num_layers):
            for end in self._directions():
                I = input_size if layer == 0 else directions * H
                shapes = {"weight_ih": (H, I), "weight_hh": (H, H), "bias_ih": (H,), "bias_hh": (H,)}
                for name, shape in shapes.items():
                    if bias or not name.startswith("bias"):
                        self.register_parameter(
                            f"{name}_l{layer}{end}", Parameter(empty(shape, dtype=dtype, device=device))
                        )
        self.reset_parameters()

    def _directions(self) -> tuple[str, ...]:
        """What the names of the parameters of each direction end in."""
        return ("", "_reverse") if self.bidirectional else ("",)

    def _weights(self, layer: int, end: str) -> Weights:
        names = [f"{name}_l{layer}{end}" for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
        return tuple([self.__dict__.get(name) for name in names])  # type: ignore[return-value]

    def reset_parameters(self) -> None:
        """Draws all parameters anew."""
        _draw(self, self.hidden_size)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(y, h_n) for the sequences x and the initial states h_0, zero if not given."""
        self._check(input, hx)
        batched, rows = input.ndim == 3, self.num_layers * len(self._directions())
        x = input if batched else input.unsqueeze(1)
        states = [None] * rows if hx is None else (hx if batched else hx.unsqueeze(1)).unbind()
        batch_first = batched and self.batch_first
        exchange = batch_first and self.num_layers > 1  # time first from layer to layer; a single one exchanges inside
        if exchange:
            x = x.transpose(0, 1)
        finals: list[Tensor] = []
        for layer in range(self.num_layers):
            if layer:
                x = functional.dropout(x, self.dropout, self.training)
            ys = []
            for way, end in enumerate(self._directions()):
                h_0, weights = states[len(finals)], self._weights(layer, end)
                y, h_n = rnn_layer(x, h_0, weights, self.nonlinearity, way == 1, batch_first and not exchange)
                ys.append(y)
                finals.append(h_n)
            x = ys[0] if len(ys) == 1 else cat(ys, 2)
        if exchange:
            x = x.transpose(0, 1)
        h = finals[0] if rows == 1 else cat(finals)
        return (x, h) if batched else (x.squeeze(1), h.squeeze(1))

    def _check(self, x: Any, hx: Any) -> None:
        """Raises TypeError or ValueError unless x and h_0 fit this layer."""
        I, H, rows = self.input_size, self.hidden_size, self.num_layers * len(self._directions())
        order = ("N, T" if self.batch_first else "T, N") + f", {I}"
        if not isinstance(x, Tensor):
            raise TypeError(
                f"RNN: the input is a {type(x).__name__}, expected a tensor of shape ({order}), or (T, {I}): "
                "make one with tinyrnn.tensor(...)"
            )
        if x.ndim not in (2, 3) or x.shape[-1] != I:
            raise ValueError(f"RNN: the input has shape {x.shape}, expected ({order}), or (T, {I}) without a batch")
        if x.shape[1 if x.ndim == 3 and self.batch_first else 0] == 0:
            raise ValueError(
                f"RNN: the input has shape {x.shape}, whose sequence has no steps: expected T of at least 1"
            )
        _check_dtype("RNN", "the input", x, self.weight_ih_l0)
        if hx is None:
            return
        if not isinstance(hx, Tensor):
            raise TypeError(f"RNN: h_0 is a {type(hx).__name__}, expected a tensor or None for zeros")
        expected = (rows, H) if x.ndim == 2 else (rows, x.shape[0 if self.batch_first else 1], H)
        if hx.shape != expected:
            letters = "(layers times directions, H)" if x.ndim == 2 else "(layers times directions, N, H)"
            way_out = "; for a last, smaller batch take as many states as it has rows, h_0[:, :N]"
            raise ValueError(
                f"RNN: h_0 has shape {hx.shape}, expected {expected}, which is {letters}"
                + (f": the input, of shape {x.shape}, is batch_first, but h_0 is not" if self.batch_first else "")
                + (way_out if x.ndim == hx.ndim == 3 and hx.shape[::2] == expected[::2] else "")
            )
        _check_dtype("RNN", "h_0", hx, self.weight_ih_l0)

    def extra_repr(self) -> str:
        words = [f"{self.input_size}, {self.hidden_size}"]
        usual = {"num_layers": 1, "bias": True, "batch_first": False, "dropout": 0, "bidirectional": False}
        words += [f"{name}={getattr(self, name)}" for name, value in usual.items() if getattr(self, name) != value]
        if self.nonlinearity not in ("tanh", "relu"):  # torch's, which its repr leaves out
            words.append(f"nonlinearity={self.nonlinearity}")
        return ", ".join(words)


class RNNCell(Module):
    """One step of an RNN: h' = f(W_ih x + b_ih + W_hh h + b_hh).

    input_size I, hidden_size H (whole numbers, at least 1); bias=False leaves b_ih and b_hh out;
    nonlinearity f: "tanh", "relu"; beyond torch also "sigmoid" and "identity".
    Shapes: x (N, I), h and h' (N, H), or x (I,), h and h' (H,); h is zero if not given. weight_ih (H, I),
        weight_hh (H, H), bias_ih and bias_hh (H,), all U(-1/sqrt(H), 1/sqrt(H)) at first.
    Raises TypeError and ValueError for what does not fit. Source: torch.nn.RNNCell.

    >>> import tinyrnn
    >>> RNNCell(3, 4)(tinyrnn.randn(2, 3)).shape
    (2, 4)
    """

    bias_ih: Parameter | None
    bias_hh: Parameter | None

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        self.input_size = I = positive("RNNCell", "input_size", input_size)
        self.hidden_size = H = positive("RNNCell", "hidden_size", hidden_size)
        self.bias = flag("RNNCell", "bias", bias)
        self.nonlinearity = _known("RNNCell", nonlinearity)
        self.weight_ih = Parameter(empty(H, I, dtype=dtype, device=device))
        self.weight_hh = Parameter(empty(H, H, dtype=dtype, device=device))
        self.register_parameter("bias_ih", Parameter(empty(H, dtype=dtype, device=device)) if bias else None)
        self.register_parameter("bias_hh", Parameter(empty(H, dtype=dtype, device=device)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws all parameters anew."""
        _draw(self, self.hidden_size)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """h' for the input x and the state h, zero if not given."""
        self._check(input, hx)
        h = zeros(*input.shape[:-1], self.hidden_size, dtype=input.dtype) if hx is None else hx
        a = functional.linear(input, self.weight_ih, self.bias_ih) + functional.linear(h, self.weight_hh, self.bias_hh)
        return a if self.nonlinearity == "identity" else getattr(functional, self.nonlinearity)(a)

    def _check(self, x: Any, h: Any) -> None:
        """Raises TypeError or ValueError unless x and h fit this cell."""
        I, H = self.input_size, self.hidden_size
        if not isinstance(x, Tensor):
            raise TypeError(
                f"RNNCell: the input is a {type(x).__name__}, expected a tensor of shape (N, {I}) or ({I},)"
            )
        if x.ndim not in (1, 2) or x.shape[-1] != I:
            way_out = ": the cell takes one step, RNN a sequence" if x.ndim == 3 else ""
            raise ValueError(f"RNNCell: the input has shape {x.shape}, expected (N, {I}) or ({I},){way_out}")
        _check_dtype("RNNCell", "the input", x, self.weight_ih)
        if h is None:
            return
        if not isinstance(h, Tensor):
            raise TypeError(f"RNNCell: the state is a {type(h).__name__}, expected a tensor or None for zeros")
        if h.shape != (*x.shape[:-1], H):
            raise ValueError(
                f"RNNCell: the state has shape {h.shape}, expected {(*x.shape[:-1], H)}, as the input is {x.shape}"
            )
        _check_dtype("RNNCell", "the state", h, self.weight_ih)

    def extra_repr(self) -> str:
        words = f"{self.input_size}, {self.hidden_size}"
        words += "" if self.bias else ", bias=False"
        return words + ("" if self.nonlinearity == "tanh" else f", nonlinearity={self.nonlinearity}")


def rnn_layer(
    x: Tensor, h_0: Tensor | None, weights: Weights, nonlinearity: str, reverse: bool = False, batch_first: bool = False
) -> tuple[Tensor, Tensor]:
    """(y, h_n) of one layer in one direction: the kernel of kernels/rnn.py as one node of the graph.

    x (T, N, I), h_0 (N, H) or None for zeros -> y (T, N, H), h_n (1, N, H); x and y (N, T, .) if batch_first.
    Raises ValueError for one bias without the other.
    """
    w_ih, w_hh, b_ih, b_hh = weights
    if (b_ih is None) != (b_hh is None):
        raise ValueError("RNN: of bias_ih and bias_hh one is None, expected both or neither: set it to zeros instead")

    H, dtype = w_hh.shape[0], x.dtype
    for parameter, shape in zip(weights, ((H, x.shape[2]), (H, H), (H,), (H,)), strict=True):
        if parameter is not None and (parameter.shape != shape or parameter.dtype != dtype):
            raise ValueError(
                f"RNN: a parameter has shape {parameter.shape} of {parameter.dtype}, expected {shape} of {dtype}: "
                f"the input is {x.shape} of {dtype}, weight_hh is {w_hh.shape}"
            )

    def time_first(array: Array) -> Array:
        return array.swapaxes(0, 1) if batch_first else array  # which is its own inverse

    xs = time_first(x.array)
    start = np.zeros((xs.shape[1], w_hh.shape[0]), xs.dtype) if h_0 is None else h_0.array
    b, c = (None if bias is None else bias.array for bias in (b_ih, b_hh))
    (y, h_n), kernel_pullback = rnn(xs, start, w_ih.array, w_hh.array, b, c, nonlinearity, reverse)
    inputs = (x, h_0, *weights)
    needs = [needs_grad(value) for value in inputs]

    def pullback(dy: Array, dh_n: Array) -> list[Array | None]:
        dx, *others = kernel_pullback(time_first(dy), dh_n[0], needs)
        return [None if dx is None else time_first(dx), *others]

    saved = (w_ih if needs[0] else None, x if needs[2] else None, w_hh)
    out, final = record_many("rnn", (time_first(y), h_n[None]), inputs, pullback, saved=saved, saved_outputs=(0,))
    return out, final


def _known(name: str, nonlinearity: Any) -> str:
    if nonlinearity not in list(NONLINEARITIES):  # a list: what cannot be hashed is no name either
        raise ValueError(f"{name}: the nonlinearity is {nonlinearity!r}, expected one of {', '.join(NONLINEARITIES)}")
    return str(nonlinearity)


def _draw(module: Module, hidden_size: int) -> None:
    """All parameters from U(-1/sqrt(H), 1/sqrt(H)), in their order."""
    bound = 1 / math.sqrt(hidden_size)
    for parameter in module.parameters():
        init.uniform_(parameter, -bound, bound)


def _check_dtype(name: str, what: str, x: Tensor, weight: Tensor) -> None:
    if x.dtype != weight.dtype:
        raise TypeError(
            f"{name}: {what} is {x.dtype}, the weights are {weight.dtype}, expected one dtype: cast the tensor with "
            ".float() or .double(), or the whole module"
        )
