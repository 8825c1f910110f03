"""RNNCell, LSTMCell and GRUCell: one step of a recurrent network, each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from numpy.typing import DTypeLike

from tinyrnn.autograd.modes import no_grad
from tinyrnn.creation import empty, zeros
from tinyrnn.kernels.rnn import NONLINEARITIES
from tinyrnn.nn import functional, init
from tinyrnn.nn.arguments import as_float, check_dtype, flag, positive
from tinyrnn.nn.functional.cells import affine_of_both, gru_gates, lstm_gates
from tinyrnn.nn.modules.module import Module
from tinyrnn.nn.parameter import Parameter
from tinyrnn.tensor import Tensor


class RNNCellBase(Module):
    """Base of the cells: their parameters and checks. `gates` G says how many rows of H their weights have.

    Source: torch.nn.modules.rnn.RNNCellBase.
    """

    gates = 1
    bias_ih: Parameter | None
    bias_hh: Parameter | None

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: DTypeLike | None = None
    ) -> None:
        super().__init__()
        name = type(self).__name__
        self.input_size = I = positive(name, "input_size", input_size)
        self.hidden_size = H = positive(name, "hidden_size", hidden_size)
        self.bias = flag(name, "bias", bias)
        rows = self.gates * H
        self.weight_ih = Parameter(empty(rows, I, dtype=dtype, device=device))
        self.weight_hh = Parameter(empty(rows, H, dtype=dtype, device=device))
        self.register_parameter("bias_ih", Parameter(empty(rows, dtype=dtype, device=device)) if bias else None)
        self.register_parameter("bias_hh", Parameter(empty(rows, dtype=dtype, device=device)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws all parameters anew, from U(-1/sqrt(H), 1/sqrt(H)) in their order."""
        bound = 1 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def _zeros(self, x: Tensor) -> Tensor:
        return zeros(*x.shape[:-1], self.hidden_size, dtype=x.dtype)

    def _check(self, x: Any, *states: Any) -> None:
        """Raises TypeError or ValueError unless x and the states fit this cell; a state of None is zeros."""
        check_step(type(self).__name__, self.input_size, self.hidden_size, self.weight_ih, x, states)

    def extra_repr(self) -> str:
        return f"{self.input_size}, {self.hidden_size}" + ("" if self.bias else ", bias=False")


class RNNCell(RNNCellBase):
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

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        self.nonlinearity = known_nonlinearity("RNNCell", nonlinearity)
        super().__init__(input_size, hidden_size, bias, device, dtype)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """h' for the input x and the state h, zero if not given."""
        self._check(input, hx)
        h = self._zeros(input) if hx is None else hx
        a = affine_of_both(input, h, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        return a if self.nonlinearity == "identity" else getattr(functional, self.nonlinearity)(a)

    def extra_repr(self) -> str:
        words = super().extra_repr()
        return words if self.nonlinearity == "tanh" else f"{words}, nonlinearity={self.nonlinearity}"


class LSTMCell(RNNCellBase):
    """One step of an LSTM: (i, f, g, o) = W_ih x + b_ih + W_hh h + b_hh, through s = sigmoid, for g through tanh; then

        c' = f c + i g,     h' = o tanh(c')

    input_size I, hidden_size H (whole numbers, at least 1); bias=False leaves b_ih and b_hh out;
    forget_bias: beyond torch, what the two biases of f are together at first (None: drawn like the others).
    Calling it with x and (h, c), a tuple or a list, gives (h', c'); without, h and c are zero.
    Shapes: x (N, I), h, c, h' and c' (N, H), or the same without N. weight_ih (4H, I), weight_hh (4H, H), bias_ih and
        bias_hh (4H,), rows in the order i, f, g, o, all U(-1/sqrt(H), 1/sqrt(H)) at first.
    Raises TypeError and ValueError for what does not fit. Source: see LSTM; torch.nn.LSTMCell.

    >>> import tinyrnn
    >>> h, c = LSTMCell(3, 4)(tinyrnn.randn(2, 3))
    >>> h.shape, c.shape
    ((2, 4), (2, 4))
    """

    gates = 4

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Any = None,
        dtype: DTypeLike | None = None,
        *,
        forget_bias: float | None = None,
    ) -> None:
        self.forget_bias = None if forget_bias is None else as_float("LSTMCell", "forget_bias", forget_bias)
        super().__init__(input_size, hidden_size, bias, device, dtype)

    def reset_parameters(self) -> None:
        super().reset_parameters()
        biases = [b for b in (self.bias_ih, self.bias_hh) if b is not None]
        set_forget_bias("LSTMCell", self.forget_bias, biases)

    def forward(self, input: Tensor, hx: Sequence[Tensor] | None = None) -> tuple[Tensor, Tensor]:
        """(h', c') for the input x and the states (h, c), zero if not given."""
        h, c = pair_of_states("LSTMCell", hx)
        self._check(input, h, c)
        if h is None or c is None:
            h = c = self._zeros(input)
        a = affine_of_both(input, h, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        return lstm_gates(a, c)


class GRUCell(RNNCellBase):
    """One step of a GRU: a = W_ih x + b_ih and u = W_hh h + b_hh, each in three parts r, z, n; with s = sigmoid

        r = s(a_r + u_r),   z = s(a_z + u_z),   n = tanh(a_n + r u_n),   h' = (1 - z) n + z h

    input_size I, hidden_size H (whole numbers, at least 1); bias=False leaves b_ih and b_hh out.
    Shapes: x (N, I), h and h' (N, H), or x (I,), h and h' (H,); h is zero if not given. weight_ih (3H, I),
        weight_hh (3H, H), bias_ih and bias_hh (3H,), all U(-1/sqrt(H), 1/sqrt(H)) at first.
    Raises TypeError and ValueError for what does not fit. Source: see GRU; torch.nn.GRUCell.

    >>> import tinyrnn
    >>> GRUCell(3, 4)(tinyrnn.randn(2, 3)).shape
    (2, 4)
    """

    gates = 3

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """h' for the input x and the state h, zero if not given."""
        self._check(input, hx)
        h = self._zeros(input) if hx is None else hx
        a = functional.linear(input, self.weight_ih, self.bias_ih)
        u = functional.linear(h, self.weight_hh, self.bias_hh)
        return gru_gates(a, u, h)


def known_nonlinearity(name: str, nonlinearity: Any) -> str:
    """The nonlinearity. Raises ValueError for one that is not known."""
    if nonlinearity not in list(NONLINEARITIES):  # a list: what cannot be hashed is no name either
        raise ValueError(f"{name}: the nonlinearity is {nonlinearity!r}, expected one of {', '.join(NONLINEARITIES)}")
    return str(nonlinearity)


def set_forget_bias(name: str, forget_bias: float | None, biases: Sequence[Tensor]) -> None:
    """Sets the biases (4H,) of f so that together they are forget_bias: the first to it, the others to 0."""
    if forget_bias is None:
        return
    if not biases:
        raise ValueError(
            f"{name}: forget_bias is {forget_bias} and bias is False, expected biases that it can be set in"
        )
    with no_grad():
        for k, b in enumerate(biases):
            H = len(b) // 4
            b[H : 2 * H] = 0.0 if k else forget_bias


def pair_of_states(name: str, hx: Any) -> tuple[Any, Any]:
    """(h, c) out of a tuple or a list, (None, None) out of None. Raises TypeError."""
    if hx is None:
        return None, None
    if not isinstance(hx, tuple | list) or len(hx) != 2:
        got = f"{len(hx)} of them" if isinstance(hx, tuple | list) else f"a {type(hx).__name__}"
        raise TypeError(f"{name}: the states are {got}, expected (h, c) or None")
    if (hx[0] is None) != (hx[1] is None):
        raise TypeError(f"{name}: of the states (h, c) one is None, expected both or neither: zeros will do")
    return hx[0], hx[1]


def check_step(name: str, I: int, H: int, weight: Tensor, x: Any, states: Sequence[Any]) -> None:
    """Raises TypeError or ValueError unless x (N, I), or (I,), and the states (N, H), or (H,), fit; None is zeros."""
    if not isinstance(x, Tensor):
        raise TypeError(f"{name}: the input is a {type(x).__name__}, expected a tensor of shape (N, {I}) or ({I},)")
    if x.ndim not in (1, 2) or x.shape[-1] != I:
        layer = name.removesuffix("Cell")
        way_out = f": the cell takes one step, {layer} a sequence" if x.ndim == 3 else ""
        raise ValueError(f"{name}: the input has shape {x.shape}, expected (N, {I}) or ({I},){way_out}")
    check_dtype(name, "the input", x, weight)
    for h in states:
        if h is None:
            continue
        if not isinstance(h, Tensor):
            raise TypeError(f"{name}: the state is a {type(h).__name__}, expected a tensor or None for zeros")
        if h.shape != (*x.shape[:-1], H):
            raise ValueError(
                f"{name}: the state has shape {h.shape}, expected {(*x.shape[:-1], H)}, as the input is {x.shape}"
            )
        check_dtype(name, "the state", h, weight)
