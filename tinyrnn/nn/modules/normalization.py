"""LayerNorm and RMSNorm: each vector by itself to mean 0 and variance 1, or to mean square 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import DTypeLike

from tinyrnn.creation import empty
from tinyrnn.nn import functional, init
from tinyrnn.nn.arguments import flag
from tinyrnn.nn.functional.normalizations import normal_shape
from tinyrnn.nn.modules.module import Module
from tinyrnn.nn.parameter import Parameter
from tinyrnn.tensor import Tensor


class LayerNorm(Module):
    """y = (x - mean) / sqrt(var + eps) w + b, over the last axes together; var divides by the number of elements.

    normalized_shape    the sizes of these axes; a number for the last one alone
    elementwise_affine  False leaves w and b out, bias=False only b
    Shapes: x (..., *normalized_shape) -> y of x's shape; weight, at first 1, and bias, at first 0, of normalized_shape.
    Raises ValueError, when called, for an x of other last axes, TypeError for another dtype.
    Source: Ba, Kiros and Hinton, Layer normalization, 2016; torch.nn.LayerNorm.

    >>> import tinyrnn
    >>> LayerNorm(2)(tinyrnn.tensor([[1.0, 3.0], [5.0, 5.0]]))
    tensor([[-1.0000,  1.0000],
            [ 0.0000,  0.0000]], grad_fn=<layer_norm>)
    """

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = shape = normal_shape("LayerNorm", normalized_shape)
        self.eps = eps
        self.elementwise_affine = affine = flag("LayerNorm", "elementwise_affine", elementwise_affine)
        for name, wanted in (("weight", affine), ("bias", affine and flag("LayerNorm", "bias", bias))):
            self.register_parameter(name, Parameter(empty(shape, dtype=dtype, device=device)) if wanted else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Sets the weight to 1 and the bias to 0."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        return functional.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        words = f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
        return f"{words}, bias={self.bias is not None}"


class RMSNorm(Module):
    """y = x / sqrt(mean(x^2) + eps) w, over the last axes together.

    normalized_shape    the sizes of these axes; a number for the last one alone
    eps                 None for the distance from 1 to the next number of x's dtype
    elementwise_affine  False leaves w out
    Shapes: x (..., *normalized_shape) -> y of x's shape; weight, at first 1, of normalized_shape.
    Raises as LayerNorm does. Source: Zhang and Sennrich, Root mean square layer normalization, 2019; torch.nn.RMSNorm.

    >>> import tinyrnn
    >>> RMSNorm(2)(tinyrnn.tensor([3.0, 3.0]))
    tensor([1., 1.], grad_fn=<rms_norm>)
    """

    weight: Parameter | None

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: Any = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = shape = normal_shape("RMSNorm", normalized_shape)
        self.eps = eps
        self.elementwise_affine = affine = flag("RMSNorm", "elementwise_affine", elementwise_affine)
        self.register_parameter("weight", Parameter(empty(shape, dtype=dtype, device=device)) if affine else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Sets the weight to 1."""
        if self.weight is not None:
            init.ones_(self.weight)

    def forward(self, input: Tensor) -> Tensor:
        return functional.rms_norm(input, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
