"""Losses, as modules."""

from __future__ import annotations

from tinyrnn.nn import functional
from tinyrnn.nn.arguments import check_reduction
from tinyrnn.nn.modules.module import Module
from tinyrnn.tensor import Tensor


class MSELoss(Module):
    """L = mean of (x - y)^2 over all elements; reduction "sum" sums them, "none" leaves them as they are.

    Shapes: input x and target y of one shape -> (), or that shape for "none"; shapes that broadcast, with a warning.
    Raises ValueError for another reduction, and for shapes that do not broadcast; TypeError for what are no floating
    tensors. Source: torch.nn.MSELoss.

    >>> import tinyrnn
    >>> MSELoss()(tinyrnn.tensor([1.0, 2.0]), tinyrnn.tensor([1.0, 4.0]))
    tensor(2.)
    """

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__()
        check_reduction("MSELoss", reduction)
        self.reduction = reduction

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """L for the input x and the target y."""
        return functional.mse_loss(input, target, self.reduction)
