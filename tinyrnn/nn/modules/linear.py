"""Linear, an affine map of the last axis; Bilinear, one of two inputs; Identity, which changes nothing."""

from __future__ import annotations

import math
from typing import Any

from numpy.typing import DTypeLike

from tinyrnn.creation import empty
from tinyrnn.nn import functional, init
from tinyrnn.nn.arguments import positive
from tinyrnn.nn.modules.module import Module
from tinyrnn.nn.parameter import Parameter
from tinyrnn.tensor import Tensor


class Identity(Module):
    """y = x. Takes any arguments when it is made, and does nothing with them. Source: torch.nn.Identity.

    >>> import tinyrnn
    >>> Identity(54, unused=True)(tinyrnn.ones(2))
    tensor([1., 1.])
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Any) -> Any:
        """The input."""
        return input


class Linear(Module):
    """y = x W^T + b.

    in_features I, out_features O (whole numbers, at least 1); bias=False leaves b out.
    Shapes: x (..., I) -> y (..., O); weight (O, I), bias (O,): both U(-1/sqrt(I), 1/sqrt(I)) at first.
    Raises ValueError for sizes that are none and, when called, for an x of another last axis; TypeError for
    dtypes that differ. Source: torch.nn.Linear.

    >>> import tinyrnn
    >>> tuple(Linear(3, 2)(tinyrnn.ones(5, 3)).shape)
    (5, 2)
    """

    bias: Parameter | None

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, device: Any = None, dtype: DTypeLike | None = None
    ) -> None:
        super().__init__()
        self.in_features = positive("Linear", "in_features", in_features)
        self.out_features = positive("Linear", "out_features", out_features)
        self.weight = Parameter(empty(out_features, in_features, dtype=dtype, device=device))
        self.register_parameter("bias", Parameter(empty(out_features, dtype=dtype, device=device)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws weight and bias anew."""
        bound = math.sqrt(3) * (math.sqrt(2 / 6) / math.sqrt(self.in_features))  # 1/sqrt(I), rounded as torch's
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            bound = 1 / math.sqrt(self.in_features)
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        return functional.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class Bilinear(Module):
    """y_o = a^T W_o b + b_o.

    in1_features I, in2_features J, out_features O (whole numbers, at least 1); bias=False leaves b_o out.
    Shapes: a (..., I), b (..., J) -> y (..., O); weight (O, I, J), bias (O,): both U(-1/sqrt(I), 1/sqrt(I)) at first.
    Raises as Linear does. Source: torch.nn.Bilinear.

    >>> import tinyrnn
    >>> tuple(Bilinear(3, 4, 2)(tinyrnn.ones(5, 3), tinyrnn.ones(5, 4)).shape)
    (5, 2)
    """

    bias: Parameter | None

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        self.in1_features = I = positive("Bilinear", "in1_features", in1_features)
        self.in2_features = J = positive("Bilinear", "in2_features", in2_features)
        self.out_features = O = positive("Bilinear", "out_features", out_features)
        self.weight = Parameter(empty(O, I, J, dtype=dtype, device=device))
        self.register_parameter("bias", Parameter(empty(O, dtype=dtype, device=device)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws weight and bias anew."""
        bound = 1 / math.sqrt(self.in1_features)
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input1: Tensor, input2: Tensor) -> Tensor:
        """y for the inputs a and b."""
        return functional.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
            f"out_features={self.out_features}, bias={self.bias is not None}"
        )
