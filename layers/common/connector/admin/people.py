"""One person: the link, its three trees, and why each field has its value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from connector.admin.context import AdminContext
from connector.admin.errors import InvalidRequestError
from connector.admin.review_queue import HoldView, QuarantineView, find_link, review_item
from connector.admin.runs import (
    JournalEntryView,
    JournalPageView,
    journal_entry_view,
    journal_page_view,
)
from connector.mapping import Direction, FieldPair, MappingConfig
from connector.model import JournalEntry, Link, Observation, RecordKind, Value, Values

EXPLAINED_LINES = 1000
"""Lines of the journal that are looked through for the last word on each field."""
PAGE = 200


@dataclass(frozen=True, slots=True)
class RecordView:
    """One record: what it was last seen to say, its version, and how fresh that is (seconds)."""

    id: str
    kind: RecordKind
    version: str
    modified: str
    read_at: float
    eligible: bool
    converted: bool
    deleted: bool
    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class FieldHistory:
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
    last: JournalEntryView | None


@dataclass(frozen=True, slots=True)
class Person:
    """One person. `plezi`, `salesforce` and `base` are the link's three trees.

    `revision` counts the states of the link; `dirty`: a run will look at it; `unfinished` is the
    run whose write is under way ('' for none).
    """

    email: str
    revision: int
    dirty: bool
    unfinished_run: str
    primary_lead: str
    plezi: RecordView | None
    salesforce: tuple[RecordView, ...]
    base: Mapping[str, Mapping[str, Value]]
    holds: tuple[HoldView, ...]
    quarantine: QuarantineView | None
    fields: tuple[FieldHistory, ...]
    journal: JournalPageView


def show_person(context: AdminContext, email: str, *, limit: int, after: str = "") -> Person:
    """Return all that is known of a person. Raises `UnknownItemError`, `InvalidRequestError`."""
    link = find_link(context, email)
    try:
        page = context.journal.person_entries(link.email, limit, after)
    except ValueError as error:
        raise InvalidRequestError("next: not the `next` of an earlier page") from error
    mapping = context.mappings.current()
    last = _last_lines(context, link.email, {line.key for line in mapping.pairs})
    waits = review_item(link)
    return Person(
        email=link.email,
        revision=link.revision,
        dirty=link.dirty,
        unfinished_run=link.intent.run_id if link.intent else "",
        primary_lead=link.primary_lead,
        plezi=_record(link.plezi) if link.plezi else None,
        salesforce=tuple(map(_record, link.salesforce)),
        base=link.base,
        holds=waits.holds,
        quarantine=waits.quarantine,
        fields=tuple(_field_histories(link, mapping, last)),
        journal=journal_page_view(page),
    )


def _last_lines(context: AdminContext, email: str, keys: set[str]) -> dict[str, JournalEntry]:
    """The journal's last line on each field, within the newest lines."""
    last: dict[str, JournalEntry] = {}
    after = ""
    for _ in range(EXPLAINED_LINES // PAGE):
        page = context.journal.person_entries(email, PAGE, after)
        for line in page.entries:
            for key in line.field.split(","):
                last.setdefault(key, line)
        after = page.next
        if not after or keys <= last.keys():
            break
    return last


def _field_histories(
    link: Link, mapping: MappingConfig, last: Mapping[str, JournalEntry]
) -> Iterator[FieldHistory]:
    for line in mapping.pairs:
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
        yield FieldHistory(
            field=line.key,
            plezi=line.plezi,
            direction=line.direction,
            values=values,
            base=base,
            why=_explain(link, line, base, said),
            last=None if said is None else journal_entry_view(said),
        )


_NOTHING: Values = {}


def _name(line: FieldPair, kind: RecordKind) -> str:
    """The line's field on a kind of record; '' where it has none."""
    names = {
        RecordKind.PLEZI_CONTACT: line.plezi,
        RecordKind.LEAD: line.salesforce,
        RecordKind.CONTACT: line.contact,
    }
    return names[kind]


def _explain(
    link: Link, line: FieldPair, base: Mapping[str, Value], said: JournalEntry | None
) -> str:
    if line.key in link.holds:
        return f"waits for a person: {link.holds[line.key].reason}"
    if said is not None:
        record = f"{said.side.value} {said.record_id}".strip()
        return f"{said.kind} on {record} by the rule {said.rule}, in run {said.run_id}"
    if base:
        return "agreed since first meeting"
    return "not compared yet"


def _record(seen: Observation) -> RecordView:
    return RecordView(
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
