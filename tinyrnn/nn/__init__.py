"""Modules: layers, cells and losses, with torch's names, arguments, shapes and numbers."""

from tinyrnn.nn import functional, init, utils
from tinyrnn.nn.linear import Linear
from tinyrnn.nn.loss import MSELoss
from tinyrnn.nn.module import Module
from tinyrnn.nn.parameter import Parameter
from tinyrnn.nn.rnn import RNN, RNNCell

__all__ = ["RNN", "Linear", "MSELoss", "Module", "Parameter", "RNNCell", "functional", "init", "utils"]
