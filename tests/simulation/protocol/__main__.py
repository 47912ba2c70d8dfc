"""Check the write protocol in every reachable state, and print the results.

One line per model: the scenario, the protocol, whether every guarantee holds, the number of states
and the seconds. Each weaker protocol must fail: its shortest counterexample follows. The last lines
are the totals. The exit code is 1 if a sound protocol fails or a weaker one does not.
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
from tests.simulation.protocol.scenarios import (
    EDITS,
    SCENARIOS,
    SCENARIOS_WITHOUT_PRECONDITION,
    WEAKER_ELSEWHERE,
)
from tests.simulation.protocol.variants import SOUND, WEAKER, WITHOUT_PRECONDITION, Protocol
from tests.simulation.protocol.wide_scenarios import WIDE

Task = tuple[Scenario, Protocol]


def _arguments() -> argparse.Namespace:
    summary, _, details = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        prog="python -m tests.simulation.protocol", description=summary, epilog=details
    )
    parser.add_argument(
        "--wide", action="store_true", help="check the wider scenarios instead (many minutes)"
    )
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, help="models checked in parallel"
    )
    return parser.parse_args()


def _tasks(*, wide: bool) -> list[Task]:
    if wide:
        return [(it, protocol) for protocol in (SOUND, WITHOUT_PRECONDITION) for it in WIDE]
    return [
        *((it, SOUND) for it in SCENARIOS),
        *((it, WITHOUT_PRECONDITION) for it in SCENARIOS_WITHOUT_PRECONDITION),
        *((EDITS, protocol) for protocol in WEAKER),
        *WEAKER_ELSEWHERE,
    ]


def _explored(task: Task) -> Finding:
    return explore(*task)


def _report(tasks: Sequence[Task], jobs: int) -> bool:
    """Check all models, print each finding, and return whether each is as expected."""
    started = time.perf_counter()
    states, as_expected = 0, True
    weaker = {*WEAKER, *(protocol for _, protocol in WEAKER_ELSEWHERE)}
    with ProcessPoolExecutor(jobs) as pool:
        for (_, protocol), finding in zip(tasks, pool.map(_explored, tasks), strict=True):
            expected = bool(finding.violation) == (protocol in weaker)
            print(finding, flush=True)
            if finding.violation and expected:
                print("    (expected: this protocol is weaker)", flush=True)
            states += finding.states
            as_expected = as_expected and expected
    wall = time.perf_counter() - started
    cpu = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    print(f"{states:,} states in total, {wall:.1f} s, {cpu:.1f} s of CPU time, {jobs} processes")
    if as_expected:
        print("OK: the sound protocol holds in every state, and each weaker protocol fails.")
    else:
        print("FAILED: a sound protocol fails, or a weaker one does not; see above.")
    return as_expected


def main() -> None:
    """Check the models that the command line selects."""
    arguments = _arguments()
    sys.exit(0 if _report(_tasks(wide=arguments.wide), arguments.jobs) else 1)


if __name__ == "__main__":
    main()
