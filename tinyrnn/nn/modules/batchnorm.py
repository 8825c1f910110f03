"""BatchNorm1d: each channel of a batch to mean 0 and variance 1."""

from __future__ import annotations

from typing import Any

from numpy.typing import DTypeLike

from tinyrnn.creation import empty, ones, tensor, zeros
from tinyrnn.dtypes import int64
from tinyrnn.nn import functional, init
from tinyrnn.nn.arguments import flag, positive
from tinyrnn.nn.modules.module import Module
from tinyrnn.nn.parameter import Parameter
from tinyrnn.tensor import Tensor


class BatchNorm1d(Module):
    """y = (x - mean) / sqrt(var + eps) w + b, for each of C channels by itself.

    In training mean and var are those of the batch, and running_mean and running_var move towards them by `momentum`;
    in evaluation they are the running ones.

    num_features         C, a whole number of at least 1
    momentum             None for the mean over all batches so far
    affine               False leaves w and b out, bias=False only b
    track_running_stats  False keeps no running ones: those of the batch are used in evaluation too
    Shapes: x (N, C) or (N, C, L) -> the same; weight, at first 1, bias, at first 0, running_mean, running_var (C,);
        num_batches_tracked (), int64.
    Raises ValueError, when called, for an x of another shape and, in training, for one value a channel.
    Source: Ioffe and Szegedy, Batch normalization, 2015; torch.nn.BatchNorm1d.

    >>> import tinyrnn
    >>> BatchNorm1d(1)(tinyrnn.tensor([[1.0], [3.0]])).detach()
    tensor([[-1.0000],
            [ 1.0000]])
    """

    weight: Parameter | None
    bias: Parameter | None
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: DTypeLike | None = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_features = C = positive("BatchNorm1d", "num_features", num_features)
        self.eps, self.momentum = eps, momentum
        self.affine = flag("BatchNorm1d", "affine", affine)
        self.track_running_stats = track = flag("BatchNorm1d", "track_running_stats", track_running_stats)
        for name, wanted in (("weight", affine), ("bias", affine and flag("BatchNorm1d", "bias", bias))):
            self.register_parameter(name, Parameter(empty(C, dtype=dtype, device=device)) if wanted else None)
        self.register_buffer("running_mean", zeros(C, dtype=dtype, device=device) if track else None)
        self.register_buffer("running_var", ones(C, dtype=dtype, device=device) if track else None)
        self.register_buffer("num_batches_tracked", tensor(0, dtype=int64) if track else None)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Sets running_mean to 0, running_var to 1, and the count of batches to 0."""
        if self.running_mean is not None and self.running_var is not None and self.num_batches_tracked is not None:
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        """reset_running_stats(), and weight 1, bias 0."""
        self.reset_running_stats()
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        if not isinstance(input, Tensor) or input.ndim not in (2, 3) or input.shape[1] != self.num_features:
            what = f"has shape {input.shape}" if isinstance(input, Tensor) else f"is a {type(input).__name__}"
            C = self.num_features
            raise ValueError(f"BatchNorm1d: the input {what}, expected a tensor (N, {C}) or (N, {C}, L)")
        count = self.num_batches_tracked if self.training else None
        momentum = 0.0 if self.momentum is None else self.momentum
        if self.momentum is None and count is not None:
            momentum = 1 / (int(count) + 1)
        running = self.track_running_stats or not self.training
        y = functional.batch_norm(
            input,
            self.running_mean if running else None,
            self.running_var if running else None,
            self.weight,
            self.bias,
            self.training or self.running_mean is None,
            momentum,
            self.eps,
        )
        if count is not None:  # last, so that an input that does not fit changes nothing
            count.add_(1)
        return y

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )
