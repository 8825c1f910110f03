"""Embedding: a table of vectors, one for each index."""

from __future__ import annotations

from typing import Any, Self

from numpy.typing import DTypeLike

from tinyrnn.autograd.modes import no_grad
from tinyrnn.creation import empty
from tinyrnn.nn import functional, init
from tinyrnn.nn.arguments import flag, positive
from tinyrnn.nn.functional.embeddings import padding_row
from tinyrnn.nn.modules.module import Module
from tinyrnn.nn.parameter import Parameter
from tinyrnn.tensor import Tensor


class Embedding(Module):
    """y = W[k]: the vector of index k.

    num_embeddings V, embedding_dim D (whole numbers, at least 1)
    padding_idx         the index of a vector that gets no gradient, and is zero at first
    max_norm, norm_type, scale_grad_by_freq, sparse    as in nn.functional.embedding
    Shapes: k of any shape (...), whole numbers from 0 to V - 1 -> y (..., D); weight (V, D), N(0, 1) at first.
    Raises ValueError for sizes and a padding_idx that are none, and, when called, IndexError for indices out of range,
    TypeError for those that are no whole numbers. Source: torch.nn.Embedding.

    >>> import tinyrnn
    >>> tuple(Embedding(10, 3)(tinyrnn.tensor([[1, 2, 4, 5], [4, 3, 2, 9]])).shape)
    (2, 4, 3)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        _weight: Tensor | None = None,
        _freeze: bool = False,
        device: Any = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        self.num_embeddings = positive("Embedding", "num_embeddings", num_embeddings)
        self.embedding_dim = positive("Embedding", "embedding_dim", embedding_dim)
        self.padding_idx = padding_row("Embedding", padding_idx, self.num_embeddings)
        self.max_norm, self.norm_type = max_norm, norm_type
        self.scale_grad_by_freq = flag("Embedding", "scale_grad_by_freq", scale_grad_by_freq)
        self.sparse = flag("Embedding", "sparse", sparse)
        if sparse:
            raise ValueError("Embedding: sparse=True is not here: its gradient is dense, leave it out")
        if _weight is None:
            self.weight = Parameter(empty(num_embeddings, embedding_dim, dtype=dtype, device=device), not _freeze)
            self.reset_parameters()
        else:
            if _weight.shape != (num_embeddings, embedding_dim):
                raise ValueError(
                    f"Embedding: the weight is {_weight.shape}, expected {(num_embeddings, embedding_dim)}"
                )
            self.weight = Parameter(_weight, not _freeze)

    def reset_parameters(self) -> None:
        """Draws the weight anew."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            with no_grad():
                self.weight[self.padding_idx] = 0

    def forward(self, input: Tensor) -> Tensor:
        """y for the indices k."""
        return functional.embedding(
            input, self.weight, self.padding_idx, self.max_norm, self.norm_type, self.scale_grad_by_freq
        )

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> Self:
        """An Embedding whose weight is `embeddings` (V, D), in its memory; it does not learn, unless freeze=False.

        >>> import tinyrnn
        >>> Embedding.from_pretrained(tinyrnn.tensor([[1.0, 2.3, 3.0], [4.0, 5.1, 6.3]]))(tinyrnn.tensor([1]))
        tensor([[4.0000, 5.1000, 6.3000]])
        """
        if not isinstance(embeddings, Tensor) or embeddings.ndim != 2:
            what = f"shape {embeddings.shape}" if isinstance(embeddings, Tensor) else type(embeddings).__name__
            raise ValueError(f"Embedding.from_pretrained: got {what}, expected a tensor (V, D)")
        V, D = embeddings.shape
        return cls(V, D, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse, embeddings, freeze)

    def extra_repr(self) -> str:
        words = [f"{self.num_embeddings}, {self.embedding_dim}"]
        usual = {"padding_idx": None, "max_norm": None, "norm_type": 2, "scale_grad_by_freq": False}
        words += [f"{name}={getattr(self, name)}" for name, value in usual.items() if getattr(self, name) != value]
        return ", ".join(words)
