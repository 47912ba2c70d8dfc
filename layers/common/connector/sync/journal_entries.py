"""Entries for the journal: what was written, overwritten, held, refused or not undone, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial

from connector.mapping import BoundMapping
from connector.model import (
    Counts,
    Intent,
    JournalEntry,
    JournalKind,
    Link,
    MergeRule,
    Overwritten,
    RecordKind,
    Side,
    Write,
)
from connector.planning.plan import NotUndone, Plan
from connector.planning.recovery import Recovery
from connector.planning.write_outcome import (
    WriteOutcome,
    WriteResult,
    done_overwrites,
    is_written,
)


def overwritten_entries(
    email: str, values: Iterable[Overwritten], run: str, now: float
) -> list[JournalEntry]:
    """Return which values gave way, to which value, and by which rule."""
    return [
        JournalEntry(
            email=email,
            at=now,
            run_id=run,
            kind=JournalKind.OVERWRITTEN,
            side=value.kind.side,
            record_id=value.record_id,
            field=value.pair,
            before=value.value,
            after=value.replaced_by,
            rule=value.rule,
        )
        for value in values
    ]


def without_write(plan: Plan) -> tuple[Overwritten, ...]:
    """Return the values that give way in the ledger alone: no write replaces them."""
    written = {update.pair for update in plan.base_updates}
    return tuple(value for value in plan.overwritten if value.pair not in written)


def outcome_entries(
    email: str,
    intent: Intent,
    outcomes: Mapping[str, WriteOutcome],
    bound: BoundMapping,
    now: float,
) -> list[JournalEntry]:
    """Return what the writes of an intent did: values that gave way, were written, were refused.

    A write that was not carried out leaves no entry.
    """
    run = intent.run_id
    lost = done_overwrites(intent, partial(is_written, outcomes))
    entries = overwritten_entries(email, lost, run, now)
    for outcome in outcomes.values():
        if outcome.result is WriteResult.DONE:
            record_id = outcome.record_id or outcome.write.record_id
            entries += _written_entries(email, intent, record_id, outcome.write, bound, now)
        entries += _refused_entries(email, outcome, run, now)
    return entries


def recovered_entries(
    recovery: Recovery, intent: Intent, bound: BoundMapping, now: float
) -> list[JournalEntry]:
    """Return what the recovery of an intent found: what had been written, and what gave way."""
    email = recovery.link.email
    entries = overwritten_entries(email, recovery.overwritten, intent.run_id, now)
    for record_id, write in recovery.written.items():
        entries += _written_entries(email, intent, record_id, write, bound, now)
    return entries + held_entries(recovery.link, recovery.held, intent.run_id, now)


def held_entries(link: Link, keys: Iterable[str], run: str, now: float) -> list[JournalEntry]:
    """Return what each record contains of the fields that are held for review."""
    return [
        JournalEntry(
            email=link.email,
            at=now,
            run_id=run,
            kind=JournalKind.HELD,
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


def duplicate_entries(link: Link, rule: str, run: str, now: float) -> list[JournalEntry]:
    """Return the Leads of one e-mail, for a dry run; `rule` is the duplicate policy."""
    return [
        JournalEntry(
            email=link.email,
            at=now,
            run_id=run,
            kind=JournalKind.DUPLICATE,
            side=Side.SALESFORCE,
            record_id=lead.id,
            field="",
            before=None,
            after=None,
            rule=rule,
        )
        for lead in link.salesforce
        if lead.kind is RecordKind.LEAD and lead.participates
    ]


def not_undone_entries(
    email: str, left: Iterable[NotUndone], run: str, now: float
) -> list[JournalEntry]:
    """Return which values an undo leaves as they are, and why."""
    return [
        JournalEntry(
            email=email,
            at=now,
            run_id=run,
            kind=JournalKind.NOT_UNDONE,
            side=value.side,
            record_id=value.record_id,
            field=value.pair,
            before=value.value,
            after=value.before,
            rule=value.reason,
            newer_run=value.newer_run,
        )
        for value in left
    ]


def count_not_undone(entries: Iterable[JournalEntry], counts: Counts) -> None:
    """Count the values that an undo leaves as they are: all of them, and by reason."""
    for entry in entries:
        counts.add(entry.side, "not_undone")
        counts.add(entry.side, f"not_undone.{entry.rule}")


def _written_entries(
    email: str, intent: Intent, record_id: str, write: Write, bound: BoundMapping, now: float
) -> list[JournalEntry]:
    """Return what a write changed, from which value to which, and why."""
    rules = {update.pair: update.rule for update in intent.base_updates}
    entries = []
    for name, value in write.values.items():
        pair = bound.by_field.get((write.kind, name))
        key = name if pair is None else pair.key
        entries.append(
            JournalEntry(
                email=email,
                at=now,
                run_id=intent.run_id,
                kind=JournalKind.WRITTEN,
                side=write.side,
                record_id=record_id,
                field=key,
                before=write.before.get(name),
                after=value,
                rule=rules.get(key, MergeRule.PLACEHOLDER),
            )
        )
    return entries


def _refused_entries(email: str, outcome: WriteOutcome, run: str, now: float) -> list[JournalEntry]:
    """Return that a write was refused, with the other system's own code as the rule."""
    outcome = outcome.refusal or outcome
    if outcome.result is not WriteResult.REJECTED:
        return []
    return [
        JournalEntry(
            email=email,
            at=now,
            run_id=run,
            kind=JournalKind.REFUSED,
            side=outcome.write.side,
            record_id=outcome.write.record_id,
            field=",".join(outcome.fields),
            before=None,
            after=None,
            rule=outcome.code,
        )
    ]
