"""Visit every state of the write protocol, and print what was found.

One line for each model: its name, the protocol, whether it holds, its states and seconds; then the
shortest story that breaks each weaker protocol; then the sums. The exit code is 1 when something
sound breaks, or something weaker does not.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

from tests.simulation.protocol.explore import Finding, explore
from tests.simulation.protocol.scenario import Scenario
from tests.simulation.protocol.scenarios import AS_THEY_ARE, SCENARIOS, TYPING, WIDE
from tests.simulation.protocol.weaker import AS_BUILT, SOUND, WEAKER, Protocol

Task = tuple[Scenario, Protocol]


def _arguments() -> argparse.Namespace:
    about, _, what = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        prog="python -m tests.simulation.protocol", description=about, epilog=what
    )
    parser.add_argument(
        "--wide", action="store_true", help="explore the wider variants instead (many minutes)"
    )
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, help="models explored side by side"
    )
    return parser.parse_args()


def _tasks(*, wide: bool) -> list[Task]:
    if wide:
        return [(it, protocol) for protocol in (SOUND, AS_BUILT) for it in WIDE]
    sound = [(it, SOUND) for it in SCENARIOS]
    return [*sound, *((it, AS_BUILT) for it in AS_THEY_ARE), *((TYPING, it) for it in WEAKER)]


def _explored(task: Task) -> Finding:
    return explore(*task)


def _report(tasks: Sequence[Task], jobs: int) -> bool:
    """Explore all, print each finding, and return whether all is as it should be."""
    begun = time.perf_counter()
    states, good = 0, True
    with ProcessPoolExecutor(jobs) as pool:
        for (_, protocol), finding in zip(tasks, pool.map(_explored, tasks), strict=True):
            print(finding, flush=True)
            states += finding.states
            good = good and bool(finding.broken) == (protocol in WEAKER)
    took = time.perf_counter() - begun
    busy = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    print(f"{states:,} states in all, {took:.1f} s, {busy:.1f} s of CPU, {jobs} at a time")
    print("All is as it should be." if good else "NOT as it should be: see above.")
    return good


def main() -> None:
    """Explore what was asked for."""
    asked = _arguments()
    sys.exit(0 if _report(_tasks(wide=asked.wide), asked.jobs) else 1)


if __name__ == "__main__":
    main()
