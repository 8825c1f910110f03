"""The modules by topic, in files named as torch's are."""

from tinyrnn.nn.modules.linear import Linear
from tinyrnn.nn.modules.loss import MSELoss
from tinyrnn.nn.modules.module import Module
from tinyrnn.nn.modules.rnn import RNN, RNNCell

__all__ = ["RNN", "Linear", "MSELoss", "Module", "RNNCell"]
