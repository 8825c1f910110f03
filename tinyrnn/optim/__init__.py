"""Optimizers, one file each, with torch's names, arguments, defaults and numbers."""

from tinyrnn.optim.adam import Adam
from tinyrnn.optim.optimizer import Optimizer
from tinyrnn.optim.sgd import SGD

__all__ = ["SGD", "Adam", "Optimizer"]
