"""Instruments for back-propagation through time: a check that says where a hand-written backward pass is wrong, and the
gradient through time in forward mode."""

from tinyrnn.bptt.check import Finding, Report, check_bptt
from tinyrnn.bptt.rtrl import rtrl

__all__ = ["Finding", "Report", "check_bptt", "rtrl"]
