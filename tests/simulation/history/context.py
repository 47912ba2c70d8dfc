"""The shared state of a history: both sides, the connector, the oracle, the log and counters."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final
from urllib.parse import unquote_plus

from requests import PreparedRequest, Response

from connector.mapping import MappingConfig
from connector.model import RecordKind
from connector.plezi.api_dialect import PleziDialect
from local.plezi_tenant.schema import custom_attribute
from local.serving import unread
from local.world.both_sides import BothSides, StoredRecord
from local.world.fault_injector import FaultInjector, Trace
from local.world.simulated_stack import SimulatedStack
from tests.simulation.history.events import Event, EventList, name_of
from tests.simulation.history.fields import FIELDS
from tests.simulation.history.oracle import Oracle
from tests.simulation.history.ports import HistoryPorts
from tests.simulation.history.typing_history import CellKey

START: Final = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
CALL_SECONDS: Final = 0.3
"""Virtual duration of one HTTP call."""
USER: Final = "somebody typed it"
_OTHER_SIDE: Final = {"plezi": "salesforce", "salesforce": "plezi"}


def email_of(person: int) -> str:
    """Return the first e-mail of a person, by its number."""
    return f"{name_of(person).lower()}@example.com"


class HistoryContext:
    """Both sides and the connector between them, with the oracle that observes every call."""

    def __init__(self, sides: BothSides, events: EventList, ports: HistoryPorts) -> None:
        sides.clock.set(START, frozen=True)
        sides.reset()
        self.sides = sides
        self.events = events
        self.ports = ports
        self.trace = Trace()
        self.versions = [ports.mappings.current()]
        self.oracle = Oracle(list(self.versions), ports.journal.entries, self._connector_time)
        self.oracle.can_search = "email_filter" not in events.tenant
        self.oracle.has_times = events.tenant.get("updated_at") != "missing"
        self.oracle.versions = self.versions
        self.oracle.suspended = ports.ledger.suspended_pairs
        self.log: list[str] = []
        """The events in plain text, each with its time."""
        self.counted: Counter[str] = Counter()
        self.records: dict[tuple[int, str], str] = {}
        """Record ids by person and place (a side, `duplicate` or `contact`)."""
        self.plezi_may_be_stale = "read_lag_seconds" in events.tenant
        self.open_transactions = False
        """Whether a user's transaction may still have to commit."""
        self.withdrawn: set[tuple[str, str]] = set()
        """The fields (side, name) that do not exist now, or are hidden, or have another type."""
        self.ever_withdrawn: set[tuple[str, str]] = set()
        self.fields_changed = False
        self.standard_attributes = {it.name: it for it in sides.tenant.contacts.schema}
        self.working = 0
        """How many processes work now, one inside the pauses of the other."""
        self.uncertain_since = 0
        self._order_before_write = 0
        """The number of the first user action after a process crashed or a response was lost."""
        self._last_number = 0
        if events.tenant:
            sides.tenant.set_switches(**events.tenant)
            self.counted[f"tenant {events.tenant}"] += 1
        self.stack = SimulatedStack(
            sides,
            FaultInjector(self.trace),
            self._observe_call,
            ledger=ports.ledger,
            journal=ports.journal,
            run_queue=ports.run_queue,
            mappings=ports.mappings,
            dialect=PleziDialect(
                page_size=events.page_size,
                omits_blanks=events.tenant.get("empty_values") == "omitted",
            ),
        )
        for name in events.policies:
            if FIELDS[name].created:
                self.add_attribute(name)

    def _connector_time(self) -> float:
        return self.stack.now()

    def add_attribute(self, name: str, kind: str = "text") -> None:
        """Add a custom attribute in Plezi."""
        self.sides.tenant.contacts.schema.add(custom_attribute({"name": name, "type": kind}))

    def look(self, description: str = USER) -> None:
        """Show the oracle what is stored, after a user action."""
        self.oracle.notice(self.sides.stored_records(), description)

    def save_mapping(self, mapping: MappingConfig) -> None:
        """Note a new version of the mapping: a run that works now may use either."""
        self.versions.append(mapping)
        self.oracle.mappings.append(mapping)

    def note_uncertainty(self) -> None:
        """Note that the connector may not know whether its last write arrived, or a later one.

        An automation of the org may have typed within that write, and a user since the records were
        read on which it rests. What Plezi returned then may have been some seconds old.
        """
        if self.uncertain_since:
            return
        links = self.ports.ledger.all_links()
        lag = float(self.events.tenant.get("read_lag_seconds", 0.0))
        read = [
            min([link.intent.at, *(it.as_of for it in link.observations())]) - lag
            for link in links
            if link.intent is not None
        ]
        typed_since = [
            number
            for number, typing in self.oracle.history.typings.items()
            if read and typing.at >= min(read)
        ]
        self.uncertain_since = max(1, min([self._order_before_write, *typed_since]))

    def held_fields(self) -> set[tuple[str, str]]:
        """Return the record ids and keys of pairs of all holds in the ledger."""
        return {
            (record, key)
            for link in self.ports.ledger.all_links()
            for key, hold in link.holds.items()
            for record in hold.values
        }

    def unfinished_cells(self) -> set[CellKey]:
        """Return the cells to which an intent in the ledger writes."""
        return {
            (write.record_id, name)
            for link in self.ports.ledger.all_links()
            if link.intent is not None
            for write in link.intent.writes
            for name in write.values
        }

    def finish_run(self) -> None:
        """Tell the oracle which records no run has to resolve any more."""
        resolved = frozenset(
            record
            for link in self.ports.ledger.all_links()
            if not link.dirty and link.intent is None and link.quarantine is None
            for record in link.record_ids
        )
        self.oracle.finish_run(resolved)

    @property
    def fault_injector(self) -> FaultInjector:
        """The fault injector of the process that works now."""
        return self.stack.fault_injector

    def log_event(self, text: str) -> None:
        """Add an event to the log and to the trace."""
        self.trace.add(text)
        self.log.append(f"{self.sides.clock.now():%H:%M:%S} {text}")

    def next_number(self) -> int:
        """Return the next number: with it, no two typed values are equal by chance."""
        self._last_number += 1
        return self._last_number

    def find(self, event: Event, place: str = "") -> StoredRecord | None:
        """Return the record of the event's person in a place (default: the event's side).

        It is the record that a user created, or else the one that the connector created.
        """
        place = place or event.side
        stored = self.sides.stored_records()
        record = self.records.get((event.person, place))
        if record is None and place in _OTHER_SIDE:
            kind = RecordKind.PLEZI_CONTACT if place == "plezi" else RecordKind.LEAD
            source = self.records.get((event.person, _OTHER_SIDE[place]), "")
            known = (stored.get(it) for it in self.oracle.records_of_person(source) if source)
            record = next((it.id for it in known if it is not None and it.kind is kind), None)
            if record is not None:
                self.records[event.person, place] = record
        return stored.get(record) if record else None

    def find_active(self, event: Event, place: str = "") -> StoredRecord | None:
        """Return the record of the event's person if users can still edit it."""
        record = self.find(event, place)
        return None if record is None or record.deleted or record.converted else record

    def _observe_call(self, request: PreparedRequest, send: Callable[[], Response]) -> Response:
        """Send a request; give the oracle the request, the response and the changes it made."""
        self.sides.clock.advance(CALL_SECONDS)
        path = request.path_url.partition("?")[0]
        is_write = _is_write(request, path)
        if self.open_transactions:
            self.open_transactions = bool(self.sides.org.state.transactions.open_count())
            self.look("a transaction commits late")
        before = self.sides.stored_records() if is_write else {}
        if is_write:
            self._order_before_write = self.oracle.order
            self.oracle.check_request(request.method or "", path, request.body, before)
        is_answered = is_known = False
        body = b""
        try:
            response = send()
            is_answered = response.ok
            is_known = response.status_code < HTTPStatus.INTERNAL_SERVER_ERROR
            if response.ok:
                body = response.raw.read()
                response.raw = unread(response.status_code, body)  # decompressed
                is_empty = response.status_code == HTTPStatus.NO_CONTENT
                is_known = is_empty or not is_write or _is_json(body)
        finally:
            if is_write:
                if not is_known:
                    self.note_uncertainty()
                after = self.sides.stored_records()
                if after != before:
                    self.counted["writes"] += 1
                    self.oracle.check_changes(before, after, f"{request.method} {path}")
                if not is_answered:
                    self.oracle.note_unanswered(self.unfinished_cells())
        self.trace.add(str(response.status_code))
        if response.ok:
            stored = self.sides.stored_records() if self.plezi_may_be_stale else {}
            self.oracle.add_response(body, stored)
            if _is_end_of_leads(request, body):
                self.oracle.leads_were_listed()
        return response


def _is_json(body: bytes) -> bool:
    """Whether the answer to a write can be read: one that was cut off says nothing of it."""
    try:
        json.loads(body)
    except ValueError:
        return False
    return True


def _is_end_of_leads(request: PreparedRequest, body: bytes) -> bool:
    """Whether an answer is the last page of the list of Leads, which has no selection by record."""
    url = unquote_plus(request.path_url)
    is_list = " FROM Lead " in url and " IN (" not in url and "ORDER BY SystemModstamp" in url
    return is_list and b'"done":true' in body and " LIMIT " not in url


def _is_write(request: PreparedRequest, path: str) -> bool:
    if request.method in ("PUT", "PATCH"):
        return True
    return request.method == "POST" and (path.endswith("/contacts") or "composite/sobjects" in path)
