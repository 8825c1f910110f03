"""Activations, as functions: those of ops/, and what only networks need."""

from tinyrnn.ops.pointwise import relu, sigmoid, tanh

__all__ = ["relu", "sigmoid", "tanh"]
