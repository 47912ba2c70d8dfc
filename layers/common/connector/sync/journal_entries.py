"""What the journal is told: field by field, what was written, lost, held or refused, and why."""

from __future__ import annotations

from collections.abc import Iterable

from connector.mapping import BoundMapping
from connector.model import JournalEntry, Link, Side
from connector.planning.outcome import WriteOutcome, WriteResult
from connector.planning.plan import Overwritten, Plan


def overwritten_entries(each: Plan, run: str, now: float) -> list[JournalEntry]:
    """Tell, before it happens, which values will give way, to what, and by which rule."""
    return [_overwritten_entry(each, lost, run, now) for lost in each.overwritten]


def _overwritten_entry(each: Plan, lost: Overwritten, run: str, now: float) -> JournalEntry:
    return JournalEntry(
        email=each.link.email,
        at=now,
        run_id=run,
        kind="overwritten",
        side=lost.kind.side,
        record_id=lost.record_id,
        field=lost.pair,
        before=lost.value,
        after=lost.replaced_by,
        rule=lost.rule,
    )


def held_entries(link: Link, keys: Iterable[str], run: str, now: float) -> list[JournalEntry]:
    """Tell what each record says of a field that now waits for a person."""
    return [
        JournalEntry(
            email=link.email,
            at=now,
            run_id=run,
            kind="held",
            side=Side.PLEZI if link.plezi and link.plezi.id == record else Side.SALESFORCE,
            record_id=record,
            field=key,
            before=value,
            after=value,
            rule=link.holds[key].reason,
        )
        for key in keys
        for record, value in link.holds[key].values.items()
    ]


def written_entries(
    each: Plan, outcome: WriteOutcome, bound: BoundMapping, run: str, now: float
) -> list[JournalEntry]:
    """Tell what a write that was done changed, from what to what, and why."""
    if outcome.result is not WriteResult.DONE:
        return []
    write = outcome.write
    rules = {it.pair: it.rule for it in each.base_updates}
    lines = []
    for name, value in write.values.items():
        line = bound.by_field[write.kind, name]
        lines.append(
            JournalEntry(
                email=each.link.email,
                at=now,
                run_id=run,
                kind="written",
                side=write.side,
                record_id=outcome.record_id or write.record_id,
                field=line.key,
                before=write.before.get(name),
                after=value,
                rule=rules.get(line.key, "placeholder"),
            )
        )
    return lines


def refused_entries(each: Plan, outcome: WriteOutcome, run: str, now: float) -> list[JournalEntry]:
    """Tell that a write was refused, with the side's own code."""
    if outcome.result is not WriteResult.REJECTED:
        return []
    return [
        JournalEntry(
            email=each.link.email,
            at=now,
            run_id=run,
            kind="refused",
            side=outcome.write.side,
            record_id=outcome.write.record_id,
            field=",".join(outcome.fields),
            before=None,
            after=None,
            rule=outcome.code,
        )
    ]
