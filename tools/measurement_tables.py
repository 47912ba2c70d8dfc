"""The tables of measured scenarios, from the files in `benchmarks/measured`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from tools.doc_tables import ROOT, table

FOLDER: Final = ROOT / "benchmarks/measured"
FIRST_MEETINGS: Final = ("new-contacts", "new-leads")
SCENARIO_ORDER: Final = ("new-contacts", "new-leads", "changed", "selected", "forms", "everything")


@dataclass(frozen=True, slots=True)
class Measured:
    """One measured scenario."""

    numbers: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The scenario, and its people where they are not the usual number."""
        return f"{self.scenario}, {self.people:,}"

    @property
    def scenario(self) -> str:
        """The scenario."""
        return str(self.numbers["scenario"])

    @property
    def people(self) -> int:
        """The people concerned."""
        return int(self.numbers["people"])

    @property
    def hours(self) -> str:
        """The hours until everybody agreed, or until it was stopped."""
        stopped = f", {self.numbers['agreeing']:,} agree" if self.numbers["stopped"] else ""
        return f"{self.numbers['hours']:.2f}{stopped}"

    @property
    def ratio(self) -> str:
        """The hours as a multiple of those that the pace allows ('': not finished)."""
        if self.numbers["stopped"]:
            return ""
        return f"{self.numbers['hours'] / self.numbers['pace_hours']:.2f}"

    @property
    def plezi_calls(self) -> int:
        """All calls to Plezi."""
        return sum(self.numbers["plezi_calls"].values())

    @property
    def salesforce_calls(self) -> int:
        """All calls to Salesforce."""
        return sum(self.numbers["salesforce_calls"].values())

    @property
    def calls_of_a_write(self) -> str:
        """Calls to Plezi for each contact created or changed there, its pages aside ('': none)."""
        work = self.numbers["work"]
        written = work["created_contacts"] + work["changed_contacts"]
        pages = work["plezi_pages"] if work["changed_contacts"] else 0
        return f"{(self.plezi_calls - pages) / written:.3f}" if written else ""

    @property
    def calls_of_a_collection(self) -> str:
        """Calls as a multiple of pages and collections, where all people go to Salesforce."""
        work = self.numbers["work"]
        if work["created_contacts"] or work["changed_contacts"]:
            return ""
        fewest = work["plezi_pages"] + work["salesforce_pages"] + work["collections"]
        return f"{(self.plezi_calls + self.salesforce_calls) / fewest:.2f}"

    @property
    def money(self) -> float:
        """US dollars."""
        return float(sum(self.numbers["money"].values()))


def measured(name: str) -> list[Measured]:
    """Return the rehearsals of a file, in the order of the documents."""
    path = FOLDER / f"{name}.json"
    rows = [Measured(row) for row in json.loads(Path(path).read_text(encoding="utf-8"))]
    return sorted(rows, key=_order)


def _order(row: Measured) -> tuple[int, int, str]:
    kind, _, variant = row.scenario.partition("/")
    return SCENARIO_ORDER.index(kind), row.people, variant


def results() -> str:
    """Return what every scenario took."""
    head = ["scenario, people", "hours", "at the pace", "ratio", "Plezi calls a write"]
    head += ["calls by pages and collections", "invocations", "killed", "dead letters"]
    head += ["left `running`", "Plezi calls in 10 s, 60 s"]
    return table(head, [_row(row) for row in measured("after")])


def _row(row: Measured) -> Sequence[str]:
    numbers = row.numbers
    rates = [f"{rate * float(seconds):.0f}" for seconds, rate in numbers["plezi_rates"].items()]
    return [
        f"`{row.scenario}`, {row.people:,}",
        row.hours,
        f"{numbers['pace_hours']:.2f}",
        row.ratio,
        row.calls_of_a_write,
        row.calls_of_a_collection,
        f"{numbers['invocations']:,}",
        str(numbers["kills"]),
        str(numbers["dead_letters"]),
        str(numbers["left_running"]),
        ", ".join(rates),
    ]


def comparison() -> str:
    """Return before and after, for every scenario that was measured with both versions."""
    after = {row.name: row for row in measured("after")}
    rows = []
    for before in measured("before"):
        now = after.get(before.name)
        if now is None:
            continue
        rows.append(
            [
                f"`{before.scenario}`, {before.people:,}",
                before.hours,
                now.hours,
                f"{before.numbers['kills']} of {before.numbers['invocations']}",
                f"{now.numbers['kills']} of {now.numbers['invocations']}",
                f"{before.numbers['dead_letters']}, {before.numbers['left_running']}",
                f"{now.numbers['dead_letters']}, {now.numbers['left_running']}",
                f"{before.plezi_calls:,}",
                f"{now.plezi_calls:,}",
            ]
        )
    head = ["scenario, people", "hours before", "hours now", "killed before", "killed now"]
    head += ["dead letters, left `running` before", "now", "Plezi calls before", "now"]
    return table(head, rows)


def costs() -> str:
    """Return units and money of each person."""
    head = ["scenario, people", "write units", "read units", "US$ for 1,000 people"]
    return table(
        head,
        [
            [
                f"`{row.scenario}`, {row.people:,}",
                f"{row.numbers['write_units'] / row.people:.1f}",
                f"{row.numbers['read_units'] / row.people:.1f}",
                f"{1000 * row.money / row.people:.4f}",
            ]
            for row in measured("after")
        ],
    )


def scale() -> str:
    """Return what a million people and ten million need, from the measured slopes."""
    rows = []
    for kind, title in SCALED.items():
        sizes = sorted((it for it in measured("after") if it.scenario == kind), key=_people)
        for people in LARGE:
            hours = _extrapolated(sizes, people, _hours)
            rows.append(
                [
                    title,
                    f"{people:,}",
                    f"{hours:,.0f} h"
                    if hours < DAY_HOURS * 3
                    else f"{hours / DAY_HOURS:,.0f} days",
                    f"{_extrapolated(sizes, people, _plezi_calls):,.0f}",
                    f"{_extrapolated(sizes, people, _salesforce_calls):,.0f}",
                    f"{_extrapolated(sizes, people, _money):,.0f}",
                ]
            )
    head = ["work", "people", "time", "Plezi calls", "Salesforce calls", "US$"]
    return table(head, rows)


def _extrapolated(
    sizes: Sequence[Measured], people: int, number: Callable[[Measured], float]
) -> float:
    """Return a number for more people: the slope between two sizes, or from nothing to one."""
    last = sizes[-1]
    if len(sizes) == 1:
        return number(last) / last.people * people
    slope = (number(last) - number(sizes[0])) / (last.people - sizes[0].people)
    return number(last) + slope * (people - last.people)


def _duration(hours: float) -> str:
    return f"{hours:,.0f} h" if hours < DAY_HOURS * 3 else f"{hours / DAY_HOURS:,.0f} days"


def _people(row: Measured) -> int:
    return row.people


def _hours(row: Measured) -> float:
    return float(row.numbers["hours"])


def _plezi_calls(row: Measured) -> float:
    return float(row.plezi_calls)


def _salesforce_calls(row: Measured) -> float:
    return float(row.salesforce_calls)


def _money(row: Measured) -> float:
    return row.money


def unit_kinds(scenario: str) -> str:
    """Return the units of each person by table, operation, kind of item and index."""
    row = next(it for it in measured("after") if it.scenario == scenario)
    kinds = sorted(row.numbers["units"].items(), key=lambda kind: -kind[1][1])
    shown = [(name, units) for name, units in kinds if max(units) / row.people >= SMALLEST]
    return table(
        ["table, operation, kind of item, index", "read units", "write units"],
        [
            [name, f"{reads / row.people:.2f}", f"{writes / row.people:.2f}"]
            for name, (reads, writes) in shown
        ],
    )


DAY_HOURS: Final = 24
LARGE: Final = (1_000_000, 10_000_000)
SCALED: Final = {
    "new-contacts": "first sync of Plezi contacts into an empty org",
    "new-leads": "first sync of Leads into an empty tenant",
    "changed": "half changed in Plezi, half in Salesforce",
}
SMALLEST: Final = 0.05
"""Units a person below which a kind of item is not shown."""
TABLES: Final[Mapping[str, Callable[[], str]]] = {
    "measured-results": results,
    "measured-comparison": comparison,
    "measured-costs": costs,
    "measured-scale": scale,
    "measured-units-new-contacts": partial(unit_kinds, "new-contacts"),
    "measured-units-new-leads": partial(unit_kinds, "new-leads"),
    "measured-units-changed": partial(unit_kinds, "changed"),
}
"""The blocks that a document may have, by name."""
