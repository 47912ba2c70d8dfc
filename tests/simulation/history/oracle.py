"""The oracle: records every user edit, and checks every write of the connector against them.

It does not read the connector's ledger. Its inputs are the user edits, the responses that the
connector reads, the changes that the connector's writes make, and the journal entries of
overwritten values. The final check also reads the holds.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from connector.model import JournalEntry, JournalKind, RecordKind
from local.world.both_sides import StoredRecord
from tests.simulation.history.events import LEAD_FIELDS, TWO_WAY
from tests.simulation.history.observed_values import ObservedValues
from tests.simulation.history.values import (
    AUTOMATED,
    canonical,
    field_value,
    is_salesforce_id,
    scalars_in,
)

PLEZI_FIELDS: Final = {lead: plezi for plezi, lead in LEAD_FIELDS.items()}
SYNCED_FIELDS: Final = (*TWO_WAY, "function")
IGNORED_FIELDS: Final = frozenset(
    {"SystemModstamp", "LastModifiedDate", "LastModifiedById", "rowid", "updated_at", "Name",
     "OwnerId", "LastActivityDate", "LastViewedDate", "LastReferencedDate", "IsUnreadByOwner"}
)  # fmt: skip
"""Fields that a side changes itself with every write."""


class GuaranteeViolatedError(BaseException):
    """The connector violated a guarantee; the message starts with its number and its name.

    It is no `Exception`: it is raised inside a call of the connector, which isolates the errors of
    one person, and must not catch it.
    """


@dataclass(slots=True)
class Edit:
    """A value that a user typed and that has not reached the other side.

    `order` is the number of the user action.
    """

    value: str
    order: int
    description: str


@dataclass
class Oracle:
    """All user edits, and what the connector observed and wrote."""

    checked: Counter[str] = field(default_factory=Counter)
    allowed_losses: Counter[str] = field(default_factory=Counter)
    """Edits lost within the documented limits (docs/architecture.md), by reason."""
    order: int = 0
    edits: dict[tuple[str, str], Edit] = field(default_factory=dict)
    """Pending edits by record id and field name (as in Plezi)."""
    agreed: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    """Values on which both sides agreed, by record id and field name."""
    observed: ObservedValues = field(default_factory=ObservedValues)
    newly_agreed: set[tuple[str, str]] = field(default_factory=set)
    """First agreements that the working process observed; it may not have stored them yet."""
    not_yet_stored: set[tuple[str, str]] = field(default_factory=set)
    """The same of a process that is paused: a second process cannot know them."""
    typed_in: dict[str, set[str]] = field(default_factory=dict)
    """By value, the records in which users typed it."""
    typed_values: dict[tuple[str, str], dict[str, None]] = field(default_factory=dict)
    """Values that users typed, in order, by person and field name."""
    sent_values: set[str] = field(default_factory=set)
    """Values of the last write request."""
    groups: dict[str, str] = field(default_factory=dict)
    changed_identity: set[str] = field(default_factory=set)
    """Persons of whom a record was deleted, converted, merged or has a new e-mail."""
    created: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    automated_fields: set[str] = field(default_factory=set)

    # Which records belong to one person

    def group(self, record: str) -> str:
        """Return the id of the person that a record belongs to, as far as users know."""
        while record in self.groups and self.groups[record] != record:
            record = self.groups[record]
        return record

    def same_person(self, first: str, second: str) -> None:
        """Note that two records, or a record and an e-mail, belong to one person."""
        self.groups.setdefault(first, first)
        self.groups.setdefault(second, second)
        self.groups[self.group(first)] = self.group(second)

    def _values_of_person(self, record: str) -> set[str]:
        """Return every value that users ever typed in a record of the person of this record."""
        person = self.group(record)
        return {
            value
            for value, records in self.typed_in.items()
            if any(self.group(it) == person for it in records)
        }

    # User actions

    def add_edit(
        self,
        record: StoredRecord,
        name: str,
        value: object,
        description: str,
        stored: Iterable[StoredRecord],
    ) -> None:
        """Add a value that a user typed in a field; `stored` are all records as they are now."""
        self.order += 1
        text = canonical(value)
        self.typed_in.setdefault(text, set()).add(record.id)
        self.typed_values.setdefault((self.group(record.id), name), {})[text] = None
        key = (record.id, name)
        self.edits.pop(key, None)
        if name == "function" and record.kind is not RecordKind.PLEZI_CONTACT:
            return  # one-way: an edit on the receiving side is not synchronized
        if text in self.agreed.get(key, set()) or (not text and key not in self.agreed):
            return
        if self._equals_other_side(record, name, text, stored):
            return
        self.edits[key] = Edit(text, self.order, description)

    def _equals_other_side(
        self, record: StoredRecord, name: str, value: str, stored: Iterable[StoredRecord]
    ) -> bool:
        """Whether the other side has the same value, or will have it once a transaction commits.

        Then users typed one value on both sides: it is agreed, and neither edit can be lost.
        """
        equal = False
        for other in self._records_across(record, stored):
            edit = self.edits.get((other.id, name))
            if edit is not None and edit.value == value:
                del self.edits[other.id, name]
                equal = True
            equal = equal or field_value(other, name) == value
        return equal

    def _records_across(
        self, record: StoredRecord, stored: Iterable[StoredRecord]
    ) -> list[StoredRecord]:
        person = self.group(record.id)
        return [
            it
            for it in stored
            if it.kind.side is not record.kind.side
            and self.group(it.id) == person
            and not it.deleted
        ]

    def forget_all_agreements(self) -> None:
        """The ledger is lost: nothing counts as agreed, as at the first run.

        Equal values are agreed. A blank is filled, so that a clearing may be lost. Different values
        are a conflict.
        """
        self.agreed.clear()
        self.observed.clear()
        for key in [key for key, edit in self.edits.items() if not edit.value]:
            del self.edits[key]

    def forget_agreements_of(self, record: str) -> None:
        """A record was deleted: the person's other records have no agreement any more."""
        self.observed.latest.pop(record, None)
        person = self.group(record)
        for key in [key for key in self.agreed if self.group(key[0]) == person]:
            del self.agreed[key]

    def drop_edits_of(self, record: str) -> None:
        """A record does not exist any more: its pending edits may be lost."""
        self.changed_identity.add(self.group(record))
        for key in [key for key in self.edits if key[0] == record]:
            del self.edits[key]

    # Responses

    def add_response(self, content: bytes, stored: Mapping[str, StoredRecord], now: float) -> None:
        """Add a response; a value that the connector read on both sides is agreed."""
        for record, values in self.observed.add_response(content, stored, now, self.order):
            self._agree(record, values)

    def _agree(self, record: str, values: Mapping[str, str]) -> None:
        """Mark the values of a record as agreed that were also read on the other side."""
        person = self.group(record)
        for other, other_values in self.observed.latest.items():
            if other == record or self.group(other) != person:
                continue
            if is_salesforce_id(other) is is_salesforce_id(record):
                continue
            for name, value in values.items():
                if other_values.get(name) == value:
                    self._agree_field((record, name), value)
                    self._agree_field((other, name), value)

    def _agree_field(self, key: tuple[str, str], value: str) -> None:
        if key not in self.agreed:
            self.newly_agreed.add(key)
        self.agreed.setdefault(key, set()).add(value)
        edit = self.edits.get(key)
        if edit is not None and edit.value == value:
            del self.edits[key]

    # Writes of the connector

    def check_request(
        self, method: str, path: str, body: object, before: Mapping[str, StoredRecord]
    ) -> None:
        """Check an update before it is sent: every field differs from what was observed.

        A stale observation is not an excuse for the check: only a field whose observed value is
        also the stored value violates the guarantee.
        """
        if not isinstance(body, bytes | str):
            return
        document = json.loads(body)
        self.sent_values = {canonical(value) for value in scalars_in(document)}
        if "data" in document and method != "POST":
            updates = [(str(document["data"].get("id")), document["data"]["attributes"])]
        else:
            rows = document.get("records", []) if isinstance(document, dict) else []
            updates = [(str(row["id"]), row) for row in rows if "id" in row]
        for record, values in updates:
            for wire_name, value in values.items():
                name = wire_name
                if is_salesforce_id(record):
                    name = PLEZI_FIELDS.get(wire_name, "")
                observed = self.observed.current.get(record, {}).get(name)
                if name not in TWO_WAY or observed is None or observed != canonical(value):
                    continue
                stored = before.get(record)  # None: deleted in Plezi, which refuses the write
                if stored is not None and field_value(stored, name) == observed:
                    raise GuaranteeViolatedError(
                        f"10 field isolation: {wire_name} has this value already, "
                        f"and is sent to {path}"
                    )

    def check_changes(
        self,
        before: Mapping[str, StoredRecord],
        after: Mapping[str, StoredRecord],
        journal: Iterable[JournalEntry],
        call: str,
    ) -> None:
        """Check everything that a write call of the connector changed."""
        entries = list(journal)
        self._drop_delivered_edits(before, after)
        for record, now in after.items():
            was = before.get(record)
            if was is None:
                self._check_created(now, before, call)
            elif was != now:
                self._check_changed(was, now, entries, call)
        self._drop_delivered_edits(before, after)  # the new records have their persons now
        for record in before.keys() - after.keys():
            raise GuaranteeViolatedError(f"16 delete safety: {record} vanished after {call}")

    def _drop_delivered_edits(
        self, before: Mapping[str, StoredRecord], after: Mapping[str, StoredRecord]
    ) -> None:
        """Drop the edits that were sent: an automation may have changed them on arrival."""
        changed = {self.group(it.id) for it in after.values() if before.get(it.id) != it}
        for key, edit in list(self.edits.items()):
            record = key[0]
            exists = record in before and record in after
            overwritten = exists and before[record] != after[record]
            was_sent = edit.value in self.sent_values and self.group(record) in changed
            if was_sent and not overwritten:
                del self.edits[key]

    def _check_created(
        self, now: StoredRecord, before: Mapping[str, StoredRecord], call: str
    ) -> None:
        self.checked["15 no duplicate creation"] += 1
        if now.kind is RecordKind.CONTACT:
            raise GuaranteeViolatedError(f"11 direction: {call} created a Contact")
        if not now.email:
            raise GuaranteeViolatedError("12 eligibility: a record without e-mail was created")
        self.same_person(now.id, now.email)
        created = self.created.setdefault((self.group(now.id), now.kind.value), [])
        existing = [before[it] for it in created if it in before]
        active = [it for it in existing if not (it.deleted or it.converted)]
        if any(it.email == now.email for it in active):
            raise GuaranteeViolatedError(
                f"15 no duplicate creation: a second {now.kind} of one person was created"
            )
        created.append(now.id)
        self.observed.observed_at[now.id] = self.order
        latest = self.observed.latest_of(now.id)
        for name in SYNCED_FIELDS:
            value = field_value(now, name)
            self._check_origin(now, name, value, call)
            self._mark_delivered(now, name, value)
            latest[name] = value

    def _check_changed(
        self, was: StoredRecord, now: StoredRecord, journal: list[JournalEntry], call: str
    ) -> None:
        if now.kind is RecordKind.CONTACT:
            raise GuaranteeViolatedError(f"11 direction: {call} changed a Contact")
        if was.converted:
            raise GuaranteeViolatedError(f"11 direction: {call} changed a converted Lead")
        if now.deleted and not was.deleted:
            raise GuaranteeViolatedError(f"16 delete safety: {call} deleted {now.id}")
        ignored = IGNORED_FIELDS | self.automated_fields
        for wire_name in {**was.values, **now.values}:
            old = canonical(was.values.get(wire_name))
            new = canonical(now.values.get(wire_name))
            if wire_name not in ignored and old != new:
                self._check_field(now, wire_name, old, new, journal, call)

    def _check_field(
        self,
        now: StoredRecord,
        wire_name: str,
        old: str,
        new: str,
        journal: list[JournalEntry],
        call: str,
    ) -> None:
        if wire_name in ("plezi_url__c", "email", "Email"):
            return
        is_plezi = now.kind is RecordKind.PLEZI_CONTACT
        name = wire_name if is_plezi else PLEZI_FIELDS.get(wire_name, "")
        if new == AUTOMATED and new not in self.sent_values:  # a flow, in our transaction
            self.edits.pop((now.id, name), None)
            return
        self.checked["10 field isolation"] += 1
        writable = name in (*SYNCED_FIELDS, "newsletter_optout")
        if not writable or (is_plezi and name == "function"):
            raise GuaranteeViolatedError(f"10 field isolation: {call} wrote {wire_name}")
        self.checked["7 no lost update"] += 1
        edit = self.edits.get((now.id, name))
        if edit is not None and edit.value == old and name in TWO_WAY:
            if not old and self._comes_from_first_match(now, name, new):
                self.allowed_losses["a clearing, filled by a record without agreement"] += 1
                del self.edits[now.id, name]
            else:
                self._check_overwritten(now, name, edit, journal)
        self._check_origin(now, name, new, call)
        self._mark_delivered(now, name, new)
        self.observed.latest_of(now.id)[name] = new

    def _check_overwritten(
        self, now: StoredRecord, name: str, edit: Edit, journal: list[JournalEntry]
    ) -> None:
        """An edit was overwritten: it must be journaled, unobserved, or delivered before."""
        key = LEAD_FIELDS[name]
        for entry in journal:
            is_field = entry.record_id == now.id and entry.field == key
            if (
                is_field
                and entry.kind is JournalKind.OVERWRITTEN
                and canonical(entry.before) == edit.value
            ):
                self.checked["8 conflict is journaled"] += 1
                del self.edits[now.id, name]
                return
        if edit.order > self.observed.observed_at.get(now.id, 0):
            self.allowed_losses["typed between the last read and the write"] += 1
            del self.edits[now.id, name]
            return
        person = self.group(now.id)
        for other, values in self.observed.latest.items():
            across = is_salesforce_id(other) is not is_salesforce_id(now.id)
            if across and self.group(other) == person and values.get(name) == edit.value:
                del self.edits[now.id, name]
                return
        raise GuaranteeViolatedError(f"7 no lost update: {edit.description}; it was overwritten")

    def _comes_from_first_match(self, now: StoredRecord, name: str, value: str) -> bool:
        """Whether the value is from a record that never agreed on the field: it fills a blank."""
        person = self.group(now.id)
        return any(
            self.group(other) == person
            and other != now.id
            and values.get(name) == value
            and ((other, name) not in self.agreed or (other, name) in self.not_yet_stored)
            for other, values in self.observed.latest.items()
        )

    def _check_origin(self, now: StoredRecord, name: str, value: str, call: str) -> None:
        """Check that a user typed the written value in a record of the same person."""
        self.checked["14 no write across persons"] += 1
        if not value or value == AUTOMATED or value in self._values_of_person(now.id):
            return
        raise GuaranteeViolatedError(f"14 no write across persons: {call} wrote {name} = {value!r}")

    def _mark_delivered(self, now: StoredRecord, name: str, value: str) -> None:
        """The value reached this record: it is agreed with the records that have it too."""
        person = self.group(now.id)
        self.agreed[now.id, name] = {value}
        self.edits.pop((now.id, name), None)
        for other, values in self.observed.latest.items():
            if self.group(other) == person and values.get(name) == value:
                self.agreed[other, name] = {value}
        for key, edit in list(self.edits.items()):
            if key[1] == name and edit.value == value and self.group(key[0]) == person:
                del self.edits[key]
