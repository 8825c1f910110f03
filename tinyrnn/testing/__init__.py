"""torch as a witness, for tests: the twin of a module, and how far the two are apart. Imports torch when called."""

from tinyrnn.testing.torch_backend import Differences, compare, compare_training
from tinyrnn.testing.twins import twin
from tinyrnn.testing.witnesses import Witnesses, witnesses

__all__ = ["Differences", "Witnesses", "compare", "compare_training", "twin", "witnesses"]
