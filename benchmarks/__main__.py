"""`make bench`: reading leads beside tap-salesforce, plans a second, memory at two sizes."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import planner
from benchmarks.observer import FIELDS
from benchmarks.peer import NAME, Peer, PeerReading
from local.actors import SalesPerson
from local.stack.commands import StackCommands
from local.stack.stack_file import StackFile

FOLDER = Path(".build/bench")
PLANNER_RUNS = 10
"""The quickest counts, for it is the one that the machine's other work disturbed least."""
LOADED_AT_ONCE = 20_000
MICROSECONDS = 1_000_000
SPREAD_SECONDS = 1_800
"""The leads' stamps lie within this time, so that all of them changed within the hour: the worst
case for the memory of a reading, because getUpdated lists them all."""
FLAT_MB = 5.0
"""How much the peak may grow with the number of leads and still be called flat: half of what one
page of 2,000 leads takes. Over 180,000 more leads, 29 bytes kept of each would be seen."""


@dataclass(frozen=True)
class Sizes:
    """How many leads, how many pairs of runs."""

    leads: int
    many: int
    pairs: int


@dataclass(frozen=True)
class Reading:
    """One pass over all leads: seconds on the clock, seconds of the process's own work.

    `peaks` are the largest memory of the process so far, in megabytes, by rows seen.
    """

    seconds: float
    processor_seconds: float
    peaks: tuple[tuple[int, float], ...]

    @property
    def peak_mb(self) -> float:
        """The largest memory of the process until the end of the pass."""
        return self.peaks[-1][1]

    def peak_after(self, rows: int) -> float:
        """The largest memory of the process until so many rows had been seen."""
        return next(peak for seen, peak in self.peaks if seen >= rows)


@dataclass(frozen=True)
class Measures:
    """What was measured with one number of leads: a first meeting, then pairs of readings."""

    first: Reading
    ours: tuple[Reading, ...]
    peers: tuple[PeerReading, ...]

    @property
    def our_mb(self) -> float:
        """The largest memory of any of our processes that met unchanged leads."""
        return max(it.peak_mb for it in self.ours)

    @property
    def peer_mb(self) -> float:
        """The largest memory of any of the peer's processes."""
        return max(it.peak_mb for it in self.peers)


def main() -> int:
    """Measure, print tables; return 1 when the memory of observing is not flat."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--leads", type=int, default=20_000, help="leads to read (%(default)s)")
    parser.add_argument("--many", type=int, default=200_000, help="for memory (%(default)s)")
    parser.add_argument("--pairs", type=int, default=3, help="pairs of runs (%(default)s)")
    asked = parser.parse_args()
    sizes = Sizes(asked.leads, asked.many, asked.pairs)
    for what, measure in (
        ("one of ten fields changed", planner.changed_field),
        ("first meeting, one of ten fields differs", planner.first_meeting),
    ):
        plans = max(measure() for _ in range(PLANNER_RUNS))
        print(f"planner: {plans:,.0f} plans/s on one core ({what})", flush=True)
    few = _on_a_new_stack(sizes.leads, sizes.pairs)
    many = _on_a_new_stack(sizes.many, 0)
    return _report(sizes, few, many)


def _on_a_new_stack(leads: int, pairs: int) -> Measures:
    """Measure with an empty ledger and an org of so many leads.

    In each pair both sides make a first pass that is not counted, then one that is, each in a
    process of its own. Without pairs each side makes one pass, for its memory.
    """
    commands = StackCommands(FOLDER)
    try:
        stack = commands.up(start=False)
        _load(stack, leads)
        peer = Peer.log_in(stack, FIELDS)
        first = _observe(leads, 1, changed=leads)[0]
        print(f"  first meeting: {leads / first.seconds:,.0f} leads/s", flush=True)
        ours, peers = [], []
        for number in range(max(1, pairs)):
            mine = _observe(leads, 2 if pairs else 1, changed=0)[-1]
            theirs = peer.read(leads, 2 if pairs else 1)
            ours.append(mine)
            peers.append(theirs)
            print(
                f"  pair {number + 1}: {leads / mine.seconds:,.0f} beside "
                f"{leads / theirs.seconds:,.0f} leads/s, "
                f"{mine.peak_mb:.0f} beside {theirs.peak_mb:.0f} MB",
                flush=True,
            )
    finally:
        commands.down()
    return Measures(first, tuple(ours), tuple(peers))


def _load(stack: StackFile, leads: int) -> None:
    sales = SalesPerson(stack)
    for first in range(0, leads, LOADED_AT_ONCE):
        number = min(LOADED_AT_ONCE, leads - first)
        wishes = {"leads": number, "first": first, "spread_seconds": SPREAD_SECONDS}
        sales.simulate("POST", "load", wishes)
    print(f"  {leads:,} leads loaded", flush=True)


def _observe(leads: int, passes: int, *, changed: int) -> list[Reading]:
    """Observe all leads in a new process; raise `RuntimeError` when it counted anything else."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.observer", str(FOLDER), str(passes)],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": f".{os.pathsep}layers/common"},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    readings = []
    for line in done.stdout.splitlines():
        said: dict[str, Any] = json.loads(line)
        counted = (said["seen"], said["changed"], said["unchanged"])
        if counted != (leads, changed, leads - changed):
            raise RuntimeError(
                f"seen, changed, unchanged: {counted}, and not {(leads, changed, leads - changed)}"
            )
        peaks = tuple((rows, mb) for rows, mb in said["peaks"])
        readings.append(Reading(said["seconds"], said["processor_seconds"], peaks))
    return readings


def _report(sizes: Sizes, few: Measures, many: Measures) -> int:
    _report_speed(sizes.leads, few)
    return 0 if _report_memory(sizes, few, many) else 1


def _report_speed(leads: int, few: Measures) -> None:
    pairs = list(zip(few.ours, few.peers, strict=True))
    ratio = statistics.median(theirs.seconds / mine.seconds for mine, theirs in pairs)
    work = statistics.median(
        theirs.processor_seconds / mine.processor_seconds for mine, theirs in pairs
    )

    def row(name: str, readings: Sequence[Reading | PeerReading]) -> str:
        rate = statistics.median(leads / it.seconds for it in readings)
        each = statistics.median(it.processor_seconds / leads for it in readings)
        return f"| {name} | {rate:,.0f} | {each * MICROSECONDS:.0f} us |"

    print(
        f"\n| {leads:,} leads of {len(FIELDS)} fields, median of {len(pairs)} | rows/s "
        "| own work a row |\n| --- | --- | --- |\n"
        f"{row('observing, unchanged: parsed, compared with the ledger', few.ours)}\n"
        f"{row(f'{NAME}: parsed, written as JSON lines', few.peers)}\n"
        f"| ratio, pair by pair | {ratio:.2f} | {work:.2f} |\n"
        f"{row('observing, first meeting: every lead stored (once)', [few.first])}"
    )


def _report_memory(sizes: Sizes, few: Measures, many: Measures) -> bool:
    """Print the peaks at both sizes; return whether those of observing are flat."""
    print(
        f"\n| peak memory of one process | {sizes.leads:,} leads | {sizes.many:,} leads | ratio |"
        "\n| --- | --- | --- | --- |"
    )
    rows: tuple[tuple[str, Callable[[Measures], float]], ...] = (
        ("observing, first meeting", lambda it: it.first.peak_mb),
        ("observing, unchanged", lambda it: it.our_mb),
        (NAME, lambda it: it.peer_mb),
    )
    for name, peak in rows:
        a, b = peak(few), peak(many)
        print(f"| {name} | {a:.1f} MB | {b:.1f} MB | {b / a:.2f} |")
    before = many.first.peaks[0][1]
    print(f"\nOf the connector's memory, {before:.1f} MB are there before the first lead.")
    flat = True
    for name, few_mb, large in (
        ("first meeting", few.first.peak_mb, many.first),
        ("unchanged", few.our_mb, many.ours[0]),
    ):
        between = large.peak_mb - few_mb
        within = large.peak_mb - large.peak_after(sizes.leads)
        flat = flat and max(between, within) <= FLAT_MB
        print(
            f"{name}: {between:+.1f} MB between the two sizes, {within:+.1f} MB after the first "
            f"{sizes.leads:,} of {sizes.many:,} leads"
        )
    print("Flat." if flat else f"NOT flat: more than {FLAT_MB} MB of growth.")
    return flat


if __name__ == "__main__":
    sys.exit(main())
