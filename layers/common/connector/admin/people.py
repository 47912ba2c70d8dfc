"""One contact: its link with base and observations, and why each field has its value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from connector.admin.consents import Consent, consents_of
from connector.admin.context import AdminContext
from connector.admin.errors import page_token_errors
from connector.admin.review_queue import HoldView, QuarantineView, find_link, review_item
from connector.admin.runs import (
    JournalEntryView,
    JournalPageView,
    journal_entry_view,
    journal_page_view,
)
from connector.mapping import Direction, FieldPair, MappingConfig
from connector.model import JournalEntry, Link, Observation, RecordKind, Value, Values
from connector.planning.excluded_leads import pair_key

SEARCHED_ENTRIES: Final = 1000
"""The number of journal entries that are searched for the last entry of each field."""
PAGE: Final = 200
"""Journal entries of one read."""
NO_BASE_VALUES: Final[Values] = {}


@dataclass(frozen=True, slots=True)
class RecordView:
    """One record as it was last read; `read_at` is the time of the read (seconds since 1970)."""

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
    """Why one field pair has its values.

    `values` and `base` are by record: the current value, and the value at the last agreement of the
    sides. `last` is the last journal entry of the pair (None: there is none); `why` explains it in
    text.
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
    """One contact. `plezi`, `salesforce` and `base` are the three parts of the link.

    `base` is by record and by pair of fields (`phone>Phone`). `revision` is the number of the
    stored state, one more with each. `dirty`: the next run processes the link.
    `unfinished_run` is the run whose write is in progress ('': there is none). `log_name` is how
    the log names the person (`link` of an event).
    """

    email: str
    log_name: str
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
    consents: tuple[Consent, ...]
    journal: JournalPageView


def show_person(context: AdminContext, email: str, *, limit: int, after: str = "") -> Person:
    """Return all data of one contact. Raises `UnknownItemError`, `InvalidRequestError`."""
    link = find_link(context, email)
    with page_token_errors():
        page = context.journal.person_entries(link.email, limit, after)
    mapping = context.mappings.current()
    last = _last_entries(context, link.email, {pair.key for pair in mapping.pairs})
    item = review_item(link)
    return Person(
        email=link.email,
        log_name=context.people.log_name(link.email),
        revision=link.revision,
        dirty=link.dirty,
        unfinished_run=link.intent.run_id if link.intent else "",
        primary_lead=link.primary_lead,
        plezi=_record_view(link.plezi) if link.plezi else None,
        salesforce=tuple(map(_record_view, link.salesforce)),
        # A link that never agreed has a read-only mapping here, which pydantic cannot serialize.
        base={
            record: {key: value for key, value in values.items() if key == pair_key(key)}
            for record, values in link.base.items()
        },
        holds=item.holds,
        quarantine=item.quarantine,
        fields=tuple(_field_histories(link, mapping, last)),
        consents=consents_of(context, mapping, link),
        journal=journal_page_view(page),
    )


def _last_entries(context: AdminContext, email: str, keys: set[str]) -> dict[str, JournalEntry]:
    """Return the last journal entry of each field, among the newest entries."""
    last: dict[str, JournalEntry] = {}
    after = ""
    for _ in range(SEARCHED_ENTRIES // PAGE):
        page = context.journal.person_entries(email, PAGE, after)
        for entry in page.entries:
            for key in entry.field.split(","):
                last.setdefault(key, entry)
        after = page.next
        if not after or keys <= last.keys():
            break
    return last


def _field_histories(
    link: Link, mapping: MappingConfig, last: Mapping[str, JournalEntry]
) -> Iterator[FieldHistory]:
    for pair in mapping.pairs:
        if pair.direction is Direction.OFF:
            continue
        values = {
            observation.id: observation.values[name]
            for observation in link.observations()
            if (name := _name(pair, observation.kind)) in observation.values
        }
        base = {
            observation.id: link.base[observation.id][key]
            for observation in link.observations()
            if (key := pair.base_key(observation.kind))
            in link.base.get(observation.id, NO_BASE_VALUES)
        }
        entry = last.get(pair.key)
        yield FieldHistory(
            field=pair.key,
            plezi=pair.plezi,
            direction=pair.direction,
            values=values,
            base=base,
            why=_explain(link, pair, base, entry),
            last=None if entry is None else journal_entry_view(entry),
        )


def _name(pair: FieldPair, kind: RecordKind) -> str:
    """Return the pair's field of a kind of record; '' if it has none."""
    names = {
        RecordKind.PLEZI_CONTACT: pair.plezi,
        RecordKind.LEAD: pair.salesforce,
        RecordKind.CONTACT: pair.contact,
    }
    return names[kind]


def _explain(
    link: Link, pair: FieldPair, base: Mapping[str, Value], entry: JournalEntry | None
) -> str:
    if pair.key in link.holds:
        return f"held, needs a decision: {link.holds[pair.key].reason}"
    if entry is not None:
        record = f"{entry.side.value} {entry.record_id}".strip()
        return f"{entry.kind} on {record} by the rule {entry.rule}, in run {entry.run_id}"
    if base:
        return "both sides were equal at the first comparison"
    return "not compared yet"


def _record_view(observation: Observation) -> RecordView:
    return RecordView(
        observation.id,
        observation.kind,
        observation.version,
        observation.modified,
        observation.as_of,
        observation.eligible,
        observation.converted,
        observation.deleted,
        observation.values,
    )
