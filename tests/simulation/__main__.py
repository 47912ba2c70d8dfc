"""Run histories: `python -m tests.simulation run --histories 2000 --seed 0`.

Or stories, on the planner alone: `python -m tests.simulation stories --stories 100000 --seed 0`.
"""

from __future__ import annotations

import argparse
import gc
import json
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
from tests.simulation import coverage
from tests.simulation.bugs import BUGS
from tests.simulation.bugs.planting import search
from tests.simulation.history import excuses
from tests.simulation.history.events import ALL_ACTS, allowed, draw
from tests.simulation.history.history import run_history, shrink
from tests.simulation.history.ports import dynamodb, memory_ports
from tests.simulation.reliability_tables import FAULTS, INVARIANTS, Row, document
from tests.simulation.stories import search as stories

BATCH_SIZE: Final = 25
"""Histories that a worker process runs before it reports."""
YOUNG_OBJECTS: Final = 100_000
"""New objects between two garbage collections of a worker process."""
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
    excused: Counter[str] = field(default_factory=Counter)

    def add(self, other: Summary) -> None:
        """Add the sums over other histories."""
        self.violations += other.violations
        self.injected += other.injected
        self.checked += other.checked
        self.excused += other.excused


def run_batch(
    first_seed: int, number: int, *, on_dynamodb: bool, acts: frozenset[str] = ALL_ACTS
) -> Summary:
    """Run some histories with consecutive seeds."""
    warnings.simplefilter("ignore")
    summary = Summary()
    with dynamodb() if on_dynamodb else nullcontext(memory_ports) as make_ports:
        for seed in range(first_seed, first_seed + number):
            result = run_history(sides(), draw(seed, acts), make_ports)
            violations = [(seed, result.violation)] if result.violation else []
            summary.add(Summary(violations, result.injected, result.checked, result.excused))
    return summary


def _collect_garbage_rarely() -> None:
    """Leave what the imports made out of the garbage collection, and collect seldom.

    A history makes few cycles; with Python's defaults a tenth of its time goes to looking for them.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS)


@dataclass(frozen=True, slots=True)
class Task:
    """Which histories to run: how many, from which seed, in how many processes, with which acts."""

    histories: int
    seed: int
    jobs: int
    on_dynamodb: bool = False
    acts: frozenset[str] = ALL_ACTS
    json_file: str = ""


def simulate(task: Task) -> int:
    """Run histories with progress; print the coverage, and the shortest failing history.

    Returns 1 if a guarantee is violated, an excuse is used beyond its limit, or, after enough
    histories, an act or a fault was never exercised.
    """
    started = time.perf_counter()
    total = Summary()
    done = 0
    first_seeds = range(task.seed, task.seed + task.histories, BATCH_SIZE)
    sizes = [min(BATCH_SIZE, task.seed + task.histories - first) for first in first_seeds]
    batch = partial(run_batch, on_dynamodb=task.on_dynamodb, acts=task.acts)
    with ProcessPoolExecutor(task.jobs, initializer=_collect_garbage_rarely) as pool:
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
    counts = total.injected + total.checked
    _print_coverage(total)
    print("\n".join(coverage.lines(counts, total.excused, task.histories)))
    if task.json_file:
        report = coverage.report(counts, total.checked, total.excused, task.histories)
        report["violations"] = dict(total.violations)
        Path(task.json_file).write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    for number, violation in total.violations[:1]:
        print_shortest(number, violation, task.acts)
    if total.violations:
        print(f"Seeds with a violation: {[number for number, _ in total.violations]}")
    failed = (
        bool(total.violations)
        or bool(excuses.beyond_limit(total.excused, task.histories))
        or bool(coverage.missing(counts, task.histories, task.acts))
    )
    return 1 if failed else 0


def _print_coverage(total: Summary) -> None:
    for title, rows in (("Faults injected", FAULTS), ("Invariants checked", INVARIANTS)):
        print(f"\n{title} (number of times)")
        for row in rows:
            print(_coverage_line(row, total.injected + total.checked))


def _coverage_line(row: Row, counts: Counter[str]) -> str:
    if not row.counters:
        where = "not counted" if row.where in ("histories", "model") else row.where
        return f"  {row.number:>2} {row.name:<38} {where or 'not simulated'}: {row.expected}"
    return f"  {row.number:>2} {row.name:<38} {sum(counts[it] for it in row.counters):>9,}"


def print_shortest(seed: int, violation: str, acts: frozenset[str] = ALL_ACTS) -> None:
    """Print the shortest history that violates the same guarantee as the history of a seed."""
    events = shrink(sides(), draw(seed, acts), violation.partition(":")[0])
    result = run_history(sides(), events)
    print(f"\nSeed {seed} violates: {violation}\nShortest history ({result.violation}):")
    policies = {name: policy.value for name, policy in events.policies.items()}
    print(f"  Plezi tenant: {events.tenant or 'default'}; several Leads: {events.duplicates.value}")
    print(f"  policies: {policies}")
    for line in result.log:
        print(f"  {line}")
    print(
        "Replay: PYTHONPATH=.:layers/common .venv/bin/python -m tests.simulation replay "
        f"--seed {seed}{_options(acts)}"
    )


def _options(acts: frozenset[str]) -> str:
    left_out = sorted(ALL_ACTS - acts)
    return f" --without {','.join(left_out)}" if left_out else ""


def replay(seed: int, acts: frozenset[str]) -> int:
    """Run one history again, completely, and print its log."""
    result = run_history(sides(), draw(seed, acts))
    print("\n".join(result.log))
    print(f"{result.violation or 'every guarantee holds'}; trace hash {result.trace_hash}")
    if result.violation:
        print_shortest(seed, result.violation, acts)
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
    parser.add_argument("command", choices=("run", "replay", "bugs", "docs", "stories"))
    parser.add_argument("--histories", type=int, default=2000)
    parser.add_argument("--stories", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument(
        "--ledger",
        choices=("memory", "dynamodb"),
        default="memory",
        help="dynamodb: the deployed tables, as moto emulates them (slower)",
    )
    parser.add_argument(
        "--acts", default="", help="only these acts, separated by commas (default: all)"
    )
    parser.add_argument("--without", default="", help="all acts but these")
    parser.add_argument("--replay", default="", help="play this printed story again")
    parser.add_argument("--json", default="", help="write the coverage to this file as JSON")
    return parser.parse_args()


def _names(text: str) -> tuple[str, ...]:
    return tuple(filter(None, text.split(",")))


def main() -> int:
    """Run the command; return the exit code."""
    warnings.simplefilter("ignore")
    arguments = _arguments()
    acts = allowed(_names(arguments.acts), _names(arguments.without))
    match arguments.command:
        case "run":
            task = Task(
                arguments.histories,
                arguments.seed,
                arguments.jobs,
                on_dynamodb=arguments.ledger == "dynamodb",
                acts=acts,
                json_file=arguments.json,
            )
            return simulate(task)
        case "replay":
            return replay(arguments.seed, acts)
        case "stories" if arguments.replay:
            return stories.replay(arguments.replay)
        case "stories":
            return stories.search(arguments.stories, arguments.seed, arguments.jobs)
        case "bugs":
            return min(find_all_bugs(), 1)
        case _:
            DOCUMENT.write_text(document(), encoding="utf-8")
            return 0


if __name__ == "__main__":
    raise SystemExit(main())
