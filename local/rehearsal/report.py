"""The results of rehearsals as a table: text, Markdown or JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Final

from local.rehearsal.rehearsal import Result

FEWEST_UNITS: Final = 0.005
"""Units a person below which a kind of item has no row of its own."""


def _calls(calls: Mapping[str, int], people: int) -> str:
    """Return the calls of each kind for one person."""
    parts = [f"{kind} {number / max(1, people):.2f}" for kind, number in calls.items()]
    return f"{sum(calls.values()) / max(1, people):.2f} ({', '.join(parts)})"


def _numbers(calls: Mapping[str, int]) -> str:
    parts = [f"{kind} {number:,}" for kind, number in calls.items()]
    return f"{sum(calls.values()):,} ({', '.join(parts)})"


def _invocations(result: Result) -> str:
    forms = f" + {result.form_invocations} forms" if result.form_invocations else ""
    return f"{result.invocations}{forms}"


COLUMNS: Final[Sequence[tuple[str, Callable[[Result], str]]]] = (
    ("scenario", lambda it: it.scenario),
    ("people", lambda it: f"{it.people:,}"),
    ("agree", lambda it: "all" if not it.stopped else f"{it.agreeing:,}"),
    ("hours", lambda it: f"{it.hours:.2f}" + ("" if not it.stopped else " (stopped)")),
    ("hours at the pace", lambda it: f"{it.pace_hours:.2f}"),
    ("people an hour", lambda it: f"{it.people_an_hour:,.0f}"),
    ("Plezi calls a person", lambda it: _calls(it.plezi_calls, it.people)),
    ("Salesforce calls", lambda it: _numbers(it.salesforce_calls)),
    ("invocations", _invocations),
    ("killed", lambda it: str(it.kills)),
    ("dead letters", lambda it: str(it.dead_letters)),
    ("left running", lambda it: str(it.left_running)),
    (
        "Plezi calls/s in 10 s, 60 s",
        lambda it: ", ".join(f"{r:.2f}" for r in it.plezi_rates.values()),
    ),
    ("read units a person", lambda it: f"{it.read_units / max(1, it.people):.1f}"),
    ("write units a person", lambda it: f"{it.write_units / max(1, it.people):.1f}"),
    ("US$", lambda it: f"{it.money.total:.2f}"),
    ("our seconds", lambda it: f"{it.wall_seconds:.0f}"),
)


def markdown(results: Sequence[Result]) -> str:
    """Return a Markdown table, one line for each result."""
    lines = [
        "| " + " | ".join(name for name, _ in COLUMNS) + " |",
        "|" + " --- |" * len(COLUMNS),
    ]
    lines += ["| " + " | ".join(show(it) for _, show in COLUMNS) + " |" for it in results]
    return "\n".join([*lines, *_notes(results)])


def text(results: Sequence[Result]) -> str:
    """Return the results as text: a block of lines for each."""
    width = max(len(name) for name, _ in COLUMNS)
    blocks = [
        "\n".join(f"{name:<{width}}  {show(result)}" for name, show in COLUMNS)
        for result in results
    ]
    return "\n\n".join([*blocks, *_notes(results)])


def _notes(results: Sequence[Result]) -> list[str]:
    return [
        "",
        *(f"{it.scenario}: {it.stopped}" for it in results if it.stopped),
        *(
            f"{it.scenario}: {number} times {problem}"
            for it in results
            for problem, number in it.problems.items()
        ),
    ]


def units(results: Sequence[Result]) -> str:
    """Return Markdown tables of the units of each person by table, operation and kind of item.

    The first part of a partition key is the kind; an index is named behind it.
    """
    return "\n\n".join(_units_of(it) for it in results)


def _units_of(result: Result) -> str:
    people = max(1, result.people)
    rows = sorted(result.units.items(), key=lambda row: -sum(row[1]))
    shown = [row for row in rows if sum(row[1]) / people >= FEWEST_UNITS]
    rest = [row for _, row in rows[len(shown) :]]
    shown.append(("others", (sum(read for read, _ in rest), sum(write for _, write in rest))))
    lines = [
        f"{result.scenario}, {result.people:,} people: units a person",
        "",
        "| table, operation, kind, index | read units | write units |",
        "| --- | --- | --- |",
        *(
            f"| {kind} | {reads / people:.2f} | {writes / people:.2f} |"
            for kind, (reads, writes) in shown
        ),
        f"| all | {result.read_units / people:.2f} | {result.write_units / people:.2f} |",
    ]
    return "\n".join(lines)


def as_json(results: Sequence[Result]) -> str:
    """Return everything that was measured, as JSON."""
    return json.dumps([asdict(result) for result in results], indent=1, ensure_ascii=False)
