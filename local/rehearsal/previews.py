"""A preview of many people, its approval, and the run that it shows: are they equal, line by line?

    make rehearse-preview [PEOPLE=20000]

A line is an entry of the plan or of the journal: person, side, record, field, old value, new value,
rule. What a preview cannot know is compared as such: the id of a record that the run creates, and
the page, score and state that Plezi gives a new contact.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from connector.mapping.model import EMAIL_PAIR
from connector.model import JournalEntry, JournalKind, Run, RunKind, Side, Value
from connector.sync.dry_run_client import PREDICTED, SET_BY_PLEZI
from local.rehearsal import drift, populations
from local.rehearsal.drift import Act, Somebody
from local.rehearsal.equality import JOURNAL_DAYS, run_now
from local.rehearsal.world import HOUR, Conditions, World

ENTRIES: Final = 1000
"""Entries of the journal that are read at a time."""
NEW_EVERY: Final = 16
"""Of so many people, one is new in Plezi and one in Salesforce."""
NEW_RECORD: Final = "(new record)"
COUNTERS: Final = ("created", "updated", "cleared", "overwritten", "held", "quarantined")
EXAMPLES: Final = 3

Line = tuple[str, str, str, str, str, object, object, str]
"""E-mail, kind, side, record, field, before, after, rule."""

EDITS: Final[tuple[tuple[Act, ...], ...]] = (
    (drift.edit_contact(phone="+33 7 00 00 00 01"),),
    (drift.edit_lead("both", Phone="+33 8 00 00 00 02"),),
    (drift.edit_contact(company="Quai SARL", mobile=None),),
    (drift.edit_lead("both", LastName="Renamed", MobilePhone=None),),
    (drift.edit_contact(first_name="Changed", function="Director"),),
    (drift.edit_lead("both", Company="Nord SAS", Phone="+33 8 00 00 00 03"),),
    (drift.edit_contact(phone="+33 7 1"), drift.edit_lead("both", Phone="+33 8 1")),
    (drift.edit_contact(phone="+33 7 2", function=drift.LONG_TITLE),),
    (drift.edit_contact(phone="+33 9 4"), drift.edit_lead("both", Phone="+33 9 4")),
)
"""What users did, by turns: edits on either side, clearings, conflicts, a value that Salesforce
refuses, the same value on both sides."""


@dataclass(frozen=True, slots=True)
class PreviewReport:
    """The lines of a preview and of its run. Hours are virtual, `wall_seconds` is ours.

    `only_planned` and `only_done` are lines of which the other one has fewer. `counts` and `calls`
    are by side and name, planned and done.
    """

    people: int
    planned: int
    done: int
    only_planned: Mapping[Line, int]
    only_done: Mapping[Line, int]
    counts: Mapping[str, tuple[int, int]]
    calls: Mapping[str, tuple[int, int]]
    preview_hours: float
    run_hours: float
    expected_hours: float
    wall_seconds: float

    @property
    def problems(self) -> tuple[str, ...]:
        """What does not hold, one sentence each; () if everything does."""
        lines = {"only in the preview": self.only_planned, "only in the run": self.only_done}
        found = [
            f"{sum(extra.values())} lines {where}, such as {list(extra)[:EXAMPLES]}"
            for where, extra in lines.items()
            if extra
        ]
        found += [
            f"{name}: {planned} planned, {done} done"
            for name, (planned, done) in self.counts.items()
            if planned != done
        ]
        return tuple(found)


def rehearse_preview(
    people: int, progress: Callable[[str], None] = lambda _line: None
) -> PreviewReport:
    """Rehearse a preview of a number of people, approve it, and let the run happen."""
    began = time.monotonic()
    world = World()
    try:
        _let_users_edit(world, people)
        progress(f"{people} people were edited")
        world.restart(Conditions())
        preview = run_now(world, RunKind.DRY_RUN)
        planned = _planned_lines(_entries(world, preview.id))
        progress(f"previewed: {preview.counts}")
        world.ask_admin("POST", f"/admin/runs/{preview.id}/approve")
        for system in (world.plezi, world.salesforce):
            system.meter.clear()
        run = run_now(world, RunKind.CHANGES)
        progress(f"done: {run.counts}")
        done = _done_lines(_entries(world, run.id), planned)
        expected = world.ask_admin("GET", f"/admin/runs/{preview.id}")["expected"]
        made = {
            Side.PLEZI: world.plezi.meter.calls.total(),
            Side.SALESFORCE: world.salesforce.meter.calls.total(),
        }
        return PreviewReport(
            people=len({line[0] for line in planned}),
            planned=planned.total(),
            done=done.total(),
            only_planned=dict(planned - done),
            only_done=dict(done - planned),
            counts=_both(preview, run),
            calls={
                Side.PLEZI.value: (expected["plezi_calls"], made[Side.PLEZI]),
                Side.SALESFORCE.value: (expected["salesforce_calls"], made[Side.SALESFORCE]),
            },
            expected_hours=expected["hours"],
            preview_hours=(preview.finished_at - preview.started_at) / HOUR,
            run_hours=(run.finished_at - run.started_at) / HOUR,
            wall_seconds=time.monotonic() - began,
        )
    finally:
        world.close()


def _let_users_edit(world: World, people: int) -> None:
    """Establish people, and let users of both systems edit each of them, or add new ones."""
    new = people // NEW_EVERY
    populations.establish(world, people - 2 * new)
    for number, person in enumerate(drift.people(world)):
        for act in EDITS[number % len(EDITS)]:
            act(world, person)
    for number in range(new):
        drift.add_contact(world, Somebody(f"new-contact-{number}@example.com"))
        drift.add_lead(world, Somebody(f"new-lead-{number}@example.com"))
    world.kernel.sleep(populations.WAIT_SECONDS)


def _entries(world: World, run_id: str) -> Iterator[JournalEntry]:
    """Yield the entries of a plan, or those that a run wrote into the journal."""
    after = ""
    while True:
        with world.aside() as adapters:
            journal = adapters.journal("JournalTable", JOURNAL_DAYS)
            page = journal.run_entries(run_id, ENTRIES, after)
        yield from page.entries
        after = page.next
        if not after:
            return


def _planned_lines(entries: Iterable[JournalEntry]) -> Counter[Line]:
    """Return the lines of a plan; the list of duplicates is no line of a run."""
    return Counter(
        _line(it, NEW_RECORD if it.record_id.startswith(PREDICTED) else it.record_id, it.after)
        for it in entries
        if it.kind is not JournalKind.DUPLICATE
    )


def _done_lines(entries: Iterable[JournalEntry], planned: Mapping[Line, int]) -> Counter[Line]:
    """Return the lines of a run, with the words of the plan for what it could not know."""
    found = list(entries)
    unknown = {_without_after(line) for line in planned if line[6] == SET_BY_PLEZI}
    created = {
        it.record_id
        for it in found
        if it.kind is JournalKind.WRITTEN and it.field == EMAIL_PAIR.key and it.before is None
    }
    lines: Counter[Line] = Counter()
    for it in found:
        line = _line(it, NEW_RECORD if it.record_id in created else it.record_id, it.after)
        is_known = _without_after(line) not in unknown
        lines[line if is_known else (*line[:6], SET_BY_PLEZI, line[7])] += 1
    return lines


def _line(entry: JournalEntry, record: str, after: Value) -> Line:
    return (
        entry.email,
        entry.kind.value,
        entry.side.value,
        record,
        entry.field,
        entry.before,
        after,
        str(entry.rule),
    )


def _without_after(line: Line) -> tuple[object, ...]:
    return (*line[:6], line[7])


def _both(preview: Run, run: Run) -> dict[str, tuple[int, int]]:
    """Return the counters of what is written, planned and done, by side and name."""
    return {
        f"{side} {name}": (preview.counts[side].get(name, 0), run.counts[side].get(name, 0))
        for side in (Side.PLEZI.value, Side.SALESFORCE.value)
        for name in sorted({*preview.counts[side], *run.counts[side]})
        if name.partition(".")[0] in COUNTERS
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Rehearse, print what was measured; return 1 when something does not hold."""
    parser = argparse.ArgumentParser(prog="python -m local.rehearsal.previews", description=__doc__)
    parser.add_argument("--people", type=int, default=20_000, help="people (%(default)s)")
    people = parser.parse_args(arguments).people
    report = rehearse_preview(people, lambda line: print(line, file=sys.stderr, flush=True))
    calls = ", ".join(
        f"{side}: {planned} predicted, {done} made"
        for side, (planned, done) in report.calls.items()
    )
    print(
        f"{report.people:,} people, {report.planned:,} lines planned, {report.done:,} done\n"
        f"calls: {calls}\npreview {report.preview_hours:.2f} h, "
        f"run {report.run_hours:.2f} h ({report.expected_hours:.2f} h predicted); "
        f"{report.wall_seconds:.0f} s of ours"
    )
    print("\n".join(report.problems) or "Everything holds.")
    return int(bool(report.problems))


if __name__ == "__main__":
    sys.exit(main())
