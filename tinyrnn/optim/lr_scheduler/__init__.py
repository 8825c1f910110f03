"""Learning rates that change as training goes on, with torch's names, arguments, defaults and rates."""

from tinyrnn.optim.lr_scheduler.combined import ChainedScheduler, SequentialLR
from tinyrnn.optim.lr_scheduler.curves import CosineAnnealingLR, ExponentialLR, LinearLR, PolynomialLR
from tinyrnn.optim.lr_scheduler.cycles import CosineAnnealingWarmRestarts, CyclicLR
from tinyrnn.optim.lr_scheduler.functions import LambdaLR, MultiplicativeLR
from tinyrnn.optim.lr_scheduler.one_cycle import OneCycleLR
from tinyrnn.optim.lr_scheduler.plateau import ReduceLROnPlateau
from tinyrnn.optim.lr_scheduler.scheduler import LRScheduler
from tinyrnn.optim.lr_scheduler.steps import ConstantLR, MultiStepLR, StepLR

_LRScheduler = LRScheduler  # torch's older name, which many schedulers in the wild derive from

__all__ = [
    "ChainedScheduler",
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "CyclicLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "OneCycleLR",
    "PolynomialLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
]
