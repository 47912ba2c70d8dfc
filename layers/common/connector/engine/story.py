"""What the journal is told: field by field, what was written, lost, held or refused, and why."""

from __future__ import annotations

from collections.abc import Iterable

from connector.mapping import BoundMapping
from connector.model import JournalLine, Link, Side
from connector.plan import Lost, Outcome, Plan, Result


def lost_lines(each: Plan, run: str, now: float) -> list[JournalLine]:
    """Tell, before it happens, which values will give way, to what, and by which rule."""
    return [_lost_line(each, lost, run, now) for lost in each.lost]


def _lost_line(each: Plan, lost: Lost, run: str, now: float) -> JournalLine:
    return JournalLine(
        email=each.link.email,
        at=now,
        run=run,
        what="lost",
        side=lost.kind.side,
        record=lost.record,
        field=lost.line,
        before=lost.value,
        after=lost.stands,
        rule=lost.rule,
    )


def held_lines(link: Link, keys: Iterable[str], run: str, now: float) -> list[JournalLine]:
    """Tell what each record says of a field that now waits for a person."""
    return [
        JournalLine(
            email=link.email,
            at=now,
            run=run,
            what="held",
            side=Side.PLEZI if link.plezi and link.plezi.id == record else Side.SALESFORCE,
            record=record,
            field=key,
            before=value,
            after=value,
            rule=link.holds[key].reason,
        )
        for key in keys
        for record, value in link.holds[key].words.items()
    ]


def written_lines(
    each: Plan, outcome: Outcome, bound: BoundMapping, run: str, now: float
) -> list[JournalLine]:
    """Tell what a write that was done changed, from what to what, and why."""
    if outcome.result is not Result.DONE:
        return []
    write = outcome.write
    rules = {it.line: it.rule for it in each.settlements}
    lines = []
    for name, value in write.values.items():
        line = bound.by_field[write.kind, name]
        lines.append(
            JournalLine(
                email=each.link.email,
                at=now,
                run=run,
                what="written",
                side=write.side,
                record=outcome.record or write.record,
                field=line.key,
                before=write.before.get(name),
                after=value,
                rule=rules.get(line.key, "placeholder"),
            )
        )
    return lines


def refused_lines(each: Plan, outcome: Outcome, run: str, now: float) -> list[JournalLine]:
    """Tell that a write was refused, with the side's own code."""
    if outcome.result is not Result.REJECTED:
        return []
    return [
        JournalLine(
            email=each.link.email,
            at=now,
            run=run,
            what="refused",
            side=outcome.write.side,
            record=outcome.write.record,
            field=",".join(outcome.fields),
            before=None,
            after=None,
            rule=outcome.code,
        )
    ]
