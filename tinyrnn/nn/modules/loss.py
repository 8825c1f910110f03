"""Losses, as modules: each holds the options of its function in nn.functional, and equations and shapes stand there.

In all of them: reduction "mean", "sum" or "none"; size_average and reduce are torch's older words for these, translated
with a warning. Raises ValueError for another reduction, TypeError for a flag or a weight that is none, when the loss is
made. A weight is a buffer: it is in state_dict(), and follows double() and to(). Source: torch.nn.
"""

from __future__ import annotations

from tinyrnn.nn import functional
from tinyrnn.nn.modules.module import Module
from tinyrnn.nn.reductions import reduction_of
from tinyrnn.tensor import Tensor


class _Loss(Module):
    more_reductions: tuple[str, ...] = ()

    def __init__(self, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean") -> None:
        super().__init__()
        self.reduction = reduction_of(type(self).__name__, size_average, reduce, reduction, self.more_reductions)


class _WeightedLoss(_Loss):
    weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)


class MSELoss(_Loss):
    """L = mean of (x - y)^2 over all elements; reduction "sum" sums them, "none" leaves them as they are.

    Shapes: input x and target y of one shape -> (), or that shape for "none"; shapes that broadcast, with a warning.

    >>> import tinyrnn
    >>> MSELoss()(tinyrnn.tensor([1.0, 2.0]), tinyrnn.tensor([1.0, 4.0]))
    tensor(2.)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return functional.mse_loss(input, target, reduction=self.reduction)


class L1Loss(_Loss):
    """L = mean of |x - y|. Shapes: as MSELoss.

    >>> import tinyrnn
    >>> L1Loss()(tinyrnn.tensor([1.0, 2.0]), tinyrnn.tensor([1.0, 4.0]))
    tensor(1.)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return functional.l1_loss(input, target, reduction=self.reduction)


class SmoothL1Loss(_Loss):
    """L = mean of d^2 / 2 beta where |d| < beta, |d| - beta/2 elsewhere, for d = x - y. Shapes: as MSELoss."""

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        beta: float = 1.0,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.beta = beta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return functional.smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class HuberLoss(_Loss):
    """L = mean of d^2 / 2 where |d| <= delta, delta (|d| - delta/2) elsewhere, for d = x - y. Shapes: as MSELoss."""

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        if isinstance(delta, bool) or not isinstance(delta, int | float):
            raise TypeError(f"HuberLoss: delta is {delta!r}, expected a number")
        super().__init__(reduction=reduction)
        self.delta = delta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return functional.huber_loss(input, target, reduction=self.reduction, delta=self.delta)


class CrossEntropyLoss(_WeightedLoss):
    """L = mean of -w_y log p_y, for p = softmax of the input over the classes, and target classes y.

    weight w (C,) of the classes; targets that are ignore_index count for nothing; label_smoothing s takes (1 - s) of
    the target and s/C of every class.
    Shapes: input, logits and not probabilities, (C,), (N, C) or (N, C, d_1, ...); target, whole numbers, without C, or
    probabilities of the input's shape -> (), or the shape without C for "none".
    Raises, when called, IndexError for a class that is none, and what else nn.functional.cross_entropy says.

    >>> import tinyrnn
    >>> CrossEntropyLoss()(tinyrnn.zeros(3, 2), tinyrnn.tensor([0, 1, 1]))  # log 2
    tensor(0.6931)
    """

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """L for logits and targets."""
        return functional.cross_entropy(
            input,
            target,
            self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )


class NLLLoss(_WeightedLoss):
    """L = mean of -w_y x_y, for log-probabilities x, as LogSoftmax gives them, and target classes y.

    weight, ignore_index, shapes: as CrossEntropyLoss, but for targets that are probabilities.

    >>> import tinyrnn
    >>> NLLLoss()(tinyrnn.tensor([[-0.5, -1.0]]), tinyrnn.tensor([1]))
    tensor(1.)
    """

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """L for log-probabilities and classes."""
        return functional.nll_loss(input, target, self.weight, ignore_index=self.ignore_index, reduction=self.reduction)


class BCELoss(_WeightedLoss):
    """L = mean of -w (y log x + (1 - y) log(1 - x)), for probabilities x and targets y of 0 to 1.

    Shapes: input, target: one shape -> (), or that shape for "none"; the weight broadcasts to it.

    >>> import tinyrnn
    >>> BCELoss()(tinyrnn.tensor([0.5, 0.5]), tinyrnn.tensor([0.0, 1.0]))
    tensor(0.6931)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """L for probabilities and targets."""
        return functional.binary_cross_entropy(input, target, self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(_Loss):
    """L = mean of -w (p y log s + (1 - y) log(1 - s)), s = sigmoid x, for logits x and targets y of 0 to 1.

    weight w of the elements and pos_weight p of the positive ones broadcast to the input. Shapes: as BCELoss.
    """

    weight: Tensor | None
    pos_weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        pos_weight: Tensor | None = None,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """L for logits and targets."""
        return functional.binary_cross_entropy_with_logits(
            input, target, self.weight, reduction=self.reduction, pos_weight=self.pos_weight
        )


class KLDivLoss(_Loss):
    """L = mean of q (log q - x), for log-probabilities x and targets q; with log_target the targets are log q.

    reduction may also be "batchmean", which divides by the length of the first axis: the divergence; "mean" warns.
    """

    more_reductions = ("batchmean",)

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        log_target: bool = False,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_target = log_target

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """L for log-probabilities and targets."""
        return functional.kl_div(input, target, reduction=self.reduction, log_target=self.log_target)


class PoissonNLLLoss(_Loss):
    """L = mean of e^x - y x, for counts y ~ Poisson(e^x); without log_input, of x - y log(x + eps)."""

    def __init__(
        self,
        log_input: bool = True,
        full: bool = False,
        size_average: bool | None = None,
        eps: float = 1e-8,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_input, self.full, self.eps = log_input, full, eps

    def forward(self, log_input: Tensor, target: Tensor) -> Tensor:
        """L for rates, or their logarithms, and counts."""
        return functional.poisson_nll_loss(
            log_input, target, self.log_input, self.full, eps=self.eps, reduction=self.reduction
        )


class GaussianNLLLoss(_Loss):
    """L = mean of (log v + (x - y)^2 / v) / 2, for y ~ N(x, v), with v at least eps."""

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.full, self.eps = full, eps

    def forward(self, input: Tensor, target: Tensor, var: Tensor | float) -> Tensor:
        """L for means, targets and variances."""
        return functional.gaussian_nll_loss(input, target, var, self.full, self.eps, self.reduction)


class HingeEmbeddingLoss(_Loss):
    """L = mean of x where y = 1, max(margin - x, 0) where y = -1."""

    def __init__(
        self,
        margin: float = 1.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """L for distances and signs."""
        return functional.hinge_embedding_loss(input, target, self.margin, reduction=self.reduction)


class CosineEmbeddingLoss(_Loss):
    """L = mean of 1 - cos(x1, x2) where y = 1, max(cos(x1, x2) - margin, 0) where y = -1."""

    def __init__(
        self,
        margin: float = 0.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        """L for two batches of vectors and signs."""
        return functional.cosine_embedding_loss(input1, input2, target, self.margin, reduction=self.reduction)


class MarginRankingLoss(_Loss):
    """L = mean of max(margin - y (x1 - x2), 0): x1 shall be larger where y = 1, x2 where y = -1."""

    def __init__(
        self,
        margin: float = 0.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        """L for two batches of numbers and signs."""
        return functional.margin_ranking_loss(input1, input2, target, self.margin, reduction=self.reduction)


class SoftMarginLoss(_Loss):
    """L = mean of log(1 + e^(-yx)), for y = 1 or -1."""

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """L for scores and signs."""
        return functional.soft_margin_loss(input, target, reduction=self.reduction)


class TripletMarginLoss(_Loss):
    """L = mean of max(d(a, p) - d(a, n) + margin, 0), with d the p-norm of the difference; swap: see the function."""

    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-6,
        swap: bool = False,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        if not margin > 0:
            raise ValueError(f"TripletMarginLoss: the margin is {margin}, expected more than 0")
        self.margin, self.p, self.eps, self.swap = margin, p, eps, swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """L for vectors, others alike, and others unlike."""
        return functional.triplet_margin_loss(
            anchor, positive, negative, self.margin, self.p, self.eps, self.swap, reduction=self.reduction
        )
