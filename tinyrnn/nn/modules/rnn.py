"""RNN, LSTM and GRU: recurrent networks over whole sequences. Their cells are in cells.py."""

from __future__ import annotations

from typing import Any

from numpy.typing import DTypeLike

from tinyrnn.kernels.gru import gru
from tinyrnn.kernels.lstm import lstm
from tinyrnn.kernels.rnn import rnn
from tinyrnn.nn.arguments import as_float
from tinyrnn.nn.modules.cells import GRUCell, LSTMCell, RNNCell, RNNCellBase, known_nonlinearity, set_forget_bias
from tinyrnn.nn.modules.rnn_base import RNNBase

__all__ = ["GRU", "LSTM", "RNN", "GRUCell", "LSTMCell", "RNNBase", "RNNCell", "RNNCellBase"]


class RNN(RNNBase):
    """h_t = f(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh) for t = 1..T, in num_layers layers, each fed with the h_t below.

    input_size I, hidden_size H, num_layers L (whole numbers, at least 1)
    nonlinearity   f: "tanh", "relu"; beyond torch also "sigmoid" and "identity"
    bias           False leaves b_ih and b_hh out
    batch_first    x and y have the batch in front: (N, T, .) instead of (T, N, .); h_0 and h_n stay as they are
    dropout        the probability with which, in training, an output of a layer is 0 for the next; not after the last
    bidirectional  D = 2 directions: a second set of weights walks t = T..1, and y_t holds both states, forward first
    learn_initial_state  beyond torch: h_0, where none is given, is a parameter, initial_h (L D, H), 0 at first

    Calling it with x and, if it is not zero, h_0 gives (y, h_n). x may be a PackedSequence, and then y is one; or
    padded, with lengths=..., one for each sequence: then y is 0 behind each end, and h_n is the state at the end.
    Each layer is one node of the graph, so the gradient that y_t can show is only what reaches it as an output; for
    all of dL/dh_t loop over an RNNCell.
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
        *,
        learn_initial_state: bool = False,
    ) -> None:
        self.nonlinearity = known_nonlinearity("RNN", nonlinearity)
        super().__init__(
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            device,
            dtype,
            learn_initial_state=learn_initial_state,
        )
        self.mode = f"RNN_{self.nonlinearity.upper()}"

    def kernel(self, *arrays: Any, **options: Any) -> Any:
        x, h0, w_ih, w_hh, b_ih, b_hh = arrays
        return rnn(x, h0, w_ih, w_hh, b_ih, b_hh, self.nonlinearity, **options)

    def extra_repr(self) -> str:
        words = super().extra_repr()  # torch's, which leaves tanh and relu out
        return words if self.nonlinearity in ("tanh", "relu") else f"{words}, nonlinearity={self.nonlinearity}"


class LSTM(RNNBase):
    """Long short-term memory: a cell state c that gates write to, keep and read, for t = 1..T; s is the sigmoid:

        i_t = s(W_ii x_t + b_ii + W_hi h_{t-1} + b_hi)      how much of g is written
        f_t = s(W_if x_t + b_if + W_hf h_{t-1} + b_hf)      how much of c is kept
        g_t = tanh(W_ig x_t + b_ig + W_hg h_{t-1} + b_hg)   what is written
        o_t = s(W_io x_t + b_io + W_ho h_{t-1} + b_ho)      how much of c is shown
        c_t = f_t c_{t-1} + i_t g_t,     h_t = o_t tanh(c_t)

    input_size I, hidden_size H, num_layers L, bias, batch_first, dropout, bidirectional (D = 2): as in RNN
    proj_size      P > 0: h_t = W_hr (o_t tanh(c_t)) has only P < H entries; without, P = H below
    forget_bias    beyond torch: what b_if + b_hf, which act as one, are together at first; 1 or 2 lets the cell keep
                   its state from the beginning. None: drawn like the others
    learn_initial_state  beyond torch: where no states are given they are parameters, initial_h and initial_c

    Calling it with x and, if they are not zero, (h_0, c_0) gives (y, (h_n, c_n)). x may be a PackedSequence, or padded,
    with lengths=...: see RNN.
    Shapes: x (T, N, I), h_0 and h_n (L D, N, P), c_0 and c_n (L D, N, H), y (T, N, D P); with batch_first x (N, T, I)
        and y (N, T, D P); unbatched the same without N. In h_n the directions of layer 0 come first, then layer 1's.
    Parameters, for layer k: weight_ih_lk (4H, I), then (4H, D P) for k > 0; weight_hh_lk (4H, P); bias_ih_lk and
        bias_hh_lk (4H,); with a projection weight_hr_lk (P, H); rows in the order i, f, g, o; those of the way back
        end in _reverse. All U(-1/sqrt(H), 1/sqrt(H)) at first.
    Raises TypeError and ValueError for arguments, shapes and dtypes that do not fit, before anything is computed.
    Source: Hochreiter and Schmidhuber 1997; Gers, Schmidhuber and Cummins 2000 (forget gate, and its bias);
        Jozefowicz, Zaremba and Sutskever 2015 (a bias of 1); Sak, Senior and Beaufays 2014 (projection);
        conventions: torch.nn.LSTM.

    >>> import tinyrnn
    >>> y, (h_n, c_n) = LSTM(3, 4, bidirectional=True)(tinyrnn.randn(7, 5, 3))
    >>> y.shape, h_n.shape, c_n.shape
    ((7, 5, 8), (2, 5, 4), (2, 5, 4))
    """

    gates, state_names, mode = 4, ("h_0", "c_0"), "LSTM"
    weight_names = (*RNNBase.weight_names, "weight_hr")

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: DTypeLike | None = None,
        *,
        forget_bias: float | None = None,
        learn_initial_state: bool = False,
    ) -> None:
        if isinstance(proj_size, bool) or not isinstance(proj_size, int) or not 0 <= proj_size < max(1, hidden_size):
            raise ValueError(
                f"LSTM: proj_size is {proj_size!r}, expected a whole number from 0, for none, to below the "
                f"hidden_size, {hidden_size}"
            )
        self.proj_size = proj_size
        self.forget_bias = None if forget_bias is None else as_float("LSTM", "forget_bias", forget_bias)
        super().__init__(
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            device,
            dtype,
            learn_initial_state=learn_initial_state,
        )

    def reset_parameters(self) -> None:
        super().reset_parameters()
        for weights in self.all_weights:
            set_forget_bias("LSTM", self.forget_bias, weights[2:4] if self.bias else [])

    def kernel(self, *arrays: Any, **options: Any) -> Any:
        return lstm(*arrays, **options)


class GRU(RNNBase):
    """Gated recurrent units: a state that two gates update, for t = 1..T; s is the sigmoid:

        r_t = s(W_ir x_t + b_ir + W_hr h_{t-1} + b_hr)             how much of the old state n sees
        z_t = s(W_iz x_t + b_iz + W_hz h_{t-1} + b_hz)             how much of the old state is kept
        n_t = tanh(W_in x_t + b_in + r_t (W_hn h_{t-1} + b_hn))    the new state
        h_t = (1 - z_t) n_t + z_t h_{t-1}

    r_t acts after the product ("reset after"), as in torch and cuDNN; in Cho et al. it acts before, on h_{t-1}, and
    in some libraries z and 1 - z change places: their weights do not fit here as they are.

    input_size I, hidden_size H, num_layers L, bias, batch_first, dropout, bidirectional (D = 2),
    learn_initial_state: as in RNN. Calling it with x and, if it is not zero, h_0 gives (y, h_n). x may be a
    PackedSequence, or padded, with lengths=...: see RNN.
    Shapes: x (T, N, I), h_0 and h_n (L D, N, H), y (T, N, D H); with batch_first x (N, T, I) and y (N, T, D H);
        unbatched the same without N. In h_n the directions of layer 0 come first, then those of layer 1, ...
    Parameters, for layer k: weight_ih_lk (3H, I), then (3H, D H) for k > 0; weight_hh_lk (3H, H); bias_ih_lk and
        bias_hh_lk (3H,); rows in the order r, z, n; those of the way back end in _reverse.
        All U(-1/sqrt(H), 1/sqrt(H)) at first.
    Raises TypeError and ValueError for arguments, shapes and dtypes that do not fit, before anything is computed.
    Source: Cho et al., Learning phrase representations using RNN encoder-decoder, 2014; conventions: torch.nn.GRU.

    >>> import tinyrnn
    >>> y, h_n = GRU(3, 4)(tinyrnn.randn(7, 5, 3), lengths=[7, 2, 4, 1, 7])
    >>> y.shape, h_n.shape
    ((7, 5, 4), (1, 5, 4))
    """

    gates, mode = 3, "GRU"

    def kernel(self, *arrays: Any, **options: Any) -> Any:
        return gru(*arrays, **options)
