"""The differentiable operations by topic, each with its derivative beside it."""

from tinyrnn.ops import arithmetic, compare, linalg, pointwise, reduction, shaping
from tinyrnn.ops.arithmetic import *
from tinyrnn.ops.compare import *
from tinyrnn.ops.linalg import *
from tinyrnn.ops.pointwise import *
from tinyrnn.ops.reduction import *
from tinyrnn.ops.shaping import *

__all__: list[str] = []  # the functions; those that are only methods or operators are in methods.py
__all__ += arithmetic.__all__
__all__ += compare.__all__
__all__ += linalg.__all__
__all__ += pointwise.__all__
__all__ += reduction.__all__
__all__ += shaping.__all__
