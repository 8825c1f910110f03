"""Instruments for back-propagation through time: over a stream without end, and over a long sequence in little memory;
a check that says where a hand-written backward pass is wrong, and the gradient through time in forward mode."""

from tinyrnn.bptt.check import Finding, Report, check_bptt
from tinyrnn.bptt.checkpointed import checkpointed
from tinyrnn.bptt.rtrl import rtrl
from tinyrnn.bptt.truncated import detach, truncated

__all__ = ["Finding", "Report", "check_bptt", "checkpointed", "detach", "rtrl", "truncated"]
