"""Activations, as modules: each calls the function of nn.functional that its docstring names, in any shape.

Source: torch.nn, for names, arguments, defaults and how they print.
"""

from __future__ import annotations

from typing import Any

from numpy.typing import DTypeLike

from tinyrnn.creation import empty
from tinyrnn.nn import functional, init
from tinyrnn.nn.arguments import as_float, flag, positive
from tinyrnn.nn.modules.module import Module
from tinyrnn.nn.parameter import Parameter
from tinyrnn.tensor import Tensor


class Tanh(Module):
    """y = tanh x. See nn.functional.tanh.

    >>> import tinyrnn
    >>> Tanh()(tinyrnn.zeros(2))
    tensor([0., 0.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return functional.tanh(input)


class Sigmoid(Module):
    """y = 1 / (1 + e^-x). See nn.functional.sigmoid."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.sigmoid(input)


class LogSigmoid(Module):
    """y = log(1 / (1 + e^-x)). See nn.functional.logsigmoid."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.logsigmoid(input)


class Softsign(Module):
    """y = x / (1 + |x|). See nn.functional.softsign."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.softsign(input)


class Tanhshrink(Module):
    """y = x - tanh x. See nn.functional.tanhshrink."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.tanhshrink(input)


class _InPlace(Module):
    """What those share that take nothing but inplace."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = flag(type(self).__name__, "inplace", inplace)

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class ReLU(_InPlace):
    """y = max(x, 0). See nn.functional.relu.

    >>> import tinyrnn
    >>> ReLU()(tinyrnn.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return functional.relu(input, self.inplace)


class SELU(_InPlace):
    """y = scale elu(x). See nn.functional.selu."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.selu(input, self.inplace)


class SiLU(_InPlace):
    """y = x / (1 + e^-x). See nn.functional.silu."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.silu(input, self.inplace)


class Mish(_InPlace):
    """y = x tanh(log(1 + e^x)). See nn.functional.mish."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.mish(input, self.inplace)


class _Hard(Module):
    """What Hardsigmoid and Hardswish share: torch does not print their inplace."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = flag(type(self).__name__, "inplace", inplace)


class Hardsigmoid(_Hard):
    """y = min(max(x + 3, 0), 6) / 6. See nn.functional.hardsigmoid."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.hardsigmoid(input, self.inplace)


class Hardswish(_Hard):
    """y = x min(max(x + 3, 0), 6) / 6. See nn.functional.hardswish."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.hardswish(input, self.inplace)


class _Alpha(Module):
    """What ELU and CELU share."""

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        as_float(type(self).__name__, "alpha", alpha)
        self.alpha = alpha
        self.inplace = flag(type(self).__name__, "inplace", inplace)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}{', inplace=True' if self.inplace else ''}"


class ELU(_Alpha):
    """y = x where x > 0, else alpha (e^x - 1). See nn.functional.elu."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.elu(input, self.alpha, self.inplace)


class CELU(_Alpha):
    """y = x where x > 0, else alpha (e^(x/alpha) - 1). See nn.functional.celu."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.celu(input, self.alpha, self.inplace)


class LeakyReLU(Module):
    """y = x where x > 0, else negative_slope x. See nn.functional.leaky_relu."""

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__()
        as_float("LeakyReLU", "negative_slope", negative_slope)
        self.negative_slope = negative_slope
        self.inplace = flag("LeakyReLU", "inplace", inplace)

    def forward(self, input: Tensor) -> Tensor:
        return functional.leaky_relu(input, self.negative_slope, self.inplace)

    def extra_repr(self) -> str:
        return f"negative_slope={self.negative_slope}{', inplace=True' if self.inplace else ''}"


class PReLU(Module):
    """y = x where x > 0, else w x, with one w to learn, or one for each channel. See nn.functional.prelu.

    num_parameters: 1, or the number of channels; init: what w is at first. weight (num_parameters,).
    """

    def __init__(
        self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: DTypeLike | None = None
    ) -> None:
        super().__init__()
        self.num_parameters = positive("PReLU", "num_parameters", num_parameters)
        self.init = init
        self.weight = Parameter(empty(num_parameters, dtype=dtype, device=device))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Sets the weight to what it is at first."""
        init.constant_(self.weight, self.init)

    def forward(self, input: Tensor) -> Tensor:
        """y for the input x, (N, C, ...)."""
        return functional.prelu(input, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


class Hardtanh(Module):
    """y = min(max(x, min_val), max_val). See nn.functional.hardtanh. Raises ValueError unless min_val < max_val."""

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        if not min_val < max_val:
            raise ValueError(f"Hardtanh: min_val is {min_val} and max_val {max_val}, expected the first to be smaller")
        self.min_val, self.max_val = min_val, max_val
        self.inplace = flag(type(self).__name__, "inplace", inplace)

    def forward(self, input: Tensor) -> Tensor:
        return functional.hardtanh(input, self.min_val, self.max_val, self.inplace)

    def extra_repr(self) -> str:
        return f"min_val={self.min_val}, max_val={self.max_val}{', inplace=True' if self.inplace else ''}"


class ReLU6(Hardtanh):
    """y = min(max(x, 0), 6). See nn.functional.relu6."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__(0.0, 6.0, inplace)

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class Threshold(Module):
    """y = x where x > threshold, else value. See nn.functional.threshold."""

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__()
        self.threshold, self.value = threshold, value
        self.inplace = flag("Threshold", "inplace", inplace)

    def forward(self, input: Tensor) -> Tensor:
        return functional.threshold(input, self.threshold, self.value, self.inplace)

    def extra_repr(self) -> str:
        return f"threshold={self.threshold}, value={self.value}{', inplace=True' if self.inplace else ''}"


class _Shrink(Module):
    """What Hardshrink and Softshrink share."""

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        as_float(type(self).__name__, "lambd", lambd)
        self.lambd = lambd

    def extra_repr(self) -> str:
        return str(self.lambd)


class Hardshrink(_Shrink):
    """y = x where |x| > lambd, else 0. See nn.functional.hardshrink."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.hardshrink(input, self.lambd)


class Softshrink(_Shrink):
    """y = x nearer to 0 by lambd, or 0. See nn.functional.softshrink."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.softshrink(input, self.lambd)


class Softplus(Module):
    """y = log(1 + e^(beta x)) / beta; y = x where beta x > threshold. See nn.functional.softplus."""

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta, self.threshold = beta, threshold

    def forward(self, input: Tensor) -> Tensor:
        return functional.softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        return f"beta={self.beta}, threshold={self.threshold}"


class GELU(Module):
    """y = x F(x), F the distribution of N(0, 1); approximate "none" or "tanh". See nn.functional.gelu."""

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, input: Tensor) -> Tensor:
        return functional.gelu(input, self.approximate)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class GLU(Module):
    """y = a / (1 + e^-b), where a and b are the halves of x along dim. See nn.functional.glu."""

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return functional.glu(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class _OverDim(Module):
    """What Softmax, LogSoftmax and Softmin share."""

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmax(_OverDim):
    """y_k = e^(x_k) / sum_j e^(x_j) over dim. See nn.functional.softmax, also for what happens without a dim."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.softmax(input, self.dim, _stacklevel=5)


class LogSoftmax(_OverDim):
    """y_k = x_k - log sum_j e^(x_j) over dim. See nn.functional.log_softmax."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.log_softmax(input, self.dim, _stacklevel=5)


class Softmin(_OverDim):
    """y_k = e^(-x_k) / sum_j e^(-x_j) over dim. See nn.functional.softmin."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.softmin(input, self.dim, _stacklevel=5)
