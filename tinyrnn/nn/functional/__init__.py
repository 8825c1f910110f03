"""What the modules compute, as functions: nothing here has parameters of its own."""

from typing import TYPE_CHECKING, Any

from tinyrnn.absent import absent
from tinyrnn.nn.functional import (
    activations,
    affine,
    classification,
    dropouts,
    embeddings,
    losses,
    normalizations,
    padding,
    probabilities,
    rectifiers,
    similarity,
    softmaxes,
)
from tinyrnn.nn.functional.activations import *
from tinyrnn.nn.functional.affine import *
from tinyrnn.nn.functional.classification import *
from tinyrnn.nn.functional.dropouts import *
from tinyrnn.nn.functional.embeddings import *
from tinyrnn.nn.functional.losses import *
from tinyrnn.nn.functional.normalizations import *
from tinyrnn.nn.functional.padding import *
from tinyrnn.nn.functional.probabilities import *
from tinyrnn.nn.functional.rectifiers import *
from tinyrnn.nn.functional.similarity import *
from tinyrnn.nn.functional.softmaxes import *

__all__: list[str] = []
__all__ += activations.__all__
__all__ += affine.__all__
__all__ += dropouts.__all__
__all__ += losses.__all__
__all__ += classification.__all__
__all__ += probabilities.__all__
__all__ += similarity.__all__
__all__ += embeddings.__all__
__all__ += normalizations.__all__
__all__ += padding.__all__
__all__ += rectifiers.__all__
__all__ += softmaxes.__all__

if not TYPE_CHECKING:  # a type checker would take every name for granted

    def __getattr__(name: str) -> Any:
        raise absent(__name__, name)
