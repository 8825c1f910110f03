"""Optimizers, one file each, with torch's names, arguments, defaults and numbers."""

from typing import TYPE_CHECKING, Any

from tinyrnn.absent import on_demand
from tinyrnn.optim.adadelta import Adadelta
from tinyrnn.optim.adagrad import Adagrad
from tinyrnn.optim.adam import Adam
from tinyrnn.optim.adamax import Adamax
from tinyrnn.optim.adamw import AdamW
from tinyrnn.optim.lbfgs import LBFGS
from tinyrnn.optim.nadam import NAdam
from tinyrnn.optim.optimizer import Optimizer
from tinyrnn.optim.radam import RAdam
from tinyrnn.optim.rmsprop import RMSprop
from tinyrnn.optim.rprop import Rprop
from tinyrnn.optim.sgd import SGD

__all__ = [
    "LBFGS",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "Rprop",
    "lr_scheduler",
]

if TYPE_CHECKING:
    from tinyrnn.optim import lr_scheduler
else:  # a type checker would take every name for granted

    def __getattr__(name: str) -> Any:
        return on_demand(__name__, name, {"lr_scheduler": "tinyrnn.optim.lr_scheduler"})
