"""Play histories: `python -m tests.simulation run --histories 2000 --seed 0`."""

from __future__ import annotations

import argparse
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Final

from local.world.both_sides import BothSides
from tests.simulation.bugs import BUGS
from tests.simulation.history.dynamodb import tables
from tests.simulation.history.events import EventList, draw
from tests.simulation.history.history import Outcome, Ports, in_memory, play, shortened
from tests.simulation.reliability_tables import FAULTS, INVARIANTS, Row, document

PORTION: Final = 25
"""Histories that one worker plays before it tells."""
MOST_FOR_A_BUG: Final = 3000
DOCUMENT: Final = Path("docs/reliability.md")
_sides: list[BothSides] = []


def sides() -> BothSides:
    """Return this process's sides; founding an org takes longer than a history."""
    if not _sides:
        _sides.append(BothSides())
    return _sides[0]


def portion(
    first: int, number: int, *, on_tables: bool
) -> tuple[list[tuple[int, str]], Counter[str], Counter[str], int]:
    """Play some histories; return the broken ones, what was injected, what was checked."""
    warnings.simplefilter("ignore")
    with tables() if on_tables else nullcontext(in_memory) as ports:
        return _played(range(first, first + number), ports)


def _played(
    seeds: range, ports: Callable[[EventList], Ports]
) -> tuple[list[tuple[int, str]], Counter[str], Counter[str], int]:
    broken: list[tuple[int, str]] = []
    fault_injector: Counter[str] = Counter()
    checked: Counter[str] = Counter()
    window = 0
    for seed in seeds:
        story = draw(seed)
        outcome = play(sides(), story, ports(story))
        fault_injector += outcome.fault_injector
        checked += outcome.checked
        window += outcome.window
        if outcome.broken:
            broken.append((seed, outcome.broken))
    return broken, fault_injector, checked, window


def simulate(histories: int, seed: int, jobs: int, *, on_tables: bool) -> int:
    """Play histories with progress; print coverage, and for a failure its shortest story."""
    begun = time.perf_counter()
    fault_injector: Counter[str] = Counter()
    checked: Counter[str] = Counter()
    broken: list[tuple[int, str]] = []
    window = done = 0
    firsts = range(seed, seed + histories, PORTION)
    sizes = [min(PORTION, seed + histories - first) for first in firsts]
    played = partial(portion, on_tables=on_tables)
    with ProcessPoolExecutor(jobs) as pool:
        for size, told in zip(sizes, pool.map(played, firsts, sizes), strict=True):
            broken += told[0]
            for number, why in told[0]:
                print(f"\rSeed {number} breaks: {why}")
            fault_injector += told[1]
            checked += told[2]
            window += told[3]
            done += size
            speed = done / (time.perf_counter() - begun)
            print(f"\r{done:,} histories, {speed:.1f} a second, {len(broken)} broken", end="")
    print()
    for title, rows in (("Faults injected", FAULTS), ("Invariants exercised", INVARIANTS)):
        print(f"\n{title}")
        for row in rows:
            print(_counted(row, fault_injector + checked))
    print(f"\nOverwritten between our reading and our write (README, limits): {window}")
    for number, why in broken[:1]:
        tell(number, why)
    if broken:
        print(f"All broken: {[number for number, _ in broken]}")
    return 1 if broken else 0


def _counted(row: Row, numbers: Counter[str]) -> str:
    if not row.counted:
        return f"  {row.number:>2} {row.name:<36} {row.where or 'not simulated'}: {row.what}"
    return f"  {row.number:>2} {row.name:<36} {sum(numbers[it] for it in row.counted):>9,}"


def tell(seed: int, why: str) -> None:
    """Tell the shortest story that breaks the same promise as a seed does."""
    story = shortened(sides(), draw(seed), why)
    outcome = play(sides(), story)
    print(f"\nSeed {seed} breaks: {why}\nShortest story ({outcome.broken}):")
    print(f"  Plezi is {story.tenant or 'as expected'}; policies {dict(story.policies)}")
    for line in outcome.story:
        print(f"  {line}")
    print(
        "Replay: PYTHONPATH=.:layers/common .venv/bin/python -m tests.simulation replay "
        f"--seed {seed}"
    )


def replay(seed: int) -> int:
    """Play one history again, whole, and tell it."""
    outcome = play(sides(), draw(seed))
    print("\n".join(outcome.story))
    print(f"{outcome.broken or 'every promise was kept'}; trace {outcome.trace}")
    if outcome.broken:
        tell(seed, outcome.broken)
    return 1 if outcome.broken else 0


def found(name: str) -> tuple[int, Outcome | None]:
    """Return in which history a planted bug is found."""
    warnings.simplefilter("ignore")
    with BUGS[name][1](sides()):
        for seed in range(MOST_FOR_A_BUG):
            outcome = play(sides(), draw(seed))
            if outcome.broken:
                return seed + 1, outcome
    return 0, None


def plant_all() -> int:
    """Plant each bug and print in how many histories it is found."""
    missed = 0
    for name, (seen_at, _) in BUGS.items():
        number, outcome = found(name)
        missed += outcome is None
        what = outcome.broken if outcome else f"NOT FOUND in {MOST_FOR_A_BUG}"
        print(f"{name:<38} {number:>4}  {what[:70]:<70}  ({seen_at})", flush=True)
    return missed


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("verb", choices=("run", "replay", "bugs", "docs"))
    parser.add_argument("--histories", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument(
        "--ledger",
        choices=("memory", "dynamodb"),
        default="memory",
        help="dynamodb: the real one, on the tables that are deployed, as moto plays them (slower)",
    )
    return parser.parse_args()


def _verbs(asked: argparse.Namespace) -> Iterator[int]:
    match asked.verb:
        case "run":
            on_tables = asked.ledger == "dynamodb"
            yield simulate(asked.histories, asked.seed, asked.jobs, on_tables=on_tables)
        case "replay":
            yield replay(asked.seed)
        case "bugs":
            yield plant_all()
        case "docs":
            DOCUMENT.write_text(document(), encoding="utf-8")
            yield 0


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    raise SystemExit(max(_verbs(_arguments())))
