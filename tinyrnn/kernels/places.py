"""Which of the numbers written to one place are still there."""

from typing import Any

import numpy as np
import numpy.typing as npt


def last_written(where: Any, place: tuple[int, ...], shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """Which elements of y are still in x after x[where] = y: where an index names a place twice, the last one is.

    place is the shape of x[where], and of the result; shape is that of x.

    >>> last_written(([0, 2, 0],), (3,), (4,))
    array([False,  True,  True])
    """
    order = np.arange(np.prod(place, dtype=int)).reshape(place)
    written = np.empty(shape, order.dtype)
    written[where] = order
    return np.asarray(written[where] == order)
