"""`make bench`: reads leads, compared with tap-salesforce; plans a second; memory at two sizes."""

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
"""The fastest run counts, because other work of the machine disturbed it least."""
LOADED_AT_ONCE = 20_000
MICROSECONDS = 1_000_000
SPREAD_SECONDS = 1_800
"""The timestamps of the leads lie within this time, so that all leads changed within an hour: the
worst case for the memory of a reading, because getUpdated lists all of them."""
FLAT_MB = 5.0
"""The largest growth of the peak that counts as flat: half of the memory of one page of 2,000
leads. With 180,000 more leads, a growth of 29 bytes a lead is detected."""


@dataclass(frozen=True)
class Sizes:
    """The numbers of leads and of pairs of runs."""

    leads: int
    many: int
    pairs: int


@dataclass(frozen=True)
class Reading:
    """One pass over all leads: seconds of the clock and seconds of processor time.

    `peaks` are the largest memory of the process so far, in megabytes, by rows seen.
    """

    seconds: float
    processor_seconds: float
    peaks: tuple[tuple[int, float], ...]

    @property
    def peak_mb(self) -> float:
        """Return the peak memory of the process at the end of the pass."""
        return self.peaks[-1][1]

    def peak_after(self, rows: int) -> float:
        """Return the peak memory of the process after a number of rows."""
        return next(peak for seen, peak in self.peaks if seen >= rows)


@dataclass(frozen=True)
class Measures:
    """The measurements for one number of leads: a first match, then pairs of readings."""

    first: Reading
    ours: tuple[Reading, ...]
    peers: tuple[PeerReading, ...]

    @property
    def our_mb(self) -> float:
        """Return the peak memory of our processes that read unchanged leads."""
        return max(reading.peak_mb for reading in self.ours)

    @property
    def peer_mb(self) -> float:
        """Return the peak memory of the processes of the peer."""
        return max(reading.peak_mb for reading in self.peers)


def main() -> int:
    """Measure and print tables; return 1 if the memory of observing is not flat."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--leads", type=int, default=20_000, help="leads to read (%(default)s)")
    parser.add_argument("--many", type=int, default=200_000, help="for memory (%(default)s)")
    parser.add_argument("--pairs", type=int, default=3, help="pairs of runs (%(default)s)")
    options = parser.parse_args()
    sizes = Sizes(options.leads, options.many, options.pairs)
    for name, measure in (
        ("one of ten fields changed", planner.changed_field),
        ("first match, one of ten fields differs", planner.first_match),
    ):
        plans = max(measure() for _ in range(PLANNER_RUNS))
        print(f"planner: {plans:,.0f} plans/s on one core ({name})", flush=True)
    few = _on_a_new_stack(sizes.leads, sizes.pairs)
    many = _on_a_new_stack(sizes.many, 0)
    return _report(sizes, few, many)


def _on_a_new_stack(leads: int, pairs: int) -> Measures:
    """Measure with an empty ledger and an org with this number of leads.

    In each pair, the connector and the peer each make an uncounted pass and a counted pass, in
    separate processes. Without pairs, each makes one pass, to measure its memory.
    """
    commands = StackCommands(FOLDER)
    try:
        stack = commands.up(start=False)
        _load(stack, leads)
        peer = Peer.log_in(stack, FIELDS)
        first = _observe(leads, 1, changed=leads)[0]
        print(f"  first match: {leads / first.seconds:,.0f} leads/s", flush=True)
        ours, peers = [], []
        for number in range(max(1, pairs)):
            own = _observe(leads, 2 if pairs else 1, changed=0)[-1]
            peers_reading = peer.read(leads, 2 if pairs else 1)
            ours.append(own)
            peers.append(peers_reading)
            print(
                f"  pair {number + 1}: {leads / own.seconds:,.0f} and "
                f"{leads / peers_reading.seconds:,.0f} leads/s, "
                f"{own.peak_mb:.0f} and {peers_reading.peak_mb:.0f} MB",
                flush=True,
            )
    finally:
        commands.down()
    return Measures(first, tuple(ours), tuple(peers))


def _load(stack: StackFile, leads: int) -> None:
    sales = SalesPerson(stack)
    for first in range(0, leads, LOADED_AT_ONCE):
        number = min(LOADED_AT_ONCE, leads - first)
        options = {"leads": number, "first": first, "spread_seconds": SPREAD_SECONDS}
        sales.simulate("POST", "load", options)
    print(f"  {leads:,} leads loaded", flush=True)


def _observe(leads: int, passes: int, *, changed: int) -> list[Reading]:
    """Observe all leads in a new process. Raises `RuntimeError` if its counts are different."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.observer", str(FOLDER), str(passes)],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": f".{os.pathsep}layers/common"},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    readings = []
    for line in done.stdout.splitlines():
        measured: dict[str, Any] = json.loads(line)
        counted = (measured["seen"], measured["changed"], measured["unchanged"])
        if counted != (leads, changed, leads - changed):
            raise RuntimeError(
                f"seen, changed, unchanged: {counted}, expected {(leads, changed, leads - changed)}"
            )
        peaks = tuple((rows, mb) for rows, mb in measured["peaks"])
        readings.append(Reading(measured["seconds"], measured["processor_seconds"], peaks))
    return readings


def _report(sizes: Sizes, few: Measures, many: Measures) -> int:
    _report_speed(sizes.leads, few)
    return 0 if _report_memory(sizes, few, many) else 1


def _report_speed(leads: int, few: Measures) -> None:
    pairs = list(zip(few.ours, few.peers, strict=True))
    ratio = statistics.median(peers_reading.seconds / own.seconds for own, peers_reading in pairs)
    work = statistics.median(
        peers_reading.processor_seconds / own.processor_seconds for own, peers_reading in pairs
    )

    def row(name: str, readings: Sequence[Reading | PeerReading]) -> str:
        rate = statistics.median(leads / reading.seconds for reading in readings)
        work = statistics.median(reading.processor_seconds / leads for reading in readings)
        return f"| {name} | {rate:,.0f} | {work * MICROSECONDS:.0f} us |"

    print(
        f"\n| {leads:,} leads of {len(FIELDS)} fields, median of {len(pairs)} | rows/s "
        "| processor time per row |\n| --- | --- | --- |\n"
        f"{row('observing, unchanged: parsed, compared with the ledger', few.ours)}\n"
        f"{row(f'{NAME}: parsed, written as JSON lines', few.peers)}\n"
        f"| ratio, pair by pair | {ratio:.2f} | {work:.2f} |\n"
        f"{row('observing, first match: every lead stored (once)', [few.first])}"
    )


def _report_memory(sizes: Sizes, few: Measures, many: Measures) -> bool:
    """Print the peaks at both sizes; return whether the peaks of observing are flat."""
    print(
        f"\n| peak memory of one process | {sizes.leads:,} leads | {sizes.many:,} leads | ratio |"
        "\n| --- | --- | --- | --- |"
    )
    rows: tuple[tuple[str, Callable[[Measures], float]], ...] = (
        ("observing, first match", lambda measures: measures.first.peak_mb),
        ("observing, unchanged", lambda measures: measures.our_mb),
        (NAME, lambda measures: measures.peer_mb),
    )
    for name, peak in rows:
        a, b = peak(few), peak(many)
        print(f"| {name} | {a:.1f} MB | {b:.1f} MB | {b / a:.2f} |")
    before = many.first.peaks[0][1]
    print(f"\nThe connector uses {before:.1f} MB before the first lead.")
    flat = True
    for name, few_mb, large in (
        ("first match", few.first.peak_mb, many.first),
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
