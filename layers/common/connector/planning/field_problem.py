"""The fields of a link that wait: a value does not fit the other side, or cannot be read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from connector.mapping import BoundPair, UnusableValue
from connector.model import Link, Observation, ProblemCode, Quarantine, RecordKind, Side

UNREAD: Final = frozenset({ProblemCode.UNREADABLE_RECORD, ProblemCode.UNUSABLE_VALUE})
"""Why a record of a response could not be used; the second one only by former versions."""


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One field pair that stays as it is until somebody corrects a value.

    `pair` is the key of the pair, `field` the field of `side` that cannot hold the value, or whose
    own value cannot be read. `detail` says what is wrong, without the value, and `remedy` what to
    do.
    """

    pair: str
    side: Side
    field: str
    code: ProblemCode
    detail: str
    remedy: str


def describe_problem(pair: BoundPair, kind: RecordKind, unusable: UnusableValue) -> FieldProblem:
    """Return the problem of a pair whose value cannot be converted for a kind of record."""
    side = kind.side
    source = RecordKind.LEAD if side is Side.PLEZI else RecordKind.PLEZI_CONTACT
    return FieldProblem(
        pair=pair.key,
        side=side,
        field=unusable.field,
        code=unusable.code,
        detail=f"{unusable.field} cannot hold the value, {unusable.detail}",
        remedy=(
            f"correct {pair.fields[source].name} in {source.side.value.capitalize()}, or map it to "
            f"a field that can hold the value"
        ),
    )


def find_unreadable(pair: BoundPair, records: Iterable[Observation]) -> list[FieldProblem]:
    """Return a problem for each field of a pair that a response has, but not as a value."""
    found = {
        (record.side, pair.fields[record.kind].name)
        for record in records
        if record.kind in pair.fields and pair.fields[record.kind].name in record.unreadable
    }
    return [
        FieldProblem(
            pair=pair.key,
            side=side,
            field=name,
            code=ProblemCode.UNUSABLE_VALUE,
            detail=f"what {side.value.capitalize()} has in {name} is not a value that can be read",
            remedy=f"correct {name} in {side.value.capitalize()}, or take it out of the mapping",
        )
        for side, name in sorted(found)
    ]


def quarantine_for(
    problems: Sequence[FieldProblem], link: Link, *, now: float
) -> Quarantine | None:
    """Return the quarantine of a link with these problems; None if it has none.

    The same problems give the former quarantine: nothing was tried, and nothing is new. A record
    that could not be read keeps its link in quarantine until it is read. `now` is our clock in
    seconds.
    """
    former = link.quarantine
    if not problems:
        return former if waits_for_reading(link, link.observations()) else None
    first = problems[0]
    fields = tuple(problem.field for problem in problems)
    if former is not None and (former.code, former.fields) == (first.code, fields):
        return former
    remedy = "; ".join(f"{problem.detail}: {problem.remedy}" for problem in problems)
    return Quarantine(first.side, first.code, remedy, fields, now)


def quarantine_with(
    refusal: Quarantine | None, problems: Sequence[FieldProblem], link: Link, *, now: float
) -> Quarantine | None:
    """Return the quarantine of a link for a refusal, if there is one, and for these problems."""
    if refusal is None:
        return quarantine_for(problems, link, now=now)
    remedies = (refusal.remedy, *(f"{it.detail}: {it.remedy}" for it in problems))
    fields = dict.fromkeys((*refusal.fields, *(it.field for it in problems)))
    return replace(refusal, remedy="; ".join(remedies), fields=tuple(fields))


def waits_for_reading(link: Link, read: Iterable[Observation]) -> bool:
    """Return whether a link is in quarantine for a record that is not among those read since then.

    Such a quarantine names no field of a plan: the response itself could not be used.
    """
    former = link.quarantine
    if former is None or former.code not in UNREAD or former.fields:
        return False
    return not any(each.side is former.side and each.as_of > former.since for each in read)
