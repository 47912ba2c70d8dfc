"""Entries for the journal: which field was written, overwritten, held or refused, and why."""

from __future__ import annotations

from collections.abc import Iterable

from connector.mapping import BoundMapping
from connector.model import JournalEntry, JournalKind, Link, MergeRule, RecordKind, Side
from connector.planning.plan import Overwritten, Plan
from connector.planning.write_outcome import WriteOutcome, WriteResult


def overwritten_entries(plan: Plan, run: str, now: float) -> list[JournalEntry]:
    """Return, before it happens, which values are replaced, by what, and by which rule."""
    return [_overwritten_entry(plan, value, run, now) for value in plan.overwritten]


def _overwritten_entry(plan: Plan, value: Overwritten, run: str, now: float) -> JournalEntry:
    return JournalEntry(
        email=plan.link.email,
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


def written_entries(
    plan: Plan, outcome: WriteOutcome, bound: BoundMapping, run: str, now: float
) -> list[JournalEntry]:
    """Return what a successful write changed, from which value to which, and why."""
    if outcome.result is not WriteResult.DONE:
        return []
    write = outcome.write
    rules = {update.pair: update.rule for update in plan.base_updates}
    entries = []
    for name, value in write.values.items():
        pair = bound.by_field[write.kind, name]
        entries.append(
            JournalEntry(
                email=plan.link.email,
                at=now,
                run_id=run,
                kind=JournalKind.WRITTEN,
                side=write.side,
                record_id=outcome.record_id or write.record_id,
                field=pair.key,
                before=write.before.get(name),
                after=value,
                rule=rules.get(pair.key, MergeRule.PLACEHOLDER),
            )
        )
    return entries


def refused_entries(plan: Plan, outcome: WriteOutcome, run: str, now: float) -> list[JournalEntry]:
    """Return that a write was refused, with the other system's own code as the rule."""
    if outcome.result is not WriteResult.REJECTED:
        return []
    return [
        JournalEntry(
            email=plan.link.email,
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
