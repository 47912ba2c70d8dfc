"""One person whom the oracle watches, for the tests of the oracle."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from connector.mapping import ConflictPolicy, Direction, MappingConfig
from connector.model import JournalEntry, JournalKind, MergeRule, RecordKind, Side, Value
from local.world.both_sides import StoredRecord
from tests.simulation.history.events import EventList, build_mapping
from tests.simulation.history.fields import ALWAYS_MAPPED
from tests.simulation.history.oracle import GuaranteeViolatedError, Oracle

PERSON = "p-1"
LEAD = "00Q1"
OTHER_LEAD = "00Q2"
CONTACT = "0031"
RUN = "run-1"
EMAIL = "ana@example.com"


def mapping(
    policy: ConflictPolicy = ConflictPolicy.NEWEST, direction: Direction = Direction.BOTH
) -> MappingConfig:
    events = EventList(0, dict.fromkeys(ALWAYS_MAPPED, policy), {}, ())
    first = build_mapping(events)
    pairs = tuple(
        replace(pair, direction=direction) if pair.plezi == "phone" else pair
        for pair in first.pairs
    )
    return replace(first, pairs=pairs)


def swapped(config: MappingConfig) -> MappingConfig:
    """Return a mapping in which the pairs of phone and mobile are swapped."""
    fields = {"phone": "MobilePhone", "mobile": "Phone"}
    pairs = tuple(
        replace(it, salesforce=fields.get(it.plezi, it.salesforce)) for it in config.pairs
    )
    return replace(config, pairs=pairs)


class Person:
    """One person with a contact in Plezi and a Lead, and the oracle that watches both."""

    def __init__(self, config: MappingConfig | None = None) -> None:
        self.journal: list[JournalEntry] = []
        self.time = 0.0
        self.oracle = Oracle([config or mapping()], lambda: self.journal, lambda: self.time)
        self.oracle.runs.add(RUN)
        self.records = {
            PERSON: StoredRecord(RecordKind.PLEZI_CONTACT, PERSON, EMAIL, {"email": EMAIL}),
            LEAD: StoredRecord(RecordKind.LEAD, LEAD, EMAIL, {"Email": EMAIL}),
        }
        for record in self.records:
            self.oracle.same_person(record, EMAIL)
        self.oracle.notice(self.records, "it was created")

    def add(self, record: str, kind: RecordKind, **values: Value) -> None:
        """Let a user create another record of the person."""
        self.records[record] = StoredRecord(kind, record, EMAIL, {"Email": EMAIL, **values})
        self.oracle.same_person(record, EMAIL)
        self.oracle.notice(self.records, f"{record} was created")

    def type(self, record: str, **values: Value) -> None:
        """Let a user type values."""
        self.time += 1
        self._set(record, values)
        self.oracle.notice(self.records, f"{record} was typed in")

    def _set(self, record: str, values: dict[str, Value]) -> None:
        stored = self.records[record]
        self.records[record] = replace(stored, values={**stored.values, **values})

    def read(self, *records: str) -> None:
        """Let the connector read records."""
        for record in records:
            stored = self.records[record]
            if stored.kind is RecordKind.PLEZI_CONTACT:
                row: object = {"type": "contacts", "id": record, "attributes": stored.values}
            else:
                row = {"attributes": {"type": stored.kind.value}, "Id": record, **stored.values}
            self.oracle.add_response(json.dumps([row]).encode(), {})

    def agree(self) -> None:
        """Let a run read both sides and finish."""
        self.read(*self.records)
        self.oracle.finish_run(frozenset(self.records))

    def write(self, record: str, **values: Value) -> None:
        """Let the connector write values."""
        before = dict(self.records)
        if self.records[record].kind is RecordKind.PLEZI_CONTACT:
            body: object = {"data": {"id": record, "attributes": values}}
        else:
            body = {"records": [{"id": record, **values}]}
        self.oracle.check_request("PUT", "path", json.dumps(body), before)
        self._set(record, dict(values))
        self.oracle.check_changes(before, self.records, "PUT path")

    def lose(
        self,
        record: str,
        before: Value,
        after: Value,
        rule: str = MergeRule.NEWEST,
        run: str = RUN,
        kind: JournalKind = JournalKind.OVERWRITTEN,
        pair: str = "Phone",
    ) -> None:
        """Let the connector journal that a value gives way, or is held."""
        side = Side.PLEZI if record == PERSON else Side.SALESFORCE
        entry = JournalEntry(EMAIL, self.time, run, kind, side, record, pair, before, after, rule)
        self.journal.append(entry)


def agreed(config: MappingConfig | None = None) -> Person:
    """Return a person on which both sides agreed on one phone."""
    person = Person(config)
    person.type(PERSON, phone="1")
    person.read(PERSON, LEAD)
    person.write(LEAD, Phone="1")
    person.agree()
    return person


def is_violated(number: str, act: Callable[[], None]) -> None:
    with pytest.raises(GuaranteeViolatedError, match=rf"^{number} "):
        act()


def is_lost_silently(person: Person, act: Callable[[], None]) -> None:
    """Check that a permitted loss is not excused from the journal."""
    act()
    is_violated("7", person.oracle.check_journal)
