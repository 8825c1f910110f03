"""Instruments for back-propagation through time: a check that says where a hand-written backward pass is wrong."""

from tinyrnn.bptt.check import Finding, check_bptt

__all__ = ["Finding", "check_bptt"]
