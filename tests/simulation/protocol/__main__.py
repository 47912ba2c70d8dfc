"""Explore every scenario and print what was found: `python -m tests.simulation.protocol`."""

from __future__ import annotations

import sys
import time

from tests.simulation.protocol.explore import explore
from tests.simulation.protocol.scenarios import SCENARIOS, TYPING
from tests.simulation.protocol.weaker import AS_BUILT, SOUND, WEAKER


def main() -> None:
    """Print one line for each model that closes, and each broken protocol's shortest story."""
    begun = time.perf_counter()
    for scenario in SCENARIOS:
        for protocol in (SOUND, AS_BUILT):
            at = time.perf_counter()
            finding = explore(scenario, protocol)
            print(finding, f"({time.perf_counter() - at:.1f} s)")
            sys.stdout.flush()
    for protocol in WEAKER:
        print(explore(TYPING, protocol))
    print(f"{time.perf_counter() - begun:.1f} s in all")


if __name__ == "__main__":
    main()
