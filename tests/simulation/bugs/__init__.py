"""Faults of the kind that peers have shipped, planted one at a time: each must be found."""

from tests.simulation.bugs import in_adapters, in_protocol
from tests.simulation.bugs.planting import BUGS

__all__ = ["BUGS", "in_adapters", "in_protocol"]
