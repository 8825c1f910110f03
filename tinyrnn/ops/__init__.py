"""The differentiable operations by topic, each with its derivative beside it."""

from tinyrnn.ops import (
    arithmetic,
    arranging,
    bounds,
    compare,
    contraction,
    cumulative,
    diagonals,
    draws,
    exponentials,
    extrema,
    gathering,
    joining,
    linalg,
    logic,
    parts,
    pointwise,
    queries,
    reduction,
    repeating,
    rounding,
    scattering,
    shaping,
    sorting,
    statistics,
    trigonometry,
)
from tinyrnn.ops.arithmetic import *
from tinyrnn.ops.arranging import *
from tinyrnn.ops.bounds import *
from tinyrnn.ops.compare import *
from tinyrnn.ops.contraction import *
from tinyrnn.ops.cumulative import *
from tinyrnn.ops.diagonals import *
from tinyrnn.ops.draws import *
from tinyrnn.ops.exponentials import *
from tinyrnn.ops.extrema import *
from tinyrnn.ops.gathering import *
from tinyrnn.ops.joining import *
from tinyrnn.ops.linalg import *
from tinyrnn.ops.logic import *
from tinyrnn.ops.parts import *
from tinyrnn.ops.pointwise import *
from tinyrnn.ops.queries import *
from tinyrnn.ops.reduction import *
from tinyrnn.ops.repeating import *
from tinyrnn.ops.rounding import *
from tinyrnn.ops.scattering import *
from tinyrnn.ops.shaping import *
from tinyrnn.ops.sorting import *
from tinyrnn.ops.statistics import *
from tinyrnn.ops.trigonometry import *

__all__: list[str] = []  # the functions; those that are only methods or operators are in methods.py
__all__ += arithmetic.__all__
__all__ += arranging.__all__
__all__ += bounds.__all__
__all__ += compare.__all__
__all__ += contraction.__all__
__all__ += cumulative.__all__
__all__ += diagonals.__all__
__all__ += draws.__all__
__all__ += exponentials.__all__
__all__ += extrema.__all__
__all__ += gathering.__all__
__all__ += joining.__all__
__all__ += linalg.__all__
__all__ += logic.__all__
__all__ += parts.__all__
__all__ += pointwise.__all__
__all__ += queries.__all__
__all__ += reduction.__all__
__all__ += repeating.__all__
__all__ += rounding.__all__
__all__ += scattering.__all__
__all__ += shaping.__all__
__all__ += sorting.__all__
__all__ += statistics.__all__
__all__ += trigonometry.__all__
