"""Likeness and distance of vectors, as modules."""

from __future__ import annotations

from tinyrnn.nn import functional
from tinyrnn.nn.modules.module import Module
from tinyrnn.tensor import Tensor


class CosineSimilarity(Module):
    """c = <x1, x2> / (max(|x1|, eps) max(|x2|, eps)) along one axis. Source: torch.nn.CosineSimilarity.

    Shapes: x1, x2 that broadcast -> that shape without dim.

    >>> import tinyrnn
    >>> CosineSimilarity(dim=0)(tinyrnn.tensor([1.0, 0.0]), tinyrnn.tensor([3.0, 4.0]))
    tensor(0.6000)
    """

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim, self.eps = dim, eps

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        """c for two tensors."""
        return functional.cosine_similarity(x1, x2, self.dim, self.eps)


class PairwiseDistance(Module):
    """The p-norm of x1 - x2 + eps along the last axis. Source: torch.nn.PairwiseDistance.

    Shapes: x1, x2 that broadcast -> that shape without the last axis, which is 1 with keepdim.

    >>> import tinyrnn
    >>> PairwiseDistance()(tinyrnn.tensor([[0.0, 0.0]]), tinyrnn.tensor([[3.0, 4.0]]))
    tensor([5.0000])
    """

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__()
        self.norm, self.eps, self.keepdim = p, eps, keepdim

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        """The distances."""
        return functional.pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)
