"""One person: the link, its three trees, and why each field has its value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from connector.administration.office import Office
from connector.administration.refusals import UnusableError
from connector.administration.runs import LinePage, LineTold, told_line, told_page
from connector.administration.waiting import HoldTold, QuarantineTold, known, told
from connector.mapping import Direction, FieldMapping, Line
from connector.model import JournalLine, Kind, Link, Observation, Value, Values

EXPLAINED_LINES = 1000
"""Lines of the journal that are looked through for the last word on each field."""
PAGE = 200


@dataclass(frozen=True, slots=True)
class RecordTold:
    """One record: what it was last seen to say, its version, and how fresh that is (seconds)."""

    id: str
    kind: Kind
    version: str
    modified: str
    seen_at: float
    eligible: bool
    converted: bool
    deleted: bool
    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class FieldStory:
    """Why one line of the mapping has its values.

    `values` and `base` are by record: what it says now, and what it said when the sides last
    agreed. `last` is the journal's last line on it (None: it never told anything); `why` says it in
    words.
    """

    field: str
    plezi: str
    direction: Direction
    values: Mapping[str, Value]
    base: Mapping[str, Value]
    why: str
    last: LineTold | None


@dataclass(frozen=True, slots=True)
class Person:
    """One person. `plezi`, `salesforce` and `base` are the link's three trees.

    `revision` counts the states of the link; `dirty`: a run will look at it; `unfinished` is the
    run whose write is under way ('' for none).
    """

    email: str
    revision: int
    dirty: bool
    unfinished: str
    survivor: str
    plezi: RecordTold | None
    salesforce: tuple[RecordTold, ...]
    base: Mapping[str, Mapping[str, Value]]
    holds: tuple[HoldTold, ...]
    quarantine: QuarantineTold | None
    fields: tuple[FieldStory, ...]
    journal: LinePage


def one_person(office: Office, email: str, *, limit: int, after: str = "") -> Person:
    """Return all that is known of a person. Raises `NotKnownError`, `UnusableError`."""
    link = known(office, email)
    try:
        page = office.journal.of_person(link.email, limit, after)
    except ValueError as error:
        raise UnusableError("next: not the `next` of an earlier page") from error
    mapping = office.configuration.current()
    last = _last_lines(office, link.email, {line.key for line in mapping.lines})
    waits = told(link)
    return Person(
        email=link.email,
        revision=link.revision,
        dirty=link.dirty,
        unfinished=link.intent.run if link.intent else "",
        survivor=link.survivor,
        plezi=_record(link.plezi) if link.plezi else None,
        salesforce=tuple(map(_record, link.salesforce)),
        base=link.base,
        holds=waits.holds,
        quarantine=waits.quarantine,
        fields=tuple(_stories(link, mapping, last)),
        journal=told_page(page),
    )


def _last_lines(office: Office, email: str, keys: set[str]) -> dict[str, JournalLine]:
    """The journal's last line on each field, within the newest lines."""
    last: dict[str, JournalLine] = {}
    after = ""
    for _ in range(EXPLAINED_LINES // PAGE):
        page = office.journal.of_person(email, PAGE, after)
        for line in page.lines:
            for key in line.field.split(","):
                last.setdefault(key, line)
        after = page.next
        if not after or keys <= last.keys():
            break
    return last


def _stories(
    link: Link, mapping: FieldMapping, last: Mapping[str, JournalLine]
) -> Iterator[FieldStory]:
    for line in mapping.lines:
        if line.direction is Direction.OFF:
            continue
        values = {
            seen.id: seen.values[name]
            for seen in link.observations()
            if (name := _name(line, seen.kind)) in seen.values
        }
        base = {
            seen.id: link.base[seen.id][name]
            for seen in link.observations()
            if (name := _name(line, seen.kind)) in link.base.get(seen.id, _NOTHING)
        }
        said = last.get(line.key)
        yield FieldStory(
            field=line.key,
            plezi=line.plezi,
            direction=line.direction,
            values=values,
            base=base,
            why=_why(link, line, base, said),
            last=None if said is None else told_line(said),
        )


_NOTHING: Values = {}


def _name(line: Line, kind: Kind) -> str:
    """The line's field on a kind of record; '' where it has none."""
    names = {Kind.PLEZI_CONTACT: line.plezi, Kind.LEAD: line.salesforce, Kind.CONTACT: line.contact}
    return names[kind]


def _why(link: Link, line: Line, base: Mapping[str, Value], said: JournalLine | None) -> str:
    if line.key in link.holds:
        return f"waits for a person: {link.holds[line.key].reason}"
    if said is not None:
        record = f"{said.side.value} {said.record}".strip()
        return f"{said.what} on {record} by the rule {said.rule}, in run {said.run}"
    if base:
        return "agreed since first meeting"
    return "not compared yet"


def _record(seen: Observation) -> RecordTold:
    return RecordTold(
        seen.id,
        seen.kind,
        seen.version,
        seen.modified,
        seen.as_of,
        seen.eligible,
        seen.converted,
        seen.deleted,
        seen.values,
    )
