"""What the modules compute, as functions: nothing here has parameters of its own."""

from tinyrnn.nn.functional import activations, affine, dropouts, losses
from tinyrnn.nn.functional.activations import *
from tinyrnn.nn.functional.affine import *
from tinyrnn.nn.functional.dropouts import *
from tinyrnn.nn.functional.losses import *

__all__: list[str] = []
__all__ += activations.__all__
__all__ += affine.__all__
__all__ += dropouts.__all__
__all__ += losses.__all__
