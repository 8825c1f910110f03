"""Sums of products over any axes: einsum, and tensordot.

An operand's axes are labelled; z has the axes of the output's labels, and is summed over all others:

    'ij,jk->ik'    z_ik = sum_j x_ij y_jk
    dx, for 'ij'   the same, with g in the place of x and the labels exchanged: 'ik,jk->ij'

So the derivative is the operation itself. Two operands are contracted by one matrix product: the labels that both have
and that are kept count the batch, those that both have and that are summed the inner axis of the product.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinyrnn.autograd.graph import Array, Gradient, Value
from tinyrnn.autograd.record import needs_grad, record
from tinyrnn.kernels.sums import sum_axes
from tinyrnn.ops.diagonals import diagonal
from tinyrnn.ops.linalg import matmul
from tinyrnn.ops.operands import check_same_dtype, normal_axis, tensor_argument
from tinyrnn.ops.shaping import permute, reshape, squeeze

if TYPE_CHECKING:
    from tinyrnn.tensor import Tensor

__all__ = ["einsum", "tensordot"]

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
Labels = list[Any]  # one for each axis: a letter, or a number for an axis that '...' stands for


def einsum(equation: Any, *operands: Any) -> Tensor:
    """The sum of products that the equation says; a label's axes have one size, or 1, which is repeated.

    equation  'ij,jk->ik': a letter for each axis, '...' for those in front, in the middle or behind that are not named,
              and after '->' the axes of the result. Without '->', those that are named once, in alphabetical order.
              A letter twice in one operand is its diagonal
    operands  as many tensors, of one dtype; or a list of them
    Also as einsum(x, [0, 1], y, [1, 2], [0, 2]), with numbers below 52 and ... for letters.
    Raises ValueError for an equation that says nothing, or that does not fit, TypeError for what is no tensor.

    >>> import tinyrnn
    >>> tinyrnn.einsum("ii->i", tinyrnn.tensor([[1, 2], [3, 4]]))
    tensor([1, 4])
    """
    if not isinstance(equation, str):
        equation, operands = _in_letters(equation, *operands)
    if len(operands) == 1 and isinstance(operands[0], tuple | list):
        operands = tuple(operands[0])
    arrays = [tensor_argument("einsum", x) for x in operands]
    for x in arrays[1:]:
        check_same_dtype("einsum", arrays[0], x)
    labels, out = _parsed(equation, [x.ndim for x in arrays])
    sizes: dict[Any, int] = {}
    for x, named in zip(arrays, labels, strict=True):
        for label, n in zip(named, x.shape, strict=True):
            if sizes.setdefault(label, n) != n:
                if 1 not in (n, sizes[label]):
                    raise ValueError(
                        f"einsum: in {equation!r}, for shapes {[x.shape for x in arrays]}, {label!r} has the sizes "
                        f"{sizes[label]} and {n}, expected one size"
                    )
                sizes[label] *= n  # one of the two is 1
    plain = [_plain(x, named, sizes) for x, named in zip(operands, labels, strict=True)]
    return _product([x for x, _ in plain], [named for _, named in plain], out)


def _in_letters(*given: Any) -> tuple[str, tuple[Any, ...]]:
    """The equation and the operands of einsum(x, [0, 1], ..., [0])."""
    pairs, out = len(given) // 2 * 2, given[-1] if len(given) % 2 else None
    try:
        lists = [
            "".join(["..." if label is ... else LETTERS[int(label)] for label in labels])
            for labels in (*given[1:pairs:2], *(() if out is None else (out,)))
        ]
    except (TypeError, ValueError, IndexError):
        raise ValueError(
            "einsum: expected an equation such as 'ij,jk->ik', or tensors and lists of labels below 52 in turn"
        ) from None
    terms = lists if out is None else lists[:-1]
    return ",".join(terms) + ("" if out is None else "->" + lists[-1]), given[:pairs:2]


def _parsed(equation: str, ndims: list[int]) -> tuple[list[Labels], Labels]:
    """The labels of each operand's axes, and of the result's."""
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    wrong = set(left + right) - set(LETTERS + ",.")
    if wrong or "," in right or any(term.replace("...", "", 1).count(".") for term in [*terms, right]):
        raise ValueError(
            f"einsum: {equation!r} is no equation, expected letters, ',', '...' and '->', as in 'ij,jk->ik'"
        )
    if len(terms) != len(ndims):
        raise ValueError(f"einsum: {equation!r} is for {len(terms)} operands, got {len(ndims)}")
    labels: list[Labels] = []
    most = 0  # the most axes that a '...' stands for
    for i, (term, ndim) in enumerate(zip(terms, ndims, strict=True)):
        front, dots, back = term.partition("...")
        free = ndim - len(front) - len(back)
        if free < 0 or (free and not dots):
            raise ValueError(
                f"einsum: {term!r} in {equation!r} names {len(front) + len(back)} axes, operand {i} has {ndim}"
            )
        labels.append([*front, *range(-free, 0), *back])
        most = max(most, free)
    free_labels = list(range(-most, 0))
    if not arrow:
        letters = [label for named in labels for label in named if isinstance(label, str)]
        return labels, [*free_labels, *sorted([label for label in letters if letters.count(label) == 1])]
    front, dots, back = right.partition("...")
    out = [*front, *(free_labels if dots else []), *back]
    unknown = [label for label in [*front, *back] if all(label not in named for named in labels)]
    if unknown or len(set(out)) < len(out):
        raise ValueError(f"einsum: the result {right!r} in {equation!r}: expected labels of the operands, each once")
    return labels, out


def _plain(x: Tensor, labels: Labels, sizes: dict[Any, int]) -> tuple[Tensor, Labels]:
    """The operand with each label once, and no axis of size 1 where others have more."""
    labels = list(labels)
    small = [axis for axis, (label, n) in enumerate(zip(labels, x.shape, strict=True)) if n != sizes[label]]
    if small:
        x, labels = squeeze(x, small), [label for axis, label in enumerate(labels) if axis not in small]
    for label in [label for i, label in enumerate(labels) if label in labels[:i]]:
        first, second = [axis for axis, other in enumerate(labels) if other == label][:2]
        x = diagonal(x, 0, first, second)
        labels = [other for axis, other in enumerate(labels) if axis not in (first, second)] + [label]
    return x, labels


def _product(operands: list[Tensor], labels: list[Labels], out: Labels) -> Tensor:
    """The sum of products of operands whose labels are each of one size, and none twice in one of them."""
    arrays = [x.array for x in operands]
    shapes = [x.shape for x in arrays]
    needed = [needs_grad(x) for x in operands]
    read = [any(needed[:i] + needed[i + 1 :]) for i in range(len(operands))]  # by the pullback, for the others
    y = _contract(arrays, labels, out)
    if np.may_share_memory(y, arrays[0]):
        y = y.copy()
    kept = [x if is_read else None for x, is_read in zip(arrays, read, strict=True)]

    def pullback(g: Array) -> list[Gradient]:
        return [_gradient(g, out, kept, labels, i, shapes[i]) if need else None for i, need in enumerate(needed)]

    saved = [x if is_read else None for x, is_read in zip(operands, read, strict=True)]
    return record("einsum", y, operands, pullback, saved=saved)


def _gradient(g: Array, out: Labels, arrays: list[Any], labels: list[Labels], i: int, shape: tuple[int, ...]) -> Array:
    """dx_i: the same sum of products, with g in the place of x_i; repeated along what was summed in x_i alone."""
    terms, named = [g, *arrays[:i], *arrays[i + 1 :]], [out, *labels[:i], *labels[i + 1 :]]
    there = [label for label in labels[i] if any(label in term for term in named)]
    dx = _contract(terms, named, there)
    sizes = [n if label in there else 1 for label, n in zip(labels[i], shape, strict=True)]
    return np.broadcast_to(dx.reshape(sizes), shape)


def _contract(arrays: Sequence[Array], labels: list[Labels], out: Labels) -> Array:
    """The operands contracted from left to right; perhaps a view of the only one."""
    z, named = arrays[0], labels[0]
    for i in range(1, len(arrays)):
        needed = {*out, *[label for later in labels[i + 1 :] for label in later]}
        z, named = _pair(z, named, arrays[i], labels[i], needed)
    z, named = _summed(z, named, set(out))
    return z.transpose([named.index(label) for label in out])


def _pair(x: Array, xs: Labels, y: Array, ys: Labels, needed: set[Any]) -> tuple[Array, Labels]:
    """The product of two operands, summed over what is not needed, as one product of matrices."""
    x, xs = _summed(x, xs, needed | set(ys))
    y, ys = _summed(y, ys, needed | set(xs))
    batch = [label for label in xs if label in ys and label in needed]
    inner = [label for label in xs if label in ys and label not in needed]
    rows = [label for label in xs if label not in ys]
    columns = [label for label in ys if label not in xs]
    sizes = dict(zip([*xs, *ys], [*x.shape, *y.shape], strict=True))
    b, n, k, m = ([sizes[label] for label in group] for group in (batch, rows, inner, columns))
    left = x.transpose([xs.index(label) for label in batch + rows + inner]).reshape(*b, math.prod(n), math.prod(k))
    right = y.transpose([ys.index(label) for label in batch + inner + columns]).reshape(*b, math.prod(k), math.prod(m))
    z = np.matmul(left, right) if inner else left * right
    return z.reshape(b + n + m), batch + rows + columns


def _summed(x: Array, labels: Labels, needed: set[Any]) -> tuple[Array, Labels]:
    """Summed over the axes that are not needed."""
    axes = tuple([axis for axis, label in enumerate(labels) if label not in needed])
    if not axes:
        return x, labels
    return sum_axes(x, axes, x.dtype), [label for label in labels if label in needed]


def tensordot(a: Tensor, b: Tensor, dims: Any = 2) -> Tensor:
    """The product of two tensors, summed over pairs of axes, as one product of matrices.

    dims  how many: the last of a with the first of b, in order; or two lists of axes, of a and of b (or both as one
          tensor); or a pair of axes
    The axes that are left are those of the result, a's first. Raises ValueError for axes that do not fit.
    """
    x, y = tensor_argument("tensordot", a), tensor_argument("tensordot", b)
    check_same_dtype("tensordot", x, y)
    if isinstance(dims, Value):
        dims = dims.array.tolist()
    if isinstance(dims, int):
        if not 0 <= dims <= min(x.ndim, y.ndim):
            raise ValueError(f"tensordot: dims is {dims} for shapes {x.shape} and {y.shape}, expected 0 to the fewest")
        dims = (range(x.ndim - dims, x.ndim), range(dims))
    if len(dims) != 2:
        raise ValueError(f"tensordot: dims is {dims}, expected a number, or two lists of axes")
    of_x, of_y = (
        [normal_axis("tensordot", dim, z.ndim) for dim in ((given,) if isinstance(given, int) else given)]
        for given, z in zip(dims, (x, y), strict=True)
    )
    summed = [x.shape[axis] for axis in of_x]
    if summed != [y.shape[axis] for axis in of_y] or len(set(of_x)) < len(of_x) or len(set(of_y)) < len(of_y):
        raise ValueError(
            f"tensordot: dims {of_x} and {of_y} of shapes {x.shape} and {y.shape}, expected as many distinct axes of "
            "both, of the same sizes"
        )
    kept_x = [axis for axis in range(x.ndim) if axis not in of_x]
    kept_y = [axis for axis in range(y.ndim) if axis not in of_y]
    n, m = ([z.shape[axis] for axis in kept] for z, kept in ((x, kept_x), (y, kept_y)))
    k = math.prod(summed)
    rows = reshape(permute(a, kept_x + of_x), math.prod(n), k)
    columns = reshape(permute(b, of_y + kept_y), k, math.prod(m))
    return reshape(matmul(rows, columns), n + m)
