"""Beyond torch: Recurrent, a layer of any cell, and LayerNormLSTMCell, a cell for it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from numpy.typing import DTypeLike

from tinyrnn.creation import empty, zeros
from tinyrnn.nn import functional, init
from tinyrnn.nn.arguments import as_float, check_probability, flag, positive
from tinyrnn.nn.modules.cells import check_step, pair_of_states, set_forget_bias
from tinyrnn.nn.modules.container import ModuleList
from tinyrnn.nn.modules.module import Module
from tinyrnn.nn.modules.normalization import LayerNorm
from tinyrnn.nn.parameter import Parameter
from tinyrnn.nn.utils.rnn import (
    PackedSequence,
    backwards,
    pack_padded_sequence,
    packed_like,
    pad_packed_sequence,
    rows_of,
    sequences_of,
)
from tinyrnn.ops import cat, stack
from tinyrnn.tensor import Tensor


class Recurrent(Module):
    """A layer of any cell: state_t = cell(x_t, state_{t-1}) for t = 1..T, and y_t = the first tensor of state_t.

    cells          a module, or several: one for each layer and direction, as in h_n: layer 0 forward, layer 0
                   backward (if bidirectional), layer 1 forward, ... Each is called with x_t (N, *) and the last state,
                   None for the first step if none is given, and returns the new state: a tensor (N, .), or a tuple
                   of such. What it returns first is the output, and what the next layer is fed with (with both
                   directions: joined along the last axis)
    batch_first    x and y have the batch in front: (N, T, *) instead of (T, N, *)
    dropout        the probability with which, in training, an output of a layer is 0 for the next; not after the last
    bidirectional  every second cell walks t = T..1

    Calling it with x and, if wanted, the initial states gives (y, last states): where a state is a tensor, h_0 and h_n
    (layers times directions, N, .); where it is a tuple, a tuple of such. x may be a PackedSequence, and then y is one;
    or padded, with lengths=..., one for each sequence: then y is 0 behind each end, and the states are those there.
    Without a batch, x (T, I), a cell is called with x_t (I,).
    The loop runs on the tape, a step at a time: slower than RNN, LSTM and GRU, and every dL/dh_t can be seen.
    Raises ValueError for a number of cells that does not fit, for states that do not, and for last states of
    different shapes, which make no one tensor; TypeError for what are no modules.

    >>> import tinyrnn
    >>> from tinyrnn import nn
    >>> class Leaky(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.U, self.W = nn.Linear(3, 4), nn.Linear(4, 4, bias=False)
    ...     def forward(self, x, h=None):
    ...         h = x.new_zeros(len(x), 4) if h is None else h
    ...         return 0.9 * h + 0.1 * tinyrnn.tanh(self.U(x) + self.W(h))
    >>> y, h_n = nn.Recurrent(Leaky())(tinyrnn.randn(7, 5, 3))  # T = 7, N = 5, I = 3
    >>> y.shape, h_n.shape
    ((7, 5, 4), (1, 5, 4))
    >>> layer = nn.Recurrent([nn.GRUCell(3, 4), nn.GRUCell(3, 4)], bidirectional=True)
    >>> y, h_n = layer(tinyrnn.randn(7, 5, 3), lengths=[7, 2, 4, 1, 7])
    >>> y.shape, h_n.shape
    ((7, 5, 8), (2, 5, 4))
    """

    def __init__(
        self,
        cells: Module | Iterable[Module],
        *,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
    ) -> None:
        super().__init__()
        single = isinstance(cells, Module) and not isinstance(cells, ModuleList)
        several: list[Any] = [cells] if single or not isinstance(cells, Iterable) else list(cells)
        for k, cell in enumerate(several):
            if not isinstance(cell, Module):
                what = f"the class {cell.__name__}" if isinstance(cell, type) else f"a {type(cell).__name__}"
                way_out = f": make one, {cell.__name__}(...)" if isinstance(cell, type) else ""
                raise TypeError(f"Recurrent: cells[{k}] is {what}, expected a module{way_out}")
        self.bidirectional = flag("Recurrent", "bidirectional", bidirectional)
        self.batch_first = flag("Recurrent", "batch_first", batch_first)
        check_probability("Recurrent", dropout)
        self.dropout = float(dropout)
        if not several or len(several) % self._directions():
            raise ValueError(
                f"Recurrent: {len(several)} cells, expected one for each layer and direction: at least one"
                + (", and an even number, as bidirectional is True" if self.bidirectional else "")
            )
        self.cells = ModuleList(several)

    def _directions(self) -> int:
        return 2 if self.bidirectional else 1

    def forward(self, input: Any, hx: Any = None, *, lengths: Any = None) -> tuple[Any, Any]:
        """(y, last states) for the sequences x and the initial states."""
        if isinstance(input, PackedSequence):
            return self._packed(input, hx)
        if not isinstance(input, Tensor) or input.ndim < 2:
            got = f"of shape {input.shape}" if isinstance(input, Tensor) else f"a {type(input).__name__}"
            raise TypeError(f"Recurrent: the input is {got}, expected a tensor (T, N, ...), or (T, I) without a batch")
        batch_first = self.batch_first and input.ndim > 2
        if lengths is not None:
            packing = pack_padded_sequence(input, lengths, batch_first, enforce_sorted=False)
            y, last = self._packed(packing, hx)
            return pad_packed_sequence(y, batch_first, total_length=input.shape[1 if batch_first else 0])[0], last
        xs = list(input.unbind(1 if batch_first else 0))
        if not xs:
            raise ValueError(f"Recurrent: the input has shape {input.shape}, whose sequence has no steps")
        ys, last = self._run(xs, hx, lambda steps: steps[::-1])
        return stack(ys, 1 if batch_first else 0), last

    def _packed(self, x: PackedSequence, hx: Any) -> tuple[PackedSequence, Any]:
        def turned(steps: list[Tensor]) -> list[Tensor]:  # each sequence within its length
            return sequences_of(backwards(packed_like(steps, x)))

        given = hx if hx is None else _each(lambda h: rows_of(h, x.sorted_indices), hx)
        ys, last = self._run(sequences_of(x), given, turned)
        return packed_like(ys, x), _each(lambda h: rows_of(h, x.unsorted_indices), last)

    def _run(self, xs: list[Tensor], hx: Any, turned: Any) -> tuple[list[Tensor], Any]:
        """All layers and directions over steps of (n_t, *), n_t never growing; `turned` walks them the other way."""
        D, lasts = self._directions(), []
        states = self._initial(hx)
        for k in range(0, len(self.cells), D):
            if k and self.dropout:
                xs = [functional.dropout(x, self.dropout, self.training) for x in xs]
            ways = []
            for way in range(D):
                ys, last = _walk(self.cells[k + way], turned(xs) if way else xs, states[k + way])
                ways.append(turned(ys) if way else ys)
                lasts.append(last)
            xs = ways[0] if D == 1 else [cat(pair, -1) for pair in zip(*ways, strict=True)]
        return xs, self._together(lasts)

    def _initial(self, hx: Any) -> list[Any]:
        """The initial state of each cell."""
        n = len(self.cells)
        if hx is None:
            return [None] * n
        for h in hx if isinstance(hx, tuple | list) else (hx,):
            if not isinstance(h, Tensor) or h.ndim == 0 or h.shape[0] != n:
                got = f"of shape {h.shape}" if isinstance(h, Tensor) else f"a {type(h).__name__}"
                raise ValueError(f"Recurrent: an initial state is {got}, expected a tensor ({n}, ...), one row a cell")
        if isinstance(hx, Tensor):
            return list(hx.unbind())
        return list(zip(*[h.unbind() for h in hx], strict=True))

    def _together(self, lasts: list[Any]) -> Any:
        """The last state of each cell, in one tensor, or in a tuple of tensors."""
        shapes = [[h.shape for h in _several(last)] for last in lasts]
        if any(shape != shapes[0] for shape in shapes):
            raise ValueError(
                f"Recurrent: the cells' states have shapes {shapes}, expected the same of each: cells of different "
                "sizes make layers of their own, one after the other"
            )
        if isinstance(lasts[0], Tensor):
            return stack(lasts)
        return tuple(stack(hs) for hs in zip(*lasts, strict=True))

    def extra_repr(self) -> str:
        usual = {"batch_first": False, "dropout": 0, "bidirectional": False}
        return ", ".join(
            f"{name}={getattr(self, name)}" for name, value in usual.items() if getattr(self, name) != value
        )


def _walk(cell: Module, xs: Sequence[Tensor], state: Any) -> tuple[list[Tensor], Any]:
    """The outputs of one cell, and its last state: of sequences that end earlier, put aside when they do."""
    ys: list[Tensor] = []
    ended: list[Any] = []
    for x in xs:
        if state is not None and ys and len(x) < len(ys[-1]) and x.ndim > 1:
            n = len(x)
            ended.append(_each(lambda h, n=n: h[n:], state))
            state = _each(lambda h, n=n: h[:n], state)
        state = cell(x, state)
        ys.append(_several(state)[0])
    if not ended:
        return ys, state
    parts = [_several(part) for part in [state, *ended[::-1]]]
    whole = tuple(cat(hs) for hs in zip(*parts, strict=True))
    return ys, whole[0] if isinstance(state, Tensor) else whole


def _several(state: Any) -> tuple[Tensor, ...]:
    return (state,) if isinstance(state, Tensor) else tuple(state)


def _each(change: Any, state: Any) -> Any:
    """`change` of a tensor, or of each in a tuple."""
    return change(state) if isinstance(state, Tensor) else tuple([change(h) for h in state])


class LayerNormLSTMCell(Module):
    """One step of an LSTM whose gates and cell state are normalized: LN is layer normalization, each with its own gain

        (i, f, g, o) = LN(W_ih x) + LN(W_hh h) + b,  through s = sigmoid, for g through tanh
        c' = f c + i g,     h' = o tanh(LN(c'))

    Beyond torch. nn.Recurrent(LayerNormLSTMCell(I, H)) makes a layer of it.
    input_size I, hidden_size H (whole numbers, at least 1); forget_bias: what the entries of b for f are at first.
    Calling it with x and (h, c), a tuple or a list, gives (h', c'); without, h and c are zero.
    Shapes: x (N, I), h, c, h' and c' (N, H), or the same without N. weight_ih (4H, I), weight_hh (4H, H), both
        U(-1/sqrt(H), 1/sqrt(H)) at first, bias (4H,), 0, rows in the order i, f, g, o; ln_ih, ln_hh and ln_c are
        nn.LayerNorm over 4H, 4H and H entries, the first two without a bias of their own.
    Raises TypeError and ValueError for what does not fit. Source: Ba, Kiros and Hinton, Layer normalization, 2016.

    >>> import tinyrnn
    >>> h, c = LayerNormLSTMCell(3, 4)(tinyrnn.randn(2, 3))
    >>> h.shape, c.shape
    ((2, 4), (2, 4))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        forget_bias: float = 0.0,
        device: Any = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        self.input_size = I = positive("LayerNormLSTMCell", "input_size", input_size)
        self.hidden_size = H = positive("LayerNormLSTMCell", "hidden_size", hidden_size)
        self.forget_bias = as_float("LayerNormLSTMCell", "forget_bias", forget_bias)
        self.weight_ih = Parameter(empty(4 * H, I, dtype=dtype, device=device))
        self.weight_hh = Parameter(empty(4 * H, H, dtype=dtype, device=device))
        self.bias = Parameter(empty(4 * H, dtype=dtype, device=device))
        self.ln_ih = LayerNorm(4 * H, bias=False, dtype=dtype)
        self.ln_hh = LayerNorm(4 * H, bias=False, dtype=dtype)
        self.ln_c = LayerNorm(H, dtype=dtype)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws the weights anew; gains become 1, biases 0."""
        bound = 1 / math.sqrt(self.hidden_size)
        init.uniform_(self.weight_ih, -bound, bound)
        init.uniform_(self.weight_hh, -bound, bound)
        init.zeros_(self.bias)
        set_forget_bias("LayerNormLSTMCell", self.forget_bias, [self.bias])
        for norm in (self.ln_ih, self.ln_hh, self.ln_c):
            norm.reset_parameters()

    def forward(self, input: Tensor, hx: Sequence[Tensor] | None = None) -> tuple[Tensor, Tensor]:
        """(h', c') for the input x and the states (h, c), zero if not given."""
        h, c = pair_of_states("LayerNormLSTMCell", hx)
        check_step("LayerNormLSTMCell", self.input_size, self.hidden_size, self.weight_ih, input, (h, c))
        if h is None or c is None:
            h = c = zeros(*input.shape[:-1], self.hidden_size, dtype=input.dtype)
        a = self.ln_ih(functional.linear(input, self.weight_ih)) + self.ln_hh(functional.linear(h, self.weight_hh))
        i, f, g, o = (a + self.bias).chunk(4, -1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        return o.sigmoid() * self.ln_c(c).tanh(), c

    def extra_repr(self) -> str:
        return f"{self.input_size}, {self.hidden_size}"
