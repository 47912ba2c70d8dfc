"""Run histories: `python -m tests.simulation run --histories 2000 --seed 0`."""

from __future__ import annotations

import argparse
import time
import warnings
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from local.world.both_sides import BothSides
from tests.simulation.bugs import BUGS
from tests.simulation.bugs.planting import search
from tests.simulation.history.events import draw
from tests.simulation.history.history import run_history, shrink
from tests.simulation.history.ports import dynamodb, memory_ports
from tests.simulation.reliability_tables import FAULTS, INVARIANTS, Row, document

BATCH_SIZE: Final = 25
"""Histories that a worker process runs before it reports."""
MAX_HISTORIES_PER_BUG: Final = 3000
DOCUMENT: Final = Path("docs/reliability.md")
_sides: list[BothSides] = []


def sides() -> BothSides:
    """Return the simulators of this process; creating an org takes longer than a history."""
    if not _sides:
        _sides.append(BothSides())
    return _sides[0]


@dataclass
class Summary:
    """The sums over some histories; `violations` holds (seed, violation) pairs."""

    violations: list[tuple[int, str]] = field(default_factory=list)
    injected: Counter[str] = field(default_factory=Counter)
    checked: Counter[str] = field(default_factory=Counter)
    allowed_losses: int = 0

    def add(self, other: Summary) -> None:
        """Add the sums over other histories."""
        self.violations += other.violations
        self.injected += other.injected
        self.checked += other.checked
        self.allowed_losses += other.allowed_losses


def run_batch(first_seed: int, number: int, *, on_dynamodb: bool) -> Summary:
    """Run some histories with consecutive seeds."""
    warnings.simplefilter("ignore")
    summary = Summary()
    with dynamodb() if on_dynamodb else nullcontext(memory_ports) as make_ports:
        for seed in range(first_seed, first_seed + number):
            result = run_history(sides(), draw(seed), make_ports)
            violations = [(seed, result.violation)] if result.violation else []
            summary.add(Summary(violations, result.injected, result.checked, result.allowed_losses))
    return summary


def simulate(histories: int, seed: int, jobs: int, *, on_dynamodb: bool) -> int:
    """Run histories with progress; print the coverage, and the shortest failing history."""
    started = time.perf_counter()
    total = Summary()
    done = 0
    first_seeds = range(seed, seed + histories, BATCH_SIZE)
    sizes = [min(BATCH_SIZE, seed + histories - first) for first in first_seeds]
    batch = partial(run_batch, on_dynamodb=on_dynamodb)
    with ProcessPoolExecutor(jobs) as pool:
        for size, summary in zip(sizes, pool.map(batch, first_seeds, sizes), strict=True):
            total.add(summary)
            for number, violation in summary.violations:
                print(f"\rSeed {number} violates: {violation}")
            done += size
            speed = done / (time.perf_counter() - started)
            print(
                f"\r{done:,} histories, {speed:.1f} per second, "
                f"{len(total.violations)} with a violation",
                end="",
            )
    print()
    _print_coverage(total)
    for number, violation in total.violations[:1]:
        print_shortest(number, violation)
    if total.violations:
        print(f"Seeds with a violation: {[number for number, _ in total.violations]}")
    return 1 if total.violations else 0


def _print_coverage(total: Summary) -> None:
    for title, rows in (("Faults injected", FAULTS), ("Invariants checked", INVARIANTS)):
        print(f"\n{title} (number of times)")
        for row in rows:
            print(_coverage_line(row, total.injected + total.checked))
    print(
        "\nUser edits lost within the documented limits (README, Costs and limits): "
        f"{total.allowed_losses}"
    )


def _coverage_line(row: Row, counts: Counter[str]) -> str:
    if not row.counters:
        where = "not counted" if row.where in ("histories", "model") else row.where
        return f"  {row.number:>2} {row.name:<38} {where or 'not simulated'}: {row.expected}"
    return f"  {row.number:>2} {row.name:<38} {sum(counts[it] for it in row.counters):>9,}"


def print_shortest(seed: int, violation: str) -> None:
    """Print the shortest history that violates the same guarantee as the history of a seed."""
    events = shrink(sides(), draw(seed), violation.partition(":")[0])
    result = run_history(sides(), events)
    print(f"\nSeed {seed} violates: {violation}\nShortest history ({result.violation}):")
    print(f"  Plezi tenant: {events.tenant or 'default'}; policies: {dict(events.policies)}")
    for line in result.log:
        print(f"  {line}")
    print(
        "Replay: PYTHONPATH=.:layers/common .venv/bin/python -m tests.simulation replay "
        f"--seed {seed}"
    )


def replay(seed: int) -> int:
    """Run one history again, completely, and print its log."""
    result = run_history(sides(), draw(seed))
    print("\n".join(result.log))
    print(f"{result.violation or 'every guarantee holds'}; trace hash {result.trace_hash}")
    if result.violation:
        print_shortest(seed, result.violation)
    return 1 if result.violation else 0


def find_all_bugs() -> int:
    """Plant each bug, print the number of histories until it is found; return those not found."""
    warnings.simplefilter("ignore")
    print(f"{'planted bug':<38} {'found in history':>16}  violated guarantee  (shipped by)")
    not_found = 0
    for bug in BUGS.values():
        found = search(bug, sides(), MAX_HISTORIES_PER_BUG)
        not_found += found.result is None
        violation = found.result.violation if found.result else "NOT FOUND"
        print(f"{bug.name:<38} {found.histories:>16,}  {violation}  ({bug.shipped_by})", flush=True)
        if found.exceptions:
            print(f"    {found.exceptions} histories ended in an unexpected exception: ignored")
    print(f"{len(BUGS) - not_found} of {len(BUGS)} planted bugs found")
    return not_found


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("command", choices=("run", "replay", "bugs", "docs"))
    parser.add_argument("--histories", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument(
        "--ledger",
        choices=("memory", "dynamodb"),
        default="memory",
        help="dynamodb: the deployed tables, as moto emulates them (slower)",
    )
    return parser.parse_args()


def main() -> int:
    """Run the command; return the exit code."""
    warnings.simplefilter("ignore")
    arguments = _arguments()
    match arguments.command:
        case "run":
            on_dynamodb = arguments.ledger == "dynamodb"
            return simulate(
                arguments.histories, arguments.seed, arguments.jobs, on_dynamodb=on_dynamodb
            )
        case "replay":
            return replay(arguments.seed)
        case "bugs":
            return min(find_all_bugs(), 1)
        case _:
            DOCUMENT.write_text(document(), encoding="utf-8")
            return 0


if __name__ == "__main__":
    raise SystemExit(main())
