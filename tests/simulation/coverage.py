"""How often each act and each fault was exercised in the histories that ran."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from tests.simulation.history import excuses
from tests.simulation.history.events import (
    ALL_ACTS,
    DECISIONS,
    MAPPING_CHANGES,
    OTHER_PLACES,
    PLEZI_FAULTS,
    SALESFORCE_FAULTS,
    SCHEMA_CHANGES,
    SYSTEM_EVENTS,
    TENANT_VARIANTS,
    USER_ACTIONS,
)
from tests.simulation.history.fields import Kind
from tests.simulation.reliability_tables import FAULTS, INVARIANTS, Row

ACT: Final = "act "
TYPED: Final = "typed "
ENOUGH: Final = 2000
"""With so many histories, each act and each fault was exercised at least once."""


def sections() -> Iterator[tuple[str, list[tuple[str, tuple[str, ...]]]]]:
    """Yield each part of the table: a title, and rows of a name and the counters behind it."""
    groups = (
        ("What users do", USER_ACTIONS),
        ("What admins do to the mapping", MAPPING_CHANGES),
        ("What admins do to fields", SCHEMA_CHANGES),
        ("What admins decide", DECISIONS),
    )
    listed: set[str] = set()
    for title, kinds in groups:
        names = [name for name, _ in kinds]
        listed |= set(names)
        yield title, [(name, (ACT + name,)) for name in names]
    others = [name for name, _ in SYSTEM_EVENTS if name not in listed]
    yield "Runs and incidents", [(name, (ACT + name,)) for name in others]
    yield (
        "Circumstances of runs",
        [
            ("a process crashes", ("43 process crash",)),
            ("a second process works", ("41 overlapping processes",)),
            ("a third process works", ("three processes",)),
            ("a run is stopped by its time", ("26 stopped in time",)),
            ("days pass at once", ("days pass",)),
            ("tens of people", ("population: tens",)),
            ("hundreds of people", ("population: hundreds",)),
            ("several Leads or Contacts of one address", ("several records of one address",)),
            *((f"users act in a {it}", (f"act in a {it}",)) for it in sorted({*OTHER_PLACES})),
        ],
    )
    yield "Values typed, by type of field", [(kind.value, (TYPED + kind.value,)) for kind in Kind]
    faults = [f"salesforce {name}" for name, _ in SALESFORCE_FAULTS]
    faults += [f"plezi {name}" for name, _ in PLEZI_FAULTS]
    yield "Faults ordered", [(name, (name,)) for name in dict.fromkeys(faults)]
    variants = [f"tenant {it}" for it in TENANT_VARIANTS if it]
    yield "Variants of the tenant", [(name, (name,)) for name in variants]


def table(counts: Counter[str]) -> dict[str, dict[str, int]]:
    """Return the coverage: by title and name, how often it was exercised."""
    return {
        title: {name: sum(counts[it] for it in counters) for name, counters in rows}
        for title, rows in sections()
    }


def missing(counts: Counter[str], histories: int, acts: frozenset[str] = ALL_ACTS) -> list[str]:
    """Return what was never exercised although so many histories ran with these acts.

    Fewer than `ENOUGH` histories may leave out rare acts: then nothing is missing.
    """
    if histories < ENOUGH or acts != ALL_ACTS:
        return []
    return [
        f"{title}: {name}"
        for title, rows in table(counts).items()
        for name, number in rows.items()
        if not number
    ]


def report(
    counts: Counter[str], checked: Counter[str], excused: Counter[str], histories: int
) -> dict[str, Any]:
    """Return everything that was counted, for a JSON document."""
    return {
        "histories": histories,
        "acts and faults": table(counts),
        "numbered faults": _numbered(FAULTS, counts),
        "invariants": _numbered(INVARIANTS, counts + checked),
        "checks": dict(sorted(checked.items())),
        "excuses": {name: excused[name] for name in excuses.EXCUSES},
        "excuses beyond their limit": excuses.beyond_limit(excused, histories),
        "never exercised": missing(counts, histories),
    }


def _numbered(rows: tuple[Row, ...], counts: Counter[str]) -> dict[str, int]:
    return {
        f"{row.number} {row.name}": sum(counts[it] for it in row.counters)
        for row in rows
        if row.counters
    }


def lines(counts: Counter[str], excused: Counter[str], histories: int) -> Iterator[str]:
    """Yield the coverage as text."""
    for title, rows in table(counts).items():
        yield f"\n{title} (number of times)"
        for name, number in rows.items():
            yield f"  {name:<62} {number:>9,}"
    yield "\nExcuses used (number of times; the limit per history)"
    for name in excuses.EXCUSES:
        yield f"  {name:<62} {excused[name]:>9,}  {excuses.LIMITS[name]}"
    for name in excuses.beyond_limit(excused, histories):
        yield f"The excuse {name!r} was used more often than its limit allows."
    for name in missing(counts, histories):
        yield f"Never exercised: {name}"
