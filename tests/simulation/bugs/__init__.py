"""Planted bugs: faults that other products have shipped. The simulation must find each one."""

from tests.simulation.bugs import adapter_bugs, protocol_bugs
from tests.simulation.bugs.planting import BUGS

__all__ = ["BUGS", "adapter_bugs", "protocol_bugs"]
