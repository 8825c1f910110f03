"""The differentiable operations, by topic: plain functions on tensors, each with its derivative below it.

They are what both tinyrnn.tanh(x) and x.tanh() call.
"""
