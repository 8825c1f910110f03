"""How alike two tensors are, and losses that ask for likeness, an order or a sign, as functions.

The losses: reduction "mean" divides their sum by their number (over nothing the mean is NaN), "sum" leaves the division
out, "none" the summing too; size_average and reduce are torch's older words for these, translated with a warning.
Raises ValueError for shapes that do not fit and for another reduction, TypeError for what are no floating tensors (a
target may be of whole numbers). Source: torch.nn.functional.
"""

from __future__ import annotations

import numpy as np

from tinyrnn.autograd.graph import Array, Gradient
from tinyrnn.autograd.record import needs_grad, record
from tinyrnn.kernels.sums import sum_axes
from tinyrnn.nn.arguments import in_one_dtype
from tinyrnn.nn.reductions import reduce_losses, reduced, reduction_of
from tinyrnn.ops.compare import where
from tinyrnn.ops.operands import check_broadcast, check_floating, normal_axis, numpy_names, tensor_argument
from tinyrnn.tensor import Tensor

__all__ = [
    "cosine_embedding_loss",
    "cosine_similarity",
    "hinge_embedding_loss",
    "margin_ranking_loss",
    "pairwise_distance",
    "soft_margin_loss",
    "triplet_margin_loss",
]


@numpy_names
def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """c = sum_k u_k v_k,  for u = x / max(|x|, eps), v = y / max(|y|, eps),  dx = g (v - c u) / |x|,  dy likewise.

    x1 x, x2 y: shapes that broadcast -> the broadcast shape without dim. Where |x| < eps, dx = g v / eps (torch's
    gradient does not know of that bound). Raises IndexError for a dim that is none.
    """
    x, y = _two("cosine_similarity", x1, x2)
    if not eps >= 0:
        raise ValueError(f"cosine_similarity: eps is {eps}, expected at least 0")
    x, y = np.broadcast_arrays(x, y)
    axis = (normal_axis("cosine_similarity", dim, x.ndim),) if x.ndim else ()
    x_norm, y_norm = (np.sqrt(sum_axes(a * a, axis, a.dtype, keepdims=True)) for a in (x, y))
    m, n = np.maximum(x_norm, eps), np.maximum(y_norm, eps)
    u, v = x / m, y / n
    c = sum_axes(u * v, axis, x.dtype, keepdims=True)

    def pullback(g: Array) -> tuple[Gradient, Gradient]:
        g = g.reshape(c.shape)
        return g * (v - np.where(x_norm >= eps, c, 0) * u) / m, g * (u - np.where(y_norm >= eps, c, 0) * v) / n

    # A copy: the pullback reads c, and the result may be changed in place.
    return record("cosine_similarity", c.squeeze(axis).copy(), (x1, x2), pullback)


def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Tensor:
    """y = (sum_k |d_k|^p)^(1/p),  dd = g sign(d) (|d| / y)^(p-1)  (0 at y = 0),  for d = x1 - x2 + eps.

    The sum is over the last axis, k.
    x1, x2: shapes that broadcast -> the broadcast shape without the last axis, which is 1 with keepdim.
    Raises ValueError unless p is finite and more than 0 (torch's also takes 0 and infinity).
    """
    x, y = _two("pairwise_distance", x1, x2)
    if not 0 < p < np.inf:
        raise ValueError(f"pairwise_distance: p is {p}, expected a finite number above 0")
    d = np.asarray(x - y + eps)
    size, axis = np.abs(d), (d.ndim - 1,) if d.ndim else ()
    top = size.max(axis, keepdims=True, initial=0)  # powers of |d| / top neither overflow nor vanish
    ratio = size / np.where(top == 0, 1, top)
    norm = sum_axes(ratio**p, axis, d.dtype, keepdims=True) ** (1 / p)
    distance = top * norm

    def pullback(g: Array) -> tuple[Gradient, Gradient]:
        share = np.where(ratio == 0, 0, (np.where(ratio == 0, 1, ratio) / np.where(norm == 0, 1, norm)) ** (p - 1))
        dd = g.reshape(distance.shape) * np.sign(d) * share
        return dd, -dd

    out = distance if keepdim else distance.squeeze(axis)
    return record("pairwise_distance", out, (x1, x2), pullback)


def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """L = mean of 1 - c where y = 1, max(c - margin, 0) where y = -1,  c the cosine of the angle between x1 and x2.

    input1, input2 (N, D) and target y (N,), or (D,) and ().
    """
    name = "cosine_embedding_loss"
    reduction = reduction_of(name, size_average, reduce, reduction)
    x1, x2 = _two(name, input1, input2)
    y = tensor_argument(name, target)
    if not (x1.ndim == x2.ndim == y.ndim + 1 <= 2) or y.shape not in (x1.shape[:-1], x2.shape[:-1]):
        raise ValueError(
            f"{name}: the inputs are {x1.shape} and {x2.shape}, the target {y.shape}, expected (N, D), (N, D) and "
            "(N,), or (D,), (D,) and ()"
        )
    # Not cosine_similarity: what keeps the quotient finite is torch's for this loss.
    squares = ((input1 * input1).sum(-1) + 1e-12) * ((input2 * input2).sum(-1) + 1e-12)
    c = (input1 * input2).sum(-1) / squares.sqrt()
    losses = where(target == 1, 1 - c, 0.0) + where(target == -1, (c - margin).clamp(min=0), 0.0)
    return reduce_losses(name, losses, reduction)


def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """L = mean of max(margin - y (x1 - x2), 0): x1 shall be larger where y = 1, x2 where y = -1.

    input1, input2, target: of as many axes, which broadcast.
    """
    reduction = reduction_of("margin_ranking_loss", size_average, reduce, reduction)
    x1, x2 = _two("margin_ranking_loss", input1, input2)
    y = tensor_argument("margin_ranking_loss", target)
    if not x1.ndim == x2.ndim == y.ndim:
        raise ValueError(
            f"margin_ranking_loss: the inputs are {x1.shape} and {x2.shape}, the target {y.shape}, expected as many "
            "axes of all three"
        )
    losses = (margin - target * (input1 - input2)).clamp(min=0)
    return reduce_losses("margin_ranking_loss", losses, reduction)


def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """L = mean of x where y = 1, max(margin - x, 0) where y = -1: a distance x, small for what is alike, else large.

    input x, target y: shapes that broadcast.
    """
    reduction = reduction_of("hinge_embedding_loss", size_average, reduce, reduction)
    check_floating("hinge_embedding_loss", tensor_argument("hinge_embedding_loss", input))
    tensor_argument("hinge_embedding_loss", target)
    losses = where(target != -1, input, 0.0) + where(target != 1, (margin - input).clamp(min=0), 0.0)
    return reduce_losses("hinge_embedding_loss", losses, reduction)


def soft_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """L = mean of log(1 + e^(-yx)),  dx = -g y sigmoid(-yx) / n,  for y = 1 or -1.

    input x, target y: shapes that broadcast; the result has x's dtype. It cannot overflow, as torch's does.
    """
    reduction = reduction_of("soft_margin_loss", size_average, reduce, reduction)
    x, y = tensor_argument("soft_margin_loss", input), tensor_argument("soft_margin_loss", target)
    check_floating("soft_margin_loss", x)
    check_broadcast("soft_margin_loss", x.shape, y.shape)
    y = y.astype(x.dtype, copy=False)
    yx = np.asarray(y * x)
    e = np.exp(-np.abs(yx))  # at most 1
    losses = np.maximum(-yx, 0) + np.log1p(e)
    need_y = needs_grad(target)

    def pullback(g: Array) -> tuple[Gradient, Gradient]:
        slope = -g * np.where(yx >= 0, e, 1) / (1 + e)
        return slope * y, slope * x if need_y else None

    return reduced("soft_margin_loss", losses, reduction, (input, target), pullback, saved=(input, target))


def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """L = mean of max(d(a, p) - d(a, n) + margin, 0),  d = pairwise_distance; swap takes min(d(a, n), d(p, n)).

    anchor a, positive p, negative n: (N, D) or (D,) each, which broadcast. Raises ValueError unless margin > 0.
    """
    reduction = reduction_of("triplet_margin_loss", size_average, reduce, reduction)
    shapes = [tensor_argument("triplet_margin_loss", x).shape for x in (anchor, positive, negative)]
    if len({len(shape) for shape in shapes}) > 1:
        raise ValueError(
            f"triplet_margin_loss: the three are {', '.join(map(str, shapes))}, expected as many axes of each"
        )
    if not margin > 0:
        raise ValueError(f"triplet_margin_loss: the margin is {margin}, expected more than 0")
    near, far = pairwise_distance(anchor, positive, p, eps), pairwise_distance(anchor, negative, p, eps)
    if swap:
        far = far.minimum(pairwise_distance(positive, negative, p, eps))
    return reduce_losses("triplet_margin_loss", (near - far + margin).clamp(min=0), reduction)


def _two(name: str, x1: Tensor, x2: Tensor) -> tuple[Array, Array]:
    """Both arrays in one floating dtype, whose shapes broadcast."""
    x, y = in_one_dtype(name, x1, x2)
    check_broadcast(name, x.shape, y.shape)
    return x, y
