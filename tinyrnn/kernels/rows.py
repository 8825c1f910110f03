"""Sums of the rows that go to one place: the gradient of a table, of which rows were read, some of them often."""

from typing import Any

import numpy as np
import numpy.typing as npt

from tinyrnn.kernels.sums import BLOCK, sum_rows

Array = npt.NDArray[Any]
PRODUCT = 2**19  # N N D, up to which a product of matrices is faster than sorting
CACHE = 2**21  # bytes of g, up to which it is faster to bring all of it into order at once
FEW = 16  # up to so many rows of a place are added one after another, all places at once; more by a product


def sum_by_row(index: Array, g: Array) -> tuple[Array, Array]:
    """(rows, sums) with sums_k = sum of g_n over all n where index_n = rows_k, so that table[rows] += sums adds it.

    index (N,), whole numbers of at least 0; g (N, D) -> rows (K,), those among them; sums (K, D), of g's dtype. A row
    that rows names twice has its whole sum both times: NumPy then writes the same number twice, and adds it once.

    np.add.at adds element by element and takes ten times as long. Few rows are added by a product with the matrix that
    says which of them go to one place. Many are sorted, so that those of one place lie side by side; the places come in
    the order of their counts, so that those with an r-th row come first.

    >>> sum_by_row(np.array([2, 7, 7]), np.array([[1.0], [2.0], [3.0]]))
    (array([2, 7, 7]), array([[1.],
           [5.],
           [5.]]))
    """
    N = len(index)
    if N < 2:
        return index, g
    if N * g.size < PRODUCT:
        return index, (index[:, None] == index).astype(g.dtype).dot(g)
    small = index.astype(np.uint16) if index.max() < 2**16 else index  # sorted by their bits, not by comparing
    order = small.argsort(kind="stable")
    place = index.take(order)
    starts = np.concatenate(([0], (place[1:] != place[:-1]).nonzero()[0] + 1))
    if len(starts) == N:
        return index, g
    counts = np.concatenate((starts[1:], [N])) - starts
    ranking = (-counts).argsort(kind="stable")
    starts, counts = starts.take(ranking), counts.take(ranking)
    rows, sums = place.take(starts), g.take(order.take(starts), 0)

    having = np.cumsum(np.bincount(counts)[::-1])[::-1].tolist()  # having[r]: how many places have r rows or more
    many = having[FEW + 1] if len(having) > FEW + 1 else 0
    ones = np.ones(2 * BLOCK, g.dtype)
    side_by_side = g.take(order, 0) if many and g.nbytes <= CACHE else None
    for total, start, count in zip(sums[:many], starts.tolist(), counts.tolist(), strict=False):
        here = slice(start, start + count)
        several = g.take(order[here], 0) if side_by_side is None else side_by_side[here]
        if count < 2 * BLOCK:
            np.dot(ones[:count], several, total)
        else:
            total[...] = sum_rows(several)
    for r, n in enumerate(having[2 : FEW + 1], start=1):
        sums[many:n] += g.take(order.take(starts[many:n] + r), 0)
    return rows, sums
